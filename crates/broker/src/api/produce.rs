//! Produce (0). Versions 3-13.
//!
//! Kept: acks 0 (no answer; the connection is closed when something was refused), 1 and -1; CRC, format and
//! count of each batch; sequences of idempotent producers; max.message.bytes; timestamp bounds;
//! LogAppendTime; zstd from version 7; topic ids (13); transactional batches only into partitions that were
//! added, or, from version 12, added by this (KIP-890); hints to the right leader from version 10 (KIP-951).
//! Left out: checks of each record inside a batch, recompression (compression.type), the timeout (every
//! replica is in sync at once), min.insync.replicas.

use std::sync::Arc;

use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{BrokerId, ProduceRequest, ProduceResponse, TopicName};
use millstream_protocol::ids::{ApiKey, ErrorCode};
use millstream_protocol::records::{BatchHeader, Batches};

use super::{Call, Handler, Step, text};
use crate::partition::{AppendRules, Appended, Refusal};
use crate::transactions::Writer;

pub(super) struct Produce;

/// First version that names topics by id.
const TOPIC_IDS: i16 = 13;
/// First version in which writing adds the partition to the transaction.
const IMPLICIT_ADD: i16 = 12;
/// First version that knows zstd.
const ZSTD: i16 = 7;

impl Handler for Produce {
    const KEY: ApiKey = ApiKey::PRODUCE;
    const VERSIONS: (i16, i16) = (3, 13);
    type Request = ProduceRequest;
    type Response = ProduceResponse;

    fn handle(call: &mut Call<'_>, request: ProduceRequest) -> Step<Self> {
        if !matches!(request.acks, -1..=1) {
            return Step::Reply(Self::refuse(call, request, ErrorCode::INVALID_REQUIRED_ACKS));
        }
        let id = request.transactional_id.as_ref().map(|id| id.to_string());
        let mut failed = false;
        let mut response = ProduceResponse::default();
        for topic in &request.topic_data {
            let name = topic_name(call, topic);
            let mut answer =
                TopicProduceResponse::default().with_name(topic.name.clone()).with_topic_id(topic.topic_id);
            for data in &topic.partition_data {
                let outcome = match &name {
                    Err(refusal) => Err(refusal.clone()),
                    Ok(name) => append(call, name, data, id.as_deref()),
                };
                failed |= outcome.is_err();
                let mut part = answer_partition(data.index, outcome);
                if part.error_code == ErrorCode::NOT_LEADER_OR_FOLLOWER.0 {
                    let name = name.as_deref().unwrap_or_default();
                    hint(call, name, &mut part, &mut response.node_endpoints);
                }
                if let (true, Ok(name)) = (part.error_code == 0, &name) {
                    part.log_start_offset =
                        call.state.partition(name, data.index).map_or(-1, |p| p.log.start());
                }
                answer.partition_responses.push(part);
            }
            response.responses.push(answer);
        }
        match (request.acks, failed) {
            (0, false) => Step::Silent,
            // The producer listens to no answer: closing makes it look again, as in Kafka.
            (0, true) => Step::Close,
            _ => Step::Reply(response),
        }
    }

    fn refuse(_call: &Call<'_>, request: ProduceRequest, error: ErrorCode) -> ProduceResponse {
        let refused = |topic: TopicProduceData| {
            let parts = topic
                .partition_data
                .iter()
                .map(|data| answer_partition(data.index, Err((error, error.name().to_owned()))));
            TopicProduceResponse::default()
                .with_name(topic.name)
                .with_topic_id(topic.topic_id)
                .with_partition_responses(parts.collect())
        };
        ProduceResponse::default().with_responses(request.topic_data.into_iter().map(refused).collect())
    }
}

fn topic_name(call: &Call<'_>, topic: &TopicProduceData) -> Result<Arc<str>, Refusal> {
    if call.version >= TOPIC_IDS {
        let unknown = || (ErrorCode::UNKNOWN_TOPIC_ID, "This server does not host this topic ID.".to_owned());
        return call.state.topic_name(topic.topic_id).ok_or_else(unknown);
    }
    let TopicName(name) = &topic.name;
    let unknown = || (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN.to_owned());
    call.state.topics.get(name.as_str()).map(|topic| topic.name.clone()).ok_or_else(unknown)
}

const UNKNOWN: &str = "This server does not host this topic-partition.";

fn append(
    call: &mut Call<'_>,
    topic: &Arc<str>,
    data: &PartitionProduceData,
    transactional_id: Option<&str>,
) -> Result<Appended, Refusal> {
    let node = call.connection.node;
    let found = call.state.partition(topic, data.index);
    let found = found.ok_or_else(|| (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN.to_owned()))?;
    if found.leader != node {
        let why = format!("Node {node} is not the leader of {topic}-{}.", data.index);
        return Err((ErrorCode::NOT_LEADER_OR_FOLLOWER, why));
    }
    let records = data.records.as_deref().unwrap_or_default();
    if let Some(Ok(batch)) = Batches::new(records).next() {
        check_codec(call.version, &batch.header)?;
        check_transaction(call, topic, data.index, &batch.header, transactional_id)?;
    }
    let (now_ms, message_max_bytes) = (call.now.unix_ms, call.state.options.message_max_bytes);
    let topic = call.state.topics.get_mut(topic).expect("the partition was found in it");
    let rules = AppendRules { config: &topic.config, message_max_bytes, now_ms };
    let partition = usize::try_from(data.index).ok().and_then(|index| topic.partitions.get_mut(index));
    partition.expect("the partition was found above").produce(records, &rules)
}

fn check_codec(version: i16, header: &BatchHeader) -> Result<(), Refusal> {
    const ZSTD_ID: i16 = 4;
    let id = header.attributes.0 & 7;
    if id > ZSTD_ID || (id == ZSTD_ID && version < ZSTD) {
        let why = format!("Compression codec {id} is not taken in Produce version {version}.");
        return Err((ErrorCode::UNSUPPORTED_COMPRESSION_TYPE, why));
    }
    Ok(())
}

fn check_transaction(
    call: &mut Call<'_>,
    topic: &Arc<str>,
    partition: i32,
    header: &BatchHeader,
    transactional_id: Option<&str>,
) -> Result<(), Refusal> {
    if !header.is_transactional() {
        return Ok(());
    }
    let refusal = |code: ErrorCode| (code, code.message().to_owned());
    let id = transactional_id.ok_or_else(|| refusal(ErrorCode::INVALID_TXN_STATE))?;
    let writer = Writer { id, producer_id: header.producer_id, epoch: header.producer_epoch };
    if call.version >= IMPLICIT_ADD {
        let added = call.state.add_to_transaction(writer, [(topic.clone(), partition)], call.now);
        return added.map_err(refusal);
    }
    call.state.check_transactional_write(writer, topic, partition).map_err(refusal)
}

fn answer_partition(index: i32, outcome: Result<Appended, Refusal>) -> PartitionProduceResponse {
    let part = PartitionProduceResponse::default().with_index(index).with_log_start_offset(-1);
    match outcome {
        Ok(appended) => {
            part.with_base_offset(appended.base_offset).with_log_append_time_ms(appended.log_append_time)
        }
        Err((error, why)) => {
            let part = part.with_error_code(error.0).with_base_offset(-1).with_log_append_time_ms(-1);
            let per_record = error == ErrorCode::INVALID_RECORD || error == ErrorCode::INVALID_TIMESTAMP;
            let first =
                BatchIndexAndErrorMessage::default().with_batch_index_error_message(Some(text(why.as_str())));
            part.with_record_errors(if per_record { vec![first] } else { Vec::new() })
                .with_error_message(Some(text(why)))
        }
    }
}

/// KIP-951: who leads instead, and where it listens.
fn hint(call: &Call<'_>, topic: &str, part: &mut PartitionProduceResponse, nodes: &mut Vec<NodeEndpoint>) {
    let Some(partition) = call.state.partition(topic, part.index) else { return };
    part.current_leader = LeaderIdAndEpoch::default()
        .with_leader_id(BrokerId(partition.leader))
        .with_leader_epoch(partition.leader_epoch);
    if nodes.iter().any(|node| node.node_id.0 == partition.leader) {
        return;
    }
    let address = call.state.nodes().find(|(id, _)| *id == partition.leader);
    if let Some((id, (host, port))) = address {
        let node = NodeEndpoint::default().with_node_id(BrokerId(id)).with_host(text(host.as_str()));
        nodes.push(node.with_port(i32::from(*port)));
    }
}
