//! The push decoder: fetched bytes in, Arrow batches out.
//!
//! Order of the steps for each record batch: trimming by its header, checksum, control batches and aborted
//! transactions, decompression into the arena, the walk over its records. One record costs no allocation; an
//! output batch costs a few.

use std::collections::VecDeque;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use millstream_protocol::codec::Decompressor;
use millstream_protocol::fetch::AbortedTransaction;
use millstream_protocol::records::{AbortedFilter, Batch, Batches, Records};
use millstream_protocol::{self as protocol, Compression};

use super::Projection;
use super::filter::BatchFilter;
use super::part::Part;
use super::pool::DecoderMemory;
use super::walk::Open;
use crate::{Error, Result};

/// How a [`RecordBatchDecoder`] works.
#[derive(Debug, Clone)]
pub struct DecoderOptions {
    /// Verify each batch's CRC-32C. Default true.
    pub check_crcs: bool,
    /// Drop records of aborted transactions. Default false (read_uncommitted).
    pub read_committed: bool,
    /// Largest decompressed size of one record batch, in bytes. Default 256 MiB, less than 2 GiB whatever it is.
    pub decompressed_bytes: usize,
    /// Rows after which an output batch is cut. Default 8192.
    pub target_rows: usize,
    /// Bytes of projected keys, values and headers after which an output batch is cut. Default 16 MiB.
    pub target_bytes: usize,
    /// Batches that need not be read. Default none.
    pub filter: BatchFilter,
    /// Memory that is used again. Give decoders that follow one another the same (a clone of the options does).
    pub memory: DecoderMemory,
}

impl Default for DecoderOptions {
    fn default() -> Self {
        Self {
            check_crcs: true,
            read_committed: false,
            decompressed_bytes: 256 << 20,
            target_rows: 8192,
            target_bytes: 16 << 20,
            filter: BatchFilter::default(),
            memory: DecoderMemory::default(),
        }
    }
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
    /// Position after the last whole batch seen, at most `until` (control batches, gaps and dropped records
    /// move it too); `from` when there was none.
    pub next_offset: i64,
}

/// Turns fetched record batches into Arrow batches of [`Projection::schema`].
#[derive(Debug)]
pub struct RecordBatchDecoder {
    pub(super) projection: Projection,
    schema: SchemaRef,
    pub(super) options: DecoderOptions,
    /// The output batch being filled.
    pub(super) part: Part,
    /// Output batches that are full.
    pub(super) ready: VecDeque<Part>,
    /// Decompressed blocks that views of the parts point into, and behind them what an earlier use left.
    pub(super) arena: Vec<u8>,
    /// Bytes of the arena that are blocks of now.
    pub(super) arena_filled: usize,
    pub(super) codecs: Decompressor,
    /// The run of bytes that views of `part` are being made from.
    pub(super) open: Option<Open>,
    /// Batches like the current one that the rest of the chunk may hold, itself among them, for reserving columns
    /// once.
    pub(super) batches_ahead: usize,
    /// Message sets of old formats and control batches, rewritten.
    pub(super) scratch: Vec<u8>,
    aborted: AbortedFilter,
}

/// What stopped a batch, before its place is known.
#[derive(Debug)]
pub(super) enum Fault {
    Protocol(protocol::Error),
    Timestamp { offset: i64, timestamp_ms: i64 },
    Other(Error),
}

impl From<protocol::Error> for Fault {
    fn from(error: protocol::Error) -> Self {
        Self::Protocol(error)
    }
}

impl Fault {
    #[cold]
    fn at(self, chunk: &Chunk<'_>, base_offset: i64) -> Error {
        let (topic, partition) = (chunk.topic.to_string(), chunk.partition);
        match self {
            Fault::Protocol(source) => Error::BadBatch { topic, partition, offset: base_offset, source },
            Fault::Timestamp { offset, timestamp_ms } => {
                Error::TimestampOverflow { topic, partition, offset, timestamp_ms }
            }
            Fault::Other(error) => error,
        }
    }
}

/// Records that one compressed byte is believed to hold; the records of a batch that claims more are read.
const RECORDS_A_BYTE: usize = 32;

/// Whether a batch's payload may hold as many records as its header claims: a header alone costs nothing, and a
/// row of it up to 20 bytes.
fn can_hold(batch: &Batch<'_>) -> Result<bool, Fault> {
    let claimed = batch.header.records_count.max(0) as usize;
    Ok(match batch.header.compression()? {
        Compression::None => Records::new(batch.payload, &batch.header).at_most() == claimed,
        _ => claimed <= batch.payload.len().saturating_mul(RECORDS_A_BYTE),
    })
}

impl RecordBatchDecoder {
    /// A decoder for the wanted columns.
    pub fn new(projection: Projection, options: DecoderOptions) -> Self {
        Self {
            projection,
            schema: projection.schema(),
            options,
            part: Part::default(),
            ready: VecDeque::new(),
            arena: Vec::new(),
            arena_filled: 0,
            codecs: Decompressor::new(),
            open: None,
            batches_ahead: 1,
            scratch: Vec::new(),
            aborted: AbortedFilter::default(),
        }
    }

    /// Schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Decodes one chunk. Batches become available from [`Self::next_batch`].
    ///
    /// On an error the rows before the faulty record have been added and the rest of the chunk has not; the
    /// error names topic, partition and offset.
    pub fn push(&mut self, chunk: Chunk<'_>) -> Result<PushSummary> {
        if u32::try_from(chunk.records.len()).is_err() {
            return Err(Error::Misuse("a chunk is smaller than 4 GiB; push it in parts".into()));
        }
        let aborted = if self.options.read_committed { chunk.aborted } else { &[] };
        self.aborted.restart(aborted);
        let summary = self.batches(&chunk);
        self.close(Some(&chunk));
        summary
    }

    fn batches(&mut self, chunk: &Chunk<'_>) -> Result<PushSummary> {
        let mut summary = PushSummary { rows: 0, next_offset: chunk.from };
        let mut left = chunk.records.len();
        for batch in Batches::new(chunk.records) {
            let batch = batch.map_err(|error| Fault::from(error).at(chunk, summary.next_offset))?;
            if batch.header.base_offset >= chunk.until {
                summary.next_offset = summary.next_offset.max(chunk.until);
                break;
            }
            self.batches_ahead = left / batch.bytes.len().max(1);
            left = left.saturating_sub(batch.bytes.len());
            let rows =
                self.batch(chunk, &batch).map_err(|fault| fault.at(chunk, batch.header.base_offset))?;
            summary.rows += rows;
            summary.next_offset = summary.next_offset.max(batch.header.next_offset().min(chunk.until));
        }
        Ok(summary)
    }

    /// A batch that reached `target_rows` or `target_bytes`, if there is one.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        if self.ready.front().is_some_and(Part::needs_arena) {
            self.freeze_arena();
        }
        match self.ready.pop_front() {
            Some(part) => part.build(&self.projection, &self.schema, &self.options.memory).map(Some),
            None => Ok(None),
        }
    }

    /// What is left, cut short; call until it returns None. The decoder can then be used again.
    pub fn finish(&mut self) -> Result<Option<RecordBatch>> {
        self.close(None);
        if self.part.rows > 0 {
            self.ready.push_back(std::mem::take(&mut self.part));
        }
        self.next_batch()
    }

    /// Rows pushed and not yet taken.
    pub fn buffered_rows(&self) -> usize {
        self.part.rows + self.ready.iter().map(|part| part.rows).sum::<usize>()
    }

    /// Decodes one batch; the number of rows that it gave.
    fn batch(&mut self, chunk: &Chunk<'_>, batch: &Batch<'_>) -> Result<usize, Fault> {
        let header = &batch.header;
        let read_committed = self.options.read_committed;
        let is_wanted = header.next_offset() > chunk.from && self.options.filter.admits(header);
        // A marker still ends its transaction.
        let is_marker = read_committed && header.is_control();
        if !is_wanted && !is_marker {
            return Ok(0);
        }
        if self.options.check_crcs {
            batch.verify_crc()?;
        }
        if read_committed && self.aborted.hides(header) {
            return Ok(0);
        }
        if header.is_control() {
            if read_committed {
                self.aborted.marker(batch)?;
            }
            return Ok(0);
        }
        let p = &self.projection;
        let header_tells_all = !(p.key || p.value || p.timestamp || p.headers);
        if header.magic == 2 && header.is_gapless() && header_tells_all && can_hold(batch)? {
            return Ok(self.whole_batch(chunk, header));
        }
        if header.magic == 2 && header.compression()? == Compression::None {
            return self.frame(chunk, batch);
        }
        self.block(chunk, batch)
    }
}
