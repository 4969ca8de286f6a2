//! LZ4 frames: one or more, with or without content size and checksums, blocks dependent or not.
//!
//! | field             | size | meaning                                                              |
//! |-------------------|------|----------------------------------------------------------------------|
//! | magic             |    4 | 0x184d2204, little endian as everything here                         |
//! | flags             |    1 | bits 6-7 version 1; 5 independent blocks; 4 block checksums;         |
//! |                   |      | 3 content size; 2 content checksum; 0 dictionary                     |
//! | block descriptor  |    1 | bits 4-6: 4 to 7 for blocks of 64 KiB, 256 KiB, 1 MiB, 4 MiB         |
//! | content size      |    8 | if flagged                                                           |
//! | header checksum   |    1 | second byte of XXH32 of flags up to here                             |
//! | blocks            |      | 4 bytes length (high bit: not compressed), bytes, 4 bytes checksum   |
//! | end mark          |    4 | 0                                                                    |
//! | content checksum  |    4 | if flagged                                                           |
//!
//! Source: the LZ4 frame format description 1.6. Only the blocks are left to `lz4_flex`: its frame reader
//! takes a frame without its end mark for a whole one, and copies every block once more. Its block decoder
//! without `unsafe` makes 3.5 GB/s, the other 5.4; the first is fast enough for a socket and is used.

use std::borrow::Cow;
use std::io::Write;

use lz4_flex::block::{decompress_into, decompress_into_with_dict};
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use twox_hash::XxHash32;

use super::sink::Sink;
use crate::{Compression, Error, Result};

const MAGIC: u32 = 0x184d_2204;
const LEGACY_MAGIC: u32 = 0x184c_2102;
const SKIPPABLE: std::ops::RangeInclusive<u32> = 0x184d_2a50..=0x184d_2a5f;
const NOT_COMPRESSED: u32 = 1 << 31;
/// How far back a dependent block may refer.
const WINDOW: usize = 64 << 10;
/// No byte of a block makes more than this many.
const MAX_RATIO: usize = 255;

pub(super) fn decompress(input: &[u8], sink: &mut Sink<'_>) -> Result<()> {
    let mut rest = Input(input);
    while !rest.0.is_empty() {
        match rest.u32()? {
            MAGIC => frame(&mut rest, sink)?,
            LEGACY_MAGIC => return Err(fault("legacy frames are not supported; write with a newer LZ4")),
            magic if SKIPPABLE.contains(&magic) => {
                let length = rest.u32()? as usize;
                rest.take(length)?;
            }
            _ => return Err(fault("it does not start with a frame's magic number")),
        }
    }
    Ok(())
}

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> Result<()> {
    // What the Java client writes: librdkafka and older brokers are known to read it.
    let info = FrameInfo::new().block_mode(BlockMode::Independent).block_size(BlockSize::Max64KB);
    let mut encoder = FrameEncoder::with_frame_info(info, out);
    let written = encoder.write_all(input).map_err(|error| fault(error.to_string()));
    written.and_then(|()| encoder.finish().map(|_| ()).map_err(|error| fault(error.to_string())))
}

/// The same frame with its header checksum set right. Clients of format 0 computed it over the magic
/// number too, so it says nothing there (KAFKA-3160).
pub(crate) fn with_right_header_checksum(input: &[u8]) -> Cow<'_, [u8]> {
    let Some(flags) = input.get(4) else { return Cow::Borrowed(input) };
    let at = if flags & Flags::CONTENT_SIZE != 0 { 14 } else { 6 };
    let mut fixed = input.to_vec();
    if let Some((described, [checksum, ..])) = fixed.split_at_mut_checked(at) {
        *checksum = header_checksum(&described[4..]);
    }
    Cow::Owned(fixed)
}

struct Flags(u8);

impl Flags {
    const INDEPENDENT: u8 = 1 << 5;
    const BLOCK_CHECKSUMS: u8 = 1 << 4;
    const CONTENT_SIZE: u8 = 1 << 3;
    const CONTENT_CHECKSUM: u8 = 1 << 2;
    const DICTIONARY: u8 = 1;

    fn has(&self, flag: u8) -> bool {
        self.0 & flag != 0
    }
}

fn frame(rest: &mut Input<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let start = rest.0;
    let [flags, descriptor] = rest.array()?;
    let flags = Flags(flags);
    if flags.0 >> 6 != 1 {
        return Err(fault("its frame version is not 1"));
    }
    if flags.has(Flags::DICTIONARY) {
        return Err(fault("it needs a dictionary"));
    }
    let block_bytes = match descriptor >> 4 & 7 {
        size @ 4..=7 => 1usize << (8 + 2 * size),
        _ => return Err(fault("its block size is not valid")),
    };
    let declared =
        if flags.has(Flags::CONTENT_SIZE) { Some(u64::from_le_bytes(rest.array()?)) } else { None };
    let described = &start[..start.len() - rest.0.len()];
    let [checksum] = rest.array()?;
    if checksum != header_checksum(described) {
        return Err(fault("its header checksum is wrong"));
    }
    if let Some(declared) = declared {
        sink.check_declared(declared)?;
    }
    let before = sink.written();
    while block(rest, sink, &flags, block_bytes, before)? {}
    let content = sink.since(before);
    if declared.is_some_and(|declared| declared != content.len() as u64) {
        return Err(fault("its content is not as long as it declares"));
    }
    if flags.has(Flags::CONTENT_CHECKSUM) && rest.u32()? != XxHash32::oneshot(0, content) {
        return Err(fault("its content checksum is wrong"));
    }
    Ok(())
}

/// Reads one block; `false` at the end mark.
fn block(
    rest: &mut Input<'_>,
    sink: &mut Sink<'_>,
    flags: &Flags,
    block_bytes: usize,
    frame_start: usize,
) -> Result<bool> {
    let length = rest.u32()?;
    if length == 0 {
        return Ok(false);
    }
    let is_raw = length & NOT_COMPRESSED != 0;
    let length = (length & !NOT_COMPRESSED) as usize;
    if length > block_bytes {
        return Err(fault("a block is larger than its frame allows"));
    }
    let bytes = rest.take(length)?;
    if flags.has(Flags::BLOCK_CHECKSUMS) && rest.u32()? != XxHash32::oneshot(0, bytes) {
        return Err(fault("a block checksum is wrong"));
    }
    if is_raw {
        sink.extend(bytes)?;
        return Ok(true);
    }
    let window = if flags.has(Flags::INDEPENDENT) { 0 } else { WINDOW.min(sink.written() - frame_start) };
    let most = block_bytes.min(length * MAX_RATIO);
    sink.fill(most, window, |window, out| {
        // Without a window the library has a faster way.
        let written = match window {
            [] => decompress_into(bytes, out),
            _ => decompress_into_with_dict(bytes, out, window),
        };
        written.map_err(|error| fault(error.to_string()))
    })?;
    Ok(true)
}

fn header_checksum(described: &[u8]) -> u8 {
    (XxHash32::oneshot(0, described) >> 8) as u8
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(|| fault("it is cut off"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or_else(|| fault("it is cut off"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }
}

fn fault(what: impl Into<Cow<'static, str>>) -> Error {
    Error::decompress(Compression::Lz4, what)
}
