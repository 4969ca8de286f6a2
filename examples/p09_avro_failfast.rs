//! P9: the same values in FAILFAST mode: the first bad record ends the query.

use millstream::prelude::*;

#[tokio::main]
async fn main() -> Result<()> {
    let brokers = std::env::args().nth(1).unwrap_or("localhost:9092".into());
    let session = Session::builder().app_name("gps failfast").get_or_create()?;
    let gps_schema = std::fs::read_to_string("gps-value.avsc")?;
    let gps_df = session
        .read()
        .format("kafka")
        .option("kafka.bootstrap.servers", &brokers)
        .option("subscribe", "gps")
        .load()?;
    let payload = expr("substring(value, 6, length(value)-5)");
    let options = [("mode", "FAILFAST")];
    gps_df.select([from_avro_with(payload, &gps_schema, &options).alias("value")])?.show().await
}
