//! How often the decoder asks for memory: a few times a batch, never for a record.

use super::*;
use crate::raw::allocations;

/// Allocations of decoding four batches in one chunk, once the decoder has warmed up.
fn allocations_of(records: &Bytes, projection: Projection) -> usize {
    let mut decoder = RecordBatchDecoder::new(projection, DecoderOptions::default());
    let mut decode = || {
        decoder.push(chunk(records, 0, i64::MAX)).unwrap();
        while let Some(batch) = decoder.finish().unwrap() {
            drop(batch);
        }
    };
    decode();
    decode();
    allocations::of(decode)
}

fn topic(records: usize, compression: Compression, headers: Vec<twin::Header>) -> Bytes {
    let mut bytes = Vec::new();
    for batch in 0..4 {
        let rows: Vec<Row> = (0..records)
            .map(|record| Row {
                key: (record % 3 != 0).then(|| format!("key {record}").into_bytes()),
                value: Some(format!("a value that is not inline, number {record}").into_bytes()),
                offset: 0,
                timestamp: 1_700_000_000_000 + record as i64,
                headers: headers.clone(),
            })
            .collect();
        let options = BatchOptions { compression, ..BatchOptions::default() };
        bytes.extend(encode(&rows, (batch * records) as i64, options, -1));
    }
    bytes.into()
}

#[test]
fn a_record_costs_no_allocation_and_a_batch_a_few() {
    for compression in CODECS {
        for projection in [
            Projection { key: true, value: true, offset: true, timestamp: true, ..Projection::none() },
            Projection { offset: true, ..Projection::none() },
            Projection { headers: false, ..Projection::all() },
        ] {
            let few = allocations_of(&topic(10, compression, vec![]), projection);
            let many = allocations_of(&topic(1000, compression, vec![]), projection);
            // Null buffers grow by doubling: a dozen steps at most.
            assert!(
                many <= few + 16,
                "{compression}: {few} for 40 records, {many} for 4,000, {projection:?}"
            );
            assert!(many <= 100, "{compression}: {many} allocations for 4 batches, {projection:?}");
        }
    }
}

#[test]
fn headers_cost_no_allocation_for_a_record_either() {
    let header = || (b"trace".to_vec(), Some(b"a header's value that is not inline".to_vec()));
    let few = allocations_of(&topic(10, Compression::None, vec![header(), header()]), Projection::all());
    let many = allocations_of(&topic(1000, Compression::None, vec![header(), header()]), Projection::all());
    // Ends, keys, values and two null buffers grow by doubling.
    assert!(many <= few + 60, "{few} for 40 records, {many} for 4,000");
}
