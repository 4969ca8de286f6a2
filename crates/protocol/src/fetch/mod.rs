//! Fetch responses, versions 4 to 18, walked natively because they carry the data.
//!
//! The records are slices of the frame; nothing is copied but topic names.
//! Versions: 5 log start offset; 7 sessions (KIP-227); 11 preferred replica (KIP-392); 12 flexible,
//! diverging epoch and current leader (KIP-595); 13 topic ids instead of names (KIP-516); 16 node
//! endpoints (KIP-951).

use bytes::Bytes;
use uuid::Uuid;

use crate::cursor::{Cursor, Tag};
use crate::{ApiKey, Error, ErrorCode, Limits, Result};

/// Answer to a fetch request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchResponse {
    /// Correlation id of the request.
    pub correlation_id: i32,
    /// Milliseconds for which the broker asks the client to wait.
    pub throttle_ms: i32,
    /// Error of the whole request, from version 7.
    pub error: ErrorCode,
    /// Fetch session, 0 if none.
    pub session_id: i32,
    /// The topics.
    pub topics: Vec<FetchedTopic>,
    /// Addresses of the leaders named in `current_leader`, from version 16.
    pub node_endpoints: Vec<NodeEndpoint>,
}

/// One topic of a fetch response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedTopic {
    /// Name, up to version 12.
    pub name: Option<String>,
    /// Id, from version 13; nil before.
    pub id: Uuid,
    /// The partitions.
    pub partitions: Vec<FetchedPartition>,
}

/// One partition of a fetch response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedPartition {
    /// Partition number.
    pub partition: i32,
    /// Error of the partition.
    pub error: ErrorCode,
    /// Offset after the last record that is replicated.
    pub high_watermark: i64,
    /// Offset below which no transaction is open, if the broker tells.
    pub last_stable_offset: Option<i64>,
    /// First offset of the log, if the broker tells.
    pub log_start_offset: Option<i64>,
    /// Transactions that were aborted and touch the records; under read_committed only.
    pub aborted: Vec<AbortedTransaction>,
    /// Broker to fetch from instead, if the leader names one.
    pub preferred_read_replica: Option<i32>,
    /// The leader's id and epoch, when this broker is no longer the leader.
    pub current_leader: Option<LeaderAndEpoch>,
    /// Epoch and end offset at which the client's log and the leader's part.
    pub diverging_epoch: Option<EpochEndOffset>,
    /// Whole record batches, and perhaps a part of one more; a slice of the frame.
    pub records: Bytes,
}

/// A transaction that was aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AbortedTransaction {
    /// Offset of its first record.
    pub first_offset: i64,
    /// Its producer.
    pub producer_id: i64,
}

/// The leader of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaderAndEpoch {
    /// Broker id.
    pub leader: i32,
    /// Its epoch.
    pub epoch: i32,
}

/// Where an epoch ends in the leader's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochEndOffset {
    /// The epoch.
    pub epoch: i32,
    /// Offset after its last record.
    pub end_offset: i64,
}

/// Address of a broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeEndpoint {
    /// Broker id.
    pub node: i32,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: i32,
    /// Rack, if it has one.
    pub rack: Option<String>,
}

const FLEXIBLE: i16 = 12;
const TOPIC_IDS: i16 = 13;

impl FetchResponse {
    /// Reads a response. `frame` is what follows the length.
    pub fn decode(frame: Bytes, version: i16, limits: &Limits) -> Result<Self> {
        match crate::messages::supported_versions(ApiKey::FETCH) {
            Some((min, max)) if (min..=max).contains(&version) => {}
            _ => return Err(Error::UnsupportedApi { api: ApiKey::FETCH, version }),
        }
        Walker { frame: &frame, version, cursor: Cursor::new(&frame, ApiKey::FETCH, version, limits) }
            .response()
    }
}

struct Walker<'a> {
    frame: &'a Bytes,
    version: i16,
    cursor: Cursor<'a>,
}

impl<'a> Walker<'a> {
    fn response(&mut self) -> Result<FetchResponse> {
        let correlation_id = self.cursor.i32()?;
        self.end_of_struct()?;
        let throttle_ms = self.cursor.i32()?;
        let (error, session_id) =
            if self.version >= 7 { (self.cursor.i16()?, self.cursor.i32()?) } else { (0, 0) };
        let topics = self.list(3, Self::topic)?;
        let mut node_endpoints = Vec::new();
        if self.is_flexible() {
            let version = self.version;
            self.cursor.tags(|tag, field| match tag {
                0 if version >= 16 => {
                    node_endpoints = endpoints(field)?;
                    Ok(Tag::Read)
                }
                _ => Ok(Tag::Unknown),
            })?;
        }
        self.cursor.finish()?;
        Ok(FetchResponse {
            correlation_id,
            throttle_ms,
            error: ErrorCode(error),
            session_id,
            topics,
            node_endpoints,
        })
    }

    fn topic(&mut self) -> Result<FetchedTopic> {
        let (name, id) = if self.version >= TOPIC_IDS {
            (None, self.cursor.uuid()?)
        } else {
            (Some(self.name()?), Uuid::nil())
        };
        let partitions = self.list(30, Self::partition)?;
        self.end_of_struct()?;
        Ok(FetchedTopic { name, id, partitions })
    }

    fn partition(&mut self) -> Result<FetchedPartition> {
        let version = self.version;
        let cursor = &mut self.cursor;
        let partition = cursor.i32()?;
        let error = ErrorCode(cursor.i16()?);
        let high_watermark = cursor.i64()?;
        let last_stable_offset = known(cursor.i64()?);
        let log_start_offset = if version >= 5 { known(cursor.i64()?) } else { None };
        let aborted = self.nullable_list(16, Self::aborted)?;
        let preferred = if version >= 11 { self.cursor.i32()? } else { -1 };
        let records = self.records()?;
        let (mut current_leader, mut diverging_epoch) = (None, None);
        if self.is_flexible() {
            self.cursor.tags(|tag, field| {
                match tag {
                    0 => diverging_epoch = epoch_end_offset(field)?,
                    1 => current_leader = leader_and_epoch(field)?,
                    // The end of a snapshot concerns Kafka's own metadata log only.
                    _ => return Ok(Tag::Unknown),
                }
                Ok(Tag::Read)
            })?;
        }
        Ok(FetchedPartition {
            partition,
            error,
            high_watermark,
            last_stable_offset,
            log_start_offset,
            aborted,
            preferred_read_replica: (preferred >= 0).then_some(preferred),
            current_leader,
            diverging_epoch,
            records,
        })
    }

    fn aborted(&mut self) -> Result<AbortedTransaction> {
        let producer_id = self.cursor.i64()?;
        let first_offset = self.cursor.i64()?;
        self.end_of_struct()?;
        Ok(AbortedTransaction { first_offset, producer_id })
    }

    fn records(&mut self) -> Result<Bytes> {
        let length =
            if self.is_flexible() { self.cursor.compact_length()? } else { self.cursor.length_32()? };
        let at = self.cursor.position();
        let length = self.cursor.take(length.unwrap_or(0))?.len();
        Ok(self.frame.slice(at..at + length))
    }

    fn name(&mut self) -> Result<String> {
        let length =
            if self.is_flexible() { self.cursor.compact_length()? } else { self.cursor.length_16()? };
        let length = length.ok_or_else(|| self.cursor.fault("a topic has no name"))?;
        self.cursor.text(length).map(str::to_owned)
    }

    fn list<T>(&mut self, smallest: usize, element: impl Fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.cursor.count(self.is_flexible(), smallest)?;
        let count = count.ok_or_else(|| self.cursor.fault("a list is null"))?;
        (0..count).map(|_| element(self)).collect()
    }

    fn nullable_list<T>(
        &mut self,
        smallest: usize,
        element: impl Fn(&mut Self) -> Result<T>,
    ) -> Result<Vec<T>> {
        let count = self.cursor.count(self.is_flexible(), smallest)?.unwrap_or(0);
        (0..count).map(|_| element(self)).collect()
    }

    fn end_of_struct(&mut self) -> Result<()> {
        if self.is_flexible() { self.cursor.skip_tags() } else { Ok(()) }
    }

    fn is_flexible(&self) -> bool {
        self.version >= FLEXIBLE
    }
}

fn known(offset: i64) -> Option<i64> {
    (offset >= 0).then_some(offset)
}

fn epoch_end_offset(field: &mut Cursor<'_>) -> Result<Option<EpochEndOffset>> {
    let (epoch, end_offset) = (field.i32()?, field.i64()?);
    field.skip_tags()?;
    Ok((epoch >= 0).then_some(EpochEndOffset { epoch, end_offset }))
}

fn leader_and_epoch(field: &mut Cursor<'_>) -> Result<Option<LeaderAndEpoch>> {
    let (leader, epoch) = (field.i32()?, field.i32()?);
    field.skip_tags()?;
    Ok((leader >= 0).then_some(LeaderAndEpoch { leader, epoch }))
}

fn endpoints(field: &mut Cursor<'_>) -> Result<Vec<NodeEndpoint>> {
    let count = field.count(true, 11)?.unwrap_or(0);
    let mut endpoints = Vec::with_capacity(count);
    for _ in 0..count {
        let node = field.i32()?;
        let length = field.compact_length()?.ok_or_else(|| field.fault("a node has no host"))?;
        let host = field.text(length)?.to_owned();
        let port = field.i32()?;
        let rack = match field.compact_length()? {
            Some(length) => Some(field.text(length)?.to_owned()),
            None => None,
        };
        field.skip_tags()?;
        endpoints.push(NodeEndpoint { node, host, port, rack });
    }
    Ok(endpoints)
}

#[cfg(test)]
mod tests;
