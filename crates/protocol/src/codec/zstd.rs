//! Zstandard, RFC 8878: one or more frames, skippable frames passed over.

use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::sink::Sink;
use crate::{Compression, Error, Result};

pub(super) fn decompress(input: &[u8], sink: &mut Sink<'_>) -> Result<()> {
    let mut rest = input;
    while !rest.is_empty() {
        let mut frame = StreamingDecoder::new(&mut rest)
            .map_err(|error| Error::decompress(Compression::Zstd, error.to_string()))?;
        sink.drain(&mut frame, Compression::Zstd)?;
    }
    Ok(())
}

pub(super) fn compress(_level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&compress_to_vec(input, CompressionLevel::Fastest));
    Ok(())
}
