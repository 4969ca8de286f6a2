//! What a trigger took and did, on its way to a progress report.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::sources::Range;
use crate::error::{Error, Result};
use crate::progress::{SourceProgress, StreamingQueryProgress};

/// The phases of a trigger, by Spark's keys.
pub(crate) mod phase {
    pub(crate) const LATEST_OFFSET: &str = "latestOffset";
    pub(crate) const WAL_COMMIT: &str = "walCommit";
    pub(crate) const GET_BATCH: &str = "getBatch";
    pub(crate) const QUERY_PLANNING: &str = "queryPlanning";
    pub(crate) const ADD_BATCH: &str = "addBatch";
    pub(crate) const COMMIT_OFFSETS: &str = "commitOffsets";
    pub(crate) const TRIGGER_EXECUTION: &str = "triggerExecution";
}

/// The clock of one trigger.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    /// When the trigger began, ms since the epoch.
    pub(crate) started_ms: i64,
    started: Instant,
    lap: Instant,
    phases: BTreeMap<&'static str, Duration>,
}

impl Stopwatch {
    pub(crate) fn start(now_ms: i64) -> Self {
        let now = Instant::now();
        Self { started_ms: now_ms, started: now, lap: now, phases: BTreeMap::new() }
    }

    /// A phase begins now; what was since the last phase belongs to none.
    pub(crate) fn begin(&mut self) {
        self.lap = Instant::now();
    }

    /// The phase that began last is over.
    pub(crate) fn end(&mut self, phase: &'static str) {
        let now = Instant::now();
        *self.phases.entry(phase).or_default() += now - self.lap;
        self.lap = now;
    }

    /// The whole trigger so far.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Milliseconds by Spark's keys, the whole included.
    pub(crate) fn durations_ms(&self, whole: Duration) -> BTreeMap<&'static str, i64> {
        let phases = self.phases.iter().map(|(phase, time)| (*phase, millis(*time)));
        phases.chain([(phase::TRIGGER_EXECUTION, millis(whole))]).collect()
    }

    /// The phases in microseconds, for the log.
    pub(crate) fn micros(&self) -> String {
        let phases = self.phases.iter().map(|(phase, time)| format!("{phase}={}", time.as_micros()));
        phases.collect::<Vec<_>>().join(" ")
    }
}

/// One source's line of a report, with the rates that follow from the times. `since_last` is the time since
/// the last trigger began, none for the first of a run.
pub(crate) fn source_progress(
    description: String,
    range: &Range,
    rows: u64,
    since_last: Option<Duration>,
    whole: Duration,
    metrics: BTreeMap<String, String>,
) -> SourceProgress {
    let rows_read = i64::try_from(rows).unwrap_or(i64::MAX);
    let rate = |seconds: f64| rows_read as f64 / seconds;
    SourceProgress {
        description,
        start_offset: range.before.clone(),
        end_offset: range.end.clone(),
        latest_offset: range.latest.clone(),
        num_input_rows: rows_read,
        input_rows_per_second: rate(since_last.map_or(f64::INFINITY, |time| time.as_secs_f64())),
        processed_rows_per_second: rate(whole.as_secs_f64().max(0.001)),
        metrics,
    }
}

/// Appends every report to a file, one line each: setting `millstream.progress.path`.
#[derive(Debug)]
pub(crate) struct ProgressLog {
    path: PathBuf,
    file: File,
}

impl ProgressLog {
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let opened = OpenOptions::new().append(true).create(true).open(&path);
        match opened {
            Ok(file) => Ok(Self { path, file }),
            Err(source) => Err(Error::Io { path, source }),
        }
    }

    /// One write for one line, so that lines of several queries do not mix.
    pub(crate) fn append(&mut self, progress: &StreamingQueryProgress) {
        let line = format!("{}\n", progress.json());
        if let Err(error) = self.file.write_all(line.as_bytes()) {
            tracing::warn!(path = %self.path.display(), %error, "a progress report was not logged");
        }
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
