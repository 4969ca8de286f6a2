//! gzip, RFC 1952: one or more members; anything after the last is an error.
//!
//! | part of a member | size | meaning                                                       |
//! |------------------|------|---------------------------------------------------------------|
//! | magic            |    2 | 1f 8b                                                         |
//! | method           |    1 | 8, deflate                                                    |
//! | flags            |    1 | bit 1 header crc; 2 extra; 3 name; 4 comment; 0 says nothing  |
//! | time and origin  |    6 | passed over                                                   |
//! | extra            |      | if flagged: 2 bytes length, little endian, so many bytes      |
//! | name             |      | if flagged: bytes up to a zero                                |
//! | comment          |      | if flagged: bytes up to a zero                                |
//! | header crc       |    2 | if flagged: low half of the CRC-32 of the header up to here   |
//! | deflate stream   |      | RFC 1951                                                      |
//! | crc              |    4 | CRC-32 of the plain bytes, little endian                      |
//! | length           |    4 | of the plain bytes modulo 2^32, little endian                 |
//!
//! The length at the very end says how much room to make at once; it is believed only so far.

use std::io::Write;

use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;

use super::sink::Sink;
use crate::{Compression, Error, Result};

pub(super) fn decompress(input: &[u8], sink: &mut Sink<'_>) -> Result<()> {
    let mut rest = input;
    let expected = input.last_chunk::<4>().map_or(0, |length| u32::from_le_bytes(*length) as usize);
    loop {
        let mut member = GzDecoder::new(rest);
        sink.drain(&mut member, Compression::Gzip, expected, input.len())?;
        rest = member.into_inner();
        match rest {
            [] => return Ok(()),
            [0x1f, 0x8b, ..] => {}
            _ => return Err(Error::decompress(Compression::Gzip, "bytes follow the last member")),
        }
    }
}

pub(super) fn compress(level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let level = flate2::Compression::new(level.unwrap_or(6).clamp(0, 9) as u32);
    let mut encoder = GzEncoder::new(out, level);
    let done = encoder.write_all(input).and_then(|()| encoder.try_finish());
    done.map_err(|error| Error::decompress(Compression::Gzip, error.to_string()))
}
