//! DeleteGroups (42). Versions 0-2.
//!
//! Kept: NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND; offsets go with the group. Left out: nothing.

use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::{DeleteGroupsRequest, DeleteGroupsResponse, GroupId};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step};

pub(super) struct DeleteGroups;

impl Handler for DeleteGroups {
    const KEY: ApiKey = ApiKey::DELETE_GROUPS;
    const VERSIONS: (i16, i16) = (0, 2);
    type Request = DeleteGroupsRequest;
    type Response = DeleteGroupsResponse;

    fn handle(call: &mut Call<'_>, request: DeleteGroupsRequest) -> Step<Self> {
        let node = call.connection.node;
        let delete = |id: GroupId| {
            let deleted = call.state.check_coordinator(&id, node).and_then(|()| call.state.delete_group(&id));
            result(id, deleted.err().unwrap_or(ErrorCode::NONE))
        };
        let results = request.groups_names.into_iter().map(delete).collect();
        Step::Reply(DeleteGroupsResponse::default().with_results(results))
    }

    fn refuse(_call: &Call<'_>, request: DeleteGroupsRequest, error: ErrorCode) -> DeleteGroupsResponse {
        let results = request.groups_names.into_iter().map(|id| result(id, error)).collect();
        DeleteGroupsResponse::default().with_results(results)
    }
}

fn result(id: GroupId, error: ErrorCode) -> DeletableGroupResult {
    DeletableGroupResult::default().with_group_id(id).with_error_code(error.0)
}
