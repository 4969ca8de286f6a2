//! What can go wrong in the broker itself. Errors that a client is told are Kafka's error codes and live in
//! responses.

use std::path::PathBuf;

use millstream_protocol::ids::ErrorCode;

/// The crate's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the broker or of a call on its handle.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option holds a value that cannot work.
    #[error("broker option {option} = {value}: {why}")]
    Option {
        /// The field of [`crate::BrokerOptions`].
        option: &'static str,
        /// The value as given.
        value: String,
        /// What is wrong with it and what would be right.
        why: String,
    },
    /// A file or folder of the data directory cannot be used.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// What was being done, such as "append to".
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// Another process holds the data directory.
    #[error("data directory {} is in use by another broker: stop it or choose another", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// A file of the data directory does not hold what the broker wrote there.
    #[error("{} is damaged: {what}; move it away to start without it", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
    /// A listener could not be opened.
    #[error("cannot listen on {address}: {source}; choose another port (0 takes a free one)")]
    Listen {
        /// Host and port.
        address: String,
        /// The system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The same refusal that a client would get over the wire.
    #[error("{code}: {message}")]
    Refused {
        /// Kafka's error code.
        code: ErrorCode,
        /// The broker's message.
        message: String,
    },
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { doing, path, source }
    }

    pub(crate) fn refused(code: ErrorCode, message: impl Into<String>) -> Self {
        Error::Refused { code, message: message.into() }
    }

    /// The code that a client is told when this error ends its request.
    pub fn code(&self) -> ErrorCode {
        match self {
            Error::Refused { code, .. } => *code,
            Error::Io { .. } | Error::Damaged { .. } => ErrorCode::KAFKA_STORAGE_ERROR,
            Error::Option { .. } | Error::InUse { .. } | Error::Listen { .. } => {
                ErrorCode::UNKNOWN_SERVER_ERROR
            }
        }
    }
}
