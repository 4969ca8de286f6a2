//! Record batches as Arrow columns, with Spark's Kafka source schema.
//!
//! Facts: `key` and `value` are views whose data buffer *is* the fetched frame, or the decompressed block; a
//! record costs no copy beyond the 12 bytes that a view inlines. Columns that are not projected are skipped,
//! not decoded.

mod chunk;
mod decoder;
mod filter;
mod headers;
mod part;
mod pool;
mod schema;
#[cfg(test)]
mod tests;
mod views;
mod walk;

pub use chunk::Chunk;
pub use decoder::{DecoderOptions, RecordBatchDecoder};
pub use filter::BatchFilter;
pub use millstream_protocol::fetch::AbortedTransaction;
pub use pool::DecoderMemory;
pub use schema::{Projection, headers_type, source_schema};
pub(crate) use views::{INLINE, inline_view, long_parts, long_view};
