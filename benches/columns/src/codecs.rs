//! Decompression through our bounded buffer beside the bare decompressor.

use crate::case::Case;

/// The cases of this group.
pub const CASES: &[Case] = &[];
