//! Message sets of the formats 0 and 1, as topics of old brokers still hold them.
//!
//! | field      | offset | size | meaning                                                    |
//! |------------|--------|------|------------------------------------------------------------|
//! | offset     |      0 |    8 | of a compressed set: offset of its last message            |
//! | size       |      8 |    4 | bytes after this field                                     |
//! | crc        |     12 |    4 | CRC-32 (the one of gzip) of everything from the magic on   |
//! | magic      |     16 |    1 | 0 or 1                                                     |
//! | attributes |     17 |    1 | bits 0 to 2: compression; 3: append time (format 1)        |
//! | timestamp  |     18 |    8 | format 1 only                                              |
//! | key, value |        |      | each a 32-bit length, -1 for null, and its bytes           |
//!
//! A compressed set is one message whose value is the set. Inside it, offsets are absolute in format 0
//! and count from 0 in format 1, where the last one corresponds to the outer offset (KIP-31).

use super::batches::Batch;
use super::header::{Attributes, BatchHeader, PREFIX_BYTES};
use crate::{Compression, Error, Result};

/// Fewest bytes after the size field, format 0.
pub(super) const LENGTH_V0: usize = 14;
/// The same, format 1.
const LENGTH_V1: usize = 22;
/// The same, format 2: the rest of its header.
const LENGTH_V2: usize = 49;

/// Fewest bytes after the length field for a format.
pub(super) fn shortest_length(magic: i8, base_offset: i64) -> Result<usize> {
    match magic {
        0 => Ok(LENGTH_V0),
        1 => Ok(LENGTH_V1),
        2 => Ok(LENGTH_V2),
        _ => Err(Error::UnsupportedMagic { magic, base_offset }),
    }
}

/// Checksum of a whole message.
pub(super) fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes.get(16..).unwrap_or_default());
    crc.sum()
}

/// Reads the header of a whole message.
pub(super) fn read_header(bytes: &[u8]) -> Result<BatchHeader> {
    let _ = (bytes, PREFIX_BYTES, Attributes::default());
    Err(Error::UnsupportedMagic { magic: 0, base_offset: -1 })
}

/// Writes the messages of `batch` to `out` as records of format 2 and returns the header to read them with.
pub(super) fn rewrite(
    batch: &Batch<'_>,
    compression: Compression,
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<BatchHeader> {
    let _ = (compression, limit, out);
    Err(Error::UnsupportedMagic { magic: batch.header.magic, base_offset: batch.header.base_offset })
}
