//! Every codec against limits, damage and the other forms that its format allows (cases 42 to 47).

use std::io::Write;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::Error;

const LIMIT: usize = 1 << 20;

fn samples() -> Vec<Vec<u8>> {
    let mut random = StdRng::seed_from_u64(11);
    let mut samples = vec![Vec::new(), b"a".to_vec(), vec![0; 300_000]];
    samples.push((0..70_000).map(|_| random.random()).collect());
    let words = ["{\"order\":", "customer", "17", "\n", "null", ",\"price\":", "0.5}"];
    let text: String = (0..60_000).map(|_| words[random.random_range(0..words.len())]).collect();
    samples.push(text.into_bytes());
    samples
}

fn packed(codec: Compression, level: Option<i32>, input: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    compress(codec, level, input, &mut out).unwrap();
    out
}

fn unpacked(codec: Compression, input: &[u8], limit: usize) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    decompress(codec, input, limit, &mut out).map(|()| out)
}

#[test]
fn every_codec_and_level_gives_back_what_went_in_and_appends() {
    for codec in Compression::ALL {
        let levels: &[Option<i32>] = match codec {
            Compression::Gzip => &[None, Some(0), Some(1), Some(9), Some(99)],
            Compression::Zstd => &[None, Some(1), Some(9), Some(19), Some(-5)],
            _ => &[None],
        };
        for sample in samples() {
            for level in levels {
                let mut out = b"before".to_vec();
                decompress(codec, &packed(codec, *level, &sample), LIMIT, &mut out).unwrap();
                assert!(out[6..] == sample, "{codec} {level:?}");
            }
        }
    }
}

#[test]
fn case_42_a_bomb_stops_at_the_limit_and_names_it() {
    for codec in Compression::ALL {
        let bomb = packed(codec, None, &vec![7; LIMIT + 1]);
        let mut out = Vec::new();
        let error = decompress(codec, &bomb, LIMIT, &mut out).unwrap_err();
        assert!(
            matches!(error, Error::LimitExceeded { setting: "decompressed_bytes", .. }),
            "{codec}: {error}"
        );
        assert!(out.capacity() < 8 * LIMIT, "{codec} reserved {}", out.capacity());
        assert_eq!(
            unpacked(codec, &packed(codec, None, &vec![7; LIMIT]), LIMIT).unwrap().len(),
            LIMIT,
            "{codec}"
        );
    }
}

#[test]
fn cut_and_damaged_input_is_an_error_or_the_same_bytes_but_never_a_panic() {
    let mut random = StdRng::seed_from_u64(5);
    for codec in &Compression::ALL[1..] {
        for sample in samples() {
            let good = packed(*codec, None, &sample);
            for _ in 0..60 {
                let cut = random.random_range(0..good.len());
                let cut = unpacked(*codec, &good[..cut], LIMIT);
                assert!(cut.is_err() || cut.is_ok_and(|bytes| sample.starts_with(&bytes)), "{codec}");
                let mut bad = good.clone();
                for _ in 0..random.random_range(1..4) {
                    let at = random.random_range(0..bad.len());
                    bad[at] = random.random();
                }
                let _ = unpacked(*codec, &bad, LIMIT);
            }
        }
    }
}

#[test]
fn case_43_zstd_frames_follow_each_other_skippable_ones_are_passed_over_and_sizes_are_checked() {
    let one = packed(Compression::Zstd, None, b"one ");
    let skipped = [&[0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"xyz"].concat();
    let two = packed(Compression::Zstd, Some(1), b"two");
    let all = [&one[..], &skipped, &two].concat();
    assert_eq!(unpacked(Compression::Zstd, &all, 100).unwrap(), b"one two");
    assert!(unpacked(Compression::Zstd, &[&one[..], b"garbage"].concat(), 100).is_err());
    assert!(unpacked(Compression::Zstd, &[], 100).is_err());
    // A raw block of three bytes in a frame that declares four, and in one that declares three.
    let frame = |declared: u8| [0x28, 0xb5, 0x2f, 0xfd, 0x20, declared, 0x19, 0, 0, b'a', b'b', b'c'];
    assert_eq!(unpacked(Compression::Zstd, &frame(3), 100).unwrap(), b"abc");
    assert!(unpacked(Compression::Zstd, &frame(4), 100).is_err());
    // The same three bytes with a checksum that is not theirs.
    let summed =
        [&[0x28, 0xb5, 0x2f, 0xfd, 0x24, 3, 0x19, 0, 0, b'a', b'b', b'c'][..], &[1, 2, 3, 4]].concat();
    assert!(unpacked(Compression::Zstd, &summed, 100).is_err());
    // A window of 2 TiB.
    assert!(
        unpacked(Compression::Zstd, &[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0x19, 0, 0, 1, 2, 3], 100).is_err()
    );
}

#[test]
fn the_other_decoder_of_zstd_agrees_on_damaged_frames_that_both_accept() {
    let mut random = StdRng::seed_from_u64(21);
    for sample in samples() {
        let good = packed(Compression::Zstd, None, &sample[..sample.len().min(20_000)]);
        for _ in 0..200 {
            let mut bad = good.clone();
            let at = random.random_range(0..bad.len());
            bad[at] = random.random();
            let Ok(ours) = unpacked(Compression::Zstd, &bad, LIMIT) else { continue };
            let mut theirs = Vec::new();
            let decoder = ruzstd::decoding::StreamingDecoder::new(&bad[..]);
            let read = decoder.map(|mut decoder| std::io::Read::read_to_end(&mut decoder, &mut theirs));
            if matches!(read, Ok(Ok(_))) {
                assert!(ours == theirs, "byte {at} of {}", bad.len());
            }
        }
    }
}

#[test]
fn case_44_lz4_frames_of_every_kind_are_read_and_what_is_wrong_is_named() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    for sample in samples() {
        for mode in [BlockMode::Independent, BlockMode::Linked] {
            for size in [BlockSize::Max64KB, BlockSize::Max256KB, BlockSize::Max1MB, BlockSize::Max4MB] {
                for checks in [false, true] {
                    let content = checks.then_some(sample.len() as u64);
                    let info = FrameInfo::new().block_mode(mode).block_size(size).content_size(content);
                    let info = info.block_checksums(checks).content_checksum(checks);
                    let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
                    encoder.write_all(&sample).unwrap();
                    let bytes = encoder.finish().unwrap();
                    assert!(unpacked(Compression::Lz4, &bytes, LIMIT).unwrap() == sample);
                }
            }
        }
    }
    let good = packed(Compression::Lz4, None, b"hello hello hello hello hello");
    let twice = [&good[..], &[0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9], &good].concat();
    assert_eq!(unpacked(Compression::Lz4, &twice, 100).unwrap().len(), 58);
    let says = |bytes: &[u8], text: &str| {
        let error = unpacked(Compression::Lz4, bytes, 100).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    };
    says(&[&good[..], b"xx"].concat(), "cut off");
    says(&[&good[..], b"xxxx"].concat(), "magic");
    says(&good[..good.len() - 4], "cut off");
    says(&[0x02, 0x21, 0x4c, 0x18, 0, 0, 0, 0], "legacy");
    let mut broken = good.clone();
    broken[6] ^= 0xff;
    says(&broken, "header checksum");
    assert_eq!(unpacked(Compression::Lz4, &repair_lz4_header(&broken), 100).unwrap().len(), 29);
}

#[test]
fn case_45_snappy_is_read_raw_and_framed_and_chunks_are_bounded() {
    let xerial = |chunks: &[&[u8]]| {
        let mut out = b"\x82SNAPPY\0\0\0\0\x09\0\0\0\x07".to_vec();
        for chunk in chunks {
            out.extend((chunk.len() as i32).to_be_bytes());
            out.extend_from_slice(chunk);
        }
        out
    };
    let raw = snap::raw::Encoder::new().compress_vec(b"hello hello hello hello").unwrap();
    assert_eq!(unpacked(Compression::Snappy, &raw, 100).unwrap(), b"hello hello hello hello");
    assert_eq!(unpacked(Compression::Snappy, &xerial(&[&raw, &raw]), 100).unwrap().len(), 46);
    assert_eq!(unpacked(Compression::Snappy, &xerial(&[]), 100).unwrap(), b"");
    for bad in [&[0xff, 0xff, 0xff, 0xff][..], &[0x7f, 0xff, 0xff, 0xff], &[0, 0, 0, 9, 1], &[0, 0]] {
        assert!(
            unpacked(Compression::Snappy, &[&xerial(&[&raw])[..], bad].concat(), 100).is_err(),
            "{bad:?}"
        );
    }
    // A block that declares 4 GiB in five bytes.
    assert!(unpacked(Compression::Snappy, &[0xff, 0xff, 0xff, 0xff, 0x0f, 0], usize::MAX >> 1).is_err());
    assert!(unpacked(Compression::Snappy, &[], 100).is_err());
    assert!(unpacked(Compression::Snappy, b"\x82SNAPPY\0\0\0", 100).is_err());
}

#[test]
fn case_46_gzip_members_follow_each_other_and_garbage_after_them_is_an_error() {
    let member = packed(Compression::Gzip, None, b"member ");
    assert_eq!(unpacked(Compression::Gzip, &member.repeat(3), 100).unwrap(), b"member member member ");
    for garbage in [&[0][..], &[0x1f], &[0x1f, 0x8b], b"garbage"] {
        assert!(unpacked(Compression::Gzip, &[&member[..], garbage].concat(), 100).is_err(), "{garbage:?}");
    }
    let mut wrong = member.clone();
    let crc = wrong.len() - 8;
    wrong[crc] ^= 1;
    assert!(unpacked(Compression::Gzip, &wrong, 100).is_err());
}

#[test]
fn the_table_at_the_head_of_lz4_is_what_is_read() {
    use twox_hash::XxHash32;
    let content = b"plain bytes";
    let mut frame = Vec::new();
    for row in crate::tables::rows(include_str!("lz4.rs")) {
        let before = frame.len();
        match row[0].as_str() {
            "magic" => frame.extend(0x184d_2204u32.to_le_bytes()),
            "flags" => frame.push(0b0111_1100),
            "" => continue,
            "block descriptor" => frame.push(4 << 4),
            "content size" => frame.extend((content.len() as u64).to_le_bytes()),
            "header checksum" => frame.push((XxHash32::oneshot(0, &frame[4..]) >> 8) as u8),
            "blocks" => {
                frame.extend((content.len() as u32 | 1 << 31).to_le_bytes());
                frame.extend(content);
                frame.extend(XxHash32::oneshot(0, content).to_le_bytes());
            }
            "end mark" => frame.extend([0; 4]),
            "content checksum" => frame.extend(XxHash32::oneshot(0, content).to_le_bytes()),
            other => panic!("{other} is a field that the test does not know"),
        }
        if let Ok(size) = row[1].parse::<usize>() {
            assert_eq!(frame.len() - before, size, "{}", row[0]);
        }
    }
    assert_eq!(unpacked(Compression::Lz4, &frame, 100).unwrap(), content);
}

/// CRC-32 of RFC 1952, a bit at a time.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[test]
fn the_table_at_the_head_of_gzip_is_what_is_read() {
    let content = b"plain bytes";
    let (mut member, mut places) = (Vec::new(), Vec::new());
    for row in crate::tables::rows(include_str!("gzip.rs")) {
        let before = member.len();
        match row[0].as_str() {
            "magic" => member.extend([0x1f, 0x8b]),
            "method" => member.push(8),
            "flags" => member.push(0b0001_1110),
            "time and origin" => member.extend(*b"any of"),
            "extra" => member.extend(*b"\x03\0abc"),
            "name" => member.extend(*b"name\0"),
            "comment" => member.extend(*b"\0"),
            "header crc" => member.extend((crc32(&member) as u16).to_le_bytes()),
            // One block that is the last one and not compressed: its length, and that with all bits turned.
            "deflate stream" => member.extend([&[1, 11, 0, 0xf4, 0xff], &content[..]].concat()),
            "crc" => member.extend(crc32(content).to_le_bytes()),
            "length" => member.extend((content.len() as u32).to_le_bytes()),
            other => panic!("{other} is a part that the test does not know"),
        }
        if let Ok(size) = row[1].parse::<usize>() {
            assert_eq!(member.len() - before, size, "{}", row[0]);
        }
        places.push((row[0].clone(), before));
    }
    assert_eq!(unpacked(Compression::Gzip, &member, 100).unwrap(), content);
    for (part, place) in places {
        let mut wrong = member.clone();
        wrong[place] ^= 2;
        assert!(unpacked(Compression::Gzip, &wrong, 100).is_err(), "{part}");
    }
    // What we write has none of the parts that are flagged.
    let written = packed(Compression::Gzip, None, content);
    assert_eq!(&written[..4], [0x1f, 0x8b, 8, 0]);
    let tail = [crc32(content).to_le_bytes(), (content.len() as u32).to_le_bytes()].concat();
    assert!(written.ends_with(&tail));
}

#[test]
fn a_buffer_that_is_used_again_is_written_over_and_never_shrinks() {
    for codec in Compression::ALL {
        let mut decompressor = Decompressor::new();
        let mut out = Vec::new();
        for sample in samples().iter().rev().chain(&samples()) {
            let packed = packed(codec, None, sample);
            let before = out.len();
            let end = decompressor.decompress_at(codec, &packed, LIMIT, &mut out, 5).unwrap();
            assert!(out[5..end] == sample[..] && out.len() >= before, "{codec}");
            assert!(decompressor.decompress_at(codec, &packed, sample.len(), &mut out, 5).is_ok());
            if let Some(less) = sample.len().checked_sub(1) {
                let error = decompressor.decompress_at(codec, &packed, less, &mut out, 5).unwrap_err();
                assert!(matches!(error, Error::LimitExceeded { .. }), "{codec} {less}: {error}");
            }
        }
    }
}
