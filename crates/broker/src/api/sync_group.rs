//! SyncGroup (14). Versions 0-5.
//!
//! Kept: members wait for the leader's assignment; a rebalance in between is told at once; protocol type and
//! name are compared from version 5. Left out: removing members that never sync (their session ends instead).

use std::time::Duration;

use kafka_protocol::messages::{SyncGroupRequest, SyncGroupResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};
use crate::groups::{Group, Phase};

pub(super) struct SyncGroup;

impl Handler for SyncGroup {
    const KEY: ApiKey = ApiKey::SYNC_GROUP;
    const VERSIONS: (i16, i16) = (0, 5);
    type Request = SyncGroupRequest;
    type Response = SyncGroupResponse;

    fn handle(call: &mut Call<'_>, mut request: SyncGroupRequest) -> Step<Self> {
        if let Err(error) = begin(call, &mut request) {
            return Step::Reply(Self::refuse(call, request, error));
        }
        let (now, connection) = (call.now.elapsed, call.connection.id);
        let Some(group) = call.state.groups.get_mut(&request.group_id) else {
            return Step::Reply(Self::refuse(call, request, ErrorCode::UNKNOWN_MEMBER_ID));
        };
        if group.phase == Phase::Stable {
            return Step::Reply(assigned(group, &request.member_id));
        }
        group.waiters.add(connection, call.waker);
        let until = group.next_event().unwrap_or(now + Duration::from_secs(1));
        Step::Wait { request, until: until.max(now + Duration::from_millis(1)) }
    }

    fn refuse(_call: &Call<'_>, _request: SyncGroupRequest, error: ErrorCode) -> SyncGroupResponse {
        SyncGroupResponse::default().with_error_code(error.0)
    }
}

fn begin(call: &mut Call<'_>, request: &mut SyncGroupRequest) -> Result<(), ErrorCode> {
    call.state.check_coordinator(&request.group_id, call.connection.node)?;
    let group = call.state.groups.get_mut(&request.group_id).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
    group.check_member(&request.member_id, request.group_instance_id.as_deref(), request.generation_id)?;
    let other_type =
        request.protocol_type.as_ref().is_some_and(|name| *name.as_str() != *group.protocol_type);
    let other_name =
        request.protocol_name.as_ref().is_some_and(|name| group.protocol.as_deref() != Some(name.as_str()));
    if other_type || other_name {
        return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    }
    if matches!(group.phase, Phase::Preparing { .. }) {
        return Err(ErrorCode::REBALANCE_IN_PROGRESS);
    }
    if call.parked_until.is_none() {
        let assignments = std::mem::take(&mut request.assignments);
        let assignments =
            assignments.into_iter().map(|entry| (entry.member_id.to_string(), entry.assignment));
        group.sync(&request.member_id, assignments.collect(), call.now.elapsed);
    }
    Ok(())
}

fn assigned(group: &Group, member_id: &str) -> SyncGroupResponse {
    let assignment = group.members.get(member_id).map(|member| member.assignment.clone());
    SyncGroupResponse::default()
        .with_protocol_type(Some(text(group.protocol_type.as_str())))
        .with_protocol_name(group.protocol.as_deref().map(text))
        .with_assignment(assignment.unwrap_or_default())
}
