//! The one error type of this crate, split by whose fault it is.
//!
//! Where Spark has a condition for a failure, [`Error::spark`] returns it with its parameters; the phase (building a
//! frame, starting a query, running it) is known by the call that returned the error.

use std::path::PathBuf;
use std::sync::Arc;

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call of this crate failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option has a value that cannot be used.
    #[error("{message}")]
    Option {
        /// The option as it was given.
        option: String,
        /// What is wrong and what to write instead.
        message: String,
    },
    /// A file of a checkpoint cannot be read, written or understood.
    #[error("checkpoint file {}: {what}; {advice}", path.display())]
    Checkpoint {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What to do next.
        advice: String,
    },
    /// A sink could not take or publish rows.
    #[error("sink {sink}: {what}")]
    Sink {
        /// The sink's format name.
        sink: String,
        /// What went wrong.
        what: String,
    },
    /// A file outside the checkpoint could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system answered.
        source: std::io::Error,
    },
    /// The user's own function failed.
    #[error("the user's function failed: {0}")]
    User(Box<dyn std::error::Error + Send + Sync>),
    /// A known feature that this version does not have.
    #[error("not supported yet: {feature}")]
    Unsupported {
        /// The feature's name as the user wrote it.
        feature: String,
    },
    /// The API was called in a way that cannot work.
    #[error("{0}")]
    Misuse(String),
    /// A streaming query ended with an error; every handle tells the same one.
    #[error("the streaming query failed: {0}")]
    Query(Arc<Error>),
}

impl Error {
    /// The error of an option, with the option's name and the whole message.
    pub fn option(option: impl Into<String>, message: impl Into<String>) -> Self {
        Error::Option { option: option.into(), message: message.into() }
    }
}
