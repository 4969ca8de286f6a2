//! P6: a topic copied three ways: to a topic given as an option, to a topic that a column names, and with headers and
//! partitions as they were.

use millstream::prelude::*;

const ROUTED: &str = "CASE WHEN CAST(key AS STRING) < 'k3' THEN 'topic1' ELSE 'topic2' END";

#[tokio::main]
async fn main() -> Result<()> {
    let brokers = std::env::args().nth(1).unwrap_or("localhost:9092".into());
    let session = Session::builder().app_name("kafka write").get_or_create()?;

    let df = session
        .read_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", &brokers)
        .option("subscribe", "source")
        .option("startingOffsets", "earliest")
        .option("includeHeaders", true)
        .load()?;
    let write = |frame: DataFrame, checkpoint: &str| {
        frame
            .write_stream()
            .format("kafka")
            .option("kafka.bootstrap.servers", &brokers)
            .option("checkpointLocation", checkpoint)
    };

    let texts = df.select_expr(["CAST(key AS STRING)", "CAST(value AS STRING)"])?;
    write(texts, "chk/option").option("topic", "topic1").start().await?;

    let routed = df.with_column("topic", expr(ROUTED))?;
    let routed = routed.select_expr(["topic", "CAST(key AS STRING)", "CAST(value AS STRING)"])?;
    write(routed, "chk/column").start().await?;

    let copied = df.select_expr(["key", "value", "headers", "partition"])?;
    write(copied, "chk/copy").option("topic", "copy").start().await?;

    session.streams().await_any_termination().await
}
