//! Where a streaming query's rows go.
//!
//! One batch runs through a sink like this, and the engine keeps to the order:
//!
//! ```text
//! open(batch) -> write(batch, partition, rows) for all partitions side by side -> commit(batch, all) -> commits/N
//!                  any failure -> abort(batch, those that were written)
//! ```
//!
//! `commit` may come again for a batch that was committed before: after a crash between the sink's commit and
//! the checkpoint's, the batch is run again with the same id and the same input. What a reader then sees is
//! what [`Sink::guarantee`] says.

use std::fmt;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use bytes::Bytes;
use datafusion::execution::SendableRecordBatchStream;
use uuid::Uuid;

use crate::error::Result;
use crate::micro_batch::crash::CrashPoints;

pub mod console;
pub mod create;
pub mod foreach_batch;
mod gathered;
pub mod json_files;
pub mod kafka;
pub mod memory;
pub mod noop;

pub use foreach_batch::{ForeachBatchFn, foreach_batch};

/// One batch on its way into a sink.
#[derive(Debug, Clone)]
pub struct SinkBatch {
    /// The query, the same over restarts from one checkpoint.
    pub query_id: Uuid,
    /// The batch, counted from 0.
    pub batch_id: i64,
    /// Which start of the query writes, counted from 1: temporary names that contain it never clash.
    pub attempt: u32,
    /// How many partitions will be written.
    pub partitions: usize,
    /// The columns of the rows.
    pub schema: SchemaRef,
    /// Where tests stop the process: a sink passes its points by `batch.crash.reach(name)?`.
    pub crash: CrashPoints,
}

/// What a partition's writer leaves for the commit: opaque to the engine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Committable {
    /// Rows written.
    pub rows: u64,
    /// The sink's own bytes, such as the names and sizes of files.
    pub payload: Bytes,
}

/// What a reader of the sink may count on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guarantee {
    /// Nothing is lost; a batch that is run again after a crash may be seen twice.
    AtLeastOnce,
    /// A batch that was committed before is not seen twice, because the sink knows its id.
    IdempotentByBatchId,
    /// Rows become visible only with the commit, which is atomic and idempotent.
    TwoPhase,
    /// The batch's id is part of the transaction that publishes its rows.
    TransactionalMarker,
}

/// What a commit reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Rows written, for the progress; none where the sink does not say (Spark prints -1).
    pub output_rows: Option<u64>,
}

/// A place to write the rows of batches to. One instance serves one run of one query.
#[async_trait]
pub trait Sink: fmt::Debug + Send + Sync {
    /// The sink's words in the progress.
    fn description(&self) -> String;

    /// What readers may count on.
    fn guarantee(&self) -> Guarantee;

    /// Called once before the first batch of a run, with the columns that will come: refuses what it cannot
    /// write.
    async fn prepare(&self, _query_id: Uuid, _schema: &SchemaRef) -> Result<()> {
        Ok(())
    }

    /// A batch begins. What an earlier attempt at the same batch left is finished or thrown away.
    async fn open(&self, batch: &SinkBatch) -> Result<()>;

    /// Writes all rows of one partition. Called for all partitions side by side.
    async fn write(
        &self,
        batch: &SinkBatch,
        partition: usize,
        rows: SendableRecordBatchStream,
    ) -> Result<Committable>;

    /// Publishes a batch. Idempotent for the pair of query and batch id.
    async fn commit(&self, batch: &SinkBatch, written: Vec<Committable>) -> Result<Committed>;

    /// The batch failed: throws away what was written. Errors are logged, the batch's own failure is what is
    /// told.
    async fn abort(&self, batch: &SinkBatch, written: Vec<Committable>) -> Result<()>;
}

/// What a query does with each batch.
#[derive(Clone)]
pub enum Output {
    /// Rows go into a sink.
    Sink(Arc<dyn Sink>),
    /// A function of the user's gets a frame over the rows and the batch id.
    ForeachBatch(ForeachBatchFn),
}

impl fmt::Debug for Output {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sink(sink) => sink.fmt(out),
            Self::ForeachBatch(_) => out.write_str("ForeachBatch"),
        }
    }
}
