//! A stream that a program fills by hand: the source for tests of queries.
//!
//! Rows are added in blocks; a position is the number of blocks before it. The blocks stay, so a query that
//! is restarted from its checkpoint reads on, and a batch that is run again gives the same rows. One
//! `MemoryStream` may feed any number of queries. It does not outlive the process.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use millstream_plan::types::StructType;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{
    Available, Freshness, Offset, QueryIdentity, ReadLimit, ScanProjection, Source, SourceFactory, SourceLog,
    Split,
};
use crate::error::{Error, Result};
use crate::frame::DataFrame;
use crate::micro_batch::scan::StreamTable;
use crate::session::Session;

/// A stream of rows that the program adds. Clones are the same stream.
#[derive(Clone)]
pub struct MemoryStream {
    shared: Arc<Shared>,
}

struct Shared {
    schema: SchemaRef,
    blocks: Mutex<Vec<RecordBatch>>,
    count: watch::Sender<u64>,
    max_blocks: Option<u64>,
    lookups: AtomicU64,
}

impl fmt::Debug for MemoryStream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "MemoryStream[{} blocks]", *self.shared.count.borrow())
    }
}

impl MemoryStream {
    /// A stream without rows.
    pub fn new(schema: SchemaRef) -> Self {
        Self::limited(schema, None)
    }

    /// A stream of which a batch takes at most so many blocks.
    pub fn with_max_blocks(schema: SchemaRef, max_blocks: u64) -> Self {
        Self::limited(schema, Some(max_blocks.max(1)))
    }

    fn limited(schema: SchemaRef, max_blocks: Option<u64>) -> Self {
        let (blocks, count, lookups) = (Mutex::default(), watch::Sender::new(0), AtomicU64::new(0));
        Self { shared: Arc::new(Shared { schema, blocks, count, max_blocks, lookups }) }
    }

    /// Adds a block of rows and wakes the queries that wait.
    ///
    /// # Errors
    /// Rows of another schema.
    pub fn add_data(&self, rows: RecordBatch) -> Result<()> {
        if rows.schema().fields() != self.shared.schema.fields() {
            return Err(Error::Misuse(format!(
                "the rows have columns {:?} and the stream has {:?}: add rows of the stream's schema",
                rows.schema().fields(),
                self.shared.schema.fields()
            )));
        }
        let mut blocks = self.shared.blocks.lock();
        blocks.push(rows);
        self.shared.count.send_replace(blocks.len() as u64);
        Ok(())
    }

    /// How often queries asked for the end in the thorough way.
    pub fn lookups(&self) -> u64 {
        self.shared.lookups.load(Ordering::Relaxed)
    }

    /// A table for plans, with an id of its own.
    pub fn table(&self, partitions: usize) -> Arc<StreamTable> {
        let read = millstream_plan::tree::Read::new("memory", true);
        Arc::new(StreamTable::new(read.id, Arc::new(self.clone()), partitions))
    }

    /// A streaming frame over the rows.
    ///
    /// # Errors
    /// A column of a type that Spark does not have.
    pub fn to_frame(&self, session: &Session) -> Result<DataFrame> {
        let partitions = session.conf().plan_conf().parallelism()?;
        let schema = StructType::from_arrow(&self.shared.schema)?;
        let provider: Arc<dyn TableProvider> = self.table(partitions);
        DataFrame::from_provider(session, provider, schema)
    }
}

#[async_trait]
impl SourceFactory for MemoryStream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.shared.schema)
    }

    async fn create(&self, _query: &QueryIdentity) -> Result<Arc<dyn Source>> {
        let (shared, told, target) = (Arc::clone(&self.shared), AtomicU64::new(0), Mutex::new(None));
        Ok(Arc::new(MemorySource { shared, told, target }))
    }
}

/// One query's view of the stream.
struct MemorySource {
    shared: Arc<Shared>,
    /// The count that was last told, so that a wait ends only for more.
    told: AtomicU64,
    target: Mutex<Option<u64>>,
}

impl fmt::Debug for MemorySource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MemorySource")
    }
}

impl MemorySource {
    fn position(offset: &Offset) -> Result<u64> {
        offset.as_str().parse().map_err(|_| {
            Error::Misuse(format!(
                "'{offset}' is no position of a memory stream: use this stream's checkpoint"
            ))
        })
    }

    fn offset(position: u64) -> Offset {
        Offset::new(position.to_string())
    }
}

#[async_trait]
impl Source for MemorySource {
    fn description(&self) -> String {
        "MemoryStream".into()
    }

    fn parse_offset(&self, json: &str) -> Result<Offset> {
        Self::position(&Offset::new(json)).map(Self::offset)
    }

    async fn start(&self, _log: &dyn SourceLog) -> Result<Offset> {
        Ok(Self::offset(0))
    }

    async fn latest(&self, from: &Offset, limit: ReadLimit, fresh: Freshness) -> Result<Option<Available>> {
        if fresh == Freshness::Lookup {
            self.shared.lookups.fetch_add(1, Ordering::Relaxed);
        }
        let count = *self.shared.count.borrow();
        self.told.store(count, Ordering::Release);
        let latest = self.target.lock().unwrap_or(count);
        let from = Self::position(from)?;
        let end = match (limit, self.shared.max_blocks) {
            (ReadLimit::Configured, Some(max)) => latest.min(from.saturating_add(max)),
            _ => latest,
        };
        let (end, latest) = (Self::offset(end.max(from)), Some(Self::offset(latest)));
        Ok(Some(Available { end, latest, retry_after: None }))
    }

    async fn prepare_available_now(&self) -> Result<()> {
        *self.target.lock() = Some(*self.shared.count.borrow());
        Ok(())
    }

    async fn changed(&self) {
        let told = self.told.load(Ordering::Acquire);
        // The stream is held by this source, so its channel cannot close.
        let _ = self.shared.count.subscribe().wait_for(|count| *count > told).await;
    }

    async fn splits(&self, from: &Offset, until: &Offset, partitions: usize) -> Result<Vec<Vec<Split>>> {
        let (from, until) = (Self::position(from)?, Self::position(until)?);
        let mut splits = vec![Vec::new(); partitions];
        for (index, block) in (from..until).enumerate() {
            let from = i64::try_from(block).unwrap_or(i64::MAX);
            let split =
                Split { topic: "memory".into(), partition: 0, from, until: from.saturating_add(1), task: 0 };
            splits[index % partitions].push(split);
        }
        Ok(splits)
    }

    fn open(
        &self,
        split: &Split,
        projection: &ScanProjection,
        _task: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let block =
            usize::try_from(split.from).ok().and_then(|index| self.shared.blocks.lock().get(index).cloned());
        let block = block.ok_or_else(|| {
            Error::Misuse(format!(
                "block {} was never added: the checkpoint is of another stream",
                split.from
            ))
        })?;
        let rows = block.project(&projection.columns).map_err(datafusion::error::DataFusionError::from)?;
        let rows = futures::stream::iter([Ok(rows)]);
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&projection.schema), rows)))
    }

    fn metrics(&self, _end: &Offset, _latest: Option<&Offset>) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}
