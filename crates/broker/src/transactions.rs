//! The transaction coordinator (KIP-98, KIP-360): who may write under a transactional id, and how a
//! transaction ends.
//!
//! ```text
//! no state --InitProducerId--> idle --AddPartitionsToTxn / AddOffsetsToTxn--> open --EndTxn--> idle
//!                               ^                                              |
//!                               +---- InitProducerId, or the timeout: aborted, epoch + 1
//! ```
//! Markers are written at once, so there is no "prepared" state to wait for. Every state change is in the
//! journal.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use millstream_protocol::ids::ErrorCode;

use crate::broker::Now;
use crate::cluster::State;
use crate::error::Result;
use crate::partition::Marker;
use crate::store::{Change, CommittedOffset};

/// `transaction.max.timeout.ms`.
const MAX_TIMEOUT_MS: i32 = 900_000;
/// Producer ids are journalled in blocks of this size, so that a restart never gives one out twice.
const ID_BLOCK: i64 = 1_000;

#[derive(Debug, Default)]
pub(crate) struct Transactions {
    by_id: BTreeMap<String, Transaction>,
    /// Producer ids below this are covered by the journal.
    ids_covered: i64,
}

#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    timeout_ms: i32,
    pub(crate) open: Option<Open>,
    /// How the last transaction ended, for repeated EndTxn calls.
    last_committed: Option<bool>,
}

/// An open transaction.
#[derive(Debug, Default)]
pub(crate) struct Open {
    since: Duration,
    pub(crate) partitions: BTreeSet<(Arc<str>, i32)>,
    groups: BTreeSet<String>,
    offsets: Vec<PendingOffset>,
}

/// An offset that becomes a group's when its transaction commits.
#[derive(Clone, Debug)]
pub(crate) struct PendingOffset {
    pub(crate) group: String,
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) committed: CommittedOffset,
}

/// Who speaks: the transactional id with the producer's id and epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Writer<'a> {
    pub(crate) id: &'a str,
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
}

impl Transactions {
    pub(crate) fn restore(&mut self, change: &Change) {
        let Change::Transaction { id, producer_id, epoch, timeout_ms, partitions } = change else { return };
        let partitions: BTreeSet<_> =
            partitions.iter().map(|(topic, partition)| (Arc::from(topic.as_str()), *partition)).collect();
        let open = (!partitions.is_empty()).then(|| Open { partitions, ..Open::default() });
        let (producer_id, epoch, timeout_ms) = (*producer_id, *epoch, *timeout_ms);
        self.by_id
            .insert(id.clone(), Transaction { producer_id, epoch, timeout_ms, open, last_committed: None });
    }

    /// The state of a transactional id, if the writer is its current producer.
    fn current(&mut self, writer: Writer<'_>) -> Result<&mut Transaction, ErrorCode> {
        match self.by_id.get_mut(writer.id) {
            Some(found) if found.producer_id != writer.producer_id => {
                Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING)
            }
            Some(found) if found.epoch != writer.epoch => Err(ErrorCode::PRODUCER_FENCED),
            Some(found) => Ok(found),
            None => Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING),
        }
    }

    /// Ids whose open transaction has lasted longer than it may.
    fn overdue(&self, now: Now) -> Vec<String> {
        let late = |transaction: &Transaction| {
            let timeout = Duration::from_millis(u64::try_from(transaction.timeout_ms).unwrap_or(0));
            transaction.open.as_ref().is_some_and(|open| open.since + timeout <= now.elapsed)
        };
        self.by_id.iter().filter(|(_, transaction)| late(transaction)).map(|(id, _)| id.clone()).collect()
    }

    /// Whether an open transaction holds offsets that may become the group's.
    pub(crate) fn holds_offsets_of(&self, group: &str) -> bool {
        let open = self.by_id.values().filter_map(|transaction| transaction.open.as_ref());
        open.flat_map(|open| &open.offsets).any(|offset| offset.group == group)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Transaction)> {
        self.by_id.iter().map(|(id, transaction)| (id.as_str(), transaction))
    }
}

impl State {
    /// A producer id that was never given out.
    fn fresh_producer_id(&mut self) -> Result<i64> {
        let id = self.next_producer_id;
        if id >= self.transactions.ids_covered {
            self.note(&Change::ProducerIds { below: id + ID_BLOCK })?;
            self.transactions.ids_covered = id + ID_BLOCK;
        }
        self.next_producer_id += 1;
        Ok(id)
    }

    /// InitProducerId without a transactional id.
    pub(crate) fn new_producer(&mut self) -> Result<(i64, i16)> {
        Ok((self.fresh_producer_id()?, 0))
    }

    /// InitProducerId: aborts what is open under the id and fences the producer before.
    pub(crate) fn init_transactions(
        &mut self,
        id: &str,
        timeout_ms: i32,
        claimed: Option<(i64, i16)>,
        now: Now,
    ) -> Result<(i64, i16), ErrorCode> {
        if id.is_empty() {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        if !(1..=MAX_TIMEOUT_MS).contains(&timeout_ms) {
            return Err(ErrorCode::INVALID_TRANSACTION_TIMEOUT);
        }
        if let Some(known) = self.transactions.by_id.get(id) {
            if claimed.is_some_and(|claimed| claimed != (known.producer_id, known.epoch)) {
                return Err(ErrorCode::PRODUCER_FENCED);
            }
            let had_open = known.open.is_some();
            self.fence(id, now).map_err(|error| error.code())?;
            let known = self.transactions.by_id.get_mut(id).expect("looked up above");
            if !had_open {
                known.epoch += 1;
            }
        }
        let exhausted = self.transactions.by_id.get(id).is_none_or(|known| known.epoch >= i16::MAX - 1);
        if exhausted {
            let producer_id = self.fresh_producer_id().map_err(|error| error.code())?;
            let fresh = Transaction { producer_id, epoch: 0, timeout_ms, open: None, last_committed: None };
            self.transactions.by_id.insert(id.to_owned(), fresh);
        }
        let known = self.transactions.by_id.get_mut(id).expect("made above");
        (known.timeout_ms, known.last_committed) = (timeout_ms, None);
        let answer = (known.producer_id, known.epoch);
        self.note_transaction(id).map_err(|error| error.code())?;
        Ok(answer)
    }

    /// Aborts what is open under the id, in the next epoch.
    fn fence(&mut self, id: &str, now: Now) -> Result<()> {
        let Some(known) = self.transactions.by_id.get_mut(id) else { return Ok(()) };
        if known.open.is_none() {
            return Ok(());
        }
        known.epoch += 1;
        self.finish(id, false, now)
    }

    /// Aborts transactions whose time is up.
    pub(crate) fn expire_transactions(&mut self, now: Now) {
        for id in self.transactions.overdue(now) {
            if let Err(error) = self.fence(&id, now) {
                tracing::error!(%error, transactional_id = id, "could not abort an overdue transaction");
            }
        }
    }

    /// AddPartitionsToTxn for partitions that exist.
    pub(crate) fn add_to_transaction(
        &mut self,
        writer: Writer<'_>,
        partitions: impl IntoIterator<Item = (Arc<str>, i32)>,
        now: Now,
    ) -> Result<(), ErrorCode> {
        let open = self.open_transaction(writer, now)?;
        open.partitions.extend(partitions);
        self.note_transaction(writer.id).map_err(|error| error.code())
    }

    /// AddOffsetsToTxn.
    pub(crate) fn add_group_to_transaction(
        &mut self,
        writer: Writer<'_>,
        group: &str,
        now: Now,
    ) -> Result<(), ErrorCode> {
        self.open_transaction(writer, now)?.groups.insert(group.to_owned());
        Ok(())
    }

    /// TxnOffsetCommit.
    pub(crate) fn add_offsets_to_transaction(
        &mut self,
        writer: Writer<'_>,
        offsets: Vec<PendingOffset>,
    ) -> Result<(), ErrorCode> {
        let known = self.transactions.current(writer)?;
        match &mut known.open {
            Some(open) if offsets.iter().all(|offset| open.groups.contains(&offset.group)) => {
                open.offsets.extend(offsets);
                Ok(())
            }
            _ => Err(ErrorCode::INVALID_TXN_STATE),
        }
    }

    fn open_transaction(&mut self, writer: Writer<'_>, now: Now) -> Result<&mut Open, ErrorCode> {
        let known = self.transactions.current(writer)?;
        Ok(known.open.get_or_insert_with(|| Open { since: now.elapsed, ..Open::default() }))
    }

    /// Whether a producer may write transactional records to the partition now.
    pub(crate) fn check_transactional_write(
        &mut self,
        writer: Writer<'_>,
        topic: &str,
        partition: i32,
    ) -> Result<(), ErrorCode> {
        let known = self.transactions.current(writer).map_err(|code| match code {
            ErrorCode::PRODUCER_FENCED => ErrorCode::INVALID_PRODUCER_EPOCH,
            other => other,
        })?;
        let added =
            |open: &Open| open.partitions.iter().any(|(name, index)| **name == *topic && *index == partition);
        if known.open.as_ref().is_some_and(added) { Ok(()) } else { Err(ErrorCode::INVALID_TXN_STATE) }
    }

    /// EndTxn. Repeating the last one is fine.
    pub(crate) fn end_transaction(
        &mut self,
        writer: Writer<'_>,
        commit: bool,
        now: Now,
    ) -> Result<(), ErrorCode> {
        let known = self.transactions.current(writer)?;
        if known.open.is_none() {
            return if known.last_committed == Some(commit) {
                Ok(())
            } else {
                Err(ErrorCode::INVALID_TXN_STATE)
            };
        }
        self.finish(writer.id, commit, now).map_err(|error| error.code())
    }

    /// Writes the markers; on commit the pending offsets become the groups'.
    fn finish(&mut self, id: &str, committed: bool, now: Now) -> Result<()> {
        let Some(known) = self.transactions.by_id.get_mut(id) else { return Ok(()) };
        let Some(open) = known.open.take() else { return Ok(()) };
        known.last_committed = Some(committed);
        let marker = Marker { producer_id: known.producer_id, producer_epoch: known.epoch, committed };
        for (topic, partition) in &open.partitions {
            if let Some(found) = self.partition_mut(topic, *partition) {
                found.end_transaction(marker, now.unix_ms)?;
            }
        }
        if committed {
            for offset in open.offsets {
                self.commit_offset(&offset.group, &offset.topic, offset.partition, offset.committed)?;
            }
        }
        self.note_transaction(id)
    }

    fn note_transaction(&mut self, id: &str) -> Result<()> {
        let Some(known) = self.transactions.by_id.get(id) else { return Ok(()) };
        let open = known.open.iter().flat_map(|open| &open.partitions);
        let change = Change::Transaction {
            id: id.to_owned(),
            producer_id: known.producer_id,
            epoch: known.epoch,
            timeout_ms: known.timeout_ms,
            partitions: open.map(|(topic, partition)| (topic.to_string(), *partition)).collect(),
        };
        self.note(&change)
    }
}

#[cfg(test)]
mod tests;
