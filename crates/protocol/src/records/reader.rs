//! The records of one batch, borrowed from its unpacked payload.
//!
//! | field           | type          | meaning                                      |
//! |-----------------|---------------|----------------------------------------------|
//! | length          | varint        | bytes of the record after this field         |
//! | attributes      | i8            | unused                                       |
//! | timestamp delta | varlong       | added to the batch's base timestamp          |
//! | offset delta    | varint        | added to the batch's base offset             |
//! | key             | varint, bytes | length -1 means null                         |
//! | value           | varint, bytes | length -1 means null                         |
//! | headers         | varint        | count, then for each: key length, key, value |
//!
//! Every fault is an error with the batch's offset: a record that is longer or shorter than it says,
//! offsets that do not ascend or leave the batch, sums that overflow, bytes left over at the end. This
//! is the hot path: the single- and two-byte forms of every varint are decoded inline, and faults are
//! made in cold functions.

use super::header::{BatchHeader, TimestampType};
use crate::varint;
use crate::{Error, Result};

/// Fewest bytes of a record: its length and six fields of one byte.
const SHORTEST: usize = 7;

/// One record. Key and value are null or empty as they were written.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Offset in the partition.
    pub offset: i64,
    /// Milliseconds since 1970, -1 if there is none. The batch's append time if that is its type.
    pub timestamp: i64,
    /// The key.
    pub key: Option<&'a [u8]>,
    /// The value; null marks a deletion in a compacted topic.
    pub value: Option<&'a [u8]>,
    /// The headers, in order, repeated keys kept.
    pub headers: Headers<'a>,
}

/// The headers of a record; already checked, so that walking them cannot fail.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    count: u32,
}

/// One header: its key, which is text by custom only, and its value.
pub type Header<'a> = (&'a [u8], Option<&'a [u8]>);

/// The records of a batch, in order. After an error it ends.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    left: u32,
    base_offset: i64,
    base_timestamp: i64,
    append_time: Option<i64>,
    lowest_delta: i64,
    last_delta: i64,
}

impl<'a> Records<'a> {
    /// The records in `payload`, which [`super::Batch::unpack`] has made readable. Keys, values and headers are
    /// slices of it, in ascending order.
    pub fn new(payload: &'a [u8], header: &BatchHeader) -> Self {
        let append_time = header.timestamp_type() == TimestampType::LogAppendTime;
        Self {
            bytes: payload,
            at: 0,
            left: header.records_count.max(0) as u32,
            base_offset: header.base_offset,
            base_timestamp: header.base_timestamp,
            append_time: append_time.then_some(header.max_timestamp),
            lowest_delta: 0,
            last_delta: i64::from(header.last_offset_delta),
        }
    }

    /// Bytes of the payload before the next record.
    #[inline]
    pub fn bytes_read(&self) -> usize {
        self.at
    }

    /// Most records that are left: what the header claims, or fewer if so many do not fit into the payload.
    pub fn at_most(&self) -> usize {
        (self.left as usize).min((self.bytes.len() - self.at) / SHORTEST)
    }

    #[inline(always)]
    fn read(&mut self) -> Result<Record<'a>, Fault> {
        let mut at = self.at;
        let length = varint::u32_at(self.bytes, &mut at).ok_or(Fault::Length)?;
        let length = usize::try_from(varint::signed_32(length)).map_err(|_| Fault::Length)?;
        let end = at.checked_add(length).ok_or(Fault::Length)?;
        let body = self.bytes.get(..end).ok_or(Fault::Length)?;
        if length == 0 {
            return Err(Fault::Short);
        }
        at = at.wrapping_add(1);
        let timestamp_delta = varint::signed_64(varint::u64_at(body, &mut at).ok_or(Fault::Number)?);
        let offset_delta = varint::signed_32(varint::u32_at(body, &mut at).ok_or(Fault::Number)?);
        let offset_delta = i64::from(offset_delta);
        if offset_delta < self.lowest_delta || offset_delta > self.last_delta {
            return Err(Fault::Offset);
        }
        let key = bytes_at(body, &mut at)?;
        let value = bytes_at(body, &mut at)?;
        // Most records have no headers: one byte, 0, at the very end.
        let headers = match body.get(at) {
            Some(0) if at.wrapping_add(1) == end => Headers::default(),
            _ => check_headers(body.get(at..).unwrap_or_default())?,
        };
        let timestamp = match self.append_time {
            Some(time) => time,
            None => self.base_timestamp.checked_add(timestamp_delta).ok_or(Fault::Timestamp)?,
        };
        self.lowest_delta = offset_delta.wrapping_add(1);
        self.at = end;
        Ok(Record { offset: self.base_offset.wrapping_add(offset_delta), timestamp, key, value, headers })
    }

    #[cold]
    #[inline(never)]
    fn fail(&mut self, fault: Fault) -> Error {
        let at = self.lowest_delta;
        self.left = 0;
        self.bytes = self.bytes.get(..self.at).unwrap_or_default();
        Error::corrupt(self.base_offset, format!("{} (after offset delta {})", fault.text(), at - 1))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>>;

    #[inline(always)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return if self.at == self.bytes.len() { None } else { Some(Err(self.fail(Fault::Leftover))) };
        }
        match self.read() {
            Ok(record) => {
                self.left = self.left.wrapping_sub(1);
                Some(Ok(record))
            }
            Err(fault) => Some(Err(self.fail(fault))),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.at_most() + 1))
    }
}

impl std::iter::FusedIterator for Records<'_> {}

impl<'a> Headers<'a> {
    /// Number of headers.
    #[inline]
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The headers in the order in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = Header<'a>> + use<'a> {
        let mut rest = self.bytes;
        (0..self.count).map_while(move |_| read_header(&mut rest).ok())
    }
}

/// What is wrong with a record. One byte, so that the hot path's results stay small.
#[derive(Clone, Copy)]
enum Fault {
    Length,
    Short,
    Number,
    Offset,
    Timestamp,
    Bytes,
    Headers,
    Unread,
    Leftover,
}

impl Fault {
    fn text(self) -> &'static str {
        match self {
            Self::Length => {
                "a record's length is negative, too long a number, or reaches past the end of the batch"
            }
            Self::Short => "a record is empty",
            Self::Number => "a record's delta is cut off or too long a number",
            Self::Offset => "a record's offset is not above the one before or lies outside of the batch",
            Self::Timestamp => "a record's timestamp overflows",
            Self::Bytes => "a key or value is below null or reaches past the end of its record",
            Self::Headers => "a record's headers are negative in number or reach past its end",
            Self::Unread => "a record is longer than its fields",
            Self::Leftover => "bytes are left after the last record",
        }
    }
}

/// Nullable bytes with a varint length.
#[inline(always)]
fn read_bytes<'a>(body: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Fault> {
    let length = varint::read_i32(body).ok_or(Fault::Bytes)?;
    if length < 0 {
        return if length == -1 { Ok(None) } else { Err(Fault::Bytes) };
    }
    let (bytes, rest) = body.split_at_checked(length as usize).ok_or(Fault::Bytes)?;
    *body = rest;
    Ok(Some(bytes))
}

/// As [`read_bytes`], at a place.
#[inline(always)]
fn bytes_at<'a>(body: &'a [u8], at: &mut usize) -> Result<Option<&'a [u8]>, Fault> {
    let raw = varint::u32_at(body, at).ok_or(Fault::Bytes)?;
    if raw & 1 == 1 {
        return if raw == 1 { Ok(None) } else { Err(Fault::Bytes) };
    }
    let end = at.checked_add(raw as usize >> 1).ok_or(Fault::Bytes)?;
    let bytes = body.get(*at..end).ok_or(Fault::Bytes)?;
    *at = end;
    Ok(Some(bytes))
}

/// All headers: `body` is what is left of the record, and has to be used up.
#[inline(never)]
fn check_headers(mut body: &[u8]) -> Result<Headers<'_>, Fault> {
    let count = varint::read_i32(&mut body).ok_or(Fault::Headers)?;
    let count = u32::try_from(count).map_err(|_| Fault::Headers)?;
    let bytes = body;
    for _ in 0..count {
        read_header(&mut body)?;
    }
    if body.is_empty() { Ok(Headers { bytes, count }) } else { Err(Fault::Unread) }
}

#[inline]
fn read_header<'a>(body: &mut &'a [u8]) -> Result<Header<'a>, Fault> {
    let key = read_bytes(body).ok().flatten().ok_or(Fault::Headers)?;
    let value = read_bytes(body).map_err(|_| Fault::Headers)?;
    Ok((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{BatchBuilder, BatchOptions, Batches};

    /// Builds a record field by field in the table's order, with the types that it names.
    #[test]
    fn the_table_at_the_head_is_what_is_read() {
        let mut body = Vec::new();
        let mut has_length = false;
        for row in crate::tables::rows(include_str!("reader.rs")) {
            let number = |value: i64| {
                let mut out = Vec::new();
                varint::write_u64(&mut out, varint::zigzag_64(value));
                out
            };
            let bytes = |value: &[u8]| [number(value.len() as i64), value.to_vec()].concat();
            match (row[0].as_str(), row[1].as_str()) {
                ("length", "varint") => has_length = body.is_empty(),
                ("attributes", "i8") => body.push(0),
                ("timestamp delta", "varlong") => body.extend(number(-(1 << 40))),
                ("offset delta", "varint") => body.extend(number(300)),
                ("key", "varint, bytes") => body.extend(bytes(b"key")),
                ("value", "varint, bytes") => body.extend(number(-1)),
                ("headers", "varint") => {
                    body.extend([number(1), bytes(b"name"), bytes(b"")].concat());
                }
                (name, kind) => panic!("{name} as {kind} is a field that the test does not know"),
            }
        }
        assert!(has_length, "the length comes first");
        let mut payload = Vec::new();
        varint::write_i32(&mut payload, body.len() as i32);
        payload.extend(body);
        let mut builder = BatchBuilder::new(BatchOptions::default());
        builder.append(1 << 41, None, None, &[]).unwrap();
        let bytes = builder.finish().unwrap().into_bytes();
        let mut header = Batches::new(&bytes).next().unwrap().unwrap().header;
        header.last_offset_delta = 300;
        let records: Vec<Record<'_>> = Records::new(&payload, &header).map(Result::unwrap).collect();
        let [record] = records[..] else { panic!("one record") };
        assert_eq!((record.offset, record.timestamp), (300, 1 << 40));
        assert_eq!((record.key, record.value), (Some(&b"key"[..]), None));
        assert_eq!(record.headers.iter().collect::<Vec<_>>(), [(&b"name"[..], Some(&b""[..]))]);
    }
}
