//! The package `benches/columns`: its benchmark, and the instruction counts that `.ci/run` holds it to.
//!
//! Counts are callgrind's, for one run of each counted case, divided by its rows. They do not depend on what else
//! the machine does, so that a small rise is seen; they do depend on the compiler and on the CPU's instruction set,
//! and are accepted anew when either changes.

use crate::step;
use clap::Args;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

#[derive(Args)]
pub struct CountArguments {
    /// Write the counts of today to the file instead of comparing with it.
    #[arg(long)]
    accept: bool,
    /// Only the cases whose name contains this.
    #[arg(long)]
    only: Option<String>,
}

const FILE: &str = "benches/columns/counts.txt";
/// Most that a count may rise, as a ratio.
const MOST: f64 = 1.05;
/// The function that callgrind counts.
const COUNTED: &str = "millstream_counted";
const HEAD: &str = "\
# Instructions a row by callgrind: case, count. Compared by `cargo xtask count`, written by
# `cargo xtask count --accept`.
";

/// Builds the benchmark with its peers and runs it; its last line is JSON.
pub fn bench(arguments: &[String]) -> Result<(), String> {
    let binary = step::timed("building the benchmark of columns in release (about a minute)", || {
        build("release", &["--locked", "--release"])
    })?;
    let mut command = Command::new(binary);
    command.args(arguments).current_dir(step::root());
    step::timed("benchmark columns", || step::run(command))
}

/// Counts instructions and compares them with the file, or writes it.
pub fn count(arguments: &CountArguments) -> Result<(), String> {
    let version = Command::new("valgrind").arg("--version").output();
    if !version.is_ok_and(|output| output.status.success()) {
        return Err("valgrind is not installed, so instructions cannot be counted; \
                    install it (Debian: apt-get install valgrind)"
            .into());
    }
    let binary = step::timed("building the counted cases", || {
        build("count", &["--locked", "--profile", "count", "--no-default-features"])
    })?;
    let found = step::timed("counting instructions", || counts(&binary, arguments.only.as_deref()))?;
    let path = step::root().join(FILE);
    let mut recorded = read(&std::fs::read_to_string(&path).unwrap_or_default())?;
    if arguments.accept {
        if arguments.only.is_none() {
            recorded.clear();
        }
        recorded.extend(found);
        return std::fs::write(&path, shown(&recorded)).map_err(|error| format!("{FILE}: {error}"));
    }
    if let Some(only) = &arguments.only {
        recorded.retain(|case, _| case.contains(only));
    }
    for (case, count) in &found {
        eprintln!("{case:32} {count:9.1} a row (recorded {:.1})", recorded.get(case).unwrap_or(&0.0));
    }
    let problems = compared(&found, &recorded);
    if problems.is_empty() { Ok(()) } else { Err(format!("instruction counts\n{}", problems.join("\n"))) }
}

fn build(folder: &str, arguments: &[&str]) -> Result<PathBuf, String> {
    let target = step::target_directory()?.join("columns");
    let mut command = step::cargo_command(["build", "--manifest-path"]);
    command.arg(step::root().join("benches/columns/Cargo.toml")).args(arguments);
    command.arg("--target-dir").arg(&target).env_remove("CARGO_TARGET_DIR");
    step::run(command)?;
    Ok(target.join(folder).join("millstream-columns"))
}

/// Instructions a row of each counted case.
fn counts(binary: &PathBuf, only: Option<&str>) -> Result<BTreeMap<String, f64>, String> {
    let mut list = Command::new(binary);
    list.arg("--list-counted");
    let cases = output(list)?.0;
    let mut found = BTreeMap::new();
    for case in cases.lines().filter(|case| only.is_none_or(|only| case.contains(only))) {
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no"])
            .arg(format!("--toggle-collect={COUNTED}"))
            .arg(binary)
            .args(["--count", case]);
        let (rows, report) = output(command)?;
        let rows: f64 = rows.trim().parse().map_err(|_| format!("{case}: printed no number of rows"))?;
        let count = collected(&report).ok_or_else(|| format!("{case}: callgrind's report has no count"))?;
        found.insert(case.to_string(), count / rows);
    }
    Ok(found)
}

/// Instructions in callgrind's report: `==123== Collected : 456`.
fn collected(report: &str) -> Option<f64> {
    let line = report.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(' ').next()?.parse().ok().filter(|count| *count > 0.0)
}

/// What a command printed on its two streams; a bad exit is an error.
fn output(mut command: Command) -> Result<(String, String), String> {
    let output = command.output().map_err(|error| format!("cannot start {command:?}: {error}"))?;
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    if output.status.success() { Ok((out, err)) } else { Err(format!("{command:?} failed:\n{err}")) }
}

fn read(text: &str) -> Result<BTreeMap<String, f64>, String> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines
        .map(|line| {
            let (case, count) = line.split_once(' ').ok_or_else(|| format!("{FILE}: `{line}`"))?;
            let count = count.trim().parse().map_err(|_| format!("{FILE}: `{line}`"))?;
            Ok((case.to_string(), count))
        })
        .collect()
}

fn shown(counts: &BTreeMap<String, f64>) -> String {
    let mut text = String::from(HEAD);
    for (case, count) in counts {
        let _ = writeln!(text, "{case} {count:.1}");
    }
    text
}

/// One line for every case that costs more than it may, or that stands on one side only.
fn compared(found: &BTreeMap<String, f64>, recorded: &BTreeMap<String, f64>) -> Vec<String> {
    let accept = "if that is meant, run `cargo xtask count --accept` and commit the file";
    let mut problems = Vec::new();
    for (case, count) in found {
        match recorded.get(case) {
            None => problems.push(format!("  {case}: {count:.1} a row is not in {FILE}; {accept}")),
            Some(before) if *count > before * MOST => {
                let rise = (count / before - 1.0) * 100.0;
                problems.push(format!(
                    "  {case}: {count:.1} a row, was {before:.1}: a rise of {rise:.1} %, 5 % at most; {accept}"
                ));
            }
            Some(_) => {}
        }
    }
    let gone = recorded.keys().filter(|case| !found.contains_key(*case));
    problems.extend(gone.map(|case| format!("  {case}: it is in {FILE} but not counted any more; {accept}")));
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(text: &str) -> BTreeMap<String, f64> {
        read(text).unwrap()
    }

    #[test]
    fn a_rise_of_more_than_five_percent_is_named_and_smaller_ones_and_falls_pass() {
        let recorded = counts("# head\na 100.0\nb 10.0\nc 7.0\n");
        assert!(compared(&counts("a 105.0\nb 10.4\nc 1.0\n"), &recorded).is_empty());
        let problems = compared(&counts("a 105.1\nb 10.0\nc 7.0\n"), &recorded);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("a: 105.1 a row, was 100.0") && problems[0].contains("--accept"));
    }

    #[test]
    fn cases_on_one_side_only_are_named() {
        let problems = compared(&counts("a 1.0\nb 1.0\n"), &counts("a 1.0\nc 1.0\n"));
        assert_eq!(problems.len(), 2, "{problems:?}");
    }

    #[test]
    fn the_file_reads_back_and_callgrinds_report_is_understood() {
        let written = counts("a 1.5\nb 2.0\n");
        assert_eq!(counts(&shown(&written)), written);
        assert_eq!(collected("==7== Events    : Ir\n==7== Collected : 8192\n"), Some(8192.0));
        assert_eq!(collected("==7== Collected : 0\n"), None);
    }
}
