//! OffsetDelete (47). Version 0.
//!
//! Kept: forgets offsets of partitions; unknown groups and partitions are told. Left out: telling apart the
//! topics that a live group is subscribed to (a group with members is refused as a whole: NON_EMPTY_GROUP).

use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::{OffsetDeleteRequest, OffsetDeleteResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step};

pub(super) struct OffsetDelete;

impl Handler for OffsetDelete {
    const KEY: ApiKey = ApiKey::OFFSET_DELETE;
    const VERSIONS: (i16, i16) = (0, 0);
    type Request = OffsetDeleteRequest;
    type Response = OffsetDeleteResponse;

    fn handle(call: &mut Call<'_>, request: OffsetDeleteRequest) -> Step<Self> {
        if let Err(error) = check(call, &request) {
            return Step::Reply(Self::refuse(call, request, error));
        }
        let mut response = OffsetDeleteResponse::default();
        for topic in &request.topics {
            let mut answer = OffsetDeleteResponseTopic::default().with_name(topic.name.clone());
            for part in &topic.partitions {
                let index = part.partition_index;
                let error = match call.state.partition(&topic.name, index) {
                    None => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                    Some(_) => {
                        let this = |name: &str, other: i32| *name == *topic.name.as_str() && other == index;
                        let forgotten = call.state.forget_offsets(&request.group_id, this);
                        forgotten.map_or_else(|error| error.code(), |()| ErrorCode::NONE)
                    }
                };
                answer.partitions.push(
                    OffsetDeleteResponsePartition::default()
                        .with_partition_index(index)
                        .with_error_code(error.0),
                );
            }
            response.topics.push(answer);
        }
        Step::Reply(response)
    }

    fn refuse(_call: &Call<'_>, _request: OffsetDeleteRequest, error: ErrorCode) -> OffsetDeleteResponse {
        OffsetDeleteResponse::default().with_error_code(error.0)
    }
}

fn check(call: &Call<'_>, request: &OffsetDeleteRequest) -> Result<(), ErrorCode> {
    call.state.check_coordinator(&request.group_id, call.connection.node)?;
    let group = call.state.groups.get(&request.group_id).ok_or(ErrorCode::GROUP_ID_NOT_FOUND)?;
    if group.has_members() { Err(ErrorCode::NON_EMPTY_GROUP) } else { Ok(()) }
}
