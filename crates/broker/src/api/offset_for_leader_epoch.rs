//! OffsetForLeaderEpoch (23). Versions 2-4.
//!
//! Kept: the end offset of the largest epoch up to the one asked for; the current epoch is checked. Left out:
//! nothing.

use kafka_protocol::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, check_leader};

pub(super) struct OffsetForLeaderEpoch;

impl Handler for OffsetForLeaderEpoch {
    const KEY: ApiKey = ApiKey::OFFSET_FOR_LEADER_EPOCH;
    const VERSIONS: (i16, i16) = (2, 4);
    type Request = OffsetForLeaderEpochRequest;
    type Response = OffsetForLeaderEpochResponse;

    fn handle(call: &mut Call<'_>, request: OffsetForLeaderEpochRequest) -> Step<Self> {
        Step::Reply(answer(request, |topic, wanted| find(call, topic, wanted)))
    }

    fn refuse(
        _call: &Call<'_>,
        request: OffsetForLeaderEpochRequest,
        error: ErrorCode,
    ) -> OffsetForLeaderEpochResponse {
        answer(request, |_, _| Err(error))
    }
}

fn answer(
    request: OffsetForLeaderEpochRequest,
    find: impl Fn(&str, &OffsetForLeaderPartition) -> Result<(i32, i64), ErrorCode>,
) -> OffsetForLeaderEpochResponse {
    let topic = |topic: OffsetForLeaderTopic| {
        let parts = topic.partitions.iter().map(|wanted| {
            let part = EpochEndOffset::default().with_partition(wanted.partition);
            match find(&topic.topic, wanted) {
                Ok((epoch, end)) => part.with_leader_epoch(epoch).with_end_offset(end),
                Err(error) => part.with_error_code(error.0).with_leader_epoch(-1).with_end_offset(-1),
            }
        });
        let parts = parts.collect();
        OffsetForLeaderTopicResult::default().with_topic(topic.topic).with_partitions(parts)
    };
    OffsetForLeaderEpochResponse::default().with_topics(request.topics.into_iter().map(topic).collect())
}

fn find(call: &Call<'_>, topic: &str, wanted: &OffsetForLeaderPartition) -> Result<(i32, i64), ErrorCode> {
    let partition =
        call.state.partition(topic, wanted.partition).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    check_leader(partition, call.connection.node, wanted.current_leader_epoch)?;
    Ok(partition.epoch_end(wanted.leader_epoch).unwrap_or((-1, -1)))
}
