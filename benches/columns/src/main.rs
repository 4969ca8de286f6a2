//! `cargo xtask bench columns`: bytes to columns and back, on one core, beside other crates.
//!
//! A group of cases is a file with a `CASES` table. A case prepares its input, compares every contender's result
//! with an obvious twin, and only then hands its contenders to the clock. The last line is JSON (DESIGN of keys:
//! `columns.<case>.{ours,<peer>}.rows_per_s`, `columns.<case>.ratio.<peer>`).
//!
//! `--count CASE` is for callgrind: it runs ours once inside [`counted`], see `cargo xtask count`.

mod case;
mod codecs;
mod measure;
mod records;
#[path = "../../../crates/columnar/src/records/tests/twin.rs"]
mod twin;

use case::Case;
use std::process::ExitCode;

/// Every group's cases.
fn cases() -> impl Iterator<Item = &'static Case> {
    [records::CASES, codecs::CASES].into_iter().flatten()
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
        ["--list-counted"] => {
            cases().filter(|case| case.is_counted).for_each(|case| println!("{}", case.name));
            Ok(())
        }
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

/// Runs ours once to warm up, once to be counted, and prints the rows that it made.
fn count(name: &str) -> Result<(), String> {
    let case = cases().find(|case| case.name == name).ok_or_else(|| format!("there is no case {name}"))?;
    let mut prepared = (case.prepare)()?;
    let ours = prepared.contenders.first_mut().ok_or("a case has ours as its first contender")?;
    (ours.run)();
    counted(&mut ours.run);
    println!("{}", prepared.rows);
    Ok(())
}

/// What callgrind counts: it is told this name.
#[inline(never)]
#[unsafe(no_mangle)]
fn millstream_counted(run: &mut dyn FnMut()) {
    run();
}

use millstream_counted as counted;
