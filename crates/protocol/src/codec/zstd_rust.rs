//! zstd by `structured-zstd`, in Rust alone.

use structured_zstd::decoding::errors::FrameDecoderError;
use structured_zstd::decoding::{ContentChecksum, FrameDecoder};
use structured_zstd::encoding::{CompressionLevel, compress_slice_to_vec};

use super::fault;
use crate::Result;

/// Widest window that a frame may ask for: what the Java client allows (window log 27).
const MAX_WINDOW: u64 = 128 << 20;

pub(super) struct Frames(Box<FrameDecoder>);

impl Frames {
    pub(super) fn new() -> Result<Self> {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW).map_err(|error| fault(error.to_string()))?;
        decoder.set_content_checksum(ContentChecksum::Verify);
        Ok(Self(Box::new(decoder)))
    }

    /// All frames of `input`; None if `out` is too small for them.
    pub(super) fn decode(&mut self, input: &[u8], out: &mut [u8]) -> Result<Option<usize>> {
        match self.0.decode_all(input, out) {
            Ok(written) => Ok(Some(written)),
            Err(FrameDecoderError::TargetTooSmall) => Ok(None),
            Err(error) => Err(fault(error.to_string())),
        }
    }
}

pub(in crate::codec) fn compress(level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let level = CompressionLevel::from_level(level.unwrap_or(3).clamp(1, 22));
    out.extend_from_slice(&compress_slice_to_vec(input, level));
    Ok(())
}
