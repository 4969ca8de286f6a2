//! Fields of the messages about consumer groups of the classic protocol.

use super::field::Kind::*;
use super::field::{Schema, array, field as f, list, nested};
use crate::ApiKey;

/// The schemas of this family.
pub(super) const ALL: &[Schema] = &[
    JOIN_GROUP,
    SYNC_GROUP,
    HEARTBEAT,
    LEAVE_GROUP,
    LIST_GROUPS,
    DESCRIBE_GROUPS,
    DELETE_GROUPS,
    CONSUMER_GROUP_DESCRIBE,
];

const JOIN_GROUP: Schema = Schema {
    api: ApiKey::JOIN_GROUP,
    versions: (0, 9),
    flexible: 6,
    request: &[
        f("group_id", Text),
        f("session_timeout_ms", I32),
        f("rebalance_timeout_ms", I32).from(1),
        f("member_id", Text),
        f("group_instance_id", Text).from(5).nullable(5),
        f("protocol_type", Text),
        list("protocols", &[f("name", Text), f("metadata", Bytes)]),
        f("reason", Text).from(8).nullable(8),
    ],
    response: &[
        f("throttle_time_ms", I32).from(2),
        f("error_code", I16),
        f("generation_id", I32),
        f("protocol_type", Text).from(7).nullable(7),
        f("protocol_name", Text).nullable(7),
        f("leader", Text),
        f("skip_assignment", Bool).from(9),
        f("member_id", Text),
        list(
            "members",
            &[f("member_id", Text), f("group_instance_id", Text).from(5).nullable(5), f("metadata", Bytes)],
        ),
    ],
};

const SYNC_GROUP: Schema = Schema {
    api: ApiKey::SYNC_GROUP,
    versions: (0, 5),
    flexible: 4,
    request: &[
        f("group_id", Text),
        f("generation_id", I32),
        f("member_id", Text),
        f("group_instance_id", Text).from(3).nullable(3),
        f("protocol_type", Text).from(5).nullable(5),
        f("protocol_name", Text).from(5).nullable(5),
        list("assignments", &[f("member_id", Text), f("assignment", Bytes)]),
    ],
    response: &[
        f("throttle_time_ms", I32).from(1),
        f("error_code", I16),
        f("protocol_type", Text).from(5).nullable(5),
        f("protocol_name", Text).from(5).nullable(5),
        f("assignment", Bytes),
    ],
};

const HEARTBEAT: Schema = Schema {
    api: ApiKey::HEARTBEAT,
    versions: (0, 4),
    flexible: 4,
    request: &[
        f("group_id", Text),
        f("generation_id", I32),
        f("member_id", Text),
        f("group_instance_id", Text).from(3).nullable(3),
    ],
    response: &[f("throttle_time_ms", I32).from(1), f("error_code", I16)],
};

const LEAVE_GROUP: Schema = Schema {
    api: ApiKey::LEAVE_GROUP,
    versions: (0, 5),
    flexible: 4,
    request: &[
        f("group_id", Text),
        f("member_id", Text).until(2),
        list(
            "members",
            &[
                f("member_id", Text),
                f("group_instance_id", Text).nullable(3),
                f("reason", Text).from(5).nullable(5),
            ],
        )
        .from(3),
    ],
    response: &[
        f("throttle_time_ms", I32).from(1),
        f("error_code", I16),
        list(
            "members",
            &[f("member_id", Text), f("group_instance_id", Text).nullable(3), f("error_code", I16)],
        )
        .from(3),
    ],
};

const LIST_GROUPS: Schema = Schema {
    api: ApiKey::LIST_GROUPS,
    versions: (0, 5),
    flexible: 3,
    request: &[array("states_filter", &Text).from(4), array("types_filter", &Text).from(5)],
    response: &[
        f("throttle_time_ms", I32).from(1),
        f("error_code", I16),
        list(
            "groups",
            &[
                f("group_id", Text),
                f("protocol_type", Text),
                f("group_state", Text).from(4),
                f("group_type", Text).from(5),
            ],
        ),
    ],
};

const DESCRIBE_GROUPS: Schema = Schema {
    api: ApiKey::DESCRIBE_GROUPS,
    versions: (0, 6),
    flexible: 5,
    request: &[array("groups", &Text), f("include_authorized_operations", Bool).from(3)],
    response: &[
        f("throttle_time_ms", I32).from(1),
        list(
            "groups",
            &[
                f("error_code", I16),
                f("error_message", Text).from(6).nullable(6),
                f("group_id", Text),
                f("group_state", Text),
                f("protocol_type", Text),
                f("protocol_data", Text),
                list(
                    "members",
                    &[
                        f("member_id", Text),
                        f("group_instance_id", Text).from(4).nullable(4),
                        f("client_id", Text),
                        f("client_host", Text),
                        f("member_metadata", Bytes),
                        f("member_assignment", Bytes),
                    ],
                ),
                f("authorized_operations", I32).from(3),
            ],
        ),
    ],
};

const DELETE_GROUPS: Schema = Schema {
    api: ApiKey::DELETE_GROUPS,
    versions: (0, 2),
    flexible: 2,
    request: &[array("groups_names", &Text)],
    response: &[f("throttle_time_ms", I32), list("results", &[f("group_id", Text), f("error_code", I16)])],
};

const CONSUMER_GROUP_DESCRIBE: Schema = Schema {
    api: ApiKey::CONSUMER_GROUP_DESCRIBE,
    versions: (0, 1),
    flexible: 0,
    request: &[array("group_ids", &Text), f("include_authorized_operations", Bool)],
    response: &[
        f("throttle_time_ms", I32),
        list(
            "groups",
            &[
                f("error_code", I16),
                f("error_message", Text).nullable(0),
                f("group_id", Text),
                f("group_state", Text),
                f("group_epoch", I32),
                f("assignment_epoch", I32),
                f("assignor_name", Text),
                list(
                    "members",
                    &[
                        f("member_id", Text),
                        f("instance_id", Text).nullable(0),
                        f("rack_id", Text).nullable(0),
                        f("member_epoch", I32),
                        f("client_id", Text),
                        f("client_host", Text),
                        array("subscribed_topic_names", &Text),
                        f("subscribed_topic_regex", Text).nullable(0),
                        nested(
                            "assignment",
                            &[list(
                                "topic_partitions",
                                &[f("topic_id", Uuid), f("topic_name", Text), array("partitions", &I32)],
                            )],
                        ),
                        nested(
                            "target_assignment",
                            &[list(
                                "topic_partitions",
                                &[f("topic_id", Uuid), f("topic_name", Text), array("partitions", &I32)],
                            )],
                        ),
                        f("member_type", I8).from(1),
                    ],
                ),
                f("authorized_operations", I32),
            ],
        ),
    ],
};
