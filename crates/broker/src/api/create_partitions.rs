//! CreatePartitions (37). Versions 0-3.
//!
//! Kept: counts and assignments are checked, validate_only. Left out: the timeout (partitions exist at once).

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};

pub(super) struct CreatePartitions;

impl Handler for CreatePartitions {
    const KEY: ApiKey = ApiKey::CREATE_PARTITIONS;
    const VERSIONS: (i16, i16) = (0, 3);
    type Request = CreatePartitionsRequest;
    type Response = CreatePartitionsResponse;

    fn handle(call: &mut Call<'_>, request: CreatePartitionsRequest) -> Step<Self> {
        let validate_only = request.validate_only;
        let results = request.topics.into_iter().map(|topic| grow(call, topic, validate_only)).collect();
        Step::Reply(CreatePartitionsResponse::default().with_results(results))
    }

    fn refuse(
        _call: &Call<'_>,
        request: CreatePartitionsRequest,
        error: ErrorCode,
    ) -> CreatePartitionsResponse {
        let refused = |topic: CreatePartitionsTopic| {
            CreatePartitionsTopicResult::default().with_name(topic.name).with_error_code(error.0)
        };
        CreatePartitionsResponse::default().with_results(request.topics.into_iter().map(refused).collect())
    }
}

fn grow(
    call: &mut Call<'_>,
    topic: CreatePartitionsTopic,
    validate_only: bool,
) -> CreatePartitionsTopicResult {
    let assignments = topic.assignments.map(|assignments| {
        assignments.iter().map(|nodes| nodes.broker_ids.iter().map(|id| id.0).collect()).collect()
    });
    let grown = call.state.add_partitions(&topic.name, topic.count, assignments, validate_only);
    let result = CreatePartitionsTopicResult::default().with_name(topic.name);
    match grown {
        Ok(()) => result,
        Err((error, why)) => result.with_error_code(error.0).with_error_message(Some(text(why))),
    }
}
