//! Snappy: one raw block, or xerial's framing of several, as the Java client writes it.
//!
//! xerial: 8 bytes magic, a 32-bit version and lowest compatible version, then blocks, each a 32-bit
//! big-endian length and a raw block.

use snap::raw::{Decoder, Encoder, decompress_len, max_compress_len};

use super::sink::Sink;
use crate::{Compression, Error, Result};

const XERIAL: &[u8; 8] = b"\x82SNAPPY\0";
const XERIAL_HEADER: usize = 16;
/// Bytes that the Java client puts into one block.
const BLOCK: usize = 32 << 10;

pub(super) fn decompress(input: &[u8], sink: &mut Sink<'_>) -> Result<()> {
    if !input.starts_with(XERIAL) {
        return block(input, sink);
    }
    let mut rest = input.get(XERIAL_HEADER..).ok_or_else(|| fault("the header is cut off"))?;
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(i32::from_be_bytes(*length))
            .map_err(|_| fault("a block's length is negative"))?;
        let (bytes, tail) = tail.split_at_checked(length).ok_or_else(|| fault("a block is cut off"))?;
        block(bytes, sink)?;
        rest = tail;
    }
    if rest.is_empty() { Ok(()) } else { Err(fault("a block's length is cut off")) }
}

fn block(bytes: &[u8], sink: &mut Sink<'_>) -> Result<()> {
    let length = decompress_len(bytes).map_err(|error| fault(error.to_string()))?;
    // No element of a block makes more than 64 bytes from three.
    if length > bytes.len().saturating_mul(22) {
        return Err(fault("a block declares more bytes than it can make"));
    }
    sink.check_declared(length as u64)?;
    sink.fill(length, 0, |_, out| {
        Decoder::new().decompress(bytes, out).map_err(|error| fault(error.to_string()))
    })
}

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(XERIAL);
    out.extend_from_slice(&[0, 0, 0, 1, 0, 0, 0, 1]);
    let mut encoder = Encoder::new();
    for chunk in input.chunks(BLOCK) {
        let at = out.len();
        out.resize(at + 4 + max_compress_len(chunk.len()), 0);
        let length = encoder.compress(chunk, &mut out[at + 4..]).map_err(|error| fault(error.to_string()))?;
        out[at..at + 4].copy_from_slice(&(length as u32).to_be_bytes());
        out.truncate(at + 4 + length);
    }
    Ok(())
}

fn fault(what: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::decompress(Compression::Snappy, what)
}
