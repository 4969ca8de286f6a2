//! The rows of the benchmarks: JSON orders of about 130 bytes, the same ones from the same seed.

use millstream::client::{
    ClientOptions, Compression, Isolation, Kafka, NewTopic, OffsetSpec, ProducerOptions, RecordRef,
    TopicPartition,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

const SEED: u64 = 20_261_121;
const FIRST_TIMESTAMP_MS: i64 = 1_735_689_600_000;
const CITIES: [&str; 6] = ["Berlin", "Lisbon", "Mumbai", "Nairobi", "Osaka", "Toronto"];

/// An order's columns, as DDL.
pub const SCHEMA: &str = "order_id BIGINT, customer STRING, city STRING, amount DOUBLE, quantity INT, created BIGINT, \
                          paid BOOLEAN";

/// How a topic of orders is written.
pub struct Topic<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its partitions.
    pub partitions: i32,
    /// How many orders in all.
    pub rows: u64,
    /// Compression of the batches.
    pub compression: Compression,
    /// Size of a batch before compression.
    pub batch_bytes: usize,
}

/// Writes one order over `text`.
pub fn order(random: &mut SmallRng, id: u64, text: &mut String) {
    text.clear();
    let (customer, city) = (random.random_range(0..1_000_000), CITIES[random.random_range(0..CITIES.len())]);
    let (amount, quantity) = (random.random_range(100..1_000_000), random.random_range(1..20));
    let _ = write!(
        text,
        "{{\"order_id\":{id},\"customer\":\"C{customer:06}\",\"city\":\"{city}\",\"amount\":{}.{:02},\
         \"quantity\":{quantity},\"created\":{},\"paid\":{}}}",
        amount / 100,
        amount % 100,
        FIRST_TIMESTAMP_MS + id as i64,
        quantity % 3 != 0,
    );
}

/// The seed's generator.
pub fn generator() -> SmallRng {
    SmallRng::seed_from_u64(SEED)
}

/// Makes and fills a topic; the high watermarks must add up to the rows.
pub async fn fill(bootstrap: &str, topic: &Topic<'_>) -> Result<(), String> {
    let kafka = Kafka::connect(ClientOptions::new(bootstrap)).await.map_err(|error| error.to_string())?;
    let new = NewTopic::new(topic.name, topic.partitions);
    kafka.admin().create_topics(&[new], Duration::from_secs(30)).await.map_err(|error| error.to_string())?;
    let producer = kafka.producer(ProducerOptions {
        compression: topic.compression,
        batch_bytes: topic.batch_bytes,
        linger: Duration::from_millis(200),
        ..ProducerOptions::default()
    });
    let name: Arc<str> = topic.name.into();
    let (mut random, mut text) = (generator(), String::new());
    for id in 0..topic.rows {
        order(&mut random, id, &mut text);
        let key = id.to_le_bytes();
        let record = RecordRef {
            timestamp: Some(FIRST_TIMESTAMP_MS + id as i64),
            key: Some(&key),
            value: Some(text.as_bytes()),
            headers: &[],
        };
        // Whole runs of ids go to one partition, so that batches fill up as a busy producer's do.
        let partition = (id / 1000 % topic.partitions as u64) as i32;
        producer.send(&name, Some(partition), record).await.map_err(|error| error.to_string())?;
    }
    producer.flush().await.map_err(|error| error.to_string())?;
    let ends = (0..topic.partitions)
        .map(|partition| (TopicPartition { topic: name.clone(), partition }, OffsetSpec::Latest))
        .collect();
    let ends =
        kafka.list_offsets(ends, Isolation::ReadUncommitted).await.map_err(|error| error.to_string())?;
    let written: i64 = ends.values().filter_map(|found| found.offset).sum();
    if written as u64 == topic.rows {
        Ok(())
    } else {
        Err(format!("{written} of {} rows written", topic.rows))
    }
}
