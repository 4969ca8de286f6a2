//! Cases 14 to 47 of what brokers and networks can send: each a batch with one thing wrong, or odd.

use super::*;
use crate::Error;
use crate::records::header::{CRC_AT, PREFIX_BYTES};

/// A good batch of three records, uncompressed.
fn three() -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    for value in [b"a", b"b", b"c"] {
        builder.append(1000, Some(b"key"), Some(value), &[(b"h", Some(b"1"))]).unwrap();
    }
    builder.finish().unwrap().into_bytes().to_vec()
}

/// The same with other bytes at a place.
fn patched(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut batch = three();
    batch[at..at + bytes.len()].copy_from_slice(bytes);
    batch
}

/// A batch whose payload is given as it is.
fn with_payload(count: i32, last_delta: i32, payload: &[u8]) -> Vec<u8> {
    let mut batch = three();
    batch.truncate(HEADER_BYTES);
    batch.extend_from_slice(payload);
    let length = (batch.len() - PREFIX_BYTES) as i32;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    batch[23..27].copy_from_slice(&last_delta.to_be_bytes());
    batch[57..61].copy_from_slice(&count.to_be_bytes());
    batch
}

fn header_error(batch: &[u8]) -> Error {
    Batches::new(batch).next().unwrap().unwrap_err()
}

fn says(error: Error, text: &str) {
    assert!(matches!(error, Error::Corrupt { .. }) && error.to_string().contains(text), "{error}");
}

#[test]
fn cases_14_and_15_a_batch_length_that_is_negative_or_below_the_header_is_corrupt() {
    for length in [-1, i32::MIN, 0, 13, 48] {
        says(header_error(&patched(8, &i32::to_be_bytes(length))), "its length is");
    }
    let huge = patched(8, &i32::MAX.to_be_bytes());
    let mut batches = Batches::new(&huge);
    assert!(batches.next().is_none() && batches.truncated_tail());
}

#[test]
fn cases_16_and_18_a_cut_tail_is_dropped_and_told_and_good_batches_before_it_stay() {
    let whole = three();
    for cut in 1..whole.len() {
        let bytes = [&whole[..], &whole[..cut]].concat();
        let mut batches = Batches::new(&bytes);
        assert!(batches.next().unwrap().is_ok(), "cut {cut}");
        assert!(batches.next().is_none() && batches.truncated_tail(), "cut {cut}");
        assert_eq!(batches.position(), whole.len());
        let mut first = Batches::new(&whole[..cut]);
        assert!(first.next().is_none() && first.truncated_tail());
        assert_eq!(first.position(), 0, "the caller raises its limits");
    }
}

#[test]
fn case_19_a_wrong_checksum_is_told_with_both_values() {
    for at in [CRC_AT, 21, 30, 61, 70] {
        let mut bytes = three();
        bytes[at] ^= 0x40;
        let batch = Batches::new(&bytes).next().unwrap();
        let error = match batch {
            Ok(batch) => batch.verify_crc().unwrap_err(),
            Err(error) => panic!("{error}"),
        };
        assert!(matches!(error, Error::CrcMismatch { base_offset: 0, .. }), "{error}");
        assert!(error.may_be_transient());
    }
}

#[test]
fn case_21_an_unknown_format_names_it_and_the_offset() {
    for magic in [3i8, 127, -1] {
        let error = header_error(&patched(16, &magic.to_be_bytes()));
        assert_eq!(error, Error::UnsupportedMagic { magic, base_offset: 0 });
    }
}

#[test]
fn cases_22_to_24_counts_are_not_trusted() {
    says(header_error(&patched(57, &(-1i32).to_be_bytes())), "record count is negative");
    says(header_error(&patched(57, &4i32.to_be_bytes())), "more records than offsets");
    let huge = with_payload(i32::MAX, i32::MAX - 1, &three()[HEADER_BYTES..]);
    says(read_first(&huge).unwrap_err(), "past the end");
    let batch = Batches::new(&huge).next().unwrap().unwrap();
    assert!(Records::new(batch.payload, &batch.header).size_hint().1.unwrap() < 20);
    says(read_first(&with_payload(1, 0, &[])).unwrap_err(), "past the end");
}

#[test]
fn cases_25_and_26_the_next_offset_comes_from_the_header_not_from_the_records() {
    let empty = with_payload(0, 41, &[]);
    let batch = Batches::new(&empty).next().unwrap().unwrap();
    assert_eq!((batch.header.next_offset(), batch.header.is_gapless()), (42, false));
    assert_eq!(read_first(&empty), Ok(vec![]));
    // Offsets 0 and 5 of a batch that was written with 10.
    let record = |delta: u8| [&[12, 0, 0, delta * 2, 1, 0, 0][..]].concat();
    let gaps = with_payload(2, 9, &[record(0), record(5)].concat());
    assert_eq!(gaps.len(), HEADER_BYTES + 14);
    assert_eq!(read_first(&gaps).unwrap().iter().map(|record| record.offset).collect::<Vec<_>>(), [0, 5]);
    assert_eq!(Batches::new(&gaps).next().unwrap().unwrap().header.next_offset(), 10);
}

#[test]
fn cases_27_and_28_bytes_left_over_in_a_batch_or_a_record_are_corrupt() {
    let good = [12, 0, 0, 0, 1, 1, 0];
    assert_eq!(read_first(&with_payload(1, 0, &good)).unwrap().len(), 1);
    says(read_first(&with_payload(1, 0, &[&good[..], &[0]].concat())).unwrap_err(), "left after the last");
    says(read_first(&with_payload(0, 0, &[0])).unwrap_err(), "left after the last");
    says(read_first(&with_payload(1, 0, &[14, 0, 0, 0, 1, 1, 0, 0])).unwrap_err(), "longer than its fields");
    says(read_first(&with_payload(1, 0, &[10, 0, 0, 0, 1, 1])).unwrap_err(), "headers");
    says(read_first(&with_payload(1, 0, &[0])).unwrap_err(), "empty");
    for length in [&[1][..], &[0xff, 0xff, 0xff, 0xff, 0xff], &[0x80; 9], &[14]] {
        says(read_first(&with_payload(1, 0, &[length, &good[1..]].concat())).unwrap_err(), "length");
    }
}

#[test]
fn case_29_offsets_that_do_not_ascend_or_leave_the_batch_are_corrupt() {
    let record = |zigzag: u8| [12, 0, 0, zigzag, 1, 1, 0];
    for (first, second) in [(1, 2), (0, 0), (2, 0), (0, 8)] {
        let payload = [record(first), record(second)].concat();
        says(read_first(&with_payload(2, 3, &payload)).unwrap_err(), "offset");
    }
    assert_eq!(read_first(&with_payload(2, 3, &[record(2), record(6)].concat())).unwrap()[1].offset, 3);
}

#[test]
fn case_31_sums_that_overflow_are_errors() {
    says(header_error(&patched(0, &(i64::MAX - 2).to_be_bytes())), "overflow");
    assert!(Batches::new(&patched(0, &(i64::MAX - 3).to_be_bytes())).next().unwrap().is_ok());
    says(header_error(&patched(0, &(-1i64).to_be_bytes())), "negative");
    says(header_error(&patched(23, &(-1i32).to_be_bytes())), "negative");
    let mut late = with_payload(1, 0, &[12, 0, 2, 0, 1, 1, 0]);
    late[27..35].copy_from_slice(&i64::MAX.to_be_bytes());
    says(read_first(&late).unwrap_err(), "timestamp overflows");
}

#[test]
fn cases_32_and_33_timestamps_may_be_negative_and_append_time_is_the_batchs() {
    let mut early = with_payload(1, 0, &[12, 0, 1, 0, 1, 1, 0]);
    early[27..35].copy_from_slice(&0i64.to_be_bytes());
    assert_eq!(read_first(&early).unwrap()[0].timestamp, -1);
    let mut appended = three();
    set_log_append_time(&mut appended, 5).unwrap();
    assert!(read_first(&appended).unwrap().iter().all(|record| record.timestamp == 5));
}

#[test]
fn cases_34_and_35_null_is_not_empty_and_other_lengths_are_corrupt() {
    let records = read_first(&with_payload(2, 1, &[12, 0, 0, 0, 1, 0, 0, 12, 0, 0, 2, 0, 1, 0])).unwrap();
    assert_eq!((&records[0].key, &records[0].value), (&None, &Some(vec![])));
    assert_eq!((&records[1].key, &records[1].value), (&Some(vec![]), &None));
    for bad in [3, 9, 0x7f] {
        says(read_first(&with_payload(1, 0, &[12, 0, 0, 0, bad, 1, 0])).unwrap_err(), "key or value");
        says(read_first(&with_payload(1, 0, &[12, 0, 0, 0, 1, bad, 0])).unwrap_err(), "key or value");
    }
}

#[test]
fn cases_36_and_37_header_counts_are_bounded_and_keys_may_repeat_or_be_empty_or_not_text() {
    let record = |headers: &[u8]| {
        let body = [&[0, 0, 0, 1, 1][..], headers].concat();
        with_payload(1, 0, &[&[body.len() as u8 * 2][..], &body].concat())
    };
    for bad in [&[1][..], &[0xfe, 0xff, 0xff, 0xff, 0x0f], &[2], &[2, 1, 1], &[2, 2], &[2, 2, b'k', 3]] {
        says(read_first(&record(bad)).unwrap_err(), "headers");
    }
    let odd = record(&[10, 2, b'k', 2, b'1', 2, b'k', 1, 0, 0, 2, 0xff, 1, 2, b'k', 2, b'2']);
    let headers = read_first(&odd).unwrap().remove(0).headers;
    let expected: [(&[u8], Option<&[u8]>); 5] =
        [(b"k", Some(b"1")), (b"k", None), (b"", Some(b"")), (b"\xff", None), (b"k", Some(b"2"))];
    let expected = expected.map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec)));
    assert_eq!(headers, expected);
}

#[test]
fn case_41_compression_codes_5_to_7_are_refused_by_name() {
    for code in 5..8 {
        let bytes = patched(21, &i16::to_be_bytes(code));
        let batch = Batches::new(&bytes).next().unwrap().unwrap();
        let error = batch.unpack(1000, &mut Vec::new()).unwrap_err();
        assert_eq!(error, Error::UnsupportedCodec { code: code as i8, base_offset: 0 });
    }
}

#[test]
fn cases_42_and_47_a_batch_that_unpacks_to_too_much_or_to_nothing_is_an_error() {
    for compression in &Compression::ALL[1..] {
        let options =
            BatchOptions { compression: *compression, max_bytes: 1 << 20, ..BatchOptions::default() };
        let mut builder = BatchBuilder::new(options);
        builder.append(0, None, Some(&[0; 100_000]), &[]).unwrap();
        let bytes = builder.finish().unwrap().into_bytes();
        let batch = Batches::new(&bytes).next().unwrap().unwrap();
        let error = batch.unpack(99_999, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, Error::LimitExceeded { setting: "decompressed_bytes", .. }), "{error}");
        assert!(batch.unpack(100_100, &mut Vec::new()).is_ok());
        let mut nothing = Vec::new();
        crate::codec::compress(*compression, None, &[], &mut nothing).unwrap();
        let mut bytes = with_payload(1, 0, &nothing);
        bytes[22] = compression.id() as u8;
        assert!(read_first(&bytes).is_err(), "{compression}");
    }
}

#[test]
fn after_an_error_both_iterators_end() {
    let bytes = [&patched(57, &(-1i32).to_be_bytes())[..], &three()].concat();
    let mut batches = Batches::new(&bytes);
    assert!(batches.next().unwrap().is_err());
    assert_eq!(batches.position(), 0);
    assert!(batches.next().is_none());
    let bytes = with_payload(2, 1, &[12, 0, 0, 0, 1, 1, 0]);
    let batch = Batches::new(&bytes).next().unwrap().unwrap();
    let mut records = Records::new(batch.payload, &batch.header);
    assert!(records.next().unwrap().is_ok());
    assert!(records.next().unwrap().is_err());
    assert!(records.next().is_none());
}
