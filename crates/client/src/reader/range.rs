//! One range of one partition, handed out response by response.

use std::sync::Arc;

use bytes::Bytes;
use millstream_protocol::fetch::AbortedTransaction;
use millstream_protocol::ids::TopicPartition;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::state::{CursorId, Shared};
use super::{Handle, Watermarks};
use crate::core::budget::Permit;
use crate::core::cursor::{Chunk, Taken};
use crate::error::{Error, Result};

/// Whole record batches of one partition, as fetched. The budget is released when this is dropped.
#[derive(Debug)]
pub struct FetchedRecords {
    /// The partition.
    pub partition: TopicPartition,
    /// Whole batches, sharing the frame's allocation. The first may hold offsets below `from`, the last
    /// offsets at or above `until`: whoever decodes trims them.
    pub records: Bytes,
    /// The first offset wanted.
    pub from: i64,
    /// The offset after the last one wanted, for these records.
    pub until: i64,
    /// The position after these records: the next offset to read, which the range's end is compared with.
    pub next_offset: i64,
    /// Aborted transactions that overlap; empty under read_uncommitted.
    pub aborted: Arc<[AbortedTransaction]>,
    /// As the response told.
    pub watermarks: Watermarks,
    _held: Held,
}

/// Keeps a frame's bytes counted; when dropped, wakes lanes that wait for room.
#[derive(Debug)]
struct Held {
    permit: Option<Arc<Permit>>,
    shared: Arc<Shared>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.permit = None;
        self.shared.work.notify_waiters();
    }
}

/// A range being read. Dropping it stops nothing that is followed.
#[derive(Debug)]
pub struct RangeRead {
    handle: Arc<Handle>,
    partition: TopicPartition,
    position: i64,
    until: i64,
    id: CursorId,
    ready: Arc<Notify>,
}

impl RangeRead {
    pub(crate) fn new(handle: Arc<Handle>, partition: TopicPartition, from: i64, until: i64) -> Self {
        let (id, ready) = handle.shared.attach(&partition, from, until);
        Self { handle, partition, position: from, until, id, ready }
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> &TopicPartition {
        &self.partition
    }

    /// What the partition's leader last told of its end; none before the first answer.
    #[must_use]
    pub fn watermarks(&self) -> Option<Watermarks> {
        let state = self.handle.shared.state.lock();
        state.cursors.get(&self.id).and_then(|entry| entry.cursor.watermarks)
    }

    /// The next offset to be handed out.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.position
    }

    /// The next records; `None` once the position has reached the end. Cancel-safe.
    ///
    /// # Errors
    /// [`Error::DataLoss`] when offsets of the range no longer exist, [`Error::Timeout`] when nothing moved
    /// for `progress_timeout`, [`Error::Malformed`] when a broker's bytes cannot be read. Lost connections
    /// and leader changes are followed and not reported.
    pub async fn next(&mut self) -> Result<Option<FetchedRecords>> {
        if self.position >= self.until {
            return Ok(None);
        }
        let patience = self.handle.shared.options.progress_timeout;
        let mut deadline = Instant::now() + patience;
        let mut reached = None;
        loop {
            let (taken, position) = self.take()?;
            match taken {
                Taken::Chunk(chunk) => return Ok(Some(self.hand_out(chunk))),
                Taken::Done => {
                    self.position = self.until;
                    return Ok(None);
                }
                Taken::Failed(error) => return Err(error),
                Taken::Nothing => {}
            }
            if reached != Some(position) {
                reached = Some(position);
                deadline = Instant::now() + patience;
            }
            if timeout_at(deadline, self.ready.notified()).await.is_err() {
                return Err(self.stuck());
            }
        }
    }

    fn take(&self) -> Result<(Taken, i64)> {
        let shared = &self.handle.shared;
        let outcome = {
            let mut state = shared.state.lock();
            let entry = state.cursors.get_mut(&self.id).ok_or(Error::Closed)?;
            entry.cursor.reach(self.until);
            (entry.cursor.take(self.position, self.until), entry.cursor.position())
        };
        // There may be room in the queue now, or somebody waits in earnest.
        shared.work.notify_waiters();
        Ok(outcome)
    }

    fn hand_out(&mut self, chunk: Chunk) -> FetchedRecords {
        let next = chunk.next.min(self.until);
        let held = Held { permit: Some(chunk.permit), shared: self.handle.shared.clone() };
        self.position = next;
        FetchedRecords {
            partition: self.partition.clone(),
            records: chunk.records,
            from: chunk.from,
            until: next,
            next_offset: next,
            aborted: chunk.aborted,
            watermarks: chunk.watermarks,
            _held: held,
        }
    }

    fn stuck(&self) -> Error {
        let state = self.handle.shared.state.lock();
        let cursor = state.cursors.get(&self.id).map(|entry| &entry.cursor);
        let mut what = format!("no records of {} at offset {}", self.partition, self.position);
        if let Some(trouble) = cursor.and_then(|c| c.trouble.as_ref()) {
            what.push_str(&format!(" ({trouble})"));
        } else if let Some(told) = cursor.and_then(|c| c.watermarks) {
            let end = told.high_watermark;
            what.push_str(&format!("; the range ends at {}, the partition at {end}", self.until));
            if told.last_stable_offset < end {
                what.push_str(&format!(", with an open transaction at {}", told.last_stable_offset));
            }
        }
        Error::Timeout { what, after: self.handle.shared.options.progress_timeout }
    }
}

impl Drop for RangeRead {
    fn drop(&mut self) {
        self.handle.shared.detach(self.id, self.position >= self.until);
    }
}
