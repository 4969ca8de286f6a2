//! Writing the rows of a batch frame.

use std::str::FromStr;

use millstream_plan::tree::Options;

use super::DataFrame;
use crate::error::{Error, Result, spark_error};

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
        let _ = (self.frame, mode, self.options);
        Err(Error::unsupported(format!("writing {}", self.format)))
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
