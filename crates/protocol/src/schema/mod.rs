//! Walks a message by a table of its fields before anything is built from it.
//!
//! The table says for every request kind and version which fields follow each other. The walk checks that
//! every length and count fits the bytes that are left, that text is UTF-8, that nothing is null which may
//! not be, that tagged fields are as long as they say, and that no bytes are left over. A kind without
//! a table entry cannot be called.
//!
//! The tables cover the versions that Kafka 4.3 has in common with `kafka-protocol`.

mod cluster;
mod configs;
mod data;
mod field;
mod groups;
mod offsets;
#[cfg(test)]
mod tests;
mod topics;
mod transactions;
mod walk;

use crate::{ApiKey, Error, Limits, Result};
use field::Schema;

/// Which way a message travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the client to the broker.
    Request,
    /// From the broker to the client.
    Response,
}

/// Checks the body of a message: all bytes after its header.
pub fn walk(api: ApiKey, version: i16, direction: Direction, body: &[u8], limits: &Limits) -> Result<()> {
    let schema = schema(api).filter(|schema| (schema.versions.0..=schema.versions.1).contains(&version));
    let Some(schema) = schema else { return Err(Error::UnsupportedApi { api, version }) };
    let fields = match direction {
        Direction::Request => schema.request,
        Direction::Response => schema.response,
    };
    walk::Walk::new(schema, version, body, limits).message(fields)
}

/// Lowest and highest version of a request kind.
pub(crate) fn versions(api: ApiKey) -> Option<(i16, i16)> {
    schema(api).map(|schema| schema.versions)
}

/// Whether messages of this version have tagged fields, and so their headers (but the response header of
/// ApiVersions). Also right for versions above the table's; false for a kind that is not in it.
pub(crate) fn is_flexible(api: ApiKey, version: i16) -> bool {
    schema(api).is_some_and(|schema| version >= schema.flexible)
}

fn schema(api: ApiKey) -> Option<&'static Schema> {
    FAMILIES.iter().flat_map(|family| family.iter()).find(|schema| schema.api == api)
}

const FAMILIES: &[&[Schema]] =
    &[data::ALL, cluster::ALL, topics::ALL, configs::ALL, groups::ALL, offsets::ALL, transactions::ALL];
