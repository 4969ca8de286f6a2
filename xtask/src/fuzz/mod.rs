//! `cargo xtask fuzz`: searches for inputs that make a decoder panic, run out of memory or time; and the replay of the
//! inputs that are kept in the repository.
//!
//! The search needs a nightly Rust and a C++ compiler (for libFuzzer); the replay needs neither. The targets are
//! built with AddressSanitizer and every check of a debug build, and searched one after another, each for its share
//! of the seconds. What a search finds out about the code grows in `fuzz/target/corpus`; `--keep` adds what is new
//! there to `fuzz/corpus`, the smallest inputs only. Inputs that fail lie in `fuzz/artifacts`, and as long as one
//! lies there the command fails.

mod found;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::Args;

use self::found::{Found, follow};
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
/// A target that fails as often is not searched on: the same fault is found again and again.
const MOST_FAILURES: usize = 20;
/// Bytes of an input that `--keep` takes, and of a target's corpus that it adds to.
const KEPT_BYTES: u64 = 2 << 10;
const CORPUS_BYTES: u64 = 160 << 10;
/// Inputs of a target's corpus that `--keep` adds to.
const CORPUS_INPUTS: usize = 600;
const HOST: &str = "x86_64-unknown-linux-gnu";

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
    let time = Duration::from_secs(arguments.seconds) / chosen.len() as u32;
    let mut table = Vec::new();
    for (number, target) in (1..).zip(&chosen) {
        let what = format!("target {number} of {}: {target} for {} s", chosen.len(), time.as_secs());
        let mut found = step::timed(&what, || search(target, time))?;
        if arguments.keep {
            found.kept = step::timed(&format!("keeping what {target} found"), || keep(target))?;
        }
        table.push(found);
    }
    println!("{}", found::shown(&table));
    match table.iter().map(|found| found.failing).sum() {
        0 => Ok(()),
        failing => Err(format!(
            "{failing} inputs in {} fail: fix the code, add a test to its crate, move the input to fuzz/corpus",
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

fn binary(target: &str) -> PathBuf {
    built().join(HOST).join("release").join(target)
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
    let mut command = Command::new(binary(target));
    command
        .current_dir(step::root())
        .arg(format!("-rss_limit_mb={PROCESS_MIB}"))
        .arg(format!("-malloc_limit_mb={ALLOCATION_MIB}"))
        .arg(format!("-timeout={INPUT_SECONDS}"))
        // Above the limit of time, so that it never speaks.
        .arg(format!("-report_slow_units={}", 2 * INPUT_SECONDS))
        .arg(format!("-max_len={INPUT_BYTES}"))
        .env("ASAN_OPTIONS", "detect_leaks=0:detect_odr_violation=0");
    command
}

/// Searches until the time is over. An input that fails ends libFuzzer's process: then it is started again.
fn search(target: &str, time: Duration) -> Result<Found, String> {
    let (grown, artifacts) = (grown(target), artifacts(target));
    for folder in [&grown, &artifacts, &kept(target)] {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    dismiss(target, &["crash-", "leak-", "oom-", "timeout-"])?;
    let files = count(&grown);
    let mut found = Found::new(target);
    let start = Instant::now();
    for _ in 0..MOST_FAILURES {
        let left = time.saturating_sub(start.elapsed());
        if left < Duration::from_secs(1) {
            break;
        }
        let mut command = limited(target);
        command
            .args(["-print_final_stats=1", "-reload=0"])
            .arg(format!("-max_total_time={}", left.as_secs()))
            .arg(format!("-artifact_prefix={}/", artifacts.display()))
            .arg(&grown)
            .arg(kept(target))
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("cannot start {target}: {error}"))?;
        let lines = child.stderr.take().ok_or("libFuzzer has no standard error")?;
        found.add(&follow(lines));
        let status = child.wait().map_err(|error| format!("cannot wait for {target}: {error}"))?;
        if !status.success() && count(&artifacts) == 0 {
            return Err(format!(
                "{target} ended with {status} and left no input that fails; see the lines above"
            ));
        }
    }
    // A machine that is loaded by others can make anything slow.
    dismiss(target, &["timeout-"])?;
    found.new_files = count(&grown).saturating_sub(files);
    found.failing = count(&artifacts);
    Ok(found)
}

/// Removes the inputs of these kinds that pass when they are run alone: of an earlier search because they were
/// fixed, of this one because it was not theirs.
fn dismiss(target: &str, kinds: &[&str]) -> Result<(), String> {
    for File { path, name, .. } in files(&artifacts(target)) {
        let name = name.to_string_lossy();
        let mut alone = limited(target);
        alone.arg(&path).stdout(Stdio::null()).stderr(Stdio::null());
        let mut passes = || alone.status().is_ok_and(|status| status.success());
        if kinds.iter().any(|kind| name.starts_with(kind)) && passes() {
            eprintln!("{name} passes when it is run alone and is dropped");
            fs::remove_file(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        }
    }
    Ok(())
}

/// Adds the smallest inputs that reach code which the repository's corpus does not reach, and tells how many.
fn keep(target: &str) -> Result<usize, String> {
    let (merged, kept) = (built().join("merged").join(target), kept(target));
    let failed = |error: std::io::Error| format!("keeping inputs of {target}: {error}");
    // What was left of an interrupted run.
    let _ = fs::remove_dir_all(&merged);
    fs::create_dir_all(&merged).map_err(failed)?;
    for file in files(&kept) {
        fs::copy(&file.path, merged.join(&file.name)).map_err(failed)?;
    }
    let mut command = limited(target);
    let most = format!("-max_len={KEPT_BYTES}");
    command.args(["-merge=1", &most]).arg(&merged).arg(grown(target)).stderr(Stdio::null());
    step::run(command)?;
    let before = files(&kept);
    let mut room = CORPUS_BYTES.saturating_sub(before.iter().map(|file| file.bytes).sum());
    let places = CORPUS_INPUTS.saturating_sub(before.len());
    let mut added = 0;
    let mut news: Vec<File> =
        files(&merged).into_iter().filter(|file| !kept.join(&file.name).exists()).collect();
    news.sort_by_key(|file| file.bytes);
    for file in news.into_iter().take(places) {
        if file.bytes > room {
            break;
        }
        fs::copy(&file.path, kept.join(&file.name)).map_err(failed)?;
        (room, added) = (room - file.bytes, added + 1);
    }
    Ok(added)
}

struct File {
    path: PathBuf,
    name: std::ffi::OsString,
    bytes: u64,
}

/// The files of a folder, none if it is not there.
fn files(folder: &Path) -> Vec<File> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let file = |entry: fs::DirEntry| {
        Some(File { path: entry.path(), name: entry.file_name(), bytes: entry.metadata().ok()?.len() })
    };
    entries.flatten().filter_map(file).collect()
}

fn count(folder: &Path) -> usize {
    files(folder).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_its_corpus() {
        for target in targets().unwrap() {
            assert!(count(&kept(&target)) > 0, "{target} has no corpus");
        }
    }
}
