//! The one error type of this crate, split by whose fault it is.
//!
//! Where Spark has a condition for a failure, [`Error::spark`] returns it with its parameters; the phase (building a
//! frame, starting a query, running it) is known by the call that returned the error.

use std::path::PathBuf;
use std::sync::Arc;

use millstream_plan::SparkError;

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call of this crate failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The language layer refused a text, a type or data; most of these have a condition of Spark's.
    #[error(transparent)]
    Plan(#[from] millstream_plan::Error),
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

    /// The error of Spark's kind inside, with its condition and parameters, where there is one.
    pub fn spark(&self) -> Option<&SparkError> {
        match self {
            Error::Plan(error) => error.spark(),
            Error::Query(error) => error.spark(),
            _ => None,
        }
    }
}

impl From<SparkError> for Error {
    fn from(error: SparkError) -> Self {
        Error::Plan(error.into())
    }
}

/// An error with Spark's public names and a text of the whole message, which gets Spark's frame: the condition in front,
/// the SQLSTATE behind. Conditions that begin with `_LEGACY` have no public name, so their text stands alone.
pub(crate) fn spark_error<V: Into<String>>(
    condition: &str,
    sqlstate: Option<&str>,
    parameters: impl IntoIterator<Item = (&'static str, V)>,
    text: impl std::fmt::Display,
) -> Error {
    let message = match sqlstate {
        Some(sqlstate) => format!("[{condition}] {text} SQLSTATE: {sqlstate}"),
        None => text.to_string(),
    };
    let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    SparkError {
        condition: Some(condition.to_owned()),
        sqlstate: sqlstate.map(str::to_owned),
        parameters,
        message,
    }
    .into()
}
