//! ListGroups (16). Versions 0-5.
//!
//! Kept: this node's groups, filters by state and type. Left out: other types than classic ones.

use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{GroupId, ListGroupsRequest, ListGroupsResponse};
use kafka_protocol::protocol::StrBytes;
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};

pub(super) struct ListGroups;

impl Handler for ListGroups {
    const KEY: ApiKey = ApiKey::LIST_GROUPS;
    const VERSIONS: (i16, i16) = (0, 5);
    type Request = ListGroupsRequest;
    type Response = ListGroupsResponse;

    fn handle(call: &mut Call<'_>, request: ListGroupsRequest) -> Step<Self> {
        let passes = |filter: &[StrBytes], value: &str| {
            filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(value))
        };
        let here = |id: &str| call.state.coordinator_of(id) == call.connection.node;
        let listed = call.state.groups.iter().filter(|(id, group)| {
            here(id)
                && passes(&request.states_filter, group.phase.name())
                && passes(&request.types_filter, "classic")
        });
        let groups = listed.map(|(id, group)| {
            ListedGroup::default()
                .with_group_id(GroupId(text(id)))
                .with_protocol_type(text(group.protocol_type.as_str()))
                .with_group_state(text(group.phase.name()))
                .with_group_type(text("classic"))
        });
        Step::Reply(ListGroupsResponse::default().with_groups(groups.collect()))
    }

    fn refuse(_call: &Call<'_>, _request: ListGroupsRequest, error: ErrorCode) -> ListGroupsResponse {
        ListGroupsResponse::default().with_error_code(error.0)
    }
}
