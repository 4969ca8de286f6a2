//! The crate's one error, split by whose fault it is: the options, the network, the registry's answer, the caller.

use std::time::Duration;

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong between a caller and a registry. No message holds a credential; what a registry said
/// is cut after 2,000 characters.
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
    /// No URL gave an answer within the deadline; statuses 408, 429 and 500 to 599 are no answers.
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
    /// Each URL failed in a way that waiting does not heal: no TLS where it was expected or the other way round, a
    /// certificate that is not trusted, an answer that is no HTTP or exceeds a limit.
    #[error("no schema registry can be used ({what}): {why}")]
    Unusable {
        /// What was asked for.
        what: String,
        /// Each URL, what is wrong with it, and what to do.
        why: String,
    },
    /// The registry does not know who asks (status 401), or does not allow it (403).
    #[error("the schema registry at {url} refused {what}: status {status}: {message}; {}", hint(*.status))]
    Denied {
        /// What was asked for.
        what: String,
        /// Who answered.
        url: String,
        /// HTTP status.
        status: u16,
        /// The registry's message.
        message: String,
    },
    /// The registry has no such subject, version or id.
    #[error("the schema registry at {urls} has no {what}; check that writers register at the same registry")]
    NotFound {
        /// Such as `subject orders-value, version latest`.
        what: String,
        /// The registry's URLs, without credentials.
        urls: String,
    },
    /// A schema may not become the subject's next version (status 409).
    #[error(
        "the schema registry at {url} refused {what}: it is not compatible with the subject's earlier versions \
         (code {code}): {message}; change the schema, or the subject's compatibility level"
    )]
    Incompatible {
        /// What was asked for.
        what: String,
        /// Who answered.
        url: String,
        /// The registry's own code; the status if it gave none.
        code: i64,
        /// The registry's message.
        message: String,
    },
    /// A schema, subject or version that the registry cannot take (status 422).
    #[error(
        "the schema registry at {url} cannot take what was sent with {what} (code {code}): {message}; correct the \
         schema, its references or the version"
    )]
    Invalid {
        /// What was asked for.
        what: String,
        /// Who answered.
        url: String,
        /// The registry's own code, such as 42201; the status if it gave none.
        code: i64,
        /// The registry's message.
        message: String,
    },
    /// Any other status that is no success. Redirects are among them: they are not followed.
    #[error("{url} refused {what}: status {status}, code {code}: {message}; {}", hint(*.status))]
    Refused {
        /// What was asked for.
        what: String,
        /// Who answered.
        url: String,
        /// HTTP status.
        status: u16,
        /// The registry's own code; the status if it gave none.
        code: i64,
        /// The registry's message; for a redirect, where it leads.
        message: String,
    },
    /// An answer that is not what the API promises.
    #[error("the answer of the schema registry at {url} to {what} cannot be used: {why}")]
    BadAnswer {
        /// What was asked for.
        what: String,
        /// Who answered.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// References that are too many, too deep or too long.
    #[error(
        "the schema {what} refers to too much: {found} {of}, where {limit} are the most; merge the schemas, or read \
         with a schema given as text"
    )]
    References {
        /// Which schema.
        what: String,
        /// How many.
        found: usize,
        /// Of what: `schemas`, `levels` or `bytes of text`.
        of: &'static str,
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

/// What to do about a status.
fn hint(status: u16) -> &'static str {
    match status {
        300..=399 => "redirects are not followed: give the URL that it leads to",
        401 => "set basic.auth.user.info to user:password, or bearer.auth.token",
        403 => "the credentials given do not allow it: use others, or have it allowed in the registry",
        404 => "there is no such API: check the URL's path (Apicurio's is /apis/ccompat/v7)",
        _ => "check the URL and what was asked for",
    }
}
