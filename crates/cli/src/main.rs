//! The `millstream` command: Kafka from the shell, in kcat's vocabulary, and SQL over topics.

mod broker;
mod cat;
mod connection;
mod demo;
mod format;
mod positions;
mod produce;
mod sql;
mod topics;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "millstream",
    version,
    about = "Streaming dataframes for Apache Kafka",
    max_term_width = 110
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the records of a topic.
    Cat(cat::CatArguments),
    /// Write lines of standard input to a topic, a record each.
    Produce(produce::ProduceArguments),
    /// List, describe, create and delete topics.
    Topics(topics::TopicsArguments),
    /// Query topics in Spark's SQL, once or for ever.
    Sql(sql::SqlArguments),
    /// See it work: a broker, a generator and two streaming queries in one process.
    Demo(demo::DemoArguments),
    /// Run the embedded broker, in memory or on disk.
    Broker(broker::BrokerArguments),
}

/// What a command ends with when it fails: the text for the user.
pub(crate) type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("MILLSTREAM_LOG").unwrap_or_else(|_| "warn".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    let outcome = match arguments.command {
        Command::Cat(arguments) => connection::block_on(cat::run(arguments)),
        Command::Produce(arguments) => connection::block_on(produce::run(arguments)),
        Command::Topics(arguments) => connection::block_on(topics::run(arguments)),
        Command::Sql(arguments) => connection::block_on(sql::run(arguments)),
        Command::Demo(arguments) => connection::block_on(demo::run(arguments)),
        Command::Broker(arguments) => connection::block_on(broker::run(arguments)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("millstream: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `millstream cat | head` ends well when `head` has seen enough.
fn is_broken_pipe(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
