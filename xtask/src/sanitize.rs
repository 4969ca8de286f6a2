//! `cargo xtask sanitize`: the tests that run the workspace's only unsafe file, `crates/columnar/src/raw.rs`, under
//! AddressSanitizer and under valgrind's memcheck; the sanitizer also watches the decompressors that we did not write.
//!
//! All unit tests of the crate, and those of the codecs, are run by the sanitizer: structured-zstd, whose kernels
//! are unsafe code, is instrumented too. Valgrind is thirty times slower, so it runs those that make unchecked
//! arrays: of the file itself, of the record batch decoder, and of the payload readers and writers.

use std::process::Command;

use clap::Args;

use crate::step;

#[derive(Args)]
pub struct SanitizeArguments {
    /// Only one of them.
    #[arg(value_enum)]
    only: Option<Tool>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Tool {
    Address,
    Valgrind,
}

const PACKAGE: &str = "millstream-columnar";
/// Where the codecs are.
const CODECS: &str = "millstream-protocol";
const HOST: &str = "x86_64-unknown-linux-gnu";
/// Names of the tests that valgrind runs.
const UNCHECKED: [&str; 10] = [
    "raw::",
    "records::",
    "json::reader::",
    "json::writer::",
    "text::",
    "avro::",
    "csv::",
    "framing::",
    "plain::",
    "protobuf::",
];

/// Runs both, or the one asked for.
pub fn run(arguments: &SanitizeArguments) -> Result<(), String> {
    let wanted = |tool| arguments.only.is_none_or(|only| only == tool);
    if wanted(Tool::Address) {
        step::timed("the tests of columnar under AddressSanitizer (nightly)", || address(PACKAGE, ""))?;
        step::timed("the tests of the codecs under AddressSanitizer", || address(CODECS, "codec::"))?;
    }
    if wanted(Tool::Valgrind) {
        step::timed("the tests of unchecked arrays under valgrind", valgrind)?;
    }
    Ok(())
}

/// Runs the unit tests of a package whose names contain `tests`.
fn address(package: &str, tests: &str) -> Result<(), String> {
    let mut command = Command::new("cargo");
    command
        .current_dir(step::root())
        .arg("+nightly")
        // Optimised, it takes minutes to compile with the sanitizer's checks.
        .args(["--config", "profile.dev.package.structured-zstd.opt-level=0"])
        .args(["test", "--package", package, "--lib", "--target", HOST, "--target-dir"])
        .arg(step::target_directory()?.join("sanitize"))
        .args(["--", tests])
        .env("RUSTFLAGS", "-Zsanitizer=address")
        // Makes calls of the checks where they take too long to compile.
        .env("RUSTC_WRAPPER", step::root().join("fuzz/rustc.sh"))
        .env("ASAN_OPTIONS", "detect_stack_use_after_return=1:detect_leaks=1")
        .env_remove("CARGO_TARGET_DIR");
    step::run(command)
}

fn valgrind() -> Result<(), String> {
    let binary = test_binary()?;
    let mut command = Command::new("valgrind");
    command
        .args([
            "--tool=memcheck",
            "--error-exitcode=9",
            "--leak-check=full",
            "--errors-for-leak-kinds=definite",
        ])
        .args(["--show-leak-kinds=definite", "--quiet", "--"])
        .arg(binary)
        .arg("--test-threads=1")
        .args(UNCHECKED);
    step::run(command)
}

/// Builds the unit tests with the stable compiler and returns where they are.
fn test_binary() -> Result<String, String> {
    let arguments =
        ["test", "--package", PACKAGE, "--lib", "--no-run", "--message-format=json-render-diagnostics"];
    let output = step::cargo_command(arguments)
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().rev().find_map(executable_in).ok_or(format!("cargo built no tests of {PACKAGE}"))
}

/// The path of an executable in one of cargo's messages.
fn executable_in(line: &str) -> Option<String> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    message["executable"].as_str().map(str::to_owned)
}
