//! The run-time errors of casts.

use datafusion::error::DataFusionError;

use crate::error::SparkError;
use crate::functions::external;
use crate::types::SparkType;

const ANSI: &str = "\"spark.sql.ansi.enabled\"";

/// Text that is not a value of the type.
pub(super) fn invalid_input(text: &str, to: &SparkType) -> DataFusionError {
    external(invalid_text(text, to))
}

/// The same as Spark's error.
pub(crate) fn invalid_text(text: &str, to: &SparkType) -> SparkError {
    let quoted = format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    invalid(&quoted, &SparkType::String, to)
}

/// A value, printed as SQL, that has no counterpart in the type.
pub(super) fn invalid_value(sql: &str, from: &SparkType, to: &SparkType) -> DataFusionError {
    external(invalid(sql, from, to))
}

fn invalid(sql: &str, from: &SparkType, to: &SparkType) -> SparkError {
    SparkError::new(
        "CAST_INVALID_INPUT",
        [
            ("expression", sql.to_owned()),
            ("sourceType", format!("\"{}\"", from.sql())),
            ("targetType", format!("\"{}\"", to.sql())),
            ("ansiConfig", ANSI.to_owned()),
        ],
    )
}

/// A number outside the type's range.
pub(super) fn overflow(sql: &str, from: &SparkType, to: &SparkType) -> DataFusionError {
    external(SparkError::new(
        "CAST_OVERFLOW",
        [
            ("value", sql.to_owned()),
            ("sourceType", format!("\"{}\"", from.sql())),
            ("targetType", format!("\"{}\"", to.sql())),
            ("ansiConfig", ANSI.to_owned()),
        ],
    ))
}

/// A number with more digits than the decimal type has.
pub(super) fn decimal_overflow(value: &str, precision: u8, scale: u8) -> DataFusionError {
    external(SparkError::new(
        "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
        [
            ("value", value.to_owned()),
            ("precision", precision.to_string()),
            ("scale", scale.to_string()),
            ("config", ANSI.to_owned()),
        ],
    ))
}
