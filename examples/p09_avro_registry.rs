//! Beyond P9: framed values read and written with the registry's help. Each record is read with the schema that it
//! carries the id of, into columns of the subject's latest one; what is written is registered and framed again.

use millstream::prelude::*;

#[tokio::main]
async fn main() -> Result<()> {
    let brokers = std::env::args().nth(1).unwrap_or("localhost:9092".into());
    let registry = std::env::var("SCHEMA_REGISTRY_URL").unwrap_or("http://localhost:8081".into());
    let user_info = std::env::var("SCHEMA_REGISTRY_USER_INFO").unwrap_or("user:password".into());
    let session = Session::builder().app_name("gps with registry").get_or_create()?;

    let credentials = ("basic.auth.user.info", user_info.as_str());
    let gps_df = session
        .read_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", &brokers)
        .option("subscribe", "gps")
        .option("startingOffsets", "earliest")
        .load()?
        .select([from_avro_registered(
            col("value"),
            "gps-value",
            &registry,
            &[credentials, ("mode", "PERMISSIVE")],
        )
        .alias("gps")])?;
    gps_df.print_schema();

    let query = gps_df
        .filter("gps.deviceId IS NOT NULL")?
        .select(
            [to_avro_registered(col("gps"), "positions-value", &registry, &[credentials]).alias("value")],
        )?
        .write_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", &brokers)
        .option("topic", "positions")
        .option("checkpointLocation", "chk-positions")
        .start()
        .await?;
    query.await_termination().await
}
