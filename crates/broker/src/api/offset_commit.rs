//! OffsetCommit (8). Versions 2-9.
//!
//! Kept: commits of members (checked by generation) and, for groups without members, of anyone; unknown
//! partitions and long metadata are refused one by one. Left out: retention times (offsets never expire).

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::{OffsetCommitRequest, OffsetCommitResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step};
use crate::groups::Phase;
use crate::store::CommittedOffset;

pub(super) struct OffsetCommit;

/// `offset.metadata.max.bytes`.
pub(super) const METADATA_MAX_BYTES: usize = 4096;

impl Handler for OffsetCommit {
    const KEY: ApiKey = ApiKey::OFFSET_COMMIT;
    const VERSIONS: (i16, i16) = (2, 9);
    type Request = OffsetCommitRequest;
    type Response = OffsetCommitResponse;

    fn handle(call: &mut Call<'_>, request: OffsetCommitRequest) -> Step<Self> {
        if let Err(error) = check(call, &request) {
            return Step::Reply(Self::refuse(call, request, error));
        }
        let mut response = OffsetCommitResponse::default();
        for topic in &request.topics {
            let parts = topic.partitions.iter().map(|part| {
                let error =
                    commit(call, &request.group_id, &topic.name, part).err().unwrap_or(ErrorCode::NONE);
                answer(part, error)
            });
            let parts = parts.collect();
            response.topics.push(
                OffsetCommitResponseTopic::default().with_name(topic.name.clone()).with_partitions(parts),
            );
        }
        Step::Reply(response)
    }

    fn refuse(_call: &Call<'_>, request: OffsetCommitRequest, error: ErrorCode) -> OffsetCommitResponse {
        let refused = |topic: OffsetCommitRequestTopic| {
            let parts = topic.partitions.iter().map(|part| answer(part, error)).collect();
            OffsetCommitResponseTopic::default().with_name(topic.name).with_partitions(parts)
        };
        OffsetCommitResponse::default().with_topics(request.topics.into_iter().map(refused).collect())
    }
}

fn answer(part: &OffsetCommitRequestPartition, error: ErrorCode) -> OffsetCommitResponsePartition {
    OffsetCommitResponsePartition::default()
        .with_partition_index(part.partition_index)
        .with_error_code(error.0)
}

fn check(call: &mut Call<'_>, request: &OffsetCommitRequest) -> Result<(), ErrorCode> {
    call.state.check_coordinator(&request.group_id, call.connection.node)?;
    let generation = request.generation_id_or_member_epoch;
    let group = call.state.groups.get_or_make(&request.group_id);
    if generation < 0 && request.member_id.is_empty() {
        return if group.has_members() { Err(ErrorCode::UNKNOWN_MEMBER_ID) } else { Ok(()) };
    }
    if generation >= 0 && !group.has_members() && group.generation == 0 {
        return Err(ErrorCode::ILLEGAL_GENERATION);
    }
    group.check_member(&request.member_id, request.group_instance_id.as_deref(), generation)?;
    group.touch(&request.member_id, call.now.elapsed)?;
    if group.phase == Phase::Completing { Err(ErrorCode::REBALANCE_IN_PROGRESS) } else { Ok(()) }
}

fn commit(
    call: &mut Call<'_>,
    group: &str,
    topic: &str,
    part: &OffsetCommitRequestPartition,
) -> Result<(), ErrorCode> {
    if call.state.partition(topic, part.partition_index).is_none() {
        return Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    }
    let metadata = part.committed_metadata.as_deref().unwrap_or_default();
    if metadata.len() > METADATA_MAX_BYTES {
        return Err(ErrorCode::OFFSET_METADATA_TOO_LARGE);
    }
    let committed = CommittedOffset {
        offset: part.committed_offset,
        leader_epoch: part.committed_leader_epoch,
        metadata: metadata.to_owned(),
    };
    let stored = call.state.commit_offset(group, topic, part.partition_index, committed);
    stored.map_err(|error| error.code())
}
