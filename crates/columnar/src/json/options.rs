//! Options of `from_json` and `to_json`, with Spark's names and defaults.

use crate::datetime::TimeZone;
use crate::{Error, Result};

/// What to do with a document that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ParseMode {
    /// Null for what cannot be read, the rest of the row kept; the document goes to the corrupt-record
    /// column.
    #[default]
    Permissive,
    /// The first bad document is an error.
    FailFast,
}

/// Options of the JSON reader. Defaults are Spark's.
#[derive(Debug, Clone)]
pub struct JsonReadOptions {
    /// Default PERMISSIVE.
    pub mode: ParseMode,
    /// Name of the string field of the root struct that takes the text of bad documents, if the schema has
    /// it. Default `_corrupt_record`.
    pub corrupt_record_column: String,
    /// Accept `/* */`, `//` and `#` is not accepted. Default false.
    pub allow_comments: bool,
    /// Accept `{a: 1}`. Default false.
    pub allow_unquoted_field_names: bool,
    /// Accept `{'a': 'b'}`. Default true.
    pub allow_single_quotes: bool,
    /// Accept `007`. Default false.
    pub allow_numeric_leading_zeros: bool,
    /// Accept a backslash before any character. Default false.
    pub allow_backslash_escaping_any_character: bool,
    /// Accept raw control characters in strings. Default false.
    pub allow_unquoted_control_chars: bool,
    /// Accept `NaN`, `Infinity`, `-Infinity`, `+INF` and `-INF` as numbers. Default true.
    pub allow_non_numeric_numbers: bool,
    /// Inference only: all primitive values become strings. Default false.
    pub primitives_as_string: bool,
    /// Inference only: floating-point values become decimals where they fit. Default false.
    pub prefers_decimal: bool,
    /// Pattern of dates; None takes Spark's lenient default (`yyyy-MM-dd` and its prefixes).
    pub date_format: Option<String>,
    /// Pattern of timestamps; None takes Spark's lenient default (ISO with optional time, fraction and zone).
    pub timestamp_format: Option<String>,
    /// Pattern of timestamps without zone; None takes Spark's default.
    pub timestamp_ntz_format: Option<String>,
    /// Zone of timestamps that name none. Default UTC.
    pub time_zone: TimeZone,
}

impl Default for JsonReadOptions {
    fn default() -> Self {
        Self {
            mode: ParseMode::Permissive,
            corrupt_record_column: "_corrupt_record".into(),
            allow_comments: false,
            allow_unquoted_field_names: false,
            allow_single_quotes: true,
            allow_numeric_leading_zeros: false,
            allow_backslash_escaping_any_character: false,
            allow_unquoted_control_chars: false,
            allow_non_numeric_numbers: true,
            primitives_as_string: false,
            prefers_decimal: false,
            date_format: None,
            timestamp_format: None,
            timestamp_ntz_format: None,
            time_zone: TimeZone::UTC,
        }
    }
}

impl JsonReadOptions {
    /// Sets one option by Spark's name (case-insensitive). False when the name is not an option of the JSON
    /// reader; options that have no effect on single documents (`lineSep`, `multiLine`, `encoding`, ...) are
    /// accepted.
    pub fn set(&mut self, name: &str, value: &str) -> Result<bool> {
        match name.to_ascii_lowercase().as_str() {
            "mode" => self.mode = mode(name, value)?,
            "columnnameofcorruptrecord" => self.corrupt_record_column = value.into(),
            "allowcomments" => self.allow_comments = boolean(name, value)?,
            "allowunquotedfieldnames" => self.allow_unquoted_field_names = boolean(name, value)?,
            "allowsinglequotes" => self.allow_single_quotes = boolean(name, value)?,
            "allownumericleadingzeros" => self.allow_numeric_leading_zeros = boolean(name, value)?,
            "allowbackslashescapinganycharacter" => {
                self.allow_backslash_escaping_any_character = boolean(name, value)?;
            }
            "allowunquotedcontrolchars" => self.allow_unquoted_control_chars = boolean(name, value)?,
            "allownonnumericnumbers" => self.allow_non_numeric_numbers = boolean(name, value)?,
            "primitivesasstring" => self.primitives_as_string = boolean(name, value)?,
            "prefersdecimal" => self.prefers_decimal = boolean(name, value)?,
            "dateformat" => self.date_format = Some(value.into()),
            "timestampformat" => self.timestamp_format = Some(value.into()),
            "timestampntzformat" => self.timestamp_ntz_format = Some(value.into()),
            "timezone" => self.time_zone = value.parse()?,
            "locale"
            | "linesep"
            | "multiline"
            | "encoding"
            | "charset"
            | "dropfieldifallnull"
            | "samplingratio"
            | "compression"
            | "ignorenullfields"
            | "enabledatetimeparsingfallback" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// Options of the JSON writer. Defaults are Spark's.
#[derive(Debug, Clone)]
pub struct JsonWriteOptions {
    /// Leave null fields of structs out. Default true.
    pub ignore_null_fields: bool,
    /// Indent by two spaces. Default false.
    pub pretty: bool,
    /// Default `yyyy-MM-dd`.
    pub date_format: Option<String>,
    /// Default `yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]`.
    pub timestamp_format: Option<String>,
    /// Default `yyyy-MM-dd'T'HH:mm:ss[.SSS]`.
    pub timestamp_ntz_format: Option<String>,
    /// Zone in which timestamps are written. Default UTC.
    pub time_zone: TimeZone,
}

impl Default for JsonWriteOptions {
    fn default() -> Self {
        Self {
            ignore_null_fields: true,
            pretty: false,
            date_format: None,
            timestamp_format: None,
            timestamp_ntz_format: None,
            time_zone: TimeZone::UTC,
        }
    }
}

impl JsonWriteOptions {
    /// Sets one option by Spark's name (case-insensitive). False when the name is not an option of the JSON
    /// writer.
    pub fn set(&mut self, name: &str, value: &str) -> Result<bool> {
        match name.to_ascii_lowercase().as_str() {
            "ignorenullfields" => self.ignore_null_fields = boolean(name, value)?,
            "pretty" => self.pretty = boolean(name, value)?,
            "dateformat" => self.date_format = Some(value.into()),
            "timestampformat" => self.timestamp_format = Some(value.into()),
            "timestampntzformat" => self.timestamp_ntz_format = Some(value.into()),
            "timezone" => self.time_zone = value.parse()?,
            "compression" | "linesep" | "encoding" | "charset" | "locale" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn boolean(option: &str, value: &str) -> Result<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Error::BadOption {
            option: option.into(),
            value: value.into(),
            why: "use true or false".into(),
        }),
    }
}

fn mode(option: &str, value: &str) -> Result<ParseMode> {
    match value.to_ascii_uppercase().as_str() {
        "PERMISSIVE" => Ok(ParseMode::Permissive),
        "FAILFAST" => Ok(ParseMode::FailFast),
        _ => Err(Error::BadOption {
            option: option.into(),
            value: value.into(),
            why: "from_json knows the modes PERMISSIVE and FAILFAST".into(),
        }),
    }
}
