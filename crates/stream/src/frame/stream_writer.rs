//! The beginning of a streaming query.

use std::collections::BTreeMap;
use std::future::Future;

use millstream_plan::tree::Options;

use super::DataFrame;
use crate::error::{Error, Result, spark_error};
use crate::query::{QuerySpec, StreamingQuery, check_output_mode};
use crate::sink::create::{Rows, create};
use crate::sink::kafka::BYTE_COLUMNS;
use crate::sink::{ForeachBatchFn, Output, foreach_batch};
use crate::trigger::Trigger;

/// Where the rows of a stream go, and how. Nothing is checked before [`DataStreamWriter::start`].
#[must_use = "a query runs only after start()"]
pub struct DataStreamWriter {
    frame: DataFrame,
    format: Option<String>,
    options: Options,
    output_mode: Option<String>,
    query_name: Option<String>,
    trigger: Trigger,
    function: Option<ForeachBatchFn>,
}

impl DataStreamWriter {
    pub(crate) fn new(frame: DataFrame) -> Self {
        Self {
            frame,
            format: None,
            options: Options::new(),
            output_mode: None,
            query_name: None,
            trigger: Trigger::default(),
            function: None,
        }
    }

    /// The format: `kafka`, `json`, `console`, `memory` or `noop`.
    pub fn format(mut self, format: impl Into<String>) -> Self {
        self.format = Some(format.into());
        self
    }

    /// An option of the format, or `checkpointLocation`. Names are taken in any case; the last value given counts.
    pub fn option(mut self, name: impl Into<String>, value: impl ToString) -> Self {
        self.options.set(name, value.to_string());
        self
    }

    /// Several options.
    pub fn options<K: Into<String>, V: ToString>(
        mut self,
        options: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        for (name, value) in options {
            self.options.set(name, value.to_string());
        }
        self
    }

    /// `append` (the default), `update` or `complete`; text or an [`OutputMode`](crate::OutputMode).
    pub fn output_mode(mut self, mode: impl ToString) -> Self {
        self.output_mode = Some(mode.to_string());
        self
    }

    /// A name, unique among the session's running queries.
    pub fn query_name(mut self, name: impl Into<String>) -> Self {
        self.query_name = Some(name.into());
        self
    }

    /// When batches run; as soon as there is data when nothing is said.
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        self.trigger = trigger;
        self
    }

    /// Calls a function with a frame over each batch and the batch's id, in place of a sink. After a crash the same id
    /// comes again with the same rows.
    pub fn foreach_batch<F, Fut, E>(mut self, function: F) -> Self
    where
        F: Fn(DataFrame, i64) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<(), E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        self.function = Some(foreach_batch(function));
        self
    }

    /// Starts the query.
    ///
    /// # Errors
    /// A frame that is no stream; modes, options and columns that the format refuses; a checkpoint that is missing, in
    /// use or of another query.
    pub async fn start(self) -> Result<StreamingQuery> {
        let session = self.frame.session().clone();
        let spec = self.spec()?;
        session.streams().start(spec).await
    }

    /// [`DataStreamWriter::start`] with a path.
    ///
    /// # Errors
    /// As [`DataStreamWriter::start`].
    pub async fn start_path(self, path: impl Into<String>) -> Result<StreamingQuery> {
        self.option("path", path.into()).start().await
    }

    /// [`DataStreamWriter::start`] for programs without async.
    ///
    /// # Errors
    /// As [`DataStreamWriter::start`].
    pub fn start_blocking(self) -> Result<StreamingQuery> {
        let session = self.frame.session().clone();
        session.block_on(self.start())
    }

    fn spec(self) -> Result<QuerySpec> {
        if !self.frame.is_streaming() {
            return Err(spark_error(
                "WRITE_STREAM_NOT_ALLOWED",
                Some("42601"),
                [] as [(&'static str, &str); 0],
                "`writeStream` can be called only on streaming Dataset/DataFrame.",
            ));
        }
        let format = match (&self.function, self.format) {
            (Some(_), _) => "foreachBatch".to_owned(),
            (None, Some(format)) => format,
            (None, None) => {
                return Err(Error::Misuse("no sink: say format(\"console\") or foreach_batch(..)".into()));
            }
        };
        let mode = check_output_mode(&format, self.output_mode.as_deref())?;
        let output = match self.function {
            Some(function) => Output::ForeachBatch(function),
            None => {
                let rows = Rows::Query(self.query_name.as_deref(), mode);
                Output::Sink(create(self.frame.session(), &format, &self.options, rows)?)
            }
        };
        let frame = match format.eq_ignore_ascii_case("kafka") {
            true => self.frame.with_bytes(&BYTE_COLUMNS)?,
            false => self.frame,
        };
        Ok(QuerySpec {
            name: self.query_name,
            output,
            output_mode: self.output_mode,
            trigger: self.trigger,
            checkpoint: self.options.get("checkpointLocation").map(str::to_owned),
            sink_format: format,
            options: BTreeMap::from(self.options),
            frame,
        })
    }
}
