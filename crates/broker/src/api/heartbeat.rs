//! Heartbeat (12). Versions 0-4.
//!
//! Kept: UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION, REBALANCE_IN_PROGRESS, FENCED_INSTANCE_ID. Left out: nothing.

use kafka_protocol::messages::{HeartbeatRequest, HeartbeatResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step};
use crate::groups::Phase;

pub(super) struct Heartbeat;

impl Handler for Heartbeat {
    const KEY: ApiKey = ApiKey::HEARTBEAT;
    const VERSIONS: (i16, i16) = (0, 4);
    type Request = HeartbeatRequest;
    type Response = HeartbeatResponse;

    fn handle(call: &mut Call<'_>, request: HeartbeatRequest) -> Step<Self> {
        let error = beat(call, &request).err().unwrap_or(ErrorCode::NONE);
        Step::Reply(Self::refuse(call, request, error))
    }

    fn refuse(_call: &Call<'_>, _request: HeartbeatRequest, error: ErrorCode) -> HeartbeatResponse {
        HeartbeatResponse::default().with_error_code(error.0)
    }
}

fn beat(call: &mut Call<'_>, request: &HeartbeatRequest) -> Result<(), ErrorCode> {
    call.state.check_coordinator(&request.group_id, call.connection.node)?;
    let group = call.state.groups.get_mut(&request.group_id).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
    group.check_member(&request.member_id, request.group_instance_id.as_deref(), request.generation_id)?;
    group.touch(&request.member_id, call.now.elapsed)?;
    if matches!(group.phase, Phase::Preparing { .. }) {
        Err(ErrorCode::REBALANCE_IN_PROGRESS)
    } else {
        Ok(())
    }
}
