//! DeleteTopics (20). Versions 1-6.
//!
//! Kept: by name or, from version 6, by id; data, ids and group offsets go at once. Left out: the timeout,
//! delete.topic.enable (always on).

use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{DeleteTopicsRequest, DeleteTopicsResponse, TopicName};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};

pub(super) struct DeleteTopics;

impl Handler for DeleteTopics {
    const KEY: ApiKey = ApiKey::DELETE_TOPICS;
    const VERSIONS: (i16, i16) = (1, 6);
    type Request = DeleteTopicsRequest;
    type Response = DeleteTopicsResponse;

    fn handle(call: &mut Call<'_>, request: DeleteTopicsRequest) -> Step<Self> {
        let results = wanted(request).into_iter().map(|topic| delete(call, topic)).collect();
        Step::Reply(DeleteTopicsResponse::default().with_responses(results))
    }

    fn refuse(_call: &Call<'_>, request: DeleteTopicsRequest, error: ErrorCode) -> DeleteTopicsResponse {
        let results = wanted(request).into_iter().map(|topic| failed(topic, error)).collect();
        DeleteTopicsResponse::default().with_responses(results)
    }
}

fn wanted(request: DeleteTopicsRequest) -> Vec<DeleteTopicState> {
    let named = request.topic_names.into_iter().map(|name| DeleteTopicState::default().with_name(Some(name)));
    request.topics.into_iter().chain(named).collect()
}

fn failed(topic: DeleteTopicState, error: ErrorCode) -> DeletableTopicResult {
    DeletableTopicResult::default()
        .with_name(topic.name)
        .with_topic_id(topic.topic_id)
        .with_error_code(error.0)
        .with_error_message((!error.is_ok()).then(|| text(error.message())))
}

fn delete(call: &mut Call<'_>, mut topic: DeleteTopicState) -> DeletableTopicResult {
    match &topic.name {
        None => match call.state.topic_name(topic.topic_id) {
            Some(name) => topic.name = Some(TopicName(text(&*name))),
            None => return failed(topic, ErrorCode::UNKNOWN_TOPIC_ID),
        },
        Some(name) => match call.state.topics.get(name.as_str()) {
            Some(found) => topic.topic_id = found.id,
            None => return failed(topic, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        },
    }
    let name = topic.name.clone().unwrap_or_default();
    let deleted = call.state.delete_topic(&name);
    failed(topic, deleted.map_or_else(|error| error.code(), |_| ErrorCode::NONE))
}
