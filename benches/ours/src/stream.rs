//! `bench stream`: Kafka -> from_json -> filter -> to_json -> Kafka with checkpoints, rows a second, and pyspark
//! beside it where it is installed.

use crate::contender::cpu_seconds;
use crate::medians::{Figures, rounded};
use crate::orders::{self, Topic};
use clap::Args;
use millstream::client::{
    ClientOptions, Compression, Isolation, Kafka, NewTopic, OffsetSpec, TopicPartition,
};
use millstream::prelude::*;
use millstream_integration::real_kafka::RealKafka;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct StreamArguments {
    /// Orders to work off.
    #[arg(long, default_value_t = 3_000_000)]
    rows: u64,
    /// Timed runs.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Python with pyspark and its Kafka connector; left out where it cannot import pyspark.
    #[arg(long, default_value = "python3")]
    python: String,
}

const SOURCE: &str = "orders";
const PARTITIONS: i32 = 4;
const SCHEMA: &str = "order_id BIGINT, customer STRING, city STRING, amount DOUBLE, quantity INT, created BIGINT, \
                      paid BOOLEAN";
const SPARK: &str = include_str!("spark_stream.py");

/// Fills the topic, then works it off once a round, ours and Spark by turns.
pub fn run(arguments: &StreamArguments) -> std::result::Result<(), String> {
    let kafka = RealKafka::start("4.3.1", &[])?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let rows = arguments.rows;
    let topic = Topic {
        name: SOURCE,
        partitions: PARTITIONS,
        rows,
        compression: Compression::None,
        batch_bytes: 150_000,
    };
    eprintln!("writing {rows} orders");
    runtime.block_on(orders::fill(&kafka.bootstrap(), &topic))?;
    let spark = has_pyspark(&arguments.python);
    let mut figures = Figures::default();
    for round in 1..=arguments.rounds {
        for contender in ["ours", "spark"] {
            if contender == "spark" && !spark {
                continue;
            }
            let target = format!("{contender}-{round}");
            runtime.block_on(create(&kafka.bootstrap(), &target)).map_err(|error| error.to_string())?;
            let checkpoint = tempfile::tempdir().map_err(|error| error.to_string())?;
            let broker = kafka.process_id().map(|id| id.to_string()).unwrap_or_default();
            let (own, theirs) = (cpu_seconds("self"), cpu_seconds(&broker));
            let seconds = match contender {
                "ours" => runtime
                    .block_on(ours(&kafka.bootstrap(), &target, checkpoint.path()))
                    .map_err(|error| error.to_string())?,
                _ => run_spark(&arguments.python, &kafka.bootstrap(), &target, checkpoint.path())?,
            };
            let written =
                runtime.block_on(written(&kafka.bootstrap(), &target)).map_err(|error| error.to_string())?;
            figures.add(contender, "rows_written", written as f64);
            figures.add(contender, "rows_per_s", rows as f64 / seconds);
            figures.add(contender, "cpu_s", cpu_seconds("self") - own);
            figures.add(contender, "broker_cpu_s", cpu_seconds(&broker) - theirs);
            eprintln!(
                "round {round}: {contender} {:.2} M rows/s, {written} rows written",
                rows as f64 / seconds / 1e6
            );
        }
    }
    println!("{}", line(&figures, spark));
    Ok(())
}

fn line(figures: &Figures, spark: bool) -> Value {
    let mut line = Map::new();
    for figure in ["rows_per_s", "rows_written", "cpu_s", "broker_cpu_s"] {
        line.insert(format!("stream.json.ours.{figure}"), json!(rounded(figures.median("ours", figure))));
    }
    if spark {
        for figure in ["rows_per_s", "rows_written"] {
            line.insert(
                format!("stream.json.spark.{figure}"),
                json!(rounded(figures.median("spark", figure))),
            );
        }
        let ratio = figures.median("ours", "rows_per_s") / figures.median("spark", "rows_per_s");
        line.insert("stream.json.ratio.spark".into(), json!(rounded(ratio)));
    }
    Value::Object(line)
}

async fn create(bootstrap: &str, topic: &str) -> millstream::client::Result<()> {
    let kafka = Kafka::connect(ClientOptions::new(bootstrap)).await?;
    kafka.admin().create_topics(&[NewTopic::new(topic, PARTITIONS)], Duration::from_secs(30)).await
}

/// What the high watermarks confirm.
async fn written(bootstrap: &str, topic: &str) -> millstream::client::Result<i64> {
    let kafka = Kafka::connect(ClientOptions::new(bootstrap)).await?;
    let places = (0..PARTITIONS).map(|partition| TopicPartition { topic: topic.into(), partition });
    let wanted = places.map(|place| (place, OffsetSpec::Latest)).collect();
    let ends = kafka.list_offsets(wanted, Isolation::ReadUncommitted).await?;
    Ok(ends.values().filter_map(|found| found.offset).sum())
}

/// Seconds from the session's start to the end of the query, which stops by itself when everything is worked off.
async fn ours(bootstrap: &str, target: &str, checkpoint: &Path) -> Result<f64> {
    let start = Instant::now();
    let session = Session::builder().build()?;
    let query = session
        .read_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("subscribe", SOURCE)
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", 500_000)
        .load()?
        .select([from_json(col("value").cast(SparkType::String), SCHEMA).alias("o")])?
        .select(["o.*"])?
        .filter("amount > 2500")?
        .select_expr(["CAST(order_id AS STRING) AS key", "to_json(struct(*)) AS value"])?
        .write_stream()
        .format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("topic", target)
        .option("checkpointLocation", checkpoint.display())
        .trigger(Trigger::AvailableNow)
        .start()
        .await?;
    query.await_termination().await?;
    Ok(start.elapsed().as_secs_f64())
}

fn has_pyspark(python: &str) -> bool {
    let found = Command::new(python)
        .args(["-c", "import pyspark"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("{python} has no pyspark: Spark is not measured beside");
    }
    found
}

fn run_spark(
    python: &str,
    bootstrap: &str,
    target: &str,
    checkpoint: &Path,
) -> std::result::Result<f64, String> {
    let output = Command::new(python)
        .args(["-c", SPARK, bootstrap, SOURCE, target])
        .arg(checkpoint)
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    last.parse().map_err(|_| format!("Spark failed: {text}\n{}", String::from_utf8_lossy(&output.stderr)))
}
