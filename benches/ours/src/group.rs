//! `bench group`: a batch read of Kafka, `from_json` and a group-by, rows a second, and Spark beside it where it is
//! installed.

use crate::SPARK_JOBS;
use crate::contender::cpu_seconds;
use crate::medians::{Figures, rounded};
use crate::orders::{self, SCHEMA, Topic};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use clap::Args;
use millstream::client::Compression;
use millstream::prelude::*;
use millstream_integration::real_kafka::RealKafka;
use millstream_integration::spark::Spark;
use serde_json::{Map, Value, json};
use std::time::Instant;

#[derive(Args)]
pub struct GroupArguments {
    /// Orders in the topic.
    #[arg(long, default_value_t = 3_000_000)]
    rows: u64,
    /// Timed runs of each contender.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Python with pyspark; Spark is left out where it cannot import it.
    #[arg(long, default_value = "python3")]
    python: String,
}

const SOURCE: &str = "orders";
const QUERY: &str = "SELECT city, count(*) AS orders, sum(amount) AS amount, avg(quantity) AS quantity FROM orders \
                     GROUP BY city ORDER BY city";
/// Sums of doubles depend on the order of the rows in their last digits.
const TOLERANCE: f64 = 1e-9;

/// A group: its city, the number of its orders, the sum of their amounts and the mean of their quantities.
type Group = (String, i64, f64, f64);

/// Fills the topic, then runs the query twice a round and times the second run, ours and Spark by turns; every result
/// must be the same.
pub fn run(arguments: &GroupArguments) -> std::result::Result<(), String> {
    let kafka = RealKafka::start("4.3.1", &[])?;
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let topic = Topic {
        name: SOURCE,
        partitions: 4,
        rows: arguments.rows,
        compression: Compression::None,
        batch_bytes: 150_000,
    };
    eprintln!("writing {} orders", arguments.rows);
    runtime.block_on(orders::fill(&kafka.bootstrap(), &topic))?;
    let mut spark = Spark::start(&arguments.python, SPARK_JOBS)?;
    let mut figures = Figures::default();
    let mut first: Option<Vec<Group>> = None;
    let broker = kafka.process_id().map(|id| id.to_string()).unwrap_or_default();
    for round in 1..=arguments.rounds {
        for contender in ["ours", "spark"] {
            let process = match (contender, &spark) {
                ("spark", None) => continue,
                ("spark", Some(spark)) => spark.process_id().to_owned(),
                _ => "self".to_owned(),
            };
            let mut query = || match &mut spark {
                Some(spark) if contender == "spark" => in_spark(spark, &kafka.bootstrap()),
                _ => runtime.block_on(ours(&kafka.bootstrap())).map_err(|error| error.to_string()),
            };
            // The other one has used the memory and the broker meanwhile: each is timed behind a run of its own.
            query()?;
            let (own, theirs) = (cpu_seconds(&process), cpu_seconds(&broker));
            let (seconds, groups) = query()?;
            figures.add(contender, "rows_per_s", arguments.rows as f64 / seconds);
            figures.add(contender, "cpu_s", cpu_seconds(&process) - own);
            figures.add(contender, "broker_cpu_s", cpu_seconds(&broker) - theirs);
            check(contender, &groups, arguments.rows, first.get_or_insert_with(|| groups.clone()))?;
            eprintln!("round {round}: {contender} {:.2} M rows/s", arguments.rows as f64 / seconds / 1e6);
        }
    }
    println!("{}", line(&figures, spark.is_some()));
    Ok(())
}

fn line(figures: &Figures, spark: bool) -> Value {
    let mut line = Map::new();
    let contenders: &[&str] = if spark { &["ours", "spark"] } else { &["ours"] };
    for contender in contenders {
        for figure in ["rows_per_s", "cpu_s", "broker_cpu_s"] {
            let median = rounded(figures.median(contender, figure));
            line.insert(format!("group.json.{contender}.{figure}"), json!(median));
        }
    }
    if spark {
        let ratio = figures.median("ours", "rows_per_s") / figures.median("spark", "rows_per_s");
        line.insert("group.json.ratio.spark".into(), json!(rounded(ratio)));
    }
    Value::Object(line)
}

/// All orders are counted, and the groups are those of the first run.
fn check(contender: &str, groups: &[Group], rows: u64, first: &[Group]) -> std::result::Result<(), String> {
    let counted: i64 = groups.iter().map(|group| group.1).sum();
    if counted as u64 != rows {
        return Err(format!("{contender} counted {counted} of {rows} orders"));
    }
    let near = |one: f64, other: f64| (one - other).abs() <= TOLERANCE * other.abs();
    let same = groups.len() == first.len()
        && groups.iter().zip(first).all(|(one, other)| {
            one.0 == other.0 && one.1 == other.1 && near(one.2, other.2) && near(one.3, other.3)
        });
    match same {
        true => Ok(()),
        false => Err(format!("{contender} found other groups: {groups:?} and not {first:?}")),
    }
}

/// Seconds from the session's start to the collected groups.
async fn ours(bootstrap: &str) -> Result<(f64, Vec<Group>)> {
    let start = Instant::now();
    let session = Session::builder().build()?;
    let orders = session
        .read()
        .format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("subscribe", SOURCE)
        .load()?
        .select([from_json(col("value").cast(SparkType::String), SCHEMA).alias("o")])?
        .select(["o.*"])?;
    orders.create_or_replace_temp_view("orders");
    let batches = session.sql(QUERY)?.collect().await?;
    let seconds = start.elapsed().as_secs_f64();
    let mut groups = Vec::new();
    for batch in &batches {
        let (cities, counts) =
            (batch.column(0).as_string_view(), batch.column(1).as_primitive::<Int64Type>());
        let amounts = batch.column(2).as_primitive::<Float64Type>();
        let quantities = batch.column(3).as_primitive::<Float64Type>();
        groups.extend((0..batch.num_rows()).map(|row| {
            (cities.value(row).to_owned(), counts.value(row), amounts.value(row), quantities.value(row))
        }));
    }
    Ok((seconds, groups))
}

fn in_spark(spark: &mut Spark, bootstrap: &str) -> std::result::Result<(f64, Vec<Group>), String> {
    let job = json!({"job": "group", "bootstrap": bootstrap, "source": SOURCE, "query": QUERY});
    let answer = spark.run(&job)?;
    let seconds = answer["seconds"].as_f64().ok_or("Spark told no time")?;
    let groups = serde_json::from_value(answer["rows"].clone())
        .map_err(|error| format!("Spark's groups are not understood: {error}: {}", answer["rows"]))?;
    Ok((seconds, groups))
}
