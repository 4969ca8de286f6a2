//! OffsetFetch (9). Versions 1-9.
//!
//! Kept: some or all partitions, one group or, from version 8, many; -1 where nothing is committed;
//! require_stable tells UNSTABLE_OFFSET_COMMIT while a transaction holds offsets of the group. Left out:
//! member epochs (KIP-848).

use std::sync::Arc;

use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{OffsetFetchRequest, OffsetFetchResponse, TopicName};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};
use crate::groups::Group;

pub(super) struct OffsetFetch;

const MANY_GROUPS: i16 = 8;
const ERROR_AT_TOP: i16 = 2;

impl Handler for OffsetFetch {
    const KEY: ApiKey = ApiKey::OFFSET_FETCH;
    const VERSIONS: (i16, i16) = (1, 9);
    type Request = OffsetFetchRequest;
    type Response = OffsetFetchResponse;

    fn handle(call: &mut Call<'_>, request: OffsetFetchRequest) -> Step<Self> {
        Step::Reply(answer(call, request, ErrorCode::NONE))
    }

    fn refuse(call: &Call<'_>, request: OffsetFetchRequest, error: ErrorCode) -> OffsetFetchResponse {
        answer(call, request, error)
    }
}

fn answer(call: &Call<'_>, request: OffsetFetchRequest, error: ErrorCode) -> OffsetFetchResponse {
    let stable = request.require_stable;
    if call.version >= MANY_GROUPS {
        let groups = request.groups.iter().map(|wanted| fetch(call, wanted, stable, error));
        return OffsetFetchResponse::default().with_groups(groups.collect());
    }
    let topic = |topic: &kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestTopic| {
        OffsetFetchRequestTopics::default()
            .with_name(topic.name.clone())
            .with_partition_indexes(topic.partition_indexes.clone())
    };
    let topics = request.topics.map(|topics| topics.iter().map(topic).collect());
    let wanted = OffsetFetchRequestGroup::default().with_group_id(request.group_id).with_topics(topics);
    let found = fetch(call, &wanted, stable, error);
    let code = if call.version >= ERROR_AT_TOP { found.error_code } else { 0 };
    OffsetFetchResponse::default()
        .with_error_code(code)
        .with_topics(found.topics.into_iter().map(|topic| single(topic, found.error_code)).collect())
}

fn fetch(
    call: &Call<'_>,
    wanted: &OffsetFetchRequestGroup,
    stable: bool,
    error: ErrorCode,
) -> OffsetFetchResponseGroup {
    let answer = OffsetFetchResponseGroup::default().with_group_id(wanted.group_id.clone());
    let wrong_node = call.state.check_coordinator(&wanted.group_id, call.connection.node).err();
    let error = if error.is_ok() { wrong_node.unwrap_or(error) } else { error };
    if !error.is_ok() {
        return answer.with_error_code(error.0);
    }
    let group = call.state.groups.get(&wanted.group_id);
    let unstable = stable && call.state.transactions.holds_offsets_of(&wanted.group_id);
    let topics = match &wanted.topics {
        Some(topics) => topics
            .iter()
            .map(|topic| {
                let parts =
                    topic.partition_indexes.iter().map(|index| part(group, &topic.name, *index, unstable));
                OffsetFetchResponseTopics::default()
                    .with_name(topic.name.clone())
                    .with_partitions(parts.collect())
            })
            .collect(),
        None => group.map(|group| all(group, unstable)).unwrap_or_default(),
    };
    answer.with_topics(topics)
}

fn all(group: &Group, unstable: bool) -> Vec<OffsetFetchResponseTopics> {
    let mut topics: Vec<OffsetFetchResponseTopics> = Vec::new();
    for (topic, index) in group.offsets.keys() {
        let found = part(Some(group), topic, *index, unstable);
        match topics.last_mut().filter(|last| *last.name.as_str() == **topic) {
            Some(last) => last.partitions.push(found),
            None => topics.push(
                OffsetFetchResponseTopics::default()
                    .with_name(TopicName(text(&**topic)))
                    .with_partitions(vec![found]),
            ),
        }
    }
    topics
}

fn part(group: Option<&Group>, topic: &str, index: i32, unstable: bool) -> OffsetFetchResponsePartitions {
    let committed = group.and_then(|group| group.offsets.get(&(Arc::from(topic), index)));
    let part = OffsetFetchResponsePartitions::default().with_partition_index(index);
    match committed {
        _ if unstable => part
            .with_committed_offset(-1)
            .with_committed_leader_epoch(-1)
            .with_error_code(ErrorCode::UNSTABLE_OFFSET_COMMIT.0),
        Some(committed) => part
            .with_committed_offset(committed.offset)
            .with_committed_leader_epoch(committed.leader_epoch)
            .with_metadata(Some(text(committed.metadata.as_str()))),
        None => part.with_committed_offset(-1).with_committed_leader_epoch(-1).with_metadata(Some(text(""))),
    }
}

/// The form before version 8.
fn single(topic: OffsetFetchResponseTopics, error: i16) -> OffsetFetchResponseTopic {
    let part = |part: OffsetFetchResponsePartitions| {
        OffsetFetchResponsePartition::default()
            .with_partition_index(part.partition_index)
            .with_committed_offset(part.committed_offset)
            .with_committed_leader_epoch(part.committed_leader_epoch)
            .with_metadata(part.metadata)
            .with_error_code(if error == 0 { part.error_code } else { error })
    };
    OffsetFetchResponseTopic::default()
        .with_name(topic.name)
        .with_partitions(topic.partitions.into_iter().map(part).collect())
}
