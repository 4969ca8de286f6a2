//! Writing the rows of a batch frame.

use std::fs;
use std::str::FromStr;
use std::sync::Arc;

use millstream_plan::tree::Options;
use tokio::task::JoinSet;
use uuid::Uuid;

use super::{BatchPlan, DataFrame};
use crate::error::{Error, Result, spark_error};
use crate::micro_batch::crash::CrashPoints;
use crate::sink::create::{Rows, create};
use crate::sink::kafka::BYTE_COLUMNS;
use crate::sink::{Committable, Sink, SinkBatch};

/// What to do when the target has something already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SaveMode {
    /// Fail.
    #[default]
    ErrorIfExists,
    /// Add to it.
    Append,
    /// Replace it.
    Overwrite,
    /// Leave it as it is.
    Ignore,
}

impl SaveMode {
    /// Spark's name.
    pub fn name(self) -> &'static str {
        match self {
            SaveMode::ErrorIfExists => "ErrorIfExists",
            SaveMode::Append => "Append",
            SaveMode::Overwrite => "Overwrite",
            SaveMode::Ignore => "Ignore",
        }
    }
}

impl FromStr for SaveMode {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name.to_lowercase().as_str() {
            "error" | "errorifexists" | "default" => SaveMode::ErrorIfExists,
            "append" => SaveMode::Append,
            "overwrite" => SaveMode::Overwrite,
            "ignore" => SaveMode::Ignore,
            _ => {
                let text = format!(
                    "The save mode \"{name}\" is unknown; use \"append\", \"overwrite\", \"ignore\", \"error\", \
                     \"errorifexists\" or \"default\"."
                );
                return Err(spark_error(
                    "INVALID_SAVE_MODE",
                    Some("42000"),
                    [("mode", format!("\"{name}\""))],
                    text,
                ));
            }
        })
    }
}

/// Where the rows of a batch frame go, and how. Nothing is checked before [`DataFrameWriter::save`].
#[derive(Debug)]
pub struct DataFrameWriter {
    frame: DataFrame,
    format: String,
    options: Options,
    mode: Result<SaveMode>,
}

impl DataFrameWriter {
    pub(crate) fn new(frame: DataFrame) -> Self {
        Self { frame, format: "parquet".into(), options: Options::new(), mode: Ok(SaveMode::default()) }
    }

    /// The format: `kafka`, `json`, `console` or `noop`.
    #[must_use]
    pub fn format(mut self, format: impl Into<String>) -> Self {
        self.format = format.into();
        self
    }

    /// An option of the format. Names are taken in any case; the last value given counts.
    #[must_use]
    pub fn option(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.options.set(name, value.to_string());
        self
    }

    /// Several options.
    #[must_use]
    pub fn options<K: Into<String>, V: ToString>(
        mut self,
        options: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        for (name, value) in options {
            self.options.set(name, value.to_string());
        }
        self
    }

    /// What to do when the target has something already: `append`, `overwrite`, `ignore`, `error` (the default).
    #[must_use]
    pub fn mode(mut self, mode: impl AsRef<str>) -> Self {
        self.mode = mode.as_ref().parse();
        self
    }

    /// Writes the rows.
    ///
    /// # Errors
    /// Options or columns that the format does not take, and what goes wrong while writing.
    pub async fn save(self) -> Result<()> {
        let mode = self.mode?;
        if self.frame.is_streaming() {
            let text = "`write` can not be called on streaming Dataset/DataFrame; use write_stream().";
            let parameters = [("methodName", "`write`")];
            return Err(spark_error(
                "CALL_ON_STREAMING_DATASET_UNSUPPORTED",
                Some("42KDE"),
                parameters,
                text,
            ));
        }
        if self.format.eq_ignore_ascii_case("kafka") {
            check_kafka_mode(mode)?;
        }
        let session = self.frame.session().clone();
        let sink = create(&session, &self.format, &self.options, Rows::Batch)?;
        if self.format.eq_ignore_ascii_case("json") && !make_way(&self.options, mode)? {
            return Ok(());
        }
        let frame = match self.format.eq_ignore_ascii_case("kafka") {
            true => self.frame.with_bytes(&BYTE_COLUMNS)?,
            false => self.frame,
        };
        session.run(async move { write_batch(frame.plan().await?, sink).await }).await
    }

    /// [`DataFrameWriter::save`] with a path.
    ///
    /// # Errors
    /// As [`DataFrameWriter::save`].
    pub async fn save_path(self, path: impl Into<String>) -> Result<()> {
        self.option("path", path.into()).save().await
    }

    /// [`DataFrameWriter::save`] for programs without async.
    ///
    /// # Errors
    /// As [`DataFrameWriter::save`].
    pub fn save_blocking(self) -> Result<()> {
        let session = self.frame.session().clone();
        session.block_on(self.save())
    }
}

fn check_kafka_mode(mode: SaveMode) -> Result<()> {
    if matches!(mode, SaveMode::Append | SaveMode::ErrorIfExists) {
        return Ok(());
    }
    let text = format!(
        "Save mode {} not allowed for Kafka. Allowed save modes are Append and ErrorIfExists (default).",
        mode.name()
    );
    let parameters = [("mode", mode.name()), ("append", "Append"), ("errorIfExists", "ErrorIfExists")];
    Err(spark_error("_LEGACY_ERROR_TEMP_3081", None, parameters, text))
}

/// Prepares the directory of a file format for a mode; false when nothing is to be written.
fn make_way(options: &Options, mode: SaveMode) -> Result<bool> {
    let path = crate::checkpoint::resolve(options.get("path").unwrap_or_default())?;
    if !path.exists() {
        return Ok(true);
    }
    match mode {
        SaveMode::Append => Ok(true),
        SaveMode::Ignore => Ok(false),
        SaveMode::Overwrite => {
            fs::remove_dir_all(&path).map_err(|source| Error::Io { path, source })?;
            Ok(true)
        }
        SaveMode::ErrorIfExists => {
            let shown = format!("`{}`", path.display());
            let text = format!(
                "Path {shown} already exists. Set mode as \"overwrite\" to overwrite the existing path."
            );
            Err(spark_error("PATH_ALREADY_EXISTS", Some("42K04"), [("outputPath", shown)], text))
        }
    }
}

/// Runs all partitions side by side into the sink, then publishes.
async fn write_batch(plan: BatchPlan, sink: Arc<dyn Sink>) -> Result<()> {
    let schema = plan.schema();
    sink.prepare(Uuid::nil(), &schema).await?;
    let streams = plan.streams()?;
    let batch = Arc::new(SinkBatch {
        query_id: Uuid::new_v4(),
        batch_id: 0,
        attempt: std::process::id(),
        partitions: streams.len(),
        schema,
        crash: CrashPoints::default(),
    });
    sink.open(&batch).await?;
    let mut tasks = JoinSet::new();
    for (partition, rows) in streams.into_iter().enumerate() {
        let (sink, batch) = (sink.clone(), batch.clone());
        tasks.spawn(async move { (partition, sink.write(&batch, partition, rows).await) });
    }
    let mut written = vec![Committable::default(); batch.partitions];
    while let Some(done) = tasks.join_next().await {
        let failure = match done {
            Ok((partition, Ok(committable))) => {
                written[partition] = committable;
                continue;
            }
            Ok((_, Err(error))) => error,
            Err(stopped) => Error::Misuse(format!("a writing task was stopped: {stopped}")),
        };
        tasks.shutdown().await;
        if let Err(error) = sink.abort(&batch, written).await {
            tracing::warn!(%error, "what was written before the failure could not be removed");
        }
        return Err(failure);
    }
    sink.commit(&batch, written).await.map(|_| ())
}
