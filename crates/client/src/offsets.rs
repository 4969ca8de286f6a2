//! Finding offsets: earliest, latest, by timestamp (ListOffsets, API 2).
//!
//! Only a partition's leader may be asked. Requests go to all leaders at once; partitions whose leader moved
//! are asked again at the new one, until the deadline.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures::future::join_all;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::list_offsets_response::ListOffsetsPartitionResponse;
use kafka_protocol::messages::{BrokerId, ListOffsetsRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use millstream_protocol::ids::{ApiKey, ErrorCode, TopicPartition};

use crate::error::{Error, Result};
use crate::kafka::Kafka;
use crate::metadata::Ask;
use crate::options::Isolation;

/// Which offset of a partition is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OffsetSpec {
    /// The first offset that still exists (wire value -2).
    Earliest,
    /// The end of what the isolation level may read: high watermark, or last stable offset (wire value -1).
    Latest,
    /// The first offset whose timestamp is at or after this many milliseconds since 1970.
    Timestamp(i64),
    /// The offset of the record with the greatest timestamp (KIP-734, wire value -3).
    MaxTimestamp,
}

/// What ListOffsets found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundOffset {
    /// The offset; `None` when no record matches the timestamp.
    pub offset: Option<i64>,
    /// The timestamp of that record in milliseconds; `None` for earliest and latest.
    pub timestamp: Option<i64>,
}

/// A topic that metadata do not know is given this many attempts: it may have been created a moment ago.
pub(crate) const ATTEMPTS_FOR_UNKNOWN_TOPIC: u32 = 4;

/// KIP-734 came with this version.
const MAX_TIMESTAMP_FROM: i16 = 7;

pub(crate) type Wanted = BTreeMap<TopicPartition, OffsetSpec>;
pub(crate) type Found = BTreeMap<TopicPartition, FoundOffset>;

pub(crate) async fn list(
    kafka: &Kafka,
    wanted: Vec<(TopicPartition, OffsetSpec)>,
    isolation: Isolation,
) -> Result<Found> {
    let mut open: Wanted = wanted.into_iter().collect();
    let mut found = Found::new();
    let mut retry = kafka.retry();
    let mut refresh = open.keys().any(|tp| leader(kafka, tp).is_none());
    while !open.is_empty() {
        let round = ask_leaders(kafka, &open, isolation, refresh);
        let (answers, failure) = match retry.attempt("offsets of partitions", round).await {
            Ok(outcome) => outcome,
            Err(error) => (Found::new(), Some(error)),
        };
        for (tp, offset) in answers {
            open.remove(&tp);
            found.insert(tp, offset);
        }
        if let Some(error) = failure {
            let unknown = error.code() == Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
            if unknown && retry.failures() >= ATTEMPTS_FOR_UNKNOWN_TOPIC {
                return Err(error);
            }
            retry.pause(error).await?;
            refresh = true;
        }
    }
    Ok(found)
}

fn leader(kafka: &Kafka, tp: &TopicPartition) -> Option<i32> {
    kafka.metadata().view(|cluster| cluster.leader(&tp.topic, tp.partition)).and_then(|leader| leader.node)
}

/// Asks every leader for its partitions. Returns what was found, and one failure if anything is left over: a
/// final one if there is any.
async fn ask_leaders(
    kafka: &Kafka,
    open: &Wanted,
    isolation: Isolation,
    refresh: bool,
) -> Result<(Found, Option<Error>)> {
    let mut failures = Vec::new();
    if refresh {
        let mut topics: Vec<Arc<str>> = open.keys().map(|tp| tp.topic.clone()).collect();
        topics.dedup();
        let answer = kafka.metadata().ask(Ask::These(&topics)).await?;
        let bad = answer.topics.iter().filter(|topic| topic.error != ErrorCode::NONE);
        failures.extend(bad.map(|topic| Error::on_topic("Metadata", topic.error, &topic.name)));
    }
    let mut by_leader: HashMap<i32, Wanted> = HashMap::new();
    for (tp, spec) in open {
        match leader(kafka, tp) {
            Some(node) => {
                by_leader.entry(node).or_default().insert(tp.clone(), *spec);
            }
            None if failures
                .iter()
                .any(|f| matches!(f, Error::Broker { topic: Some(t), .. } if **t == *tp.topic)) => {}
            None => failures.push(no_leader(kafka, tp)),
        }
    }
    let answers = by_leader.iter().map(|(node, wanted)| ask_one(kafka, *node, wanted, isolation));
    let mut found = Found::new();
    for answer in join_all(answers).await {
        match answer {
            Ok((some, failed)) => {
                found.extend(some);
                failures.extend(failed);
            }
            Err(error) => failures.push(error),
        }
    }
    failures.sort_by_key(Error::is_retriable);
    Ok((found, failures.into_iter().next()))
}

fn no_leader(kafka: &Kafka, tp: &TopicPartition) -> Error {
    let exists = kafka.metadata().view(|cluster| cluster.leader(&tp.topic, tp.partition).is_some());
    let code = if exists { ErrorCode::LEADER_NOT_AVAILABLE } else { ErrorCode::UNKNOWN_TOPIC_OR_PARTITION };
    Error::on_partition("Metadata", code, tp)
}

/// Asks one leader, once. Returns what was found, and a failure for each partition that was not.
pub(crate) async fn ask_one(
    kafka: &Kafka,
    node: i32,
    wanted: &Wanted,
    isolation: Isolation,
) -> Result<(Found, Vec<Error>)> {
    let connection = kafka.metadata().connection_to(node).await?;
    let version = connection.version(ApiKey::LIST_OFFSETS)?;
    if version < MAX_TIMESTAMP_FROM && wanted.values().any(|spec| *spec == OffsetSpec::MaxTimestamp) {
        return Err(Error::unsupported("the offset of the greatest timestamp on brokers before Kafka 3.0"));
    }
    let answer = connection.call(&request(wanted, isolation)).await?;
    let mut found = Found::new();
    let mut failures = Vec::new();
    for topic in &answer.topics {
        for partition in &topic.partitions {
            let tp = TopicPartition::new(topic.name.0.as_str(), partition.partition_index);
            if !wanted.contains_key(&tp) {
                continue;
            }
            match ErrorCode(partition.error_code) {
                ErrorCode::NONE => {
                    found.insert(tp, found_offset(partition));
                }
                code => failures.push(Error::on_partition("ListOffsets", code, &tp)),
            }
        }
    }
    for tp in wanted.keys() {
        let failed =
            failures.iter().any(|f| matches!(f, Error::Broker { partition: Some(p), .. } if p == tp));
        if !found.contains_key(tp) && !failed {
            failures.push(Error::on_partition("ListOffsets", ErrorCode::LEADER_NOT_AVAILABLE, tp));
        }
    }
    Ok((found, failures))
}

fn found_offset(partition: &ListOffsetsPartitionResponse) -> FoundOffset {
    FoundOffset {
        offset: Some(partition.offset).filter(|offset| *offset >= 0),
        timestamp: Some(partition.timestamp).filter(|timestamp| *timestamp >= 0),
    }
}

fn request(wanted: &Wanted, isolation: Isolation) -> ListOffsetsRequest {
    let mut topics: BTreeMap<&str, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for (tp, spec) in wanted {
        let timestamp = match spec {
            OffsetSpec::Latest => -1,
            OffsetSpec::Earliest => -2,
            OffsetSpec::MaxTimestamp => -3,
            // Negative times would be taken for the special values; nothing is older than 1970 in practice.
            OffsetSpec::Timestamp(millis) => *millis,
        };
        let partition = ListOffsetsPartition::default()
            .with_partition_index(tp.partition)
            .with_current_leader_epoch(-1)
            .with_timestamp(timestamp);
        topics.entry(&tp.topic).or_default().push(partition);
    }
    let topic = |(name, partitions): (&str, _)| {
        ListOffsetsTopic::default()
            .with_name(TopicName(StrBytes::from_string(name.to_owned())))
            .with_partitions(partitions)
    };
    ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_isolation_level(isolation.wire())
        .with_topics(topics.into_iter().map(topic).collect())
}
