//! The header of a record batch, format 2.
//!
//! | field                | offset | size | meaning                                             |
//! |----------------------|--------|------|-----------------------------------------------------|
//! | base offset          |      0 |    8 | offset of the first record as it was written        |
//! | batch length         |      8 |    4 | bytes after this field                              |
//! | leader epoch         |     12 |    4 | partition leader's epoch when it was appended       |
//! | magic                |     16 |    1 | format, 2                                           |
//! | crc                  |     17 |    4 | CRC-32C of everything from the attributes on        |
//! | attributes           |     21 |    2 | see [`Attributes`]                                  |
//! | last offset delta    |     23 |    4 | offset of the last record minus base offset         |
//! | base timestamp       |     27 |    8 | timestamp of the first record, ms since 1970        |
//! | max timestamp        |     35 |    8 | largest timestamp, or the append time               |
//! | producer id          |     43 |    8 | -1 if not idempotent                                |
//! | producer epoch       |     51 |    2 |                                                     |
//! | base sequence        |     53 |    4 | sequence number of the first record                 |
//! | records count        |     57 |    4 |                                                     |
//! | records              |     61 |      | compressed as the attributes say                    |
//!
//! Compaction removes records but keeps the last offset delta, so the next offset to fetch always
//! follows from the header and never from the last record seen.

use crate::{Compression, Error, Result};

/// Bytes of a format 2 header.
pub const HEADER_BYTES: usize = 61;
/// Bytes before the part that the batch length counts.
pub(crate) const PREFIX_BYTES: usize = 12;
/// Where the format number stands, in all formats.
pub(crate) const MAGIC_AT: usize = 16;
pub(crate) const CRC_AT: usize = 17;
pub(crate) const ATTRIBUTES_AT: usize = 21;
pub(crate) const MAX_TIMESTAMP_AT: usize = 35;
pub(crate) const PRODUCER_ID_AT: usize = 43;
pub(crate) const COUNT_AT: usize = 57;

/// The header of a batch as numbers. Made by [`super::Batches`], whose checks it has passed:
/// `last_offset()` and `next_offset()` do not overflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// Offset of the first record as written. Of a compressed format 0 or 1 set, which does not tell,
    /// the offset of its last record.
    pub base_offset: i64,
    /// Bytes after the length field; see [`BatchHeader::total_bytes`].
    pub length: i32,
    /// Epoch of the leader that appended the batch, -1 if unknown.
    pub leader_epoch: i32,
    /// Format: 0, 1 or 2.
    pub magic: i8,
    /// Checksum that the batch carries.
    pub crc: u32,
    /// Flags.
    pub attributes: Attributes,
    /// Offset of the last record minus `base_offset`.
    pub last_offset_delta: i32,
    /// Timestamp that the records' deltas count from, ms since 1970.
    pub base_timestamp: i64,
    /// Largest timestamp of the batch, or when it was appended.
    pub max_timestamp: i64,
    /// Id of the idempotent producer, -1 if none.
    pub producer_id: i64,
    /// Its epoch, -1 if none.
    pub producer_epoch: i16,
    /// Its sequence number for the first record, -1 if none.
    pub base_sequence: i32,
    /// Number of records; -1 for a compressed format 0 or 1 set, which does not tell.
    pub records_count: i32,
}

impl BatchHeader {
    /// Reads a format 2 header from the start of `bytes` and checks what can be checked without the records.
    pub(crate) fn read(bytes: &[u8; HEADER_BYTES]) -> Result<Self> {
        let header = Self {
            base_offset: i64_at(bytes, 0),
            length: i32_at(bytes, 8),
            leader_epoch: i32_at(bytes, 12),
            magic: bytes[MAGIC_AT] as i8,
            crc: i32_at(bytes, CRC_AT) as u32,
            attributes: Attributes(i16_at(bytes, ATTRIBUTES_AT)),
            last_offset_delta: i32_at(bytes, 23),
            base_timestamp: i64_at(bytes, 27),
            max_timestamp: i64_at(bytes, MAX_TIMESTAMP_AT),
            producer_id: i64_at(bytes, PRODUCER_ID_AT),
            producer_epoch: i16_at(bytes, 51),
            base_sequence: i32_at(bytes, 53),
            records_count: i32_at(bytes, COUNT_AT),
        };
        header.check()?;
        Ok(header)
    }

    /// Offset of the last record as written; compaction may have removed the record itself.
    #[inline]
    pub fn last_offset(&self) -> i64 {
        self.base_offset.saturating_add(i64::from(self.last_offset_delta))
    }

    /// Offset to fetch after this batch.
    #[inline]
    pub fn next_offset(&self) -> i64 {
        self.last_offset().saturating_add(1)
    }

    /// Bytes of the whole batch.
    pub fn total_bytes(&self) -> usize {
        PREFIX_BYTES + self.length.max(0) as usize
    }

    /// Whether the batch holds transaction markers instead of records of a user.
    #[inline]
    pub fn is_control(&self) -> bool {
        self.attributes.is_control()
    }

    /// Whether the batch is part of a transaction.
    #[inline]
    pub fn is_transactional(&self) -> bool {
        self.attributes.is_transactional()
    }

    /// Who set the timestamps.
    #[inline]
    pub fn timestamp_type(&self) -> TimestampType {
        if self.magic == 0 { TimestampType::None } else { self.attributes.timestamp_type() }
    }

    /// Compression of the payload.
    pub fn compression(&self) -> Result<Compression> {
        let code = self.attributes.compression_code();
        Compression::from_id(code).ok_or(Error::UnsupportedCodec { code, base_offset: self.base_offset })
    }

    /// Whether the records fill every offset of the batch, so that counting needs no records.
    pub fn is_gapless(&self) -> bool {
        i64::from(self.records_count) == i64::from(self.last_offset_delta) + 1
    }

    fn check(&self) -> Result<()> {
        let fault = if self.base_offset < 0 {
            "its base offset is negative"
        } else if self.last_offset_delta < 0 {
            "its last offset delta is negative"
        } else if self.base_offset.checked_add(i64::from(self.last_offset_delta) + 1).is_none() {
            "its offsets overflow"
        } else if self.records_count < 0 {
            "its record count is negative"
        } else if i64::from(self.records_count) > i64::from(self.last_offset_delta) + 1 {
            "it claims more records than offsets"
        } else {
            return Ok(());
        };
        Err(Error::corrupt(self.base_offset, fault))
    }
}

/// Flags of a batch. Bits 0 to 2: compression; 3: timestamps are append times; 4: transactional;
/// 5: control; 6: the base timestamp is a delete horizon (KIP-534).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes(pub i16);

impl Attributes {
    const LOG_APPEND_TIME: i16 = 1 << 3;
    const TRANSACTIONAL: i16 = 1 << 4;
    const CONTROL: i16 = 1 << 5;

    /// The flags of a batch to be written.
    pub fn new(compression: Compression, transactional: bool, control: bool) -> Self {
        Self(i16::from(compression.id()))
            .with(Self::TRANSACTIONAL, transactional)
            .with(Self::CONTROL, control)
    }

    /// Number of the compression method; 5 to 7 are not defined.
    pub fn compression_code(self) -> i8 {
        (self.0 & 0b111) as i8
    }

    /// Whether the batch is part of a transaction.
    #[inline]
    pub fn is_transactional(self) -> bool {
        self.0 & Self::TRANSACTIONAL != 0
    }

    /// Whether the batch holds transaction markers.
    #[inline]
    pub fn is_control(self) -> bool {
        self.0 & Self::CONTROL != 0
    }

    /// Who set the timestamps of a format 1 or 2 batch.
    #[inline]
    pub fn timestamp_type(self) -> TimestampType {
        if self.0 & Self::LOG_APPEND_TIME != 0 {
            TimestampType::LogAppendTime
        } else {
            TimestampType::CreateTime
        }
    }

    /// The same flags with the timestamp type set to append time.
    pub(crate) fn with_log_append_time(self) -> Self {
        self.with(Self::LOG_APPEND_TIME, true)
    }

    /// The same flags for an uncompressed payload.
    pub(crate) fn uncompressed(self) -> Self {
        Self(self.0 & !0b111)
    }

    fn with(self, bit: i16, on: bool) -> Self {
        if on { Self(self.0 | bit) } else { self }
    }
}

/// Who set the timestamps of a batch. The numbers are Kafka's, and Spark's column `timestampType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampType {
    /// Format 0 has no timestamps (-1).
    None = -1,
    /// The producer (0).
    CreateTime = 0,
    /// The broker, when it appended the batch (1).
    LogAppendTime = 1,
}

impl TimestampType {
    /// Kafka's number.
    pub fn id(self) -> i32 {
        self as i32
    }
}

pub(crate) fn i16_at(bytes: &[u8; HEADER_BYTES], at: usize) -> i16 {
    i16::from_be_bytes([bytes[at], bytes[at + 1]])
}

pub(crate) fn i32_at(bytes: &[u8; HEADER_BYTES], at: usize) -> i32 {
    i32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

pub(crate) fn i64_at(bytes: &[u8; HEADER_BYTES], at: usize) -> i64 {
    (i64::from(i32_at(bytes, at)) << 32) | i64::from(i32_at(bytes, at + 4) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_stands_where_the_table_says() {
        let mut bytes = [0u8; HEADER_BYTES];
        let fields: [(usize, &[u8]); 13] = [
            (0, &7i64.to_be_bytes()),
            (8, &49i32.to_be_bytes()),
            (12, &3i32.to_be_bytes()),
            (16, &[2]),
            (17, &0xdead_beefu32.to_be_bytes()),
            (21, &0b11_1010i16.to_be_bytes()),
            (23, &5i32.to_be_bytes()),
            (27, &1000i64.to_be_bytes()),
            (35, &2000i64.to_be_bytes()),
            (43, &(1i64 << 40).to_be_bytes()),
            (51, &9i16.to_be_bytes()),
            (53, &11i32.to_be_bytes()),
            (57, &4i32.to_be_bytes()),
        ];
        for (at, field) in fields {
            bytes[at..at + field.len()].copy_from_slice(field);
        }
        let header = BatchHeader::read(&bytes).unwrap();
        let expected = BatchHeader {
            base_offset: 7,
            length: 49,
            leader_epoch: 3,
            magic: 2,
            crc: 0xdead_beef,
            attributes: Attributes(0b11_1010),
            last_offset_delta: 5,
            base_timestamp: 1000,
            max_timestamp: 2000,
            producer_id: 1 << 40,
            producer_epoch: 9,
            base_sequence: 11,
            records_count: 4,
        };
        assert_eq!(header, expected);
        assert_eq!((header.last_offset(), header.next_offset(), header.total_bytes()), (12, 13, 61));
        assert!(header.is_control() && header.is_transactional() && !header.is_gapless());
        assert_eq!(header.timestamp_type(), TimestampType::LogAppendTime);
        assert_eq!(header.compression(), Ok(Compression::Snappy));
    }

    #[test]
    fn the_table_at_the_head_is_what_is_read() {
        // Large enough that one flipped bit breaks no rule of a header.
        let mut bytes = [1u8; HEADER_BYTES];
        bytes[MAGIC_AT] = 2;
        bytes[23] = 0x71;
        bytes[COUNT_AT..].copy_from_slice(&4i32.to_be_bytes());
        let shown = |bytes: &[u8; HEADER_BYTES]| {
            let header = format!("{:?}", BatchHeader::read(bytes).unwrap());
            let fields = header.trim_start_matches("BatchHeader { ").trim_end_matches(" }").to_owned();
            fields.split(", ").map(str::to_owned).collect::<Vec<String>>()
        };
        let before = shown(&bytes);
        let fields = crate::tables::fields(include_str!("header.rs"));
        assert_eq!(fields.iter().map(|(_, _, size)| size).sum::<usize>(), HEADER_BYTES);
        for (name, offset, size) in fields {
            let name = if name == "batch length" { "length".into() } else { name.replace(' ', "_") };
            for at in offset..offset + size {
                let mut changed = bytes;
                changed[at] ^= 0x10;
                let changed = shown(&changed);
                let other = before.iter().zip(&changed).find(|(before, changed)| before != changed);
                let (_, changed) = other.unwrap_or_else(|| panic!("{name}: byte {at} is not read"));
                assert!(changed.starts_with(&format!("{name}: ")), "{name}: byte {at} changes {changed}");
            }
        }
    }
}
