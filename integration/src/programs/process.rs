//! An example as a process: started, fed by standard input, watched by its progress log, stopped or killed.

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What the interactive programs write to standard error when they wait for Enter.
const PROMPT: &str = "press enter to read again";

/// A running example.
pub struct Program {
    child: Child,
    stdout: Captured,
    stderr: Captured,
    progress: PathBuf,
    prompts: usize,
    killed: bool,
}

/// What an example left behind.
pub struct Ended {
    /// Its standard output.
    pub stdout: String,
    /// Its standard error output.
    pub stderr: String,
    /// Its progress reports, in order.
    pub progress: Vec<Value>,
    /// How it ended.
    pub status: ExitStatus,
}

struct Captured {
    text: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Captured {
    fn new(mut stream: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(Vec::new()));
        let shared = text.clone();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count) = stream.read(&mut buffer) {
                if count == 0 {
                    break;
                }
                shared.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..count]);
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    fn finish(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        self.text()
    }
}

/// Where cargo puts the examples: beside the folder of the test binary.
fn example_path(example: &str) -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let profile = own.parent().and_then(Path::parent).ok_or("the test binary lies in no target folder")?;
    let path = profile.join("examples").join(example);
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{} is not built; run `cargo build --package millstream --examples`", path.display()))
    }
}

impl Program {
    /// Starts an example in `work`, with the settings of the recorded runs.
    pub fn start(
        example: &str,
        bootstrap: &str,
        work: &Path,
        run: usize,
        environment: &[(&str, &str)],
    ) -> Result<Self, String> {
        let settings = "spark.sql.streaming.pollingDelay=500;spark.sql.shuffle.partitions=2;\
                        spark.sql.session.timeZone=UTC";
        Self::start_in(example, bootstrap, work, run, settings, environment)
    }

    /// Starts an example in `work` with session settings (`name=value;name=value`).
    pub fn start_with(
        example: &str,
        bootstrap: &str,
        work: &Path,
        run: usize,
        settings: &str,
    ) -> Result<Self, String> {
        Self::start_in(example, bootstrap, work, run, settings, &[])
    }

    fn start_in(
        example: &str,
        bootstrap: &str,
        work: &Path,
        run: usize,
        settings: &str,
        environment: &[(&str, &str)],
    ) -> Result<Self, String> {
        let progress = work.join(format!("progress-{run}.jsonl"));
        let settings = format!("{settings};millstream.progress.path={}", progress.display());
        let mut child = Command::new(example_path(example)?)
            .arg(bootstrap)
            .current_dir(work)
            .env("MILLSTREAM_CONF", settings)
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start {example}: {error}"))?;
        let stdout = Captured::new(child.stdout.take().ok_or("no standard output")?);
        let stderr = Captured::new(child.stderr.take().ok_or("no standard error output")?);
        Ok(Self { child, stdout, stderr, progress, prompts: 0, killed: false })
    }

    /// Whether the process still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The last progress of every query, by its id.
    pub fn latest_progress(&self) -> Result<BTreeMap<String, Value>, String> {
        let reports = self.progress()?;
        Ok(reports.into_iter().map(|report| (report["id"].to_string(), report)).collect())
    }

    fn progress(&self) -> Result<Vec<Value>, String> {
        let text = match std::fs::read_to_string(&self.progress) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(format!("{}: {error}", self.progress.display())),
        };
        // The last line may still be on its way.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).map_err(|error| format!("{line}: {error}")))
            .collect()
    }

    /// Waits until the program asks for Enter once more.
    pub fn wait_for_prompt(&mut self, patience: Duration) -> Result<(), String> {
        let start = Instant::now();
        while self.stderr.text().matches(PROMPT).count() <= self.prompts {
            if !self.is_running() || start.elapsed() > patience {
                return Err("the program did not ask for Enter".into());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// The user presses Enter.
    pub fn press_enter(&mut self) -> Result<(), String> {
        self.prompts += 1;
        let stdin = self.child.stdin.as_mut().ok_or("no standard input")?;
        stdin.write_all(b"\n").and_then(|()| stdin.flush()).map_err(|error| error.to_string())
    }

    /// `kill -9`.
    pub fn kill(&mut self) -> Result<(), String> {
        self.killed = true;
        self.child.kill().map_err(|error| error.to_string())
    }

    /// `kill -TERM`: every query finishes its running batch.
    pub fn terminate(&mut self) -> Result<(), String> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).ok_or("no process id")?;
        kill_process(pid, Signal::TERM).map_err(|error| error.to_string())
    }

    /// Waits for the program's own end.
    pub fn wait_for_exit(&mut self, patience: Duration) -> Result<(), String> {
        let start = Instant::now();
        while self.is_running() {
            if start.elapsed() > patience {
                return Err(format!("still running after {patience:?}"));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Collects what the program left; kills it first if it was not fed to its end or does not end by itself.
    pub fn end(mut self, fed: bool) -> Result<Ended, String> {
        let waited = if fed { self.wait_for_exit(Duration::from_secs(30)) } else { Ok(()) };
        if !fed || waited.is_err() {
            self.child.kill().map_err(|error| error.to_string())?;
        }
        let status = self.child.wait().map_err(|error| error.to_string())?;
        let (stdout, stderr) = (self.stdout.finish(), self.stderr.finish());
        if let Err(why) = waited {
            return Err(format!("{why} after it was told to stop\n{stdout}\n{stderr}"));
        }
        let progress = self.progress()?;
        Ok(Ended { stdout, stderr, progress, status })
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
