//! `bench read`: every contender in a process of its own, interleaved, on one real local Kafka.

use crate::contender::cpu_seconds;
use crate::medians::{Figures, rounded};
use crate::orders::{self, Topic};
use clap::Args;
use millstream::client::Compression;
use millstream_integration::real_kafka::RealKafka;
use serde_json::{Map, Value, json};
use std::path::PathBuf;
use std::process::Command;

#[derive(Args)]
pub struct ReadArguments {
    /// Orders in each topic.
    #[arg(long, default_value_t = 3_000_000)]
    rows: u64,
    /// Timed runs of each contender in each case.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only these cases: none, lz4, zstd, small.
    #[arg(long, value_delimiter = ',')]
    cases: Vec<String>,
    /// The other clients' binary; ours and the floor alone are measured without it.
    #[arg(long)]
    compare: Option<PathBuf>,
}

const PARTITIONS: i32 = 4;
const CONTENDERS: [&str; 4] = ["ours", "floor", "librdkafka", "rskafka"];
/// About a thousand orders: what a busy producer's batches hold.
const LARGE_BATCH: usize = 150_000;
const SMALL_BATCH: usize = 16 << 10;

/// Fills the topics, verifies every contender once, then times them by turns.
pub fn run(arguments: &ReadArguments) -> Result<(), String> {
    let kafka = RealKafka::start("4.3.1", &[])?;
    let cases = [
        ("none", Compression::None, LARGE_BATCH),
        ("lz4", Compression::Lz4, LARGE_BATCH),
        ("zstd", Compression::Zstd, LARGE_BATCH),
        ("small", Compression::None, SMALL_BATCH),
    ];
    let mut line = Map::new();
    for (case, compression, batch_bytes) in cases {
        if !arguments.cases.is_empty() && !arguments.cases.iter().any(|wanted| wanted == case) {
            continue;
        }
        let name = format!("orders-{case}");
        let topic =
            Topic { name: &name, partitions: PARTITIONS, rows: arguments.rows, compression, batch_bytes };
        eprintln!("{case}: writing {} orders", arguments.rows);
        let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
        runtime.block_on(orders::fill(&kafka.bootstrap(), &topic))?;
        drop(runtime);
        measure(arguments, &kafka, case, &name, &mut line)?;
    }
    println!("{}", Value::Object(line));
    Ok(())
}

fn measure(
    arguments: &ReadArguments,
    kafka: &RealKafka,
    case: &str,
    topic: &str,
    line: &mut Map<String, Value>,
) -> Result<(), String> {
    let contenders: Vec<&str> =
        CONTENDERS.into_iter().filter(|name| is_ours(name) || arguments.compare.is_some()).collect();
    verify(arguments, kafka, topic, &contenders)?;
    let mut figures = Figures::default();
    for round in 1..=arguments.rounds {
        for contender in &contenders {
            let broker = kafka.process_id().map(|id| id.to_string()).unwrap_or_default();
            let before = cpu_seconds(&broker);
            let result = start(arguments, kafka, contender, topic, false)?;
            let rows_per_s =
                result["rows"].as_f64().unwrap_or_default() / result["seconds"].as_f64().unwrap_or(1.0);
            figures.add(contender, "rows_per_s", rows_per_s);
            figures.add(contender, "cpu_s", result["cpu_seconds"].as_f64().unwrap_or_default());
            figures.add(contender, "broker_cpu_s", cpu_seconds(&broker) - before);
            figures.add(contender, "peak_mib", result["peak_mib"].as_f64().unwrap_or_default());
            eprintln!("{case} round {round}: {contender} {:.2} M rows/s", rows_per_s / 1e6);
        }
    }
    for contender in &contenders {
        for figure in ["rows_per_s", "cpu_s", "broker_cpu_s", "peak_mib"] {
            let key = format!("read.{case}.{contender}.{figure}");
            line.insert(key, json!(rounded(figures.median(contender, figure))));
        }
        if *contender != "ours" {
            let ratio = figures.median("ours", "rows_per_s") / figures.median(contender, "rows_per_s");
            line.insert(format!("read.{case}.ratio.{contender}"), json!(rounded(ratio)));
        }
    }
    Ok(())
}

/// All contenders but the floor, which decodes nothing, must see the same values; the floor the same count.
fn verify(
    arguments: &ReadArguments,
    kafka: &RealKafka,
    topic: &str,
    contenders: &[&str],
) -> Result<(), String> {
    let mut checksum: Option<Value> = None;
    for contender in contenders {
        let result = start(arguments, kafka, contender, topic, true)?;
        if result["rows"].as_u64() != Some(arguments.rows) {
            return Err(format!("{contender} saw {} of {} rows", result["rows"], arguments.rows));
        }
        if *contender == "floor" {
            continue;
        }
        let first = checksum.get_or_insert_with(|| result["checksum"].clone());
        if *first != result["checksum"] {
            return Err(format!(
                "{contender} saw other values: checksum {} is not {first}",
                result["checksum"]
            ));
        }
    }
    Ok(())
}

fn is_ours(contender: &str) -> bool {
    matches!(contender, "ours" | "floor")
}

fn start(
    arguments: &ReadArguments,
    kafka: &RealKafka,
    contender: &str,
    topic: &str,
    verify: bool,
) -> Result<Value, String> {
    let binary = match &arguments.compare {
        Some(compare) if !is_ours(contender) => compare.clone(),
        _ => std::env::current_exe().map_err(|error| error.to_string())?,
    };
    let mut command = Command::new(binary);
    command.args([contender, "--bootstrap", &kafka.bootstrap(), "--topic", topic]);
    command.args(["--partitions", &PARTITIONS.to_string(), "--rows", &arguments.rows.to_string()]);
    if verify {
        command.arg("--verify");
    }
    let output = command.output().map_err(|error| format!("cannot start {contender}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        return Err(format!("{contender} failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).map_err(|error| format!("{contender} printed no JSON: {error}: {text}"))
}
