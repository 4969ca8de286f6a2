//! Runs the steps of one case, in order, against a cluster and a session of its own.

use super::case::{Case, Query, setting};
use super::cluster::{Cluster, has};
use super::compare::{self, Failure};
use super::outcome::Outcome;
use super::{batches, cell, frames, probes};
use arrow_array::RecordBatch;
use batches::Captured;
use millstream_plan::tree::Relation;
use millstream_stream::frame::DataFrame;
use millstream_stream::{Error, Session, StreamingQuery, Trigger};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Why a case stopped before its end.
pub enum Stop {
    /// Something differs, or the harness itself failed.
    Failed(String),
    /// A named feature is missing.
    Unsupported(String),
    /// The product refused: what, and when.
    Refused(Failure),
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

/// Settings of every recorded run (README), and a polling delay that only `process_all_available` ends.
const SETTINGS: [(&str, &str); 4] = [
    ("spark.sql.shuffle.partitions", "2"),
    ("spark.sql.session.timeZone", "UTC"),
    ("spark.sql.streaming.pollingDelay", "600000"),
    ("spark.sql.streaming.numRecentProgressUpdates", "1000"),
];

/// One batch or one read may take this long before a case is called stuck.
const PATIENCE: Duration = Duration::from_secs(150);

/// One case on its way.
pub struct Runner {
    pub(super) query: Query,
    pub(super) cluster: Cluster,
    pub(super) session: Session,
    pub(super) checkpoint: tempfile::TempDir,
    overrides: Map<String, Value>,
    running: Option<StreamingQuery>,
    captured: Arc<Mutex<Vec<Captured>>>,
    reported: usize,
}

impl Runner {
    /// Makes the case's topics and a session with its settings.
    pub async fn prepare(case: &Case, bootstrap: &str) -> Result<Self, String> {
        let cluster = Cluster::connect(bootstrap, &case.name).await?;
        cluster.prepare(&case.topics, &case.other_topics).await?;
        let mut builder = Session::builder();
        for (name, value) in SETTINGS {
            builder = builder.config(name, value);
        }
        for (name, value) in &case.query.conf {
            // The recorded delay only gave Spark time to see a step's rows at once, as ours does.
            if name != "spark.sql.streaming.pollingDelay" {
                builder = builder.config(name.as_str(), setting(value));
            }
        }
        let session = builder.build().map_err(|error| error.to_string())?;
        let checkpoint = tempfile::tempdir().map_err(|error| error.to_string())?;
        Ok(Self {
            query: case.query.clone(),
            cluster,
            session,
            checkpoint,
            overrides: Map::new(),
            running: None,
            captured: Arc::default(),
            reported: 0,
        })
    }

    /// Runs every step; the first that differs ends the case.
    pub async fn run(mut self, case: &Case) -> Outcome {
        let mut outcome = Outcome::Passed;
        for (number, step) in case.steps.iter().enumerate() {
            let ended = match tokio::time::timeout(PATIENCE, self.step(step)).await {
                Ok(ended) => ended,
                Err(_) => Err(Stop::Failed(format!("nothing came of it for {PATIENCE:?}"))),
            };
            match ended {
                Ok(()) => continue,
                Err(Stop::Unsupported(feature)) => outcome = Outcome::Unsupported(feature),
                Err(Stop::Failed(why)) => outcome = Outcome::Failed(format!("step {number}: {why}")),
                Err(Stop::Refused(failure)) => {
                    let text = failure.message.trim();
                    outcome =
                        Outcome::Failed(format!("step {number}: refused in phase {}: {text}", failure.phase));
                }
            }
            break;
        }
        self.stop().await;
        outcome
    }

    async fn step(&mut self, step: &Map<String, Value>) -> Result<(), Stop> {
        let value = |key: &str| step.get(key).unwrap_or(&Value::Null);
        if has(step, "produce") {
            return Ok(self.cluster.produce(value("produce")).await?);
        }
        if has(step, "txn") {
            return Ok(tokio::task::block_in_place(|| self.cluster.transaction(value("txn")))?);
        }
        if has(step, "create_topics") {
            return Ok(self.cluster.create_topics(value("create_topics")).await?);
        }
        if has(step, "add_partitions") {
            return Ok(self.cluster.add_partitions(value("add_partitions")).await?);
        }
        if has(step, "delete_records") {
            return Ok(self.cluster.delete_records(value("delete_records")).await?);
        }
        if let Some(topic) = value("delete_topic").as_str() {
            return Ok(self.cluster.delete_topic(topic).await?);
        }
        if let Some(wait) = value("wait_ms").as_u64() {
            tokio::time::sleep(Duration::from_millis(wait)).await;
            return Ok(());
        }
        if has(step, "restart") {
            self.stop().await;
            self.change(step);
            return Ok(());
        }
        self.observe(step).await
    }

    /// Steps with results.
    async fn observe(&mut self, step: &Map<String, Value>) -> Result<(), Stop> {
        if has(step, "process") {
            return self.process(step).await;
        }
        if has(step, "collect") {
            return self.collect(step).await;
        }
        if has(step, "save") {
            return self.save(step).await;
        }
        if let Some(topic) = step.get("read_topic").and_then(Value::as_str) {
            let found = self.cluster.read_topic(topic).await?;
            return Ok(compare::same_rows(&step["records"], &found)?);
        }
        if has(step, "probes") {
            return probes::run(&self.session, step).await;
        }
        let checkpoint = self.checkpoint.path();
        if has(step, "read_checkpoint") {
            return Ok(super::checkpoint::same_files(checkpoint, &step["files"])?);
        }
        if has(step, "list_checkpoint") {
            return Ok(super::checkpoint::same_list(checkpoint, &step["files"])?);
        }
        if has(step, "drop_checkpoint_files") {
            return Ok(super::checkpoint::drop_files(checkpoint, &step["drop_checkpoint_files"])?);
        }
        if has(step, "write_checkpoint_file") {
            return Ok(super::checkpoint::write_file(checkpoint, &step["write_checkpoint_file"])?);
        }
        if has(step, "python") {
            return Err(Stop::Unsupported("a step of PySpark text".into()));
        }
        let keys: Vec<&String> = step.keys().collect();
        Err(Stop::Unsupported(format!("the step {keys:?}")))
    }

    /// What a restart changes; the query starts again with the next `process`.
    fn change(&mut self, step: &Map<String, Value>) {
        for (frame, options) in step.get("options").and_then(Value::as_object).into_iter().flatten() {
            let merged = self.overrides.entry(frame.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let (Some(merged), Some(options)) = (merged.as_object_mut(), options.as_object()) {
                merged.extend(options.clone());
            }
        }
        if let Some(frames) = step.get("frames").and_then(Value::as_object) {
            self.query.frames.extend(frames.clone());
        }
        if let Some(write) = step.get("write").and_then(Value::as_object) {
            self.query.write.get_or_insert_default().extend(write.clone());
        }
        for (name, value) in step.get("conf").and_then(Value::as_object).into_iter().flatten() {
            self.session.conf().set(name, setting(value));
        }
    }

    async fn stop(&mut self) {
        if let Some(query) = self.running.take() {
            let _ = query.stop().await;
        }
    }

    fn frame(&self) -> Result<DataFrame, Stop> {
        let built = frames::build(&self.query, &self.cluster.bootstrap, &self.overrides);
        let frames: HashMap<String, Relation> = match built {
            Ok(frames) => frames,
            Err(frames::FrameError::Unsupported(what)) => return Err(Stop::Unsupported(what)),
            Err(frames::FrameError::Plan(error)) => return Err(refused("build", &error.into())),
        };
        // Each frame is analyzed by itself, as the user's program builds one after the other.
        for name in self.query.frames.keys() {
            self.session.frame(frames[name].clone()).map_err(|error| refused("build", &error))?;
        }
        let result = frames.get(&self.query.result).cloned();
        let result = result.ok_or_else(|| format!("no frame {}", self.query.result))?;
        self.session.frame(result).map_err(|error| refused("build", &error))
    }

    async fn process(&mut self, step: &Map<String, Value>) -> Result<(), Stop> {
        let ended = self.process_all().await;
        let found = self.take_batches();
        match (ended, step.get("error").and_then(Value::as_object)) {
            (Ok(()), None) => {}
            (Ok(()), Some(expected)) => {
                return Err(Stop::Failed(format!("no error; Spark's is {expected:?}")));
            }
            (Err(Stop::Refused(failure)), Some(expected)) => {
                self.running = None;
                compare::same_error(expected, &failure)?;
            }
            (Err(stop), _) => return Err(stop),
        }
        if let Some(schema) = step.get("schema") {
            compare::same_value("schema", schema, &schema_of(&self.frame()?))?;
        }
        batches::compare(step, &found)?;
        if let Some(shape) = step.get("progress_shape") {
            let progress = self.running.as_ref().and_then(StreamingQuery::last_progress);
            let progress = progress.map(|progress| progress.to_json()).unwrap_or_default();
            batches::same_shape("progress", shape, &progress)?;
        }
        if let Some(status) = step.get("status").filter(|status| status.get("message").is_some()) {
            let found = self.running.as_ref().map(|query| query.status().to_json()).unwrap_or_default();
            compare::same_value("status", status, &found)?;
        }
        Ok(())
    }

    /// Starts the query if it is not running, and lets it work off everything that is there.
    async fn process_all(&mut self) -> Result<(), Stop> {
        if self.running.is_none() {
            let frame = self.frame()?;
            let query = self.start(&frame).await?;
            self.reported = 0;
            self.running = Some(query);
        }
        let finite = matches!(self.trigger()?, Trigger::Once | Trigger::AvailableNow);
        let Some(query) = &self.running else { return Ok(()) };
        let done = if finite { query.await_termination().await } else { query.process_all_available().await };
        done.map_err(|error| refused("run", &error))
    }

    fn trigger(&self) -> Result<Trigger, Stop> {
        let write = self.query.write.as_ref();
        let Some(trigger) = write.and_then(|write| write.get("trigger")).and_then(Value::as_object) else {
            return Ok(Trigger::Default);
        };
        match trigger.iter().next().map(|(kind, value)| (kind.as_str(), value)) {
            Some(("availableNow", _)) => Ok(Trigger::AvailableNow),
            Some(("once", _)) => Ok(Trigger::Once),
            Some(("processingTime", Value::String(every))) => {
                Trigger::processing_time(every).map_err(|error| refused("start", &error))
            }
            Some(("continuous", _)) => Ok(Trigger::Continuous(Duration::from_secs(1))),
            other => Err(Stop::Unsupported(format!("the trigger {other:?}"))),
        }
    }

    async fn start(&self, frame: &DataFrame) -> Result<StreamingQuery, Stop> {
        let write = self.query.write.clone().unwrap_or_default();
        let text = |key: &str| write.get(key).and_then(Value::as_str);
        let mut writer = frame.write_stream().trigger(self.trigger()?);
        writer = match text("format").unwrap_or("rows") {
            "rows" => self.capture(writer),
            format => writer.format(format),
        };
        if let Some(mode) = text("outputMode") {
            writer = writer.output_mode(mode);
        }
        if let Some(name) = text("queryName") {
            writer = writer.query_name(name);
        }
        for (name, value) in self.write_options(&write, text("format")) {
            writer = writer.option(&name, value);
        }
        if write.get("checkpoint") != Some(&Value::Bool(false)) {
            writer = writer.option("checkpointLocation", self.checkpoint.path().display());
        }
        writer.start().await.map_err(|error| refused("start", &error))
    }

    /// The options of a write; a null leaves the brokers out.
    fn write_options(&self, write: &Map<String, Value>, format: Option<&str>) -> Vec<(String, String)> {
        const BROKERS: &str = "kafka.bootstrap.servers";
        let given = write.get("options").and_then(Value::as_object).into_iter().flatten();
        let given: Vec<(&String, &Value)> = given.collect();
        let has_brokers = given.iter().any(|(name, _)| *name == BROKERS);
        let brokers = (format == Some("kafka") && !has_brokers)
            .then(|| (BROKERS.to_owned(), self.cluster.bootstrap.to_string()));
        let given = given.into_iter().filter(|(_, value)| !value.is_null());
        brokers.into_iter().chain(given.map(|(name, value)| (name.clone(), setting(value)))).collect()
    }

    fn capture(
        &self,
        writer: millstream_stream::frame::DataStreamWriter,
    ) -> millstream_stream::frame::DataStreamWriter {
        let captured = self.captured.clone();
        writer.foreach_batch(move |frame: DataFrame, id: i64| {
            let captured = captured.clone();
            async move {
                let batches: Vec<RecordBatch> = frame.collect().await?;
                let rows = cell::rows(frame.session(), &batches);
                captured.lock().unwrap_or_else(PoisonError::into_inner).push(Captured { id, rows });
                Ok::<_, Error>(())
            }
        })
    }

    /// What has happened since the last look: captured rows, and progress reports.
    fn take_batches(&mut self) -> batches::Found {
        let captured = std::mem::take(&mut *self.captured.lock().unwrap_or_else(PoisonError::into_inner));
        let reports = self.running.as_ref().map(StreamingQuery::recent_progress).unwrap_or_default();
        let new = reports.iter().skip(self.reported).map(|report| report.to_json()).collect();
        self.reported = reports.len();
        let format = self.query.write.as_ref().and_then(|write| write.get("format")).and_then(Value::as_str);
        batches::Found { captured, reports: new, captures_rows: format.unwrap_or("rows") == "rows" }
    }

    async fn collect(&mut self, step: &Map<String, Value>) -> Result<(), Stop> {
        let attempt = async {
            let frame = self.frame()?;
            let batches = frame.collect().await.map_err(|error| refused("run", &error))?;
            let rows = cell::rows(frame.session(), &batches);
            Ok::<_, Stop>((frame, rows))
        };
        match (attempt.await, step.get("error").and_then(Value::as_object)) {
            (Ok(_), Some(expected)) => Err(Stop::Failed(format!("no error; Spark's is {expected:?}"))),
            (Err(Stop::Refused(failure)), Some(expected)) => Ok(compare::same_error(expected, &failure)?),
            (Err(stop), _) => Err(stop),
            (Ok((frame, rows)), None) => {
                compare::same_value("schema", &step["schema"], &schema_of(&frame))?;
                match step.get("tasks") {
                    Some(tasks) => batches::same_tasks(tasks, &rows)?,
                    None if step.get("ordered") == Some(&Value::Bool(true)) => {
                        compare::same_ordered_rows(&step["rows"], &rows)?;
                    }
                    None => compare::same_rows(&step["rows"], &rows)?,
                }
                let Some(more) = step.get("again_after") else { return Ok(()) };
                self.cluster.produce(more).await?;
                let again = frame.collect().await.map_err(|error| refused("run", &error))?;
                Ok(compare::same_rows(&step["results"]["again"], &cell::rows(frame.session(), &again))?)
            }
        }
    }

    async fn save(&self, step: &Map<String, Value>) -> Result<(), Stop> {
        let attempt = async {
            let frame = self.frame()?;
            let write = self.query.write.clone().unwrap_or_default();
            let format = write.get("format").and_then(Value::as_str).unwrap_or("kafka");
            let mut writer = frame.write().format(format);
            for (name, value) in self.write_options(&write, Some(format)) {
                writer = writer.option(&name, value);
            }
            if let Some(mode) = write.get("mode").and_then(Value::as_str) {
                writer = writer.mode(mode);
            }
            writer.save().await.map_err(|error| refused("save", &error))
        };
        match (attempt.await, step.get("error").and_then(Value::as_object)) {
            (Ok(()), None) => Ok(()),
            (Ok(()), Some(expected)) => Err(Stop::Failed(format!("no error; Spark's is {expected:?}"))),
            (Err(Stop::Refused(failure)), Some(expected)) => Ok(compare::same_error(expected, &failure)?),
            (Err(stop), _) => Err(stop),
        }
    }
}

/// `[[name, type], ..]`.
pub fn schema_of(frame: &DataFrame) -> Value {
    let field = |field: &millstream_plan::types::StructField| {
        Value::Array(vec![field.name.to_string().into(), field.data_type.simple_string().into()])
    };
    Value::Array(frame.schema().fields.iter().map(field).collect())
}

/// An error of the product in the golden form, or the feature that it names as missing.
pub fn refused(phase: &'static str, error: &Error) -> Stop {
    if let Some(feature) = missing_feature(error) {
        return Stop::Unsupported(feature);
    }
    let mut failure = Failure { phase, message: error.to_string(), ..Failure::default() };
    if let Some(spark) = error.spark() {
        failure.condition = spark.condition.clone();
        failure.sqlstate = spark.sqlstate.clone();
        failure.parameters = spark.parameters.clone().into_iter().collect();
        failure.message = format!("{}\n{}", failure.message, spark.message);
    }
    Stop::Refused(failure)
}

fn missing_feature(error: &Error) -> Option<String> {
    match error.root() {
        Error::Unsupported { feature } => Some(feature.clone()),
        Error::Plan(millstream_plan::Error::Unsupported { feature, .. }) => Some(feature.clone()),
        _ => None,
    }
}
