//! The streaming engine: session, frames, sources, sinks, micro-batches and checkpoints.
//!
//! Reading order: [`session`] (where everything begins), [`frame`] (what is to be computed), [`source`] (where
//! rows come
//! from), [`sink`] (where they go), [`batch_context`] (what differs from one micro-batch to the next), [`checkpoint`]
//! (what survives a crash), [`micro_batch`] (the life of a query), [`query`] (the handle on one).

pub mod batch_context;
pub mod checkpoint;
pub mod error;
pub mod frame;
pub mod micro_batch;
pub mod progress;
pub mod query;
pub mod session;
pub mod sink;
pub mod source;
pub mod trigger;
pub mod unsupported;

pub use batch_context::BatchContext;
pub use error::{Error, Result};
pub use frame::{DataFrame, DataFrameReader, DataFrameWriter, DataStreamWriter, GroupedData, SaveMode};
pub use progress::StreamingQueryProgress;
pub use query::{OutputMode, StreamingQuery, StreamingQueryException, StreamingQueryManager};
pub use session::{IntoRow, IntoSchema, Row, Session, SessionBuilder, SessionConf};
pub use trigger::Trigger;

pub use millstream_plan::tree::Value;

#[cfg(test)]
mod tests;
