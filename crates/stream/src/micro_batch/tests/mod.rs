//! Queries run to their end on a memory stream: every step of the life cycle, stopped and started again.
//!
//! The tests drive the [`Driver`](super::Driver) itself, so what they see does not depend on threads or on
//! time.

mod crashes;
mod lifecycle;
mod plans;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use futures::TryStreamExt;
use millstream_plan::analyzer::Analyzed;
use millstream_plan::types::StructType;
use parking_lot::Mutex;

use super::{Driver, Work};
use crate::checkpoint::{Checkpoint, SyncPolicy};
use crate::error::{Error, Result};
use crate::progress::StreamingQueryProgress;
use crate::query::QueryState;
use crate::session::Session;
use crate::sink::{Committable, Committed, Guarantee, Output, Sink, SinkBatch};
use crate::source::memory::MemoryStream;
use crate::trigger::Trigger;

/// One BIGINT column `v`.
pub(super) fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("v", DataType::Int64, true)]))
}

pub(super) fn rows(values: impl IntoIterator<Item = i64>) -> RecordBatch {
    let values: ArrayRef = Arc::new(Int64Array::from_iter_values(values));
    RecordBatch::try_new(schema(), vec![values]).unwrap()
}

pub(super) fn session(settings: &[(&str, &str)]) -> Session {
    let builder = Session::builder().config("millstream.parallelism", 2);
    settings.iter().fold(builder, |builder, (name, value)| builder.config(*name, value)).build().unwrap()
}

/// The plan of a scan of the stream, changed by `build`.
pub(super) fn analyzed(
    stream: &MemoryStream,
    build: impl FnOnce(LogicalPlanBuilder) -> LogicalPlanBuilder,
) -> Arc<Analyzed> {
    let scan = LogicalPlanBuilder::scan("s", provider_as_source(stream.table(2)), None).unwrap();
    let plan: LogicalPlan = build(scan).build().unwrap();
    let schema = StructType::from_arrow(plan.schema().as_arrow()).unwrap();
    Arc::new(Analyzed { plan, schema, streaming: true, watermarks: Vec::new() })
}

/// The values of each partition of each batch.
type Parts = BTreeMap<(i64, usize), Vec<i64>>;

/// A sink that knows batch ids: what it shows of a batch is the last commit of it, and it counts the commits.
#[derive(Debug, Default, Clone)]
pub(super) struct Shelf {
    written: Arc<Mutex<Parts>>,
    shown: Arc<Mutex<BTreeMap<i64, Vec<i64>>>>,
    commits: Arc<Mutex<Vec<i64>>>,
    fail_next_write: Arc<AtomicBool>,
    aborted: Arc<AtomicBool>,
}

impl Shelf {
    pub(super) fn batches(&self) -> BTreeMap<i64, Vec<i64>> {
        self.shown.lock().clone()
    }

    pub(super) fn values(&self) -> Vec<i64> {
        let mut values: Vec<i64> = self.shown.lock().values().flatten().copied().collect();
        values.sort_unstable();
        values
    }

    pub(super) fn commits(&self) -> Vec<i64> {
        self.commits.lock().clone()
    }

    pub(super) fn fail_next_write(&self) {
        self.fail_next_write.store(true, Ordering::SeqCst);
    }

    pub(super) fn was_aborted(&self) -> bool {
        self.aborted.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Sink for Shelf {
    fn description(&self) -> String {
        "Shelf".into()
    }

    fn guarantee(&self) -> Guarantee {
        Guarantee::IdempotentByBatchId
    }

    async fn open(&self, batch: &SinkBatch) -> Result<()> {
        self.written.lock().retain(|(id, _), _| *id != batch.batch_id);
        Ok(())
    }

    async fn write(
        &self,
        batch: &SinkBatch,
        partition: usize,
        rows: SendableRecordBatchStream,
    ) -> Result<Committable> {
        let batches: Vec<RecordBatch> = rows.try_collect().await?;
        if partition == 0 && self.fail_next_write.swap(false, Ordering::SeqCst) {
            return Err(Error::Sink { sink: "shelf".into(), what: "asked to fail".into() });
        }
        batch.crash.reach("after-sink-file")?;
        let mut values = Vec::new();
        for batch in batches {
            values.extend_from_slice(
                batch.column(batch.num_columns() - 1).as_primitive::<Int64Type>().values(),
            );
        }
        let count = values.len() as u64;
        self.written.lock().insert((batch.batch_id, partition), values);
        Ok(Committable { rows: count, ..Committable::default() })
    }

    async fn commit(&self, batch: &SinkBatch, written: Vec<Committable>) -> Result<Committed> {
        let parts = self.written.lock();
        let of_batch = parts.range((batch.batch_id, 0)..(batch.batch_id + 1, 0));
        let mut values: Vec<i64> = of_batch.flat_map(|(_, values)| values.clone()).collect();
        values.sort_unstable();
        batch.crash.reach("between-renames")?;
        self.shown.lock().insert(batch.batch_id, values);
        self.commits.lock().push(batch.batch_id);
        Ok(Committed { output_rows: Some(written.iter().map(|part| part.rows).sum()) })
    }

    async fn abort(&self, _batch: &SinkBatch, _written: Vec<Committable>) -> Result<()> {
        self.aborted.store(true, Ordering::SeqCst);
        Ok(())
    }
}

/// A query that a test runs.
pub(super) struct Query {
    pub(super) session: Session,
    pub(super) analyzed: Arc<Analyzed>,
    pub(super) shelf: Shelf,
    pub(super) trigger: Trigger,
}

impl Query {
    pub(super) fn new(stream: &MemoryStream, trigger: Trigger) -> Self {
        Self::with(session(&[]), analyzed(stream, |scan| scan), trigger)
    }

    pub(super) fn with(session: Session, analyzed: Arc<Analyzed>, trigger: Trigger) -> Self {
        Self { session, analyzed, shelf: Shelf::default(), trigger }
    }

    /// Opens the checkpoint and makes the driver.
    pub(super) fn driver(&self, checkpoint: &Path) -> Result<(Driver, Arc<QueryState>)> {
        let checkpoint = Checkpoint::open(checkpoint, SyncPolicy::Never)?;
        let state = QueryState::new(checkpoint.query_id(), None, 100);
        let work = Work {
            session: self.session.clone(),
            analyzed: Arc::clone(&self.analyzed),
            output: Output::Sink(Arc::new(self.shelf.clone())),
            trigger: self.trigger,
            checkpoint,
            state: Arc::clone(&state),
        };
        Ok((Driver::new(work)?, state))
    }

    /// Runs a finite query to its end.
    pub(super) fn run(&self, checkpoint: &Path) -> Result<Vec<StreamingQueryProgress>> {
        let (driver, state) = self.driver(checkpoint)?;
        let runtime = driver.runtime();
        runtime.block_on(driver.run())?;
        Ok(state.recent())
    }
}
