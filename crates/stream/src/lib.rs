//! The streaming engine: session, frames, sources, sinks, micro-batches and checkpoints.

pub mod batch_context;
pub mod checkpoint;
pub mod error;
pub mod progress;
pub mod sink;
pub mod source;
pub mod trigger;

pub use batch_context::BatchContext;
pub use error::{Error, Result};
pub use progress::StreamingQueryProgress;
pub use trigger::Trigger;
