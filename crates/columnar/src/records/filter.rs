//! Which batches can be skipped by their headers alone, because no row of theirs is wanted.
//!
//! | header field     | what follows from it                                                       |
//! |------------------|----------------------------------------------------------------------------|
//! | base offset      | no record is before it (formats 0 and 1 compressed: it is the last one's)   |
//! | last offset      | no record is behind it                                                     |
//! | max timestamp    | no record of format 2 is later; with append times, none is earlier either  |
//!
//! Brokers compute the max timestamp of a batch that they append themselves, so it holds whatever the producer
//! wrote. A base timestamp is the first record's and bounds nothing.

use millstream_protocol::records::{BatchHeader, TimestampType};

/// Offsets and times that are wanted, all inclusive. A batch without any such row is skipped: it is not checked,
/// decompressed or walked. Other batches are decoded whole, so that rows beyond the filter still come out of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchFilter {
    /// Smallest offset wanted.
    pub min_offset: i64,
    /// Largest offset wanted.
    pub max_offset: i64,
    /// Earliest timestamp wanted, ms since 1970.
    pub min_timestamp: i64,
    /// Latest timestamp wanted, ms since 1970.
    pub max_timestamp: i64,
}

impl Default for BatchFilter {
    fn default() -> Self {
        Self { min_offset: i64::MIN, max_offset: i64::MAX, min_timestamp: i64::MIN, max_timestamp: i64::MAX }
    }
}

impl BatchFilter {
    /// Whether the batch may hold a wanted row.
    pub fn admits(&self, header: &BatchHeader) -> bool {
        if header.last_offset() < self.min_offset {
            return false;
        }
        if header.magic < 2 {
            return true;
        }
        let all_at_max = header.timestamp_type() == TimestampType::LogAppendTime;
        header.base_offset <= self.max_offset
            && header.max_timestamp >= self.min_timestamp
            && !(all_at_max && header.max_timestamp > self.max_timestamp)
    }
}

#[cfg(test)]
mod tests {
    use millstream_protocol::records::{
        BatchBuilder, BatchOptions, Batches, set_base_offset, set_log_append_time,
    };

    use super::*;

    /// Offsets 10 to 12, times 100, 300 and 200.
    fn batch() -> Vec<u8> {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        for timestamp in [100, 300, 200] {
            builder.append(timestamp, None, Some(b"v"), &[]).unwrap();
        }
        let mut bytes = builder.finish().unwrap().into_bytes().to_vec();
        set_base_offset(&mut bytes, 10, 1).unwrap();
        bytes
    }

    fn admits(bytes: &[u8], filter: BatchFilter) -> bool {
        filter.admits(&Batches::new(bytes).next().unwrap().unwrap().header)
    }

    #[test]
    fn a_batch_is_admitted_if_its_header_leaves_room_for_a_wanted_row() {
        let all = BatchFilter::default();
        let created = batch();
        let mut appended = batch();
        set_log_append_time(&mut appended, 250).unwrap();
        for (filter, with_create_time, with_append_time) in [
            (all, true, true),
            (BatchFilter { min_offset: 12, ..all }, true, true),
            (BatchFilter { min_offset: 13, ..all }, false, false),
            (BatchFilter { max_offset: 10, ..all }, true, true),
            (BatchFilter { max_offset: 9, ..all }, false, false),
            (BatchFilter { min_timestamp: 251, ..all }, true, false),
            (BatchFilter { min_timestamp: 301, ..all }, false, false),
            (BatchFilter { max_timestamp: 99, ..all }, true, false),
            (BatchFilter { max_timestamp: 250, ..all }, true, true),
        ] {
            assert_eq!(admits(&created, filter), with_create_time, "{filter:?}");
            assert_eq!(admits(&appended, filter), with_append_time, "{filter:?}");
        }
    }
}
