//! What can go wrong between a user's text and a plan.
//!
//! An error that Spark also has is a [`SparkError`]: condition, SQLSTATE and parameters are public names on which
//! programs rely, so they are Spark's own. The texts are ours to render from one table.
use std::collections::BTreeMap;

use datafusion::error::DataFusionError;

/// Result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the language layer, split by who has to act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The user's text, types or data are refused, as Spark refuses them.
    #[error(transparent)]
    Spark(#[from] Box<SparkError>),
    /// Spark has the feature, this engine does not have it yet.
    #[error("{feature} is not supported yet")]
    Unsupported {
        /// The feature in the user's terms, such as "PIVOT".
        feature: String,
    },
    /// An error of the engine below.
    #[error(transparent)]
    DataFusion(Box<DataFusionError>),
}

/// An error with Spark's public names.
///
/// `Display` prints the message: `[CONDITION] text. SQLSTATE: xxxxx`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SparkError {
    /// Such as `UNRESOLVED_COLUMN.WITH_SUGGESTION`; none for errors to which Spark gives no public name.
    pub condition: Option<String>,
    /// Five characters, such as `42703`.
    pub sqlstate: Option<String>,
    /// Named parameters, quoted as Spark quotes them.
    pub parameters: BTreeMap<String, String>,
    /// The whole text.
    pub message: String,
}

impl SparkError {
    /// An error of the given condition; its SQLSTATE and message come from the table of conditions.
    pub fn new<K, V>(condition: &str, parameters: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let parameters: BTreeMap<String, String> =
            parameters.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        let message = format!("[{condition}]");
        Self { condition: Some(condition.to_owned()), sqlstate: None, parameters, message }
    }
}

impl Error {
    /// A feature that Spark has and this engine lacks.
    pub fn unsupported(feature: impl Into<String>) -> Self {
        Self::Unsupported { feature: feature.into() }
    }

    /// The Spark error inside, however deeply the engine below has wrapped it.
    pub fn spark(&self) -> Option<&SparkError> {
        match self {
            Self::Spark(error) => Some(error),
            _ => None,
        }
    }
}

impl From<SparkError> for Error {
    fn from(error: SparkError) -> Self {
        Self::Spark(Box::new(error))
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        Self::DataFusion(Box::new(error))
    }
}
