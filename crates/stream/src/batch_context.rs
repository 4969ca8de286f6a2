//! Everything that differs from one micro-batch to the next, in one immutable value.
//!
//! Plan nodes hold only ids. The engine puts a `BatchContext` into the `TaskContext` of each execution (as an
//! extension of the session config), so one physical plan serves every batch, and a batch that is run again
//! after a restart sees the same id, ranges and time.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::execution::TaskContext;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::source::{Source, Split};

/// One batch of one query, as its operators see it.
#[derive(Debug)]
pub struct BatchContext {
    /// The query's id, from the checkpoint.
    pub query_id: Uuid,
    /// The id of this run of the query.
    pub run_id: Uuid,
    /// The batch, counted from 0.
    pub batch_id: i64,
    /// Which start of the query runs it, counted in the checkpoint from 1: two runs of one batch never share
    /// it.
    pub attempt: u32,
    /// The time that `current_timestamp()` gives throughout the batch, in milliseconds since the epoch.
    pub batch_time_ms: i64,
    /// The event-time watermark in milliseconds since the epoch, 0 without one.
    pub watermark_ms: i64,
    sources: HashMap<u64, Arc<SourceBatch>>,
}

/// What one source contributes to a batch.
#[derive(Debug)]
pub struct SourceBatch {
    /// The source of this run.
    pub source: Arc<dyn Source>,
    /// The pieces to read, one list for each partition of the scan.
    pub splits: Vec<Vec<Split>>,
    /// Rows read so far, by scan and partition.
    rows: Mutex<HashMap<(u32, usize), u64>>,
}

impl SourceBatch {
    /// The pieces of one source, one list for each partition of its scan.
    pub fn new(source: Arc<dyn Source>, splits: Vec<Vec<Split>>) -> Self {
        Self { source, splits, rows: Mutex::default() }
    }

    /// Notes how many rows one execution of a scan's partition has read. A frame of foreach_batch may read its
    /// rows several times, which is one input all the same: the largest count stands.
    pub fn note_rows(&self, scan: u32, partition: usize, rows: u64) {
        let mut noted = self.rows.lock();
        let noted = noted.entry((scan, partition)).or_default();
        *noted = rows.max(*noted);
    }

    /// Rows read in this batch. As in Spark, a stream that the plan scans twice counts twice.
    pub fn rows_read(&self) -> u64 {
        self.rows.lock().values().sum()
    }
}

/// The fields of a batch that come from the checkpoint's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchIdentity {
    /// The query's id.
    pub query_id: Uuid,
    /// The id of this run.
    pub run_id: Uuid,
    /// The batch.
    pub batch_id: i64,
    /// The count of starts of the query.
    pub attempt: u32,
    /// The batch's time, milliseconds since the epoch.
    pub batch_time_ms: i64,
    /// The watermark, milliseconds since the epoch.
    pub watermark_ms: i64,
}

impl BatchContext {
    /// A batch over the given sources, keyed by the id of the read in the plan.
    pub fn new(identity: BatchIdentity, sources: HashMap<u64, Arc<SourceBatch>>) -> Self {
        let BatchIdentity { query_id, run_id, batch_id, attempt, batch_time_ms, watermark_ms } = identity;
        Self { query_id, run_id, batch_id, attempt, batch_time_ms, watermark_ms, sources }
    }

    /// The batch that a task belongs to; none outside a streaming query.
    pub fn of(task: &TaskContext) -> Option<Arc<Self>> {
        task.session_config().get_extension::<Self>()
    }

    /// What the read with this id takes in this batch.
    pub fn source(&self, read_id: u64) -> Option<&Arc<SourceBatch>> {
        self.sources.get(&read_id)
    }
}
