//! DescribeConfigs (32). Versions 1-4.
//!
//! Kept: topics with all settings Kafka 4.3 knows, whether set or default, with synonyms; brokers with the
//! few settings that this broker acts on. Left out: documentation texts, groups and loggers
//! (INVALID_REQUEST).

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use kafka_protocol::protocol::StrBytes;
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};
use crate::config::{ConfigKey, Kind, TOPIC_CONFIGS, TopicConfig};
use crate::partition::Refusal;

pub(super) struct DescribeConfigs;

pub(super) const TOPIC: i8 = 2;
pub(super) const BROKER: i8 = 4;
const FROM_TOPIC: i8 = 1;
const FROM_STATIC_BROKER: i8 = 4;
const FROM_DEFAULT: i8 = 5;

impl Handler for DescribeConfigs {
    const KEY: ApiKey = ApiKey::DESCRIBE_CONFIGS;
    const VERSIONS: (i16, i16) = (1, 4);
    type Request = DescribeConfigsRequest;
    type Response = DescribeConfigsResponse;

    fn handle(call: &mut Call<'_>, request: DescribeConfigsRequest) -> Step<Self> {
        let synonyms = request.include_synonyms;
        let results = request.resources.iter().map(|resource| match describe(call, resource, synonyms) {
            Ok(configs) => named(resource).with_configs(configs),
            Err((error, why)) => named(resource).with_error_code(error.0).with_error_message(Some(text(why))),
        });
        Step::Reply(DescribeConfigsResponse::default().with_results(results.collect()))
    }

    fn refuse(
        _call: &Call<'_>,
        request: DescribeConfigsRequest,
        error: ErrorCode,
    ) -> DescribeConfigsResponse {
        let results = request.resources.iter().map(|resource| named(resource).with_error_code(error.0));
        DescribeConfigsResponse::default().with_results(results.collect())
    }
}

fn named(resource: &DescribeConfigsResource) -> DescribeConfigsResult {
    DescribeConfigsResult::default()
        .with_resource_type(resource.resource_type)
        .with_resource_name(resource.resource_name.clone())
}

fn describe(
    call: &Call<'_>,
    resource: &DescribeConfigsResource,
    synonyms: bool,
) -> Result<Vec<DescribeConfigsResourceResult>, Refusal> {
    let keys = resource.configuration_keys.as_deref();
    let wanted = |name: &str| keys.is_none_or(|keys| keys.iter().any(|key: &StrBytes| key.as_str() == name));
    match resource.resource_type {
        TOPIC => {
            let unknown = || (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC.to_owned());
            let topic = call.state.topics.get(resource.resource_name.as_str()).ok_or_else(unknown)?;
            let keys = TOPIC_CONFIGS.iter().filter(|key| wanted(key.name));
            Ok(keys.map(|key| topic_entry(key, &topic.config, synonyms)).collect())
        }
        BROKER => Ok(broker_entries(call).into_iter().filter(|entry| wanted(&entry.name)).collect()),
        other => {
            Err((ErrorCode::INVALID_REQUEST, format!("Resource type {other} has no configurations here.")))
        }
    }
}

const UNKNOWN_TOPIC: &str = "This server does not host this topic-partition.";

fn topic_entry(key: &ConfigKey, config: &TopicConfig, synonyms: bool) -> DescribeConfigsResourceResult {
    let own = config.set.get(key.name);
    let synonym = |name: &str, value: &str, source: i8| {
        DescribeConfigsSynonym::default()
            .with_name(text(name))
            .with_value(Some(text(value)))
            .with_source(source)
    };
    let own_synonym = own.map(|value| synonym(key.name, value, FROM_TOPIC));
    let all = own_synonym.into_iter().chain([synonym(key.broker_name, key.default, FROM_DEFAULT)]);
    DescribeConfigsResourceResult::default()
        .with_name(text(key.name))
        .with_value(Some(text(own.map_or(key.default, String::as_str))))
        .with_config_source(if own.is_some() { FROM_TOPIC } else { FROM_DEFAULT })
        .with_config_type(key.kind as i8)
        .with_synonyms(if synonyms { all.collect() } else { Vec::new() })
}

fn broker_entries(call: &Call<'_>) -> Vec<DescribeConfigsResourceResult> {
    let options = &call.state.options;
    let entry = |name: &str, value: String, kind: Kind| {
        DescribeConfigsResourceResult::default()
            .with_name(text(name))
            .with_value(Some(text(value)))
            .with_read_only(true)
            .with_config_source(FROM_STATIC_BROKER)
            .with_config_type(kind as i8)
    };
    vec![
        entry("auto.create.topics.enable", options.auto_create_topics.to_string(), Kind::Boolean),
        entry("default.replication.factor", "1".to_owned(), Kind::Int),
        entry("fetch.max.bytes", options.fetch_max_bytes.to_string(), Kind::Int),
        entry("message.max.bytes", options.message_max_bytes.to_string(), Kind::Int),
        entry("node.id", call.connection.node.to_string(), Kind::Int),
        entry("num.partitions", options.default_partitions.to_string(), Kind::Int),
        entry("socket.request.max.bytes", options.request_max_bytes.to_string(), Kind::Int),
    ]
}
