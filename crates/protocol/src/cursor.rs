//! Reads the fields of a message from bytes that came from outside.
//!
//! All slicing of wire bytes in messages happens here. A cursor never reads past its end, checks every
//! length against the bytes that are left before it is used, and knows which message it reads, so that a
//! fault names kind, version and place.

use std::borrow::Cow;

use uuid::Uuid;

use crate::varint;
use crate::{ApiKey, Error, Limits, Result};

/// A position in a message.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    total: usize,
    api: ApiKey,
    version: i16,
    limits: &'a Limits,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], api: ApiKey, version: i16, limits: &'a Limits) -> Self {
        Self { bytes, total: bytes.len(), api, version, limits }
    }

    /// Sets what faults are reported for, once the header has told.
    pub(crate) fn name(&mut self, api: ApiKey, version: i16) {
        (self.api, self.version) = (api, version);
    }

    /// Bytes read so far.
    pub(crate) fn position(&self) -> usize {
        self.total - self.bytes.len()
    }

    /// Bytes not read yet.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len()
    }

    #[cold]
    pub(crate) fn fault(&self, what: impl Into<Cow<'static, str>>) -> Error {
        Error::Malformed { api: self.api, version: self.version, at: self.position(), what: what.into() }
    }

    /// Fails if anything is left.
    pub(crate) fn finish(&self) -> Result<()> {
        match self.left() {
            0 => Ok(()),
            left => Err(self.fault(format!("{left} bytes are left over"))),
        }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        match self.bytes.split_at_checked(length) {
            Some((taken, rest)) => {
                self.bytes = rest;
                Ok(taken)
            }
            None => Err(self.fault(format!("{length} bytes are needed and {} are left", self.left()))),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        match self.bytes.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.bytes = rest;
                Ok(*taken)
            }
            None => Err(self.fault(format!("{N} bytes are needed and {} are left", self.left()))),
        }
    }

    pub(crate) fn i8(&mut self) -> Result<i8> {
        Ok(i8::from_be_bytes(self.array()?))
    }

    pub(crate) fn i16(&mut self) -> Result<i16> {
        Ok(i16::from_be_bytes(self.array()?))
    }

    pub(crate) fn i32(&mut self) -> Result<i32> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    pub(crate) fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    pub(crate) fn uuid(&mut self) -> Result<Uuid> {
        Ok(Uuid::from_bytes(self.array()?))
    }

    pub(crate) fn uvarint(&mut self) -> Result<u32> {
        varint::read_u32(&mut self.bytes).ok_or_else(|| self.fault("a varint is cut off or too long"))
    }

    /// A length of the compact form, which is stored plus one; `None` is null.
    pub(crate) fn compact_length(&mut self) -> Result<Option<usize>> {
        Ok(self.uvarint()?.checked_sub(1).map(|length| length as usize))
    }

    /// A length or count of the classic form; -1 is null, anything below a fault.
    pub(crate) fn length_32(&mut self) -> Result<Option<usize>> {
        match self.i32()? {
            -1 => Ok(None),
            length => {
                usize::try_from(length).map(Some).map_err(|_| self.fault(format!("a length is {length}")))
            }
        }
    }

    pub(crate) fn length_16(&mut self) -> Result<Option<usize>> {
        match self.i16()? {
            -1 => Ok(None),
            length => {
                usize::try_from(length).map(Some).map_err(|_| self.fault(format!("a length is {length}")))
            }
        }
    }

    /// Text of `length` bytes.
    pub(crate) fn text(&mut self, length: usize) -> Result<&'a str> {
        Limits::check("string_bytes", self.limits.string_bytes, length)?;
        let at = self.clone();
        std::str::from_utf8(self.take(length)?).map_err(|_| at.fault("text is not UTF-8"))
    }

    /// Classic text that may be null.
    pub(crate) fn nullable_string(&mut self) -> Result<Option<&'a str>> {
        match self.length_16()? {
            Some(length) => self.text(length).map(Some),
            None => Ok(None),
        }
    }

    /// The number of elements of an array, given the fewest bytes that one element takes.
    pub(crate) fn count(&mut self, compact: bool, smallest: usize) -> Result<Option<usize>> {
        let count = if compact { self.compact_length()? } else { self.length_32()? };
        if let Some(count) = count {
            Limits::check("array_elements", self.limits.array_elements, count)?;
            if count > self.left() / smallest.max(1) {
                return Err(self.fault(format!("{count} elements cannot fit in {} bytes", self.left())));
            }
        }
        Ok(count)
    }

    /// Tagged fields: calls `known` with each tag and a cursor on exactly its bytes. Tags ascend; what
    /// `known` does not read of a tag that it does not know is passed over.
    pub(crate) fn tags(&mut self, mut known: impl FnMut(u32, &mut Cursor<'a>) -> Result<Tag>) -> Result<()> {
        let count = self.uvarint()? as usize;
        Limits::check("tagged_fields", self.limits.tagged_fields, count)?;
        let mut lowest = 0u64;
        for _ in 0..count {
            let tag = self.uvarint()?;
            // Kafka holds tags in an int, which counts from zero up.
            if i32::try_from(tag).is_err() {
                return Err(self.fault(format!("tag {tag} is above {}", i32::MAX)));
            }
            if u64::from(tag) < lowest {
                return Err(self.fault(format!("tag {tag} is repeated or out of order")));
            }
            lowest = u64::from(tag) + 1;
            let size = self.uvarint()? as usize;
            let end = self.left().checked_sub(size);
            let Some(end) = end else { return Err(self.fault(format!("tag {tag} reaches past the end"))) };
            let mut field = self.clone();
            field.bytes = &self.bytes[..size];
            // Positions in faults count from the start of the message.
            field.total = self.total - end;
            if known(tag, &mut field)? == Tag::Read {
                field.finish()?;
            }
            self.take(size)?;
        }
        Ok(())
    }

    /// Passes over all tagged fields.
    pub(crate) fn skip_tags(&mut self) -> Result<()> {
        self.tags(|_, _| Ok(Tag::Unknown))
    }
}

/// What became of a tagged field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    /// It was read, so nothing of it may be left.
    Read,
    /// It is not known and is passed over.
    Unknown,
}
