//! The five ways in which a record batch may be compressed.

use std::fmt;
use std::str::FromStr;

use crate::{Error, Result};

/// Compression of the records of a batch; the number is bits 0 to 2 of the batch attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compression {
    /// Not compressed (0).
    #[default]
    None,
    /// gzip, RFC 1952 (1).
    Gzip,
    /// Snappy blocks, raw or in the framing of xerial's snappy-java (2).
    Snappy,
    /// LZ4 frames (3).
    Lz4,
    /// Zstandard frames, RFC 8878 (4).
    Zstd,
}

impl Compression {
    /// All methods, in the order of their numbers.
    pub const ALL: [Compression; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// Number on the wire.
    pub fn id(self) -> i8 {
        self as i8
    }

    /// The method with number `id`, `None` for 5 to 7, which Kafka does not define.
    pub fn from_id(id: i8) -> Option<Self> {
        Self::ALL.into_iter().find(|compression| compression.id() == id)
    }

    /// Name as `compression.type` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Compression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|compression| compression.name() == text).ok_or_else(|| Error::Misuse {
            what: format!("unknown compression '{text}'; use none, gzip, snappy, lz4 or zstd").into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_lead_back_to_the_method() {
        for compression in Compression::ALL {
            assert_eq!(compression.name().parse(), Ok(compression));
            assert_eq!(Compression::from_id(compression.id()), Some(compression));
        }
        assert_eq!(Compression::from_id(5), None);
        assert!("lzma".parse::<Compression>().is_err());
    }
}
