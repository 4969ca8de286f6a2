//! `cargo xtask bench NAME`: builds in release and starts the benchmark with Kafka's jars at hand.

use crate::{columns, kafka, spark, step};
use clap::Args;

#[derive(Args)]
pub struct BenchArguments {
    /// columns, read, stream, group, latency or empty-batch.
    name: String,
    /// Arguments of the benchmark itself.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds our benchmark (and the other clients' for `read`), then runs the named one; its last line is JSON.
pub fn run(arguments: &BenchArguments) -> Result<(), String> {
    if arguments.name == "columns" {
        return columns::bench(&arguments.arguments);
    }
    let jars = kafka::fetch_all()?;
    step::timed("building our benchmarks in release (about 20 minutes on two cores the first time)", || {
        step::cargo(["build", "--release", "--package", "millstream-benches", "--package", "millstream-cli"])
    })?;
    let mut command = step::built_binary("release", "millstream-benches")?;
    command.arg(&arguments.name).args(&arguments.arguments).env(kafka::FOLDER_VARIABLE, jars);
    if let Some(connector) = spark::connector() {
        command.env(spark::FOLDER_VARIABLE, connector);
    }
    if arguments.name == "read" {
        build_the_other_clients()?;
        let compare = step::root().join("benches/compare/target/release/millstream-compare");
        command.arg("--compare").arg(compare);
    }
    step::timed(&format!("benchmark {}", arguments.name), || step::run(command))
}

fn build_the_other_clients() -> Result<(), String> {
    step::timed("building the other clients (own lock file; needs a C++ compiler for librdkafka)", || {
        let manifest = step::root().join("benches/compare/Cargo.toml");
        let mut command = step::cargo_command(["build", "--release", "--manifest-path"]);
        // Its own target folder: a shared one would be built by turns with other features.
        command.arg(manifest).env_remove("CARGO_TARGET_DIR");
        step::run(command)
    })
}
