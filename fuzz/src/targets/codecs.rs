//! Decompressors: never more than the limit, in time and memory bounded by it, and the same bytes as an independent
//! decoder where there is one; and what our compressors make comes back.
//!
//! Input: codec and direction (1 byte), limit (2 bytes, in units of 16) or level (2 bytes), the bytes.

use std::io::Read;

use millstream_protocol::{Compression, Error, codec};
use ruzstd::decoding::StreamingDecoder;

use crate::input::Input;

/// See the module.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let choice = input.byte();
    let compression = Compression::ALL[usize::from(choice & 0x7f) % 5];
    let number = usize::from(input.u16());
    if choice & 0x80 == 0 {
        decompress(compression, 16 * number, input.rest());
    } else {
        round_trip(compression, number, input.rest());
    }
}

fn decompress(compression: Compression, limit: usize, packed: &[u8]) {
    let mut out = b"before".to_vec();
    let outcome = codec::decompress(compression, packed, limit, &mut out);
    assert!(out.starts_with(b"before"));
    // A step of a streaming decoder, or a block of LZ4 (4 MiB), may be made ready and found to be too much.
    assert!(out.capacity() <= 2 * limit + (12 << 20), "{} bytes for a limit of {limit}", out.capacity());
    let out = &out[6..];
    match &outcome {
        Ok(()) => assert!(out.len() <= limit),
        Err(Error::LimitExceeded { setting, .. }) => assert_eq!(*setting, "decompressed_bytes"),
        Err(error) => assert!(matches!(error, Error::Decompress { .. }), "{error}"),
    }
    if compression == Compression::Zstd && outcome.is_ok() {
        assert_eq!(other_zstd(packed, out.len()).as_deref().unwrap_or(out), out);
    }
}

/// The frames of `packed` by the other decoder. None if it does not take them all: it is stricter in places.
fn other_zstd(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    let (mut rest, mut out) = (packed, Vec::new());
    while !rest.is_empty() {
        let decoder = StreamingDecoder::new(&mut rest).ok()?;
        decoder.take(length as u64 + 1).read_to_end(&mut out).ok()?;
    }
    Some(out)
}

fn round_trip(compression: Compression, level: usize, plain: &[u8]) {
    // Levels above 9 of zstd search for a long time; what they write is not another format.
    let level = (level > 0).then_some((level % 10) as i32);
    let mut packed = Vec::new();
    codec::compress(compression, level, plain, &mut packed).expect("any bytes can be compressed");
    let mut back = Vec::new();
    codec::decompress(compression, &packed, plain.len(), &mut back).expect("our own bytes can be unpacked");
    assert_eq!(back, plain);
    if plain.len() > 1 {
        let small = codec::decompress(compression, &packed, plain.len() - 1, &mut Vec::new());
        assert!(matches!(small, Err(Error::LimitExceeded { .. })), "{small:?}");
    }
    if compression == Compression::Zstd {
        assert_eq!(other_zstd(&packed, plain.len()).expect("another decoder reads it"), plain);
    }
}
