//! The streaming engine: session, frames, sources, sinks, micro-batches and checkpoints.

pub mod error;
pub mod source;

pub use error::{Error, Result};
