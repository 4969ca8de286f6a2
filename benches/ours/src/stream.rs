//! `bench stream`: Kafka -> from_json -> filter -> to_json -> Kafka with checkpoints, rows a second, and Spark beside
//! it where it is installed. What both wrote must be the same records.

use crate::SPARK_JOBS;
use crate::contender::cpu_seconds;
use crate::medians::{Figures, rounded};
use crate::orders::{self, SCHEMA, Topic};
use crate::topic_sum::{TopicSum, topic_sum};
use clap::Args;
use millstream::client::{ClientOptions, Compression, Kafka, NewTopic};
use millstream::prelude::*;
use millstream_integration::real_kafka::RealKafka;
use millstream_integration::spark::Spark;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

#[derive(Args)]
pub struct StreamArguments {
    /// Orders to work off.
    #[arg(long, default_value_t = 3_000_000)]
    rows: u64,
    /// Timed runs.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Python with pyspark; Spark is left out where it cannot import it.
    #[arg(long, default_value = "python3")]
    python: String,
}

const SOURCE: &str = "orders";
const PARTITIONS: i32 = 4;

/// Fills the topic, then works it off once a round, ours and Spark by turns.
pub fn run(arguments: &StreamArguments) -> std::result::Result<(), String> {
    let kafka = RealKafka::start("4.3.1", &[])?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let topic = Topic {
        name: SOURCE,
        partitions: PARTITIONS,
        rows: arguments.rows,
        compression: Compression::None,
        batch_bytes: 150_000,
    };
    eprintln!("writing {} orders", arguments.rows);
    runtime.block_on(orders::fill(&kafka.bootstrap(), &topic))?;
    let mut spark = Spark::start(&arguments.python, SPARK_JOBS)?;
    let mut figures = Figures::default();
    let mut first = None;
    for round in 1..=arguments.rounds {
        for contender in ["ours", "spark"] {
            if contender == "spark" && spark.is_none() {
                continue;
            }
            let target = format!("{contender}-{round}");
            let other = spark.as_mut().filter(|_| contender == "spark");
            let seconds = timed(&runtime, &kafka, &target, other, &mut figures)?;
            let sum = runtime.block_on(topic_sum(&kafka.bootstrap(), &target, PARTITIONS))?;
            same_records(&target, sum, *first.get_or_insert(sum))?;
            let rate = arguments.rows as f64 / seconds;
            figures.add(contender, "rows_written", sum.rows as f64);
            figures.add(contender, "rows_per_s", rate);
            eprintln!("round {round}: {contender} {:.2} M rows/s, {} rows written", rate / 1e6, sum.rows);
        }
    }
    println!("{}", line(&figures, spark.is_some()));
    Ok(())
}

/// Runs one contender into a topic of its own: Spark when it is given, else ours. Returns the seconds it took.
fn timed(
    runtime: &tokio::runtime::Runtime,
    kafka: &RealKafka,
    target: &str,
    spark: Option<&mut Spark>,
    figures: &mut Figures,
) -> std::result::Result<f64, String> {
    let bootstrap = kafka.bootstrap();
    runtime.block_on(create(&bootstrap, target)).map_err(|error| error.to_string())?;
    let checkpoint = tempfile::tempdir().map_err(|error| error.to_string())?;
    let broker = kafka.process_id().map(|id| id.to_string()).unwrap_or_default();
    let process = spark.as_ref().map_or("self".to_owned(), |spark| spark.process_id().to_owned());
    let (own, theirs) = (cpu_seconds(&process), cpu_seconds(&broker));
    let (contender, seconds) = match spark {
        Some(spark) => ("spark", in_spark(spark, &bootstrap, target, checkpoint.path())?),
        None => {
            let ended = runtime.block_on(ours(&bootstrap, target, checkpoint.path()));
            ("ours", ended.map_err(|error| error.to_string())?)
        }
    };
    figures.add(contender, "cpu_s", cpu_seconds(&process) - own);
    figures.add(contender, "broker_cpu_s", cpu_seconds(&broker) - theirs);
    Ok(seconds)
}

fn same_records(target: &str, sum: TopicSum, first: TopicSum) -> std::result::Result<(), String> {
    match sum == first {
        true => Ok(()),
        false => {
            Err(format!("topic {target} holds other records than the first run's: {sum:?}, not {first:?}"))
        }
    }
}

fn line(figures: &Figures, spark: bool) -> Value {
    let mut line = Map::new();
    let contenders: &[&str] = if spark { &["ours", "spark"] } else { &["ours"] };
    for contender in contenders {
        for figure in ["rows_per_s", "rows_written", "cpu_s", "broker_cpu_s"] {
            let median = rounded(figures.median(contender, figure));
            line.insert(format!("stream.json.{contender}.{figure}"), json!(median));
        }
    }
    if spark {
        let ratio = figures.median("ours", "rows_per_s") / figures.median("spark", "rows_per_s");
        line.insert("stream.json.ratio.spark".into(), json!(rounded(ratio)));
    }
    Value::Object(line)
}

async fn create(bootstrap: &str, topic: &str) -> millstream::client::Result<()> {
    let kafka = Kafka::connect(ClientOptions::new(bootstrap)).await?;
    kafka.admin().create_topics(&[NewTopic::new(topic, PARTITIONS)], Duration::from_secs(30)).await
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

/// Seconds from the query's start in Spark to its end.
fn in_spark(
    spark: &mut Spark,
    bootstrap: &str,
    target: &str,
    checkpoint: &Path,
) -> std::result::Result<f64, String> {
    let job = json!({
        "job": "stream", "bootstrap": bootstrap, "source": SOURCE, "target": target, "checkpoint": checkpoint,
    });
    spark.run(&job)?["seconds"].as_f64().ok_or("Spark told no time".into())
}
