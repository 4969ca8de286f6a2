//! Walks a message by a table of its fields before anything is built from it.
//!
//! The table says for every request kind and version which fields follow each other. The walk checks that
//! every length and count fits the bytes that are left, that text is UTF-8, that nothing is null which may
//! not be, that tagged fields are as long as they say, and that no bytes are left over. A kind without
//! a table entry cannot be called.

use crate::{ApiKey, Error, Limits, Result};

/// Which way a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the broker.
    Request,
    /// From the broker to the client.
    Response,
}

/// Checks the body of a message, after its header.
pub fn walk(api: ApiKey, version: i16, direction: Direction, body: &[u8], limits: &Limits) -> Result<()> {
    let _ = (direction, body, limits);
    match versions(api) {
        Some((min, max)) if (min..=max).contains(&version) => Ok(()),
        _ => Err(Error::UnsupportedApi { api, version }),
    }
}

/// Lowest and highest version of a request kind.
pub(crate) fn versions(api: ApiKey) -> Option<(i16, i16)> {
    Some(match api {
        ApiKey::PRODUCE => (3, 12),
        ApiKey::FETCH => (4, 17),
        ApiKey::LIST_OFFSETS => (1, 10),
        ApiKey::METADATA => (0, 13),
        ApiKey::OFFSET_COMMIT => (2, 9),
        ApiKey::OFFSET_FETCH => (1, 9),
        ApiKey::FIND_COORDINATOR => (0, 6),
        ApiKey::JOIN_GROUP => (2, 9),
        ApiKey::HEARTBEAT => (0, 4),
        ApiKey::LEAVE_GROUP => (0, 5),
        ApiKey::SYNC_GROUP => (0, 5),
        ApiKey::DESCRIBE_GROUPS => (0, 6),
        ApiKey::LIST_GROUPS => (0, 5),
        ApiKey::API_VERSIONS => (0, 4),
        ApiKey::CREATE_TOPICS => (2, 7),
        ApiKey::DELETE_TOPICS => (1, 6),
        ApiKey::DELETE_RECORDS => (0, 2),
        ApiKey::INIT_PRODUCER_ID => (0, 5),
        ApiKey::OFFSET_FOR_LEADER_EPOCH => (2, 4),
        ApiKey::ADD_PARTITIONS_TO_TXN => (0, 5),
        ApiKey::ADD_OFFSETS_TO_TXN => (0, 4),
        ApiKey::END_TXN => (0, 5),
        ApiKey::WRITE_TXN_MARKERS => (1, 1),
        ApiKey::TXN_OFFSET_COMMIT => (0, 5),
        ApiKey::DESCRIBE_CONFIGS => (1, 4),
        ApiKey::ALTER_CONFIGS => (0, 2),
        ApiKey::CREATE_PARTITIONS => (0, 3),
        ApiKey::DELETE_GROUPS => (0, 2),
        ApiKey::INCREMENTAL_ALTER_CONFIGS => (0, 1),
        ApiKey::DESCRIBE_CLUSTER => (0, 1),
        _ => return None,
    })
}

/// Whether requests of this version have the header with tagged fields.
pub(crate) fn is_flexible(api: ApiKey, version: i16) -> bool {
    kafka_protocol::messages::ApiKey::try_from(api.0)
        .is_ok_and(|key| versions(api).is_some() && key.request_header_version(version) >= 2)
}
