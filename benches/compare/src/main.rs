//! Other clients reading the same topic into the same Arrow columns: key, value, topic, partition, offset, timestamp.

mod columns;
#[path = "../../contender.rs"]
mod contender;
mod librdkafka;
mod rskafka_reader;

use clap::{Parser, Subcommand};
use contender::{Task, report};

#[derive(Parser)]
#[command(about = "Reads a topic with another client into Arrow and prints one JSON line")]
struct Arguments {
    #[command(subcommand)]
    client: Client,
}

#[derive(Subcommand)]
enum Client {
    /// librdkafka (rdkafka's BaseConsumer) into Arrow builders.
    Librdkafka(Task),
    /// rskafka into Arrow builders.
    Rskafka(Task),
}

fn main() -> std::process::ExitCode {
    let outcome = match Arguments::parse().client {
        Client::Librdkafka(task) => report(|tally| librdkafka::read(&task, tally)),
        Client::Rskafka(task) => report(|tally| rskafka_reader::read(&task, tally)),
    };
    match outcome {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            std::process::ExitCode::FAILURE
        }
    }
}
