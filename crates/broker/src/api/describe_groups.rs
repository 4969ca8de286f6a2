//! DescribeGroups (15). Versions 0-6.
//!
//! Kept: state, members, their metadata and assignments; an unknown group is Dead, from version 6
//! GROUP_ID_NOT_FOUND. Left out: authorized operations.

use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse, GroupId};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};
use crate::groups::Group;

pub(super) struct DescribeGroups;

const NOT_FOUND_IS_AN_ERROR: i16 = 6;

impl Handler for DescribeGroups {
    const KEY: ApiKey = ApiKey::DESCRIBE_GROUPS;
    const VERSIONS: (i16, i16) = (0, 6);
    type Request = kafka_protocol::messages::DescribeGroupsRequest;
    type Response = DescribeGroupsResponse;

    fn handle(call: &mut Call<'_>, request: DescribeGroupsRequest) -> Step<Self> {
        let groups = request.groups.into_iter().map(|id| describe(call, id));
        Step::Reply(DescribeGroupsResponse::default().with_groups(groups.collect()))
    }

    fn refuse(_call: &Call<'_>, request: DescribeGroupsRequest, error: ErrorCode) -> DescribeGroupsResponse {
        let groups = request.groups.into_iter().map(|id| named(id).with_error_code(error.0));
        DescribeGroupsResponse::default().with_groups(groups.collect())
    }
}

fn named(id: GroupId) -> DescribedGroup {
    DescribedGroup::default().with_group_id(id).with_authorized_operations(i32::MIN)
}

fn describe(call: &Call<'_>, id: GroupId) -> DescribedGroup {
    if let Err(error) = call.state.check_coordinator(&id, call.connection.node) {
        return named(id).with_error_code(error.0);
    }
    match call.state.groups.get(&id) {
        Some(group) => fill(named(id), group),
        None if call.version >= NOT_FOUND_IS_AN_ERROR => {
            let why = text(format!("Group {} not found.", id.as_str()));
            let missing = named(id).with_group_state(text("Dead")).with_error_message(Some(why));
            missing.with_error_code(ErrorCode::GROUP_ID_NOT_FOUND.0)
        }
        None => named(id).with_group_state(text("Dead")),
    }
}

fn fill(described: DescribedGroup, group: &Group) -> DescribedGroup {
    let protocol = group.protocol.as_deref().unwrap_or_default();
    let members = group.members.iter().map(|(id, member)| {
        DescribedGroupMember::default()
            .with_member_id(text(id.as_str()))
            .with_group_instance_id(member.instance_id.as_deref().map(text))
            .with_client_id(text(member.client_id.as_str()))
            .with_client_host(text(member.client_host.as_str()))
            .with_member_metadata(member.metadata(protocol))
            .with_member_assignment(member.assignment.clone())
    });
    described
        .with_group_state(text(group.phase.name()))
        .with_protocol_type(text(group.protocol_type.as_str()))
        .with_protocol_data(text(protocol))
        .with_members(members.collect())
}
