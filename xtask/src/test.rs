//! `cargo xtask test`: everything that must pass, in the order in which it fails fastest.

use crate::{fuzz, kafka, spark, step};
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Args)]
pub struct TestArguments {
    /// Fail where Java or Maven is missing instead of leaving the real-Kafka suites out.
    #[arg(long, env = "MILLSTREAM_REQUIRE_KAFKA", value_parser = clap::builder::FalseyValueParser::new())]
    require_kafka: bool,
}

/// Units, integration suites, fuzz corpora and golden cases; real Kafka wherever Java and Maven are, Spark where
/// pyspark is.
pub fn run(arguments: &TestArguments) -> Result<(), String> {
    let jars = kafka_jars(arguments.require_kafka)?;
    step::timed("building every test in dev (5-10 minutes on two cores the first time)", || {
        step::cargo(["test", "--workspace", "--no-run"])
    })?;
    step::timed("unit tests, documentation tests and the integration suites", || {
        let mut command = step::cargo_command(["test", "--workspace"]);
        if let Some(jars) = &jars {
            command.env(kafka::FOLDER_VARIABLE, jars);
        }
        if let Some(connector) = spark::connector() {
            command.env(spark::FOLDER_VARIABLE, connector);
        }
        step::run(command)
    })?;
    fuzz::replay()?;
    // The runner was built with the tests; building it alone would choose other features and build DataFusion again.
    run_golden(&[], jars.as_deref())?;
    run_golden(&[RECORDED.into()], jars.as_deref())?;
    match &jars {
        Some(jars) => run_golden(&["--kafka".into(), kafka::VERSIONS[0].into()], Some(jars)),
        None => Ok(()),
    }
}

/// Cases that were recorded for this project, beside the golden ones.
const RECORDED: &str = "integration/recorded";

fn kafka_jars(required: bool) -> Result<Option<PathBuf>, String> {
    if kafka::available() {
        return kafka::fetch_all().map(Some);
    }
    if required {
        return Err(
            "java or mvn is missing and the real-Kafka suites are required: install a JDK 17 and Maven"
                .into(),
        );
    }
    eprintln!("!!! java or mvn is missing: EVERY SUITE ON REAL APACHE KAFKA IS LEFT OUT.");
    eprintln!("!!! Install a JDK 17 and Maven to run them; the embedded broker's suites run now.");
    Ok(None)
}

/// Runs the golden cases; without arguments those of the repository against the embedded broker, with
/// `--kafka 4.3.1` against an Apache Kafka of its own.
pub fn golden(arguments: &[String]) -> Result<(), String> {
    step::timed("building the golden runner", || step::cargo(["test", "--workspace", "--no-run"]))?;
    let jars = if kafka::available() { Some(kafka::fetch_all()?) } else { None };
    run_golden(arguments, jars.as_deref())
}

fn run_golden(arguments: &[String], jars: Option<&Path>) -> Result<(), String> {
    let mut command = step::built_binary("dev", "golden")?;
    command.args(arguments);
    if let Some(jars) = jars {
        command.env(kafka::FOLDER_VARIABLE, jars);
    }
    step::timed(&format!("golden cases {}", arguments.join(" ")), || step::run(command))
}
