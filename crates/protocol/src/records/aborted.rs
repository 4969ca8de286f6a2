//! Which transactional batches read_committed hides: KIP-98's rule, in one pass.
//!
//! A fetch response lists the aborted transactions that touch its bytes, each by producer and first offset. A
//! batch is hidden while its producer has a transaction of that list open: from the first offset up to the
//! abort marker, behind which the same producer may have committed more. So the rule holds only where the
//! batches are shown to it from the first one on; [`AbortedFilter::left`] tells the list for the rest of a
//! response that is cut in two.
//!
//! Facts: brokers may send the list unsorted and with repetitions; each batch costs one look-up.

use std::collections::HashMap;
use std::mem;

use super::{Batch, BatchHeader, ControlKind};
use crate::Result;
use crate::fetch::AbortedTransaction;

/// The aborted transactions of one response, walked together with its batches. Can be reused from response to
/// response.
#[derive(Debug, Default, Clone)]
pub struct AbortedFilter {
    /// Not yet reached, the next one last.
    ahead: Vec<AbortedTransaction>,
    /// First offset by producer.
    open: HashMap<i64, i64>,
}

impl AbortedFilter {
    /// A filter for the batches of a response with this list.
    pub fn new(aborted: &[AbortedTransaction]) -> Self {
        let mut filter = Self::default();
        filter.restart(aborted);
        filter
    }

    /// Starts over with the list of another response.
    pub fn restart(&mut self, aborted: &[AbortedTransaction]) {
        self.open.clear();
        self.ahead.clear();
        self.ahead.extend_from_slice(aborted);
        self.ahead.sort_unstable_by_key(|transaction| std::cmp::Reverse(transaction.first_offset));
    }

    /// Whether the batch is to be hidden. To be called for every batch in order; control batches go to
    /// [`Self::marker`] as well.
    #[inline]
    pub fn hides(&mut self, header: &BatchHeader) -> bool {
        while let Some(next) = self.ahead.last()
            && next.first_offset <= header.last_offset()
        {
            self.open.insert(next.producer_id, next.first_offset);
            self.ahead.pop();
        }
        header.is_transactional() && !header.is_control() && self.open.contains_key(&header.producer_id)
    }

    /// Takes note of a control batch: an abort marker ends its producer's transaction.
    ///
    /// # Errors
    /// Where the batch's records cannot be read.
    pub fn marker(&mut self, batch: &Batch<'_>) -> Result<()> {
        if self.open.is_empty() {
            return Ok(());
        }
        let mut scratch = Vec::new();
        for record in batch.records(MARKER_BYTES, &mut scratch)? {
            if ControlKind::from_key(record?.key) == ControlKind::Abort {
                self.open.remove(&batch.header.producer_id);
            }
        }
        Ok(())
    }

    /// The list for the batches that have not been shown yet, by first offset.
    pub fn left(mut self) -> Vec<AbortedTransaction> {
        let open = mem::take(&mut self.open).into_iter();
        self.ahead
            .extend(open.map(|(producer_id, first_offset)| AbortedTransaction { first_offset, producer_id }));
        self.ahead.sort_unstable_by_key(|transaction| (transaction.first_offset, transaction.producer_id));
        self.ahead
    }
}

/// Markers are a few bytes and never compressed; a batch of them that unpacks to more is not one.
const MARKER_BYTES: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;
    use crate::records::{BatchBuilder, BatchOptions, Batches, control_batch, set_base_offset};

    /// A log of batches of two records each and of markers: `(producer, None)` or `(producer, Some(committed))`.
    fn log(entries: &[(i64, Option<bool>)]) -> Vec<u8> {
        let (mut log, mut end) = (Vec::new(), 0);
        for (producer, marker) in entries {
            let bytes = match marker {
                Some(committed) => control_batch(*committed, *producer, 0, 0, 0).unwrap(),
                None => {
                    let is_transactional = *producer < 10;
                    let options = BatchOptions { is_transactional, ..BatchOptions::default() };
                    let mut builder = BatchBuilder::new(options);
                    builder.append(0, None, Some(b"a"), &[]).unwrap();
                    builder.append(0, None, Some(b"b"), &[]).unwrap();
                    let mut batch = builder.finish().unwrap();
                    batch.stamp(*producer, 0, 0);
                    batch.into_bytes()
                }
            };
            let mut bytes = BytesMut::from(bytes);
            set_base_offset(&mut bytes, end, 0).unwrap();
            end += if marker.is_some() { 1 } else { 2 };
            log.extend_from_slice(&bytes);
        }
        log
    }

    /// Base offsets of the data batches that are shown, and what is left of the list.
    fn shown(records: &[u8], aborted: &[AbortedTransaction]) -> (Vec<i64>, Vec<AbortedTransaction>) {
        let mut filter = AbortedFilter::new(aborted);
        let mut shown = Vec::new();
        for batch in Batches::new(records) {
            let batch = batch.unwrap();
            let hidden = filter.hides(&batch.header);
            if batch.header.is_control() {
                filter.marker(&batch).unwrap();
            } else if !hidden {
                shown.push(batch.header.base_offset);
            }
        }
        (shown, filter.left())
    }

    fn aborted(list: &[(i64, i64)]) -> Vec<AbortedTransaction> {
        let one = |&(producer_id, first_offset)| AbortedTransaction { first_offset, producer_id };
        list.iter().map(one).collect()
    }

    const INTERLEAVED: [(i64, Option<bool>); 10] = [
        (1, None),        // 0 aborted
        (2, None),        // 2 committed
        (11, None),       // 4 without transaction
        (1, None),        // 6 aborted
        (1, Some(false)), // 8
        (1, None),        // 9 committed
        (2, Some(true)),  // 11
        (2, None),        // 12 aborted, its marker lies behind
        (1, Some(true)),  // 14
        (1, None),        // 15 aborted
    ];

    #[test]
    fn each_producers_batches_are_hidden_up_to_its_own_abort_marker() {
        let list = aborted(&[(1, 0), (2, 12), (1, 15)]);
        let (shown, left) = shown(&log(&INTERLEAVED), &list);
        assert_eq!(shown, [2, 4, 9]);
        assert_eq!(left, aborted(&[(2, 12), (1, 15)]), "their markers are still to come");
    }

    #[test]
    fn the_list_may_be_unsorted_and_repeat_itself_and_without_it_nothing_is_hidden() {
        let records = log(&INTERLEAVED);
        let list = aborted(&[(1, 15), (2, 12), (1, 0), (1, 15), (1, 0)]);
        assert_eq!(shown(&records, &list).0, [2, 4, 9]);
        assert_eq!(shown(&records, &[]).0, [0, 2, 4, 6, 9, 12, 15]);
    }

    #[test]
    fn a_response_cut_anywhere_shows_the_same_with_what_is_left_of_its_list() {
        let records = log(&INTERLEAVED);
        let list = aborted(&[(1, 0), (2, 12), (1, 15)]);
        let mut batches = Batches::new(&records);
        let mut cuts = vec![0];
        while batches.next().is_some() {
            cuts.push(batches.position());
        }
        for cut in cuts {
            let (mut front, left) = shown(&records[..cut], &list);
            let (back, _) = shown(&records[cut..], &left);
            front.extend(back);
            assert_eq!(front, [2, 4, 9], "cut at byte {cut}");
        }
    }
}
