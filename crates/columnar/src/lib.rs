//! Record batches to Arrow columns and back, and their payloads (JSON first) to Arrow columns and back.
//!
//! The crate lies between the bytes of `millstream-protocol` and the expressions of `millstream-plan`.
//! Everything here is synchronous and pure: no socket, no clock, no async runtime.
//!
//! Reading order: [`types`] (the one table of physical types), [`records`] (record batches as columns),
//! [`text`] (bytes to text and Spark's rendering of values), [`datetime`] (Spark's date and time rules),
//! [`json`], [`csv`], [`avro`], [`plain`] and [`protobuf`] (payloads), [`framing`] (payloads with their schema's id).
//!
//! Unsafe code is allowed in one file only, `raw.rs`, where every block carries its proof.

pub mod avro;
pub mod csv;
pub mod datetime;
mod error;
pub mod framing;
pub mod json;
mod payloads;
pub mod plain;
pub mod protobuf;
mod raw;
pub mod records;
pub mod text;
pub mod types;
mod values;

pub use error::{CsvFault, Error, JsonFault, JsonValueFault, Result};
