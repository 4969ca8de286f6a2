//! Writes numbered records to a topic and says how fast that was:
//! `cargo run --release -p millstream-client --example write_topic -- localhost:9092 orders 1000000 [CODEC]`

use std::sync::Arc;
use std::time::Instant;

use millstream_client::{ClientOptions, Kafka, ProducerOptions, RecordRef, Result, Sent};

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bootstrap, topic, count, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: write_topic BOOTSTRAP TOPIC COUNT [CODEC]");
        std::process::exit(2);
    };
    let count: u64 = count.parse().unwrap_or(0);
    let compression = rest.first().and_then(|codec| codec.parse().ok()).unwrap_or_default();
    let kafka = Kafka::connect(ClientOptions::new(bootstrap)).await?;
    let producer = kafka.producer(ProducerOptions { compression, ..ProducerOptions::default() });
    let topic: Arc<str> = topic.as_str().into();
    producer.partitions(&topic).await?;

    let started = Instant::now();
    for number in 0..count {
        let value = format!(
            "{{\"order_id\":{number},\"customer\":\"customer-{}\",\"amount\":{}.{:02},\"currency\":\"EUR\",\
             \"state\":\"paid\",\"items\":{},\"note\":\"none\"}}",
            number % 10_007,
            number % 997,
            number % 100,
            number % 7
        );
        let record = RecordRef { value: Some(value.as_bytes()), ..RecordRef::default() };
        if producer.try_send(&topic, None, record)? != Sent::Ok {
            producer.send(&topic, None, record).await?;
        }
    }
    producer.flush().await?;
    let seconds = started.elapsed().as_secs_f64();
    println!("{count} records in {seconds:.3} s: {:.2} M records/s", count as f64 / seconds / 1e6);
    Ok(())
}
