//! The bounded buffer that all decoders write to.
//!
//! It lies in a `Vec` whose length only grows: memory that an earlier block has used is written over instead of
//! being zeroed again, which for a fast codec would be a tenth of its time.

use std::io::{ErrorKind, Read};

use crate::{Compression, Error, Limits, Result};

/// A limited number of bytes from a place of a `Vec` on.
pub(super) struct Sink<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    end: usize,
    limit: usize,
}

/// Bytes that are made ready at once for a streaming decoder.
const STEP: usize = 64 << 10;
/// So many times the input is believed of a size that is only guessed or declared.
const BELIEVED: usize = 32;

impl<'a> Sink<'a> {
    /// Writes `limit` bytes at most from `start` on, over what stands there.
    pub(super) fn new(out: &'a mut Vec<u8>, start: usize, limit: usize) -> Self {
        if out.len() < start {
            out.resize(start, 0);
        }
        Self { out, start, end: start, limit }
    }

    /// Where in the `Vec` the written bytes end.
    pub(super) fn end(&self) -> usize {
        self.end
    }

    /// Bytes written so far.
    pub(super) fn written(&self) -> usize {
        self.end - self.start
    }

    /// What has been written after the first `position` bytes.
    pub(super) fn since(&self, position: usize) -> &[u8] {
        &self.out[self.start + position..self.end]
    }

    /// Appends `bytes`.
    pub(super) fn extend(&mut self, bytes: &[u8]) -> Result<()> {
        self.check(bytes.len())?;
        self.fill(bytes.len(), 0, |_, out| {
            out.copy_from_slice(bytes);
            Ok(bytes.len())
        })
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
        self.make_room(most);
        let (before, room) = self.out.split_at_mut(self.end);
        self.end += write(&before[self.end - window..], &mut room[..most])?.min(most);
        self.check(0)
    }

    /// Lets `write` fill at most `bound` bytes, made from `input` ones. The room is small at first where so few bytes
    /// are not to be believed; `write` returns None when it is too small, and starts over with more.
    pub(super) fn fill_retrying(
        &mut self,
        codec: Compression,
        bound: usize,
        input: usize,
        mut write: impl FnMut(&mut [u8]) -> Result<Option<usize>>,
    ) -> Result<()> {
        let left = self.limit.saturating_sub(self.written());
        let most = bound.min(left);
        let mut room = most.min(believed(input));
        loop {
            self.make_room(room);
            if let Some(written) = write(&mut self.out[self.end..self.end + room])? {
                self.end += written.min(room);
                return self.check(0);
            }
            if room < most {
                room = room.max(STEP).saturating_mul(8).min(most);
            } else if most < bound {
                return self.check(left.saturating_add(1));
            } else {
                return Err(Error::decompress(codec, "it makes more bytes than its headers say"));
            }
        }
    }

    /// Reads `source` to its end, which is expected after so many bytes made from `input` ones.
    pub(super) fn drain(
        &mut self,
        source: &mut impl Read,
        codec: Compression,
        expected: usize,
        input: usize,
    ) -> Result<()> {
        // One byte past the limit at most: enough to tell the end from a bomb.
        let most = self.start.saturating_add(self.limit).saturating_add(1);
        let mut step = expected.saturating_add(1).min(believed(input));
        while self.written() <= self.limit {
            if self.end == self.out.len() {
                self.make_room(step.min(most - self.end));
                step = self.written().clamp(STEP, 16 * STEP);
            }
            let until = self.out.len().min(most);
            match source.read(&mut self.out[self.end..until]) {
                Ok(0) => return Ok(()),
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::decompress(codec, error.to_string())),
            }
        }
        self.check(0)
    }

    fn make_room(&mut self, bytes: usize) {
        let needed = self.end + bytes;
        if self.out.len() < needed {
            self.out.resize(needed, 0);
        }
    }

    fn check(&self, more: usize) -> Result<()> {
        Limits::check("decompressed_bytes", self.limit, self.written().saturating_add(more))
    }
}

/// Most bytes that are made ready on the word of `input` bytes.
fn believed(input: usize) -> usize {
    input.saturating_mul(BELIEVED).max(4 * STEP)
}
