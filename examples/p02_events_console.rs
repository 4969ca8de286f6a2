//! P2: new events on the console, with every default.

use millstream::prelude::*;

#[tokio::main]
async fn main() -> Result<()> {
    let brokers = std::env::args().nth(1).unwrap_or("localhost:9092".into());
    let session = Session::builder().app_name("KafkaIntegration").get_or_create()?;

    let kafka_df = session
        .read_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", brokers)
        .option("subscribe", "events")
        .load()?;

    // A Kafka record has key, value, topic, partition, offset and timestamp; the value holds the message's bytes.
    let messages = kafka_df.select_expr(["CAST(value AS STRING) as message"])?;

    let query = messages.write_stream().output_mode("append").format("console").start().await?;
    query.await_termination().await
}
