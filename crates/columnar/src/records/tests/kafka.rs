//! The decoder on batches that Apache Kafka's own classes wrote, and beside `kafka-protocol`.

use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records as kp;

use super::*;

/// All batches that Kafka wrote, by name: formats, codecs and timestamp types.
fn fixtures() -> Vec<(String, Bytes)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../protocol/fixtures/batches");
    let mut found: Vec<(String, Bytes)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bin"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap().into())
        })
        .collect();
    found.sort();
    assert_eq!(found.len(), 22);
    found
}

fn decode(records: &Bytes, projection: Projection) -> Vec<RecordBatch> {
    let mut decoder = RecordBatchDecoder::new(projection, DecoderOptions::default());
    decoder.push(chunk(records, 0, i64::MAX)).unwrap();
    drain(&mut decoder)
}

#[test]
fn every_format_codec_and_timestamp_type_of_kafka_becomes_its_rows() {
    const NOW: i64 = 1_700_000_000_000;
    let uncompressed = |name: &str| {
        let (_, bytes) = fixtures().into_iter().find(|(of, _)| of == name).unwrap();
        rows_of(&decode(&bytes, Projection::all()))
    };
    let v2 = uncompressed("v2-none");
    assert_eq!(v2.iter().map(|row| row.offset).collect::<Vec<_>>(), [1000, 1001, 1002, 1003, 1004]);
    assert_eq!(v2[0].headers.len(), 3, "repeated and empty header keys are kept");
    for (name, bytes) in fixtures() {
        let batches = decode(&bytes, Projection::all());
        if name == "v2-abort-marker" {
            assert!(batches.is_empty(), "control batches are dropped");
            continue;
        }
        let is_append = name.ends_with("append-time");
        let expected: Vec<Row> = v2
            .iter()
            .map(|row| Row {
                timestamp: match &name[..2] {
                    "v0" => -1,
                    _ if is_append => NOW + 9999,
                    _ => row.timestamp,
                },
                headers: if name.starts_with("v2") { row.headers.clone() } else { vec![] },
                ..row.clone()
            })
            .collect();
        assert_eq!(rows_of(&batches), expected, "{name}");
        let types = batches[0].column_by_name("timestampType").unwrap().as_primitive::<Int32Type>();
        let expected = if name.starts_with("v0") { -1 } else { i32::from(is_append) };
        assert!(types.values().iter().all(|found| *found == expected), "{name}");
    }
}

fn row_of(record: &kp::Record) -> Row {
    let owned = |bytes: &Option<Bytes>| bytes.as_ref().map(|bytes| bytes.to_vec());
    Row {
        key: owned(&record.key),
        value: owned(&record.value),
        offset: record.offset,
        timestamp: record.timestamp,
        headers: record.headers.iter().map(|(key, value)| (key.as_bytes().to_vec(), owned(value))).collect(),
    }
}

#[test]
fn our_batches_become_the_rows_that_kafka_protocol_reads() {
    let mut rng = StdRng::seed_from_u64(23);
    for compression in CODECS {
        for round in 0..20 {
            let count = rng.random_range(1..300);
            let mut rows = random_rows(&mut rng, 50, count);
            for row in &mut rows {
                // It keeps headers in a map, by keys that are text.
                row.headers.truncate(1);
                row.headers.iter_mut().for_each(|(key, _)| *key = format!("header {}", key.len()).into());
            }
            let bytes = encode(&rows, 50, BatchOptions { compression, ..BatchOptions::default() }, -1);
            let records = Bytes::from(bytes);
            let unpack = |packed: &mut Bytes, _: kp::Compression| {
                let mut out = Vec::new();
                millstream_protocol::codec::decompress(compression, packed, 1 << 24, &mut out)?;
                Ok(Bytes::from(out))
            };
            let theirs =
                kp::RecordBatchDecoder::decode_with_custom_compression(&mut records.clone(), Some(unpack));
            let theirs: Vec<Row> = theirs.unwrap().records.iter().map(row_of).collect();
            let ours = rows_of(&decode(&records, Projection::all()));
            assert_eq!(ours, theirs, "{compression} round {round}");
        }
    }
}

#[test]
fn batches_of_kafka_protocol_become_their_rows() {
    let mut rng = StdRng::seed_from_u64(29);
    for round in 0..40 {
        let count = rng.random_range(1..200);
        let records: Vec<kp::Record> = random_rows(&mut rng, 1000, count)
            .into_iter()
            .enumerate()
            .map(|(index, row)| kp::Record {
                transactional: false,
                control: false,
                delete_horizon: false,
                partition_leader_epoch: 1,
                producer_id: -1,
                producer_epoch: -1,
                timestamp_type: kp::TimestampType::Creation,
                offset: row.offset,
                sequence: index as i32,
                timestamp: row.timestamp,
                key: row.key.map(Bytes::from),
                value: row.value.map(Bytes::from),
                headers: (0..index % 3)
                    .map(|header| (StrBytes::from_string(format!("h{header}")), Some(Bytes::from("value"))))
                    .collect(),
            })
            .collect();
        let mut bytes = bytes::BytesMut::new();
        let options = kp::RecordEncodeOptions { version: 2, compression: kp::Compression::None };
        kp::RecordBatchEncoder::encode(&mut bytes, &records, &options).unwrap();
        let expected: Vec<Row> = records.iter().map(row_of).collect();
        assert_eq!(rows_of(&decode(&bytes.freeze(), Projection::all())), expected, "round {round}");
    }
}
