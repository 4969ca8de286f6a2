//! `cargo xtask fuzz`: searches for inputs that make a decoder panic, run out of memory or time; and the replay of the
//! inputs that are kept in the repository.
//!
//! The search needs a nightly Rust and a C++ compiler (for libFuzzer); the replay needs neither. The targets are
//! built with AddressSanitizer and every check of a debug build. What a search finds out about the code grows in
//! `fuzz/target/corpus`; `--keep` adds what is new there to `fuzz/corpus`, the smallest inputs only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;

use crate::step;

#[derive(Args)]
pub struct FuzzArguments {
    /// One target; without it all of them, one after another.
    target: Option<String>,
    /// Seconds of search, shared by the targets.
    #[arg(long, default_value_t = 3600)]
    seconds: u64,
    /// Add the smallest inputs that reach new code to the repository's corpora.
    #[arg(long)]
    keep: bool,
}

/// Most bytes of an input.
const INPUT_BYTES: u64 = 16 << 10;
/// An input that takes this long is a finding. The machine may be loaded, so it is far above what any should take.
const INPUT_SECONDS: u64 = 20;
/// Memory of the process, and of one allocation, in MiB: above is a finding.
const PROCESS_MIB: u64 = 1536;
const ALLOCATION_MIB: u64 = 600;
const HOST: &str = "x86_64-unknown-linux-gnu";

/// What a search of one target came to.
struct Found {
    target: String,
    executions: u64,
    new_files: usize,
    crashes: usize,
}

/// Builds the targets and searches.
pub fn run(arguments: &FuzzArguments) -> Result<(), String> {
    nightly()?;
    let all = targets()?;
    let chosen = match &arguments.target {
        Some(target) if all.contains(target) => vec![target.clone()],
        Some(target) => return Err(format!("there is no target {target}; there are {}", all.join(", "))),
        None => all,
    };
    step::timed("building the fuzz targets with AddressSanitizer (nightly)", build)?;
    let seconds = (arguments.seconds / chosen.len() as u64).max(1);
    let mut found = Vec::new();
    for target in chosen {
        found.push(step::timed(&format!("searching {target} for {seconds} s"), || search(&target, seconds))?);
        if arguments.keep {
            step::timed(&format!("keeping what {target} found"), || keep(&target))?;
        }
    }
    println!("{:16} {:>12} {:>10} {:>8}", "target", "executions", "new files", "crashes");
    for Found { target, executions, new_files, crashes } in &found {
        println!("{target:16} {executions:>12} {new_files:>10} {crashes:>8}");
    }
    match found.iter().map(|found| found.crashes).sum() {
        0 => Ok(()),
        crashes => Err(format!(
            "{crashes} inputs in {} fail: fix the code, add a test to its crate, move the input to fuzz/corpus",
            artifacts("*").display()
        )),
    }
}

/// Runs every kept input once, with the stable compiler.
pub fn replay() -> Result<(), String> {
    step::timed("replaying the fuzz corpora", || {
        let manifest = step::root().join("fuzz/Cargo.toml");
        let mut command = step::cargo_command(["test", "--quiet", "--manifest-path"]);
        command.arg(manifest).arg("--target-dir").arg(step::target_directory()?);
        step::run(command)
    })
}

fn nightly() -> Result<(), String> {
    let answers = |program: &str, argument: &str| {
        let mut command = Command::new(program);
        command.arg(argument).arg("--version").stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    if answers("cargo", "+nightly") {
        return Ok(());
    }
    Err("a nightly Rust is needed: rustup toolchain install nightly --profile minimal".into())
}

/// The targets, by their binaries' sources.
fn targets() -> Result<Vec<String>, String> {
    let folder = step::root().join("fuzz/fuzz_targets");
    let entries = fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let stem = |path: PathBuf| Some(path.file_stem()?.to_str()?.to_owned());
    let mut targets: Vec<String> = entries.flatten().filter_map(|entry| stem(entry.path())).collect();
    targets.sort();
    Ok(targets)
}

fn build() -> Result<(), String> {
    // What cargo-fuzz passes: coverage counters and comparisons for libFuzzer.
    let flags = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                 -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
                 -Zsanitizer=address -Ccodegen-units=1";
    let mut command = Command::new("cargo");
    command
        .args(["+nightly", "build", "--release", "--features", "libfuzzer", "--bins", "--target", HOST])
        .arg("--manifest-path")
        .arg(step::root().join("fuzz/Cargo.toml"))
        .env("RUSTFLAGS", flags)
        .env("RUSTC_WRAPPER", step::root().join("fuzz/rustc.sh"))
        .env_remove("CARGO_TARGET_DIR");
    step::run(command)
}

/// Where binaries and what a search collects lie: the package's own target folder.
fn built() -> PathBuf {
    step::root().join("fuzz/target")
}

fn artifacts(target: &str) -> PathBuf {
    step::root().join("fuzz/artifacts").join(target)
}

fn kept(target: &str) -> PathBuf {
    step::root().join("fuzz/corpus").join(target)
}

fn grown(target: &str) -> PathBuf {
    built().join("corpus").join(target)
}

/// The target's binary with the limits that every run has.
fn limited(target: &str) -> Command {
    let mut command = Command::new(built().join(HOST).join("release").join(target));
    command
        .current_dir(step::root())
        .arg(format!("-rss_limit_mb={PROCESS_MIB}"))
        .arg(format!("-malloc_limit_mb={ALLOCATION_MIB}"))
        .arg(format!("-timeout={INPUT_SECONDS}"))
        .arg(format!("-max_len={INPUT_BYTES}"))
        .env("ASAN_OPTIONS", "detect_leaks=0:detect_odr_violation=0");
    command
}

/// Searches until the time is over, going on behind crashes, and counts.
fn search(target: &str, seconds: u64) -> Result<Found, String> {
    let (grown, artifacts) = (grown(target), artifacts(target));
    for folder in [&grown, &artifacts, &kept(target)] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let (files, crashes) = (count(&grown), count(&artifacts));
    let mut command = limited(target);
    // In a child, so that a crash does not end the search.
    command
        .args([
            "-fork=1",
            "-ignore_crashes=1",
            "-ignore_ooms=1",
            "-ignore_timeouts=1",
            "-print_final_stats=1",
        ])
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(&grown)
        .arg(kept(target))
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot start {target}: {error}"))?;
    let executions = follow(&mut child);
    child.wait().map_err(|error| format!("cannot wait for {target}: {error}"))?;
    Ok(Found {
        target: target.to_owned(),
        executions,
        new_files: count(&grown).saturating_sub(files),
        crashes: count(&artifacts).saturating_sub(crashes),
    })
}

/// Passes libFuzzer's lines on and picks the number of executions out of the last one that tells it.
fn follow(child: &mut std::process::Child) -> u64 {
    use std::io::{BufRead, BufReader};
    let Some(lines) = child.stderr.take() else { return 0 };
    let mut executions = 0;
    for line in BufReader::new(lines).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        executions = executions_in(&line).unwrap_or(executions);
        eprintln!("{line}");
    }
    executions
}

/// `#1234: cov: 1 ft: 2 ...`, as the parent of the forks prints it.
fn executions_in(line: &str) -> Option<u64> {
    line.strip_prefix('#')?.split_once(':')?.0.trim().parse().ok()
}

/// Adds the smallest inputs that reach code which the repository's corpus does not reach.
fn keep(target: &str) -> Result<(), String> {
    let mut command = limited(target);
    command.args(["-merge=1", "-max_len=4096"]).arg(kept(target)).arg(grown(target)).stderr(Stdio::null());
    step::run(command)
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, |entries| entries.flatten().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_are_read_from_the_lines_of_the_parent_only() {
        assert_eq!(executions_in("#1234: cov: 17 ft: 20 corp: 3 exec/s 5"), Some(1234));
        assert_eq!(executions_in("INFO: Seed: 12"), None);
        assert_eq!(executions_in("#12 NEW cov: 17"), None);
    }

    #[test]
    fn every_target_has_its_corpus() {
        for target in targets().unwrap() {
            assert!(count(&kept(&target)) > 0, "{target} has no corpus");
        }
    }
}
