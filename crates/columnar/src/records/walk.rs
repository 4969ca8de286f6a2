//! The walk over the records of a batch, in place or decompressed, into the columns of the current part.
//!
//! This is the hot loop: per record a few appends to vectors that are already there. What is the same for all
//! records of a batch is filled in once afterwards.

use millstream_protocol::codec;
use millstream_protocol::records::{Batch, BatchHeader, Records, Unpacked};

use super::decoder::{Chunk, Fault, RecordBatchDecoder};
use super::part::{Segment, Source};
use super::pool::ARENA_BYTES;
use super::views::{INLINE, Span, Window, inline_view, long_parts, long_view};

/// The run of bytes that views are being made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    base: Base,
    span: Span,
}

/// What a span counts its bytes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Base {
    /// The chunk that is being pushed.
    Frame,
    /// The decoder's arena.
    Arena,
}

/// Guess of how far a block grows, for the decision whether it still fits into the arena.
const EXPANSION: usize = 4;

impl RecordBatchDecoder {
    /// Adds the rows of a batch whose header tells every projected column.
    pub(super) fn whole_batch(&mut self, chunk: &Chunk<'_>, header: &BatchHeader) -> usize {
        let first = header.base_offset.max(chunk.from);
        let end = header.next_offset().min(chunk.until);
        let mut next = first;
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
        (end - first).max(0) as usize
    }

    /// Adds the rows of an uncompressed batch: views point into the fetched frame.
    pub(super) fn frame(&mut self, chunk: &Chunk<'_>, batch: &Batch<'_>) -> Result<usize, Fault> {
        self.walk(chunk, &batch.header, batch.payload, Base::Frame, chunk.records)
    }

    /// Adds the rows of a compressed batch, or one of an old format: views point into the arena.
    pub(super) fn block(&mut self, chunk: &Chunk<'_>, batch: &Batch<'_>) -> Result<usize, Fault> {
        let guess = batch.payload.len().saturating_mul(EXPANSION);
        self.make_room(chunk, guess);
        let at = self.arena.len();
        let limit = self.options.decompressed_bytes;
        let header = if batch.header.magic == 2 {
            codec::decompress(batch.header.compression()?, batch.payload, limit, &mut self.arena)?;
            batch.header
        } else {
            match batch.unpack(limit, &mut self.scratch)? {
                Unpacked::Copied(header) => {
                    self.arena.extend_from_slice(&self.scratch);
                    header
                }
                Unpacked::InPlace => {
                    self.arena.extend_from_slice(batch.payload);
                    batch.header
                }
            }
        };
        let arena = std::mem::take(&mut self.arena);
        let rows = self.walk(chunk, &header, &arena[at..], Base::Arena, &arena);
        self.arena = arena;
        rows
    }

    fn walk(
        &mut self,
        chunk: &Chunk<'_>,
        header: &BatchHeader,
        payload: &[u8],
        base: Base,
        bytes: &[u8],
    ) -> Result<usize, Fault> {
        if self.open.is_none_or(|open| open.base != base) {
            self.close(Some(chunk));
        }
        let mut records = Records::new(payload, header);
        let mut total = 0;
        loop {
            let span = self.open.map_or_else(|| Span::new(self.part.segments.len()), |open| open.span);
            let mut window = Window { base: bytes, span };
            let (rows, outcome) = self.fill(chunk, &mut records, &mut window);
            self.open = Some(Open { base, span: window.span });
            self.constants(chunk, header, rows);
            total += rows;
            match outcome? {
                Outcome::Full => self.cut(chunk),
                Outcome::End => return Ok(total),
            }
        }
    }

    /// Appends records until the part is full or the records end. The number of rows comes back with errors
    /// too.
    #[inline(always)]
    fn fill(
        &mut self,
        chunk: &Chunk<'_>,
        records: &mut Records<'_>,
        window: &mut Window<'_>,
    ) -> (usize, Result<Outcome, Fault>) {
        let p = self.projection;
        let part = &mut self.part;
        let most = self.options.target_rows.saturating_sub(part.rows).max(1);
        let most_bytes = self.options.target_bytes.saturating_sub(part.bytes);
        part.reserve(&p, self.rows_ahead.min(most), &self.options.memory);
        let mut rows = 0;
        for record in records {
            let record = match record {
                Ok(record) => record,
                Err(error) => return (rows, Err(error.into())),
            };
            if record.offset < chunk.from {
                continue;
            }
            if record.offset >= chunk.until {
                break;
            }
            if p.timestamp {
                let Some(micros) = record.timestamp.checked_mul(1000) else {
                    let fault = Fault::Timestamp { offset: record.offset, timestamp_ms: record.timestamp };
                    return (rows, Err(fault));
                };
                part.timestamps.push(micros);
            }
            if p.key {
                part.keys.push(record.key, window);
            }
            if p.value {
                part.values.push(record.value, window);
            }
            if p.offset {
                part.offsets.push(record.offset);
            }
            if p.headers
                && let Err(error) = part.headers.push(record.headers, window)
            {
                return (rows, Err(Fault::Other(error)));
            }
            rows += 1;
            if rows >= most || window.span.used >= most_bytes {
                return (rows, Ok(Outcome::Full));
            }
        }
        (rows, Ok(Outcome::End))
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

    /// Turns the open run of bytes into a segment of the part. A run over a frame is closed before its push
    /// ends.
    pub(super) fn close(&mut self, chunk: Option<&Chunk<'_>>) {
        let Some(Open { base, span }) = self.open.take() else {
            return;
        };
        let Some(start) = span.start else {
            return;
        };
        let source = match (base, chunk) {
            (Base::Arena, _) => Source::Arena(start..span.end),
            (Base::Frame, Some(chunk)) => Source::Frame(chunk.records.slice(start..span.end)),
            (Base::Frame, None) => return,
        };
        self.part.bytes += span.used;
        self.part.segments.push(Segment { source, used: span.used });
    }

    /// Makes the arena ready for a block of about `guess` bytes.
    fn make_room(&mut self, chunk: &Chunk<'_>, guess: usize) {
        if self.arena.len() + guess <= self.arena.capacity() {
            return;
        }
        self.close(Some(chunk));
        let in_use = self.part.needs_arena() || self.ready.iter().any(super::part::Part::needs_arena);
        if in_use {
            self.freeze_arena();
        }
        if self.arena.capacity() < guess.max(ARENA_BYTES) {
            self.arena = self.options.memory.arenas.take(guess.max(ARENA_BYTES));
        }
        self.arena.clear();
    }

    /// Hands the arena over to the parts that use it.
    pub(super) fn freeze_arena(&mut self) {
        if self.open.is_some_and(|open| open.base == Base::Arena) {
            self.close(None);
        }
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
