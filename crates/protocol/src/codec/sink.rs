//! The bounded buffer that all decoders write to.

use std::io::{ErrorKind, Read};

use crate::{Compression, Error, Limits, Result};

/// The tail of a `Vec` that may grow by a limited number of bytes.
pub(super) struct Sink<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    limit: usize,
}

/// Bytes that are made ready at once for a streaming decoder.
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

    /// What has been written after the first `position` bytes.
    pub(super) fn since(&self, position: usize) -> &[u8] {
        &self.out[self.start + position..]
    }

    /// Appends `bytes`.
    pub(super) fn extend(&mut self, bytes: &[u8]) -> Result<()> {
        self.check(bytes.len())?;
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Checks a size that the input declares, before anything is made of it.
    pub(super) fn check_declared(&self, bytes: u64) -> Result<()> {
        self.check(usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// Lets `write` fill at most `most` bytes. It is given the last `window` bytes before them, and says how
    /// many it wrote. `most` may exceed the limit, which is checked against what was written.
    pub(super) fn fill(
        &mut self,
        most: usize,
        window: usize,
        write: impl FnOnce(&[u8], &mut [u8]) -> Result<usize>,
    ) -> Result<()> {
        let at = self.out.len();
        self.out.resize(at + most, 0);
        let (before, room) = self.out.split_at_mut(at);
        let written = write(&before[at - window..], room);
        self.out.truncate(at + *written.as_ref().unwrap_or(&0));
        written?;
        self.check(0)
    }

    /// Reads `source` to its end.
    pub(super) fn drain(&mut self, source: &mut impl Read, codec: Compression) -> Result<()> {
        let mut filled = self.out.len();
        let end = loop {
            if filled == self.out.len() {
                // One byte past the limit at most: enough to tell the end from a bomb.
                let room = (filled - self.start).clamp(STEP, 16 * STEP);
                let most = self.start.saturating_add(self.limit).saturating_add(1);
                self.out.resize((filled + room).min(most).max(filled), 0);
            }
            match source.read(&mut self.out[filled..]) {
                Ok(0) => break Ok(()),
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => break Err(Error::decompress(codec, error.to_string())),
            }
            if filled - self.start > self.limit {
                break Ok(());
            }
        };
        self.out.truncate(filled);
        end.and_then(|()| self.check(0))
    }

    fn check(&self, more: usize) -> Result<()> {
        Limits::check("decompressed_bytes", self.limit, self.written().saturating_add(more))
    }
}
