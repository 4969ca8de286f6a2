//! One step of a command: say what runs, run it, say how long it took.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

/// Runs `work` between two lines on standard error that name it and its time.
pub fn timed<T>(what: &str, work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    eprintln!("==> {what}");
    let start = Instant::now();
    let outcome = work();
    let seconds = start.elapsed().as_secs_f64();
    match &outcome {
        Ok(_) => eprintln!("<== done in {seconds:.1} s: {what}"),
        Err(_) => eprintln!("<== FAILED after {seconds:.1} s: {what}"),
    }
    outcome
}

/// Runs cargo with these arguments in the workspace.
pub fn cargo<I, S>(arguments: I) -> Result<(), String>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    run(cargo_command(arguments))
}

/// A cargo invocation at the workspace root, to which the caller may add variables.
pub fn cargo_command<I, S>(arguments: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(arguments);
    command
}

/// Runs a command to its end; a bad exit is an error that shows the command line.
pub fn run(mut command: Command) -> Result<(), String> {
    let shown = shown(&command);
    let status = command.status().map_err(|error| format!("cannot start `{shown}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{shown}` ended with {status}")) }
}

/// The command line as one would type it.
fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// The workspace's root folder. Cargo names it when it runs us, which counts before the folder that this was compiled
/// in: a target folder that two clones share may hold the other clone's build.
pub fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let here = PathBuf::from(here);
    here.parent().map_or(here.clone(), PathBuf::from)
}

/// Where cargo puts what it builds, as cargo itself says.
pub fn target_directory() -> Result<PathBuf, String> {
    let output = cargo_command(["metadata", "--no-deps", "--format-version", "1"])
        .output()
        .map_err(|error| format!("cannot run cargo metadata: {error}"))?;
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata printed no JSON: {error}"))?;
    metadata["target_directory"]
        .as_str()
        .map(PathBuf::from)
        .ok_or("cargo metadata names no target folder".into())
}

/// A command for a binary that was built in `profile` (`dev` or `release`).
pub fn built_binary(profile: &str, name: &str) -> Result<Command, String> {
    let folder = if profile == "dev" { "debug" } else { profile };
    let path = target_directory()?.join(folder).join(name);
    if !path.exists() {
        return Err(format!("{} is not built; build it with `cargo build` first", path.display()));
    }
    let mut command = Command::new(path);
    command.current_dir(root());
    Ok(command)
}
