//! Fields of the messages about offsets that groups commit.

use super::field::Kind::*;
use super::field::{NEVER, Schema, array, field as f, list};
use crate::ApiKey;

/// The schemas of this family.
pub(super) const ALL: &[Schema] = &[OFFSET_COMMIT, OFFSET_FETCH, OFFSET_DELETE];

const OFFSET_COMMIT: Schema = Schema {
    api: ApiKey::OFFSET_COMMIT,
    versions: (2, 9),
    flexible: 8,
    request: &[
        f("group_id", Text),
        f("generation_id_or_member_epoch", I32),
        f("member_id", Text),
        f("group_instance_id", Text).from(7).nullable(7),
        f("retention_time_ms", I64).until(4),
        list(
            "topics",
            &[
                f("name", Text),
                list(
                    "partitions",
                    &[
                        f("partition_index", I32),
                        f("committed_offset", I64),
                        f("committed_leader_epoch", I32).from(6),
                        f("committed_metadata", Text).nullable(2),
                    ],
                ),
            ],
        ),
    ],
    response: &[
        f("throttle_time_ms", I32).from(3),
        list(
            "topics",
            &[f("name", Text), list("partitions", &[f("partition_index", I32), f("error_code", I16)])],
        ),
    ],
};

const OFFSET_FETCH: Schema = Schema {
    api: ApiKey::OFFSET_FETCH,
    versions: (1, 9),
    flexible: 6,
    request: &[
        f("group_id", Text).until(7),
        list("topics", &[f("name", Text), array("partition_indexes", &I32)]).until(7).nullable(2),
        list(
            "groups",
            &[
                f("group_id", Text),
                f("member_id", Text).from(9).nullable(9),
                f("member_epoch", I32).from(9),
                list("topics", &[f("name", Text), array("partition_indexes", &I32)]).nullable(8),
            ],
        )
        .from(8),
        f("require_stable", Bool).from(7),
    ],
    response: &[
        f("throttle_time_ms", I32).from(3),
        list(
            "topics",
            &[
                f("name", Text),
                list(
                    "partitions",
                    &[
                        f("partition_index", I32),
                        f("committed_offset", I64),
                        f("committed_leader_epoch", I32).from(5),
                        f("metadata", Text).nullable(1),
                        f("error_code", I16),
                    ],
                ),
            ],
        )
        .until(7),
        f("error_code", I16).from(2).until(7),
        list(
            "groups",
            &[
                f("group_id", Text),
                list(
                    "topics",
                    &[
                        f("name", Text),
                        list(
                            "partitions",
                            &[
                                f("partition_index", I32),
                                f("committed_offset", I64),
                                f("committed_leader_epoch", I32),
                                f("metadata", Text).nullable(8),
                                f("error_code", I16),
                            ],
                        ),
                    ],
                ),
                f("error_code", I16),
            ],
        )
        .from(8),
    ],
};

const OFFSET_DELETE: Schema = Schema {
    api: ApiKey::OFFSET_DELETE,
    versions: (0, 0),
    flexible: NEVER,
    request: &[
        f("group_id", Text),
        list("topics", &[f("name", Text), list("partitions", &[f("partition_index", I32)])]),
    ],
    response: &[
        f("error_code", I16),
        f("throttle_time_ms", I32),
        list(
            "topics",
            &[f("name", Text), list("partitions", &[f("partition_index", I32), f("error_code", I16)])],
        ),
    ],
};
