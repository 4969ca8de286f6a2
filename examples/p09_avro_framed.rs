//! P9: Avro values behind a magic byte and a schema id, cut with substring and length. The schema is what the registry
//! has for the subject `gps-value`: asked there if SCHEMA_REGISTRY_URL is set, else a file that it was saved to.

use millstream::prelude::*;
use millstream::registry::{Registry, RegistryOptions};

fn rearrange_bytes(df: &DataFrame) -> Result<DataFrame> {
    // Magic byte, then the schema's id, then the value.
    df.with_column("magicByte", expr("substring(value, 1, 1)"))?
        .with_column("valueSchemaId", expr("substring(value, 2, 4)"))?
        .with_column("fixedValue", expr("substring(value, 6, length(value)-5)"))?
        .select(["magicByte", "valueSchemaId", "fixedValue"])
}

async fn gps_schema() -> std::result::Result<String, Box<dyn std::error::Error>> {
    match std::env::var("SCHEMA_REGISTRY_URL") {
        // http://user:password@host:port for basic authentication.
        Ok(url) => {
            let registry = Registry::new(RegistryOptions::new(&url)?)?;
            Ok(registry.latest("gps-value").await?.schema.text)
        }
        Err(_) => Ok(std::fs::read_to_string("gps-value.avsc")?),
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let brokers = std::env::args().nth(1).unwrap_or("localhost:9092".into());
    let session = Session::builder().app_name("gps").get_or_create()?;
    let gps_schema = gps_schema().await?;

    let gps_df = session
        .read_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", &brokers)
        .option("subscribe", "gps")
        .option("startingOffsets", "earliest")
        .load()?;
    rearrange_bytes(&gps_df)?.print_schema();
    let console =
        |df: DataFrame| df.write_stream().format("console").option("truncate", "false").option("numRows", 50);
    console(rearrange_bytes(&gps_df)?).start().await?.process_all_available().await?;

    let payload = expr("substring(value, 6, length(value)-5)");
    let whole =
        gps_df.select([from_avro_with(payload, &gps_schema, &[("mode", "PERMISSIVE")]).alias("value")])?;
    whole.print_schema();
    let structured = whole.select_expr([
        "value.timestamp",
        "value.deviceId",
        "value.latitude",
        "value.longitude",
        "value.altitude",
        "value.speed",
    ])?;
    structured.print_schema();
    let query = console(structured).start().await?;

    let with_schema =
        when(expr("value.timestamp IS NOT NULL"), to_avro_with_schema(col("value"), &gps_schema));
    whole
        .select([
            to_avro(col("value")).alias("plain"),
            with_schema.alias("with_schema"),
            expr("to_json(value)").alias("json"),
        ])?
        .select_expr(["hex(plain) AS key", "concat_ws(' ', hex(with_schema), json) AS value"])?
        .write_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", &brokers)
        .option("topic", "again")
        .option("checkpointLocation", "chk")
        .start()
        .await?;
    Ok(query.await_termination().await?)
}
