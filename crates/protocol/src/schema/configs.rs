//! Fields of the messages about reading and changing configuration.

use super::field::Kind::*;
use super::field::{Schema, array, field as f, list};
use crate::ApiKey;

/// The schemas of this family.
pub(super) const ALL: &[Schema] =
    &[DESCRIBE_CONFIGS, ALTER_CONFIGS, INCREMENTAL_ALTER_CONFIGS, LIST_CONFIG_RESOURCES];

const DESCRIBE_CONFIGS: Schema = Schema {
    api: ApiKey::DESCRIBE_CONFIGS,
    versions: (1, 4),
    flexible: 4,
    request: &[
        list(
            "resources",
            &[
                f("resource_type", I8),
                f("resource_name", Text),
                array("configuration_keys", &Text).nullable(1),
            ],
        ),
        f("include_synonyms", Bool),
        f("include_documentation", Bool).from(3),
    ],
    response: &[
        f("throttle_time_ms", I32),
        list(
            "results",
            &[
                f("error_code", I16),
                f("error_message", Text).nullable(1),
                f("resource_type", I8),
                f("resource_name", Text),
                list(
                    "configs",
                    &[
                        f("name", Text),
                        f("value", Text).nullable(1),
                        f("read_only", Bool),
                        f("config_source", I8),
                        f("is_sensitive", Bool),
                        list("synonyms", &[f("name", Text), f("value", Text).nullable(1), f("source", I8)]),
                        f("config_type", I8).from(3),
                        f("documentation", Text).from(3).nullable(3),
                    ],
                ),
            ],
        ),
    ],
};

const ALTER_CONFIGS: Schema = Schema {
    api: ApiKey::ALTER_CONFIGS,
    versions: (0, 2),
    flexible: 2,
    request: &[
        list(
            "resources",
            &[
                f("resource_type", I8),
                f("resource_name", Text),
                list("configs", &[f("name", Text), f("value", Text).nullable(0)]),
            ],
        ),
        f("validate_only", Bool),
    ],
    response: &[
        f("throttle_time_ms", I32),
        list(
            "responses",
            &[
                f("error_code", I16),
                f("error_message", Text).nullable(0),
                f("resource_type", I8),
                f("resource_name", Text),
            ],
        ),
    ],
};

const INCREMENTAL_ALTER_CONFIGS: Schema = Schema {
    api: ApiKey::INCREMENTAL_ALTER_CONFIGS,
    versions: (0, 1),
    flexible: 1,
    request: &[
        list(
            "resources",
            &[
                f("resource_type", I8),
                f("resource_name", Text),
                list("configs", &[f("name", Text), f("config_operation", I8), f("value", Text).nullable(0)]),
            ],
        ),
        f("validate_only", Bool),
    ],
    response: &[
        f("throttle_time_ms", I32),
        list(
            "responses",
            &[
                f("error_code", I16),
                f("error_message", Text).nullable(0),
                f("resource_type", I8),
                f("resource_name", Text),
            ],
        ),
    ],
};

const LIST_CONFIG_RESOURCES: Schema = Schema {
    api: ApiKey::LIST_CONFIG_RESOURCES,
    versions: (0, 1),
    flexible: 0,
    request: &[array("resource_types", &I8).from(1)],
    response: &[
        f("throttle_time_ms", I32),
        f("error_code", I16),
        list("config_resources", &[f("resource_name", Text), f("resource_type", I8).from(1)]),
    ],
};
