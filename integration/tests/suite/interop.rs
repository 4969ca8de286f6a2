//! Our client beside Kafka's own tools, on both versions: what we write their consumer reads, what their producer
//! writes we read, in every codec.

use millstream::client::{
    ClientOptions, Compression, FetchOptions, Isolation, Kafka, NewTopic, OffsetSpec, ProducerOptions,
    RecordRef, TopicPartition,
};
use millstream::protocol::records::Batches;
use millstream_integration::real_kafka::{RealKafka, VERSIONS};
use std::sync::Arc;
use std::time::Duration;

const CODECS: [(&str, Compression); 5] = [
    ("none", Compression::None),
    ("gzip", Compression::Gzip),
    ("snappy", Compression::Snappy),
    ("lz4", Compression::Lz4),
    ("zstd", Compression::Zstd),
];
const RECORDS: usize = 200;

async fn create(kafka: &Kafka, topic: &str, partitions: i32) {
    let new = [NewTopic::new(topic, partitions)];
    kafka.admin().create_topics(&new, Duration::from_secs(30)).await.unwrap();
}

/// Key and value of every record of a partition, with the codec of every batch.
async fn read(
    kafka: &Kafka,
    topic: &str,
    partition: i32,
) -> (Vec<(Option<String>, Option<String>)>, Vec<Compression>) {
    let place = TopicPartition { topic: topic.into(), partition };
    let end = kafka
        .list_offsets(vec![(place.clone(), OffsetSpec::Latest)], Isolation::ReadUncommitted)
        .await
        .unwrap();
    let end = end[&place].offset.unwrap();
    let mut range = kafka.reader(FetchOptions::default()).read(&place, 0, end);
    let (mut records, mut codecs, mut scratch) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(fetched) = range.next().await.unwrap() {
        for batch in Batches::new(&fetched.records) {
            let batch = batch.unwrap();
            batch.verify_crc().unwrap();
            codecs.push(batch.header.compression().unwrap());
            for record in batch.records(1 << 24, &mut scratch).unwrap() {
                let record = record.unwrap();
                let text =
                    |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
                records.push((text(record.key), text(record.value)));
            }
        }
    }
    (records, codecs)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_we_write_their_consumer_reads_in_every_codec() {
    for version in VERSIONS {
        let Some(theirs) = RealKafka::shared(version) else { return };
        let kafka = Kafka::connect(ClientOptions::new(&theirs.bootstrap())).await.unwrap();
        for (name, compression) in CODECS {
            let topic = format!("we-write-{name}");
            create(&kafka, &topic, 1).await;
            let producer = kafka.producer(ProducerOptions { compression, ..ProducerOptions::default() });
            let arc: Arc<str> = topic.as_str().into();
            for number in 0..RECORDS {
                let (key, value) =
                    (format!("k{number}"), format!("value {number} {}", "x".repeat(number % 50)));
                let record = RecordRef {
                    timestamp: Some(1_735_689_600_000 + number as i64),
                    key: Some(key.as_bytes()),
                    value: Some(value.as_bytes()),
                    headers: &[(b"h", Some(b"1")), (b"h", None)],
                };
                producer.send(&arc, None, record).await.unwrap();
            }
            producer.flush().await.unwrap();
            let count = RECORDS.to_string();
            let bootstrap = theirs.bootstrap();
            let arguments = [
                "--bootstrap-server",
                &bootstrap,
                "--topic",
                &topic,
                "--from-beginning",
                "--max-messages",
                &count,
                "--timeout-ms",
                "30000",
                "--property",
                "print.key=true",
                "--property",
                "print.headers=true",
                "--property",
                "print.timestamp=true",
            ];
            let class = "org.apache.kafka.tools.consumer.ConsoleConsumer";
            let text = tokio::task::block_in_place(|| theirs.tool(class, &arguments, "")).unwrap();
            let lines: Vec<&str> = text.lines().filter(|line| line.contains("CreateTime")).collect();
            assert_eq!(lines.len(), RECORDS, "{version} {name}: {text}");
            for (number, line) in lines.iter().enumerate() {
                let value = format!("value {number} {}", "x".repeat(number % 50));
                let time = 1_735_689_600_000 + number;
                assert_eq!(
                    *line,
                    format!("CreateTime:{time}\th:1,h:null\tk{number}\t{value}"),
                    "{version} {name}"
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_their_producer_writes_we_read_in_every_codec() {
    for version in VERSIONS {
        let Some(theirs) = RealKafka::shared(version) else { return };
        let kafka = Kafka::connect(ClientOptions::new(&theirs.bootstrap())).await.unwrap();
        for (name, compression) in CODECS {
            let topic = format!("they-write-{name}");
            create(&kafka, &topic, 1).await;
            let lines: Vec<String> =
                (0..RECORDS).map(|number| format!("k{number}:value {number} äöü")).collect();
            let bootstrap = theirs.bootstrap();
            let arguments = [
                "--bootstrap-server",
                &bootstrap,
                "--topic",
                &topic,
                "--property",
                "parse.key=true",
                "--property",
                "key.separator=:",
                "--compression-codec",
                name,
            ];
            let class = match version {
                "3.9.1" => "kafka.tools.ConsoleProducer",
                _ => "org.apache.kafka.tools.ConsoleProducer",
            };
            let input = format!("{}\n", lines.join("\n"));
            tokio::task::block_in_place(|| theirs.tool(class, &arguments, &input)).unwrap();
            let (records, codecs) = read(&kafka, &topic, 0).await;
            let expected: Vec<_> = (0..RECORDS)
                .map(|number| (Some(format!("k{number}")), Some(format!("value {number} äöü"))))
                .collect();
            assert_eq!(records, expected, "{version} {name}");
            assert!(
                codecs.iter().all(|codec| *codec == compression),
                "{version}: {codecs:?} where {name} was asked for"
            );
        }
    }
}
