//! Record batches of 1,000 records of 100 B to columns, with checksums, beside a bare walk and other decoders.
//!
//! The bare walk is the floor: the checksum and every varint of every record, nothing produced.

use std::hint::black_box;

use arrow_array::RecordBatch;
use bytes::Bytes;
use millstream_columnar::records::{Chunk, DecoderOptions, Projection, RecordBatchDecoder};
use millstream_protocol::records::{BatchBuilder, BatchOptions, Batches, set_base_offset};

use crate::case::{Case, Prepared, same};
use crate::twin::{Row, rows_of, slow_rows};

/// The cases of this group.
pub const CASES: &[Case] = &[
    Case { name: "records_full", is_counted: true, prepare: full },
    Case { name: "records_offset", is_counted: true, prepare: offset_only },
];

const BATCHES: usize = 8;
const RECORDS: usize = 1000;

const FULL: Projection =
    Projection { key: true, value: true, timestamp: true, offset: true, ..Projection::none() };

/// Batches with keys of 8 bytes and values that make a record 100 bytes long.
pub fn batches(compression: millstream_protocol::Compression) -> Bytes {
    let mut out = Vec::new();
    for batch in 0..BATCHES {
        let options = BatchOptions { compression, ..BatchOptions::default() };
        let mut builder = BatchBuilder::new(options);
        for record in 0..RECORDS {
            let number = batch * RECORDS + record;
            let key = format!("{:08}", number * 7919 % 100_000_000);
            let value =
                format!("{{\"id\":{number:08},\"city\":\"Delft\",\"text\":\"{:0>45}\"}}", number * 31);
            let added = builder.append(
                1_700_000_000_000 + number as i64,
                Some(key.as_bytes()),
                Some(&value.as_bytes()[..82]),
                &[],
            );
            assert!(added.expect("small records fit"), "a batch holds all its records");
        }
        let mut bytes = builder.finish().expect("there are records").into_bytes().to_vec();
        set_base_offset(&mut bytes, (batch * RECORDS) as i64, 1).expect("it is a batch");
        out.extend_from_slice(&bytes);
    }
    out.into()
}

/// Our decoder, as a reader of a partition uses it.
pub struct Ours {
    decoder: RecordBatchDecoder,
    records: Bytes,
}

impl Ours {
    /// A decoder over `records`.
    pub fn new(records: Bytes, projection: Projection) -> Self {
        let options = DecoderOptions { target_rows: 8192, ..DecoderOptions::default() };
        Self { decoder: RecordBatchDecoder::new(projection, options), records }
    }

    /// Decodes all and hands each Arrow batch over.
    pub fn run(&mut self, mut take: impl FnMut(RecordBatch)) {
        let chunk = Chunk {
            topic: "orders",
            partition: 0,
            records: &self.records,
            from: 0,
            until: i64::MAX,
            aborted: &[],
        };
        self.decoder.push(chunk).expect("the batches are good");
        while let Some(batch) = self.decoder.finish().expect("columns of one length") {
            take(batch);
        }
    }

    fn rows(&mut self) -> Vec<Row> {
        let mut batches = Vec::new();
        self.run(|batch| batches.push(batch));
        rows_of(&batches)
    }
}

fn full() -> Result<Prepared, String> {
    let records = batches(millstream_protocol::Compression::None);
    let expected = slow_rows(&records);
    let mut ours = Ours::new(records.clone(), FULL);
    same("ours", &ours.rows(), &expected)?;
    let run = move || ours.run(|batch| drop(black_box(batch)));
    let prepared = Prepared::ours(expected.len(), records.len(), run);
    let walked = walk(&records);
    if walked.0 != expected.len() {
        return Err(format!("the walk saw {} records", walked.0));
    }
    let bytes = records.clone();
    let prepared = prepared.peer("walk", move || {
        black_box(walk(black_box(&bytes)));
    });
    peers::add(prepared, &records, &expected)
}

fn offset_only() -> Result<Prepared, String> {
    let records = batches(millstream_protocol::Compression::None);
    let expected: Vec<Row> =
        slow_rows(&records).into_iter().map(|row| Row { offset: row.offset, ..Row::default() }).collect();
    let mut ours = Ours::new(records.clone(), Projection { offset: true, ..Projection::none() });
    same("ours", &ours.rows(), &expected)?;
    let run = move || ours.run(|batch| drop(black_box(batch)));
    let mut full = Ours::new(records.clone(), FULL);
    let full = move || full.run(|batch| drop(black_box(batch)));
    Ok(Prepared::ours(expected.len(), records.len(), run).peer("full", full))
}

/// Checksum of each batch and every varint of each record: number of records, and a sum that depends on all.
fn walk(bytes: &[u8]) -> (usize, u64) {
    let (mut count, mut sum) = (0, 0u64);
    for batch in Batches::new(bytes) {
        let batch = batch.expect("the batch is good");
        batch.verify_crc().expect("the checksum is right");
        let mut rest = batch.payload;
        for _ in 0..batch.header.records_count {
            let length = number(&mut rest);
            let (mut body, tail) = rest.split_at(length as usize >> 1);
            rest = tail;
            body = &body[1..];
            sum = sum.wrapping_add(number(&mut body)).wrapping_add(number(&mut body));
            for _ in 0..2 {
                let length = number(&mut body);
                sum = sum.wrapping_add(length);
                if length & 1 == 0 {
                    body = &body[length as usize >> 1..];
                }
            }
            sum = sum.wrapping_add(number(&mut body));
            assert!(body.is_empty(), "the benchmark's records have no headers");
            count += 1;
        }
    }
    (count, sum)
}

#[inline(always)]
fn number(rest: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    loop {
        let byte = rest[0];
        *rest = &rest[1..];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return value;
        }
        shift += 7;
    }
}

#[cfg(not(feature = "peers"))]
mod peers {
    use super::*;

    pub fn add(prepared: Prepared, _: &Bytes, _: &[Row]) -> Result<Prepared, String> {
        Ok(prepared)
    }
}

#[cfg(feature = "peers")]
mod peers {
    use kafka_protocol::records::RecordBatchDecoder as KafkaProtocol;
    use rskafka::protocol::record::{ControlBatchOrRecords, RecordBatch};
    use rskafka::protocol::traits::ReadType;

    use super::*;

    pub fn add(prepared: Prepared, records: &Bytes, expected: &[Row]) -> Result<Prepared, String> {
        let rows: Vec<Row> = kafka_protocol(records)
            .iter()
            .flat_map(|set| &set.records)
            .map(|record| Row {
                key: record.key.as_deref().map(<[u8]>::to_vec),
                value: record.value.as_deref().map(<[u8]>::to_vec),
                offset: record.offset,
                timestamp: record.timestamp,
                headers: Vec::new(),
            })
            .collect();
        same("kafka-protocol", &rows, expected)?;
        let mut rows = Vec::new();
        for batch in rskafka(records) {
            let ControlBatchOrRecords::Records(records) = batch.records else {
                return Err("rskafka: a control batch".into());
            };
            rows.extend(records.into_iter().map(|record| Row {
                key: record.key,
                value: record.value,
                offset: batch.base_offset + i64::from(record.offset_delta),
                timestamp: batch.first_timestamp + record.timestamp_delta,
                headers: Vec::new(),
            }));
        }
        same("rskafka", &rows, expected)?;
        let (first, second) = (records.clone(), records.clone());
        Ok(prepared
            .peer("kafka_protocol", move || drop(black_box(kafka_protocol(&first))))
            .peer("rskafka", move || drop(black_box(rskafka(&second)))))
    }

    fn kafka_protocol(records: &Bytes) -> Vec<kafka_protocol::records::RecordSet> {
        KafkaProtocol::decode_all(&mut records.clone()).expect("the batches are good")
    }

    fn rskafka(records: &Bytes) -> Vec<RecordBatch> {
        let mut reader = std::io::Cursor::new(&records[..]);
        let mut batches = Vec::new();
        while reader.position() < records.len() as u64 {
            batches.push(RecordBatch::read(&mut reader).expect("the batches are good"));
        }
        batches
    }
}
