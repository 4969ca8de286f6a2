//! The one error type of this crate, split by whose fault it is.
//!
//! Where Spark has a condition for a failure, [`Error::spark`] finds it, however deeply the layers below have wrapped
//! it; the phase (building a frame, starting a query, running it) is known by the call that returned the error.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::error::DataFusionError;
use millstream_plan::SparkError;

use crate::query::StreamingQueryException;

/// What every fallible call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call of this crate failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option has a name or a value that cannot be used.
    #[error("{message}")]
    Option {
        /// The option as it was given.
        option: String,
        /// What is wrong and what to write instead.
        message: String,
    },
    /// The text, the types or the data were refused with one of Spark's conditions.
    #[error(transparent)]
    Spark(Box<SparkError>),
    /// The language layer refused the text, the types or the data.
    #[error(transparent)]
    Plan(millstream_plan::Error),
    /// The Kafka client failed.
    #[error(transparent)]
    Client(#[from] millstream_client::Error),
    /// The plan failed while it ran.
    #[error("{0}")]
    Execution(DataFusionError),
    /// What a partition holds cannot be decoded, or columns cannot be encoded.
    #[error(transparent)]
    Columnar(#[from] millstream_columnar::Error),
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
    #[error("{}: {source}{}", path.display(), advice(source))]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system answered.
        source: std::io::Error,
    },
    /// Reading or writing that is not about a file of this engine's failed.
    #[error(transparent)]
    Std(#[from] std::io::Error),
    /// The user's own function failed.
    #[error("the user's function failed: {0}")]
    User(Box<dyn StdError + Send + Sync>),
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
    #[error("{0}")]
    Query(StreamingQueryException),
}

impl Error {
    /// The error of an option, with the option's name and the whole message.
    pub fn option(option: impl Into<String>, message: impl Into<String>) -> Self {
        Error::Option { option: option.into(), message: message.into() }
    }

    /// A feature that is known and missing.
    pub fn unsupported(feature: impl Into<String>) -> Self {
        Error::Unsupported { feature: feature.into() }
    }

    /// The error with Spark's condition that caused this one, if there is one.
    pub fn spark(&self) -> Option<&SparkError> {
        causes(self).find_map(|cause| cause.downcast_ref::<SparkError>())
    }

    /// The innermost error of this crate: what a failed query failed of.
    pub fn root(&self) -> &Error {
        causes(self).filter_map(|cause| cause.downcast_ref::<Error>()).last().unwrap_or(self)
    }
}

impl From<SparkError> for Error {
    fn from(error: SparkError) -> Self {
        Error::Spark(Box::new(error))
    }
}

impl From<millstream_plan::Error> for Error {
    fn from(error: millstream_plan::Error) -> Self {
        match error {
            millstream_plan::Error::DataFusion(inner) => Error::from(*inner),
            millstream_plan::Error::Spark(spark) => Error::Spark(spark),
            other => Error::Plan(other),
        }
    }
}

impl From<DataFusionError> for Error {
    /// Unwraps an error of ours that has passed through the plan; anything else is an execution error.
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => Error::from(*inner),
            DataFusionError::External(inner) => match inner.downcast::<Error>() {
                Ok(ours) => *ours,
                Err(inner) => match inner.downcast::<millstream_plan::Error>() {
                    Ok(plan) => Error::from(*plan),
                    Err(inner) => Error::Execution(DataFusionError::External(inner)),
                },
            },
            DataFusionError::Shared(inner) => match Arc::try_unwrap(inner) {
                Ok(inner) => Error::from(inner),
                Err(shared) => Error::Execution(DataFusionError::Shared(shared)),
            },
            DataFusionError::Collection(mut all) if !all.is_empty() => Error::from(all.swap_remove(0)),
            other => Error::Execution(other),
        }
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        match error {
            Error::Execution(inner) => inner,
            other => DataFusionError::External(Box::new(other)),
        }
    }
}

impl From<Error> for millstream_plan::Error {
    /// For the calls that the analyzer makes back into the session.
    fn from(error: Error) -> Self {
        match error {
            Error::Plan(plan) => plan,
            Error::Spark(spark) => millstream_plan::Error::Spark(spark),
            other => millstream_plan::Error::from(DataFusionError::from(other)),
        }
    }
}

/// An error with Spark's public names and a text of the whole message, which gets Spark's frame: the condition
/// in front,
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

/// What to do about a failed file, where the operating system's answer tells; begins with `; `.
fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            "; the disk is full: free some space and start the query again, it goes on with the same batch"
        }
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
            "; give this user the right to write there, or choose another path"
        }
        _ => "",
    }
}

/// An error and what it was caused by, from the outside in. Boxes and shared pointers that hide a cause are opened.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |error| inner(*error))
}

fn inner<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
    if let Some(ours) = error.downcast_ref::<Error>() {
        return match ours {
            Error::Spark(spark) => Some(&**spark),
            Error::Plan(plan) => Some(plan),
            Error::Client(client) => Some(client),
            Error::Execution(execution) => Some(execution),
            Error::Columnar(columnar) => Some(columnar),
            Error::Io { source, .. } | Error::Std(source) => Some(source),
            Error::User(user) => Some(&**user),
            Error::Query(query) => Some(&*query.cause),
            _ => None,
        };
    }
    if let Some(plan) = error.downcast_ref::<millstream_plan::Error>() {
        return match plan {
            millstream_plan::Error::Spark(spark) => Some(&**spark),
            millstream_plan::Error::DataFusion(engine) => Some(&**engine),
            _ => error.source(),
        };
    }
    if let Some(engine) = error.downcast_ref::<DataFusionError>() {
        return match engine {
            DataFusionError::Shared(shared) => Some(&**shared),
            DataFusionError::External(external) => Some(&**external),
            DataFusionError::Collection(all) => all.first().map(|first| first as &(dyn StdError + 'static)),
            _ => engine.source(),
        };
    }
    error.source()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spark() -> SparkError {
        SparkError::new("KAFKA_NULL_TOPIC_IN_DATA", [("a", "b")])
    }

    #[test]
    fn a_condition_is_found_through_every_wrapper() {
        let inner = DataFusionError::from(Error::from(spark()));
        let shared = DataFusionError::Shared(Arc::new(inner.context("while writing")));
        let _other_holder = match &shared {
            DataFusionError::Shared(arc) => arc.clone(),
            _ => unreachable!(),
        };
        let nil = uuid::Uuid::nil();
        let error = Error::Query(StreamingQueryException::new(nil, nil, Error::from(shared)));
        assert_eq!(error.spark().unwrap().condition.as_deref(), Some("KAFKA_NULL_TOPIC_IN_DATA"));
        let from_user = Error::User(Box::new(Error::from(spark())));
        assert!(from_user.spark().is_some());
        assert!(Error::Misuse("x".into()).spark().is_none());
    }

    #[test]
    fn an_error_that_only_passed_through_the_plan_comes_out_as_it_went_in() {
        let went_in = Error::option("topic", "no");
        let came_out = Error::from(DataFusionError::from(went_in).context("deep"));
        assert!(matches!(came_out, Error::Option { option, .. } if option == "topic"));
    }
}
