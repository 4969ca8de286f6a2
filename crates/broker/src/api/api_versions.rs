//! ApiVersions (18). Versions 0-4.
//!
//! Kept: the list is made from the table of APIs; a version above 4 gets a version 0 answer with
//! UNSUPPORTED_VERSION (KIP-511); Produce is listed from version 0, as Kafka 4 lists it, because librdkafka
//! compresses only then (KAFKA-18659). Left out: features (none is advertised, so clients use the first
//! transaction protocol and classic groups).

use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use millstream_protocol::ids::{ApiKey, ErrorCode};

use super::{APIS, Call, Handler, Step};

pub(super) struct ApiVersions;

impl Handler for ApiVersions {
    const KEY: ApiKey = ApiKey::API_VERSIONS;
    const VERSIONS: (i16, i16) = (0, 4);
    type Request = ApiVersionsRequest;
    type Response = ApiVersionsResponse;

    fn handle(_call: &mut Call<'_>, _request: ApiVersionsRequest) -> Step<Self> {
        Step::Reply(answer(ErrorCode::NONE))
    }

    fn refuse(_call: &Call<'_>, _request: ApiVersionsRequest, error: ErrorCode) -> ApiVersionsResponse {
        answer(error)
    }
}

/// The list of what is served, with an error code.
pub(super) fn answer(error: ErrorCode) -> ApiVersionsResponse {
    let entry = |api: &super::Api| {
        ApiVersion::default()
            .with_api_key(api.key.0)
            .with_min_version(if api.key == ApiKey::PRODUCE { 0 } else { api.versions.0 })
            .with_max_version(api.versions.1)
    };
    let mut keys: Vec<ApiVersion> = APIS.iter().map(entry).collect();
    keys.sort_by_key(|entry| entry.api_key);
    ApiVersionsResponse::default().with_error_code(error.0).with_api_keys(keys)
}
