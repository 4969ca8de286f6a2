//! DescribeTopicPartitions (75). Version 0.
//!
//! Kept: topics in order with a cursor when the limit is reached; no topics means all. Left out: eligible
//! leader replicas.

use kafka_protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use kafka_protocol::messages::{
    BrokerId, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, TopicName,
};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};
use crate::partition::Partition;
use crate::topic::check_name;

pub(super) struct DescribeTopicPartitions;

/// `max.request.partition.size.limit`.
const MOST_PARTITIONS: usize = 2000;

impl Handler for DescribeTopicPartitions {
    const KEY: ApiKey = ApiKey::DESCRIBE_TOPIC_PARTITIONS;
    const VERSIONS: (i16, i16) = (0, 0);
    type Request = DescribeTopicPartitionsRequest;
    type Response = DescribeTopicPartitionsResponse;

    fn handle(call: &mut Call<'_>, request: DescribeTopicPartitionsRequest) -> Step<Self> {
        let mut names: Vec<String> = request.topics.iter().map(|topic| topic.name.to_string()).collect();
        if names.is_empty() {
            names = call.state.topics.keys().map(|name| name.to_string()).collect();
        }
        names.sort();
        let (mut topic, mut partition) = (String::new(), 0);
        if let Some(cursor) = &request.cursor {
            (topic, partition) = (cursor.topic_name.to_string(), cursor.partition_index);
        }
        let limit = usize::try_from(request.response_partition_limit).unwrap_or(0).clamp(1, MOST_PARTITIONS);
        let mut response = DescribeTopicPartitionsResponse::default();
        let mut room = limit;
        for name in names.iter().filter(|name| **name >= topic) {
            let from = if *name == topic { partition } else { 0 };
            if room == 0 {
                response.next_cursor = Some(cursor(name, 0));
                break;
            }
            let described = describe(call, name, from, room);
            room -= described.partitions.len();
            let next = from + i32::try_from(described.partitions.len()).expect("bounded by the limit");
            let more = call.state.partition(name, next).is_some();
            response.topics.push(described);
            if more {
                response.next_cursor = Some(cursor(name, next));
                break;
            }
        }
        Step::Reply(response)
    }

    fn refuse(
        _call: &Call<'_>,
        request: DescribeTopicPartitionsRequest,
        error: ErrorCode,
    ) -> DescribeTopicPartitionsResponse {
        let topics = request.topics.into_iter().map(|topic| {
            DescribeTopicPartitionsResponseTopic::default()
                .with_name(Some(topic.name))
                .with_error_code(error.0)
        });
        DescribeTopicPartitionsResponse::default().with_topics(topics.collect())
    }
}

fn cursor(name: &str, partition: i32) -> Cursor {
    Cursor::default().with_topic_name(TopicName(text(name))).with_partition_index(partition)
}

fn describe(call: &Call<'_>, name: &str, from: i32, room: usize) -> DescribeTopicPartitionsResponseTopic {
    let answer = DescribeTopicPartitionsResponseTopic::default()
        .with_name(Some(TopicName(text(name))))
        .with_topic_authorized_operations(i32::MIN);
    let Some(topic) = call.state.topics.get(name) else {
        let legal = check_name(name).is_ok();
        let error =
            if legal { ErrorCode::UNKNOWN_TOPIC_OR_PARTITION } else { ErrorCode::INVALID_TOPIC_EXCEPTION };
        return answer.with_error_code(error.0);
    };
    let skip = usize::try_from(from).unwrap_or(0);
    let partitions = (0..).zip(&topic.partitions).skip(skip).take(room);
    let partitions = partitions.map(|(index, partition)| part(index, partition)).collect();
    answer.with_topic_id(topic.id).with_partitions(partitions)
}

fn part(index: i32, partition: &Partition) -> DescribeTopicPartitionsResponsePartition {
    let replicas: Vec<BrokerId> = partition.replicas.iter().map(|node| BrokerId(*node)).collect();
    DescribeTopicPartitionsResponsePartition::default()
        .with_partition_index(index)
        .with_leader_id(BrokerId(partition.leader))
        .with_leader_epoch(partition.leader_epoch)
        .with_isr_nodes(replicas.clone())
        .with_replica_nodes(replicas)
        .with_eligible_leader_replicas(Some(Vec::new()))
        .with_last_known_elr(Some(Vec::new()))
}
