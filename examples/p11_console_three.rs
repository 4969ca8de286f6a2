//! P11: what is typed into a console producer comes out as tables, a batch each.

use millstream::prelude::*;

#[tokio::main]
async fn main() -> Result<()> {
    let brokers = std::env::args().nth(1).unwrap_or("localhost:9092".into());
    let session = Session::builder().app_name("StructuredSocketRead").get_or_create()?;

    let lines = session
        .read_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", brokers)
        .option("subscribe", "kafka-new-topic")
        .load()?;

    let query = lines
        .select_expr(["cast(key as string)", "cast(value as string)"])?
        .write_stream()
        .output_mode("append")
        .format("console")
        .start()
        .await?;
    query.await_termination().await
}
