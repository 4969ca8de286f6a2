//! A real broker that is killed as `kill -9` does and started again, while the client's process lives: exact counts,
//! no duplicates, no gaps, order kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use millstream::client::{
    ClientOptions, FetchOptions, Kafka, Producer, ProducerOptions, RecordRef, TopicPartition,
};
use millstream_integration::real_kafka::RealKafka;

use super::records::{assert_exact, create, decode, producer_options};

const RECORDS: u64 = 20_000;
const TOPIC: &str = "outlives-its-broker";

#[tokio::test(flavor = "multi_thread")]
async fn kafka_4_3_1_may_be_killed_in_mid_write_and_in_mid_read() {
    killed_and_restarted("4.3.1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kafka_3_9_1_may_be_killed_in_mid_write_and_in_mid_read() {
    killed_and_restarted("3.9.1").await;
}

async fn killed_and_restarted(version: &str) {
    if tokio::task::block_in_place(|| RealKafka::shared(version)).is_none() {
        return;
    }
    // Not the shared one: this one dies.
    let broker = tokio::task::block_in_place(|| RealKafka::start(version, &[])).unwrap();
    let restart = || tokio::task::block_in_place(|| broker.restart()).unwrap();
    let kafka = Kafka::connect(ClientOptions::new(&broker.bootstrap())).await.unwrap();
    create(&kafka, TOPIC, 2, &[]).await;

    let written = Arc::new(AtomicU64::new(0));
    // A small buffer: some batches are always in flight, and the writer is never far ahead of the broker.
    let producer = kafka.producer(ProducerOptions { buffer_bytes: 50_000, ..producer_options() });
    let writing = tokio::spawn(write_all(producer, written.clone()));
    for part in [1, 2] {
        while written.load(Ordering::Relaxed) < RECORDS * part / 3 {
            assert!(!writing.is_finished(), "the writer has stopped");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        restart();
        assert!(written.load(Ordering::Relaxed) < RECORDS, "the kill came too late");
    }
    writing.await.unwrap();
    assert_exact(&kafka, TOPIC, 2, RECORDS).await;

    // No byte is prefetched, so that what comes after the kill is fetched from the new process.
    let reader =
        kafka.reader(FetchOptions { budget_bytes: 1, max_partition_bytes: 4000, ..FetchOptions::default() });
    let end = i64::try_from(RECORDS / 2).unwrap();
    let mut range = reader.read(&TopicPartition::new(TOPIC, 1), 0, end);
    let (mut rows, mut kills) = (Vec::new(), 0);
    while let Some(fetched) = range.next().await.unwrap() {
        rows.extend(decode(&fetched));
        if kills == 0 && rows.len() as u64 > RECORDS / 4 {
            kills += 1;
            restart();
        }
    }
    assert_eq!(kills, 1);
    let expected: Vec<_> = (0..end).map(|offset| (offset, (offset * 2 + 1).to_string())).collect();
    assert!(rows == expected, "{} rows instead of {}, or in another order", rows.len(), expected.len());
}

async fn write_all(producer: Producer, written: Arc<AtomicU64>) {
    let topic: Arc<str> = TOPIC.into();
    for number in 0..RECORDS {
        let value = number.to_string();
        let record = RecordRef { value: Some(value.as_bytes()), ..RecordRef::default() };
        producer.send(&topic, Some(i32::from(number % 2 == 1)), record).await.unwrap();
        written.store(number, Ordering::Relaxed);
    }
    producer.flush().await.unwrap();
}
