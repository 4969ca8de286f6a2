//! Our decoders against Kafka's own dump tool: the same log segments read by `DumpLogSegments` and by us, compared as
//! text line by line, and by the columnar decoder row by row.
//!
//! The segments are those of a real broker (every codec, append time, committed and aborted transactions) and the
//! batches of the old formats that `millstream-protocol` keeps.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use bytes::Bytes;
use millstream::client::{ClientOptions, Compression, Kafka, NewTopic, ProducerOptions, RecordRef};
use millstream::columnar::records::{Chunk, DecoderOptions, Projection, RecordBatchDecoder};
use millstream::protocol::records::{Batch, BatchHeader, Batches, ControlKind, TimestampType};
use millstream_integration::real_kafka::{RealKafka, run_tool};
use millstream_integration::transaction::{Record, TransactionalProducer};

const VERSION: &str = "4.3.1";
const DECOMPRESSED: usize = 64 << 20;

/// The tool's lines for each file, by the file's path.
fn dumped(files: &[PathBuf]) -> BTreeMap<PathBuf, Vec<String>> {
    let list: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let arguments = ["--files", &list.join(","), "--print-data-log", "--deep-iteration"];
    let text = run_tool(VERSION, "org.apache.kafka.tools.DumpLogSegments", &arguments, "").unwrap();
    let mut dumped: BTreeMap<PathBuf, Vec<String>> = BTreeMap::new();
    let mut current = None;
    for line in text.lines() {
        if let Some(file) = line.strip_prefix("Dumping ") {
            current = Some(PathBuf::from(file));
        } else if let Some(file) = &current
            && (line.starts_with("| ") || line.starts_with("baseOffset: ") || line.starts_with("offset: "))
        {
            dumped.entry(file.clone()).or_default().push(without_inner_checksum(line));
        }
    }
    assert_eq!(dumped.len(), files.len(), "{text}");
    dumped
}

/// Messages inside of a compressed set have checksums of their own, which nobody but the tool looks at.
fn without_inner_checksum(line: &str) -> String {
    match (line.starts_with("| "), line.split_once(" isValid: true crc: ")) {
        (true, Some((before, after))) => {
            let rest = after.split_once(' ').map_or("", |(_, rest)| rest);
            format!("{before} {rest}").trim_end().to_owned()
        }
        _ => line.trim_end().to_owned(),
    }
}

/// What the tool should say, by our batch reader.
fn ours(bytes: &[u8]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut batches = Batches::new(bytes);
    let mut position = 0;
    while let Some(batch) = batches.next() {
        let batch = batch.unwrap();
        lines.push(batch_line(&batch, position));
        lines.extend(record_lines(&batch).iter().map(|line| line.trim_end().to_owned()));
        position = batches.position();
    }
    assert!(!batches.truncated_tail());
    lines
}

fn stamp(header: &BatchHeader) -> &'static str {
    match header.timestamp_type() {
        TimestampType::None => "NoTimestampType",
        TimestampType::CreateTime => "CreateTime",
        TimestampType::LogAppendTime => "LogAppendTime",
    }
}

fn batch_line(batch: &Batch<'_>, position: usize) -> String {
    let header = &batch.header;
    let mut line = String::new();
    if header.magic == 2 {
        let last_sequence = match header.base_sequence {
            -1 => -1,
            base => base + header.last_offset_delta,
        };
        write!(
            line,
            "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {last_sequence} producerId: {} \
             producerEpoch: {} partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: \
             OptionalLong.empty",
            header.base_offset,
            header.last_offset(),
            header.records_count,
            header.base_sequence,
            header.producer_id,
            header.producer_epoch,
            header.leader_epoch,
            header.is_transactional(),
            header.is_control(),
        )
        .unwrap();
    } else {
        write!(line, "offset: {}", header.base_offset).unwrap();
    }
    write!(
        line,
        " position: {position} {}: {} size: {} magic: {} compresscodec: {} crc: {} isvalid: {}",
        stamp(header),
        header.max_timestamp,
        batch.bytes.len(),
        header.magic,
        header.compression().unwrap().name(),
        header.crc,
        batch.verify_crc().is_ok(),
    )
    .unwrap();
    line
}

fn record_lines(batch: &Batch<'_>) -> Vec<String> {
    let header = &batch.header;
    let mut scratch = Vec::new();
    let records = batch.records(DECOMPRESSED, &mut scratch).unwrap();
    let mut lines = Vec::new();
    for record in records.map(Result::unwrap) {
        let row = Row {
            offset: record.offset,
            timestamp: record.timestamp,
            key: text(record.key),
            value: text(record.value),
            header_keys: record.headers.iter().map(|(key, _)| text(Some(key)).unwrap()).collect(),
        };
        let mut line = format!("| offset: {} {}: {}", row.offset, stamp(header), row.timestamp);
        write!(line, " keySize: {} valueSize: {}", size(&record.key), size(&record.value)).unwrap();
        if header.magic == 2 {
            let sequence = match header.base_sequence {
                -1 => -1,
                base => base + (record.offset - header.base_offset) as i32,
            };
            write!(line, " sequence: {sequence} headerKeys: [{}]", row.header_keys.join(",")).unwrap();
        }
        if header.is_control() {
            let kind = match ControlKind::from_key(record.key) {
                ControlKind::Abort => "ABORT",
                ControlKind::Commit => "COMMIT",
                ControlKind::Other => "?",
            };
            let epoch = record.value.unwrap().get(2..6).unwrap();
            let epoch = i32::from_be_bytes(epoch.try_into().unwrap());
            write!(line, " endTxnMarker: {kind} coordinatorEpoch: {epoch}").unwrap();
        } else {
            line.push_str(&row.content());
        }
        lines.push(line);
    }
    lines
}

fn size(bytes: &Option<&[u8]>) -> i64 {
    bytes.map_or(-1, |bytes| bytes.len() as i64)
}

fn text(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

/// A record as columns give it.
#[derive(Debug, PartialEq)]
struct Row {
    offset: i64,
    timestamp: i64,
    key: Option<String>,
    value: Option<String>,
    header_keys: Vec<String>,
}

impl Row {
    fn content(&self) -> String {
        let key = self.key.as_ref().map(|key| format!(" key: {key}"));
        let value = self.value.as_ref().map(|value| format!(" payload: {value}"));
        key.unwrap_or_default() + &value.unwrap_or_default()
    }

    /// What both the tool and the columns tell of a record.
    fn line(&self, timestamp_type: i32) -> String {
        let stamp = ["NoTimestampType", "CreateTime", "LogAppendTime"][(timestamp_type + 1) as usize];
        let head = format!("| offset: {} {stamp}: {}", self.offset, self.timestamp);
        format!("{head} [{}]{}", self.header_keys.join(","), self.content()).trim_end().to_owned()
    }
}

/// A line of the tool cut down to what columns tell: sizes, sequences and checksums are not among it.
fn of_columns(line: &str) -> String {
    let (head, rest) = line.split_once(" keySize: ").unwrap();
    let (keys, content) = match rest.split_once(" headerKeys: [") {
        Some((_, rest)) => rest.split_once(']').unwrap(),
        // Old formats: what follows the two sizes.
        None => {
            let at = rest.match_indices(' ').nth(2).map_or(rest.len(), |(at, _)| at);
            ("", &rest[at..])
        }
    };
    format!("{head} [{keys}]{content}").trim_end().to_owned()
}

/// All rows that the columnar decoder makes of a log.
fn columns(bytes: &[u8]) -> Vec<String> {
    let records = Bytes::copy_from_slice(bytes);
    let mut decoder = RecordBatchDecoder::new(Projection::all(), DecoderOptions::default());
    let chunk = Chunk { topic: "t", partition: 0, records: &records, from: 0, until: i64::MAX, aborted: &[] };
    decoder.push(chunk).unwrap();
    let mut lines = Vec::new();
    while let Some(batch) = decoder.finish().unwrap() {
        lines.extend((0..batch.num_rows()).map(|row| column_line(&batch, row)));
    }
    lines
}

fn column_line(batch: &RecordBatch, row: usize) -> String {
    let column = |name: &str| batch.column_by_name(name).unwrap();
    let binary = |name: &str| {
        let array = column(name).as_binary_view();
        text(array.is_valid(row).then(|| array.value(row)))
    };
    let headers = column("headers").as_list::<i32>();
    let keys = headers.is_valid(row).then(|| headers.value(row));
    let keys = keys.map(|entries| {
        let keys = entries.as_struct().column(0).as_string_view().clone();
        keys.iter().map(|key| key.unwrap().to_owned()).collect()
    });
    let micros = column("timestamp").as_primitive::<TimestampMicrosecondType>().value(row);
    let found = Row {
        offset: column("offset").as_primitive::<Int64Type>().value(row),
        timestamp: micros / 1000,
        key: binary("key"),
        value: binary("value"),
        header_keys: keys.unwrap_or_default(),
    };
    found.line(column("timestampType").as_primitive::<Int32Type>().value(row))
}

/// Compares every file's dump with both decoders; the number of records.
fn compare(files: &[PathBuf]) -> usize {
    let mut records = 0;
    for (file, theirs) in dumped(files) {
        let bytes = std::fs::read(&file).unwrap();
        let ours = ours(&bytes);
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!(ours, theirs, "{}", file.display());
        }
        assert_eq!(ours.len(), theirs.len(), "{}", file.display());
        let rows: Vec<String> = theirs
            .iter()
            .filter(|line| line.starts_with("| ") && !line.contains(" endTxnMarker: "))
            .map(|line| of_columns(line))
            .collect();
        assert_eq!(columns(&bytes), rows, "{}", file.display());
        records += rows.len();
    }
    records
}

const CODECS: [Compression; 5] =
    [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

async fn produce(kafka: &Kafka, topic: &str, compression: Compression) {
    let producer = kafka.producer(ProducerOptions { compression, ..ProducerOptions::default() });
    let topic: Arc<str> = topic.into();
    let headers: [(&[u8], Option<&[u8]>); 3] = [(b"h", Some(b"1")), (b"h", None), (b"", Some(b""))];
    for number in 0..300usize {
        let value = format!("value {number} äöü {}", "x".repeat(number * 7 % 900));
        let key = format!("k{number}");
        let record = RecordRef {
            timestamp: Some(1_735_689_600_000 + (number as i64 * 37) % 1000),
            key: (number % 5 != 0).then_some(key.as_bytes()),
            value: (number % 7 != 0).then_some(value.as_bytes()),
            headers: if number % 2 == 0 { &[] } else { &headers },
        };
        producer.send(&topic, None, record).await.unwrap();
        // Several batches a topic.
        if number % 90 == 89 {
            producer.flush().await.unwrap();
        }
    }
    producer.flush().await.unwrap();
}

fn transactions(bootstrap: &str, topic: &str) {
    let mut producer = TransactionalProducer::start(bootstrap, &format!("{topic}-id")).unwrap();
    for (round, commit) in [true, false, true].into_iter().enumerate() {
        let record = |number: usize| Record {
            topic: topic.to_owned(),
            partition: 0,
            timestamp: 1_735_689_600_000 + number as i64,
            key: Some(format!("{round}").into_bytes()),
            value: Some(format!("transaction {round} record {number}").into_bytes()),
        };
        producer.produce(&(0..9).map(record).collect::<Vec<_>>()).unwrap();
        producer.end(commit).unwrap();
    }
}

/// Markers carry the time of today, so that a new segment begins with one.
fn segments(kafka: &RealKafka, topic: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(kafka.log_folder().join(format!("{topic}-0"))).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    files.filter(|file| file.extension().is_some_and(|extension| extension == "log")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn log_segments_of_apache_kafka_read_as_its_dump_tool_reads_them() {
    let Some(theirs) = RealKafka::shared(VERSION) else { return };
    let kafka = Kafka::connect(ClientOptions::new(&theirs.bootstrap())).await.unwrap();
    let mut topics = Vec::new();
    for compression in CODECS {
        for stamp in ["CreateTime", "LogAppendTime"] {
            let name = format!("dumped-{}-{stamp}", compression.name());
            let mut topic = NewTopic::new(&name, 1);
            topic.configs.insert("message.timestamp.type".into(), stamp.into());
            kafka.admin().create_topics(&[topic], Duration::from_secs(60)).await.unwrap();
            produce(&kafka, &name, compression).await;
            topics.push(name);
        }
    }
    let in_transactions = "dumped-transactions".to_owned();
    let new = [NewTopic::new(&in_transactions, 1)];
    kafka.admin().create_topics(&new, Duration::from_secs(60)).await.unwrap();
    tokio::task::block_in_place(|| transactions(&theirs.bootstrap(), &in_transactions));
    topics.push(in_transactions);
    let files: Vec<PathBuf> = topics.iter().flat_map(|topic| segments(theirs, topic)).collect();
    let records = tokio::task::block_in_place(|| compare(&files));
    assert_eq!(records, 10 * 300 + 3 * 9);
}

#[test]
fn batches_of_every_format_read_as_the_dump_tool_reads_them() {
    if RealKafka::shared(VERSION).is_none() {
        return;
    }
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/protocol/fixtures/batches");
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(fixtures).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // The tool wants a segment's name, which is its first offset.
        let first = if name == "v2-abort-marker" { 2000 } else { 1000 };
        if path.extension().is_some_and(|extension| extension == "bin") {
            let file = folder.path().join(&name).join(format!("{first:020}.log"));
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::copy(&path, &file).unwrap();
            files.push(file);
        }
    }
    assert_eq!(compare(&files), 21 * 5);
}
