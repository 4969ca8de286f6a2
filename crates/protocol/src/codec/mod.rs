//! Compression and decompression of record batches.
//!
//! Every decoder writes through one bounded buffer, so that a few hostile bytes cannot ask for more
//! memory than the limit: it is enforced while bytes come out, and sizes that the input declares are checked
//! before anything is reserved for them.

mod gzip;
mod lz4;
mod sink;
mod snappy;
#[cfg(test)]
mod tests;
mod zstd;

pub(crate) use lz4::with_right_header_checksum as repair_lz4_header;

use crate::{Compression, Result};

/// Decompresses blocks one after another, and keeps the tables that a codec needs between them.
#[derive(Debug, Default)]
pub struct Decompressor {
    zstd: zstd::Decoder,
}

impl Decompressor {
    /// A decompressor for all codecs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decompresses `input` to `out` from `at` on, over what stands there, and returns where it ends. `out` grows
    /// where it must and never shrinks, so a buffer that is used again is not zeroed again; what stands behind
    /// the end means nothing. `limit` is the most bytes that may be written.
    ///
    /// Fails with [`crate::Error::LimitExceeded`] naming `decompressed_bytes` when there would be more, and with
    /// [`crate::Error::Decompress`] when the input is not valid or something follows its end.
    pub fn decompress_at(
        &mut self,
        compression: Compression,
        input: &[u8],
        limit: usize,
        out: &mut Vec<u8>,
        at: usize,
    ) -> Result<usize> {
        let mut sink = sink::Sink::new(out, at, limit);
        match compression {
            Compression::None => sink.extend(input)?,
            Compression::Gzip => gzip::decompress(input, &mut sink)?,
            Compression::Snappy => snappy::decompress(input, &mut sink)?,
            Compression::Lz4 => lz4::decompress(input, &mut sink)?,
            Compression::Zstd => self.zstd.decompress(input, &mut sink)?,
        }
        Ok(sink.end())
    }
}

/// Decompresses `input` to the end of `out`, as [`Decompressor::decompress_at`]. After an error `out` may hold part
/// of the result and bytes behind it.
pub fn decompress(compression: Compression, input: &[u8], limit: usize, out: &mut Vec<u8>) -> Result<()> {
    let at = out.len();
    let end = Decompressor::new().decompress_at(compression, input, limit, out, at)?;
    out.truncate(end);
    Ok(())
}

/// Compresses `input` to the end of `out`.
///
/// `level` is the codec's own scale: gzip 0 to 9 (default 6), zstd 1 to 22 (default 3); snappy and lz4 have
/// one level and ignore it.
pub fn compress(compression: Compression, level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
    match compression {
        Compression::None => out.extend_from_slice(input),
        Compression::Gzip => gzip::compress(level, input, out)?,
        Compression::Snappy => snappy::compress(input, out)?,
        Compression::Lz4 => lz4::compress(input, out)?,
        Compression::Zstd => zstd::compress(level, input, out)?,
    }
    Ok(())
}
