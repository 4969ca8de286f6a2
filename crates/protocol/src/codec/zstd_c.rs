//! zstd by the C library, with the feature `zstd-c`.

use zstd_safe::{DCtx, compress_bound, get_error_name};

use super::fault;
use crate::Result;

/// What the library returns when the output is too small: its error 70 as a negative size.
const OUTPUT_TOO_SMALL: usize = 0usize.wrapping_sub(70);

pub(super) struct Frames(DCtx<'static>);

impl Frames {
    pub(super) fn new() -> Result<Self> {
        DCtx::try_create().map(Self).ok_or_else(|| fault("there is no memory for its tables"))
    }

    /// All frames of `input`; None if `out` is too small for them. No window is held beside `out`, so none is too
    /// wide.
    pub(super) fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Option<usize>> {
        match self.0.decompress(out, input) {
            Ok(written) => Ok(Some(written)),
            Err(OUTPUT_TOO_SMALL) => Ok(None),
            Err(code) => Err(fault(get_error_name(code))),
        }
    }
}

pub(in crate::codec) fn compress(level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let at = out.len();
    out.resize(at + compress_bound(input.len()), 0);
    let written = zstd_safe::compress(&mut out[at..], input, level.unwrap_or(3).clamp(1, 22));
    out.truncate(at + *written.as_ref().unwrap_or(&0));
    written.map(|_| ()).map_err(|code| fault(get_error_name(code)))
}
