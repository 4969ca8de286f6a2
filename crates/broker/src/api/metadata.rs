//! Metadata (3). Versions 0-13.
//!
//! Kept: all topics or some, by name or id; unknown topics are made when broker and request both allow it,
//! else told as UNKNOWN_TOPIC_OR_PARTITION or UNKNOWN_TOPIC_ID; bad names as INVALID_TOPIC_EXCEPTION; leader
//! epochs, replicas. Left out: authorized operations (as without an authorizer: none), racks, offline
//! replicas.

use std::collections::HashSet;

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{BrokerId, MetadataRequest, MetadataResponse, TopicName};
use millstream_protocol::ids::{ApiKey, ErrorCode};
use uuid::Uuid;

use super::{Call, Handler, Step, text};
use crate::cluster::{NewTopic, State};
use crate::config::TopicConfig;
use crate::topic::{Topic, check_name};

pub(super) struct Metadata;

impl Handler for Metadata {
    const KEY: ApiKey = ApiKey::METADATA;
    const VERSIONS: (i16, i16) = (0, 13);
    type Request = MetadataRequest;
    type Response = MetadataResponse;

    fn handle(call: &mut Call<'_>, request: MetadataRequest) -> Step<Self> {
        // Before version 4 the request could not say: the broker's setting decides. In version 0, "none"
        // meant "all".
        let create =
            call.state.options.auto_create_topics && (call.version < 4 || request.allow_auto_topic_creation);
        let topics = match request.topics {
            Some(wanted) if !(wanted.is_empty() && call.version == 0) => {
                // Named a thousand times it is still described once, as in Kafka.
                let mut seen = HashSet::new();
                let once = wanted.iter().filter(|topic| seen.insert((&topic.name, topic.topic_id)));
                once.map(|topic| find(call.state, topic, create)).collect()
            }
            _ => call.state.topics.values().map(describe).collect(),
        };
        Step::Reply(answer(call, topics))
    }

    fn refuse(call: &Call<'_>, request: MetadataRequest, error: ErrorCode) -> MetadataResponse {
        let failed = |topic: MetadataRequestTopic| {
            MetadataResponseTopic::default()
                .with_error_code(error.0)
                .with_name(topic.name)
                .with_topic_id(topic.topic_id)
        };
        let topics = request.topics.unwrap_or_default().into_iter().map(failed).collect();
        answer(call, topics).with_error_code(if call.version >= 13 { error.0 } else { 0 })
    }
}

fn answer(call: &Call<'_>, topics: Vec<MetadataResponseTopic>) -> MetadataResponse {
    let brokers = call.state.nodes().map(|(id, (host, port))| {
        MetadataResponseBroker::default()
            .with_node_id(BrokerId(id))
            .with_host(text(host.as_str()))
            .with_port(i32::from(*port))
    });
    MetadataResponse::default()
        .with_brokers(brokers.collect())
        .with_cluster_id(Some(text(call.state.cluster_id.as_str())))
        .with_controller_id(BrokerId(1))
        .with_topics(topics)
}

fn find(state: &mut State, wanted: &MetadataRequestTopic, create: bool) -> MetadataResponseTopic {
    match &wanted.name {
        Some(name) => by_name(state, name, create),
        None => by_id(state, wanted.topic_id),
    }
}

fn by_name(state: &mut State, name: &TopicName, create: bool) -> MetadataResponseTopic {
    let failed = |error: ErrorCode| {
        MetadataResponseTopic::default().with_error_code(error.0).with_name(Some(name.clone()))
    };
    if let Some(topic) = state.topics.get(name.as_str()) {
        return describe(topic);
    }
    if check_name(name).is_err() {
        return failed(ErrorCode::INVALID_TOPIC_EXCEPTION);
    }
    if !create {
        return failed(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    }
    let config = TopicConfig::default();
    let new = NewTopic { name, partitions: -1, replication: -1, assignments: Vec::new(), config };
    match state.create_topic(new, false) {
        Ok(_) => describe(&state.topics[name.as_str()]),
        Err((error, _)) => failed(error),
    }
}

fn by_id(state: &State, id: Uuid) -> MetadataResponseTopic {
    match state.topic_by_id(id) {
        Some(topic) => describe(topic),
        None => {
            MetadataResponseTopic::default().with_error_code(ErrorCode::UNKNOWN_TOPIC_ID.0).with_topic_id(id)
        }
    }
}

fn describe(topic: &Topic) -> MetadataResponseTopic {
    let partitions = (0..).zip(&topic.partitions).map(|(index, partition)| {
        let replicas: Vec<BrokerId> = partition.replicas.iter().map(|node| BrokerId(*node)).collect();
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(BrokerId(partition.leader))
            .with_leader_epoch(partition.leader_epoch)
            .with_isr_nodes(replicas.clone())
            .with_replica_nodes(replicas)
    });
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(text(&*topic.name))))
        .with_topic_id(topic.id)
        .with_partitions(partitions.collect())
}
