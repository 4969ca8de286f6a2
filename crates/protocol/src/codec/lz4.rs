//! LZ4 frames: one or more, with or without a content size, blocks dependent or not.

use std::io::Write;

use lz4_flex::frame::{BlockMode, BlockSize, FrameDecoder, FrameEncoder, FrameInfo};

use super::sink::Sink;
use crate::{Compression, Error, Result};

pub(super) fn decompress(input: &[u8], sink: &mut Sink<'_>) -> Result<()> {
    let mut rest = input;
    while !rest.is_empty() {
        let before = rest.len();
        let mut frame = FrameDecoder::new(&mut rest);
        sink.drain(&mut frame, Compression::Lz4)?;
        if rest.len() == before {
            break;
        }
    }
    Ok(())
}

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let info = FrameInfo::new().block_mode(BlockMode::Independent).block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(info, out);
    let fault = |error: String| Error::decompress(Compression::Lz4, error);
    encoder.write_all(input).map_err(|error| fault(error.to_string()))?;
    encoder.finish().map_err(|error| fault(error.to_string()))?;
    Ok(())
}
