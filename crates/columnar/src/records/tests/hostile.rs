//! Batches that claim, or unpack to, far more than they are.

use super::*;

#[test]
fn a_header_that_claims_more_records_than_its_payload_can_hold_is_not_believed() {
    for compression in [Compression::None, Compression::Zstd] {
        let rows = random_rows(&mut StdRng::seed_from_u64(4), 0, 3);
        let mut bytes = encode(&rows, 0, BatchOptions { compression, ..BatchOptions::default() }, -1);
        bytes[23..27].copy_from_slice(&(i32::MAX - 1).to_be_bytes());
        bytes[57..61].copy_from_slice(&i32::MAX.to_be_bytes());
        let records = Bytes::from(bytes);
        let options = DecoderOptions { check_crcs: false, ..DecoderOptions::default() };
        let projection = Projection { offset: true, ..Projection::none() };
        let mut decoder = RecordBatchDecoder::new(projection, options);
        decoder.push(chunk(&records, 0, i64::MAX)).unwrap();
        let error = decoder.next_batch().unwrap_err();
        assert!(matches!(error, Error::BadBatch { offset: 0, .. }), "{error}");
        assert!(decoder.buffered_rows() <= 3);
    }
}

#[test]
fn header_keys_that_are_not_text_count_towards_the_bytes_of_a_batch() {
    let headers = vec![(vec![0xff; 1000], None)];
    let row = |offset| Row { offset, headers: headers.clone(), ..Row::default() };
    let rows: Vec<Row> = (0..100).map(row).collect();
    let records = Bytes::from(encode(&rows, 0, BatchOptions::default(), -1));
    let options = DecoderOptions { target_bytes: 10_000, ..DecoderOptions::default() };
    let mut decoder = RecordBatchDecoder::new(Projection::all(), options);
    decoder.push(chunk(&records, 0, 100)).unwrap();
    // Each byte that is replaced takes three.
    assert_eq!(drain(&mut decoder).iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), [4; 25]);
}

#[test]
fn blocks_that_grow_without_measure_do_not_share_one_arena_without_end() {
    let rows = [Row { key: Some(vec![b'k'; 20]), value: Some(vec![0; 9 << 20]), ..Row::default() }];
    let options =
        BatchOptions { compression: Compression::Zstd, max_bytes: 64 << 20, ..BatchOptions::default() };
    let bytes: Vec<u8> = (0..6).flat_map(|offset| encode(&rows, offset, options, -1)).collect();
    let records = Bytes::from(bytes);
    let projection = Projection { key: true, ..Projection::none() };
    let mut decoder = RecordBatchDecoder::new(projection, DecoderOptions::default());
    decoder.push(chunk(&records, 0, 100)).unwrap();
    assert!(decoder.next_batch().unwrap().is_none());
    assert_eq!(decoder.buffered_rows(), 6);
    assert!(decoder.arena.len() < 32 << 20, "{} bytes in one arena", decoder.arena.len());
    let batch = drain(&mut decoder).remove(0);
    assert!(batch.column(0).as_binary_view().iter().all(|key| key == Some(&[b'k'; 20][..])));
}

#[test]
fn a_chunk_of_blocks_that_grow_is_unpacked_no_faster_than_its_batches_are_taken() {
    let rows = [Row { value: Some(vec![0; 4 << 20]), ..Row::default() }];
    let options =
        BatchOptions { compression: Compression::Zstd, max_bytes: 64 << 20, ..BatchOptions::default() };
    let bytes: Vec<u8> = (0..8).flat_map(|offset| encode(&rows, offset, options, -1)).collect();
    let records = Bytes::from(bytes);
    let options = DecoderOptions { target_bytes: 4 << 20, ..DecoderOptions::default() };
    let mut decoder = RecordBatchDecoder::new(Projection::all(), options);
    decoder.push(chunk(&records, 0, 100)).unwrap();
    assert!(matches!(decoder.push(chunk(&records, 8, 100)), Err(Error::Misuse(_))), "the first is not taken");
    for taken in 1..=8 {
        let batch = decoder.next_batch().unwrap().unwrap();
        assert_eq!((batch.num_rows(), decoder.next_offset(), decoder.buffered_rows()), (1, taken, 0));
    }
    assert!(decoder.finish().unwrap().is_none());
    decoder.push(chunk(&records, 8, 100)).unwrap();
}
