//! Fields of the messages about what a cluster says about itself.

use super::field::Kind::*;
use super::field::{Schema, array, field as f, list, nested};
use crate::ApiKey;

/// The schemas of this family.
pub(super) const ALL: &[Schema] = &[
    API_VERSIONS,
    METADATA,
    DESCRIBE_CLUSTER,
    FIND_COORDINATOR,
    DESCRIBE_TOPIC_PARTITIONS,
    DESCRIBE_LOG_DIRS,
];

const API_VERSIONS: Schema = Schema {
    api: ApiKey::API_VERSIONS,
    versions: (0, 4),
    flexible: 3,
    request: &[f("client_software_name", Text).from(3), f("client_software_version", Text).from(3)],
    response: &[
        f("error_code", I16),
        list("api_keys", &[f("api_key", I16), f("min_version", I16), f("max_version", I16)]),
        f("throttle_time_ms", I32).from(1),
        list("supported_features", &[f("name", Text), f("min_version", I16), f("max_version", I16)])
            .from(3)
            .tagged(0),
        f("finalized_features_epoch", I64).from(3).tagged(1),
        list(
            "finalized_features",
            &[f("name", Text), f("max_version_level", I16), f("min_version_level", I16)],
        )
        .from(3)
        .tagged(2),
        f("zk_migration_ready", Bool).from(3).tagged(3),
    ],
};

const METADATA: Schema = Schema {
    api: ApiKey::METADATA,
    versions: (0, 13),
    flexible: 9,
    request: &[
        list("topics", &[f("topic_id", Uuid).from(10), f("name", Text).nullable(10)]).nullable(1),
        f("allow_auto_topic_creation", Bool).from(4),
        f("include_cluster_authorized_operations", Bool).from(8).until(10),
        f("include_topic_authorized_operations", Bool).from(8),
    ],
    response: &[
        f("throttle_time_ms", I32).from(3),
        list(
            "brokers",
            &[f("node_id", I32), f("host", Text), f("port", I32), f("rack", Text).from(1).nullable(1)],
        ),
        f("cluster_id", Text).from(2).nullable(2),
        f("controller_id", I32).from(1),
        list(
            "topics",
            &[
                f("error_code", I16),
                f("name", Text).nullable(12),
                f("topic_id", Uuid).from(10),
                f("is_internal", Bool).from(1),
                list(
                    "partitions",
                    &[
                        f("error_code", I16),
                        f("partition_index", I32),
                        f("leader_id", I32),
                        f("leader_epoch", I32).from(7),
                        array("replica_nodes", &I32),
                        array("isr_nodes", &I32),
                        array("offline_replicas", &I32).from(5),
                    ],
                ),
                f("topic_authorized_operations", I32).from(8),
            ],
        ),
        f("cluster_authorized_operations", I32).from(8).until(10),
        f("error_code", I16).from(13),
    ],
};

const DESCRIBE_CLUSTER: Schema = Schema {
    api: ApiKey::DESCRIBE_CLUSTER,
    versions: (0, 2),
    flexible: 0,
    request: &[
        f("include_cluster_authorized_operations", Bool),
        f("endpoint_type", I8).from(1),
        f("include_fenced_brokers", Bool).from(2),
    ],
    response: &[
        f("throttle_time_ms", I32),
        f("error_code", I16),
        f("error_message", Text).nullable(0),
        f("endpoint_type", I8).from(1),
        f("cluster_id", Text),
        f("controller_id", I32),
        list(
            "brokers",
            &[
                f("broker_id", I32),
                f("host", Text),
                f("port", I32),
                f("rack", Text).nullable(0),
                f("is_fenced", Bool).from(2),
            ],
        ),
        f("cluster_authorized_operations", I32),
    ],
};

const FIND_COORDINATOR: Schema = Schema {
    api: ApiKey::FIND_COORDINATOR,
    versions: (0, 6),
    flexible: 3,
    request: &[f("key", Text).until(3), f("key_type", I8).from(1), array("coordinator_keys", &Text).from(4)],
    response: &[
        f("throttle_time_ms", I32).from(1),
        f("error_code", I16).until(3),
        f("error_message", Text).from(1).until(3).nullable(1),
        f("node_id", I32).until(3),
        f("host", Text).until(3),
        f("port", I32).until(3),
        list(
            "coordinators",
            &[
                f("key", Text),
                f("node_id", I32),
                f("host", Text),
                f("port", I32),
                f("error_code", I16),
                f("error_message", Text).nullable(4),
            ],
        )
        .from(4),
    ],
};

const DESCRIBE_TOPIC_PARTITIONS: Schema = Schema {
    api: ApiKey::DESCRIBE_TOPIC_PARTITIONS,
    versions: (0, 0),
    flexible: 0,
    request: &[
        list("topics", &[f("name", Text)]),
        f("response_partition_limit", I32),
        nested("cursor", &[f("topic_name", Text), f("partition_index", I32)]).nullable(0),
    ],
    response: &[
        f("throttle_time_ms", I32),
        list(
            "topics",
            &[
                f("error_code", I16),
                f("name", Text).nullable(0),
                f("topic_id", Uuid),
                f("is_internal", Bool),
                list(
                    "partitions",
                    &[
                        f("error_code", I16),
                        f("partition_index", I32),
                        f("leader_id", I32),
                        f("leader_epoch", I32),
                        array("replica_nodes", &I32),
                        array("isr_nodes", &I32),
                        array("eligible_leader_replicas", &I32).nullable(0),
                        array("last_known_elr", &I32).nullable(0),
                        array("offline_replicas", &I32),
                    ],
                ),
                f("topic_authorized_operations", I32),
            ],
        ),
        nested("next_cursor", &[f("topic_name", Text), f("partition_index", I32)]).nullable(0),
    ],
};

const DESCRIBE_LOG_DIRS: Schema = Schema {
    api: ApiKey::DESCRIBE_LOG_DIRS,
    versions: (1, 4),
    flexible: 2,
    request: &[list("topics", &[f("topic", Text), array("partitions", &I32)]).nullable(1)],
    response: &[
        f("throttle_time_ms", I32),
        f("error_code", I16).from(3),
        list(
            "results",
            &[
                f("error_code", I16),
                f("log_dir", Text),
                list(
                    "topics",
                    &[
                        f("name", Text),
                        list(
                            "partitions",
                            &[
                                f("partition_index", I32),
                                f("partition_size", I64),
                                f("offset_lag", I64),
                                f("is_future_key", Bool),
                            ],
                        ),
                    ],
                ),
                f("total_bytes", I64).from(4),
                f("usable_bytes", I64).from(4),
            ],
        ),
    ],
};
