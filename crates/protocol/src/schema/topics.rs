//! Fields of the messages about making and removing topics.

use super::field::Kind::*;
use super::field::{Schema, array, field as f, list};
use crate::ApiKey;

/// The schemas of this family.
pub(super) const ALL: &[Schema] =
    &[CREATE_TOPICS, DELETE_TOPICS, CREATE_PARTITIONS, LIST_PARTITION_REASSIGNMENTS, ELECT_LEADERS];

const CREATE_TOPICS: Schema = Schema {
    api: ApiKey::CREATE_TOPICS,
    versions: (2, 7),
    flexible: 5,
    request: &[
        list(
            "topics",
            &[
                f("name", Text),
                f("num_partitions", I32),
                f("replication_factor", I16),
                list("assignments", &[f("partition_index", I32), array("broker_ids", &I32)]),
                list("configs", &[f("name", Text), f("value", Text).nullable(2)]),
            ],
        ),
        f("timeout_ms", I32),
        f("validate_only", Bool),
    ],
    response: &[
        f("throttle_time_ms", I32),
        list(
            "topics",
            &[
                f("name", Text),
                f("topic_id", Uuid).from(7),
                f("error_code", I16),
                f("error_message", Text).nullable(2),
                f("topic_config_error_code", I16).from(5).tagged(0),
                f("num_partitions", I32).from(5),
                f("replication_factor", I16).from(5),
                list(
                    "configs",
                    &[
                        f("name", Text),
                        f("value", Text).nullable(5),
                        f("read_only", Bool),
                        f("config_source", I8),
                        f("is_sensitive", Bool),
                    ],
                )
                .from(5)
                .nullable(5),
            ],
        ),
    ],
};

const DELETE_TOPICS: Schema = Schema {
    api: ApiKey::DELETE_TOPICS,
    versions: (1, 6),
    flexible: 4,
    request: &[
        list("topics", &[f("name", Text).nullable(6), f("topic_id", Uuid)]).from(6),
        array("topic_names", &Text).until(5),
        f("timeout_ms", I32),
    ],
    response: &[
        f("throttle_time_ms", I32),
        list(
            "responses",
            &[
                f("name", Text).nullable(6),
                f("topic_id", Uuid).from(6),
                f("error_code", I16),
                f("error_message", Text).from(5).nullable(5),
            ],
        ),
    ],
};

const CREATE_PARTITIONS: Schema = Schema {
    api: ApiKey::CREATE_PARTITIONS,
    versions: (0, 3),
    flexible: 2,
    request: &[
        list(
            "topics",
            &[
                f("name", Text),
                f("count", I32),
                list("assignments", &[array("broker_ids", &I32)]).nullable(0),
            ],
        ),
        f("timeout_ms", I32),
        f("validate_only", Bool),
    ],
    response: &[
        f("throttle_time_ms", I32),
        list("results", &[f("name", Text), f("error_code", I16), f("error_message", Text).nullable(0)]),
    ],
};

const LIST_PARTITION_REASSIGNMENTS: Schema = Schema {
    api: ApiKey::LIST_PARTITION_REASSIGNMENTS,
    versions: (0, 0),
    flexible: 0,
    request: &[
        f("timeout_ms", I32),
        list("topics", &[f("name", Text), array("partition_indexes", &I32)]).nullable(0),
    ],
    response: &[
        f("throttle_time_ms", I32),
        f("error_code", I16),
        f("error_message", Text).nullable(0),
        list(
            "topics",
            &[
                f("name", Text),
                list(
                    "partitions",
                    &[
                        f("partition_index", I32),
                        array("replicas", &I32),
                        array("adding_replicas", &I32),
                        array("removing_replicas", &I32),
                    ],
                ),
            ],
        ),
    ],
};

const ELECT_LEADERS: Schema = Schema {
    api: ApiKey::ELECT_LEADERS,
    versions: (0, 2),
    flexible: 2,
    request: &[
        f("election_type", I8).from(1),
        list("topic_partitions", &[f("topic", Text), array("partitions", &I32)]).nullable(0),
        f("timeout_ms", I32),
    ],
    response: &[
        f("throttle_time_ms", I32),
        f("error_code", I16).from(1),
        list(
            "replica_election_results",
            &[
                f("topic", Text),
                list(
                    "partition_result",
                    &[f("partition_id", I32), f("error_code", I16), f("error_message", Text).nullable(0)],
                ),
            ],
        ),
    ],
};
