//! P4: batch reads of topics, evaluated twice: the second time sees new rows only where the end is open.

use millstream::prelude::*;

const STARTING: &str = r#"{"topic1":{"0":23,"1":-2},"topic2":{"0":-2}}"#;
const ENDING: &str = r#"{"topic1":{"0":50,"1":-1},"topic2":{"0":-1}}"#;

#[tokio::main]
async fn main() -> Result<()> {
    let brokers = std::env::args().nth(1).unwrap_or("localhost:9092".into());
    let session = Session::builder().app_name("batch reads").get_or_create()?;
    let kafka = || session.read().format("kafka").option("kafka.bootstrap.servers", &brokers);
    let text = ["CAST(key AS STRING)", "CAST(value AS STRING)"];

    // One topic: from its earliest to its latest record.
    let one = kafka().option("subscribe", "topic1").load()?.select_expr(text)?;

    // Several topics, with offsets for each partition.
    let df = kafka()
        .option("subscribe", "topic1,topic2")
        .option("startingOffsets", STARTING)
        .option("endingOffsets", ENDING)
        .load()?;
    let two = df.select_expr(text)?;
    let places = df
        .select_expr(["topic", "partition", "offset"])?
        .group_by(["topic", "partition"])
        .agg([min(col("offset")).alias("first"), count(star())])?;

    // Every topic of a pattern.
    let df = kafka()
        .option("subscribePattern", "topic.*")
        .option("startingOffsets", "earliest")
        .option("endingOffsets", "latest")
        .load()?;
    let every = df.select_expr(text)?;

    for round in ["first", "second"] {
        println!("{round}");
        one.print_schema();
        one.order_by(["key", "value"])?.show_with(100, false, false).await?;
        two.order_by(["key", "value"])?.show_with(100, false, false).await?;
        places.order_by(["topic", "partition"])?.show().await?;
        every.group_by(["key"]).count()?.order_by(["key"])?.show().await?;
        println!("{} {} {}", one.count().await?, two.count().await?, every.count().await?);
        eprint!("press enter to read again");
        std::io::stdin().read_line(&mut String::new())?;
    }
    Ok(())
}
