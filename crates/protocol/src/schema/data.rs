//! Fields of the messages about what clients read and write.

use super::field::Kind::*;
use super::field::{Schema, array, field as f, list, nested};
use crate::ApiKey;

/// The schemas of this family.
pub(super) const ALL: &[Schema] = &[PRODUCE, FETCH, LIST_OFFSETS, OFFSET_FOR_LEADER_EPOCH, DELETE_RECORDS];

const PRODUCE: Schema = Schema {
    api: ApiKey::PRODUCE,
    versions: (3, 13),
    flexible: 9,
    request: &[
        f("transactional_id", Text).nullable(3),
        f("acks", I16),
        f("timeout_ms", I32),
        list(
            "topic_data",
            &[
                f("name", Text).until(12),
                f("topic_id", Uuid).from(13),
                list("partition_data", &[f("index", I32), f("records", Bytes).nullable(3)]),
            ],
        ),
    ],
    response: &[
        list(
            "responses",
            &[
                f("name", Text).until(12),
                f("topic_id", Uuid).from(13),
                list(
                    "partition_responses",
                    &[
                        f("index", I32),
                        f("error_code", I16),
                        f("base_offset", I64),
                        f("log_append_time_ms", I64),
                        f("log_start_offset", I64).from(5),
                        list(
                            "record_errors",
                            &[f("batch_index", I32), f("batch_index_error_message", Text).nullable(8)],
                        )
                        .from(8),
                        f("error_message", Text).from(8).nullable(8),
                        nested("current_leader", &[f("leader_id", I32), f("leader_epoch", I32)])
                            .from(10)
                            .tagged(0),
                    ],
                ),
            ],
        ),
        f("throttle_time_ms", I32),
        list(
            "node_endpoints",
            &[f("node_id", I32), f("host", Text), f("port", I32), f("rack", Text).nullable(10)],
        )
        .from(10)
        .tagged(0),
    ],
};

const FETCH: Schema = Schema {
    api: ApiKey::FETCH,
    versions: (4, 18),
    flexible: 12,
    request: &[
        f("cluster_id", Text).from(12).nullable(12).tagged(0),
        f("replica_id", I32).until(14),
        nested("replica_state", &[f("replica_id", I32), f("replica_epoch", I64)]).from(15).tagged(1),
        f("max_wait_ms", I32),
        f("min_bytes", I32),
        f("max_bytes", I32),
        f("isolation_level", I8),
        f("session_id", I32).from(7),
        f("session_epoch", I32).from(7),
        list(
            "topics",
            &[
                f("topic", Text).until(12),
                f("topic_id", Uuid).from(13),
                list(
                    "partitions",
                    &[
                        f("partition", I32),
                        f("current_leader_epoch", I32).from(9),
                        f("fetch_offset", I64),
                        f("last_fetched_epoch", I32).from(12),
                        f("log_start_offset", I64).from(5),
                        f("partition_max_bytes", I32),
                        f("replica_directory_id", Uuid).from(17).tagged(0),
                        f("high_watermark", I64).from(18).tagged(1),
                    ],
                ),
            ],
        ),
        list(
            "forgotten_topics_data",
            &[f("topic", Text).until(12), f("topic_id", Uuid).from(13), array("partitions", &I32)],
        )
        .from(7),
        f("rack_id", Text).from(11),
    ],
    response: &[
        f("throttle_time_ms", I32),
        f("error_code", I16).from(7),
        f("session_id", I32).from(7),
        list(
            "responses",
            &[
                f("topic", Text).until(12),
                f("topic_id", Uuid).from(13),
                list(
                    "partitions",
                    &[
                        f("partition_index", I32),
                        f("error_code", I16),
                        f("high_watermark", I64),
                        f("last_stable_offset", I64),
                        f("log_start_offset", I64).from(5),
                        nested("diverging_epoch", &[f("epoch", I32), f("end_offset", I64)])
                            .from(12)
                            .tagged(0),
                        nested("current_leader", &[f("leader_id", I32), f("leader_epoch", I32)])
                            .from(12)
                            .tagged(1),
                        nested("snapshot_id", &[f("end_offset", I64), f("epoch", I32)]).from(12).tagged(2),
                        list("aborted_transactions", &[f("producer_id", I64), f("first_offset", I64)])
                            .nullable(4),
                        f("preferred_read_replica", I32).from(11),
                        f("records", Bytes).nullable(4),
                    ],
                ),
            ],
        ),
        list(
            "node_endpoints",
            &[f("node_id", I32), f("host", Text), f("port", I32), f("rack", Text).nullable(16)],
        )
        .from(16)
        .tagged(0),
    ],
};

const LIST_OFFSETS: Schema = Schema {
    api: ApiKey::LIST_OFFSETS,
    versions: (1, 10),
    flexible: 6,
    request: &[
        f("replica_id", I32),
        f("isolation_level", I8).from(2),
        list(
            "topics",
            &[
                f("name", Text),
                list(
                    "partitions",
                    &[f("partition_index", I32), f("current_leader_epoch", I32).from(4), f("timestamp", I64)],
                ),
            ],
        ),
        f("timeout_ms", I32).from(10),
    ],
    response: &[
        f("throttle_time_ms", I32).from(2),
        list(
            "topics",
            &[
                f("name", Text),
                list(
                    "partitions",
                    &[
                        f("partition_index", I32),
                        f("error_code", I16),
                        f("timestamp", I64),
                        f("offset", I64),
                        f("leader_epoch", I32).from(4),
                    ],
                ),
            ],
        ),
    ],
};

const OFFSET_FOR_LEADER_EPOCH: Schema = Schema {
    api: ApiKey::OFFSET_FOR_LEADER_EPOCH,
    versions: (2, 4),
    flexible: 4,
    request: &[
        f("replica_id", I32).from(3),
        list(
            "topics",
            &[
                f("topic", Text),
                list(
                    "partitions",
                    &[f("partition", I32), f("current_leader_epoch", I32), f("leader_epoch", I32)],
                ),
            ],
        ),
    ],
    response: &[
        f("throttle_time_ms", I32),
        list(
            "topics",
            &[
                f("topic", Text),
                list(
                    "partitions",
                    &[
                        f("error_code", I16),
                        f("partition", I32),
                        f("leader_epoch", I32),
                        f("end_offset", I64),
                    ],
                ),
            ],
        ),
    ],
};

const DELETE_RECORDS: Schema = Schema {
    api: ApiKey::DELETE_RECORDS,
    versions: (0, 2),
    flexible: 2,
    request: &[
        list(
            "topics",
            &[f("name", Text), list("partitions", &[f("partition_index", I32), f("offset", I64)])],
        ),
        f("timeout_ms", I32),
    ],
    response: &[
        f("throttle_time_ms", I32),
        list(
            "topics",
            &[
                f("name", Text),
                list(
                    "partitions",
                    &[f("partition_index", I32), f("low_watermark", I64), f("error_code", I16)],
                ),
            ],
        ),
    ],
};
