//! Memory for large frames, used again when the last slice of a frame is dropped.
//!
//! A fetch response of tens of megabytes in fresh memory costs a page fault for every 4 KiB of it, more than
//! copying the bytes from the socket. So a reader's frames come from a few buffers that go round: the slices
//! handed out keep a buffer busy, and dropping the last of them gives it back. Nothing is zeroed in between.

use std::mem;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

/// Buffers that are free, largest last. Cloned handles share them.
#[derive(Debug, Clone)]
pub(crate) struct Frames {
    shelf: Arc<Mutex<Shelf>>,
}

#[derive(Debug)]
struct Shelf {
    free: Vec<Vec<u8>>,
    /// Most bytes kept free.
    limit: usize,
    small_in_a_row: u32,
}

/// A frame's bytes, on loan.
#[derive(Debug)]
struct Loan {
    bytes: Vec<u8>,
    frames: Frames,
}

/// Frames below this size are left to the allocator, which is good at them.
const SMALL: usize = 1 << 20;

/// After this many small frames in a row the reader has caught up, and large buffers are given back to the
/// system.
const CAUGHT_UP: u32 = 16;

impl Frames {
    /// Keeps at most `limit` bytes of free buffers.
    pub(crate) fn new(limit: usize) -> Self {
        Self { shelf: Arc::new(Mutex::new(Shelf { free: Vec::new(), limit, small_in_a_row: 0 })) }
    }

    /// An empty buffer for a frame of `length` bytes.
    pub(crate) fn take(&self, length: usize) -> Vec<u8> {
        let mut shelf = self.shelf.lock();
        if length < SMALL {
            shelf.small_in_a_row = shelf.small_in_a_row.saturating_add(1);
            if shelf.small_in_a_row == CAUGHT_UP {
                shelf.free.clear();
            }
            return Vec::with_capacity(length);
        }
        shelf.small_in_a_row = 0;
        let place = shelf.free.iter().position(|buffer| buffer.capacity() >= length);
        // A buffer that is too small makes way, so that sizes follow what comes.
        let place = place.or_else(|| shelf.free.len().checked_sub(1));
        let buffer = place.map(|place| shelf.free.remove(place));
        drop(shelf);
        buffer.filter(|buffer| buffer.capacity() >= length).unwrap_or_else(|| Vec::with_capacity(length))
    }

    /// The finished frame. Its buffer comes back when the last slice is dropped.
    pub(crate) fn lend(&self, bytes: Vec<u8>) -> Bytes {
        if bytes.len() < SMALL {
            return bytes.into();
        }
        Bytes::from_owner(Loan { bytes, frames: self.clone() })
    }

    fn give_back(&self, mut buffer: Vec<u8>) {
        buffer.clear();
        let mut shelf = self.shelf.lock();
        let kept: usize = shelf.free.iter().map(Vec::capacity).sum();
        if kept + buffer.capacity() <= shelf.limit && shelf.small_in_a_row < CAUGHT_UP {
            let place = shelf.free.partition_point(|other| other.capacity() < buffer.capacity());
            shelf.free.insert(place, buffer);
        }
    }
}

impl AsRef<[u8]> for Loan {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        self.frames.give_back(mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(frames: &Frames, length: usize) -> Bytes {
        let mut buffer = frames.take(length);
        assert!(buffer.is_empty() && buffer.capacity() >= length);
        buffer.resize(length, 7);
        frames.lend(buffer)
    }

    #[test]
    fn a_buffer_comes_back_with_the_last_slice_and_is_used_again() {
        let frames = Frames::new(100 * SMALL);
        let whole = frame(&frames, 4 * SMALL);
        let address = whole.as_ptr();
        let slice = whole.slice(5..);
        drop(whole);
        let other = frames.take(4 * SMALL);
        assert_ne!(other.as_ptr(), address, "a slice still needs it");
        drop(slice);
        let again = frames.take(3 * SMALL);
        assert_eq!(again.as_ptr(), address);
    }

    #[test]
    fn no_more_is_kept_than_the_limit_and_nothing_once_frames_are_small() {
        let frames = Frames::new(5 * SMALL);
        drop((frame(&frames, 3 * SMALL), frame(&frames, 3 * SMALL)));
        assert_eq!(frames.shelf.lock().free.len(), 1);
        for _ in 0..CAUGHT_UP {
            drop(frame(&frames, 10));
        }
        assert!(frames.shelf.lock().free.is_empty());
    }

    #[test]
    fn sizes_follow_what_comes() {
        let frames = Frames::new(100 * SMALL);
        drop(frame(&frames, 2 * SMALL));
        drop(frame(&frames, 8 * SMALL));
        let capacities: Vec<_> = frames.shelf.lock().free.iter().map(Vec::capacity).collect();
        assert_eq!(capacities, [8 * SMALL]);
    }
}
