//! Record batches as Arrow columns, with Spark's Kafka source schema.
//!
//! Facts: `key` and `value` are views whose data buffer *is* the fetched frame, or the decompressed block; a record
//! costs no copy beyond the 12 bytes that a view inlines. Columns that are not projected are skipped, not decoded.

mod decoder;
mod schema;

pub use decoder::{AbortedTransaction, Chunk, DecoderOptions, PushSummary, RecordBatchDecoder};
pub use schema::{Projection, headers_type, source_schema};
