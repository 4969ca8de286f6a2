//! What a partition remembers of its producers: sequences for idempotence (KIP-98, KIP-360) and open
//! transactions.
//!
//! A producer that the partition does not know may begin with any sequence, as in Kafka since KIP-360. The
//! last five batches of each producer are kept, so that a repeated one is answered with its first offset.

use std::collections::{BTreeMap, VecDeque};

use millstream_protocol::ids::ErrorCode;
use millstream_protocol::records::BatchHeader;

/// How many batches a producer may have in flight.
const REMEMBERED_BATCHES: usize = 5;

#[derive(Clone, Debug)]
pub(crate) struct RememberedBatch {
    pub(crate) first_sequence: i32,
    pub(crate) last_sequence: i32,
    pub(crate) base_offset: i64,
    pub(crate) timestamp: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct Producer {
    pub(crate) epoch: i16,
    pub(crate) batches: VecDeque<RememberedBatch>,
    /// First offset of the transaction that is open here.
    pub(crate) transaction_start: Option<i64>,
}

impl Producer {
    pub(crate) fn last_sequence(&self) -> i32 {
        self.batches.back().map_or(-1, |batch| batch.last_sequence)
    }

    pub(crate) fn last_timestamp(&self) -> i64 {
        self.batches.back().map_or(-1, |batch| batch.timestamp)
    }
}

/// An aborted transaction: readers of committed data skip the producer's records in this span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Aborted {
    pub(crate) producer_id: i64,
    pub(crate) first_offset: i64,
    /// Offset of the abort marker.
    pub(crate) last_offset: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Producers {
    by_id: BTreeMap<i64, Producer>,
    aborted: Vec<Aborted>,
}

/// What the sequence numbers say about a batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    New,
    /// Already in the log, at this base offset and with this timestamp.
    Duplicate {
        base_offset: i64,
        timestamp: i64,
    },
}

impl Producers {
    /// Checks a producer's batch before it is appended.
    pub(crate) fn check(&self, header: &BatchHeader) -> Result<Verdict, (ErrorCode, String)> {
        let Some(known) = self.by_id.get(&header.producer_id) else { return Ok(Verdict::New) };
        if header.producer_epoch < known.epoch {
            let text =
                format!("epoch {} is older than the producer's epoch {}", header.producer_epoch, known.epoch);
            return Err((ErrorCode::INVALID_PRODUCER_EPOCH, text));
        }
        let (first, last) = sequences(header);
        let out_of_order = |expected: i32| {
            let text = format!(
                "out of order sequence number for producer {}: {first} (incoming), {expected} (expected)",
                header.producer_id
            );
            Err((ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, text))
        };
        if header.producer_epoch > known.epoch {
            return if first == 0 { Ok(Verdict::New) } else { out_of_order(0) };
        }
        let same = |batch: &&RememberedBatch| batch.first_sequence == first && batch.last_sequence == last;
        if let Some(batch) = known.batches.iter().find(same) {
            return Ok(Verdict::Duplicate { base_offset: batch.base_offset, timestamp: batch.timestamp });
        }
        let expected = following(known.last_sequence());
        if first == expected { Ok(Verdict::New) } else { out_of_order(expected) }
    }

    /// Takes note of a data batch that was appended (or is found in the log at start).
    pub(crate) fn appended(&mut self, header: &BatchHeader) {
        if header.producer_id < 0 {
            return;
        }
        let (first_sequence, last_sequence) = sequences(header);
        let producer = self.entry(header.producer_id, header.producer_epoch);
        if producer.batches.len() == REMEMBERED_BATCHES {
            producer.batches.pop_front();
        }
        producer.batches.push_back(RememberedBatch {
            first_sequence,
            last_sequence,
            base_offset: header.base_offset,
            timestamp: header.max_timestamp,
        });
        if header.is_transactional() && producer.transaction_start.is_none() {
            producer.transaction_start = Some(header.base_offset);
        }
    }

    /// Takes note of a transaction's end marker at `offset`.
    pub(crate) fn ended(&mut self, producer_id: i64, epoch: i16, committed: bool, offset: i64) {
        let producer = self.entry(producer_id, epoch);
        let Some(first_offset) = producer.transaction_start.take() else { return };
        if !committed {
            self.aborted.push(Aborted { producer_id, first_offset, last_offset: offset });
        }
    }

    fn entry(&mut self, producer_id: i64, epoch: i16) -> &mut Producer {
        let fresh = || Producer { epoch, batches: VecDeque::new(), transaction_start: None };
        let producer = self.by_id.entry(producer_id).or_insert_with(fresh);
        if producer.epoch != epoch {
            producer.epoch = epoch;
            producer.batches.clear();
        }
        producer
    }

    /// First offset of the oldest open transaction: nothing from there on is stable.
    pub(crate) fn first_unstable_offset(&self) -> Option<i64> {
        self.by_id.values().filter_map(|producer| producer.transaction_start).min()
    }

    /// Aborted transactions that reach into `from..below`, by first offset.
    pub(crate) fn aborted_between(&self, from: i64, below: i64) -> Vec<Aborted> {
        let touches = |aborted: &&Aborted| aborted.last_offset >= from && aborted.first_offset < below;
        let mut found: Vec<Aborted> = self.aborted.iter().filter(touches).copied().collect();
        found.sort_by_key(|aborted| aborted.first_offset);
        found
    }

    /// Forgets what was learnt from offsets at or above `start`: after a truncation the log is read again from
    /// there. What the log no longer holds, because it was deleted, stays known, as in Kafka's snapshots.
    pub(crate) fn forget_from(&mut self, start: i64) {
        self.aborted.retain(|aborted| aborted.last_offset < start);
        self.by_id
            .retain(|_, producer| producer.batches.back().is_some_and(|batch| batch.base_offset < start));
    }

    /// All producers with their ids.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &Producer)> {
        self.by_id.iter().map(|(id, producer)| (*id, producer))
    }
}

/// First and last sequence of a batch; sequences go on at 0 after `i32::MAX`.
fn sequences(header: &BatchHeader) -> (i32, i32) {
    let last = (i64::from(header.base_sequence) + i64::from(header.last_offset_delta)) & i64::from(i32::MAX);
    (header.base_sequence, i32::try_from(last).expect("masked to 31 bits"))
}

fn following(sequence: i32) -> i32 {
    if sequence == i32::MAX { 0 } else { sequence + 1 }
}
