//! The golden runner: every case file of a folder, side by side, a line a case, and one JSON line at the end.

use clap::Parser;
use futures::StreamExt;
use millstream_broker::BrokerOptions;
use millstream_broker::net::{EmbeddedBroker, start_in_thread};
use millstream_integration::golden::{self, Case, Outcome, Record};
use millstream_integration::real_kafka::RealKafka;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(about = "Runs golden cases against the embedded broker or a real one")]
struct Arguments {
    /// Folder of case files.
    folder: Option<PathBuf>,
    /// A cluster to run against, instead of the embedded broker.
    #[arg(long)]
    bootstrap: Option<String>,
    /// Start this version of Apache Kafka and run against it (its jars as `cargo xtask kafka` fetches them).
    #[arg(long, conflicts_with = "bootstrap")]
    kafka: Option<String>,
    /// Only cases whose name contains this.
    #[arg(long)]
    only: Option<String>,
    /// Cases side by side.
    #[arg(long, default_value_t = 8)]
    jobs: usize,
    /// Add what passes now to the list of cases that may not fail again.
    #[arg(long)]
    keep: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new().expect("threads for the runner");
    match runtime.block_on(run(&arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("golden: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// The broker that the cases run against; those that were started here end with it.
enum Broker {
    Elsewhere(String),
    Embedded(EmbeddedBroker),
    Apache(RealKafka),
}

impl Broker {
    fn start(arguments: &Arguments) -> Result<Self, String> {
        match (&arguments.bootstrap, &arguments.kafka) {
            (Some(bootstrap), _) => Ok(Self::Elsewhere(bootstrap.clone())),
            (None, Some(version)) => RealKafka::start(version, &[]).map(Self::Apache),
            (None, None) => start_in_thread(BrokerOptions::default())
                .map(Self::Embedded)
                .map_err(|error| error.to_string()),
        }
    }

    fn bootstrap(&self) -> String {
        match self {
            Self::Elsewhere(bootstrap) => bootstrap.clone(),
            Self::Embedded(broker) => broker.bootstrap(),
            Self::Apache(kafka) => kafka.bootstrap(),
        }
    }
}

/// True when nothing that passed once has slipped.
async fn run(arguments: &Arguments) -> Result<bool, String> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = arguments.folder.clone().unwrap_or_else(|| home.join("golden"));
    let mut cases = Case::read_all(&folder)?;
    cases.retain(|case| arguments.only.as_ref().is_none_or(|only| case.name.contains(only.as_str())));
    let record = Record::read(home)?;
    let broker = Broker::start(arguments)?;
    let bootstrap = broker.bootstrap();
    let groups = cases.iter().map(|case| (case.name.clone(), case.group.clone())).collect();
    let mut outcomes = BTreeMap::new();
    let mut running = futures::stream::iter(cases)
        .map(|case| {
            let bootstrap = bootstrap.clone();
            tokio::spawn(async move { (case.name.clone(), golden::run(&case, &bootstrap).await) })
        })
        .buffer_unordered(arguments.jobs);
    while let Some(ended) = running.next().await {
        let (name, outcome) = ended.map_err(|error| format!("a case panicked: {error}"))?;
        let outcome = record.judge(&name, outcome);
        println!("{}", outcome.line(&name));
        outcomes.insert(name, outcome);
    }
    finish(arguments, home, &record, &groups, &outcomes)
}

fn finish(
    arguments: &Arguments,
    home: &Path,
    record: &Record,
    groups: &BTreeMap<String, String>,
    outcomes: &BTreeMap<String, Outcome>,
) -> Result<bool, String> {
    let new = record.newly_passed(outcomes);
    if arguments.keep {
        record.keep(home, &new)?;
    } else if !new.is_empty() && arguments.folder.is_none() {
        println!("{} cases pass that are not held to it yet (--keep): {}", new.len(), new.join(" "));
    }
    let slipped = record.regressions(outcomes);
    if !slipped.is_empty() {
        println!("{} cases passed once and do not now: {}", slipped.len(), slipped.join(" "));
    }
    println!("{}", golden::summary(groups, outcomes));
    Ok(slipped.is_empty())
}
