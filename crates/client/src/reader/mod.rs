//! Reading ranges: a long-lived, prefetching reader of raw record batches.
//!
//! ```text
//!   RangeRead --take--> [ cursors: queue, position ] <--accept-- lane (one fetch in flight) <-- broker
//!                              | leader unknown, offset out of range
//!                              v
//!                         supervisor: metadata, new lanes --> bounds: where a log begins and ends
//! ```
//!
//! A broker has two lanes, each a connection with one fetch in flight. The second is used only for partitions
//! that want data while the first is waiting for others, so that a new range never waits out a long poll.

mod bounds;
mod lane;
mod range;
mod settle;
mod state;
mod supervisor;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use millstream_protocol::ids::TopicPartition;

pub use range::{FetchedRecords, RangeRead};

use crate::kafka::Kafka;
use crate::options::FetchOptions;
use state::Shared;

/// How far a partition reaches, as the last fetch response told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Watermarks {
    /// The offset after the last replicated record: the end under read_uncommitted.
    pub high_watermark: i64,
    /// The end under read_committed: the first offset of the oldest open transaction, or the high watermark.
    pub last_stable_offset: i64,
    /// The first offset that still exists.
    pub log_start_offset: i64,
}

/// A prefetching reader. Clones share partitions, buffers and budget; when the last clone and the last range
/// are dropped, it stops.
#[derive(Debug)]
pub struct Reader {
    handle: Arc<Handle>,
    /// The version of the watermarks that this clone has been told of.
    seen: AtomicU64,
}

/// Ends the reader's tasks when nobody can ask for records any more.
#[derive(Debug)]
pub(crate) struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl Clone for Reader {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), seen: AtomicU64::new(self.seen.load(Ordering::Acquire)) }
    }
}

impl Reader {
    pub(crate) fn new(kafka: Kafka, options: FetchOptions) -> Self {
        let handle = Arc::new(Handle { shared: Arc::new(Shared::new(kafka, options)) });
        Self { handle, seen: AtomicU64::new(0) }
    }

    /// The options this reader was made with.
    #[must_use]
    pub fn options(&self) -> &FetchOptions {
        &self.handle.shared.options
    }

    /// Starts to prefetch a partition from an offset, without end, in the background. A partition that is
    /// already followed and whose prefetched data reach on from `from` is left as it is.
    pub fn follow(&self, partition: &TopicPartition, from: i64) {
        self.follow_all([(partition.clone(), from)]);
    }

    /// As [`follow`](Self::follow) for several partitions, which then share one request per broker from the
    /// start.
    pub fn follow_all(&self, partitions: impl IntoIterator<Item = (TopicPartition, i64)>) {
        self.handle.shared.follow(partitions.into_iter());
    }

    /// Stops to prefetch a partition and drops what was prefetched.
    pub fn unfollow(&self, partition: &TopicPartition) {
        self.handle.shared.unfollow(partition);
    }

    /// Reads the offsets `from..until` of a partition. Continues from prefetched data when they hold `from`,
    /// else seeks. Without [`follow`](Self::follow) no fetch starts at or beyond `until`.
    ///
    /// Ranges of one partition may be read side by side; each then fetches for itself.
    #[must_use]
    pub fn read(&self, partition: &TopicPartition, from: i64, until: i64) -> RangeRead {
        RangeRead::new(self.handle.clone(), partition.clone(), from, until)
    }

    /// What the last responses told about every partition that was followed or read.
    #[must_use]
    pub fn watermarks(&self) -> HashMap<TopicPartition, Watermarks> {
        self.handle.shared.watermarks()
    }

    /// Resolves when a partition's watermark has moved, records have arrived, or a partition has failed,
    /// since the last call on this clone. Cancel-safe; no timers.
    pub async fn changed(&self) {
        let shared = &self.handle.shared;
        loop {
            let mut notified = std::pin::pin!(shared.changed.notified());
            notified.as_mut().enable();
            let version = shared.version.load(Ordering::Acquire);
            if self.seen.swap(version, Ordering::AcqRel) != version {
                return;
            }
            notified.await;
        }
    }
}
