//! The decoder: fetched bytes in, Arrow batches out.
//!
//! A chunk is decoded as its batches are asked for, one record batch after the other until an output batch is full.
//! So no more is decompressed than a record batch beyond what was handed out, whatever a chunk may grow to.
//!
//! Order of the steps for each record batch: trimming by its header, checksum, control batches and aborted
//! transactions, decompression into the arena, the walk over its records. One record costs no allocation; an
//! output batch costs a few.

use std::collections::VecDeque;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use millstream_protocol::codec::Decompressor;
use millstream_protocol::records::{AbortedFilter, Batch, Batches, Records};
use millstream_protocol::{self as protocol, Compression};

use super::Projection;
use super::chunk::{Chunk, Pending, Progress};
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
    /// The chunk that batches come from.
    pending: Pending,
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
            pending: Pending::default(),
            aborted: AbortedFilter::default(),
        }
    }

    /// Schema of the batches.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Takes a chunk, whose rows come from [`Self::next_batch`]. Costs nothing yet: its bytes are shared, not copied.
    ///
    /// # Errors
    /// [`Error::Misuse`] where the chunk before has not been asked for to its end, or for one of 4 GiB.
    pub fn push(&mut self, chunk: Chunk<'_>) -> Result<()> {
        if !self.pending.is_done() || !self.ready.is_empty() {
            return Err(Error::Misuse("call next_batch until it returns None before pushing more".into()));
        }
        if u32::try_from(chunk.records.len()).is_err() {
            return Err(Error::Misuse("a chunk is smaller than 4 GiB; push it in parts".into()));
        }
        self.aborted.restart(if self.options.read_committed { chunk.aborted } else { &[] });
        self.pending.restart(chunk);
        Ok(())
    }

    /// A batch that reached `target_rows` or `target_bytes`; None when the chunk is at its end, with rows that are
    /// left waiting for the next one or for [`Self::finish`].
    ///
    /// # Errors
    /// Name topic, partition and offset of what cannot be read. The rows before it have been added, the rest of the
    /// chunk is dropped.
    pub fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        if self.ready.is_empty() && !self.pending.is_done() {
            let mut pending = std::mem::take(&mut self.pending);
            let (chunk, progress) = pending.parts();
            let outcome = self.decode(&chunk, progress);
            if outcome.is_err() || pending.is_done() {
                self.close(Some(&pending.parts().0));
                pending.end();
            }
            self.pending = pending;
            outcome?;
        }
        self.next_ready()
    }

    /// What is left, cut short; call until it returns None. The decoder can then be used again.
    ///
    /// # Errors
    /// As [`Self::next_batch`].
    pub fn finish(&mut self) -> Result<Option<RecordBatch>> {
        if let Some(batch) = self.next_batch()? {
            return Ok(Some(batch));
        }
        self.close(None);
        if self.part.rows > 0 {
            self.ready.push_back(std::mem::take(&mut self.part));
        }
        self.next_ready()
    }

    /// Position behind what has been decoded of the chunk, at most its `until`: control batches, gaps and dropped
    /// records move it too. `from` where there was no whole batch.
    pub fn next_offset(&self) -> i64 {
        self.pending.next_offset()
    }

    /// Rows decoded and not yet taken.
    pub fn buffered_rows(&self) -> usize {
        self.part.rows + self.ready.iter().map(|part| part.rows).sum::<usize>()
    }

    fn next_ready(&mut self) -> Result<Option<RecordBatch>> {
        if self.ready.front().is_some_and(Part::needs_arena) {
            self.freeze_arena();
        }
        match self.ready.pop_front() {
            Some(part) => part.build(&self.projection, &self.schema, &self.options.memory).map(Some),
            None => Ok(None),
        }
    }

    /// Decodes record batches until an output batch is full or the chunk is at its end.
    fn decode(&mut self, chunk: &Chunk<'_>, progress: &mut Progress) -> Result<()> {
        let size = chunk.records.len();
        for batch in Batches::new(&chunk.records[progress.bytes..]) {
            let batch = batch.map_err(|error| Fault::from(error).at(chunk, progress.next_offset))?;
            if batch.header.base_offset >= chunk.until {
                progress.next_offset = progress.next_offset.max(chunk.until);
                break;
            }
            self.batches_ahead = (size - progress.bytes) / batch.bytes.len().max(1);
            self.batch(chunk, &batch).map_err(|fault| fault.at(chunk, batch.header.base_offset))?;
            progress.bytes += batch.bytes.len();
            let next_offset = batch.header.next_offset().min(chunk.until);
            progress.next_offset = progress.next_offset.max(next_offset);
            if !self.ready.is_empty() {
                return Ok(());
            }
        }
        progress.bytes = size;
        Ok(())
    }

    /// Decodes one batch.
    fn batch(&mut self, chunk: &Chunk<'_>, batch: &Batch<'_>) -> Result<(), Fault> {
        let header = &batch.header;
        let read_committed = self.options.read_committed;
        let is_wanted = header.next_offset() > chunk.from && self.options.filter.admits(header);
        // A marker still ends its transaction.
        let is_marker = read_committed && header.is_control();
        if !is_wanted && !is_marker {
            return Ok(());
        }
        if self.options.check_crcs {
            batch.verify_crc()?;
        }
        if read_committed && self.aborted.hides(header) {
            return Ok(());
        }
        if header.is_control() {
            if read_committed {
                self.aborted.marker(batch)?;
            }
            return Ok(());
        }
        let p = &self.projection;
        let header_tells_all = !(p.key || p.value || p.timestamp || p.headers);
        if header.magic == 2 && header.is_gapless() && header_tells_all && can_hold(batch)? {
            self.whole_batch(chunk, header);
            return Ok(());
        }
        if header.magic == 2 && header.compression()? == Compression::None {
            return self.frame(chunk, batch);
        }
        self.block(chunk, batch)
    }
}
