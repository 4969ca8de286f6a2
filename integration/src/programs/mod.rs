//! Whole programs against their recordings: each example runs as a process of its own, is fed, stopped and killed as
//! the recording says, and what it prints and writes is compared with what Spark's program printed and wrote.

mod check;
mod process;

use crate::golden::{Case, Cluster, has};
pub use process::{Ended, Program};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest wait for a program to work off what it was given, or to ask for Enter.
const PATIENCE: Duration = Duration::from_secs(60);

/// A recorded program and the examples that stand for its texts.
pub struct Recording {
    folder: PathBuf,
    input: Value,
    examples: Vec<(&'static str, &'static str)>,
    environment: Vec<(&'static str, String)>,
}

impl Recording {
    /// The recording of `name`; `examples` maps the recorded text (`program.py`) to our example.
    pub fn read(name: &str, examples: &[(&'static str, &'static str)]) -> Result<Self, String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/programs").join(name);
        let text =
            std::fs::read_to_string(folder.join("input.json")).map_err(|error| format!("{name}: {error}"))?;
        let input = serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
        Ok(Self { folder, input, examples: examples.to_vec(), environment: Vec::new() })
    }

    /// Sets a variable for the programs.
    #[must_use]
    pub fn with_variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// Runs every run of the recording on the cluster and compares everything that was recorded.
    pub async fn run(&self, bootstrap: &str) -> Result<(), String> {
        let mut cluster = Cluster::connect(bootstrap, self.name()).await?;
        let (topics, others) = Case::topics_of(&self.input)?;
        cluster.prepare(&topics, &others).await?;
        let work = tempfile::tempdir().map_err(|error| error.to_string())?;
        let mut before = check::Outputs::default();
        for (number, run) in self.input["runs"].as_array().into_iter().flatten().enumerate() {
            let number = number + 1;
            self.one_run(number, run, &mut cluster, work.path())
                .await
                .map_err(|why| format!("run {number}: {why}"))?;
            let after = check::Outputs::collect(&self.input, &cluster, work.path()).await?;
            check::same_outputs(&self.folder, number, &before, &after)
                .map_err(|why| format!("after run {number}: {why}"))?;
            check::same_checkpoints(&self.folder, number, work.path())
                .map_err(|why| format!("after run {number}: {why}"))?;
            before = after;
        }
        Ok(())
    }

    async fn one_run(
        &self,
        number: usize,
        run: &Value,
        cluster: &mut Cluster,
        work: &Path,
    ) -> Result<(), String> {
        let text = run["program"].as_str().unwrap_or("program.py");
        let Some((_, example)) = self.examples.iter().find(|(recorded, _)| *recorded == text) else {
            return Ok(());
        };
        for step in steps(run, "before") {
            prepare(&step, cluster, work).await?;
        }
        let environment: Vec<_> = self.environment.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let mut program = Program::start(example, &cluster.bootstrap, work, number, &environment)?;
        let finished = self.feed(run, &mut program, cluster).await;
        let ended = program.end(finished.is_ok())?;
        finished.map_err(|why| format!("{why}\nits output was:\n{}\n{}", ended.stdout, ended.stderr))?;
        check::same_console(&self.folder, number, &ended, self.name())?;
        check::same_error(&self.folder, number, &ended)?;
        check::same_progress(&self.folder, number, &ended)
    }

    fn name(&self) -> &str {
        self.input["name"].as_str().unwrap_or_default()
    }

    async fn feed(&self, run: &Value, program: &mut Program, cluster: &mut Cluster) -> Result<(), String> {
        let steps = steps(run, "steps");
        let asks = steps.iter().any(|step| has(step, "enter"));
        for step in &steps {
            if asks {
                program.wait_for_prompt(PATIENCE)?;
            }
            if has(step, "produce") {
                cluster.produce(&step["produce"]).await?;
            } else if has(step, "create_topics") {
                cluster.create_topics(&step["create_topics"]).await?;
            } else if has(step, "process") {
                self.wait_until_processed(program, cluster).await?;
            } else if has(step, "enter") {
                program.press_enter()?;
            } else if has(step, "kill") {
                program.kill()?;
            } else if has(step, "term") {
                program.terminate()?;
            } else {
                return Err(format!("a step that the harness does not know: {step:?}"));
            }
        }
        if asks || steps.is_empty() {
            return program.wait_for_exit(PATIENCE);
        }
        // A second signal would end the program at once.
        let told = steps.iter().any(|step| has(step, "term") || has(step, "kill"));
        if told || !program.is_running() { Ok(()) } else { program.terminate() }
    }

    /// Every query has reported a batch whose ends are those of its topics.
    async fn wait_until_processed(&self, program: &mut Program, cluster: &Cluster) -> Result<(), String> {
        let queries = self.queries();
        let start = Instant::now();
        loop {
            let latest = program.latest_progress()?;
            if latest.len() >= queries {
                let mut done = true;
                for report in latest.values() {
                    done &= check::reached_the_end(report, cluster).await?;
                }
                if done {
                    return Ok(());
                }
            }
            if !program.is_running() {
                return Err("the program ended instead of processing".into());
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("not processed within {PATIENCE:?}; the last progress was {latest:?}"));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How many queries the program starts: one for each `start()` in its text.
    fn queries(&self) -> usize {
        let text = std::fs::read_to_string(self.folder.join("program.py")).unwrap_or_default();
        text.matches(".start()").count().max(1)
    }
}

fn steps(run: &Value, key: &str) -> Vec<Map<String, Value>> {
    run[key].as_array().into_iter().flatten().filter_map(Value::as_object).cloned().collect()
}

async fn prepare(step: &Map<String, Value>, cluster: &Cluster, work: &Path) -> Result<(), String> {
    if has(step, "produce") {
        return cluster.produce(&step["produce"]).await;
    }
    if has(step, "put_file") {
        let name = step["put_file"].as_str().ok_or("put_file without a path")?;
        let text = step["text"].as_str().unwrap_or_default();
        return std::fs::write(work.join(name), text).map_err(|error| format!("{name}: {error}"));
    }
    if has(step, "drop_files") {
        for name in step["drop_files"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            std::fs::remove_file(work.join(name)).map_err(|error| format!("{name}: {error}"))?;
        }
        return Ok(());
    }
    Err(format!("a step before the start that the harness does not know: {step:?}"))
}
