//! The push decoder: fetched bytes in, Arrow batches out.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::Projection;
use crate::{Error, Result};

/// How a [`RecordBatchDecoder`] works.
#[derive(Debug, Clone)]
pub struct DecoderOptions {
    /// Verify each batch's CRC-32C. Default true.
    pub check_crcs: bool,
    /// Drop records of aborted transactions. Default false (read_uncommitted).
    pub read_committed: bool,
    /// Largest decompressed size of one record batch, in bytes. Default 256 MiB.
    pub decompressed_bytes: usize,
    /// Rows after which an output batch is cut. Default 8192.
    pub target_rows: usize,
    /// Bytes of projected keys, values and headers after which an output batch is cut. Default 16 MiB.
    pub target_bytes: usize,
}

impl Default for DecoderOptions {
    fn default() -> Self {
        Self {
            check_crcs: true,
            read_committed: false,
            decompressed_bytes: 256 << 20,
            target_rows: 8192,
            target_bytes: 16 << 20,
        }
    }
}

/// One aborted transaction of a fetch response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// The producer whose records from `first_offset` up to its abort marker are to be dropped.
    pub producer_id: i64,
    /// Offset of the transaction's first record in this partition.
    pub first_offset: i64,
}

/// Whole record batches of one partition, as a fetch response brought them.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    /// Topic of the bytes.
    pub topic: &'a str,
    /// Partition of the bytes.
    pub partition: i32,
    /// Record batches; a partial batch at the end is ignored. The decoder keeps slices of it.
    pub records: &'a Bytes,
    /// Records with smaller offsets are dropped.
    pub from: i64,
    /// Records at or above this offset are dropped.
    pub until: i64,
    /// Aborted transactions of the response, in any order; used under read_committed.
    pub aborted: &'a [AbortedTransaction],
}

/// What a push did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PushSummary {
    /// Rows added.
    pub rows: usize,
    /// Position after the last whole batch seen, at most `until` (control batches, gaps and dropped records move it
    /// too); `from` when there was none.
    pub next_offset: i64,
}

/// Turns fetched record batches into Arrow batches of [`Projection::schema`].
#[derive(Debug)]
pub struct RecordBatchDecoder {
    projection: Projection,
    schema: SchemaRef,
    options: DecoderOptions,
}

impl RecordBatchDecoder {
    /// A decoder for the wanted columns.
    pub fn new(projection: Projection, options: DecoderOptions) -> Self {
        Self { projection, schema: projection.schema(), options }
    }

    /// Schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Decodes one chunk. Batches become available from [`Self::next_batch`].
    pub fn push(&mut self, chunk: Chunk<'_>) -> Result<PushSummary> {
        let _ = (&self.projection, &self.options, chunk);
        Err(Error::Misuse("the record decoder is not ready yet".into()))
    }

    /// A batch that reached `target_rows` or `target_bytes`, if there is one.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        Ok(None)
    }

    /// What is left, cut short; call until it returns None. The decoder can then be used again.
    pub fn finish(&mut self) -> Result<Option<RecordBatch>> {
        Ok(None)
    }
}
