//! What a stream reads from: positions, ranges of rows between two positions, and the rows themselves.
//!
//! A source is opened once per query start ([`SourceFactory::create`]), so two queries over one frame share nothing.
//! The engine asks it for the end of the next batch ([`Source::latest`]), records that end in the checkpoint, and only
//! then plans ([`Source::splits`]) and reads ([`Source::open`]) the range. A range planned twice gives the same rows.

pub mod kafka;
pub mod memory;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};

use millstream_plan::analyzer;
use millstream_plan::tree::Read;

use crate::error::{Result, spark_error};
use crate::session::{STRICT_OPTIONS, Session};

/// A position in a source, as the JSON text that stands in the checkpoint.
///
/// Each source prints its positions in one canonical form, so equal positions have equal text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Offset(Arc<str>);

impl Offset {
    /// Takes a source's canonical text.
    pub fn new(json: impl Into<Arc<str>>) -> Self {
        Offset(json.into())
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as a JSON value; text that is not JSON becomes a JSON string.
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(&self.0).unwrap_or_else(|_| serde_json::Value::String(self.0.to_string()))
    }
}

impl fmt::Debug for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How much one batch may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadLimit {
    /// The source's own options, largest and smallest batch.
    Configured,
    /// Everything there is (a trigger that runs once).
    All,
}

/// How sure the answer about the latest position must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// What the last responses told is enough; nothing is asked for.
    Known,
    /// The brokers are asked: at the start, after an error, and where a call promises to have seen everything.
    Lookup,
}

/// What a source has for the next batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Available {
    /// End of the next batch; equal to its start when there is nothing to do.
    pub end: Offset,
    /// The latest position without any limit.
    pub latest: Option<Offset>,
    /// Set when rows wait for a smallest batch size: ask again no later than after this time.
    pub retry_after: Option<Duration>,
}

/// A piece of a batch that one task reads: the records of a partition from one offset up to, not including, another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition of the topic.
    pub partition: i32,
    /// The first offset to read.
    pub from: i64,
    /// The first offset not to read.
    pub until: i64,
    /// The number of the piece in its batch, from 0: what `spark_partition_id()` tells.
    pub task: i32,
}

/// The columns that a scan produces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanProjection {
    /// Their positions in the source's schema, ascending or as the plan asks.
    pub columns: Vec<usize>,
    /// The schema of exactly these columns.
    pub schema: SchemaRef,
}

/// Which query a source is opened for.
#[derive(Clone, Debug)]
pub struct QueryIdentity {
    /// Kept across restarts.
    pub query_id: uuid::Uuid,
    /// New with every start.
    pub run_id: uuid::Uuid,
    /// The checkpoint's directory.
    pub checkpoint: PathBuf,
}

/// The private files of a source in a checkpoint (`sources/<i>/<n>`); never overwritten.
pub trait SourceLog: Send + Sync {
    /// The content of file `n`, none when it was never written.
    fn get(&self, n: u64) -> Result<Option<Vec<u8>>>;
    /// Writes file `n`; an error when it is there already.
    fn put(&self, n: u64, content: &[u8]) -> Result<()>;
}

/// One source of one running query.
#[async_trait]
pub trait Source: fmt::Debug + Send + Sync {
    /// The text that stands in the progress, for Kafka `KafkaV2[Subscribe[t1, t2]]`.
    fn description(&self) -> String;

    /// Checks and canonicalises a position that a checkpoint holds (possibly written by Spark).
    fn parse_offset(&self, json: &str) -> Result<Offset>;

    /// Where the query starts when its checkpoint holds no batch. The answer is in the log before it is returned, so
    /// that a crash before the first batch cannot move it.
    async fn start(&self, log: &dyn SourceLog) -> Result<Offset>;

    /// The end of the batch that begins at `from`; none while the source has no partitions at all.
    async fn latest(&self, from: &Offset, limit: ReadLimit, fresh: Freshness) -> Result<Option<Available>>;

    /// From here on no batch goes beyond what is there now.
    async fn prepare_available_now(&self) -> Result<()>;

    /// Resolves when [`Source::latest`] may answer more than last time. Dropping the future loses nothing.
    async fn changed(&self);

    /// The pieces of a range, one list for each partition of the scan.
    async fn splits(&self, from: &Offset, until: &Offset, partitions: usize) -> Result<Vec<Vec<Split>>>;

    /// The rows of one piece.
    fn open(
        &self,
        split: &Split,
        projection: &ScanProjection,
        task: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream>;

    /// The source's own figures in the progress, as text.
    fn metrics(&self, end: &Offset, latest: Option<&Offset>) -> BTreeMap<String, String>;

    /// Everything before `end` is done and recorded.
    async fn committed(&self, _end: &Offset) -> Result<()> {
        Ok(())
    }

    /// The query has ended; background work stops.
    async fn stop(&self) {}
}

/// Makes the source of a query when it starts; what a streaming read holds until then.
#[async_trait]
pub trait SourceFactory: fmt::Debug + Send + Sync {
    /// The columns of the source.
    fn schema(&self) -> SchemaRef;
    /// Opens the source for one run of a query. Errors belong to the run, not to the building of the frame.
    async fn create(&self, query: &QueryIdentity) -> Result<Arc<dyn Source>>;
}

/// The table behind a read, with its options checked.
pub(crate) fn resolve(session: &Session, read: &Read) -> Result<analyzer::Source> {
    match read.format.to_lowercase().as_str() {
        "kafka" => kafka::resolve(session, read),
        other => Err(unknown_format(other)),
    }
}

/// Warns of what is odd about a read's options; to be called once, when the user makes the read.
pub(crate) fn warn(session: &Session, read: &Read) -> Result<()> {
    if !read.format.eq_ignore_ascii_case("kafka") {
        return Ok(());
    }
    let strict = session.conf().is_true(STRICT_OPTIONS, false);
    for warning in kafka::KafkaRead::check(read)?.warnings(strict)? {
        tracing::warn!("{warning}");
    }
    Ok(())
}

fn unknown_format(format: &str) -> crate::Error {
    let text = format!(
        "Failed to find the data source: {format}. This version reads kafka and writes kafka, json, console, memory \
         and noop."
    );
    spark_error("DATA_SOURCE_NOT_FOUND", Some("42K02"), [("provider", format)], text)
}
