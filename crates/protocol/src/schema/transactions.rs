//! Fields of the messages about idempotent and transactional producers.

use super::field::Kind::*;
use super::field::{Schema, array, field as f, list};
use crate::ApiKey;

/// The schemas of this family.
pub(super) const ALL: &[Schema] = &[
    INIT_PRODUCER_ID,
    ADD_PARTITIONS_TO_TXN,
    ADD_OFFSETS_TO_TXN,
    END_TXN,
    WRITE_TXN_MARKERS,
    TXN_OFFSET_COMMIT,
    LIST_TRANSACTIONS,
    DESCRIBE_TRANSACTIONS,
    DESCRIBE_PRODUCERS,
];

const INIT_PRODUCER_ID: Schema = Schema {
    api: ApiKey::INIT_PRODUCER_ID,
    versions: (0, 5),
    flexible: 2,
    request: &[
        f("transactional_id", Text).nullable(0),
        f("transaction_timeout_ms", I32),
        f("producer_id", I64).from(3),
        f("producer_epoch", I16).from(3),
    ],
    response: &[
        f("throttle_time_ms", I32),
        f("error_code", I16),
        f("producer_id", I64),
        f("producer_epoch", I16),
    ],
};

const ADD_PARTITIONS_TO_TXN: Schema = Schema {
    api: ApiKey::ADD_PARTITIONS_TO_TXN,
    versions: (0, 5),
    flexible: 3,
    request: &[
        list(
            "transactions",
            &[
                f("transactional_id", Text),
                f("producer_id", I64),
                f("producer_epoch", I16),
                f("verify_only", Bool),
                list("topics", &[f("name", Text), array("partitions", &I32)]),
            ],
        )
        .from(4),
        f("v3_and_below_transactional_id", Text).until(3),
        f("v3_and_below_producer_id", I64).until(3),
        f("v3_and_below_producer_epoch", I16).until(3),
        list("v3_and_below_topics", &[f("name", Text), array("partitions", &I32)]).until(3),
    ],
    response: &[
        f("throttle_time_ms", I32),
        f("error_code", I16).from(4),
        list(
            "results_by_transaction",
            &[
                f("transactional_id", Text),
                list(
                    "topic_results",
                    &[
                        f("name", Text),
                        list(
                            "results_by_partition",
                            &[f("partition_index", I32), f("partition_error_code", I16)],
                        ),
                    ],
                ),
            ],
        )
        .from(4),
        list(
            "results_by_topic_v3_and_below",
            &[
                f("name", Text),
                list("results_by_partition", &[f("partition_index", I32), f("partition_error_code", I16)]),
            ],
        )
        .until(3),
    ],
};

const ADD_OFFSETS_TO_TXN: Schema = Schema {
    api: ApiKey::ADD_OFFSETS_TO_TXN,
    versions: (0, 4),
    flexible: 3,
    request: &[
        f("transactional_id", Text),
        f("producer_id", I64),
        f("producer_epoch", I16),
        f("group_id", Text),
    ],
    response: &[f("throttle_time_ms", I32), f("error_code", I16)],
};

const END_TXN: Schema = Schema {
    api: ApiKey::END_TXN,
    versions: (0, 5),
    flexible: 3,
    request: &[
        f("transactional_id", Text),
        f("producer_id", I64),
        f("producer_epoch", I16),
        f("committed", Bool),
    ],
    response: &[
        f("throttle_time_ms", I32),
        f("error_code", I16),
        f("producer_id", I64).from(5),
        f("producer_epoch", I16).from(5),
    ],
};

const WRITE_TXN_MARKERS: Schema = Schema {
    api: ApiKey::WRITE_TXN_MARKERS,
    versions: (1, 1),
    flexible: 1,
    request: &[list(
        "markers",
        &[
            f("producer_id", I64),
            f("producer_epoch", I16),
            f("transaction_result", Bool),
            list("topics", &[f("name", Text), array("partition_indexes", &I32)]),
            f("coordinator_epoch", I32),
        ],
    )],
    response: &[list(
        "markers",
        &[
            f("producer_id", I64),
            list(
                "topics",
                &[f("name", Text), list("partitions", &[f("partition_index", I32), f("error_code", I16)])],
            ),
        ],
    )],
};

const TXN_OFFSET_COMMIT: Schema = Schema {
    api: ApiKey::TXN_OFFSET_COMMIT,
    versions: (0, 5),
    flexible: 3,
    request: &[
        f("transactional_id", Text),
        f("group_id", Text),
        f("producer_id", I64),
        f("producer_epoch", I16),
        f("generation_id", I32).from(3),
        f("member_id", Text).from(3),
        f("group_instance_id", Text).from(3).nullable(3),
        list(
            "topics",
            &[
                f("name", Text),
                list(
                    "partitions",
                    &[
                        f("partition_index", I32),
                        f("committed_offset", I64),
                        f("committed_leader_epoch", I32).from(2),
                        f("committed_metadata", Text).nullable(0),
                    ],
                ),
            ],
        ),
    ],
    response: &[
        f("throttle_time_ms", I32),
        list(
            "topics",
            &[f("name", Text), list("partitions", &[f("partition_index", I32), f("error_code", I16)])],
        ),
    ],
};

const LIST_TRANSACTIONS: Schema = Schema {
    api: ApiKey::LIST_TRANSACTIONS,
    versions: (0, 2),
    flexible: 0,
    request: &[
        array("state_filters", &Text),
        array("producer_id_filters", &I64),
        f("duration_filter", I64).from(1),
        f("transactional_id_pattern", Text).from(2).nullable(2),
    ],
    response: &[
        f("throttle_time_ms", I32),
        f("error_code", I16),
        array("unknown_state_filters", &Text),
        list(
            "transaction_states",
            &[f("transactional_id", Text), f("producer_id", I64), f("transaction_state", Text)],
        ),
    ],
};

const DESCRIBE_TRANSACTIONS: Schema = Schema {
    api: ApiKey::DESCRIBE_TRANSACTIONS,
    versions: (0, 0),
    flexible: 0,
    request: &[array("transactional_ids", &Text)],
    response: &[
        f("throttle_time_ms", I32),
        list(
            "transaction_states",
            &[
                f("error_code", I16),
                f("transactional_id", Text),
                f("transaction_state", Text),
                f("transaction_timeout_ms", I32),
                f("transaction_start_time_ms", I64),
                f("producer_id", I64),
                f("producer_epoch", I16),
                list("topics", &[f("topic", Text), array("partitions", &I32)]),
            ],
        ),
    ],
};

const DESCRIBE_PRODUCERS: Schema = Schema {
    api: ApiKey::DESCRIBE_PRODUCERS,
    versions: (0, 0),
    flexible: 0,
    request: &[list("topics", &[f("name", Text), array("partition_indexes", &I32)])],
    response: &[
        f("throttle_time_ms", I32),
        list(
            "topics",
            &[
                f("name", Text),
                list(
                    "partitions",
                    &[
                        f("partition_index", I32),
                        f("error_code", I16),
                        f("error_message", Text).nullable(0),
                        list(
                            "active_producers",
                            &[
                                f("producer_id", I64),
                                f("producer_epoch", I32),
                                f("last_sequence", I32),
                                f("last_timestamp", I64),
                                f("coordinator_epoch", I32),
                                f("current_txn_start_offset", I64),
                            ],
                        ),
                    ],
                ),
            ],
        ),
    ],
};
