//! Upper bounds for everything that a stranger's bytes can ask for.
//!
//! A length is checked twice: against the limit here, and against the bytes that are left. Capacity
//! is only ever reserved for `min(claimed, bytes left / smallest element)`.

use crate::{Error, Result};

/// Largest sizes that decoders accept. All are inclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a frame after its length prefix. Default 128 MiB, at most 1 GiB.
    pub frame_bytes: usize,
    /// Bytes that one record batch may decompress to. Default 256 MiB, at most 1 GiB.
    pub decompressed_bytes: usize,
    /// Bytes of one string. Default 1 MiB.
    pub string_bytes: usize,
    /// Structures and texts in all arrays of one message, and elements of one array. Default 2 million.
    pub array_elements: usize,
    /// Tagged fields in one place of a message, and unknown ones in all of it. Default 1024.
    pub tagged_fields: usize,
}

/// Largest frame and largest decompressed batch that can be set: columns address at most 4 GiB.
const MAX_BYTES: usize = 1 << 30;

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes: 128 << 20,
            decompressed_bytes: 256 << 20,
            string_bytes: 1 << 20,
            array_elements: 2 << 20,
            tagged_fields: 1024,
        }
    }
}

impl Limits {
    /// Refuses limits that are zero or above what can be addressed.
    pub fn validate(&self) -> Result<()> {
        for (name, value) in
            [("frame_bytes", self.frame_bytes), ("decompressed_bytes", self.decompressed_bytes)]
        {
            if value == 0 || value > MAX_BYTES {
                return Err(Error::Misuse {
                    what: format!("{name} is {value}; set it between 1 and {MAX_BYTES} bytes").into(),
                });
            }
        }
        Ok(())
    }

    /// `Ok` if `found` is within the limit `limit` of the field called `setting`.
    #[inline]
    pub(crate) fn check(setting: &'static str, limit: usize, found: usize) -> Result<()> {
        if found > limit {
            return Err(Error::LimitExceeded { setting, limit: limit as u64, found: found as u64 });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_a_frame_above_one_gibibyte_is_refused() {
        assert!(Limits::default().validate().is_ok());
        assert!(Limits { frame_bytes: MAX_BYTES + 1, ..Limits::default() }.validate().is_err());
        assert!(Limits { decompressed_bytes: 0, ..Limits::default() }.validate().is_err());
    }
}
