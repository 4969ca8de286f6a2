//! Record batches of format 2 read the slow, obvious way: one byte at a time, every value owned, straight from the
//! tables of Kafka's protocol guide. The decoders under test must agree with it on every input.

use millstream_protocol::Compression;
use millstream_protocol::codec;

/// A header of a record.
pub type Header = (Vec<u8>, Option<Vec<u8>>);

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub offset: i64,
    pub timestamp: i64,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<Header>,
}

/// One batch with all of its records; None for the records if any of them is faulty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowBatch {
    pub base_offset: i64,
    pub last_offset: i64,
    pub attributes: i16,
    pub producer_id: i64,
    pub rows: Option<Vec<Row>>,
}

/// What a run of bytes holds up to its first fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowRun {
    pub batches: Vec<SlowBatch>,
    /// Whether the run ended in a header that is no header of format 2 (a cut tail is none).
    pub bad_header: bool,
    /// Whether there is a batch of an older format; reading stops there.
    pub old_format: bool,
}

/// Reads batches until the bytes end, are cut, or have a fault in a header.
pub fn read(bytes: &[u8], decompressed_bytes: usize) -> SlowRun {
    let mut run = SlowRun { batches: Vec::new(), bad_header: false, old_format: false };
    let mut rest = bytes;
    while let Some(magic) = rest.get(16) {
        let length = i32::from_be_bytes([rest[8], rest[9], rest[10], rest[11]]);
        match magic {
            2 => {}
            0 | 1 => {
                run.old_format = true;
                return run;
            }
            _ => {
                run.bad_header = true;
                return run;
            }
        }
        if length < 49 {
            run.bad_header = true;
            return run;
        }
        let end = 12 + length as usize;
        if end > rest.len() {
            return run;
        }
        match batch(&rest[..end], decompressed_bytes) {
            Some(batch) => run.batches.push(batch),
            None => {
                run.bad_header = true;
                return run;
            }
        }
        rest = &rest[end..];
    }
    // Too short to have a magic: a cut tail, unless the length is already impossible.
    if rest.len() >= 12 {
        run.bad_header = i32::from_be_bytes([rest[8], rest[9], rest[10], rest[11]]) < 14;
    }
    run
}

fn batch(bytes: &[u8], decompressed_bytes: usize) -> Option<SlowBatch> {
    let mut fields = Slow { bytes, at: 0 };
    let base_offset = fields.fixed(8)? as i64;
    fields.at = 21;
    let attributes = fields.fixed(2)? as u16 as i16;
    let last_delta = i64::from(fields.fixed(4)? as u32 as i32);
    let base_timestamp = fields.fixed(8)? as i64;
    let max_timestamp = fields.fixed(8)? as i64;
    let producer_id = fields.fixed(8)? as i64;
    fields.at = 57;
    let count = i64::from(fields.fixed(4)? as u32 as i32);
    let last_offset = base_offset.checked_add(last_delta)?;
    if base_offset < 0 || last_delta < 0 || last_offset == i64::MAX || count < 0 || count > last_delta + 1 {
        return None;
    }
    let header = Header2 { base_offset, last_delta, base_timestamp, max_timestamp, attributes, count };
    let payload = unpack(attributes, &bytes[61..], decompressed_bytes);
    let rows = payload.and_then(|payload| header.rows(&payload));
    Some(SlowBatch { base_offset, last_offset, attributes, producer_id, rows })
}

fn unpack(attributes: i16, payload: &[u8], limit: usize) -> Option<Vec<u8>> {
    let compression = Compression::from_id((attributes & 7) as i8)?;
    if compression == Compression::None {
        return Some(payload.to_vec());
    }
    let mut out = Vec::new();
    codec::decompress(compression, payload, limit, &mut out).ok().map(|()| out)
}

struct Header2 {
    base_offset: i64,
    last_delta: i64,
    base_timestamp: i64,
    max_timestamp: i64,
    attributes: i16,
    count: i64,
}

impl Header2 {
    fn rows(&self, payload: &[u8]) -> Option<Vec<Row>> {
        let mut slow = Slow { bytes: payload, at: 0 };
        let mut rows: Vec<Row> = Vec::new();
        for _ in 0..self.count {
            let lowest = rows.last().map_or(0, |last| last.offset - self.base_offset + 1);
            rows.push(self.row(&mut slow, lowest)?);
        }
        (slow.at == payload.len()).then_some(rows)
    }

    fn row(&self, slow: &mut Slow<'_>, lowest: i64) -> Option<Row> {
        let length = usize::try_from(slow.varint(32)?).ok()?;
        let end = slow.at.checked_add(length).filter(|end| *end <= slow.bytes.len())?;
        let mut body = Slow { bytes: &slow.bytes[..end], at: slow.at };
        body.fixed(1)?;
        let timestamp = i128::from(self.base_timestamp) + i128::from(body.varint(64)?);
        let delta = body.varint(32)?;
        let (key, value) = (body.bytes()?, body.bytes()?);
        let count = u32::try_from(body.varint(32)?).ok()?;
        let mut headers = Vec::new();
        for _ in 0..count {
            headers.push((body.bytes()??, body.bytes()?));
        }
        if body.at != end || delta < lowest || delta > self.last_delta {
            return None;
        }
        slow.at = end;
        let timestamp = match self.attributes & 8 {
            0 => i64::try_from(timestamp).ok()?,
            _ => self.max_timestamp,
        };
        Some(Row { offset: self.base_offset + delta, timestamp, key, value, headers })
    }
}

struct Slow<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Slow<'_> {
    fn fixed(&mut self, size: usize) -> Option<u64> {
        let mut value = 0;
        for _ in 0..size {
            value = value << 8 | u64::from(*self.bytes.get(self.at)?);
            self.at += 1;
        }
        Some(value)
    }

    /// A zigzag number of at most 32 or 64 bits.
    fn varint(&mut self, bits: u32) -> Option<i64> {
        let mut raw = 0u128;
        for index in 0..bits.div_ceil(7) {
            let byte = self.fixed(1)?;
            raw |= u128::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                let half = i64::try_from(raw >> 1).ok()?;
                return (raw < 1 << bits).then_some(if raw & 1 == 1 { -half - 1 } else { half });
            }
        }
        None
    }

    fn bytes(&mut self) -> Option<Option<Vec<u8>>> {
        match self.varint(32)? {
            -1 => Some(None),
            length if length < 0 => None,
            length => {
                (0..length).map(|_| self.fixed(1).map(|byte| byte as u8)).collect::<Option<_>>().map(Some)
            }
        }
    }
}
