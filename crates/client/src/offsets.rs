//! Finding offsets: earliest, latest, by timestamp (ListOffsets, API 2).

/// Which offset of a partition is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OffsetSpec {
    /// The first offset that still exists (wire value -2).
    Earliest,
    /// The end of what the isolation level may read: high watermark, or last stable offset (wire value -1).
    Latest,
    /// The first offset whose timestamp is at or after this many milliseconds since 1970.
    Timestamp(i64),
    /// The offset of the record with the greatest timestamp (KIP-734, wire value -3).
    MaxTimestamp,
}

/// What ListOffsets found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundOffset {
    /// The offset; `None` when no record matches the timestamp.
    pub offset: Option<i64>,
    /// The timestamp of that record in milliseconds; `None` for earliest and latest.
    pub timestamp: Option<i64>,
}
