//! CreateTopics (19). Versions 2-7.
//!
//! Kept: names, counts, replication and assignments are checked, settings are checked and kept,
//! validate_only, TOPIC_ALREADY_EXISTS, INVALID_REQUEST for a name given twice. Left out: the timeout (topics
//! exist at once).

use std::collections::BTreeMap;

use kafka_protocol::messages::create_topics_request::{CreatableReplicaAssignment, CreatableTopic};
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::{CreateTopicsRequest, CreateTopicsResponse};
use millstream_protocol::ids::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};
use crate::cluster::NewTopic;
use crate::config::{ConfigKey, TOPIC_CONFIGS, TopicConfig};
use crate::partition::Refusal;

pub(super) struct CreateTopics;

impl Handler for CreateTopics {
    const KEY: ApiKey = ApiKey::CREATE_TOPICS;
    const VERSIONS: (i16, i16) = (2, 7);
    type Request = CreateTopicsRequest;
    type Response = CreateTopicsResponse;

    fn handle(call: &mut Call<'_>, request: CreateTopicsRequest) -> Step<Self> {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for topic in &request.topics {
            *times.entry(topic.name.as_str()).or_default() += 1;
        }
        let mut results = Vec::with_capacity(times.len());
        for topic in &request.topics {
            match times.get(topic.name.as_str()) {
                Some(1) => results.push(create(call, topic, request.validate_only)),
                Some(_) => {
                    times.remove(topic.name.as_str());
                    let why = "Duplicate topic name.".to_owned();
                    results.push(failed(topic, (ErrorCode::INVALID_REQUEST, why)));
                }
                None => {}
            }
        }
        Step::Reply(CreateTopicsResponse::default().with_topics(results))
    }

    fn refuse(_call: &Call<'_>, request: CreateTopicsRequest, error: ErrorCode) -> CreateTopicsResponse {
        let results = request.topics.iter().map(|topic| failed(topic, (error, error.name().to_owned())));
        CreateTopicsResponse::default().with_topics(results.collect())
    }
}

fn create(call: &mut Call<'_>, topic: &CreatableTopic, validate_only: bool) -> CreatableTopicResult {
    match try_create(call, topic, validate_only) {
        Err(refusal) => failed(topic, refusal),
        Ok((partitions, replicas, config)) => {
            let id =
                call.state.topics.get(topic.name.as_str()).map_or_else(uuid::Uuid::nil, |topic| topic.id);
            CreatableTopicResult::default()
                .with_name(topic.name.clone())
                .with_topic_id(id)
                .with_num_partitions(partitions)
                .with_replication_factor(replicas)
                .with_configs(Some(describe(&config)))
        }
    }
}

fn try_create(
    call: &mut Call<'_>,
    topic: &CreatableTopic,
    validate_only: bool,
) -> Result<(i32, i16, TopicConfig), Refusal> {
    let mut config = TopicConfig::default();
    for entry in &topic.configs {
        if let Some(value) = &entry.value {
            config.set(&entry.name, value).map_err(|why| (ErrorCode::INVALID_CONFIG, why))?;
        }
    }
    let mut assignments: Vec<&CreatableReplicaAssignment> = topic.assignments.iter().collect();
    assignments.sort_by_key(|assignment| assignment.partition_index);
    let given = !assignments.is_empty();
    if given && (topic.num_partitions != -1 || topic.replication_factor != -1) {
        let why =
            "A manual partition assignment was specified, but numPartitions or replicationFactor was not -1.";
        return Err((ErrorCode::INVALID_REQUEST, why.to_owned()));
    }
    if given && !(0..).zip(&assignments).all(|(index, assignment)| assignment.partition_index == index) {
        let why = "Partitions should be a consecutive 0-based integer sequence.".to_owned();
        return Err((ErrorCode::INVALID_REPLICA_ASSIGNMENT, why));
    }
    let nodes = |assignment: &CreatableReplicaAssignment| {
        assignment.broker_ids.iter().map(|id| id.0).collect::<Vec<i32>>()
    };
    let new = NewTopic {
        name: &topic.name,
        partitions: topic.num_partitions,
        replication: topic.replication_factor,
        assignments: assignments.into_iter().map(nodes).collect(),
        config: config.clone(),
    };
    let (partitions, replicas) = call.state.create_topic(new, validate_only)?;
    Ok((partitions, replicas, config))
}

fn failed(topic: &CreatableTopic, (error, why): Refusal) -> CreatableTopicResult {
    CreatableTopicResult::default()
        .with_name(topic.name.clone())
        .with_error_code(error.0)
        .with_error_message(Some(text(why)))
}

fn describe(config: &TopicConfig) -> Vec<CreatableTopicConfigs> {
    const DEFAULT: i8 = 5;
    const TOPIC: i8 = 1;
    let entry = |key: &ConfigKey| {
        let own = config.set.get(key.name);
        CreatableTopicConfigs::default()
            .with_name(text(key.name))
            .with_value(Some(text(own.map_or(key.default, String::as_str))))
            .with_config_source(if own.is_some() { TOPIC } else { DEFAULT })
    };
    TOPIC_CONFIGS.iter().map(entry).collect()
}
