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
    /// Bad documents say nothing. For the inference of schemas only; `from_json` refuses it.
    DropMalformed,
}

/// Limits on what strangers may send. A document over one of them is not JSON. The first three are Spark's
/// options with its defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonLimits {
    /// Option `maxNestingDepth`: containers inside of each other. Default 1,000, and never more than that.
    pub depth: usize,
    /// Option `maxNumLen`: characters of a number. Default 1,000.
    pub number: usize,
    /// Option `maxStringLen`: bytes of a string as it is written. Default 20,000,000.
    pub string: usize,
    /// Option `maxNameLen`: bytes of a name as it is written. Default 50,000.
    pub name: usize,
    /// Option `maxDocumentLen`: bytes of a document. Default 1 GiB.
    pub document: usize,
}

/// What recursion is made for.
const MOST_DEPTH: usize = 1000;

impl Default for JsonLimits {
    fn default() -> Self {
        Self { depth: MOST_DEPTH, number: 1000, string: 20_000_000, name: 50_000, document: 1 << 30 }
    }
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
    /// Whether dates and timestamps that are not of the format may have the forms of older Sparks (`GMT` before
    /// an offset, days as a number, the lenient forms). None: where there is no format.
    pub date_time_fallback: Option<bool>,
    /// Date of timestamps that name only a time, in days since 1970. None: such timestamps do not fit.
    pub today: Option<i32>,
    /// Inference only: strings that are timestamps become timestamps. Default false.
    pub infer_timestamp: bool,
    /// Inference only: fields that are always null, or empty arrays, are left out. Default false.
    pub drop_field_if_all_null: bool,
    /// Limits on documents.
    pub limits: JsonLimits,
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
            date_time_fallback: None,
            today: None,
            infer_timestamp: false,
            drop_field_if_all_null: false,
            limits: JsonLimits::default(),
        }
    }
}

impl JsonReadOptions {
    /// Sets one option by Spark's name (case-insensitive). False when the name is not an option of the JSON
    /// reader; options that have no effect on single documents (`lineSep`, `multiLine`, `encoding`, ...) are
    /// accepted.
    pub fn set(&mut self, name: &str, value: &str) -> Result<bool> {
        match name.to_ascii_lowercase().as_str() {
            "mode" => self.mode = mode(value),
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
            "enabledatetimeparsingfallback" => self.date_time_fallback = Some(boolean(name, value)?),
            "infertimestamp" => self.infer_timestamp = boolean(name, value)?,
            "dropfieldifallnull" => self.drop_field_if_all_null = boolean(name, value)?,
            "maxnestingdepth" => self.limits.depth = size(name, value)?.min(MOST_DEPTH),
            "maxnumlen" => self.limits.number = size(name, value)?,
            "maxstringlen" => self.limits.string = size(name, value)?,
            "maxnamelen" => self.limits.name = size(name, value)?,
            "maxdocumentlen" => self.limits.document = size(name, value)?,
            "locale" => english(name, value)?,
            "linesep" | "multiline" | "encoding" | "charset" | "samplingratio" | "compression"
            | "ignorenullfields" => {}
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
            "locale" => english(name, value)?,
            "compression" | "linesep" | "encoding" | "charset" => {}
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

/// As in Spark, a mode that it does not know is PERMISSIVE.
fn mode(value: &str) -> ParseMode {
    match value.to_ascii_uppercase().as_str() {
        "FAILFAST" => ParseMode::FailFast,
        "DROPMALFORMED" => ParseMode::DropMalformed,
        _ => ParseMode::Permissive,
    }
}

fn size(option: &str, value: &str) -> Result<usize> {
    value.parse().map_err(|_| Error::BadOption {
        option: option.into(),
        value: value.into(),
        why: "use a whole number".into(),
    })
}

/// Names of months and days, and the signs in decimals, are known in English only.
fn english(option: &str, value: &str) -> Result<()> {
    let language = value.split(['-', '_']).next().unwrap_or_default();
    if language.eq_ignore_ascii_case("en") {
        return Ok(());
    }
    Err(Error::BadOption {
        option: option.into(),
        value: value.into(),
        why: "only English locales are supported, such as en-US".into(),
    })
}

/// Refuses a pattern that holds one of `letters` outside of its quoted text.
pub(super) fn refuse_letters(format: Option<&str>, letters: &str, why: &str) -> Result<()> {
    let mut quoted = false;
    let letter = format.unwrap_or_default().chars().find(|c| {
        quoted ^= *c == '\'';
        !quoted && letters.contains(*c)
    });
    letter.map_or(Ok(()), |letter| {
        let pattern = format.unwrap_or_default().into();
        Err(Error::BadPattern { pattern, why: format!("{why} the letter {letter}") })
    })
}
