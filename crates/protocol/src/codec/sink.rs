//! The bounded buffer that all decoders write to.

use std::io::Read;

use crate::{Compression, Error, Limits, Result};

/// The tail of a `Vec` that may grow by a limited number of bytes.
pub(super) struct Sink<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    limit: usize,
}

/// Bytes asked of a streaming decoder at once.
const STEP: usize = 64 << 10;

impl<'a> Sink<'a> {
    /// Appends to `out`, `limit` bytes at most.
    pub(super) fn new(out: &'a mut Vec<u8>, limit: usize) -> Self {
        let start = out.len();
        Self { out, start, limit }
    }

    /// Bytes written so far.
    pub(super) fn written(&self) -> usize {
        self.out.len() - self.start
    }

    /// Appends `bytes`.
    pub(super) fn extend(&mut self, bytes: &[u8]) -> Result<()> {
        self.check(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// `length` more bytes, zeroed, to be written by the caller. The length is checked before it is reserved.
    pub(super) fn grow(&mut self, length: usize) -> Result<&mut [u8]> {
        self.check(length)?;
        let at = self.out.len();
        self.out.resize(at + length, 0);
        Ok(&mut self.out[at..])
    }

    /// Reads `source` to its end.
    pub(super) fn drain(&mut self, source: &mut impl Read, codec: Compression) -> Result<()> {
        loop {
            let filled = self.out.len();
            let room = (self.out.capacity() - filled).max(STEP);
            // One byte more than the limit is asked for, to tell the end from a bomb.
            let room = room.min((self.limit - self.written()).saturating_add(1));
            self.out.resize(filled + room, 0);
            let read = match source.read(&mut self.out[filled..]) {
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => 0,
                Err(error) => {
                    self.out.truncate(filled);
                    return Err(Error::decompress(codec, error.to_string()));
                }
            };
            self.out.truncate(filled + read);
            if read == 0 {
                return Ok(());
            }
            self.check(0)?;
        }
    }

    fn check(&self, more: usize) -> Result<()> {
        Limits::check("decompressed_bytes", self.limit, self.written().saturating_add(more))
    }
}
