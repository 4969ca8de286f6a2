//! What the suites write, and what a read of it brings. The suites over a bootstrap address (`integration`) use
//! this file too.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use millstream_client::{
    Error, FetchedRecords, Isolation, Kafka, NewTopic, OffsetSpec, Producer, ProducerOptions, RangeRead,
    RecordRef, TopicPartition,
};
use millstream_protocol::records::Batches;

/// Nothing in a test may take longer.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Small batches and quick retries.
pub fn producer_options() -> ProducerOptions {
    ProducerOptions {
        batch_bytes: 1000,
        linger: Duration::ZERO,
        retry_backoff: Duration::from_millis(10),
        ..ProducerOptions::default()
    }
}

/// Writes records `first..last` in turn to `partitions` partitions; the value is the number in decimal.
pub async fn write(producer: &Producer, topic: &str, partitions: i32, numbers: Range<u64>) {
    write_unflushed(producer, topic, partitions, numbers).await;
    producer.flush().await.unwrap();
}

/// As [`write`], but what it wrote may not have been sent yet.
pub async fn write_unflushed(producer: &Producer, topic: &str, partitions: i32, numbers: Range<u64>) {
    let topic: Arc<str> = topic.into();
    for number in numbers {
        let value = number.to_string();
        let partition = i32::try_from(number % u64::try_from(partitions).unwrap()).unwrap();
        let record = RecordRef { value: Some(value.as_bytes()), ..RecordRef::default() };
        producer.send(&topic, Some(partition), record).await.unwrap();
    }
}

/// A new topic of `partitions` with the numbers `0..count` spread over it.
pub async fn fill(kafka: &Kafka, topic: &str, partitions: i32, count: u64) {
    create(kafka, topic, partitions, &[]).await;
    write(&kafka.producer(producer_options()), topic, partitions, 0..count).await;
}

/// Makes a topic.
pub async fn create(kafka: &Kafka, topic: &str, partitions: i32, configs: &[(&str, &str)]) {
    let mut new = NewTopic::new(topic, partitions);
    new.configs = configs.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
    kafka.admin().create_topics(&[new], PATIENCE).await.unwrap();
}

/// Offsets and values of a fetch, trimmed to its range.
pub fn decode(fetched: &FetchedRecords) -> Vec<(i64, String)> {
    let mut rows = Vec::new();
    let mut scratch = Vec::new();
    for batch in Batches::new(&fetched.records) {
        let batch = batch.unwrap();
        batch.verify_crc().unwrap();
        if batch.header.is_control() {
            continue;
        }
        for record in batch.records(usize::MAX, &mut scratch).unwrap() {
            let record = record.unwrap();
            if (fetched.from..fetched.until).contains(&record.offset) {
                rows.push((record.offset, String::from_utf8(record.value.unwrap_or(b"").to_vec()).unwrap()));
            }
        }
    }
    rows
}

/// Reads a range to its end.
pub async fn drain(mut range: RangeRead) -> Result<Vec<(i64, String)>, Error> {
    let mut rows = Vec::new();
    let all = async {
        while let Some(fetched) = range.next().await? {
            rows.extend(decode(&fetched));
        }
        Ok(())
    };
    tokio::time::timeout(PATIENCE, all).await.expect("the range ends in time")?;
    assert!(rows.windows(2).all(|pair| pair[0].0 < pair[1].0), "offsets ascend");
    Ok(rows)
}

/// Every record of a topic, read with a fresh reader, by partition.
pub async fn everything(kafka: &Kafka, topic: &str) -> BTreeMap<i32, Vec<String>> {
    let reader = kafka.reader(kafka.options().fetch.clone());
    let described = kafka.describe_topics(&[topic.to_owned()]).await.unwrap();
    let mut rows = BTreeMap::new();
    for partition in &described[0].partitions {
        let tp = TopicPartition::new(topic, partition.partition);
        let (start, end) = bounds(kafka, &tp).await;
        let found = drain(reader.read(&tp, start, end)).await.unwrap();
        rows.insert(partition.partition, found.into_iter().map(|(_, value)| value).collect());
    }
    rows
}

/// First offset and end of a partition.
pub async fn bounds(kafka: &Kafka, tp: &TopicPartition) -> (i64, i64) {
    let mut bounds = Vec::new();
    for spec in [OffsetSpec::Earliest, OffsetSpec::Latest] {
        let found = kafka.list_offsets(vec![(tp.clone(), spec)], Isolation::ReadUncommitted).await.unwrap();
        bounds.push(found[tp].offset.unwrap());
    }
    (bounds[0], bounds[1])
}

/// Checks that a topic holds just what [`write`] wrote as `0..count`, once and in order.
pub async fn assert_exact(kafka: &Kafka, topic: &str, partitions: u64, count: u64) {
    let rows = everything(kafka, topic).await;
    for partition in 0..partitions {
        let found = &rows[&i32::try_from(partition).unwrap()];
        assert_same(&format!("{topic}-{partition}"), found, &numbers(partition, partitions, count));
    }
}

/// What `write` has put into one partition.
pub fn numbers(partition: u64, partitions: u64, count: u64) -> Vec<String> {
    (0..count).filter(|n| n % partitions == partition).map(|n| n.to_string()).collect()
}

/// Compares what a partition holds with what was written; a difference is told by its place and its kind.
fn assert_same(partition: &str, found: &[String], expected: &[String]) {
    let Some(at) = (0..found.len().max(expected.len())).find(|at| found.get(*at) != expected.get(*at)) else {
        return;
    };
    let count = |all: &[String]| {
        let mut counts = BTreeMap::new();
        all.iter().for_each(|value| *counts.entry(value.clone()).or_insert(0_i64) += 1);
        counts
    };
    let (have, want) = (count(found), count(expected));
    let more = |these: &BTreeMap<String, i64>, those: &BTreeMap<String, i64>| {
        let extra = these.iter().filter(|(value, n)| **n > those.get(*value).copied().unwrap_or(0));
        extra.map(|(value, _)| value.clone()).take(5).collect::<Vec<_>>()
    };
    let around = |all: &[String]| all[at.min(all.len())..(at + 5).min(all.len())].to_vec();
    panic!(
        "{partition}: {} records, {} expected; from position {at} on {:?} where {:?} is expected; \
         lost: {:?}, too often: {:?}",
        found.len(),
        expected.len(),
        around(found),
        around(expected),
        more(&want, &have),
        more(&have, &want)
    );
}
