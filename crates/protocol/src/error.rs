//! What can be wrong with bytes, split by who is at fault and what the caller does about it.

use std::borrow::Cow;

use crate::{ApiKey, Compression};

/// Result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A fault in bytes that came from outside, or a request that cannot be written.
///
/// None of them is cured by reading the same bytes again; see [`Error::may_be_transient`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A message does not follow its schema. The connection can no longer be trusted: close it.
    #[error("malformed {api} v{version} message at byte {at}: {what}; close the connection")]
    Malformed {
        /// Kind of the message.
        api: ApiKey,
        /// Version of the message.
        version: i16,
        /// Byte from the start of what was given to the decoder.
        at: usize,
        /// What is wrong there.
        what: Cow<'static, str>,
    },
    /// A record batch does not follow its format. Other partitions are not affected.
    #[error("corrupt record batch at offset {base_offset}: {what}; fetch it again or seek past the batch")]
    Corrupt {
        /// First offset of the batch, or the value found where the offset should be.
        base_offset: i64,
        /// What is wrong.
        what: Cow<'static, str>,
    },
    /// The checksum of a record batch does not match its bytes.
    #[error(
        "record batch at offset {base_offset} has checksum {found:#010x} but says {expected:#010x}; \
         fetch it again, and check the broker's disk if that does not help"
    )]
    CrcMismatch {
        /// First offset of the batch.
        base_offset: i64,
        /// Checksum that the batch carries.
        expected: u32,
        /// Checksum of the bytes.
        found: u32,
    },
    /// Something is larger than a limit of [`crate::Limits`].
    #[error("{found} exceeds the limit of {limit} set by {setting}; raise it if this size is expected")]
    LimitExceeded {
        /// Field of [`crate::Limits`].
        setting: &'static str,
        /// Its value.
        limit: u64,
        /// What was found or claimed.
        found: u64,
    },
    /// The first bytes are those of another protocol.
    #[error("this is not a Kafka broker: {hint}")]
    NotKafka {
        /// Which protocol it looks like, and what to change.
        hint: &'static str,
    },
    /// A batch says that it is compressed by a method that does not exist.
    #[error("unsupported compression code {code} in the batch at offset {base_offset}; seek past the batch")]
    UnsupportedCodec {
        /// Bits 0 to 2 of the attributes.
        code: i8,
        /// First offset of the batch.
        base_offset: i64,
    },
    /// A batch has an unknown format.
    #[error("unsupported message format (magic {magic}) at offset {base_offset}; seek past the batch")]
    UnsupportedMagic {
        /// Format number: 0 to 2 are known.
        magic: i8,
        /// First offset of the batch.
        base_offset: i64,
    },
    /// This version of the crate has no schema for the request kind and version.
    #[error("{api} v{version} is not supported; negotiate a version with supported_versions")]
    UnsupportedApi {
        /// Kind of the request.
        api: ApiKey,
        /// Version asked for.
        version: i16,
    },
    /// Compressed bytes are not valid.
    #[error("bad {codec} data: {what}")]
    Decompress {
        /// Compression method.
        codec: Compression,
        /// What its decoder says.
        what: Cow<'static, str>,
    },
    /// A message cannot be written in the version asked for.
    #[error("{api} v{version} cannot be written: {what}")]
    Encode {
        /// Kind of the message.
        api: ApiKey,
        /// Version asked for.
        version: i16,
        /// Which field does not fit.
        what: Cow<'static, str>,
    },
    /// The caller broke a rule of the API.
    #[error("{what}")]
    Misuse {
        /// The rule, and what to do instead.
        what: Cow<'static, str>,
    },
}

impl Error {
    /// A fault in a batch.
    #[cold]
    pub(crate) fn corrupt(base_offset: i64, what: impl Into<Cow<'static, str>>) -> Self {
        Self::Corrupt { base_offset, what: what.into() }
    }

    /// A fault in compressed bytes.
    #[cold]
    pub(crate) fn decompress(codec: Compression, what: impl Into<Cow<'static, str>>) -> Self {
        Self::Decompress { codec, what: what.into() }
    }

    /// Whether fetching the same data once more may help, because it was damaged on its way.
    pub fn may_be_transient(&self) -> bool {
        matches!(self, Self::CrcMismatch { .. } | Self::Corrupt { .. } | Self::Decompress { .. })
    }

    /// Whether the rest of the connection's bytes can no longer be understood.
    pub fn poisons_connection(&self) -> bool {
        matches!(self, Self::Malformed { .. } | Self::NotKafka { .. })
            || matches!(self, Self::LimitExceeded { setting, .. } if *setting == "frame_bytes")
    }
}
