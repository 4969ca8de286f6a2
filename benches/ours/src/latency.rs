//! `bench latency`: a thousand records a second through a query with the default trigger, from the producer's clock to
//! the consumer's, for each `checkpoint.sync`.

use crate::medians::rounded;
use clap::Args;
use millstream::client::{
    ClientOptions, FetchOptions, Kafka, NewTopic, ProducerOptions, RecordRef, TopicPartition,
};
use millstream::prelude::*;
use millstream::protocol::records::Batches;
use millstream_integration::real_kafka::RealKafka;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Args)]
pub struct LatencyArguments {
    /// Records a second.
    #[arg(long, default_value_t = 1000)]
    rate: u64,
    /// Length of a run.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
}

/// Records of the first seconds are not counted: connections and plans are made then.
const WARM_UP: Duration = Duration::from_secs(3);
const RECORD_BYTES: usize = 1 << 24;

/// Measures `always`, `interval` and `never`.
pub fn run(arguments: &LatencyArguments) -> std::result::Result<(), String> {
    let kafka = RealKafka::start("4.3.1", &[])?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let mut line = Map::new();
    for sync in ["always", "interval", "never"] {
        let mut latencies = runtime
            .block_on(measure(arguments, &kafka.bootstrap(), sync))
            .map_err(|error| error.to_string())?;
        latencies.sort_unstable();
        let at = |part: f64| latencies[(latencies.len() as f64 * part) as usize] as f64 / 1000.0;
        eprintln!("{sync}: p50 {:.2} ms, p99 {:.2} ms over {} records", at(0.5), at(0.99), latencies.len());
        line.insert(format!("latency.{sync}.ours.p50_ms"), json!(rounded(at(0.5))));
        line.insert(format!("latency.{sync}.ours.p99_ms"), json!(rounded(at(0.99))));
        line.insert(format!("latency.{sync}.ours.records"), json!(latencies.len()));
    }
    println!("{}", Value::Object(line));
    Ok(())
}

fn micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64)
}

/// Microseconds from the moment a record was handed to the producer to the moment its copy was seen.
async fn measure(arguments: &LatencyArguments, bootstrap: &str, sync: &str) -> Result<Vec<u64>> {
    let (source, target) = (format!("in-{sync}"), format!("out-{sync}"));
    let kafka = Kafka::connect(ClientOptions::new(bootstrap)).await?;
    let topics = [NewTopic::new(&source, 1), NewTopic::new(&target, 1)];
    kafka.admin().create_topics(&topics, Duration::from_secs(30)).await?;
    let checkpoint = tempfile::tempdir()?;
    let session = Session::builder().build()?;
    let query = session
        .read_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("subscribe", &source)
        .option("startingOffsets", "earliest")
        .load()?
        .select_expr(["key", "upper(CAST(value AS STRING)) AS value"])?
        .write_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("kafka.linger.ms", 0)
        .option("topic", &target)
        .option("checkpointLocation", checkpoint.path().display())
        .option("checkpoint.sync", sync)
        .start()
        .await?;
    query.process_all_available().await?;
    let total = arguments.rate * arguments.seconds;
    let consumer = tokio::spawn(consume(kafka.clone(), target, total));
    produce(&kafka, &source, arguments, total).await?;
    let seen = consumer.await.expect("the consumer does not panic")?;
    query.stop().await?;
    let warm = arguments.rate * WARM_UP.as_secs();
    Ok(seen.into_iter().skip(warm as usize).collect())
}

async fn produce(kafka: &Kafka, topic: &str, arguments: &LatencyArguments, total: u64) -> Result<()> {
    let producer = kafka.producer(ProducerOptions { linger: Duration::ZERO, ..ProducerOptions::default() });
    let topic: Arc<str> = topic.into();
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / arguments.rate));
    for _ in 0..total {
        ticks.tick().await;
        let sent = micros().to_le_bytes();
        let record =
            RecordRef { key: Some(&sent), value: Some(b"some hundred bytes"), ..RecordRef::default() };
        producer.send(&topic, None, record).await?;
    }
    Ok(producer.flush().await?)
}

async fn consume(kafka: Kafka, topic: String, total: u64) -> Result<Vec<u64>> {
    let place = TopicPartition { topic: topic.as_str().into(), partition: 0 };
    let reader = kafka.reader(FetchOptions::default());
    reader.follow(&place, 0);
    let mut range = reader.read(&place, 0, i64::MAX);
    let (mut latencies, mut scratch) = (Vec::new(), Vec::new());
    while (latencies.len() as u64) < total {
        let Some(fetched) = range.next().await? else { break };
        let now = micros();
        for batch in Batches::new(&fetched.records).flatten() {
            let Ok(records) = batch.records(RECORD_BYTES, &mut scratch) else { continue };
            for record in records.flatten().filter(|record| record.offset >= fetched.from) {
                let sent = record.key.and_then(|key| key.try_into().ok()).map_or(now, u64::from_le_bytes);
                latencies.push(now.saturating_sub(sent));
            }
        }
    }
    Ok(latencies)
}
