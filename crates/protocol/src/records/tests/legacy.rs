//! Message sets of the formats 0 and 1 (case 20).

use super::*;
use crate::Error;

/// A message as old brokers store it.
fn message(magic: u8, attributes: u8, offset: i64, timestamp: i64, value: Option<&[u8]>) -> Vec<u8> {
    let mut rest = vec![magic, attributes];
    if magic == 1 {
        rest.extend(timestamp.to_be_bytes());
    }
    rest.extend((-1i32).to_be_bytes());
    rest.extend(value.map_or(-1, |value| value.len() as i32).to_be_bytes());
    rest.extend_from_slice(value.unwrap_or_default());
    let mut crc = flate2::Crc::new();
    crc.update(&rest);
    let mut out = offset.to_be_bytes().to_vec();
    out.extend((rest.len() as i32 + 4).to_be_bytes());
    out.extend(crc.sum().to_be_bytes());
    out.extend(rest);
    out
}

/// A compressed set of messages.
fn wrapped(magic: u8, codec: Compression, attributes: u8, offset: i64, inner: &[Vec<u8>]) -> Vec<u8> {
    let mut packed = Vec::new();
    crate::codec::compress(codec, None, &inner.concat(), &mut packed).unwrap();
    message(magic, attributes | codec.id() as u8, offset, 9000, Some(&packed))
}

fn all(bytes: &[u8]) -> Vec<(i64, i64, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    for batch in Batches::new(bytes) {
        let batch = batch.unwrap();
        batch.verify_crc().unwrap();
        let mut scratch = Vec::new();
        let before = found.len();
        for record in batch.records(1 << 20, &mut scratch).unwrap() {
            let record = record.unwrap();
            found.push((record.offset, record.timestamp, record.value.map(<[u8]>::to_vec)));
        }
        assert_eq!(found.last().unwrap().0 + 1, batch.header.next_offset());
        assert!(found.len() > before);
    }
    found
}

#[test]
fn case_20_single_messages_of_both_formats_are_read() {
    let set =
        [message(0, 0, 7, 0, Some(b"old")), message(1, 0, 8, 1234, None), message(1, 8, 9, 99, Some(b""))];
    let expected = [(7, -1, Some(b"old".to_vec())), (8, 1234, None), (9, 99, Some(vec![]))];
    assert_eq!(all(&set.concat()), expected);
    let bytes = set.concat();
    let types: Vec<TimestampType> =
        Batches::new(&bytes).map(|batch| batch.unwrap().header.timestamp_type()).collect();
    assert_eq!(types, [TimestampType::None, TimestampType::CreateTime, TimestampType::LogAppendTime]);
}

#[test]
fn case_20_compressed_sets_have_absolute_or_relative_offsets_by_format() {
    for codec in [Compression::Gzip, Compression::Snappy, Compression::Lz4] {
        let inner0: Vec<_> = [20, 21, 25].map(|offset| message(0, 0, offset, 0, Some(b"v"))).into();
        let offsets = |set: &[u8]| all(set).iter().map(|record| (record.0, record.1)).collect::<Vec<_>>();
        assert_eq!(offsets(&wrapped(0, codec, 0, 25, &inner0)), [(20, -1), (21, -1), (25, -1)]);
        let inner1: Vec<_> = [0, 1, 5].map(|offset| message(1, 0, offset, 100 + offset, Some(b"v"))).into();
        assert_eq!(offsets(&wrapped(1, codec, 0, 1005, &inner1)), [(1000, 100), (1001, 101), (1005, 105)]);
        let appended = wrapped(1, codec, 8, 1005, &inner1);
        assert_eq!(offsets(&appended), [(1000, 9000), (1001, 9000), (1005, 9000)]);
    }
}

#[test]
fn case_44_the_wrong_lz4_header_checksum_of_format_0_is_forgiven_there_only() {
    for magic in [0, 1] {
        let inner = [message(magic, 0, 0, 0, Some(b"v"))];
        let mut packed = Vec::new();
        crate::codec::compress(Compression::Lz4, None, &inner.concat(), &mut packed).unwrap();
        packed[6] ^= 0x55;
        let set = message(magic, Compression::Lz4.id() as u8, 0, 0, Some(&packed));
        assert_eq!(read_first(&set).is_ok(), magic == 0);
    }
}

#[test]
fn faults_in_message_sets_are_errors_with_their_offset() {
    let gzip = Compression::Gzip;
    let m = |magic, offset| message(magic, 0, offset, 0, Some(b"v"));
    let bad = [
        wrapped(1, gzip, 0, 10, &[]),
        wrapped(1, gzip, 0, 10, &[m(0, 0)]),
        wrapped(1, gzip, 0, 10, &[m(1, 1), m(1, 1)]),
        wrapped(1, gzip, 0, 10, &[m(1, 0), m(1, 11)]),
        wrapped(0, gzip, 0, 10, &[m(0, 5), m(0, 11)]),
        wrapped(0, gzip, 0, i64::MAX - 1, &[m(0, 5)]),
        wrapped(1, gzip, 0, 10, &[wrapped(1, gzip, 0, 0, &[m(1, 0)])]),
        wrapped(1, gzip, 0, 10, &[m(1, 0)[..20].to_vec()]),
        message(1, gzip.id() as u8, 10, 0, None),
        message(1, Compression::Zstd.id() as u8, 10, 0, Some(b"x")),
    ];
    for set in bad {
        let error = read_first(&set).unwrap_err();
        assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    }
    let good = m(1, 3);
    for at in 16..good.len() {
        let mut damaged = good.clone();
        damaged[at] ^= 0xff;
        let outcome = Batches::new(&damaged).next().unwrap().and_then(|batch| batch.verify_crc());
        assert!(outcome.is_err(), "byte {at}");
    }
    let mut lying = good.clone();
    lying[26..30].copy_from_slice(&1000i32.to_be_bytes());
    assert!(Batches::new(&lying).next().unwrap().is_err());
}
