//! Which rows of a result reach the sink: `append`, `update` or `complete`, and which sinks take which.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result, spark_error};
use crate::trigger::Trigger;

/// The output mode of a streaming query. Default `Append`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputMode {
    /// Rows that will never change.
    #[default]
    Append,
    /// Rows that changed in this batch.
    Update,
    /// All rows of the result, every time.
    Complete,
}

impl fmt::Display for OutputMode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Append => "append",
            Self::Update => "update",
            Self::Complete => "complete",
        })
    }
}

impl FromStr for OutputMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.to_ascii_lowercase().as_str() {
            "append" => Ok(Self::Append),
            "update" => Ok(Self::Update),
            "complete" => Ok(Self::Complete),
            _ => Err(spark_error(
                "STREAMING_OUTPUT_MODE.INVALID",
                Some("42KDE"),
                [("outputMode", text)],
                format!(
                    "Invalid streaming output mode: {text}. Accepted output modes are 'Append', 'Complete', 'Update'."
                ),
            )),
        }
    }
}

/// Formats of files: a file cannot change, so they append only.
const FILE_FORMATS: [&str; 7] = ["json", "parquet", "csv", "orc", "text", "avro", "xml"];

/// Checks what was typed against the sink's format; to be called before a sink is made, as Spark does.
pub fn check_output_mode(format: &str, typed: Option<&str>) -> Result<OutputMode> {
    let mode = typed.map_or(Ok(OutputMode::default()), str::parse)?;
    let is_file = FILE_FORMATS.iter().any(|known| known.eq_ignore_ascii_case(format));
    if is_file && mode != OutputMode::Append {
        return Err(spark_error(
            "STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE",
            Some("42KDE"),
            [("className", format.to_owned()), ("outputMode", mode.to_string())],
            format!(
                "Invalid streaming output mode: {mode}. This output mode is not supported in Data Source {format}."
            ),
        ));
    }
    Ok(mode)
}

/// Refuses continuous processing.
pub(crate) fn check_trigger(format: &str, trigger: Trigger) -> Result<()> {
    let Trigger::Continuous(_) = trigger else { return Ok(()) };
    if format.eq_ignore_ascii_case("foreachBatch") {
        return Err(spark_error(
            "_LEGACY_ERROR_TEMP_1195",
            None,
            [("source", "foreachBatch")],
            "'foreachBatch' is not supported with continuous trigger.",
        ));
    }
    Err(Error::Unsupported {
        feature: "Trigger.Continuous; use Trigger::Default, which runs a batch as soon as there is data"
            .into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(error: &Error) -> &str {
        error.spark().and_then(|spark| spark.condition.as_deref()).unwrap()
    }

    #[test]
    fn a_mode_is_known_in_any_case_and_an_unknown_one_gives_sparks_condition() {
        assert_eq!(check_output_mode("noop", Some("Update")).unwrap(), OutputMode::Update);
        assert_eq!(check_output_mode("noop", None).unwrap(), OutputMode::Append);
        let error = check_output_mode("noop", Some("overwrite")).unwrap_err();
        assert_eq!(condition(&error), "STREAMING_OUTPUT_MODE.INVALID");
        assert_eq!(error.spark().unwrap().parameters["outputMode"], "overwrite");
    }

    #[test]
    fn files_only_append() {
        let error = check_output_mode("parquet", Some("update")).unwrap_err();
        assert_eq!(condition(&error), "STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE");
        assert_eq!(error.spark().unwrap().parameters["className"], "parquet");
    }

    #[test]
    fn continuous_foreach_batch_is_refused_as_spark_does() {
        let trigger = Trigger::Continuous(std::time::Duration::from_secs(1));
        assert_eq!(
            condition(&check_trigger("foreachBatch", trigger).unwrap_err()),
            "_LEGACY_ERROR_TEMP_1195"
        );
        assert!(matches!(check_trigger("kafka", trigger), Err(Error::Unsupported { .. })));
    }
}
