//! Spark beside us: pyspark in a process of its own, one session for all jobs of a benchmark or a test.

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The session and the loop that serves jobs.
const SESSION: &str = include_str!("spark_session.py");

/// A Spark session that waits for jobs; it ends when this is dropped.
pub struct Spark {
    child: Child,
    jobs: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    errors: tempfile::NamedTempFile,
    process: String,
}

impl Spark {
    /// Starts Spark where `python` has pyspark; says loudly that it is left out where it has not.
    ///
    /// `jobs` is Python text: functions of a session and a job, and at its end `serve({name: function})`.
    ///
    /// The Kafka connector's jars lie in the folder that `MILLSTREAM_SPARK_JARS` names; without it Spark fetches them.
    ///
    /// # Errors
    /// pyspark is there and Spark does not start.
    pub fn start(python: &str, jobs: &str) -> Result<Option<Self>, String> {
        let found = Command::new(python)
            .args(["-c", "import pyspark"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !found {
            eprintln!("!!! {python} has no pyspark: SPARK IS NOT MEASURED BESIDE US.");
            eprintln!(
                "!!! `pip install pyspark==4.2.0` (450 MB, needs Java 17) for a ratio in the same run."
            );
            return Ok(None);
        }
        let failed = |error: std::io::Error| format!("cannot start Spark: {error}");
        let errors = tempfile::NamedTempFile::new().map_err(failed)?;
        let mut child = Command::new(python)
            .args(["-c", &format!("{SESSION}{jobs}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors.reopen().map_err(failed)?)
            .spawn()
            .map_err(failed)?;
        let jobs = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().ok_or("Spark has no standard output")?);
        let mut spark = Self { child, jobs, answers, errors, process: String::new() };
        let hello = spark.answer()?;
        spark.process = hello["process"].to_string();
        eprintln!("Spark {} runs beside us", hello["version"]);
        Ok(Some(spark))
    }

    /// The process id of its JVM, for reading its CPU time.
    pub fn process_id(&self) -> &str {
        &self.process
    }

    /// Runs a job, whose field `job` names the function, and returns its answer.
    ///
    /// # Errors
    /// The job failed in Spark, or Spark ended.
    pub fn run(&mut self, job: &Value) -> Result<Value, String> {
        let jobs = self.jobs.as_mut().ok_or("Spark was stopped")?;
        writeln!(jobs, "{job}")
            .and_then(|()| jobs.flush())
            .map_err(|error| self.failed(&error.to_string()))?;
        self.answer()
    }

    /// The next line that is a JSON object: Spark's launcher prints other things too.
    fn answer(&mut self) -> Result<Value, String> {
        loop {
            let mut line = String::new();
            let read = self.answers.read_line(&mut line).map_err(|error| self.failed(&error.to_string()))?;
            if read == 0 {
                return Err(self.failed("it ended"));
            }
            if let Ok(answer @ Value::Object(_)) = serde_json::from_str(&line) {
                return match answer["error"].as_str() {
                    Some(error) => Err(self.failed(error)),
                    None => Ok(answer),
                };
            }
        }
    }

    fn failed(&self, why: &str) -> String {
        let errors = std::fs::read_to_string(self.errors.path()).unwrap_or_default();
        let tail: Vec<&str> = errors.lines().rev().take(30).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        format!("Spark failed: {why}\n{}", tail.join("\n"))
    }
}

impl Drop for Spark {
    fn drop(&mut self) {
        // The end of its input ends the session, and with it the JVM.
        drop(self.jobs.take());
        let _ = self.child.wait();
    }
}
