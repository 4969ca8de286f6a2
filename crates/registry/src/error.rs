//! The crate's one error, split by whose fault it is: the options, the network, the registry's answer, the caller.

use std::time::Duration;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong between a caller and a registry. No message holds a credential.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option that has no meaning, or a value that it does not take.
    #[error("schema registry option {option}: {why}")]
    Config {
        /// Name as users write it.
        option: String,
        /// What is wrong and what would be accepted.
        why: String,
    },
    /// No URL gave an answer within the deadline.
    #[error(
        "no schema registry answered within {after:?} ({what}; tried {urls}): {last}; check that one of the URLs is \
         reachable, or raise the option deadline.ms"
    )]
    Unavailable {
        /// What was asked for.
        what: String,
        /// The URLs, without credentials.
        urls: String,
        /// The deadline.
        after: Duration,
        /// What the last attempt gave.
        last: String,
    },
    /// The registry understood and refused.
    #[error("the schema registry refused {what}: status {status}, code {code}: {message}{}", hint(*.status))]
    Refused {
        /// What was asked for.
        what: String,
        /// HTTP status.
        status: u16,
        /// The registry's own code, such as 409 or 42201; the status if it gave none.
        code: i64,
        /// The registry's message.
        message: String,
    },
    /// The registry has no such subject, version or id.
    #[error("the schema registry has no {what}")]
    NotFound {
        /// Such as `subject orders-value, version latest`.
        what: String,
    },
    /// An answer that is not what the API promises.
    #[error("the schema registry's answer to {what} cannot be used: {why}")]
    BadAnswer {
        /// What was asked for.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// References that are too many or too deep.
    #[error("the schema {what} refers to too many others: {found}, where {limit} are the most")]
    References {
        /// Which schema.
        what: String,
        /// How many, or how deep.
        found: usize,
        /// The limit.
        limit: usize,
    },
}

impl Error {
    /// Whether the same call may succeed later without a change.
    pub fn is_retriable(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

fn hint(status: u16) -> &'static str {
    match status {
        401 => "; set basic.auth.user.info to user:password, or bearer.auth.token",
        403 => "; the credentials given do not allow it",
        409 => "; the schema is not compatible with the subject's earlier versions",
        _ => "",
    }
}
