//! P6 with a slip that users make: a streaming write to Kafka without a checkpoint, which is refused.

use millstream::prelude::*;

#[tokio::main]
async fn main() -> Result<()> {
    let brokers = std::env::args().nth(1).unwrap_or("localhost:9092".into());
    let session = Session::builder().app_name("kafka write as in the seed").get_or_create()?;
    let kafka = session.read_stream().format("kafka").option("kafka.bootstrap.servers", &brokers);
    let df = kafka.option("subscribe", "source").load()?;

    df.select_expr(["CAST(key AS STRING)", "CAST(value AS STRING)"])?
        .write_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", &brokers)
        .option("topic", "topic1")
        .start()
        .await?;
    Ok(())
}
