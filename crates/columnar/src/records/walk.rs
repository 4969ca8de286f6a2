//! The walk over the records of a batch, in place or decompressed, into the columns of the current part.
//!
//! This is the hot loop: per record a few appends to vectors that are already there. What is the same for all
//! records of a batch is filled in once afterwards.

use millstream_protocol::records::{Batch, BatchHeader, Records, Unpacked};

use super::chunk::Chunk;
use super::decoder::{Fault, RecordBatchDecoder};
use super::part::{Segment, Source};
use super::pool::ARENA_BYTES;
use super::views::{INLINE, Span, Window, inline_view, long_parts, long_view};
use crate::raw::RowWriter;

/// The run of bytes that views are being made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    base: Base,
    span: Span,
}

/// What a span counts its bytes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// The chunk that is being decoded.
    Frame,
    /// The decoder's arena.
    Arena,
}

/// Largest block whatever the options say: views address 32 bits, and blocks share an arena.
const MOST_BLOCK_BYTES: usize = i32::MAX as usize - FULL_ARENA_BYTES;
/// An arena that holds this much takes no further block, however much room it has: its blocks may be small ones
/// that grew without measure, and views address 32 bits.
const FULL_ARENA_BYTES: usize = 16 * ARENA_BYTES;
/// Guess of how far a block grows, for the decision whether it still fits into the arena.
const EXPANSION: usize = 4;

impl RecordBatchDecoder {
    /// Adds the rows of a batch whose header tells every projected column.
    pub(super) fn whole_batch(&mut self, chunk: &Chunk<'_>, header: &BatchHeader) {
        let end = header.next_offset().min(chunk.until);
        let mut next = header.base_offset.max(chunk.from);
        while next < end {
            let room = self.options.target_rows.saturating_sub(self.part.rows).max(1);
            let rows = usize::try_from(end - next).unwrap_or(usize::MAX).min(room);
            if self.projection.offset {
                self.part.offsets.extend(next..next + rows as i64);
            }
            self.constants(chunk, header, rows);
            next += rows as i64;
            if self.part.rows >= self.options.target_rows {
                self.cut(chunk);
            }
        }
    }

    /// Adds the rows of an uncompressed batch: views point into the fetched frame.
    pub(super) fn frame(&mut self, chunk: &Chunk<'_>, batch: &Batch<'_>) -> Result<(), Fault> {
        // Where the payload stands in the chunk, whose batches it is one of.
        let at = (batch.payload.as_ptr() as usize).wrapping_sub(chunk.records.as_ptr() as usize);
        let end = at.saturating_add(batch.payload.len());
        self.walk(chunk, &batch.header, &chunk.records[..end], at, Base::Frame)
    }

    /// Adds the rows of a compressed batch, or one of an old format: views point into the arena.
    pub(super) fn block(&mut self, chunk: &Chunk<'_>, batch: &Batch<'_>) -> Result<(), Fault> {
        let guess = batch.payload.len().saturating_mul(EXPANSION);
        self.make_room(chunk, guess);
        let at = self.arena_filled;
        let limit = self.options.decompressed_bytes.min(MOST_BLOCK_BYTES);
        let (header, end) = if batch.header.magic == 2 {
            let compression = batch.header.compression()?;
            let (codecs, arena) = (&mut self.codecs, &mut self.arena);
            (batch.header, codecs.decompress_at(compression, batch.payload, limit, arena, at)?)
        } else {
            let (header, rewritten) = match batch.unpack(limit, &mut self.scratch)? {
                Unpacked::Copied(header) => (header, &self.scratch[..]),
                Unpacked::InPlace => (batch.header, batch.payload),
            };
            self.arena.truncate(at);
            self.arena.extend_from_slice(rewritten);
            (header, self.arena.len())
        };
        self.arena_filled = end;
        let arena = std::mem::take(&mut self.arena);
        let outcome = self.walk(chunk, &header, &arena[..end], at, Base::Arena);
        self.arena = arena;
        outcome
    }

    /// Adds the rows of `bytes[at..]`, the unpacked payload of a batch.
    fn walk(
        &mut self,
        chunk: &Chunk<'_>,
        header: &BatchHeader,
        bytes: &[u8],
        at: usize,
        base: Base,
    ) -> Result<(), Fault> {
        if self.open.is_none_or(|open| open.base != base) {
            self.close(Some(chunk));
        }
        let mut records = Records::new(&bytes[at..], header);
        if header.base_offset < chunk.from {
            pass_over(&mut records, chunk.from);
        }
        loop {
            let start = at + records.bytes_read();
            let span = self.open.map_or_else(|| Span::new(self.part.segments.len(), start), |open| open.span);
            let mut window = Window::new(bytes, span);
            let (rows, outcome) = self.fill(chunk.until, at, &mut records, &mut window);
            self.open = Some(Open { base, span: window.span });
            self.constants(chunk, header, rows);
            match outcome? {
                Outcome::Full => self.cut(chunk),
                Outcome::End => return Ok(()),
            }
        }
    }

    /// Appends records below `until` until the part is full or the records end, whose payload is at `at` of the
    /// window's bytes. The number of rows comes back with errors too.
    fn fill(
        &mut self,
        until: i64,
        at: usize,
        records: &mut Records<'_>,
        window: &mut Window<'_>,
    ) -> (usize, Result<Outcome, Fault>) {
        let p = self.projection;
        let part = &mut self.part;
        let most = self.options.target_rows.saturating_sub(part.rows).max(1);
        let most_bytes = self.options.target_bytes.saturating_sub(part.bytes).max(1);
        // One row more than there can be: the records themselves say that they are at their end.
        let room = records.at_most().saturating_add(1).min(most);
        let ahead = records.at_most().saturating_mul(self.batches_ahead).saturating_add(1).min(most);
        part.reserve(&p, ahead, &self.options.memory);
        let before = part.rows;
        let (key_nulls, value_nulls, headers) =
            (&mut part.keys.nulls, &mut part.values.nulls, &mut part.headers);
        let mut rows = RowWriter::new(
            room,
            p.key.then_some(&mut part.keys.views),
            p.value.then_some(&mut part.values.views),
            p.timestamp.then_some(&mut part.timestamps),
            p.offset.then_some(&mut part.offsets),
        );
        let mut end = records.bytes_read();
        let outcome = loop {
            if !rows.has_room() || window.span.used >= most_bytes {
                break Ok(Outcome::Full);
            }
            let record = match records.next() {
                Some(Ok(record)) if record.offset < until => record,
                Some(Err(error)) => break Err(error.into()),
                _ => break Ok(Outcome::End),
            };
            let row = before.wrapping_add(rows.rows());
            let micros = match record.timestamp.checked_mul(1000) {
                Some(micros) => micros,
                None if !p.timestamp => 0,
                None => {
                    let fault = Fault::Timestamp { offset: record.offset, timestamp_ms: record.timestamp };
                    break Err(fault);
                }
            };
            if p.headers
                && let Err(error) = headers.push(record.headers, window)
            {
                break Err(Fault::Other(error));
            }
            rows.push(
                window,
                |window| record.key.map_or_else(|| key_nulls.push(row), |key| window.view(key)),
                |window| record.value.map_or_else(|| value_nulls.push(row), |value| window.view(value)),
                micros,
                record.offset,
            );
            end = records.bytes_read();
            if p.headers && headers.rewritten_bytes() >= self.options.target_bytes {
                break Ok(Outcome::Full);
            }
        };
        window.span.end = window.span.end.max(at + end);
        (rows.rows(), outcome)
    }

    /// Counts rows that were appended and fills their constant columns.
    fn constants(&mut self, chunk: &Chunk<'_>, header: &BatchHeader, rows: usize) {
        let part = &mut self.part;
        part.rows += rows;
        if self.projection.topic {
            let view = part.topic_view(chunk.topic.as_bytes());
            part.topics.resize(part.rows, view);
        }
        if self.projection.partition {
            part.partitions.resize(part.rows, chunk.partition);
        }
        if self.projection.timestamp_type {
            part.timestamp_types.resize(part.rows, header.timestamp_type().id());
        }
    }

    /// Ends the current part.
    fn cut(&mut self, chunk: &Chunk<'_>) {
        self.close(Some(chunk));
        self.ready.push_back(std::mem::take(&mut self.part));
    }

    /// Turns the open run of bytes into a segment of the part. A run over a frame is closed before its
    /// chunk is let go.
    pub(super) fn close(&mut self, chunk: Option<&Chunk<'_>>) {
        let Some(Open { base, span }) = self.open.take() else {
            return;
        };
        if span.used == 0 {
            return;
        }
        let source = match (base, chunk) {
            (Base::Arena, _) => Source::Arena(span.start..span.end),
            (Base::Frame, Some(chunk)) => Source::Frame(chunk.records.slice(span.start..span.end)),
            (Base::Frame, None) => return,
        };
        self.part.bytes += span.used;
        self.part.segments.push(Segment { source, used: span.used });
    }

    /// Makes the arena ready for a block of about `guess` bytes.
    fn make_room(&mut self, chunk: &Chunk<'_>, guess: usize) {
        if self.arena_filled < FULL_ARENA_BYTES && self.arena_filled + guess <= self.arena.capacity() {
            return;
        }
        self.close(Some(chunk));
        let in_use = self.part.needs_arena() || self.ready.iter().any(super::part::Part::needs_arena);
        if in_use {
            self.freeze_arena();
        }
        if self.arena.capacity() < guess.max(ARENA_BYTES) {
            self.arena = self.options.memory.arenas.take_used(guess.max(ARENA_BYTES));
        }
        self.arena_filled = 0;
    }

    /// Hands the arena over to the parts that use it.
    pub(super) fn freeze_arena(&mut self) {
        if self.open.is_some_and(|open| open.base == Base::Arena) {
            self.close(None);
        }
        self.arena_filled = 0;
        let buffer = self.options.memory.arenas.freeze(std::mem::take(&mut self.arena));
        for part in self.ready.iter_mut().chain([&mut self.part]) {
            part.freeze_arena(&buffer);
        }
    }
}

enum Outcome {
    Full,
    End,
}

/// Passes over the records below `from`.
fn pass_over(records: &mut Records<'_>, from: i64) {
    let mut ahead = records.clone();
    while let Some(Ok(record)) = ahead.next()
        && record.offset < from
    {
        records.clone_from(&ahead);
    }
}

impl super::part::Part {
    /// The view of a topic name; equal names in a row share one.
    fn topic_view(&mut self, name: &[u8]) -> u128 {
        if name.len() <= INLINE {
            return inline_view(name);
        }
        if let Some(view) = self.topics.last().copied()
            && let Some((length, _, at)) = long_parts(view)
            && self.topic_names.get(at..at + length) == Some(name)
        {
            return view;
        }
        let at = self.topic_names.len() as u32;
        self.topic_names.extend_from_slice(name);
        long_view(name, 0, at)
    }
}
