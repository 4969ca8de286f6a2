//! LeaveGroup (13). Versions 0-5.
//!
//! Kept: one member, or from version 3 many, by member id or static id. Left out: nothing.

use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step};

pub(super) struct LeaveGroup;

const MANY_MEMBERS: i16 = 3;

impl Handler for LeaveGroup {
    const KEY: ApiKey = ApiKey::LEAVE_GROUP;
    const VERSIONS: (i16, i16) = (0, 5);
    type Request = LeaveGroupRequest;
    type Response = LeaveGroupResponse;

    fn handle(call: &mut Call<'_>, request: LeaveGroupRequest) -> Step<Self> {
        if let Err(error) = call.state.check_coordinator(&request.group_id, call.connection.node) {
            return Step::Reply(Self::refuse(call, request, error));
        }
        if call.version < MANY_MEMBERS {
            let member = MemberIdentity::default().with_member_id(request.member_id.clone());
            let error = leave(call, &request.group_id, &member);
            return Step::Reply(Self::refuse(call, request, error));
        }
        let left = request.members.iter().map(|member| {
            MemberResponse::default()
                .with_member_id(member.member_id.clone())
                .with_group_instance_id(member.group_instance_id.clone())
                .with_error_code(leave(call, &request.group_id, member).0)
        });
        Step::Reply(LeaveGroupResponse::default().with_members(left.collect()))
    }

    fn refuse(_call: &Call<'_>, _request: LeaveGroupRequest, error: ErrorCode) -> LeaveGroupResponse {
        LeaveGroupResponse::default().with_error_code(error.0)
    }
}

fn leave(call: &mut Call<'_>, group: &str, member: &MemberIdentity) -> ErrorCode {
    let Some(group) = call.state.groups.get_mut(group) else { return ErrorCode::UNKNOWN_MEMBER_ID };
    let current =
        member.group_instance_id.as_deref().and_then(|id| group.static_member(id)).map(str::to_owned);
    let id = match (&current, member.member_id.as_str()) {
        (Some(current), "") => current.as_str(),
        (Some(current), id) if current != id => return ErrorCode::FENCED_INSTANCE_ID,
        (_, id) => id,
    };
    group.leave(id, call.now.elapsed).err().unwrap_or(ErrorCode::NONE)
}
