//! One range of one partition, handed out response by response.

use bytes::Bytes;
use millstream_protocol::fetch::AbortedTransaction;
use millstream_protocol::ids::TopicPartition;

use crate::error::{Error, Result};
use crate::reader::Watermarks;

/// Whole record batches of one partition, as fetched. The budget is released when this is dropped.
#[derive(Debug)]
pub struct FetchedRecords {
    /// The partition.
    pub partition: TopicPartition,
    /// Whole batches, sharing the frame's allocation. The first may hold offsets below `from`, the last offsets at
    /// or above `until`: whoever decodes trims them.
    pub records: Bytes,
    /// The first offset wanted.
    pub from: i64,
    /// The offset after the last one wanted, for these records.
    pub until: i64,
    /// The position after these records: the next offset to read, which the range's end is compared with.
    pub next_offset: i64,
    /// Aborted transactions that overlap; empty under read_uncommitted.
    pub aborted: Vec<AbortedTransaction>,
    /// As the response told.
    pub watermarks: Watermarks,
}

/// A range being read. Dropping it stops nothing that is followed.
#[derive(Debug)]
pub struct RangeRead {
    partition: TopicPartition,
    position: i64,
    until: i64,
}

impl RangeRead {
    pub(crate) fn new(partition: TopicPartition, from: i64, until: i64) -> Self {
        Self { partition, position: from, until }
    }

    /// The partition.
    #[must_use]
    pub fn partition(&self) -> &TopicPartition {
        &self.partition
    }

    /// The next offset to be handed out.
    #[must_use]
    pub fn position(&self) -> i64 {
        self.position
    }

    /// The next records; `None` once the position has reached the end. Cancel-safe.
    ///
    /// # Errors
    /// [`Error::DataLoss`] when offsets of the range no longer exist, [`Error::Timeout`] when nothing moved for
    /// `progress_timeout`, [`Error::Malformed`] when a broker's bytes cannot be read. Lost connections and leader
    /// changes are followed and not reported.
    pub async fn next(&mut self) -> Result<Option<FetchedRecords>> {
        if self.position >= self.until {
            return Ok(None);
        }
        Err(Error::unsupported("reading"))
    }
}
