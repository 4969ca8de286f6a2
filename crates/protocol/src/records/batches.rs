//! Cuts the records of a fetched partition, or of a log, into batches.
//!
//! A broker may end its answer in the middle of a batch; that tail is not an error, it is fetched again.
//! An answer that *starts* with a cut batch would be fetched forever: [`Batches::truncated_tail`] together
//! with a [`Batches::position`] of 0 tells the caller to raise its limits.

use super::header::{ATTRIBUTES_AT, BatchHeader, HEADER_BYTES, MAGIC_AT, PREFIX_BYTES};
use super::legacy;
use super::reader::Records;
use crate::{Compression, Error, Result, codec};

/// The batches of a run of bytes, in order. After an error it ends.
#[derive(Debug, Clone)]
pub struct Batches<'a> {
    bytes: &'a [u8],
    position: usize,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Ended,
    Truncated,
}

/// One batch: its header, its bytes, and its payload as it stands in them.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The header.
    pub header: BatchHeader,
    /// The whole batch, header included.
    pub bytes: &'a [u8],
    /// The records, compressed as the header says. Of formats 0 and 1, the whole message.
    pub payload: &'a [u8],
}

/// Where the records of a batch are after [`Batch::unpack`].
#[derive(Debug, Clone, Copy)]
pub enum Unpacked {
    /// In the batch itself: read [`Batch::payload`] with [`Batch::header`].
    InPlace,
    /// In the buffer that was given: read it with this header.
    Copied(BatchHeader),
}

impl<'a> Batches<'a> {
    /// The batches in `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0, state: State::Reading }
    }

    /// Bytes of the batches that have been returned; the next batch, or the faulty one, starts here.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Whether the bytes ended in the middle of a batch. Known once the iterator has returned `None`.
    pub fn truncated_tail(&self) -> bool {
        self.state == State::Truncated
    }

    fn read(&mut self) -> Result<Option<Batch<'a>>> {
        let rest = &self.bytes[self.position..];
        let Some(prefix) = rest.first_chunk::<PREFIX_BYTES>() else {
            self.state = if rest.is_empty() { State::Ended } else { State::Truncated };
            return Ok(None);
        };
        let [o0, o1, o2, o3, o4, o5, o6, o7, l0, l1, l2, l3] = *prefix;
        let base_offset = i64::from_be_bytes([o0, o1, o2, o3, o4, o5, o6, o7]);
        let length = i32::from_be_bytes([l0, l1, l2, l3]);
        let shortest = match rest.get(MAGIC_AT).map(|magic| *magic as i8) {
            None => legacy::LENGTH_V0,
            Some(magic) => legacy::shortest_length(magic, base_offset)?,
        };
        let length = match usize::try_from(length) {
            Ok(length) if length >= shortest => length,
            _ => return Err(Error::corrupt(base_offset, format!("its length is {length}"))),
        };
        let Some(bytes) = rest.get(..PREFIX_BYTES + length) else {
            self.state = State::Truncated;
            return Ok(None);
        };
        let batch = Batch::whole(bytes)?;
        self.position += bytes.len();
        Ok(Some(batch))
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<Batch<'a>>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.state != State::Reading {
            return None;
        }
        let batch = self.read();
        if batch.is_err() {
            self.state = State::Ended;
        }
        batch.transpose()
    }
}

impl std::iter::FusedIterator for Batches<'_> {}

impl<'a> Batch<'a> {
    /// `bytes` is exactly one batch, and long enough for the header of its format.
    fn whole(bytes: &'a [u8]) -> Result<Self> {
        match bytes.get(MAGIC_AT) {
            Some(2) => {
                let Some((header, payload)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
                    return Err(Error::corrupt(0, "it is shorter than its header"));
                };
                Ok(Self { header: BatchHeader::read(header)?, bytes, payload })
            }
            _ => Ok(Self { header: legacy::read_header(bytes)?, bytes, payload: bytes }),
        }
    }

    /// Compares the checksum with the bytes.
    pub fn verify_crc(&self) -> Result<()> {
        let found = match self.header.magic {
            2 => crc32c::crc32c(self.bytes.get(ATTRIBUTES_AT..).unwrap_or_default()),
            _ => legacy::crc(self.bytes),
        };
        if found == self.header.crc {
            return Ok(());
        }
        Err(Error::CrcMismatch { base_offset: self.header.base_offset, expected: self.header.crc, found })
    }

    /// Makes the records readable: decompresses them, and rewrites formats 0 and 1, into `out`, which is
    /// cleared first. An uncompressed format 2 batch stays where it is and `out` is not touched.
    ///
    /// `limit` is the most bytes that `out` may grow to ([`crate::Limits::decompressed_bytes`]).
    pub fn unpack(&self, limit: usize, out: &mut Vec<u8>) -> Result<Unpacked> {
        let compression = self.header.compression()?;
        if self.header.magic < 2 {
            out.clear();
            return legacy::rewrite(self, compression, limit, out).map(Unpacked::Copied);
        }
        if compression == Compression::None {
            return Ok(Unpacked::InPlace);
        }
        out.clear();
        codec::decompress(compression, self.payload, limit, out)?;
        let attributes = self.header.attributes.uncompressed();
        Ok(Unpacked::Copied(BatchHeader { attributes, ..self.header }))
    }

    /// The records, using `scratch` if they have to be unpacked.
    pub fn records<'s>(&self, limit: usize, scratch: &'s mut Vec<u8>) -> Result<Records<'s>>
    where
        'a: 's,
    {
        match self.unpack(limit, scratch)? {
            Unpacked::InPlace => Ok(Records::new(self.payload, &self.header)),
            Unpacked::Copied(header) => Ok(Records::new(scratch, &header)),
        }
    }
}
