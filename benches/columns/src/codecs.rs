//! Decompression of batches of 1,000 JSON orders through our bounded buffer, beside the bare decompressors.
//!
//! `bare` is the library that ours uses, called on whole blocks with an output buffer of just the right size that
//! is used again; the others are what could be used instead.

use std::hint::black_box;

use millstream_protocol::Compression;
use millstream_protocol::codec::{Decompressor, compress};
use millstream_protocol::records::Batches;

use crate::case::{Case, Prepared};
use crate::records::batches;

/// The cases of this group.
pub const CASES: &[Case] = &[
    Case { name: "codec_lz4", is_counted: true, prepare: || prepare(Compression::Lz4) },
    Case { name: "codec_snappy", is_counted: true, prepare: || prepare(Compression::Snappy) },
    Case { name: "codec_gzip", is_counted: true, prepare: || prepare(Compression::Gzip) },
    Case { name: "codec_zstd", is_counted: true, prepare: || prepare(Compression::Zstd) },
];

/// A batch's payload, packed and plain.
#[derive(Clone)]
struct Block {
    packed: Vec<u8>,
    plain: Vec<u8>,
}

fn blocks(compression: Compression) -> Result<(usize, Vec<Block>), String> {
    let (mut rows, mut blocks) = (0, Vec::new());
    for batch in Batches::new(&batches(Compression::None)) {
        let batch = batch.map_err(|error| error.to_string())?;
        let mut packed = Vec::new();
        compress(compression, None, batch.payload, &mut packed).map_err(|error| error.to_string())?;
        rows += batch.header.records_count as usize;
        blocks.push(Block { packed, plain: batch.payload.to_vec() });
    }
    Ok((rows, blocks))
}

fn prepare(compression: Compression) -> Result<Prepared, String> {
    let (rows, blocks) = blocks(compression)?;
    let bytes = blocks.iter().map(|block| block.plain.len()).sum();
    let (mut decompressor, mut out) = (Decompressor::new(), Vec::new());
    let mut ours = move |block: &Block, check: bool| {
        let end = decompressor.decompress_at(compression, &block.packed, 1 << 24, &mut out, 0).expect("good");
        assert!(!check || out[..end] == block.plain, "ours gives back what went in");
        black_box(&out[..end]);
    };
    blocks.iter().for_each(|block| ours(block, true));
    let ours_blocks = blocks.clone();
    let prepared =
        Prepared::ours(rows, bytes, move || ours_blocks.iter().for_each(|block| ours(block, false)));
    Ok(peers::add(prepared, compression, &blocks))
}

#[cfg(not(feature = "peers"))]
mod peers {
    use super::*;

    pub fn add(prepared: Prepared, _: Compression, _: &[Block]) -> Prepared {
        prepared
    }
}

#[cfg(feature = "peers")]
mod peers {
    use std::io::Read;

    use super::*;

    pub fn add(prepared: Prepared, compression: Compression, blocks: &[Block]) -> Prepared {
        let with = |prepared, name, decode| with(prepared, blocks, name, decode);
        match compression {
            Compression::None => prepared,
            Compression::Lz4 => with(prepared, "bare", lz4 as Decode),
            Compression::Snappy => with(prepared, "bare", snappy),
            Compression::Gzip => {
                let prepared = with(prepared, "bare", zlib_rs as Decode);
                let prepared = with(prepared, "miniz_oxide", miniz_oxide);
                with(prepared, "zune_inflate", zune_inflate)
            }
            Compression::Zstd => {
                let mut decoder = structured_zstd::decoding::FrameDecoder::new();
                let prepared = with_any(prepared, blocks, "bare", move |packed, out| {
                    decoder.decode_all(packed, out).expect("good")
                });
                let prepared = with(prepared, "ruzstd", ruzstd as Decode);
                let prepared = with(prepared, "zrip", zrip);
                let mut decoder = zstd_safe::DCtx::create();
                with_any(prepared, blocks, "c_library", move |packed, out| {
                    decoder.decompress(&mut out[..], packed).expect("good")
                })
            }
        }
    }

    /// Decodes to a buffer that is as long as the plain bytes.
    type Decode = fn(&[u8], &mut Vec<u8>) -> usize;

    fn with(prepared: Prepared, blocks: &[Block], name: &'static str, decode: Decode) -> Prepared {
        with_any(prepared, blocks, name, decode)
    }

    fn with_any(
        prepared: Prepared,
        blocks: &[Block],
        name: &'static str,
        mut decode: impl FnMut(&[u8], &mut Vec<u8>) -> usize + 'static,
    ) -> Prepared {
        let blocks = blocks.to_vec();
        let mut out = Vec::new();
        for block in &blocks {
            out.resize(block.plain.len(), 0);
            assert_eq!(decode(&block.packed, &mut out), block.plain.len(), "{name}");
            assert!(out == block.plain, "{name}");
        }
        prepared.peer(name, move || {
            for block in &blocks {
                out.resize(block.plain.len(), 0);
                decode(&block.packed, &mut out);
                black_box(&out);
            }
        })
    }

    /// The blocks of a frame without checksums and content size, which is what ours writes.
    fn lz4(packed: &[u8], out: &mut Vec<u8>) -> usize {
        let (mut rest, mut filled) = (&packed[7..], 0);
        loop {
            let length = u32::from_le_bytes(*rest.first_chunk().expect("good"));
            let size = (length & (u32::MAX >> 1)) as usize;
            if length == 0 {
                return filled;
            }
            let block = &rest[4..4 + size];
            rest = &rest[4 + size..];
            if length >> 31 == 1 {
                out[filled..filled + size].copy_from_slice(block);
                filled += size;
            } else {
                filled += lz4_flex::block::decompress_into(block, &mut out[filled..]).expect("good");
            }
        }
    }

    /// The blocks behind xerial's header.
    fn snappy(packed: &[u8], out: &mut Vec<u8>) -> usize {
        let (mut rest, mut filled) = (&packed[16..], 0);
        while let Some((length, tail)) = rest.split_first_chunk::<4>() {
            let (block, tail) = tail.split_at(u32::from_be_bytes(*length) as usize);
            let length = snap::raw::decompress_len(block).expect("good");
            let part = &mut out[filled..filled + length];
            filled += snap::raw::Decoder::new().decompress(block, part).expect("good");
            rest = tail;
        }
        filled
    }

    fn zlib_rs(packed: &[u8], out: &mut Vec<u8>) -> usize {
        let config = zlib_rs::InflateConfig { window_bits: 31 };
        zlib_rs::decompress_slice(out, packed, config).0.len()
    }

    /// Without the checksum, which the crate leaves to others.
    fn miniz_oxide(packed: &[u8], out: &mut Vec<u8>) -> usize {
        miniz_oxide::inflate::decompress_slice_iter_to_slice(out, std::iter::once(&packed[10..]), false, true)
            .expect("good")
    }

    fn zune_inflate(packed: &[u8], out: &mut Vec<u8>) -> usize {
        let options = zune_inflate::DeflateOptions::default().set_size_hint(out.len());
        let plain =
            zune_inflate::DeflateDecoder::new_with_options(packed, options).decode_gzip().expect("good");
        out.copy_from_slice(&plain);
        plain.len()
    }

    fn ruzstd(packed: &[u8], out: &mut Vec<u8>) -> usize {
        let mut decoder = ruzstd::decoding::StreamingDecoder::new(packed).expect("good");
        decoder.read_exact(out).expect("good");
        out.len()
    }

    fn zrip(packed: &[u8], out: &mut Vec<u8>) -> usize {
        out.clear();
        zrip::decompress_into(packed, out).expect("good")
    }
}
