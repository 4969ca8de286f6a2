//! JoinGroup (11). Versions 2-9.
//!
//! Kept: waits until all members have joined or the rebalance timeout; MEMBER_ID_REQUIRED from version 4
//! (KIP-394); static members; protocol vote; the leader alone gets the members. Left out: group.max.size, and
//! keeping a static member's assignment without a rebalance when it returns (it rebalances).

use std::time::Duration;

use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::{JoinGroupRequest, JoinGroupResponse};
use kafka_protocol::protocol::StrBytes;
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};
use crate::groups::{Group, Joining};

pub(super) struct JoinGroup;

/// `group.min.session.timeout.ms` and `group.max.session.timeout.ms`.
const SESSION_TIMEOUT_MS: std::ops::RangeInclusive<i32> = 6_000..=1_800_000;
const MEMBER_ID_FIRST: i16 = 4;
const NULLABLE_PROTOCOL: i16 = 7;

impl Handler for JoinGroup {
    const KEY: ApiKey = ApiKey::JOIN_GROUP;
    const VERSIONS: (i16, i16) = (2, 9);
    type Request = JoinGroupRequest;
    type Response = JoinGroupResponse;

    fn handle(call: &mut Call<'_>, mut request: JoinGroupRequest) -> Step<Self> {
        if call.parked_until.is_none()
            && let Err(error) = begin(call, &mut request)
        {
            return Step::Reply(Self::refuse(call, request, error));
        }
        let (now, connection) = (call.now.elapsed, call.connection.id);
        let Some(group) = call.state.groups.get_mut(&request.group_id) else {
            return Step::Reply(Self::refuse(call, request, ErrorCode::UNKNOWN_MEMBER_ID));
        };
        match group.is_joining(&request.member_id) {
            Err(error) => Step::Reply(Self::refuse(call, request, error)),
            Ok(false) => Step::Reply(joined(group, &request.member_id)),
            Ok(true) => {
                group.waiters.add(connection, call.waker);
                let until = group.next_event().unwrap_or(now + Duration::from_secs(1));
                Step::Wait { request, until: until.max(now + Duration::from_millis(1)) }
            }
        }
    }

    fn refuse(call: &Call<'_>, request: JoinGroupRequest, error: ErrorCode) -> JoinGroupResponse {
        let no_name = (call.version < NULLABLE_PROTOCOL).then(StrBytes::new);
        JoinGroupResponse::default()
            .with_error_code(error.0)
            .with_generation_id(-1)
            .with_protocol_name(no_name)
            .with_member_id(request.member_id)
    }
}

/// Checks the request and enters the member; its id, if it was made here, goes into the request.
fn begin(call: &mut Call<'_>, request: &mut JoinGroupRequest) -> Result<(), ErrorCode> {
    if request.group_id.is_empty() {
        return Err(ErrorCode::INVALID_GROUP_ID);
    }
    call.state.check_coordinator(&request.group_id, call.connection.node)?;
    if !SESSION_TIMEOUT_MS.contains(&request.session_timeout_ms) {
        return Err(ErrorCode::INVALID_SESSION_TIMEOUT);
    }
    let session_timeout = millis(request.session_timeout_ms);
    let now = call.now.elapsed;
    if request.member_id.is_empty() {
        let unique = call.state.random_uuid();
        let stem = request.group_instance_id.as_deref().unwrap_or(call.client_id).to_owned();
        request.member_id = text(format!("{stem}-{unique}"));
        if call.version >= MEMBER_ID_FIRST && request.group_instance_id.is_none() {
            let group = call.state.groups.get_or_make(&request.group_id);
            group.expect(&request.member_id, now + session_timeout);
            return Err(ErrorCode::MEMBER_ID_REQUIRED);
        }
    } else {
        let group = call.state.groups.get(&request.group_id);
        let group =
            group.filter(|group| group.knows(&request.member_id)).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
        let current = request.group_instance_id.as_deref().and_then(|id| group.static_member(id));
        if current.is_some_and(|current| current != request.member_id.as_str()) {
            return Err(ErrorCode::FENCED_INSTANCE_ID);
        }
    }
    let joining = Joining {
        member_id: request.member_id.to_string(),
        instance_id: request.group_instance_id.as_ref().map(|id| id.to_string()),
        client_id: call.client_id.to_owned(),
        client_host: call.connection.client_host.clone(),
        session_timeout,
        rebalance_timeout: millis(request.rebalance_timeout_ms),
        protocol_type: request.protocol_type.to_string(),
        protocols: request.protocols.iter().map(|p| (p.name.to_string(), p.metadata.clone())).collect(),
        initial_delay: Duration::from_millis(call.state.options.group_initial_rebalance_delay_ms),
    };
    call.state.groups.get_or_make(&request.group_id).join(joining, now)
}

fn millis(millis: i32) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

fn joined(group: &Group, member_id: &str) -> JoinGroupResponse {
    let leads = group.leader.as_deref() == Some(member_id);
    let protocol = group.protocol.as_deref().unwrap_or_default();
    let members = group.members.iter().filter(|_| leads).map(|(id, member)| {
        JoinGroupResponseMember::default()
            .with_member_id(text(id.as_str()))
            .with_group_instance_id(member.instance_id.as_deref().map(text))
            .with_metadata(member.metadata(protocol))
    });
    JoinGroupResponse::default()
        .with_generation_id(group.generation)
        .with_protocol_type(Some(text(group.protocol_type.as_str())))
        .with_protocol_name(Some(text(protocol)))
        .with_leader(text(group.leader.as_deref().unwrap_or_default()))
        .with_member_id(text(member_id))
        .with_members(members.collect())
}
