//! ListPartitionReassignments (46). Version 0.
//!
//! Kept: the answer of a cluster that moves nothing, which this one never does. Left out: nothing else to
//! tell.

use kafka_protocol::messages::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step};

pub(super) struct ListPartitionReassignments;

impl Handler for ListPartitionReassignments {
    const KEY: ApiKey = ApiKey::LIST_PARTITION_REASSIGNMENTS;
    const VERSIONS: (i16, i16) = (0, 0);
    type Request = ListPartitionReassignmentsRequest;
    type Response = ListPartitionReassignmentsResponse;

    fn handle(_call: &mut Call<'_>, _request: ListPartitionReassignmentsRequest) -> Step<Self> {
        Step::Reply(ListPartitionReassignmentsResponse::default())
    }

    fn refuse(
        _call: &Call<'_>,
        _request: ListPartitionReassignmentsRequest,
        error: ErrorCode,
    ) -> ListPartitionReassignmentsResponse {
        ListPartitionReassignmentsResponse::default().with_error_code(error.0)
    }
}
