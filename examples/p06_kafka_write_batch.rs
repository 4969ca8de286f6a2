//! P6 as a batch: the same two writes, once over what is there.

use millstream::prelude::*;

const ROUTED: &str = "CASE WHEN CAST(key AS STRING) < 'k3' THEN 'topic1' ELSE 'topic2' END";

#[tokio::main]
async fn main() -> Result<()> {
    let brokers = std::env::args().nth(1).unwrap_or("localhost:9092".into());
    let session = Session::builder().app_name("kafka write batch").get_or_create()?;
    let kafka = session.read().format("kafka").option("kafka.bootstrap.servers", &brokers);
    let df = kafka.option("subscribe", "source").load()?;

    df.select_expr(["CAST(key AS STRING)", "CAST(value AS STRING)"])?
        .write()
        .format("kafka")
        .option("kafka.bootstrap.servers", &brokers)
        .option("topic", "topic1")
        .save()
        .await?;

    df.with_column("topic", expr(ROUTED))?
        .select_expr(["topic", "CAST(key AS STRING)", "CAST(value AS STRING)"])?
        .write()
        .format("kafka")
        .option("kafka.bootstrap.servers", &brokers)
        .save()
        .await
}
