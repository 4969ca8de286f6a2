//! AlterConfigs (33). Versions 0-2.
//!
//! Kept: replaces all settings of a topic, checked before any is kept, validate_only. Left out: brokers and
//! groups.

use kafka_protocol::messages::alter_configs_request::AlterConfigsResource;
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{AlterConfigsRequest, AlterConfigsResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::incremental_alter_configs::replace_config;
use super::{Call, Handler, Step, text};
use crate::config::TopicConfig;
use crate::partition::Refusal;

pub(super) struct AlterConfigs;

impl Handler for AlterConfigs {
    const KEY: ApiKey = ApiKey::ALTER_CONFIGS;
    const VERSIONS: (i16, i16) = (0, 2);
    type Request = AlterConfigsRequest;
    type Response = AlterConfigsResponse;

    fn handle(call: &mut Call<'_>, request: AlterConfigsRequest) -> Step<Self> {
        let mut response = AlterConfigsResponse::default();
        for resource in &request.resources {
            let (kind, topic) = (resource.resource_type, &resource.resource_name);
            let changed = replace_config(call, kind, topic, request.validate_only, |config| {
                *config = TopicConfig::default();
                resource.configs.iter().try_for_each(|entry| {
                    let value = entry.value.as_deref().unwrap_or_default();
                    config.set(&entry.name, value).map_err(|why| (ErrorCode::INVALID_CONFIG, why))
                })
            });
            response.responses.push(result(resource, changed));
        }
        Step::Reply(response)
    }

    fn refuse(_call: &Call<'_>, request: AlterConfigsRequest, error: ErrorCode) -> AlterConfigsResponse {
        let refused = |resource| result(resource, Err((error, error.message().to_owned())));
        AlterConfigsResponse::default().with_responses(request.resources.iter().map(refused).collect())
    }
}

fn result(resource: &AlterConfigsResource, changed: Result<(), Refusal>) -> AlterConfigsResourceResponse {
    let result = AlterConfigsResourceResponse::default()
        .with_resource_type(resource.resource_type)
        .with_resource_name(resource.resource_name.clone());
    match changed {
        Ok(()) => result,
        Err((error, why)) => result.with_error_code(error.0).with_error_message(Some(text(why))),
    }
}
