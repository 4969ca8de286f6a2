//! Avro payloads to Arrow columns by Spark's `from_avro` rules, and columns to Avro by its `to_avro` rules.
//!
//! A payload is one datum in Avro's binary encoding, without a header; what schema it was written with must be known
//! (see [`crate::framing`] for payloads that carry the id of their schema). [`AvroReader`] is compiled from the
//! schema to read with, [`WriterPlan`]s from pairs of schemas, so that one batch may hold payloads of several
//! writers. Reading order: [`Schema`], `sql_type` (which column type a schema has), `resolve` (writer and reader
//! schema to a plan), `reader`, `writer`.
//!
//! arrow-avro is not beneath: its errors end a batch instead of a row, and its physical types are others than
//! those of [`crate::types`].

mod column;
mod default;
mod options;
mod reader;
mod rebase;
mod resolve;
mod schema;
mod size;
mod sql_type;
mod writer;

pub use options::{AvroReadOptions, Rebase};
pub use reader::{AvroReader, Writer, WriterPlan};
pub use schema::Schema;
pub use sql_type::{SqlType, schema_of_type, sql_type};
pub use writer::AvroWriter;
