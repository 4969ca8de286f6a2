//! P1: a topic of JSON documents as columns on the console, ten offsets a trigger.

use millstream::prelude::*;

#[tokio::main]
async fn main() -> Result<()> {
    let brokers = std::env::args().nth(1).unwrap_or("localhost:9092".into());
    let session = Session::builder().app_name("StructuredStreamingSetup").get_or_create()?;

    let place = StructType::new().add("lat", SparkType::Double, true).add("lon", SparkType::Double, true);
    let schema = StructType::new()
        .add("crime_id", SparkType::String, true)
        .add("report_date", SparkType::Timestamp, true)
        .add("city", SparkType::String, true)
        .add("priority", SparkType::Integer, true)
        .add("where", SparkType::Struct(place), true);

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

    let kafka_df = df.select_expr(["CAST(value AS STRING)"])?;
    let json_df =
        kafka_df.select([from_json(col("value"), &schema).alias("JSON_TOPIC")])?.select(["JSON_TOPIC.*"])?;

    let query = json_df.write_stream().output_mode("append").format("console").start().await?;
    query.await_termination().await
}
