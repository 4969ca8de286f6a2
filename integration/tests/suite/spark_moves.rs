//! Stateless queries that move between a real Spark and us by pointing at the same checkpointLocation: begun here or
//! there, continued by turns, also in the middle of a batch that the other one had planned. Rows in files are there
//! exactly once as Spark's own reader sees them; a topic holds again only the rows of the batches that ran twice.
//!
//! Spark is not required: without pyspark and its connector (`MILLSTREAM_SPARK_JARS`) the test says loudly that it is
//! left out, and fails under `MILLSTREAM_REQUIRE_SPARK=1`.

use millstream::client::{ClientOptions, Kafka, NewTopic, ProducerOptions, RecordRef};
use millstream::prelude::*;
use millstream_broker::BrokerOptions;
use millstream_broker::net::start_in_thread;
use millstream_integration::golden::Cluster;
use millstream_integration::real_kafka::RealKafka;
use millstream_integration::spark::Spark;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

const JOBS: &str = include_str!("spark_moves.py");
const PATIENCE: Duration = Duration::from_secs(120);
/// Rows that are added before each run: seven batches of at most ten, so that both write a compact entry of the log.
const ROWS_A_RUN: u64 = 70;
const ROWS_A_BATCH: u64 = 10;
const RUNS: usize = 4;

/// Who runs the query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Spark,
    Ours,
}

/// How a run leaves its last batch to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Done,
    /// As after a crash behind the sink's commit.
    NotCommitted,
    /// As after a crash before it.
    NotPublished,
}

/// A query, its places and its rows so far.
struct Moving {
    bootstrap: String,
    name: String,
    /// The directory of files; a topic where there is none.
    output: Option<PathBuf>,
    checkpoint: PathBuf,
    rows: u64,
    repeated: u64,
}

impl Moving {
    async fn produce(&mut self) {
        let kafka = Kafka::connect(ClientOptions::new(&self.bootstrap)).await.unwrap();
        if self.rows == 0 {
            let topics = [NewTopic::new(&self.name, 2), NewTopic::new(self.target(), 2)];
            kafka.admin().create_topics(&topics, PATIENCE).await.unwrap();
        }
        let producer = kafka.producer(ProducerOptions::default());
        let topic: Arc<str> = self.name.as_str().into();
        for id in self.rows..self.rows + ROWS_A_RUN {
            let text = json!({"id": id, "text": format!("row {id} äöü")}).to_string();
            let record = RecordRef { value: Some(text.as_bytes()), ..RecordRef::default() };
            producer.send(&topic, Some((id % 2) as i32), record).await.unwrap();
        }
        producer.flush().await.unwrap();
        self.rows += ROWS_A_RUN;
    }

    fn target(&self) -> String {
        format!("{}-out", self.name)
    }

    async fn in_ours(&self) -> Result<String> {
        let session = Session::builder().build()?;
        let rows = session
            .read_stream()
            .format("kafka")
            .option("kafka.bootstrap.servers", &self.bootstrap)
            .option("subscribe", &self.name)
            .option("startingOffsets", "earliest")
            .option("maxOffsetsPerTrigger", ROWS_A_BATCH)
            .load()?
            .select_expr(["from_json(CAST(value AS STRING), 'id BIGINT, text STRING') AS o"])?
            .select(["o.*"])?;
        let writer = match &self.output {
            Some(output) => rows.write_stream().format("json").option("path", output.display()),
            None => rows
                .select_expr(["CAST(id AS STRING) AS key", "to_json(struct(*)) AS value"])?
                .write_stream()
                .format("kafka")
                .option("kafka.bootstrap.servers", &self.bootstrap)
                .option("topic", self.target()),
        };
        let writer = writer.option("checkpointLocation", self.checkpoint.display());
        let query = writer.trigger(Trigger::AvailableNow).start().await?;
        query.await_termination().await?;
        Ok(query.id().to_string())
    }

    fn in_spark(&self, spark: &mut Spark) -> String {
        let mut job = json!({
            "job": "work_off", "bootstrap": self.bootstrap, "topic": self.name, "checkpoint": self.checkpoint,
        });
        match &self.output {
            Some(output) => job["output"] = json!(output),
            None => job["target"] = json!(self.target()),
        }
        let answer = ask(spark, &job);
        answer["id"].as_str().unwrap().to_owned()
    }

    /// Takes back what a crash would have kept from being written.
    fn leave(&mut self, left: Left) {
        if left == Left::Done {
            return;
        }
        let last = newest(&self.checkpoint.join("commits"));
        assert_eq!(last, newest(&self.checkpoint.join("offsets")));
        forget(&self.checkpoint.join("commits"), &last.to_string());
        match &self.output {
            None => self.repeated += ROWS_A_BATCH,
            Some(output) if left == Left::NotPublished => {
                forget(&output.join("_spark_metadata"), &last.to_string())
            }
            Some(_) => {}
        }
    }

    async fn check(&self, spark: &mut Spark, when: &str) {
        let mut ids: Vec<u64> = match &self.output {
            Some(output) => {
                let answer = ask(spark, &json!({"job": "read", "output": output}));
                serde_json::from_value(answer["ids"].clone()).unwrap()
            }
            None => {
                let cluster = Cluster::connect(&self.bootstrap, "moves").await.unwrap();
                let records = cluster.read_topic(&self.target()).await.unwrap();
                records
                    .iter()
                    .map(|record| record["key"]["utf8"].as_str().unwrap().parse().unwrap())
                    .collect()
            }
        };
        assert_eq!(ids.len() as u64, self.rows + self.repeated, "{} {when}", self.name);
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids, (0..self.rows).collect::<Vec<_>>(), "{} {when}", self.name);
    }
}

/// Spark, where pyspark is installed and its Kafka connector lies ready.
fn spark() -> Option<Spark> {
    if std::env::var_os("MILLSTREAM_SPARK_JARS").is_none() {
        eprintln!(
            "!!! MILLSTREAM_SPARK_JARS is not set (`cargo xtask test` sets it where pyspark is installed):"
        );
        eprintln!("!!! THE MOVES BETWEEN A REAL SPARK AND US ARE LEFT OUT.");
        return None;
    }
    Spark::start("python3", JOBS).unwrap_or_else(|problem| panic!("{problem}"))
}

fn ask(spark: &mut Spark, job: &Value) -> Value {
    tokio::task::block_in_place(|| spark.run(job)).unwrap_or_else(|error| panic!("{job}: {error}"))
}

/// The newest number of a log.
fn newest(log: &Path) -> u64 {
    let names = std::fs::read_dir(log).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter_map(|name| name.to_str()?.parse().ok()).max().unwrap()
}

/// Removes an entry of a log and its checksum.
fn forget(log: &Path, entry: &str) {
    std::fs::remove_file(log.join(entry)).unwrap();
    // Only Spark writes checksums.
    let _ = std::fs::remove_file(log.join(format!(".{entry}.crc")));
}

/// Runs a query by turns, beginning with `first`.
async fn by_turns(mut query: Moving, spark: &mut Spark, first: Engine) {
    let lefts = [Left::Done, Left::NotCommitted, Left::NotPublished, Left::Done];
    let mut engine = first;
    let mut id = None;
    for (run, left) in (1..=RUNS).zip(lefts) {
        query.produce().await;
        let ran = match engine {
            Engine::Spark => query.in_spark(spark),
            Engine::Ours => query.in_ours().await.unwrap_or_else(|error| panic!("{}: {error}", query.name)),
        };
        assert_eq!(*id.get_or_insert(ran.clone()), ran, "the query keeps its id");
        query.check(spark, &format!("after run {run} ({engine:?})")).await;
        query.leave(left);
        engine = if engine == Engine::Spark { Engine::Ours } else { Engine::Spark };
    }
    println!("{}: {RUNS} runs by turns, {} rows, {} repeated", query.name, query.rows, query.repeated);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_move_between_spark_and_us_by_their_checkpoint() {
    let Some(mut spark) = spark() else {
        let required = std::env::var("MILLSTREAM_REQUIRE_SPARK").is_ok_and(|value| value == "1");
        assert!(!required, "Spark is required (MILLSTREAM_REQUIRE_SPARK) and is not here");
        return;
    };
    let embedded = start_in_thread(BrokerOptions::default()).unwrap();
    let brokers = [
        Some(("embedded", embedded.bootstrap())),
        RealKafka::shared("4.3.1").map(|kafka| ("kafka", kafka.bootstrap())),
    ];
    let work = tempfile::tempdir().unwrap();
    for (broker, bootstrap) in brokers.into_iter().flatten() {
        // Over the two brokers each sink sees both beginnings.
        let first = if broker == "embedded" { Engine::Spark } else { Engine::Ours };
        let second = if broker == "embedded" { Engine::Ours } else { Engine::Spark };
        for (sink, first) in [("files", first), ("topic", second)] {
            let name = format!("moves-{sink}-{broker}-{first:?}").to_lowercase();
            let query = Moving {
                bootstrap: bootstrap.clone(),
                output: (sink == "files").then(|| work.path().join(&name)),
                checkpoint: work.path().join(format!("check-{name}")),
                name,
                rows: 0,
                repeated: 0,
            };
            by_turns(query, &mut spark, first).await;
        }
    }
}
