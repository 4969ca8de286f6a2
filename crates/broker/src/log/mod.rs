//! One partition's log: whole record batches in offset order, found by offset or by time.
//!
//! Facts:
//! - Offsets never repeat; gaps are allowed (compacted batches keep their span).
//! - A read starts at the batch that holds the wanted offset, so its first records may lie below it (readers
//!   trim).
//! - Like Kafka, a read is cut at its byte bound even inside a batch, but never inside the first one when
//!   that batch is larger than the bound (KIP-74); readers drop the partial tail.
//! - The index is in memory in both forms of storage: about 48 bytes a batch.

mod file;

use std::collections::VecDeque;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use millstream_protocol::records::BatchHeader;

use crate::error::Result;
use file::BatchFile;

/// Where a batch lies and what it spans.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchEntry {
    pub(crate) base_offset: i64,
    pub(crate) last_offset: i64,
    pub(crate) max_timestamp: i64,
    position: u64,
    size: u32,
}

/// How much of a log a read may return.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadBound {
    /// Batches that begin at or above this offset are not returned.
    pub(crate) below: i64,
    /// Bytes at most.
    pub(crate) bytes: usize,
    /// Return the first batch whole even if it is larger than `bytes`.
    pub(crate) first_whole: bool,
}

#[derive(Debug)]
pub(crate) struct Log {
    index: VecDeque<BatchEntry>,
    storage: Storage,
    start: i64,
    end: i64,
    bytes_written: u64,
}

#[derive(Debug)]
enum Storage {
    /// Parallel to the index.
    Memory(VecDeque<Bytes>),
    Disk(BatchFile),
}

impl Log {
    pub(crate) fn in_memory() -> Self {
        Self {
            index: VecDeque::new(),
            storage: Storage::Memory(VecDeque::new()),
            start: 0,
            end: 0,
            bytes_written: 0,
        }
    }

    /// Opens the log file in `folder` (made if missing). Every whole and sound batch is shown to `seen` in
    /// order with its bytes; what follows the last sound one (a torn write) is cut off.
    pub(crate) fn open(folder: &Path, start: i64, mut seen: impl FnMut(&BatchHeader, &[u8])) -> Result<Self> {
        let mut log = Self {
            index: VecDeque::new(),
            storage: Storage::Memory(VecDeque::new()),
            start,
            end: 0,
            bytes_written: 0,
        };
        let file = BatchFile::open(folder, |header, bytes, position| {
            log.note(header, position, bytes.len());
            seen(header, bytes);
        })?;
        log.bytes_written = file.len();
        log.storage = Storage::Disk(file);
        log.end = log.end.max(start);
        log.forget_below_start();
        Ok(log)
    }

    fn note(&mut self, header: &BatchHeader, position: u64, size: usize) {
        let last_offset = header.last_offset();
        self.index.push_back(BatchEntry {
            base_offset: header.base_offset,
            last_offset,
            max_timestamp: header.max_timestamp,
            position,
            size: u32::try_from(size).expect("a batch's length field is an i32"),
        });
        self.end = last_offset + 1;
    }

    /// Appends a batch whose base offset is already `end()`.
    pub(crate) fn append(&mut self, header: &BatchHeader, batch: Bytes) -> Result<()> {
        debug_assert_eq!(header.base_offset, self.end);
        let (position, size) = (self.bytes_written, batch.len());
        match &mut self.storage {
            Storage::Memory(batches) => batches.push_back(batch),
            Storage::Disk(file) => file.append(&batch)?,
        }
        self.bytes_written += size as u64;
        self.note(header, position, size);
        Ok(())
    }

    /// First offset that can be read.
    pub(crate) fn start(&self) -> i64 {
        self.start
    }

    /// Offset that the next record gets.
    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    /// Bytes of the batches that can be read.
    pub(crate) fn size(&self) -> u64 {
        self.index.iter().map(|entry| u64::from(entry.size)).sum()
    }

    /// Number of batches that can be read.
    pub(crate) fn batches(&self) -> usize {
        self.index.len()
    }

    fn position_of(&self, offset: i64) -> usize {
        self.index.partition_point(|entry| entry.last_offset < offset)
    }

    /// Bytes that a read from `offset` could return, counted no further than `enough`.
    pub(crate) fn available(&self, offset: i64, below: i64, enough: usize) -> usize {
        let mut total = 0;
        for entry in self.index.range(self.position_of(offset)..) {
            if entry.base_offset >= below || total >= enough {
                break;
            }
            total += entry.size as usize;
        }
        total
    }

    /// Batches from the one that holds `offset` on.
    pub(crate) fn read(&self, offset: i64, bound: ReadBound) -> Result<Bytes> {
        let first = self.position_of(offset);
        let mut last = first;
        let mut size = 0;
        for entry in self.index.range(first..) {
            if entry.base_offset >= bound.below || (size > 0 && size >= bound.bytes) {
                break;
            }
            size += entry.size as usize;
            last += 1;
        }
        if first == last {
            return Ok(Bytes::new());
        }
        let first_size = self.index[first].size as usize;
        if first_size > bound.bytes {
            return if bound.first_whole {
                self.bytes(first, first + 1, first_size)
            } else {
                Ok(Bytes::new())
            };
        }
        self.bytes(first, last, size.min(bound.bytes))
    }

    /// `size` bytes from the first of the batches `first..last`.
    fn bytes(&self, first: usize, last: usize, size: usize) -> Result<Bytes> {
        match &self.storage {
            Storage::Disk(file) => file.read(self.index[first].position, size),
            Storage::Memory(batches) if last == first + 1 => Ok(batches[first].slice(..size)),
            Storage::Memory(batches) => {
                let mut out = BytesMut::with_capacity(size);
                for batch in batches.range(first..last) {
                    let room = size - out.len();
                    out.extend_from_slice(&batch[..batch.len().min(room)]);
                }
                Ok(out.freeze())
            }
        }
    }

    /// The first batch whose largest timestamp is at least `timestamp`.
    pub(crate) fn first_batch_since(&self, timestamp: i64) -> Result<Option<Bytes>> {
        match self.index.iter().position(|entry| entry.max_timestamp >= timestamp) {
            Some(at) => self.whole(at).map(Some),
            None => Ok(None),
        }
    }

    /// The first of the batches with the largest timestamp of all.
    pub(crate) fn newest_batch(&self) -> Result<Option<Bytes>> {
        let newest = self.index.iter().map(|entry| entry.max_timestamp).max();
        newest.map_or(Ok(None), |timestamp| self.first_batch_since(timestamp))
    }

    /// Every batch that can be read, one by one.
    pub(crate) fn all(&self) -> Result<Vec<Bytes>> {
        (0..self.index.len()).map(|at| self.whole(at)).collect()
    }

    fn whole(&self, at: usize) -> Result<Bytes> {
        self.bytes(at, at + 1, self.index[at].size as usize)
    }

    /// Moves the start up; whole batches below it are forgotten (a file keeps its bytes).
    pub(crate) fn delete_below(&mut self, offset: i64) {
        self.start = self.start.max(offset.min(self.end));
        self.forget_below_start();
    }

    fn forget_below_start(&mut self) {
        let gone = self.position_of(self.start);
        self.index.drain(..gone);
        if let Storage::Memory(batches) = &mut self.storage {
            batches.drain(..gone);
        }
    }

    /// Forgets all batches that hold `offset` or more; returns the new end. For simulating an unclean
    /// election.
    pub(crate) fn truncate(&mut self, offset: i64) -> Result<i64> {
        let keep = self.position_of(offset);
        if let Some(entry) = self.index.get(keep) {
            self.end = entry.base_offset;
            let position = entry.position;
            match &mut self.storage {
                Storage::Memory(batches) => batches.truncate(keep),
                Storage::Disk(file) => file.truncate(position)?,
            }
            self.bytes_written = position;
            self.index.truncate(keep);
            self.start = self.start.min(self.end);
        }
        Ok(self.end)
    }

    /// Inverts the last byte of the batch that holds `offset`, without telling its CRC. Returns whether there
    /// is one.
    pub(crate) fn damage(&mut self, offset: i64) -> Result<bool> {
        let at = self.position_of(offset);
        let Some(entry) = self.index.get(at).copied() else { return Ok(false) };
        let mut bytes = BytesMut::from(self.whole(at)?);
        let last = bytes.len() - 1;
        bytes[last] = !bytes[last];
        match &mut self.storage {
            Storage::Memory(batches) => batches[at] = bytes.freeze(),
            Storage::Disk(file) => file.overwrite(entry.position, &bytes)?,
        }
        Ok(true)
    }

    /// Makes what was appended durable against a power cut.
    pub(crate) fn sync(&self) -> Result<()> {
        match &self.storage {
            Storage::Memory(_) => Ok(()),
            Storage::Disk(file) => file.sync(),
        }
    }
}

#[cfg(test)]
mod tests;
