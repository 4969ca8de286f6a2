//! What a query is to be, before it is started.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use uuid::Uuid;

use super::output_mode::{OutputMode, check_output_mode, check_trigger};
use crate::checkpoint::{self, SyncPolicy};
use crate::error::{Error, Result, spark_error};
use crate::frame::DataFrame;
use crate::session::Session;
use crate::sink::Output;
use crate::trigger::Trigger;

/// Formats whose queries may run without a checkpoint that outlives them.
const ONE_TIME_FORMATS: [&str; 5] = ["memory", "console", "noop", "foreach", "foreachBatch"];

/// A query to be started.
#[derive(Debug, Clone)]
pub struct QuerySpec {
    /// `query_name`, unique among the session's running queries.
    pub name: Option<String>,
    /// The streaming frame.
    pub frame: DataFrame,
    /// What is done with each batch.
    pub output: Output,
    /// The output mode as it was typed; none is append.
    pub output_mode: Option<String>,
    /// When batches run.
    pub trigger: Trigger,
    /// The option `checkpointLocation`.
    pub checkpoint: Option<String>,
    /// The sink's format, `foreachBatch` for a function.
    pub sink_format: String,
    /// The writer's options.
    pub options: BTreeMap<String, String>,
}

/// Where a query keeps its checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckpointPlace {
    pub(crate) path: PathBuf,
    /// Made for this run only, removed when it ends well.
    pub(crate) temporary: bool,
}

impl QuerySpec {
    /// Checks what can be checked without looking at the plan.
    pub(crate) fn check(&self) -> Result<OutputMode> {
        let mode = check_output_mode(&self.sink_format, self.output_mode.as_deref())?;
        check_trigger(&self.sink_format, self.trigger)?;
        Ok(mode)
    }

    /// The option, else the session's directory with the query's name, else a temporary one where that will
    /// do.
    pub(crate) fn place(&self, mode: OutputMode) -> Result<CheckpointPlace> {
        let session = self.frame.session();
        let configured = session.conf().get("spark.sql.streaming.checkpointLocation");
        let path = match (&self.checkpoint, configured) {
            (Some(location), _) => checkpoint::resolve(location)?,
            (None, Some(root)) => {
                let name = self.name.clone().unwrap_or_else(|| Uuid::new_v4().to_string());
                checkpoint::resolve(&root)?.join(name)
            }
            (None, None) if self.is_any_of(&ONE_TIME_FORMATS) => {
                let path = std::env::temp_dir().join(format!("temporary-{}", Uuid::new_v4()));
                return Ok(CheckpointPlace { path, temporary: true });
            }
            (None, None) => return Err(no_checkpoint()),
        };
        if self.is_any_of(&["memory"]) && mode != OutputMode::Complete {
            let offsets = path.join("offsets");
            if offsets.exists() {
                return Err(cannot_resume(&offsets.display().to_string()));
            }
        }
        Ok(CheckpointPlace { path, temporary: false })
    }

    /// `checkpoint.sync` and `checkpoint.syncInterval`, as options of the writer or settings of the session.
    pub(crate) fn sync_policy(&self) -> Result<SyncPolicy> {
        let option = |name: &str| self.option(name, self.frame.session());
        let policy = match option("checkpoint.sync") {
            None => SyncPolicy::default(),
            Some(word) => SyncPolicy::from_str(&word).map_err(|why| Error::option("checkpoint.sync", why))?,
        };
        match (policy, option("checkpoint.syncInterval")) {
            (SyncPolicy::Interval(_), Some(text)) => Ok(SyncPolicy::Interval(interval(&text)?)),
            (policy, _) => Ok(policy),
        }
    }

    /// An option of the writer in any case, else the session's setting `millstream.<name>`.
    fn option(&self, name: &str, session: &Session) -> Option<String> {
        let given = self.options.iter().find(|(option, _)| option.eq_ignore_ascii_case(name));
        given.map(|(_, value)| value.clone()).or_else(|| session.conf().get(&format!("millstream.{name}")))
    }

    fn is_any_of(&self, formats: &[&str]) -> bool {
        formats.iter().any(|format| format.eq_ignore_ascii_case(&self.sink_format))
    }
}

/// `200ms`, `1s`, or a number of milliseconds; 10 ms to 10 s.
fn interval(text: &str) -> Result<Duration> {
    let text = text.trim();
    let (digits, unit_ms) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(digits), _) => (digits, 1),
        (None, Some(digits)) => (digits, 1000),
        (None, None) => (text, 1),
    };
    let millis = digits.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(unit_ms));
    match millis {
        Some(millis @ 10..=10_000) => Ok(Duration::from_millis(millis)),
        _ => Err(Error::option(
            "checkpoint.syncInterval",
            format!("checkpoint.syncInterval must be between 10ms and 10s, got '{text}'"),
        )),
    }
}

fn no_checkpoint() -> Error {
    spark_error(
        "_LEGACY_ERROR_TEMP_1298",
        None,
        [("config", "spark.sql.streaming.checkpointLocation")],
        "checkpointLocation must be specified either through option(\"checkpointLocation\", ...) or \
         SparkSession.conf.set(\"spark.sql.streaming.checkpointLocation\", ...).",
    )
}

fn cannot_resume(path: &str) -> Error {
    spark_error(
        "_LEGACY_ERROR_TEMP_1299",
        None,
        [("checkpointPath", path)],
        format!(
            "This query does not support recovering from checkpoint location. Delete {path} to start over."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_has_a_unit_and_limits() {
        assert_eq!(interval("200ms").unwrap(), Duration::from_millis(200));
        assert_eq!(interval("1s").unwrap(), Duration::from_secs(1));
        assert_eq!(interval(" 50 ").unwrap(), Duration::from_millis(50));
        for text in ["", "5ms", "11s", "soon", "99999999999999999999s"] {
            assert!(interval(text).unwrap_err().to_string().contains("between 10ms and 10s"), "{text}");
        }
    }
}
