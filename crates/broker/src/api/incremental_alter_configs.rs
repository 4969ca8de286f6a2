//! IncrementalAlterConfigs (44). Versions 0-1.
//!
//! Kept: set, delete, append and subtract on topics, checked before any is kept, validate_only. Left out:
//! brokers, groups and loggers (INVALID_REQUEST).

use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, describe_configs, text};
use crate::cluster::refusal;
use crate::config::{self, Kind, TopicConfig};
use crate::partition::Refusal;

pub(super) struct IncrementalAlterConfigs;

impl Handler for IncrementalAlterConfigs {
    const KEY: ApiKey = ApiKey::INCREMENTAL_ALTER_CONFIGS;
    const VERSIONS: (i16, i16) = (0, 1);
    type Request = IncrementalAlterConfigsRequest;
    type Response = IncrementalAlterConfigsResponse;

    fn handle(call: &mut Call<'_>, request: IncrementalAlterConfigsRequest) -> Step<Self> {
        let mut response = IncrementalAlterConfigsResponse::default();
        for resource in &request.resources {
            let changed = change(call, resource, request.validate_only);
            response.responses.push(result(resource, changed));
        }
        Step::Reply(response)
    }

    fn refuse(
        _call: &Call<'_>,
        request: IncrementalAlterConfigsRequest,
        error: ErrorCode,
    ) -> IncrementalAlterConfigsResponse {
        let refused = |resource| result(resource, Err((error, error.message().to_owned())));
        let responses = request.resources.iter().map(refused).collect();
        IncrementalAlterConfigsResponse::default().with_responses(responses)
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

fn change(call: &mut Call<'_>, resource: &AlterConfigsResource, validate_only: bool) -> Result<(), Refusal> {
    replace_config(call, resource.resource_type, &resource.resource_name, validate_only, |config| {
        resource.configs.iter().try_for_each(|entry| apply(config, entry))
    })
}

/// Changes a copy of a topic's settings and, if all went well, keeps it.
pub(super) fn replace_config(
    call: &mut Call<'_>,
    resource_type: i8,
    topic: &str,
    validate_only: bool,
    edit: impl FnOnce(&mut TopicConfig) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    if resource_type != describe_configs::TOPIC {
        let why = "Only topic configurations can be changed here; broker options are set at its start.";
        return Err((ErrorCode::INVALID_REQUEST, why.to_owned()));
    }
    let Some(found) = call.state.topics.get_mut(topic) else {
        return Err((ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, format!("The topic '{topic}' does not exist.")));
    };
    let mut config = found.config.clone();
    edit(&mut config)?;
    if validate_only {
        return Ok(());
    }
    found.config = config;
    call.state.save_topics().map_err(refusal)
}

fn apply(config: &mut TopicConfig, entry: &AlterableConfig) -> Result<(), Refusal> {
    const SET: i8 = 0;
    const DELETE: i8 = 1;
    const APPEND: i8 = 2;
    const SUBTRACT: i8 = 3;
    let invalid = |why: String| (ErrorCode::INVALID_CONFIG, why);
    let name = entry.name.as_str();
    let value = entry.value.as_deref().unwrap_or_default();
    let key = config::find(name).ok_or_else(|| invalid(format!("Unknown topic config name: {name}")))?;
    match entry.config_operation {
        SET => config.set(name, value).map_err(invalid),
        DELETE => {
            config.set.remove(name);
            Ok(())
        }
        APPEND | SUBTRACT if key.kind == Kind::List => {
            let mut words: Vec<String> = current(config, key).split(',').map(str::to_owned).collect();
            words.retain(|word| !word.is_empty() && !value.split(',').any(|other| other == word));
            if entry.config_operation == APPEND {
                words.extend(value.split(',').map(str::to_owned));
            }
            config.set(name, &words.join(",")).map_err(invalid)
        }
        APPEND | SUBTRACT => {
            Err(invalid(format!("Config value append is not allowed for config key: {name}")))
        }
        other => Err((ErrorCode::INVALID_REQUEST, format!("Unknown operation {other}."))),
    }
}

fn current<'a>(config: &'a TopicConfig, key: &'a config::ConfigKey) -> &'a str {
    config.set.get(key.name).map_or(key.default, String::as_str)
}
