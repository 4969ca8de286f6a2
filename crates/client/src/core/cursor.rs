//! One partition being read: where the next fetch starts, what has been fetched, and what stands in the way.
//!
//! ```text
//!   fetched and not taken                 next fetch
//!   |-- chunk --|-- chunk --|            |
//!   ^ front.from             ^ position  ^ position (after an answer)          end: an offset, or never
//! ```
//!
//! Facts: a position moves by batch headers only, to the offset after the last whole batch; a partial batch
//! at the end of a response is dropped and fetched again. A response may begin with a batch that holds
//! offsets below the position. A range is over when the position has reached its end, whatever records it
//! held: control batches, aborted transactions and compaction leave gaps.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use millstream_protocol::fetch::AbortedTransaction;
use millstream_protocol::ids::TopicPartition;
use millstream_protocol::records::{AbortedFilter, Batches};
use uuid::Uuid;

use super::budget::Permit;
use crate::error::Error;
use crate::reader::Watermarks;

/// Who is to be asked for a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead {
    /// To be looked up in the metadata at hand.
    Wanted,
    /// The metadata of this version are wrong or unusable: refresh them first.
    Lost { version: u64 },
    /// This broker, under this epoch.
    At { node: i32, epoch: i32 },
    /// The leader does not have the position: find out what it has.
    OutOfRange,
    /// It is being asked what it has.
    Asked,
}

/// How far to fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// On and on.
    Never,
    /// Until the position has reached this offset.
    At(i64),
}

/// Whole batches, fetched and not yet handed out.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    pub(crate) records: Bytes,
    /// The first offset wanted.
    pub(crate) from: i64,
    /// The offset after the last batch.
    pub(crate) next: i64,
    pub(crate) aborted: Arc<[AbortedTransaction]>,
    pub(crate) watermarks: Watermarks,
    pub(crate) permit: Arc<Permit>,
}

/// What a caller who wants records gets.
#[derive(Debug)]
pub(crate) enum Taken {
    Chunk(Chunk),
    /// The position has reached the end.
    Done,
    /// Nothing yet.
    Nothing,
    Failed(Error),
}

/// What the batches of a response amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Bytes of whole batches.
    pub(crate) bytes: usize,
    /// The offset after the last of them.
    pub(crate) next: i64,
    /// The leader epoch of the last of them.
    pub(crate) epoch: i32,
}

/// A partition being read.
#[derive(Debug)]
pub(crate) struct Cursor {
    pub(crate) partition: TopicPartition,
    /// Nil until the topic was found once. Another id later is another topic.
    pub(crate) topic_id: Uuid,
    pub(crate) lead: Lead,
    pub(crate) end: End,
    position: i64,
    queue: VecDeque<Chunk>,
    queued_bytes: usize,
    pub(crate) in_flight: bool,
    /// A caller is reading it.
    pub(crate) is_attached: bool,
    /// That caller waits and nothing is queued.
    pub(crate) is_waited_for: bool,
    /// Attempts in a row that brought nothing.
    pub(crate) failures: u32,
    /// How often in a row the metadata did not know the partition.
    pub(crate) unknown: u32,
    /// The last thing that went wrong and is being dealt with.
    pub(crate) trouble: Option<Error>,
    failure: Option<Error>,
    /// The range being read was lost with the end of the log.
    has_vanished: bool,
    pub(crate) watermarks: Option<Watermarks>,
    /// Leader epoch of the last batch fetched, -1 if there is none: lets the leader notice a truncated log.
    pub(crate) last_epoch: i32,
    /// When it last took part in a fetch, for turns among partitions.
    pub(crate) turn: u64,
}

impl Cursor {
    pub(crate) fn new(partition: TopicPartition, from: i64, end: End) -> Self {
        Self {
            partition,
            topic_id: Uuid::nil(),
            lead: Lead::Wanted,
            end,
            position: from,
            queue: VecDeque::new(),
            queued_bytes: 0,
            in_flight: false,
            is_attached: false,
            is_waited_for: false,
            failures: 0,
            unknown: 0,
            trouble: None,
            failure: None,
            has_vanished: false,
            watermarks: None,
            last_epoch: -1,
            turn: 0,
        }
    }

    /// The offset that the next fetch asks for.
    pub(crate) fn position(&self) -> i64 {
        self.position
    }

    /// Whether reading can go on at `from` without a seek, or has failed on the way there.
    pub(crate) fn covers(&self, from: i64) -> bool {
        let first = self.queue.front().map_or(self.position, |chunk| chunk.from);
        (first..=self.position).contains(&from)
    }

    /// Makes a bounded cursor go at least as far as `until`.
    pub(crate) fn reach(&mut self, until: i64) {
        if let End::At(end) = self.end {
            self.end = End::At(end.max(until));
        }
    }

    /// Whether a fetch should be sent for it, with at most `share` bytes queued.
    pub(crate) fn wants_fetch(&self, share: usize) -> bool {
        self.is_open() && !self.in_flight && (self.queue.is_empty() || self.queued_bytes < share)
    }

    /// Whether its leader has to be found, or its position checked.
    pub(crate) fn needs_care(&self) -> bool {
        self.is_open() && !self.in_flight && !matches!(self.lead, Lead::At { .. } | Lead::Asked)
    }

    /// Whether there is more to fetch.
    pub(crate) fn is_open(&self) -> bool {
        let ended = matches!(self.end, End::At(end) if self.position >= end);
        !ended && self.failure.is_none()
    }

    /// Takes in the whole batches of a response to a fetch from the current position.
    pub(crate) fn accept(&mut self, mut chunk: Chunk, extent: Extent) {
        self.failures = 0;
        self.unknown = 0;
        self.trouble = None;
        self.watermarks = Some(chunk.watermarks);
        if extent.bytes == 0 {
            return;
        }
        chunk.records.truncate(extent.bytes);
        chunk.from = self.position;
        chunk.next = extent.next;
        self.position = extent.next;
        self.last_epoch = extent.epoch;
        self.queued_bytes += chunk.records.len();
        self.queue.push_back(chunk);
    }

    /// Hands out the next queued batches of `from..until`.
    pub(crate) fn take(&mut self, from: i64, until: i64) -> Taken {
        self.is_waited_for = false;
        loop {
            let Some(front) = self.queue.front() else {
                return self.without_chunk(until);
            };
            if front.next <= from {
                self.pop();
                continue;
            }
            if front.from >= until {
                return Taken::Done;
            }
            if front.next <= until {
                return self.pop().map_or(Taken::Nothing, |chunk| {
                    Taken::Chunk(Chunk { from: chunk.from.max(from), ..chunk })
                });
            }
            return Taken::Chunk(self.split(from, until));
        }
    }

    /// Stops for good; whoever reads is told.
    pub(crate) fn fail(&mut self, error: Error) {
        self.failure.get_or_insert(error);
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Goes on at another offset, because the log no longer has the present one. Only while nothing is in
    /// flight.
    pub(crate) fn skip_to(&mut self, position: i64) {
        self.position = position;
        self.last_epoch = -1;
        self.lead = Lead::Wanted;
    }

    /// The range being read no longer exists: its reader is done.
    pub(crate) fn vanish(&mut self) {
        self.has_vanished = true;
        if matches!(self.end, End::At(_)) {
            self.end = End::At(self.position);
        }
    }

    fn without_chunk(&mut self, until: i64) -> Taken {
        if self.position >= until || std::mem::take(&mut self.has_vanished) {
            return Taken::Done;
        }
        match &self.failure {
            Some(failure) => Taken::Failed(failure.clone()),
            None => {
                self.is_waited_for = true;
                Taken::Nothing
            }
        }
    }

    fn pop(&mut self) -> Option<Chunk> {
        let chunk = self.queue.pop_front()?;
        self.queued_bytes -= chunk.records.len();
        Some(chunk)
    }

    /// Cuts the front chunk at `until`. The batch in which it lies goes out now and stays for the next range.
    fn split(&mut self, from: i64, until: i64) -> Chunk {
        let front = &mut self.queue[0];
        let (mut given, mut kept) = (front.records.len(), 0);
        let mut batches = Batches::new(&front.records);
        let mut start = 0;
        let mut aborted = AbortedFilter::new(&front.aborted);
        // The headers were read once already, when the response came.
        while let Some(Ok(batch)) = batches.next() {
            if batch.header.base_offset >= until {
                given = start;
                break;
            }
            if batch.header.next_offset() <= until {
                kept = batches.position();
                aborted.hides(&batch.header);
                // One that cannot be read is told to whoever decodes it.
                let _ = batch.header.is_control().then(|| aborted.marker(&batch));
            }
            start = batches.position();
        }
        let chunk =
            Chunk { records: front.records.slice(..given), from: front.from.max(from), ..front.clone() };
        self.queued_bytes -= kept;
        front.records = front.records.slice(kept..);
        front.from = until;
        if !front.aborted.is_empty() {
            front.aborted = aborted.left().into();
        }
        Chunk { next: until, ..chunk }
    }
}

/// Walks the batch headers of a response: one cache line a batch.
///
/// # Errors
/// When a header is corrupt, the first batch is not whole, or the batches end before the position that was
/// asked for.
pub(crate) fn extent(records: &[u8], position: i64) -> Result<Extent, millstream_protocol::Error> {
    let mut extent = Extent { bytes: 0, next: position, epoch: -1 };
    let mut batches = Batches::new(records);
    while let Some(batch) = batches.next() {
        let header = match batch {
            Ok(batch) => batch.header,
            // Good batches before a corrupt one are kept; the fetch after them meets it first.
            Err(_) if extent.bytes > 0 => break,
            Err(error) => return Err(error),
        };
        extent.bytes = batches.position();
        extent.next = extent.next.max(header.next_offset());
        extent.epoch = header.leader_epoch;
    }
    if extent.bytes == 0 && !records.is_empty() {
        // The first batch comes whole since KIP-74. Asking on and on for one that does not would never end.
        return Err(millstream_protocol::Error::Corrupt {
            base_offset: position,
            what: "only a part of the first batch was sent, where brokers send it whole; \
                   max.partition.fetch.bytes and fetch.max.bytes above the largest batch may help"
                .into(),
        });
    }
    if extent.bytes > 0 && extent.next <= position {
        return Err(millstream_protocol::Error::Corrupt {
            base_offset: position,
            what: "the batches sent end before the offset asked for".into(),
        });
    }
    Ok(extent)
}

#[cfg(test)]
mod tests;
