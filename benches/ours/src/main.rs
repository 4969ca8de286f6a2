//! Our benchmarks, run by `cargo xtask bench NAME`: ratios in one run on one machine, medians of interleaved runs,
//! results verified outside the clock, one JSON line at the end.

#[path = "../../contender.rs"]
mod contender;
mod empty_batch;
mod floor;
mod group;
mod latency;
mod medians;
mod orders;
mod ours;
mod read;
mod stream;
mod topic_sum;

use clap::{Parser, Subcommand};
use contender::{Task, report};
use std::process::ExitCode;

/// The jobs that Spark runs beside us.
const SPARK_JOBS: &str = include_str!("spark_jobs.py");

#[derive(Parser)]
#[command(about = "Millstream's benchmarks")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read 3 million orders from a real Kafka into Arrow: ours, the floor, librdkafka and rskafka.
    Read(read::ReadArguments),
    /// Work off 3 million orders from Kafka through from_json, a filter and to_json into Kafka.
    Stream(stream::StreamArguments),
    /// Group 3 million orders in a batch read through from_json.
    Group(group::GroupArguments),
    /// What a batch without rows costs for each checkpoint.sync.
    EmptyBatch(empty_batch::EmptyBatchArguments),
    /// Latency of a thousand records a second, producer to consumer.
    Latency(latency::LatencyArguments),
    /// One contender in a process of its own: the engine's scan.
    Ours(Task),
    /// One contender in a process of its own: fetch and discard.
    Floor(Task),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Read(arguments) => read::run(&arguments),
        Command::Stream(arguments) => stream::run(&arguments),
        Command::Group(arguments) => group::run(&arguments),
        Command::EmptyBatch(arguments) => empty_batch::run(&arguments),
        Command::Latency(arguments) => latency::run(&arguments),
        Command::Ours(task) => report(|tally| ours::read(&task, tally)),
        Command::Floor(task) => report(|tally| floor::read(&task, tally)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}
