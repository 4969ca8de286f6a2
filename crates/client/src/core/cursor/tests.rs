use millstream_protocol::records::{BatchBuilder, BatchOptions, control_batch, set_base_offset};

use super::*;
use crate::core::budget::Budget;
use crate::error::Loss;

/// Batches of `sizes` records from an offset on, with a gap of `gap` offsets after each.
fn batches(from: i64, sizes: &[i64], gap: i64) -> Bytes {
    let mut bytes = Vec::new();
    let mut base = from;
    for size in sizes {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        for _ in 0..*size {
            builder.append(0, None, Some(b"value"), &[]).unwrap();
        }
        let mut batch = builder.finish().unwrap().into_bytes().to_vec();
        set_base_offset(&mut batch, base, 3).unwrap();
        bytes.extend(batch);
        base += size + gap;
    }
    bytes.into()
}

fn cursor(from: i64, end: End) -> Cursor {
    Cursor::new(TopicPartition::new("t", 0), from, end)
}

fn give(cursor: &mut Cursor, records: Bytes) {
    let extent = extent(&records, cursor.position()).unwrap();
    let permit = Arc::new(Budget::new(1 << 20).overdraw(records.len()));
    let watermarks = Watermarks { high_watermark: 1000, ..Watermarks::default() };
    let aborted = Arc::from([]);
    cursor.accept(Chunk { records, from: 0, next: 0, aborted, watermarks, permit }, extent);
}

fn chunk(taken: Taken) -> Chunk {
    match taken {
        Taken::Chunk(chunk) => chunk,
        other => panic!("{other:?}"),
    }
}

fn offsets(chunk: &Chunk) -> Vec<(i64, i64)> {
    let each = Batches::new(&chunk.records).map(|batch| batch.unwrap().header);
    each.map(|header| (header.base_offset, header.next_offset())).collect()
}

#[test]
fn a_partial_batch_at_the_end_is_dropped_and_fetched_again() {
    let bytes = batches(10, &[5, 5], 0);
    let mut cursor = cursor(12, End::Never);
    give(&mut cursor, bytes.slice(..bytes.len() - 1));
    assert_eq!(cursor.position(), 15);
    let got = chunk(cursor.take(12, 100));
    assert_eq!((offsets(&got), got.from, got.next), (vec![(10, 15)], 12, 15));
    assert!(matches!(cursor.take(15, 100), Taken::Nothing));
    assert!(cursor.is_waited_for);
}

#[test]
fn a_range_that_ends_inside_a_batch_leaves_that_batch_for_the_next() {
    let mut cursor = cursor(0, End::Never);
    give(&mut cursor, batches(0, &[4, 4, 4, 4], 0));
    let first = chunk(cursor.take(0, 6));
    assert_eq!((offsets(&first), first.next), (vec![(0, 4), (4, 8)], 6));
    assert!(matches!(cursor.take(6, 6), Taken::Done));
    assert!(cursor.covers(6) && !cursor.covers(5) && cursor.covers(16) && !cursor.covers(17));
    let second = chunk(cursor.take(6, 8));
    assert_eq!((offsets(&second), second.from, second.next), (vec![(4, 8)], 6, 8));
    let third = chunk(cursor.take(8, 100));
    assert_eq!((offsets(&third), third.next), (vec![(8, 12), (12, 16)], 16));
    assert_eq!(cursor.queued_bytes, 0);
}

#[test]
fn a_range_whose_last_offsets_hold_no_records_ends_by_position() {
    let mut cursor = cursor(0, End::At(14));
    // Offsets 4..7 and 11..14 are gaps; the position after the second batch is 11.
    give(&mut cursor, batches(0, &[4, 4], 3));
    assert_eq!(cursor.position(), 11);
    let only = chunk(cursor.take(0, 14));
    assert_eq!(only.next, 11);
    assert!(cursor.wants_fetch(1));
    give(&mut cursor, batches(20, &[1], 0));
    assert_eq!(cursor.position(), 21);
    // What lies beyond is handed out trimmed to nothing, and the range is over.
    let beyond = chunk(cursor.take(11, 14));
    assert_eq!(beyond.next, 14);
    assert!(matches!(cursor.take(14, 14), Taken::Done));
    assert!(!cursor.wants_fetch(1));
}

#[test]
fn fetched_data_come_before_a_failure_and_a_finished_range_has_none() {
    let mut cursor = cursor(0, End::Never);
    give(&mut cursor, batches(0, &[4], 0));
    cursor.fail(Error::loss(cursor.partition.clone(), 4, Loss::Deleted));
    assert_eq!(chunk(cursor.take(0, 8)).next, 4);
    assert!(matches!(cursor.take(4, 4), Taken::Done));
    assert!(matches!(cursor.take(4, 8), Taken::Failed(Error::DataLoss(_))));
    assert!(!cursor.wants_fetch(100) && !cursor.needs_care());
}

#[test]
fn a_full_queue_stops_fetching_and_an_empty_one_never_does() {
    let mut cursor = cursor(0, End::Never);
    assert!(cursor.wants_fetch(0));
    give(&mut cursor, batches(0, &[4], 0));
    assert!(!cursor.wants_fetch(10) && cursor.wants_fetch(10_000));
    cursor.in_flight = true;
    assert!(!cursor.wants_fetch(10_000));
}

#[test]
fn corrupt_headers_are_errors_unless_good_batches_come_before() {
    let mut bytes = batches(0, &[2, 2], 0).to_vec();
    let second = Batches::new(&bytes).next().unwrap().unwrap().bytes.len();
    bytes[second + 8..second + 12].copy_from_slice(&(-5i32).to_be_bytes());
    assert_eq!(extent(&bytes, 0).unwrap(), Extent { bytes: second, next: 2, epoch: 3 });
    assert!(extent(&bytes[second..], 2).is_err());
    assert!(extent(&batches(0, &[2], 0), 5).is_err(), "ends before what was asked for");
    assert_eq!(extent(&[], 5).unwrap(), Extent { bytes: 0, next: 5, epoch: -1 });
}

#[test]
fn behind_an_abort_marker_the_rest_of_a_response_is_not_aborted() {
    let options = BatchOptions { is_transactional: true, ..BatchOptions::default() };
    let mut log = Vec::new();
    let mut put = |base: i64, batch: Bytes| {
        let mut batch = batch.to_vec();
        set_base_offset(&mut batch, base, 3).unwrap();
        log.extend(batch);
    };
    let data = || {
        let mut builder = BatchBuilder::new(options);
        builder.append(0, None, Some(b"value"), &[]).unwrap();
        let mut batch = builder.finish().unwrap();
        batch.stamp(7, 0, 0);
        batch.into_bytes()
    };
    // One producer: aborted, its marker, committed.
    put(0, data());
    put(1, control_batch(false, 7, 0, 0, 0).unwrap());
    put(2, data());
    let aborted: Arc<[_]> = Arc::from([AbortedTransaction { producer_id: 7, first_offset: 0 }]);
    for (until, left) in [(1, 1), (2, 0)] {
        let mut cursor = cursor(0, End::Never);
        let records = Bytes::from(log.clone());
        let permit = Arc::new(Budget::new(1 << 20).overdraw(records.len()));
        let (watermarks, aborted) = (Watermarks::default(), aborted.clone());
        let extent = extent(&records, 0).unwrap();
        cursor.accept(Chunk { records, from: 0, next: 0, aborted, watermarks, permit }, extent);
        assert_eq!(chunk(cursor.take(0, until)).aborted.len(), 1);
        assert_eq!(chunk(cursor.take(until, 3)).aborted.len(), left, "cut at {until}");
    }
}

#[test]
fn a_first_batch_that_is_cut_is_an_error_and_nothing_at_all_is_not() {
    let bytes = batches(10, &[5], 0);
    for cut in [1, 20, bytes.len() - 1] {
        let error = extent(&bytes.slice(..cut), 10).unwrap_err();
        assert!(error.to_string().contains("max.partition.fetch.bytes"), "{error}");
    }
    assert_eq!(extent(&[], 10).unwrap(), Extent { bytes: 0, next: 10, epoch: -1 });
}
