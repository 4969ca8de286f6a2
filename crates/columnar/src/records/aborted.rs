//! Which transactional batches read_committed hides: KIP-98's rule.
//!
//! A fetch response lists the aborted transactions that touch its bytes, each by producer and first offset. A
//! batch is hidden while its producer has a transaction of that list open: from the first offset up to the
//! abort marker.

use std::collections::HashSet;

use millstream_protocol::fetch::AbortedTransaction;
use millstream_protocol::records::BatchHeader;

/// The aborted transactions of one response, walked together with its batches. Reused from response to
/// response.
#[derive(Debug, Default)]
pub(super) struct AbortedFilter {
    /// Not yet reached, the next one last.
    ahead: Vec<AbortedTransaction>,
    open: HashSet<i64>,
}

impl AbortedFilter {
    /// Starts over with the list of a response.
    pub fn restart(&mut self, aborted: &[AbortedTransaction]) {
        self.open.clear();
        self.ahead.clear();
        self.ahead.extend_from_slice(aborted);
        self.ahead.sort_unstable_by_key(|transaction| std::cmp::Reverse(transaction.first_offset));
    }

    /// Whether the batch is to be hidden. Call for every batch in order; control batches that hold an abort
    /// marker are followed by [`Self::closed`].
    pub fn hides(&mut self, header: &BatchHeader) -> bool {
        while let Some(next) = self.ahead.last()
            && next.first_offset <= header.last_offset()
        {
            self.open.insert(next.producer_id);
            self.ahead.pop();
        }
        header.is_transactional() && !header.is_control() && self.open.contains(&header.producer_id)
    }

    /// An abort marker of the producer was passed.
    pub fn closed(&mut self, producer_id: i64) {
        self.open.remove(&producer_id);
    }
}
