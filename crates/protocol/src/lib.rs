//! Kafka's wire protocol: bytes in, bytes out.
//!
//! No socket, no clock, no async, no columns. A connection's bytes are cut into frames ([`frame`]), a frame
//! is checked against a table of its fields ([`schema`]) and becomes a message ([`messages`], [`fetch`],
//! [`produce`]); what a fetch brings is read batch by batch and record by record ([`records`], [`codec`]).
//! Everything that comes from outside has a limit ([`Limits`]), and no input makes this crate panic.

#![forbid(unsafe_code)]

pub mod codec;
mod compression;
mod cursor;
mod error;
pub mod fetch;
pub mod frame;
pub mod ids;
mod limits;
pub mod messages;
pub mod partitioner;
pub mod produce;
pub mod records;
pub mod schema;
#[cfg(test)]
mod tables;
mod varint;

pub use compression::Compression;
pub use error::{Error, Result};
pub use ids::{ApiKey, ErrorCode, TopicPartition};
pub use limits::Limits;
pub use uuid::Uuid;
