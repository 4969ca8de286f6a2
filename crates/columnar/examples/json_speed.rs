//! How fast JSON documents become columns and columns become JSON.
//!
//! Run with `cargo run --release -p millstream-columnar --example json_speed`. Flat orders of about 130
//! bytes, one core; each number is the best of many rounds over 8,192 documents, in CPU time.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{Array, ArrayRef, StringViewArray};
use arrow_buffer::{Buffer, ScalarBuffer};
use arrow_schema::{DataType, Field};
use millstream_columnar::json::{JsonReadOptions, JsonReader, JsonWriteOptions, JsonWriter};
use millstream_columnar::types;

const ROWS: usize = 8192;
const ROUNDS: usize = 100;

fn main() {
    let documents = documents();
    let bytes: usize = documents.iter().flatten().map(str::len).sum();
    println!("{ROWS} documents of {} bytes", bytes / ROWS);
    let all = reader(&[0, 1, 2, 3, 4, 5, 6]);
    report("from_json, all 7 fields", best(|| drop(black_box(all.read(&documents).expect("good")))), bytes);
    let three = reader(&[0, 3, 4]);
    report("from_json, 3 fields", best(|| drop(black_box(three.read(&documents).expect("good")))), bytes);
    let parsed: ArrayRef = all.read(&documents).expect("good");
    assert_eq!(parsed.null_count(), 0);
    let writer = JsonWriter::new(parsed.data_type(), JsonWriteOptions::default()).expect("a struct");
    report("to_json, all 7 fields", best(|| drop(black_box(writer.write(&parsed).expect("fits")))), bytes);
}

fn reader(fields: &[usize]) -> JsonReader {
    let all = [
        Field::new("order_id", DataType::Int64, true),
        Field::new("customer", DataType::Utf8View, true),
        Field::new("status", DataType::Utf8View, true),
        Field::new("amount", DataType::Float64, true),
        Field::new("quantity", DataType::Int32, true),
        Field::new("paid", DataType::Boolean, true),
        Field::new("at", types::timestamp(), true),
    ];
    let fields = fields.iter().map(|index| all[*index].clone()).collect();
    JsonReader::new(&DataType::Struct(fields), JsonReadOptions::default()).expect("supported types")
}

/// Documents as a Kafka value column has them: views into one buffer.
fn documents() -> StringViewArray {
    let (mut text, mut views) = (String::new(), Vec::new());
    for id in 0..ROWS {
        let start = text.len();
        text.push_str(&format!(
            "{{\"order_id\":{},\"customer\":\"customer-{:06}\",\"status\":\"{}\",\"amount\":{}.{:02},\
             \"quantity\":{},\"paid\":{},\"at\":\"2026-01-{:02}T{:02}:{:02}:{:02}Z\"}}",
            1_000_000 + id * 37,
            id * 7919 % 100_000,
            ["NEW", "PAID", "SHIPPED"][id % 3],
            id % 900,
            id % 100,
            id % 12,
            id % 2 == 0,
            id % 28 + 1,
            id % 24,
            id % 60,
            id % 59
        ));
        let document = &text.as_bytes()[start..];
        views.push(arrow_array::builder::make_view(document, 0, start as u32));
    }
    let buffers: Arc<[Buffer]> = Arc::from([Buffer::from(text.into_bytes())]);
    StringViewArray::try_new(ScalarBuffer::from(views), buffers, None).expect("own views")
}

fn report(what: &str, nanos: f64, bytes: usize) {
    let rate = 1e3 / nanos;
    let throughput = bytes as f64 / ROWS as f64 / nanos;
    println!("{what:<26} {nanos:7.1} ns/row  {rate:6.2} M rows/s  {throughput:5.2} GB/s");
}

fn best(mut run: impl FnMut()) -> f64 {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = cpu_time();
        run();
        best = best.min(cpu_time() - start);
    }
    best.as_secs_f64() * 1e9 / ROWS as f64
}

/// CPU time of this thread: other work on the machine does not count.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
