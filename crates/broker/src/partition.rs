//! One partition: its log, its leader and epochs, its producers, and who waits for new data.
//!
//! One copy of the data serves all simulated nodes, so the high watermark is the log's end and every replica
//! is in sync.

use bytes::{Bytes, BytesMut};
use millstream_protocol::Limits;
use millstream_protocol::ids::ErrorCode;
use millstream_protocol::records::{self, BatchHeader, Batches, ControlKind};

use crate::config::TopicConfig;
use crate::error::Error;
use crate::log::Log;
use crate::producers::{Producers, Verdict};
use crate::waiting::Waiters;

#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) log: Log,
    pub(crate) leader: i32,
    pub(crate) leader_epoch: i32,
    pub(crate) replicas: Vec<i32>,
    pub(crate) producers: Producers,
    /// Leader epochs with the offset at which each began, oldest first.
    pub(crate) epochs: Vec<(i32, i64)>,
    pub(crate) waiters: Waiters,
}

/// Why a batch was not taken: the code and the text that the producer is told.
pub(crate) type Refusal = (ErrorCode, String);

/// The end of a transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marker {
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) committed: bool,
}

/// There is one coordinator and it is never replaced.
const COORDINATOR_EPOCH: i32 = 0;

/// Where a batch went.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Appended {
    pub(crate) base_offset: i64,
    /// The broker's time, for topics with LogAppendTime; else -1.
    pub(crate) log_append_time: i64,
}

/// The topic's and broker's rules for taking a batch.
pub(crate) struct AppendRules<'a> {
    pub(crate) config: &'a TopicConfig,
    pub(crate) message_max_bytes: i32,
    pub(crate) now_ms: i64,
}

impl Partition {
    pub(crate) fn new(log: Log, leader: i32, replicas: Vec<i32>) -> Self {
        Self {
            log,
            leader,
            leader_epoch: 0,
            replicas,
            producers: Producers::default(),
            epochs: Vec::new(),
            waiters: Waiters::default(),
        }
    }

    pub(crate) fn high_watermark(&self) -> i64 {
        self.log.end()
    }

    /// Below this offset every transaction is decided.
    pub(crate) fn last_stable_offset(&self) -> i64 {
        self.producers.first_unstable_offset().unwrap_or(i64::MAX).min(self.log.end())
    }

    /// The offset below which a reader of this isolation level may read.
    pub(crate) fn readable_end(&self, committed_only: bool) -> i64 {
        if committed_only { self.last_stable_offset() } else { self.high_watermark() }
    }

    /// Takes a producer's records: exactly one batch, as Kafka asks since Produce version 3.
    pub(crate) fn produce(&mut self, records: &[u8], rules: &AppendRules<'_>) -> Result<Appended, Refusal> {
        let header = sound_batch(records)?;
        check_rules(&header, records.len(), rules)?;
        if rules.config.is_compacted() {
            check_keys(records)?;
        }
        if header.producer_id >= 0 {
            match self.producers.check(&header)? {
                Verdict::New => {}
                Verdict::Duplicate { base_offset, timestamp } => {
                    let log_append_time = if rules.config.log_append_time() { timestamp } else { -1 };
                    return Ok(Appended { base_offset, log_append_time });
                }
            }
        }
        let mut batch = BytesMut::from(records);
        let base_offset = self.log.end();
        if base_offset.checked_add(i64::from(header.last_offset_delta) + 1).is_none() {
            return Err((ErrorCode::INVALID_RECORD, "the partition's offsets are used up".to_owned()));
        }
        let placed = records::set_base_offset(&mut batch, base_offset, self.leader_epoch);
        placed.map_err(|error| (ErrorCode::CORRUPT_MESSAGE, error.to_string()))?;
        let log_append_time = if rules.config.log_append_time() { rules.now_ms } else { -1 };
        if log_append_time >= 0 {
            let stamped = records::set_log_append_time(&mut batch, rules.now_ms);
            stamped.map_err(|error| (ErrorCode::CORRUPT_MESSAGE, error.to_string()))?;
        }
        self.append(batch.freeze()).map_err(storage_refusal)?;
        Ok(Appended { base_offset, log_append_time })
    }

    /// Writes the marker that ends a transaction here.
    pub(crate) fn end_transaction(&mut self, marker: Marker, now_ms: i64) -> Result<(), Error> {
        let Marker { producer_id, producer_epoch, committed } = marker;
        let batch = records::control_batch(committed, producer_id, producer_epoch, COORDINATOR_EPOCH, now_ms);
        let mut batch = BytesMut::from(batch.map_err(lost_header)?);
        records::set_base_offset(&mut batch, self.log.end(), self.leader_epoch).map_err(lost_header)?;
        self.append(batch.freeze())
    }

    fn append(&mut self, batch: Bytes) -> Result<(), Error> {
        let header = stored_header(&batch)?;
        self.log.append(&header, batch.clone())?;
        self.learn(&header, &batch);
        self.waiters.wake();
        Ok(())
    }

    /// Draws from a batch in the log what the partition must know of producers and epochs.
    pub(crate) fn learn(&mut self, header: &BatchHeader, batch: &[u8]) {
        if self.epochs.last().is_none_or(|(epoch, _)| *epoch < header.leader_epoch) {
            self.epochs.push((header.leader_epoch, header.base_offset));
        }
        if header.is_control() {
            let committed = marker_commits(batch);
            self.producers.ended(header.producer_id, header.producer_epoch, committed, header.base_offset);
        } else {
            self.producers.appended(header);
        }
    }

    /// Makes another node the leader, in a new epoch.
    pub(crate) fn move_leader(&mut self, to: i32) {
        self.leader = to;
        self.leader_epoch += 1;
        if !self.replicas.contains(&to) {
            self.replicas.push(to);
        }
        self.waiters.wake();
    }

    /// Cuts the log as an unclean election would: the offsets are given out again, in a new epoch.
    pub(crate) fn truncate(&mut self, offset: i64) -> Result<i64, Error> {
        let end = self.log.truncate(offset)?;
        self.epochs.retain(|(_, start)| *start < end);
        self.producers.forget_from(self.log.start());
        for batch in self.log.all()? {
            self.learn(&stored_header(&batch)?, &batch);
        }
        self.leader_epoch += 1;
        self.waiters.wake();
        Ok(end)
    }

    /// The largest known epoch up to `epoch` and the offset at which it ended (KIP-101, KIP-320).
    pub(crate) fn epoch_end(&self, epoch: i32) -> Option<(i32, i64)> {
        let at = self.epochs.iter().rposition(|(known, _)| *known <= epoch);
        if epoch == self.leader_epoch {
            return Some((epoch, self.log.end()));
        }
        let at = at?;
        let end = self.epochs.get(at + 1).map_or(self.log.end(), |(_, start)| *start);
        Some((self.epochs[at].0, end))
    }
}

/// The header of a batch that this broker made or checked.
fn stored_header(batch: &[u8]) -> Result<BatchHeader, Error> {
    match Batches::new(batch).next() {
        Some(Ok(found)) => Ok(found.header),
        Some(Err(error)) => Err(lost_header(error)),
        None => Err(Error::refused(ErrorCode::CORRUPT_MESSAGE, "the batch is empty")),
    }
}

fn lost_header(error: millstream_protocol::Error) -> Error {
    Error::refused(ErrorCode::CORRUPT_MESSAGE, error.to_string())
}

/// Checks that the bytes are one whole batch of the current format with a right CRC.
fn sound_batch(records: &[u8]) -> Result<BatchHeader, Refusal> {
    let corrupt = |what: String| (ErrorCode::CORRUPT_MESSAGE, what);
    let invalid = |what: &str| (ErrorCode::INVALID_RECORD, what.to_owned());
    let mut batches = Batches::new(records);
    let batch = match batches.next() {
        None => {
            return Err(invalid(
                "a produce request must hold exactly one record batch per partition, not none",
            ));
        }
        Some(batch) => batch.map_err(|error| corrupt(error.to_string()))?,
    };
    if batch.header.magic != 2 {
        return Err(invalid("only record batches of format version 2 are taken"));
    }
    if batch.bytes.len() != records.len() {
        return Err(invalid("a produce request must hold exactly one record batch per partition"));
    }
    batch.verify_crc().map_err(|error| corrupt(error.to_string()))?;
    let header = batch.header;
    if header.is_control() {
        return Err(invalid("clients may not write control batches"));
    }
    if header.records_count <= 0 || header.last_offset_delta != header.records_count - 1 {
        return Err(invalid("the batch's record count and last offset delta do not agree"));
    }
    if header.producer_id >= 0 && header.base_sequence < 0 {
        return Err(invalid("a batch with a producer id needs a sequence number"));
    }
    Ok(header)
}

fn check_rules(header: &BatchHeader, size: usize, rules: &AppendRules<'_>) -> Result<(), Refusal> {
    let limit = rules.config.max_message_bytes(rules.message_max_bytes);
    if i64::try_from(size).unwrap_or(i64::MAX) > limit {
        let text = format!("the record batch of {size} bytes is larger than max.message.bytes = {limit}");
        return Err((ErrorCode::MESSAGE_TOO_LARGE, text));
    }
    let bounds = rules.config.timestamp_bounds(rules.now_ms);
    let in_time = |timestamp: i64| timestamp < 0 || bounds.contains(&timestamp);
    let in_bounds = in_time(header.max_timestamp) && in_time(header.base_timestamp);
    if !in_bounds && !rules.config.log_append_time() {
        let text = format!(
            "timestamp {} is out of range: it must lie in [{}, {}]",
            header.max_timestamp,
            bounds.start(),
            bounds.end()
        );
        return Err((ErrorCode::INVALID_TIMESTAMP, text));
    }
    Ok(())
}

/// Compacted topics take no records without a key.
fn check_keys(records: &[u8]) -> Result<(), Refusal> {
    let corrupt = |error: millstream_protocol::Error| (ErrorCode::CORRUPT_MESSAGE, error.to_string());
    let Some(batch) = Batches::new(records).next() else { return Ok(()) };
    let batch = batch.map_err(corrupt)?;
    let mut scratch = Vec::new();
    for record in batch.records(Limits::default().decompressed_bytes, &mut scratch).map_err(corrupt)? {
        if record.map_err(corrupt)?.key.is_none() {
            let why = "Compacted topic cannot accept message without key.";
            return Err((ErrorCode::INVALID_RECORD, why.to_owned()));
        }
    }
    Ok(())
}

fn storage_refusal(error: Error) -> Refusal {
    tracing::error!(%error, "append failed");
    (ErrorCode::KAFKA_STORAGE_ERROR, error.to_string())
}

/// Whether a control batch is a commit marker: its first record's key says so.
fn marker_commits(batch: &[u8]) -> bool {
    let Some(Ok(batch)) = Batches::new(batch).next() else { return false };
    let mut scratch = Vec::new();
    let Ok(mut records) = batch.records(0, &mut scratch) else { return false };
    matches!(records.next(), Some(Ok(record)) if ControlKind::from_key(record.key) == ControlKind::Commit)
}
