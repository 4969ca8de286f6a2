//! What can go wrong between a user's text and a plan.
//!
//! An error that Spark also has is a [`SparkError`]: condition, SQLSTATE and parameters are public names on which
//! programs rely, so they are Spark's own. The texts are ours, rendered from one table (`conditions`).
mod conditions;

use std::collections::BTreeMap;
use std::error::Error as StdError;

use arrow_schema::ArrowError;
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
    /// An error of the given condition; its SQLSTATE and message come from the table of conditions. For a condition
    /// that is not in the table the message lists the parameters.
    pub fn new<K, V>(condition: &str, parameters: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: Into<String>,
        V: Into<String>,
    {
        let parameters: BTreeMap<String, String> =
            parameters.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        let (sqlstate, text) = match conditions::find(condition) {
            Some((sqlstate, template)) => (sqlstate, fill(&template, &parameters)),
            None => ("", list(&parameters)),
        };
        let state = if sqlstate.is_empty() { String::new() } else { format!(" SQLSTATE: {sqlstate}") };
        Self {
            message: format!("[{condition}] {text}{state}"),
            condition: Some(condition.to_owned()),
            sqlstate: (!sqlstate.is_empty()).then(|| sqlstate.to_owned()),
            parameters,
        }
    }

    /// An error to which Spark gives a message but no public condition.
    pub fn without_condition(message: impl Into<String>) -> Self {
        Self { condition: None, sqlstate: None, parameters: BTreeMap::new(), message: message.into() }
    }

    /// The same error with a line behind its message that says what it is about, such as a record.
    pub(crate) fn about(mut self, label: &str, what: &str) -> Self {
        self.message.extend(["\n", label, ": ", what]);
        self
    }

    /// The Spark error in a chain of causes, however deeply the engine has wrapped it.
    pub fn find<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a SparkError> {
        let mut next = Some(error);
        while let Some(error) = next {
            let found = error
                .downcast_ref::<SparkError>()
                .or_else(|| error.downcast_ref::<Box<SparkError>>().map(Box::as_ref))
                .or_else(|| error.downcast_ref::<Error>().and_then(Error::spark))
                .or_else(|| error.downcast_ref::<DataFusionError>().and_then(in_datafusion))
                .or_else(|| error.downcast_ref::<ArrowError>().and_then(in_arrow));
            if found.is_some() {
                return found;
            }
            next = error.source();
        }
        None
    }
}

/// Some variants do not give what they wrap as their source.
fn in_datafusion(error: &DataFusionError) -> Option<&SparkError> {
    match error {
        DataFusionError::External(inner) => SparkError::find(inner.as_ref()),
        DataFusionError::ArrowError(inner, _) => in_arrow(inner),
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => in_datafusion(inner),
        DataFusionError::Shared(inner) => in_datafusion(inner),
        DataFusionError::Collection(all) => all.iter().find_map(in_datafusion),
        _ => None,
    }
}

fn in_arrow(error: &ArrowError) -> Option<&SparkError> {
    match error {
        ArrowError::ExternalError(inner) => SparkError::find(inner.as_ref()),
        _ => None,
    }
}

fn fill(template: &str, parameters: &BTreeMap<String, String>) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        let value = after.split_once('>').and_then(|(name, behind)| Some((parameters.get(name)?, behind)));
        rest = match value {
            Some((value, behind)) => {
                text.push_str(value);
                behind
            }
            None => {
                text.push('<');
                after
            }
        };
    }
    text.push_str(rest);
    text
}

fn list(parameters: &BTreeMap<String, String>) -> String {
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    pairs.join(", ")
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
            Self::DataFusion(error) => in_datafusion(error),
            Self::Unsupported { .. } => None,
        }
    }
}

impl From<SparkError> for Error {
    fn from(error: SparkError) -> Self {
        Self::Spark(Box::new(error))
    }
}

impl From<DataFusionError> for Error {
    /// What one of our functions raised comes out as it went in.
    fn from(error: DataFusionError) -> Self {
        if let Some(spark) = in_datafusion(&error) {
            return spark.clone().into();
        }
        match error {
            DataFusionError::External(inner) => match inner.downcast::<Error>() {
                Ok(ours) => *ours,
                Err(other) => Self::DataFusion(Box::new(DataFusionError::External(other))),
            },
            other => Self::DataFusion(Box::new(other)),
        }
    }
}

impl From<ArrowError> for Error {
    fn from(error: ArrowError) -> Self {
        DataFusionError::from(error).into()
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        match error {
            Error::DataFusion(error) => *error,
            Error::Spark(error) => Self::External(error),
            other => Self::External(Box::new(other)),
        }
    }
}

impl From<SparkError> for DataFusionError {
    fn from(error: SparkError) -> Self {
        Self::External(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overflow() -> SparkError {
        SparkError::new(
            "ARITHMETIC_OVERFLOW",
            [("message", "overflow"), ("alternative", ""), ("config", "\"x\"")],
        )
    }

    #[test]
    fn messages_carry_condition_parameters_and_state() {
        let error = SparkError::new(
            "UNRESOLVED_COLUMN.WITH_SUGGESTION",
            [("objectName", "`kk`"), ("proposal", "`k`, `v`")],
        );
        assert_eq!(error.sqlstate.as_deref(), Some("42703"));
        assert_eq!(
            error.to_string(),
            "[UNRESOLVED_COLUMN.WITH_SUGGESTION] There is no column `kk`. Did you mean one of [`k`, `v`]? SQLSTATE: 42703"
        );
        let values_are_not_templates =
            SparkError::new("FIELD_NOT_FOUND", [("fieldName", "<fields>"), ("fields", "`a`")]);
        assert!(values_are_not_templates.message.contains("no field <fields> among `a`"));
    }

    #[test]
    fn the_engines_wrapping_does_not_hide_a_spark_error() {
        let wrapped = DataFusionError::Context(
            "while running".into(),
            Box::new(DataFusionError::ArrowError(
                Box::new(ArrowError::ExternalError(Box::new(DataFusionError::from(overflow())))),
                None,
            )),
        );
        assert_eq!(SparkError::find(&wrapped), Some(&overflow()));
        assert_eq!(Error::from(wrapped).spark(), Some(&overflow()));
        assert_eq!(Error::from(DataFusionError::from(Error::from(overflow()))).spark(), Some(&overflow()));
        let unsupported = Error::from(DataFusionError::from(Error::unsupported("PIVOT")));
        assert!(matches!(unsupported, Error::Unsupported { .. }));
    }
}
