//! How fast record batches become columns, beside a bare walk (checksum plus every varint, producing
//! nothing).
//!
//! Run with `cargo run --release -p millstream-columnar --example decode_speed [codec]`. Each number is the
//! best of many rounds over 50 batches of 1,000 records with values of 100 bytes, in CPU time.

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use millstream_columnar::records::{Chunk, DecoderMemory, DecoderOptions, Projection, RecordBatchDecoder};
use millstream_protocol::Compression;
use millstream_protocol::records::{BatchBuilder, BatchOptions, Batches, set_base_offset};

const RECORDS_PER_BATCH: usize = 1000;
const BATCHES: usize = 50;
const ROUNDS: usize = 60;

fn main() {
    let projection =
        Projection { key: true, value: true, offset: true, timestamp: true, ..Projection::none() };
    let memory = DecoderMemory::default();
    let offset_only = Projection { offset: true, ..Projection::none() };
    for compression in
        [Compression::None, Compression::Lz4, Compression::Snappy, Compression::Zstd, Compression::Gzip]
    {
        if std::env::args().nth(1).is_some_and(|only| only != compression.to_string()) {
            continue;
        }
        let records = topic(compression);
        let walk = best(|| bare_walk(&records));
        let full = best(|| decode(&records, projection, true, &memory));
        let all = best(|| decode(&records, Projection::all(), true, &memory));
        let no_crc = best(|| decode(&records, projection, false, &memory));
        let offsets = best(|| decode(&records, offset_only, true, &memory));
        println!(
            "{:<7} bare walk {:6.1}  key,value,offset,timestamp {:6.1} ({:.2}x)  all columns {:6.1}  \
             without crc {:6.1}  offset only {:6.1}  ns/record",
            compression.to_string(),
            walk,
            full,
            full / walk,
            all,
            no_crc,
            offsets
        );
    }
}

/// The batches of a topic, ten to a fetch.
fn topic(compression: Compression) -> Vec<Bytes> {
    let mut fetches = vec![Vec::new(); BATCHES / 10];
    for batch in 0..BATCHES {
        let mut builder =
            BatchBuilder::new(BatchOptions { compression, max_bytes: 16 << 20, ..BatchOptions::default() });
        for record in 0..RECORDS_PER_BATCH {
            let id = batch * RECORDS_PER_BATCH + record;
            let key = format!("{:08}", id % 5000);
            let mut value = format!("{{\"id\":{id},\"item\":\"item-{}\",\"qty\":{}", id % 97, id % 13);
            value.push_str(&format!(",\"at\":\"2026-01-01T00:00:{:02}\",\"pad\":\"", id % 60));
            while value.len() < 98 {
                value.push(char::from(b'a' + (id * 7 + value.len() * 3 % 23) as u8 % 26));
            }
            value.push_str("\"}");
            let time = 1_767_000_000_000 + id as i64;
            builder.append(time, Some(key.as_bytes()), Some(value.as_bytes()), &[]).expect("it fits");
        }
        let mut batch_bytes = builder.finish().expect("it is whole").into_bytes().to_vec();
        set_base_offset(&mut batch_bytes, (batch * RECORDS_PER_BATCH) as i64, 0).expect("it is a batch");
        fetches[batch / 10].extend(batch_bytes);
    }
    fetches.into_iter().map(Bytes::from).collect()
}

fn bare_walk(fetches: &[Bytes]) {
    let mut scratch = Vec::new();
    let mut sum = 0i64;
    for batch in fetches.iter().flat_map(|records| Batches::new(records)) {
        let batch = batch.expect("own bytes");
        batch.verify_crc().expect("own bytes");
        for record in batch.records(256 << 20, &mut scratch).expect("own bytes") {
            let record = record.expect("own bytes");
            sum = sum.wrapping_add(record.offset).wrapping_add(record.timestamp);
            sum = sum.wrapping_add(record.value.map_or(0, <[u8]>::len) as i64);
        }
    }
    black_box(sum);
}

fn decode(fetches: &[Bytes], projection: Projection, check_crcs: bool, memory: &DecoderMemory) {
    let options = DecoderOptions { check_crcs, memory: memory.clone(), ..DecoderOptions::default() };
    let mut decoder = RecordBatchDecoder::new(projection, options);
    let mut rows = 0;
    for records in fetches {
        let chunk = Chunk { topic: "orders", partition: 0, records, from: 0, until: i64::MAX, aborted: &[] };
        decoder.push(chunk).expect("own bytes");
        while let Some(batch) = decoder.next_batch().expect("own bytes") {
            rows += black_box(batch).num_rows();
        }
    }
    while let Some(batch) = decoder.finish().expect("own bytes") {
        rows += black_box(batch).num_rows();
    }
    assert_eq!(rows, BATCHES * RECORDS_PER_BATCH);
}

fn best(mut run: impl FnMut()) -> f64 {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = cpu_time();
        run();
        best = best.min(cpu_time() - start);
    }
    best.as_secs_f64() * 1e9 / (BATCHES * RECORDS_PER_BATCH) as f64
}

/// CPU time of this thread: other work on the machine does not count.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
