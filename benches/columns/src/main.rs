//! `cargo xtask bench columns`: bytes to columns and back, on one core, beside other crates.
//!
//! A group of cases is a file with a `CASES` table. A case prepares its input, compares every contender's result
//! with an obvious twin, and only then hands its contenders to the clock. The last line is JSON (DESIGN of keys:
//! `columns.<case>.{ours,<peer>}.rows_per_s`, `columns.<case>.ratio.<peer>`).
//!
//! `--count CASE` is for callgrind: it runs ours once inside [`millstream_counted`], see `cargo xtask count`.

mod avro;
mod case;
mod codecs;
mod csv;
mod json;
#[path = "../../../crates/columnar/src/json/twin.rs"]
mod json_twin;
mod measure;
mod protobuf;
mod records;
#[path = "../../../crates/columnar/src/records/tests/twin.rs"]
mod twin;

use case::Case;
use std::process::ExitCode;

/// Every group's cases.
fn cases() -> impl Iterator<Item = &'static Case> {
    [records::CASES, codecs::CASES, json::CASES, avro::CASES, csv::CASES, protobuf::CASES]
        .into_iter()
        .flatten()
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        [] => measure::all(cases(), 5),
        ["--rounds", rounds] => {
            rounds.parse().map_err(|_| USAGE.into()).and_then(|rounds| measure::all(cases(), rounds))
        }
        ["--only", only] => measure::all(cases().filter(|case| case.name.contains(only)), 5),
        ["--list-counted"] => list_counted(),
        ["--count", name] => count(name),
        _ => Err(USAGE.into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("columns: {problem}");
            ExitCode::FAILURE
        }
    }
}

const USAGE: &str = "arguments: nothing, --only PART_OF_A_NAME, --rounds N, --list-counted, or --count CASE";

/// Prints the names of what is counted: a case for ours, `case.contender` for what else is built without peers.
fn list_counted() -> Result<(), String> {
    for case in cases().filter(|case| case.is_counted) {
        for contender in (case.prepare)()?.contenders {
            println!("{}", counted_name(case, contender.name));
        }
    }
    Ok(())
}

fn counted_name(case: &Case, contender: &str) -> String {
    if contender == "ours" { case.name.into() } else { format!("{}.{contender}", case.name) }
}

/// Runs a contender once to warm up, once to be counted, and prints the rows that it made.
fn count(name: &str) -> Result<(), String> {
    let unknown = || format!("nothing counted is called {name}");
    let case = cases().find(|case| name.split('.').next() == Some(case.name)).ok_or_else(unknown)?;
    let mut prepared = (case.prepare)()?;
    let mut contenders = prepared.contenders.iter_mut();
    let counted = contenders.find(|contender| counted_name(case, contender.name) == name);
    let counted = counted.ok_or_else(unknown)?;
    (counted.run)();
    millstream_counted(&mut counted.run);
    println!("{}", prepared.rows);
    Ok(())
}

/// What callgrind counts: it is told this name.
#[inline(never)]
#[unsafe(no_mangle)]
fn millstream_counted(run: &mut dyn FnMut()) {
    run();
}
