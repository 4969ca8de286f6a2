//! Fetched bytes on their way through the decoder: as they are pushed, and as they are kept until all of them are
//! decoded.

use bytes::Bytes;
use millstream_protocol::fetch::AbortedTransaction;

/// Whole record batches of one partition, as a fetch response brought them.
#[derive(Debug, Clone, Copy)]
pub struct Chunk<'a> {
    /// Topic of the bytes.
    pub topic: &'a str,
    /// Partition of the bytes.
    pub partition: i32,
    /// Record batches; a partial batch at the end is ignored. The decoder keeps slices of it.
    pub records: &'a Bytes,
    /// Records with smaller offsets are dropped.
    pub from: i64,
    /// Records at or above this offset are dropped.
    pub until: i64,
    /// Aborted transactions of the response, in any order; used under read_committed.
    pub aborted: &'a [AbortedTransaction],
}

/// A chunk that is being decoded. Its memory is used again for the next one.
#[derive(Debug, Default)]
pub(super) struct Pending {
    topic: String,
    partition: i32,
    records: Bytes,
    from: i64,
    until: i64,
    progress: Progress,
}

/// How far a chunk has been decoded.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    /// Bytes that are done with.
    pub bytes: usize,
    /// Position behind the batches that are done with, at most the chunk's `until`.
    pub next_offset: i64,
}

impl Pending {
    /// Starts on another chunk.
    pub fn restart(&mut self, chunk: Chunk<'_>) {
        self.topic.clear();
        self.topic.push_str(chunk.topic);
        self.partition = chunk.partition;
        self.records = chunk.records.clone();
        (self.from, self.until) = (chunk.from, chunk.until);
        self.progress = Progress { bytes: 0, next_offset: chunk.from };
    }

    /// The chunk, without the transactions, which the decoder's filter has taken in, and how far it is decoded.
    pub fn parts(&mut self) -> (Chunk<'_>, &mut Progress) {
        let chunk = Chunk {
            topic: &self.topic,
            partition: self.partition,
            records: &self.records,
            from: self.from,
            until: self.until,
            aborted: &[],
        };
        (chunk, &mut self.progress)
    }

    /// Whether nothing of the chunk is left.
    pub fn is_done(&self) -> bool {
        self.progress.bytes >= self.records.len()
    }

    /// Position behind the batches that are done with.
    pub fn next_offset(&self) -> i64 {
        self.progress.next_offset
    }

    /// Lets the bytes go.
    pub fn end(&mut self) {
        self.records = Bytes::new();
    }
}
