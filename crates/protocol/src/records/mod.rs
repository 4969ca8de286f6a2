//! Record batches: reading what brokers send and building what producers write.
//!
//! A fetched partition is a run of batches ([`Batches`]); a batch has a fixed header
//! ([`BatchHeader`]), and its payload, once unpacked ([`Batch::unpack`]), is a run of records
//! ([`Records`]) that borrow from it. Message sets of the formats 0 and 1 are rewritten to format 2
//! while they are unpacked, so everything after that knows one format.
//!
//! Sources: KIP-98 (format 2), KIP-32 (timestamps), KIP-31 (relative offsets), KIP-82 (headers).

mod aborted;
mod batches;
mod builder;
mod control;
mod header;
mod legacy;
mod log;
mod reader;
#[cfg(test)]
mod tests;

pub use aborted::AbortedFilter;
pub use batches::{Batch, Batches, Unpacked};
pub use builder::{BatchBuilder, BatchOptions, EncodedBatch};
pub use control::{ControlKind, control_batch};
pub use header::{Attributes, BatchHeader, HEADER_BYTES, TimestampType};
pub use log::{batch_sizes, set_base_offset, set_log_append_time};
pub use reader::{Header, Headers, Record, Records};

/// Producer id of batches that belong to no idempotent producer.
pub const NO_PRODUCER_ID: i64 = -1;
/// Timestamp of records that carry none.
pub const NO_TIMESTAMP: i64 = -1;
