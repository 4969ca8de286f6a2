//! FindCoordinator (10). Versions 0-6.
//!
//! Kept: groups and transactional ids, each at the node that its hash picks; one key or, from version 4,
//! many. Left out: share groups (type 2: INVALID_REQUEST).

use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::{BrokerId, FindCoordinatorRequest, FindCoordinatorResponse};
use kafka_protocol::protocol::StrBytes;
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};

pub(super) struct FindCoordinator;

const MANY_KEYS: i16 = 4;

impl Handler for FindCoordinator {
    const KEY: ApiKey = ApiKey::FIND_COORDINATOR;
    const VERSIONS: (i16, i16) = (0, 6);
    type Request = FindCoordinatorRequest;
    type Response = FindCoordinatorResponse;

    fn handle(call: &mut Call<'_>, request: FindCoordinatorRequest) -> Step<Self> {
        Step::Reply(answer(call, request, ErrorCode::NONE))
    }

    fn refuse(call: &Call<'_>, request: FindCoordinatorRequest, error: ErrorCode) -> FindCoordinatorResponse {
        answer(call, request, error)
    }
}

fn answer(call: &Call<'_>, request: FindCoordinatorRequest, error: ErrorCode) -> FindCoordinatorResponse {
    const GROUP_OR_TRANSACTION: std::ops::RangeInclusive<i8> = 0..=1;
    let known = GROUP_OR_TRANSACTION.contains(&request.key_type);
    let error = if known { error } else { ErrorCode::INVALID_REQUEST };
    if call.version >= MANY_KEYS {
        let found = request.coordinator_keys.into_iter().map(|key| find(call, key, error));
        return FindCoordinatorResponse::default().with_coordinators(found.collect());
    }
    let found = find(call, request.key, error);
    FindCoordinatorResponse::default()
        .with_error_code(found.error_code)
        .with_error_message(found.error_message)
        .with_node_id(found.node_id)
        .with_host(found.host)
        .with_port(found.port)
}

fn find(call: &Call<'_>, key: StrBytes, error: ErrorCode) -> Coordinator {
    let node = call.state.coordinator_of(&key);
    let coordinator = Coordinator::default().with_key(key).with_error_code(error.0);
    match call.state.nodes().find(|(id, _)| *id == node) {
        Some((id, (host, port))) if error.is_ok() => {
            coordinator.with_node_id(BrokerId(id)).with_host(text(host.as_str())).with_port(i32::from(*port))
        }
        _ => coordinator
            .with_node_id(BrokerId(-1))
            .with_port(-1)
            .with_error_message(Some(text(error.message()))),
    }
}
