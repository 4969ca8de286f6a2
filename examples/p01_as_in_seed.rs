//! P1 with a slip that users make: a bracket is missing, and the error points at the place.

use millstream::prelude::*;

#[tokio::main]
async fn main() -> Result<()> {
    let brokers = std::env::args().nth(1).unwrap_or("localhost:9092".into());
    let session = Session::builder().app_name("StructuredStreamingSetup").get_or_create()?;
    let df = session
        .read_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", brokers)
        .option("subscribe", "JSON_TOPIC")
        .option("startingOffsets", "earliest")
        .option("maxRatePerPartition", 100)
        .option("maxOffsetsPerTrigger", 10)
        .load()?;
    df.print_schema();

    let kafka_df = df.select_expr(["CAST(value AS STRING"])?;
    kafka_df.write_stream().format("console").start().await?.await_termination().await
}
