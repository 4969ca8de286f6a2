//! The decoder against its slow twin and against what was encoded.

mod hostile;
mod kafka;
mod memory;
mod twin;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use bytes::Bytes;
use millstream_protocol::Compression;
use millstream_protocol::records::{
    BatchBuilder, BatchOptions, Batches, control_batch, set_base_offset, set_log_append_time,
};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use self::twin::{Row, rows_of, slow_rows};
use super::*;
use crate::Error;

const CODECS: [Compression; 5] =
    [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

fn encode(rows: &[Row], base_offset: i64, options: BatchOptions, producer_id: i64) -> Vec<u8> {
    let mut builder = BatchBuilder::new(options);
    for row in rows {
        let headers: Vec<(&[u8], Option<&[u8]>)> =
            row.headers.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
        builder.append(row.timestamp, row.key.as_deref(), row.value.as_deref(), &headers).unwrap();
    }
    let mut batch = builder.finish().unwrap();
    if producer_id >= 0 {
        batch.stamp(producer_id, 0, 0);
    }
    let mut bytes = batch.into_bytes().to_vec();
    set_base_offset(&mut bytes, base_offset, 1).unwrap();
    bytes
}

fn bytes_of(rng: &mut StdRng) -> Option<Vec<u8>> {
    let length = match rng.random_range(0..6) {
        0 => return None,
        1 => 0,
        2 => rng.random_range(1..=12),
        3 => 13,
        _ => rng.random_range(0..200),
    };
    Some((0..length).map(|_| rng.random()).collect())
}

fn random_rows(rng: &mut StdRng, base_offset: i64, count: usize) -> Vec<Row> {
    (0..count)
        .map(|index| Row {
            key: bytes_of(rng),
            value: bytes_of(rng),
            offset: base_offset + index as i64,
            timestamp: rng.random_range(0..2_000_000_000_000),
            headers: (0..rng.random_range(0..4usize).saturating_sub(1))
                .map(|_| (bytes_of(rng).unwrap_or_default(), bytes_of(rng)))
                .collect(),
        })
        .collect()
}

fn drain(decoder: &mut RecordBatchDecoder) -> Vec<RecordBatch> {
    let mut out = Vec::new();
    while let Some(batch) = decoder.finish().unwrap() {
        out.push(batch);
    }
    out
}

fn chunk<'a>(records: &'a Bytes, from: i64, until: i64) -> Chunk<'a> {
    Chunk { topic: "orders", partition: 3, records, from, until, aborted: &[] }
}

#[test]
fn random_batches_in_every_codec_equal_the_slow_twin() {
    let mut rng = StdRng::seed_from_u64(7);
    for round in 0..60 {
        let (mut bytes, mut twin, mut next) = (Vec::new(), Vec::new(), rng.random_range(0..1000));
        for _ in 0..rng.random_range(1..6) {
            let count = rng.random_range(1..40);
            let rows = random_rows(&mut rng, next, count);
            let compression = CODECS[rng.random_range(0..CODECS.len())];
            bytes.extend(encode(&rows, next, BatchOptions { compression, ..BatchOptions::default() }, -1));
            next += rows.len() as i64 + rng.random_range(0..3);
            twin.extend(rows);
        }
        let (first, last) = (twin[0].offset, next);
        let (from, until) = (rng.random_range(first..last), rng.random_range(first..last + 2));
        twin.retain(|row| row.offset >= from && row.offset < until);
        for row in &mut twin {
            for (key, _) in &mut row.headers {
                let mut text = String::new();
                crate::text::decode_lossy_java(key, &mut text);
                *key = text.into_bytes();
            }
        }
        let options = DecoderOptions { target_rows: 17, target_bytes: 2000, ..DecoderOptions::default() };
        let mut decoder = RecordBatchDecoder::new(Projection::all(), options);
        let records = Bytes::from(bytes);
        decoder.push(chunk(&records, from, until)).unwrap();
        let mut batches = Vec::new();
        while let Some(batch) = decoder.next_batch().unwrap() {
            batches.push(batch);
        }
        let waiting = decoder.buffered_rows();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>() + waiting, twin.len());
        batches.extend(drain(&mut decoder));
        assert_eq!(rows_of(&batches), twin, "round {round}");
        assert!(batches.iter().all(|batch| batch.num_rows() <= 17));
    }
}

#[test]
fn uncompressed_batches_equal_the_slow_twin_for_every_projection() {
    let mut rng = StdRng::seed_from_u64(17);
    let (mut bytes, mut next) = (Vec::new(), 100);
    for count in [1, 40, 7, 200] {
        let mut rows = random_rows(&mut rng, next, count);
        rows.iter_mut().flat_map(|row| &mut row.headers).for_each(|(key, _)| *key = vec![b'h'; key.len()]);
        bytes.extend(encode(&rows, next, BatchOptions::default(), -1));
        next += count as i64;
    }
    let twin = slow_rows(&bytes);
    let records = Bytes::from(bytes);
    for flags in 0..256 {
        let projection = Projection::from_indices((0..8).filter(|bit| flags >> bit & 1 == 1));
        let mut decoder = RecordBatchDecoder::new(projection, DecoderOptions::default());
        decoder.push(chunk(&records, 0, i64::MAX)).unwrap();
        let expected: Vec<Row> = twin.iter().map(|row| projected(row, &projection)).collect();
        assert_eq!(rows_of(&drain(&mut decoder)), expected, "{projection:?}");
    }
}

/// What a projection leaves of a row.
fn projected(row: &Row, projection: &Projection) -> Row {
    Row {
        key: row.key.clone().filter(|_| projection.key),
        value: row.value.clone().filter(|_| projection.value),
        offset: if projection.offset { row.offset } else { 0 },
        timestamp: if projection.timestamp { row.timestamp } else { 0 },
        headers: if projection.headers { row.headers.clone() } else { Vec::new() },
    }
}

#[test]
fn long_values_share_the_frame_and_few_bytes_are_copied_out_of_it() {
    let row = |value: Vec<u8>, offset| Row {
        key: Some(b"k".to_vec()),
        value: Some(value),
        offset,
        timestamp: 1,
        headers: vec![],
    };
    let rows: Vec<Row> = (0..10).map(|offset| row(vec![b'v'; 1000], offset)).collect();
    let records = Bytes::from(encode(&rows, 0, BatchOptions::default(), -1));
    let range = records.as_ptr_range();
    let mut decoder = RecordBatchDecoder::new(Projection::all(), DecoderOptions::default());
    decoder.push(chunk(&records, 2, 9)).unwrap();
    let batch = drain(&mut decoder).remove(0);
    let values = batch.column_by_name("value").unwrap().as_binary_view();
    assert_eq!(values.len(), 7);
    assert_eq!(values.data_buffers().len(), 1);
    assert!(range.contains(&values.data_buffers()[0].as_ptr()));
    assert!(values.data_buffers()[0].len() <= 7 * 1010);
    // Keys of 20 bytes beside values of 1000: under a quarter is used.
    let rows: Vec<Row> =
        (0..10).map(|offset| Row { key: Some(vec![b'k'; 20]), ..row(vec![b'v'; 1000], offset) }).collect();
    let records = Bytes::from(encode(&rows, 0, BatchOptions::default(), -1));
    let projection = Projection { key: true, ..Projection::none() };
    let mut decoder = RecordBatchDecoder::new(projection, DecoderOptions::default());
    decoder.push(chunk(&records, 0, 10)).unwrap();
    let batch = drain(&mut decoder).remove(0);
    let keys = batch.column(0).as_binary_view();
    assert_eq!(keys.data_buffers()[0].len(), 200);
    assert!(keys.iter().all(|key| key == Some(&[b'k'; 20][..])));
}

#[test]
fn constants_append_time_and_the_missing_timestamp() {
    let rows = [Row { key: None, value: None, offset: 0, timestamp: -1, headers: vec![] }];
    let mut bytes = encode(&rows, 0, BatchOptions::default(), -1);
    let mut appended = encode(&rows, 1, BatchOptions::default(), -1);
    set_log_append_time(&mut appended, 1234).unwrap();
    bytes.extend(appended);
    let records = Bytes::from(bytes);
    let mut decoder = RecordBatchDecoder::new(Projection::all(), DecoderOptions::default());
    let topic = "a topic with a rather long name";
    decoder.push(Chunk { topic, ..chunk(&records, 0, 99) }).unwrap();
    let batch = drain(&mut decoder).remove(0);
    assert_eq!((batch.num_rows(), decoder.next_offset()), (2, 2));
    assert_eq!(batch.schema(), source_schema(true));
    assert_eq!(batch.column(2).as_string_view().value(1), topic);
    assert_eq!(batch.column(3).as_primitive::<Int32Type>().values(), &[3, 3]);
    assert_eq!(batch.column(5).as_primitive::<TimestampMicrosecondType>().values(), &[-1000, 1_234_000]);
    assert_eq!(batch.column(6).as_primitive::<Int32Type>().values(), &[0, 1]);
    assert_eq!(batch.column(7).null_count(), 2);
}

#[test]
fn aborted_transactions_and_control_batches_are_dropped_under_read_committed_only() {
    let options = || BatchOptions { is_transactional: true, ..BatchOptions::default() };
    let rows = |base: i64| -> Vec<Row> {
        (base..base + 2)
            .map(|offset| Row { key: None, value: Some(vec![1; 20]), offset, timestamp: 5, headers: vec![] })
            .collect()
    };
    let marker = |commit, producer, offset| {
        let mut bytes = control_batch(commit, producer, 0, 0, 5).unwrap().to_vec();
        set_base_offset(&mut bytes, offset, 1).unwrap();
        bytes
    };
    let mut bytes = encode(&rows(0), 0, options(), 7);
    bytes.extend(encode(&rows(2), 2, options(), 8));
    bytes.extend(marker(false, 7, 4));
    bytes.extend(encode(&rows(5), 5, options(), 7));
    bytes.extend(marker(true, 7, 7));
    bytes.extend(marker(true, 8, 8));
    let records = Bytes::from(bytes);
    let aborted = [AbortedTransaction { producer_id: 7, first_offset: 0 }];
    let offsets = |read_committed: bool, from: i64| {
        let options = DecoderOptions { read_committed, ..DecoderOptions::default() };
        let mut decoder = RecordBatchDecoder::new(Projection::all(), options);
        let chunk = Chunk { aborted: &aborted, ..chunk(&records, from, 100) };
        decoder.push(chunk).unwrap();
        let rows = rows_of(&drain(&mut decoder));
        assert_eq!(decoder.next_offset(), 9);
        rows.iter().map(|row| row.offset).collect::<Vec<_>>()
    };
    assert_eq!(offsets(true, 0), [2, 3, 5, 6]);
    assert_eq!(offsets(false, 0), [0, 1, 2, 3, 5, 6]);
    assert_eq!(offsets(true, 6), [6]);
}

#[test]
fn counts_and_offsets_come_from_headers_and_equal_the_walk() {
    let rows = random_rows(&mut StdRng::seed_from_u64(1), 10, 50);
    let compression = Compression::Lz4;
    let records = Bytes::from(encode(&rows, 10, BatchOptions { compression, ..BatchOptions::default() }, -1));
    for (from, until) in [(0, 100), (20, 40), (59, 60), (70, 90)] {
        let expected: Vec<i64> = (from.max(10)..until.min(60)).collect();
        let projection = Projection { offset: true, ..Projection::none() };
        let options = DecoderOptions { target_rows: 8, ..DecoderOptions::default() };
        let mut decoder = RecordBatchDecoder::new(projection, options.clone());
        decoder.push(chunk(&records, from, until)).unwrap();
        let found: Vec<i64> = drain(&mut decoder)
            .iter()
            .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec())
            .collect();
        assert_eq!(found, expected);
        let mut decoder = RecordBatchDecoder::new(Projection::none(), options);
        decoder.push(chunk(&records, from, until)).unwrap();
        assert_eq!(drain(&mut decoder).iter().map(RecordBatch::num_rows).sum::<usize>(), expected.len());
    }
}

#[test]
fn batches_that_the_filter_excludes_are_not_even_checked_and_others_come_whole() {
    let rows = |base: i64| -> Vec<Row> {
        (base..base + 3).map(|offset| Row { offset, timestamp: offset * 10, ..Row::default() }).collect()
    };
    let mut bytes = Vec::new();
    for base in [0, 3, 6] {
        let mut batch = encode(&rows(base), base, BatchOptions::default(), -1);
        if base != 3 {
            // Reading it would be an error.
            *batch.last_mut().unwrap() ^= 1;
        }
        bytes.extend(batch);
    }
    let records = Bytes::from(bytes);
    let filter = BatchFilter { min_timestamp: 40, max_offset: 4, ..BatchFilter::default() };
    let options = DecoderOptions { filter, ..DecoderOptions::default() };
    let mut decoder = RecordBatchDecoder::new(Projection::all(), options);
    decoder.push(chunk(&records, 0, 100)).unwrap();
    assert_eq!(rows_of(&drain(&mut decoder)), rows(3));
    assert_eq!(decoder.next_offset(), 9);
}

#[test]
fn a_transaction_is_hidden_and_ended_right_when_a_filter_skips_its_batches() {
    let options = || BatchOptions { is_transactional: true, ..BatchOptions::default() };
    let row = |offset| Row { value: Some(vec![1; 20]), offset, timestamp: 5, ..Row::default() };
    let mut marker = control_batch(false, 7, 0, 0, 5).unwrap().to_vec();
    set_base_offset(&mut marker, 1, 1).unwrap();
    let mut bytes = encode(&[row(0)], 0, options(), 7);
    bytes.extend(marker);
    bytes.extend(encode(&[row(2)], 2, options(), 7));
    let records = Bytes::from(bytes);
    let aborted = [AbortedTransaction { producer_id: 7, first_offset: 0 }];
    for min_offset in [0, 1, 2] {
        let filter = BatchFilter { min_offset, ..BatchFilter::default() };
        let options = DecoderOptions { read_committed: true, filter, ..DecoderOptions::default() };
        let mut decoder = RecordBatchDecoder::new(Projection::all(), options);
        decoder.push(Chunk { aborted: &aborted, ..chunk(&records, 0, 100) }).unwrap();
        assert_eq!(rows_of(&drain(&mut decoder)), [row(2)], "{min_offset}");
    }
}

#[test]
fn errors_name_topic_partition_and_offset_and_keep_the_rows_before() {
    let rows = random_rows(&mut StdRng::seed_from_u64(2), 0, 4);
    let mut bytes = encode(&rows, 0, BatchOptions::default(), -1);
    bytes.extend(encode(&rows, 4, BatchOptions::default(), -1));
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let records = Bytes::from(bytes);
    let mut decoder = RecordBatchDecoder::new(Projection::all(), DecoderOptions::default());
    decoder.push(chunk(&records, 0, 100)).unwrap();
    let error = decoder.finish().unwrap_err();
    assert!(matches!(error, Error::BadBatch { partition: 3, offset: 4, .. }), "{error}");
    assert!(error.to_string().starts_with("topic orders partition 3 offset 4: "), "{error}");
    assert_eq!(rows_of(&drain(&mut decoder)).len(), 4);

    let late = [Row { timestamp: i64::MAX, ..rows[0].clone() }];
    let records = Bytes::from(encode(&late, 0, BatchOptions::default(), -1));
    decoder.push(chunk(&records, 0, 100)).unwrap();
    let error = decoder.finish().unwrap_err();
    assert!(matches!(error, Error::TimestampOverflow { offset: 0, timestamp_ms: i64::MAX, .. }), "{error}");
}

#[test]
fn cut_and_damaged_bytes_never_panic() {
    let mut rng = StdRng::seed_from_u64(3);
    let rows = random_rows(&mut rng, 0, 30);
    for compression in CODECS {
        let bytes = encode(&rows, 0, BatchOptions { compression, ..BatchOptions::default() }, -1);
        assert_eq!(Batches::new(&bytes).count(), 1);
        for _ in 0..300 {
            let mut damaged = bytes.clone();
            for _ in 0..rng.random_range(1..4) {
                let at = rng.random_range(21..damaged.len());
                damaged[at] = rng.random();
            }
            damaged.truncate(rng.random_range(0..=damaged.len()));
            let records = Bytes::from(damaged);
            let options = DecoderOptions { check_crcs: false, ..DecoderOptions::default() };
            let mut decoder = RecordBatchDecoder::new(Projection::all(), options);
            decoder.push(chunk(&records, 0, 100)).unwrap();
            // Behind the first error is what came before it.
            let _ = decoder.next_batch();
            rows_of(&drain(&mut decoder));
        }
    }
}

#[test]
fn message_sets_of_the_old_formats_become_rows() {
    let message = |magic: u8, offset: i64, timestamp: Option<i64>, value: &[u8]| {
        let mut body = vec![magic, 0];
        body.extend(timestamp.into_iter().flat_map(i64::to_be_bytes));
        body.extend((-1i32).to_be_bytes());
        body.extend((value.len() as i32).to_be_bytes());
        body.extend(value);
        let mut bytes = offset.to_be_bytes().to_vec();
        bytes.extend((body.len() as i32 + 4).to_be_bytes());
        bytes.extend([0; 4]);
        bytes.extend(body);
        bytes
    };
    let long = b"a value that is longer than twelve bytes";
    let mut bytes = message(0, 7, None, long);
    bytes.extend(message(1, 8, Some(1234), b"short"));
    let records = Bytes::from(bytes);
    let options = DecoderOptions { check_crcs: false, ..DecoderOptions::default() };
    let mut decoder = RecordBatchDecoder::new(Projection::all(), options);
    decoder.push(chunk(&records, 0, 100)).unwrap();
    let batch = drain(&mut decoder).remove(0);
    assert_eq!((batch.num_rows(), decoder.next_offset()), (2, 9));
    let rows = rows_of(std::slice::from_ref(&batch));
    assert_eq!((rows[0].offset, rows[1].offset, rows[1].timestamp), (7, 8, 1234));
    assert_eq!(rows[0].value.as_deref(), Some(&long[..]));
    assert_eq!(rows[1].value.as_deref(), Some(&b"short"[..]));
    assert_eq!(batch.column(6).as_primitive::<Int32Type>().values(), &[-1, 0]);
}
