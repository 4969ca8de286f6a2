//! The columnar decoder against the slow reader: equal rows in equal order, or both stop at the same batch.
//!
//! Input: projected columns (1 byte), range and cutting (4 bytes), aborted transactions (1 byte count, 2 bytes each),
//! the bytes of a fetched partition. Checksums are not verified, so that mutated batches are read at all.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, BinaryViewArray, RecordBatch};
use bytes::Bytes;
use millstream_columnar as columnar;
use millstream_columnar::records::{
    AbortedTransaction, Chunk, DecoderOptions, Projection, RecordBatchDecoder,
};
use millstream_columnar::text::decode_lossy_java;
use millstream_protocol::records::ControlKind;

use crate::input::Input;
use crate::slow_batches::{self, Row, SlowBatch, SlowRun};

const UNPACKED: usize = 1 << 20;
/// Rows of one run that are looked at: headers may claim billions.
const MOST_ROWS: i64 = 1 << 16;

/// See the module.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let columns = input.byte();
    let projection = Projection::from_indices((0..8).filter(|index| columns >> index & 1 == 1));
    let (from, span) = (i64::from(input.byte()) * 5, i64::from(input.byte()));
    let until = if span == 0 { from + MOST_ROWS } else { from + span };
    let (target_rows, target_bytes) = (1 + usize::from(input.byte()), 1 + 8 * usize::from(input.byte()));
    let aborted: Vec<AbortedTransaction> = (0..input.below(4))
        .map(|_| AbortedTransaction {
            first_offset: i64::from(input.byte()),
            producer_id: i64::from(input.byte()),
        })
        .collect();
    let read_committed = !aborted.is_empty();
    let records = Bytes::copy_from_slice(input.rest());
    let options = DecoderOptions {
        check_crcs: false,
        read_committed,
        decompressed_bytes: UNPACKED,
        target_rows,
        target_bytes,
        ..DecoderOptions::default()
    };
    let mut decoder = RecordBatchDecoder::new(projection, options);
    let chunk = Chunk {
        topic: "a topic of the fuzzer",
        partition: 3,
        records: &records,
        from,
        until,
        aborted: &aborted,
    };
    decoder.push(chunk).expect("the decoder is empty");
    let (batches, outcome) = drain(&mut decoder, target_rows);
    for column in batches.iter().flat_map(RecordBatch::columns) {
        column.to_data().validate_full().expect("unchecked arrays are as valid as checked ones");
    }
    let slow = slow_batches::read(&records, UNPACKED);
    if slow.old_format {
        return;
    }
    let expected = expected(&slow, from, until, &aborted, projection);
    assert!(decoder.next_offset() >= from && decoder.next_offset() <= until);
    let Some(expected) = expected else { return };
    assert_eq!(outcome.is_ok(), expected.good, "{outcome:?}");
    if expected.good {
        compare(&batches, &expected.rows, projection);
    }
}

/// All batches, those behind an error too, and how decoding ended.
fn drain(decoder: &mut RecordBatchDecoder, target_rows: usize) -> (Vec<RecordBatch>, columnar::Result<()>) {
    let (mut batches, mut outcome) = (Vec::new(), Ok(()));
    loop {
        match decoder.finish() {
            Ok(Some(batch)) => batches.push(batch),
            Ok(None) => break,
            Err(error) => {
                assert!(outcome.is_ok(), "one error a chunk: {error}");
                outcome = Err(error);
            }
        }
    }
    assert!(batches.iter().all(|batch| (1..=target_rows).contains(&batch.num_rows())));
    (batches, outcome)
}

struct Expected {
    rows: Vec<Row>,
    /// Whether the whole run can be read.
    good: bool,
}

/// What the decoder has to find. None where the slow reader would have to make rows from a header's claim.
fn expected(
    slow: &SlowRun,
    from: i64,
    until: i64,
    aborted: &[AbortedTransaction],
    projection: Projection,
) -> Option<Expected> {
    let mut ahead = aborted.to_vec();
    ahead.sort_by_key(|transaction| transaction.first_offset);
    let (mut open, mut rows) = (Vec::new(), Vec::new());
    for batch in &slow.batches {
        if batch.base_offset >= until {
            return Some(Expected { rows, good: true });
        }
        let is_control = batch.attributes & 0x20 != 0;
        let read_committed = !aborted.is_empty();
        if batch.last_offset < from && !(read_committed && is_control) {
            continue;
        }
        while ahead.first().is_some_and(|next| read_committed && next.first_offset <= batch.last_offset) {
            open.push(ahead.remove(0).producer_id);
        }
        let is_hidden = batch.attributes & 0x10 != 0 && !is_control && open.contains(&batch.producer_id);
        // Markers are read only where one of them may end something.
        if is_hidden || (is_control && open.is_empty()) {
            continue;
        }
        let tells_all = !(projection.key || projection.value || projection.timestamp || projection.headers);
        if tells_all && !is_control {
            // Counted from the header, so a fault in the records may not be seen.
            return None;
        }
        // Records behind the range are not looked at, faulty ones among them.
        if batch.rows.is_none() && batch.last_offset >= until && !is_control {
            return None;
        }
        let Some(found) = &batch.rows else { return Some(Expected { rows, good: false }) };
        if is_control {
            end_transactions(found, batch, &mut open);
            continue;
        }
        for row in found.iter().filter(|row| row.offset >= from && row.offset < until) {
            if projection.timestamp && row.timestamp.checked_mul(1000).is_none() {
                return Some(Expected { rows, good: false });
            }
            rows.push(row.clone());
        }
    }
    Some(Expected { rows, good: !slow.bad_header })
}

fn end_transactions(rows: &[Row], batch: &SlowBatch, open: &mut Vec<i64>) {
    if rows.iter().any(|row| ControlKind::from_key(row.key.as_deref()) == ControlKind::Abort) {
        open.retain(|producer| *producer != batch.producer_id);
    }
}

fn compare(batches: &[RecordBatch], expected: &[Row], projection: Projection) {
    let mut rest = expected;
    for batch in batches {
        let (rows, behind) = rest.split_at_checked(batch.num_rows()).expect("no more rows than expected");
        rest = behind;
        compare_batch(batch, rows, projection);
    }
    assert!(rest.is_empty(), "{} rows are missing", rest.len());
}

fn compare_batch(batch: &RecordBatch, rows: &[Row], projection: Projection) {
    let column = |name: &str| batch.column_by_name(name).expect("it is projected");
    let value = |array: &BinaryViewArray, at: usize| array.is_valid(at).then(|| array.value(at).to_vec());
    for (at, row) in rows.iter().enumerate() {
        if projection.key {
            assert_eq!(value(column("key").as_binary_view(), at), row.key);
        }
        if projection.value {
            assert_eq!(value(column("value").as_binary_view(), at), row.value);
        }
        if projection.topic {
            assert_eq!(column("topic").as_string_view().value(at), "a topic of the fuzzer");
        }
        if projection.partition {
            assert_eq!(column("partition").as_primitive::<Int32Type>().value(at), 3);
        }
        if projection.offset {
            assert_eq!(column("offset").as_primitive::<Int64Type>().value(at), row.offset);
        }
        if projection.timestamp {
            let micros = column("timestamp").as_primitive::<TimestampMicrosecondType>().value(at);
            assert_eq!(micros, row.timestamp * 1000);
        }
        if projection.headers {
            let headers = column("headers").as_list::<i32>();
            assert_eq!(headers.is_null(at), row.headers.is_empty());
            let entries = headers.value(at);
            let (keys, values) = (entries.as_struct().column(0), entries.as_struct().column(1));
            assert_eq!(entries.len(), row.headers.len());
            for (at, (expected_key, expected_value)) in row.headers.iter().enumerate() {
                let mut key = String::new();
                decode_lossy_java(expected_key, &mut key);
                assert_eq!(keys.as_string_view().value(at), key);
                assert_eq!(value(values.as_binary_view(), at), *expected_value);
            }
        }
    }
}
