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

use std::borrow::Cow;

use super::batches::Batch;
use super::builder;
use super::header::{Attributes, BatchHeader, PREFIX_BYTES};
use super::{NO_PRODUCER_ID, NO_TIMESTAMP};
use crate::{Compression, Error, Limits, Result, codec};

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
    let message = Message::read(bytes)?;
    if message.offset == i64::MAX || message.offset < 0 {
        return Err(Error::corrupt(message.offset, "its offset is negative or overflows"));
    }
    let is_set = message.attributes.compression_code() != 0;
    Ok(BatchHeader {
        base_offset: message.offset,
        length: (bytes.len() - PREFIX_BYTES) as i32,
        leader_epoch: -1,
        magic: message.magic,
        crc: message.crc,
        attributes: message.attributes,
        last_offset_delta: 0,
        base_timestamp: message.timestamp,
        max_timestamp: message.timestamp,
        producer_id: NO_PRODUCER_ID,
        producer_epoch: -1,
        base_sequence: -1,
        records_count: if is_set { -1 } else { 1 },
    })
}

/// Writes the messages of `batch` to `out` as records of format 2 and returns the header to read them with.
pub(super) fn rewrite(
    batch: &Batch<'_>,
    compression: Compression,
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<BatchHeader> {
    let outer = Message::read(batch.bytes)?;
    if compression == Compression::None {
        builder::write_record(out, 0, 0, outer.key, outer.value, &[]);
        return Ok(batch.header);
    }
    let set = unpack(&outer, compression, limit)?;
    let (first, last, count) = span(&set, &outer)?;
    // Relative offsets of format 1 end at the outer offset; absolute ones of format 0 must not pass it.
    let base_offset = if outer.magic == 0 { first } else { outer.offset - (last - first) };
    let last_offset_delta = i32::try_from(outer.offset - base_offset).map_err(|_| outer.corrupt(OUTSIDE))?;
    if base_offset < 0 || last - first > i64::from(last_offset_delta) {
        return Err(outer.corrupt(OUTSIDE));
    }
    let mut header = BatchHeader { base_offset, last_offset_delta, records_count: count, ..batch.header };
    header.attributes = header.attributes.uncompressed();
    for (index, message) in Messages(&set).enumerate() {
        let message = message?;
        if index == 0 {
            header.base_timestamp = message.timestamp;
        }
        let delta = message.timestamp.checked_sub(header.base_timestamp);
        let delta = delta.ok_or_else(|| outer.corrupt("a timestamp overflows"))?;
        builder::write_record(out, delta, (message.offset - first) as i32, message.key, message.value, &[]);
        Limits::check("decompressed_bytes", limit, out.len())?;
    }
    Ok(header)
}

const OUTSIDE: &str = "the offsets in its compressed set do not ascend to its own";

/// One message, whole and outside of any set.
struct Message<'a> {
    offset: i64,
    crc: u32,
    magic: i8,
    attributes: Attributes,
    timestamp: i64,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
}

impl<'a> Message<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        let mut fields = Fields(bytes);
        let offset = fields.i64().unwrap_or(-1);
        let message = fields.message(offset);
        let message =
            message.ok_or_else(|| Error::corrupt(offset, "its message is cut off or has a bad length"))?;
        if message.magic > 1 || message.magic < 0 {
            return Err(Error::UnsupportedMagic { magic: message.magic, base_offset: offset });
        }
        if !fields.0.is_empty() {
            return Err(Error::corrupt(offset, "its message is longer than its fields"));
        }
        Ok(message)
    }

    #[cold]
    fn corrupt(&self, what: &'static str) -> Error {
        Error::corrupt(self.offset, what)
    }
}

/// The messages of a decompressed set, which has to end with a whole one.
struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let whole = Fields(self.0.get(8..).unwrap_or_default()).i32().and_then(|length| {
            self.0.split_at_checked(PREFIX_BYTES.saturating_add(usize::try_from(length).ok()?))
        });
        let Some((message, rest)) = whole else {
            self.0 = &[];
            return Some(Err(Error::corrupt(-1, "a message of a compressed set is cut off")));
        };
        self.0 = rest;
        Some(Message::read(message))
    }
}

/// Offsets of the first and the last message of a set and their number, with all that makes a set legal.
fn span(set: &[u8], outer: &Message<'_>) -> Result<(i64, i64, i32)> {
    let (mut first, mut last, mut count) = (0, -1, 0i32);
    for message in Messages(set) {
        let message = message?;
        if message.magic != outer.magic || message.attributes.compression_code() != 0 {
            return Err(outer.corrupt("its compressed set mixes formats or is compressed twice"));
        }
        if message.offset <= last || message.offset < 0 {
            return Err(outer.corrupt(OUTSIDE));
        }
        if count == 0 {
            first = message.offset;
        }
        last = message.offset;
        count += 1;
    }
    if count == 0 { Err(outer.corrupt("its compressed set is empty")) } else { Ok((first, last, count)) }
}

fn unpack(outer: &Message<'_>, compression: Compression, limit: usize) -> Result<Vec<u8>> {
    let packed = outer.value.ok_or_else(|| outer.corrupt("its compressed set is null"))?;
    let packed = match (outer.magic, compression) {
        (0, Compression::Lz4) => codec::repair_lz4_header(packed),
        (_, Compression::Zstd) => return Err(outer.corrupt("zstd needs format 2")),
        _ => Cow::Borrowed(packed),
    };
    let mut set = Vec::new();
    codec::decompress(compression, &packed, limit, &mut set)?;
    Ok(set)
}

/// Reads fields; `None` when they are cut off.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn message(&mut self, offset: i64) -> Option<Message<'a>> {
        self.i32()?;
        let crc = self.i32()? as u32;
        let [magic, attributes] = self.take()?;
        let timestamp = if magic == 1 { self.i64()? } else { NO_TIMESTAMP };
        let (key, value) = if magic > 1 { (None, None) } else { (self.bytes()?, self.bytes()?) };
        let attributes = Attributes(i16::from(attributes));
        Some(Message { offset, crc, magic: magic as i8, attributes, timestamp, key, value })
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn i32(&mut self) -> Option<i32> {
        self.take().map(i32::from_be_bytes)
    }

    fn i64(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }

    /// The outer option is whether there are enough bytes, the inner one whether they are null.
    fn bytes(&mut self) -> Option<Option<&'a [u8]>> {
        let length = self.i32()?;
        if length == -1 {
            return Some(None);
        }
        let (bytes, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(Some(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_at_the_head_is_what_is_read() {
        let fields = crate::tables::fields(include_str!("legacy.rs"));
        for magic in [0u8, 1] {
            let mut bytes = Vec::new();
            for (name, offset, size) in &fields {
                if name == "timestamp" && magic == 0 {
                    continue;
                }
                assert_eq!(bytes.len(), *offset);
                let number: i64 = match name.as_str() {
                    "offset" => 0x0102_0304_0506_0708,
                    "size" => 0x1112_1314,
                    "crc" => 0x2122_2324,
                    "magic" => i64::from(magic),
                    "attributes" => 8,
                    "timestamp" => 0x3132_3334_3536_3738,
                    other => panic!("{other} is a field that the test does not know"),
                };
                bytes.extend_from_slice(&number.to_be_bytes()[8 - size..]);
            }
            bytes.extend_from_slice(&[0, 0, 0, 1, b'k', 0xff, 0xff, 0xff, 0xff]);
            let message = Message::read(&bytes).unwrap();
            assert_eq!((message.offset, message.crc), (0x0102_0304_0506_0708, 0x2122_2324));
            assert_eq!((message.magic, message.attributes), (magic as i8, Attributes(8)));
            let timestamp = if magic == 0 { NO_TIMESTAMP } else { 0x3132_3334_3536_3738 };
            assert_eq!(message.timestamp, timestamp);
            assert_eq!((message.key, message.value), (Some(&b"k"[..]), None));
        }
    }
}
