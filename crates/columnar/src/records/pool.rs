//! Memory of columns and decompressed blocks, used again once the last array over it is gone.
//!
//! Why: fresh memory costs a page fault for every 4 KiB, which for small records is more than decoding them.

use std::sync::{Arc, Mutex};

use arrow_buffer::{ArrowNativeType, Buffer};
use bytes::Bytes;

/// Memory that decoders use again: arenas, and vectors of the columns' usual size. Clones share it; decoders that
/// follow one another (one per split, one per micro-batch) should be given the same one.
///
/// At most 16 MiB of arenas and 12 MiB of columns are kept while nobody uses them.
#[derive(Debug, Clone)]
pub struct DecoderMemory {
    pub(super) arenas: Pool<u8>,
    pub(super) views: Pool<u128>,
    pub(super) longs: Pool<i64>,
}

/// Small blocks are gathered in arenas of this size; a larger block has one of its own.
pub(super) const ARENA_BYTES: usize = 1 << 20;

impl Default for DecoderMemory {
    fn default() -> Self {
        const ROWS: usize = 64 << 10;
        Self { arenas: Pool::new(4, 4 * ARENA_BYTES), views: Pool::new(9, ROWS), longs: Pool::new(6, ROWS) }
    }
}

/// Vectors that nobody uses at the moment. Clones share them.
#[derive(Debug)]
pub(super) struct Pool<T> {
    kept: Arc<Mutex<Vec<Vec<T>>>>,
    most: usize,
    largest: usize,
}

impl<T> Clone for Pool<T> {
    fn clone(&self) -> Self {
        Self { kept: Arc::clone(&self.kept), ..*self }
    }
}

impl<T: ArrowNativeType> Pool<T> {
    /// Keeps at most `most` vectors, none of more than `largest` elements.
    pub fn new(most: usize, largest: usize) -> Self {
        Self { kept: Arc::default(), most, largest }
    }

    /// An empty vector with room for `length` elements.
    pub fn take(&self, length: usize) -> Vec<T> {
        let mut vector = self.take_used(length);
        vector.clear();
        vector
    }

    /// A vector with room for `length` elements that still holds some of its last use.
    pub fn take_used(&self, length: usize) -> Vec<T> {
        if let Ok(mut kept) = self.kept.lock()
            && let Some(at) = kept.iter().position(|vector| vector.capacity() >= length)
        {
            return kept.swap_remove(at);
        }
        Vec::with_capacity(length)
    }

    /// Hands a vector over to arrays. It comes back when the last of them is dropped.
    pub fn freeze(&self, vector: Vec<T>) -> Buffer {
        let lent = Lent { buffer: Buffer::from_vec(vector), pool: self.clone() };
        Buffer::from(Bytes::from_owner(lent))
    }

    fn give_back(&self, vector: Vec<T>) {
        if vector.capacity() <= self.largest
            && let Ok(mut kept) = self.kept.lock()
            && kept.len() < self.most
        {
            kept.push(vector);
        }
    }
}

/// A vector in the hands of arrays.
struct Lent<T: ArrowNativeType> {
    buffer: Buffer,
    pool: Pool<T>,
}

impl<T: ArrowNativeType> AsRef<[u8]> for Lent<T> {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl<T: ArrowNativeType> Drop for Lent<T> {
    fn drop(&mut self) {
        // The buffer never left this struct, so the vector can be had back.
        if let Ok(vector) = std::mem::take(&mut self.buffer).into_vec() {
            self.pool.give_back(vector);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_comes_back_when_the_last_slice_is_dropped() {
        let pool = Pool::<u64>::new(4, 1000);
        let mut vector = pool.take(10);
        vector.extend([1, 2, 3]);
        let address = vector.as_ptr();
        let buffer = pool.freeze(vector);
        let slice = buffer.slice_with_length(8, 8);
        drop(buffer);
        let meanwhile = pool.take(10);
        assert_ne!(meanwhile.as_ptr(), address);
        drop(meanwhile);
        assert_eq!(slice.as_slice(), 2u64.to_le_bytes());
        drop(slice);
        let again = pool.take(10);
        assert_eq!((again.as_ptr(), again.len()), (address, 0));
    }

    #[test]
    fn no_more_is_kept_than_agreed() {
        let pool = Pool::<u8>::new(4, 1000);
        let lent: Vec<Buffer> = (0..10).map(|_| pool.freeze(pool.take(1))).collect();
        drop(lent);
        drop(pool.freeze(pool.take(1001)));
        assert_eq!(pool.kept.lock().unwrap().len(), 4);
    }
}
