//! The repository's own commands: `cargo xtask test | demo | golden | bench | fuzz | sanitize | count | kafka`.
//!
//! This package depends on no other package of the workspace: it builds and starts their binaries,
//! so that it compiles in seconds on a machine that has nothing yet.

mod bench;
mod columns;
#[cfg(test)]
mod directions;
mod fuzz;
mod kafka;
mod maven;
#[cfg(test)]
mod purity;
mod sanitize;
mod spark;
mod step;
mod test;
#[cfg(test)]
mod tidy;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Millstream's own repository commands")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run every test: units, golden cases and the suites on the embedded broker and real Apache Kafka.
    Test(test::TestArguments),
    /// Build the command line tool and run its demo (arguments go to `millstream demo`).
    Demo {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run the golden cases of a folder (arguments go to the golden runner).
    Golden {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run a benchmark in release: columns, empty-batch, or on a real local Kafka read, stream, group or latency.
    Bench(bench::BenchArguments),
    /// Count the instructions of the hot loops and fail on a rise of more than 5 % (needs valgrind).
    Count(columns::CountArguments),
    /// Search for inputs that break a decoder (needs a nightly Rust and a C++ compiler).
    Fuzz(fuzz::FuzzArguments),
    /// Run the tests of the one unsafe file under AddressSanitizer (nightly) and valgrind.
    Sanitize(sanitize::SanitizeArguments),
    /// Fetch the jars of the Apache Kafka versions that the tests run against.
    Kafka,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Test(arguments) => test::run(&arguments),
        Command::Demo { arguments } => demo(&arguments),
        Command::Golden { arguments } => test::golden(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Count(arguments) => columns::count(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Sanitize(arguments) => sanitize::run(&arguments),
        Command::Kafka => kafka::fetch_all().map(|_| ()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("cargo xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn demo(arguments: &[String]) -> Result<(), String> {
    // With its test and as part of the whole workspace, so that the dependencies have the features that
    // `cargo xtask test` needs: what the demo built serves the tests too.
    step::timed("building the millstream command (about 5 minutes on two cores the first time)", || {
        step::cargo(["test", "--workspace", "--test", "cli", "--no-run"])
    })?;
    let mut command = step::built_binary("dev", "millstream")?;
    command.arg("demo").args(arguments);
    step::timed("running the demo", || step::run(command))
}
