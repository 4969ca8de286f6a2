//! The life of a query, batch after batch, in Spark's order:
//!
//! ```text
//! look at the sources (limits) -> offsets/N -> splits -> run -> sink commit -> commits/N -> report
//!          ^                                                                                  |
//!          +------- nothing new: wait for a source, a request, a trigger, a stop <------------+
//! ```
//!
//! A batch that was planned but not committed when the last run ended comes first, with the ends it had.
//! Nothing polls: with the default trigger an idle query waits for a source to wake it. Brokers are asked for
//! their offsets ([`Freshness::Lookup`]) only at the start, for finite triggers and for
//! process_all_available; in between the ends come from what fetch responses tell.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use millstream_plan::analyzer::Analyzed;
use tokio::runtime::Handle;

use super::compile::{Compiled, streaming_reads};
use super::crash::{CRASH_POINT, CrashPoints};
use super::pace::{Pace, Woken};
use super::recovery::{self, Resume};
use super::report::{ProgressLog, Stopwatch, phase, source_progress};
use super::run::{BatchRun, OnDisk, partitions};
use super::sources::{Range, Sources};
use crate::batch_context::{BatchContext, BatchIdentity, SourceBatch};
use crate::checkpoint::{Checkpoint, CommitEntry, Durable, OffsetEntry, freeze};
use crate::error::Result;
use crate::progress::{SinkProgress, StreamingQueryProgress};
use crate::query::QueryState;
use crate::session::Session;
use crate::sink::{Output, SinkBatch};
use crate::source::{Freshness, QueryIdentity, ReadLimit};
use crate::trigger::Trigger;

/// How often a query without data reports, at most.
const IDLE_REPORTS: Duration = Duration::from_secs(10);

/// Everything a query is made of.
pub(crate) struct Work {
    pub(crate) session: Session,
    pub(crate) analyzed: Arc<Analyzed>,
    pub(crate) output: Output,
    pub(crate) trigger: Trigger,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) state: Arc<QueryState>,
}

/// Runs one query from its start to its end.
pub(crate) struct Driver {
    work: Work,
    pace: Pace,
    crash: CrashPoints,
    log: Option<ProgressLog>,
}

/// A batch whose ends are fixed.
struct Planned {
    batch: i64,
    entry: OffsetEntry,
    ranges: Vec<Range>,
    /// Run again after a restart: its offsets are on record already.
    again: bool,
}

/// What a running query keeps from batch to batch.
struct Running {
    compiled: Compiled,
    sources: Sources,
    next: i64,
    watermark_ms: i64,
    conf: indexmap::IndexMap<String, String>,
    last_trigger_ms: Option<i64>,
    last_report_ms: Option<i64>,
    /// The last commits/N, on its way to the disk.
    last_commit: Option<Durable>,
}

impl Driver {
    pub(crate) fn new(work: Work) -> Result<Self> {
        let conf = work.session.conf();
        let crash = CrashPoints::configured(conf.get(CRASH_POINT).as_deref())?;
        let log =
            conf.get("millstream.progress.path").map(|path| ProgressLog::open(path.into())).transpose()?;
        let pace = Pace::new(conf, work.trigger, &work.state)?;
        Ok(Self { work, pace, crash, log })
    }

    /// Where the query's tasks run.
    pub(crate) fn runtime(&self) -> Handle {
        self.work.session.cpu_runtime().clone()
    }

    /// Runs until the query is stopped, has nothing left to do (finite triggers), or fails.
    pub(crate) async fn run(mut self) -> Result<()> {
        let reads = streaming_reads(&self.work.analyzed.plan)?;
        let state = &self.work.state;
        let identity = QueryIdentity {
            query_id: state.id,
            run_id: state.run_id,
            checkpoint: self.work.checkpoint.root().to_owned(),
        };
        let compiled = Compiled::new(&self.work.session, &self.work.analyzed).await?;
        state.set_plan(compiled.explain());
        if let Output::Sink(sink) = &self.work.output {
            sink.prepare(state.id, &compiled.schema).await?;
        }
        let sources = Sources::open(reads, &identity, &self.work.checkpoint).await?;
        let mut running = Running {
            compiled,
            sources,
            next: 0,
            watermark_ms: 0,
            conf: indexmap::IndexMap::new(),
            last_trigger_ms: None,
            last_report_ms: None,
            last_commit: None,
        };
        let outcome = self.run_batches(&mut running).await;
        running.sources.stop().await;
        if let Some(durable) = running.last_commit.take() {
            self.work.checkpoint.reached(durable).await?;
        }
        outcome
    }

    async fn run_batches(&mut self, running: &mut Running) -> Result<()> {
        let unfinished = self.recover(running).await?;
        let trigger = self.work.trigger;
        if let Some(planned) = unfinished {
            let watch = Stopwatch::start(Utc::now().timestamp_millis());
            let due = trigger.next_due(watch.started_ms);
            self.execute(running, planned, watch).await?;
            // As in Spark, a query that runs once finishes what it began and leaves the rest to its next
            // start.
            if trigger == Trigger::Once || self.pace.until(due).await == Woken::Stop {
                return Ok(());
            }
        }
        if trigger == Trigger::AvailableNow {
            running.sources.prepare_available_now().await?;
        }
        while !self.work.state.is_stopping() {
            let now_ms = Utc::now().timestamp_millis();
            let due = trigger.next_due(now_ms);
            let retry_after = match self.trigger(running, now_ms).await? {
                Step::Ran if trigger == Trigger::Once => return Ok(()),
                Step::Ran => None,
                Step::Idle { .. } if trigger.is_finite() => return Ok(()),
                Step::Idle { retry_after } => Some(retry_after),
            };
            let woken = match (due, retry_after) {
                (Some(_), _) => self.pace.until(due).await,
                (None, Some(retry_after)) => self.pace.idle(&running.sources, retry_after).await,
                (None, None) => Woken::Work,
            };
            if woken == Woken::Stop {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Reads the checkpoint. Returns the batch that was planned but not done.
    async fn recover(&mut self, running: &mut Running) -> Result<Option<Planned>> {
        let checkpoint = &self.work.checkpoint;
        let Resume { batch, before, planned, watermark_ms } = recovery::resume(checkpoint)?;
        let sources = running.sources.len();
        if let Some(before) = &before {
            recovery::check_sources(checkpoint, batch - 1, before, sources)?;
            running.sources.resume_behind(before)?;
        }
        let conf = self.work.session.conf();
        let logged = planned.as_ref().or(before.as_ref()).map(|entry| &entry.conf);
        running.conf = freeze(logged, |name| conf.get(name));
        running.next = batch;
        running.watermark_ms = watermark_ms;
        let Some(entry) = planned else { return Ok(None) };
        recovery::check_sources(checkpoint, batch, &entry, sources)?;
        tracing::info!(batch, "this batch was planned but not committed: it runs again");
        let ranges = running.sources.planned_again(&entry).await?;
        Ok(Some(Planned { batch, entry, ranges, again: true }))
    }

    /// One trigger: looks, and runs a batch when there is something new.
    async fn trigger(&mut self, running: &mut Running, now_ms: i64) -> Result<Step> {
        let state = Arc::clone(&self.work.state);
        let mut watch = Stopwatch::start(now_ms);
        state.set_status("Getting offsets from sources", false, true);
        let limit = match self.work.trigger {
            Trigger::Once => ReadLimit::All,
            _ => ReadLimit::Configured,
        };
        let (fresh, request) = self.pace.look();
        let outlook = running.sources.look(limit, fresh).await?;
        watch.end(phase::LATEST_OFFSET);
        if outlook.news {
            let entry = OffsetEntry {
                watermark_ms: running.watermark_ms,
                timestamp_ms: now_ms,
                conf: running.conf.clone(),
                sources: outlook
                    .ranges
                    .iter()
                    .map(|range| range.end.as_ref().map(|end| end.as_str().to_owned()))
                    .collect(),
            };
            let planned = Planned { batch: running.next, entry, ranges: outlook.ranges, again: false };
            self.execute(running, planned, watch).await?;
            return Ok(Step::Ran);
        }
        let message = match self.work.trigger.next_due(now_ms) {
            Some(_) => "Waiting for next trigger",
            None => "Waiting for data to arrive",
        };
        state.set_status(message, false, false);
        self.report_idle(running, &outlook.ranges, &watch);
        running.last_trigger_ms = Some(now_ms);
        if fresh == Freshness::Lookup {
            self.pace.served(request);
        }
        Ok(Step::Idle { retry_after: outlook.retry_after })
    }

    /// Runs a batch from its record in offsets/ to its record in commits/.
    async fn execute(&mut self, running: &mut Running, planned: Planned, mut watch: Stopwatch) -> Result<()> {
        let state = Arc::clone(&self.work.state);
        state.set_status("Processing new data", true, true);
        let mut on_disk = OnDisk { before: running.last_commit.take(), planned: None };
        if !planned.again {
            watch.begin();
            on_disk.planned = Some(self.work.checkpoint.plan(planned.batch, &planned.entry)?);
            watch.end(phase::WAL_COMMIT);
            self.crash.reach("after-offsets")?;
        }
        watch.begin();
        let sources = running.sources.splits(&planned.ranges).await?;
        watch.end(phase::GET_BATCH);
        let plan = running.compiled.fresh_plan()?;
        let task = running.compiled.task(Arc::new(self.context(&planned, sources.clone())));
        watch.end(phase::QUERY_PLANNING);
        let batch = SinkBatch {
            query_id: state.id,
            batch_id: planned.batch,
            attempt: self.work.checkpoint.attempt(),
            partitions: partitions(&plan),
            schema: Arc::clone(&running.compiled.schema),
            crash: self.crash.clone(),
        };
        let checkpoint = &self.work.checkpoint;
        let written = self.write(BatchRun { checkpoint, on_disk, plan, task, batch }).await?;
        watch.end(phase::ADD_BATCH);
        let commit = CommitEntry { next_watermark_ms: running.watermark_ms };
        running.last_commit = Some(self.work.checkpoint.commit(planned.batch, commit)?);
        watch.end(phase::COMMIT_OFFSETS);
        self.crash.reach("after-commits")?;
        running.sources.committed(&planned.ranges).await?;
        running.next = planned.batch + 1;
        self.report_batch(running, &planned, &sources, &watch, written);
        self.work.checkpoint.purge(planned.batch)?;
        running.last_trigger_ms = Some(watch.started_ms);
        state.set_status("Waiting for next trigger", true, false);
        Ok(())
    }

    async fn write(&self, run: BatchRun<'_>) -> Result<Option<u64>> {
        match &self.work.output {
            Output::Sink(sink) => run.into_sink(sink, self.work.session.cpu_runtime()).await,
            Output::ForeachBatch(function) => {
                let schema = self.work.analyzed.schema.clone();
                run.into_function(function, &self.work.session, schema).await.map(|()| None)
            }
        }
    }

    fn context(&self, planned: &Planned, sources: HashMap<u64, Arc<SourceBatch>>) -> BatchContext {
        let identity = BatchIdentity {
            query_id: self.work.state.id,
            run_id: self.work.state.run_id,
            batch_id: planned.batch,
            attempt: self.work.checkpoint.attempt(),
            batch_time_ms: planned.entry.timestamp_ms,
            watermark_ms: planned.entry.watermark_ms,
        };
        BatchContext::new(identity, sources)
    }

    fn report_batch(
        &mut self,
        running: &mut Running,
        planned: &Planned,
        sources: &HashMap<u64, Arc<SourceBatch>>,
        watch: &Stopwatch,
        written: Option<u64>,
    ) {
        let rows = running.sources.rows_read(sources);
        let output = written.and_then(|rows| i64::try_from(rows).ok()).unwrap_or(-1);
        let progress = self.progress(running, planned.batch, &planned.ranges, rows, watch, output);
        tracing::debug!(batch = planned.batch, rows = progress.num_input_rows(), micros = %watch.micros(), "batch done");
        running.last_report_ms = Some(watch.started_ms);
        self.publish(progress);
    }

    /// A query without data reports at its start and then now and again, as Spark does.
    fn report_idle(&mut self, running: &mut Running, ranges: &[Range], watch: &Stopwatch) {
        let silent_ms = running.last_report_ms.map(|last| watch.started_ms - last);
        if silent_ms.is_some_and(|silent| u128::try_from(silent).unwrap_or(0) < IDLE_REPORTS.as_millis()) {
            return;
        }
        let rows = vec![0; ranges.len()];
        let progress = self.progress(running, running.next, ranges, rows, watch, -1);
        running.last_report_ms = Some(watch.started_ms);
        self.publish(progress);
    }

    fn progress(
        &self,
        running: &Running,
        batch_id: i64,
        ranges: &[Range],
        rows: Vec<u64>,
        watch: &Stopwatch,
        num_output_rows: i64,
    ) -> StreamingQueryProgress {
        let whole = watch.elapsed();
        let since_ms = running.last_trigger_ms.map(|last| watch.started_ms - last);
        let since_last = since_ms.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
        let metrics = running.sources.metrics(ranges);
        let lines = running.sources.descriptions().zip(ranges).zip(rows).zip(metrics);
        let sources = lines
            .map(|(((description, range), rows), metrics)| {
                source_progress(description, range, rows, since_last, whole, metrics)
            })
            .collect();
        let duration_ms = watch.durations_ms(whole);
        let description = match &self.work.output {
            Output::Sink(sink) => sink.description(),
            Output::ForeachBatch(_) => "ForeachBatchSink".to_owned(),
        };
        let state = &self.work.state;
        StreamingQueryProgress {
            id: state.id,
            run_id: state.run_id,
            name: state.name.clone(),
            timestamp_ms: watch.started_ms,
            batch_id,
            batch_duration: duration_ms[phase::TRIGGER_EXECUTION],
            duration_ms,
            sources,
            sink: SinkProgress { description, num_output_rows },
        }
    }

    fn publish(&mut self, progress: StreamingQueryProgress) {
        if let Some(log) = &mut self.log {
            log.append(&progress);
        }
        self.work.state.report(progress);
    }
}

/// What a trigger did.
enum Step {
    Ran,
    Idle { retry_after: Option<Duration> },
}
