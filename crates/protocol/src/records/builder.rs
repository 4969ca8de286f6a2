//! Builds one record batch of format 2.
//!
//! Records are written once, straight into the buffer that becomes the batch; a compressed batch is
//! compressed once at the end. The header's producer fields are stamped later, when the sequence number is
//! known; for a large batch that does not read the records again, as the checksums of header and payload can
//! be combined.

use bytes::{Bytes, BytesMut};

use super::header::{
    ATTRIBUTES_AT, Attributes, COUNT_AT, CRC_AT, HEADER_BYTES, MAGIC_AT, PREFIX_BYTES, PRODUCER_ID_AT,
};
use super::reader::Header;
use crate::{Compression, Error, Result, codec, varint};

/// How a batch is built.
#[derive(Debug, Clone, Copy)]
pub struct BatchOptions {
    /// Compression of the records. Default none.
    pub compression: Compression,
    /// Compression level, `None` for the codec's default; see [`codec::compress`].
    pub level: Option<i32>,
    /// Whether the batch belongs to a transaction. Default no.
    pub is_transactional: bool,
    /// Whether the batch holds transaction markers; brokers only. Default no.
    pub is_control: bool,
    /// Most bytes of the batch before compression; a first record is taken whatever its size.
    /// Default 1 MiB.
    pub max_bytes: usize,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            compression: Compression::None,
            level: None,
            is_transactional: false,
            is_control: false,
            max_bytes: 1 << 20,
        }
    }
}

/// Collects records. Reusable: [`BatchBuilder::finish`] leaves it empty.
#[derive(Debug)]
pub struct BatchBuilder {
    options: BatchOptions,
    buffer: Vec<u8>,
    records: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    /// Bytes of the last batch: the next one is likely to need as many.
    usual_bytes: usize,
}

/// A finished batch with base offset 0.
#[derive(Debug, Clone)]
pub struct EncodedBatch {
    bytes: Bytes,
    /// Known for large batches only, see [`COMBINE_FROM`].
    payload_crc: Option<u32>,
    /// Number of records.
    pub records: i32,
    /// Largest timestamp of the records.
    pub max_timestamp: i64,
    /// Size of the batch had it not been compressed.
    pub uncompressed_bytes: usize,
}

/// Largest batch: its length is a signed 32-bit number, and frames end at 1 GiB.
const MAX_BATCH_BYTES: usize = 1 << 30;
/// From this size on, combining two checksums (6 us) is cheaper than reading the batch again (26 GB/s).
const COMBINE_FROM: usize = 192 << 10;
/// Bytes of a record beside key, value and headers: at most five varints, a varlong and the attributes.
const RECORD_OVERHEAD: usize = 5 * varint::MAX_32 + varint::MAX_64 + 1;

impl BatchBuilder {
    /// An empty builder.
    pub fn new(options: BatchOptions) -> Self {
        Self {
            options,
            buffer: Vec::new(),
            records: 0,
            base_timestamp: 0,
            max_timestamp: i64::MIN,
            usual_bytes: 0,
        }
    }

    /// Adds a record with the next offset. `false` means that the batch is full and nothing was added.
    ///
    /// `timestamp` is in ms since 1970. Fails for a record that no batch can hold (1 GiB) and for a
    /// timestamp too far from the first one.
    #[inline]
    pub fn append(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[Header<'_>],
    ) -> Result<bool> {
        if self.records == 0 {
            self.start(timestamp);
        }
        let Some(timestamp_delta) = timestamp.checked_sub(self.base_timestamp) else {
            return Err(too_far(timestamp));
        };
        let payload = payload_size(key, value, headers);
        let bound = self.buffer.len().saturating_add(payload).saturating_add(RECORD_OVERHEAD);
        if bound > self.options.max_bytes || bound > MAX_BATCH_BYTES {
            if self.records > 0 {
                return Ok(false);
            }
            if bound > MAX_BATCH_BYTES {
                return Err(too_large(payload));
            }
        }
        write_record(&mut self.buffer, timestamp_delta, self.records, key, value, headers);
        self.records += 1;
        self.max_timestamp = self.max_timestamp.max(timestamp);
        Ok(true)
    }

    /// Closes the batch. Fails if it has no records or the codec fails; the builder is empty either way.
    pub fn finish(&mut self) -> Result<EncodedBatch> {
        let mut bytes = std::mem::take(&mut self.buffer);
        let records = std::mem::take(&mut self.records);
        if records == 0 {
            return Err(Error::Misuse {
                what: "a batch without records cannot be sent; append one first".into(),
            });
        }
        let uncompressed_bytes = bytes.len();
        self.usual_bytes = uncompressed_bytes;
        if self.options.compression != Compression::None {
            let mut compressed = Vec::with_capacity(HEADER_BYTES + uncompressed_bytes / 2);
            compressed.resize(HEADER_BYTES, 0);
            codec::compress(
                self.options.compression,
                self.options.level,
                &bytes[HEADER_BYTES..],
                &mut compressed,
            )?;
            std::mem::swap(&mut bytes, &mut compressed);
            compressed.clear();
            self.buffer = compressed;
        }
        self.write_header(&mut bytes, records);
        let is_large = bytes.len() >= COMBINE_FROM;
        let payload_crc = is_large.then(|| crc32c::crc32c(&bytes[HEADER_BYTES..]));
        write_crc(&mut bytes, payload_crc);
        let max_timestamp = self.max_timestamp;
        Ok(EncodedBatch { bytes: bytes.into(), payload_crc, records, max_timestamp, uncompressed_bytes })
    }

    /// Bytes of the batch so far before compression; 0 when it is empty.
    pub fn size(&self) -> usize {
        if self.records == 0 { 0 } else { self.buffer.len() }
    }

    /// Number of records so far.
    pub fn count(&self) -> i32 {
        self.records
    }

    fn start(&mut self, timestamp: i64) {
        self.buffer.clear();
        self.buffer.reserve(self.usual_bytes);
        self.buffer.resize(HEADER_BYTES, 0);
        self.base_timestamp = timestamp;
        self.max_timestamp = timestamp;
    }

    fn write_header(&self, bytes: &mut [u8], records: i32) {
        let options = &self.options;
        let attributes = Attributes::new(options.compression, options.is_transactional, options.is_control);
        let length = (bytes.len() - PREFIX_BYTES) as i32;
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        bytes[12..MAGIC_AT].copy_from_slice(&(-1i32).to_be_bytes());
        bytes[MAGIC_AT] = 2;
        bytes[ATTRIBUTES_AT..23].copy_from_slice(&attributes.0.to_be_bytes());
        bytes[23..27].copy_from_slice(&(records - 1).to_be_bytes());
        bytes[27..35].copy_from_slice(&self.base_timestamp.to_be_bytes());
        bytes[35..PRODUCER_ID_AT].copy_from_slice(&self.max_timestamp.to_be_bytes());
        bytes[PRODUCER_ID_AT..COUNT_AT].fill(0xff);
        bytes[COUNT_AT..HEADER_BYTES].copy_from_slice(&records.to_be_bytes());
    }
}

impl EncodedBatch {
    /// Writes the idempotent producer's id, epoch and sequence number of the first record. May be repeated;
    /// copies of the bytes that were handed out before keep what they had.
    pub fn stamp(&mut self, producer_id: i64, producer_epoch: i16, base_sequence: i32) {
        let mut bytes = match std::mem::take(&mut self.bytes).try_into_mut() {
            Ok(bytes) => bytes,
            Err(shared) => BytesMut::from(&shared[..]),
        };
        bytes[PRODUCER_ID_AT..51].copy_from_slice(&producer_id.to_be_bytes());
        bytes[51..53].copy_from_slice(&producer_epoch.to_be_bytes());
        bytes[53..COUNT_AT].copy_from_slice(&base_sequence.to_be_bytes());
        write_crc(&mut bytes, self.payload_crc);
        self.bytes = bytes.freeze();
    }

    /// The batch as it is sent; shared, not copied.
    pub fn bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// The batch as it is sent.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// Bytes of the batch as it is sent.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Never: a batch has a header and at least one record.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// Appends one record. Its parts are known to fit a batch.
#[inline]
pub(super) fn write_record(
    out: &mut Vec<u8>,
    timestamp_delta: i64,
    offset_delta: i32,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[Header<'_>],
) {
    let body = 1
        + varint::size_i64(timestamp_delta)
        + varint::size_i32(offset_delta)
        + size_of_length(key)
        + size_of_length(value)
        + varint::size_i32(headers.len() as i32)
        + payload_size(key, value, headers);
    let mut head = varint::Short::default();
    head.push_u64(u64::from(varint::zigzag_32(body as i32)));
    head.push_u64(0);
    head.push_u64(varint::zigzag_64(timestamp_delta));
    head.push_u64(u64::from(varint::zigzag_32(offset_delta)));
    head.push_u64(key.map_or(NULL, |key| key.len() as u64 * 2));
    out.extend_from_slice(head.bytes());
    out.extend_from_slice(key.unwrap_or_default());
    write_bytes(out, value);
    varint::write_i32(out, headers.len() as i32);
    for (key, value) in headers {
        write_bytes(out, Some(key));
        write_bytes(out, *value);
    }
}

/// The length -1 in zigzag form.
const NULL: u64 = 1;

fn write_crc(bytes: &mut [u8], payload_crc: Option<u32>) {
    let crc = match payload_crc {
        Some(payload_crc) => {
            let head = crc32c::crc32c(&bytes[ATTRIBUTES_AT..HEADER_BYTES]);
            crc32c::crc32c_combine(head, payload_crc, bytes.len() - HEADER_BYTES)
        }
        None => crc32c::crc32c(&bytes[ATTRIBUTES_AT..]),
    };
    bytes[CRC_AT..ATTRIBUTES_AT].copy_from_slice(&crc.to_be_bytes());
}

fn payload_size(key: Option<&[u8]>, value: Option<&[u8]>, headers: &[Header<'_>]) -> usize {
    let mut size = key.map_or(0, <[u8]>::len).saturating_add(value.map_or(0, <[u8]>::len));
    for (key, value) in headers {
        let header = size_of_length(Some(key)) + size_of_length(*value) + value.map_or(0, <[u8]>::len);
        size = size.saturating_add(header).saturating_add(key.len());
    }
    size
}

#[inline(always)]
fn size_of_length(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(1, |bytes| varint::size_u64(bytes.len() as u64 * 2))
}

#[inline(always)]
fn write_bytes(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => out.push(1),
        Some(bytes) => {
            varint::write_i32(out, bytes.len() as i32);
            out.extend_from_slice(bytes);
        }
    }
}

#[cold]
fn too_far(timestamp: i64) -> Error {
    Error::Misuse {
        what: format!("timestamp {timestamp} is too far from the batch's first; check its unit").into(),
    }
}

#[cold]
fn too_large(bytes: usize) -> Error {
    Error::LimitExceeded { setting: "batch bytes", limit: MAX_BATCH_BYTES as u64, found: bytes as u64 }
}
