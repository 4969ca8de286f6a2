//! Options of `from_csv`, `schema_of_csv` and `to_csv`, with Spark's names and defaults.

use crate::datetime::TimeZone;
use crate::json::ParseMode;
use crate::{Error, Result};

/// What to do with a quoted value that goes on behind its closing quote, such as `"a"b`. The names are those
/// of the option `unescapedQuoteHandling`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnescapedQuotes {
    /// `STOP_AT_DELIMITER`: the value was not quoted after all and ends at the next delimiter.
    #[default]
    StopAtDelimiter,
    /// `STOP_AT_CLOSING_QUOTE`: the quote belongs to the value, which ends at a quote before a delimiter.
    StopAtClosingQuote,
    /// `BACK_TO_DELIMITER`: what was read is cut at its delimiters into values, the rest goes on as quoted.
    BackToDelimiter,
    /// `SKIP_VALUE`: the value is null.
    SkipValue,
    /// `RAISE_ERROR`: the record is malformed.
    RaiseError,
}

/// Options of CSV, for reading and writing. Defaults are Spark's.
#[derive(Debug, Clone)]
pub struct CsvOptions {
    /// Default PERMISSIVE. Reading only.
    pub mode: ParseMode,
    /// Name of the string field that takes the text of bad records, if the schema has it. Default
    /// `_corrupt_record`. Reading only.
    pub corrupt_record_column: String,
    /// One character or more; `sep` and `delimiter` in Spark. Default `,`.
    pub delimiter: String,
    /// Default `"`; None where the option is empty.
    pub quote: Option<char>,
    /// Stands before a quote inside of a quoted value. Default `\`; None where the option is empty.
    pub escape: Option<char>,
    /// Stands before an escape that stands for itself. None is Spark's default: the escape, if it is not the
    /// quote.
    pub char_to_escape_quote_escaping: Option<char>,
    /// A record that begins with it is no record. Default none.
    pub comment: Option<char>,
    /// Text of null. Default empty.
    pub null_value: String,
    /// Reading: the text that stands for `""`, default empty. Writing: what an empty string is written as,
    /// default `""`.
    pub empty_value: Option<String>,
    /// Default `NaN`.
    pub nan_value: String,
    /// Default `Inf`. Reading only.
    pub positive_inf: String,
    /// Default `-Inf`. Reading only.
    pub negative_inf: String,
    /// None takes Spark's lenient default on reading and `yyyy-MM-dd` on writing.
    pub date_format: Option<String>,
    /// None takes Spark's lenient default on reading and `yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]` on writing.
    pub timestamp_format: Option<String>,
    /// None takes Spark's lenient default on reading and `yyyy-MM-dd'T'HH:mm:ss[.SSS]` on writing.
    pub timestamp_ntz_format: Option<String>,
    /// Zone of timestamps that name none, and zone to write in. Default UTC.
    pub time_zone: TimeZone,
    /// Inference only: try dates before timestamps. Default true.
    pub prefer_date: bool,
    /// None is Spark's default: false on reading, true on writing.
    pub ignore_leading_white_space: Option<bool>,
    /// None is Spark's default: false on reading, true on writing.
    pub ignore_trailing_white_space: Option<bool>,
    /// More values make a record malformed. Default 20,480. Reading only.
    pub max_columns: usize,
    /// A longer value, in UTF-16 units, makes a record malformed. Default none (-1). Reading only.
    pub max_chars_per_column: Option<usize>,
    /// Default STOP_AT_DELIMITER. Reading only.
    pub unescaped_quotes: UnescapedQuotes,
    /// Quote every value. Default false. Writing only.
    pub quote_all: bool,
    /// Quote values that hold a quote. Default true. Writing only.
    pub escape_quotes: bool,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            mode: ParseMode::Permissive,
            corrupt_record_column: "_corrupt_record".into(),
            delimiter: ",".into(),
            quote: Some('"'),
            escape: Some('\\'),
            char_to_escape_quote_escaping: None,
            comment: None,
            null_value: String::new(),
            empty_value: None,
            nan_value: "NaN".into(),
            positive_inf: "Inf".into(),
            negative_inf: "-Inf".into(),
            date_format: None,
            timestamp_format: None,
            timestamp_ntz_format: None,
            time_zone: TimeZone::UTC,
            prefer_date: true,
            ignore_leading_white_space: None,
            ignore_trailing_white_space: None,
            max_columns: 20_480,
            max_chars_per_column: None,
            unescaped_quotes: UnescapedQuotes::default(),
            quote_all: false,
            escape_quotes: true,
        }
    }
}

/// Options of the CSV source that say nothing about a single record.
const WITHOUT_EFFECT: [&str; 13] = [
    "header",
    "inferschema",
    "enforceschema",
    "linesep",
    "multiline",
    "encoding",
    "charset",
    "compression",
    "codec",
    "samplingratio",
    "inputbuffersize",
    "enabledatetimeparsingfallback",
    "columnpruning",
];

impl CsvOptions {
    /// Sets one option by Spark's name (case-insensitive). False when the name is not an option of CSV;
    /// options of the file source that say nothing about a record (`header`, `lineSep`, `multiLine`, ...) are
    /// accepted.
    ///
    /// # Errors
    /// [`Error::BadOption`] for a value that has no meaning.
    pub fn set(&mut self, name: &str, value: &str) -> Result<bool> {
        match name.to_ascii_lowercase().as_str() {
            "mode" => self.mode = mode(name, value)?,
            "columnnameofcorruptrecord" => self.corrupt_record_column = value.into(),
            "sep" | "delimiter" => self.delimiter = delimiter(name, value)?,
            "quote" => self.quote = character(name, value)?,
            "escape" => self.escape = character(name, value)?,
            "chartoescapequoteescaping" => self.char_to_escape_quote_escaping = character(name, value)?,
            "comment" => self.comment = character(name, value)?,
            "nullvalue" => self.null_value = value.into(),
            "emptyvalue" => self.empty_value = Some(value.into()),
            "nanvalue" => self.nan_value = value.into(),
            "positiveinf" => self.positive_inf = value.into(),
            "negativeinf" => self.negative_inf = value.into(),
            "dateformat" => self.date_format = Some(value.into()),
            "timestampformat" => self.timestamp_format = Some(value.into()),
            "timestampntzformat" => self.timestamp_ntz_format = Some(value.into()),
            "timezone" => self.time_zone = value.parse()?,
            "preferdate" => self.prefer_date = boolean(name, value)?,
            "ignoreleadingwhitespace" => self.ignore_leading_white_space = Some(boolean(name, value)?),
            "ignoretrailingwhitespace" => self.ignore_trailing_white_space = Some(boolean(name, value)?),
            "maxcolumns" => self.max_columns = count(name, value)?.unwrap_or(0),
            "maxcharspercolumn" => self.max_chars_per_column = count(name, value)?,
            "unescapedquotehandling" => self.unescaped_quotes = unescaped_quotes(name, value)?,
            "quoteall" => self.quote_all = boolean(name, value)?,
            "escapequotes" => self.escape_quotes = boolean(name, value)?,
            "locale" => check_locale(name, value)?,
            other => return Ok(WITHOUT_EFFECT.contains(&other)),
        }
        Ok(true)
    }
}

fn bad(option: &str, value: &str, why: &str) -> Error {
    Error::BadOption { option: option.into(), value: value.into(), why: why.into() }
}

fn boolean(option: &str, value: &str) -> Result<bool> {
    match value.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(bad(option, value, "use true or false")),
    }
}

fn mode(option: &str, value: &str) -> Result<ParseMode> {
    match value.to_ascii_uppercase().as_str() {
        "PERMISSIVE" => Ok(ParseMode::Permissive),
        "FAILFAST" => Ok(ParseMode::FailFast),
        _ => Err(bad(option, value, "from_csv knows the modes PERMISSIVE and FAILFAST")),
    }
}

/// A character of one UTF-16 unit, as Java has it; none where the text is empty.
fn character(option: &str, value: &str) -> Result<Option<char>> {
    let mut characters = value.chars();
    match (characters.next(), characters.next()) {
        (first, None) if first.is_none_or(|one| one.len_utf16() == 1) => Ok(first),
        _ => Err(bad(option, value, "it must be at most one character")),
    }
}

/// None for a negative number.
fn count(option: &str, value: &str) -> Result<Option<usize>> {
    let number: i32 = value.parse().map_err(|_| bad(option, value, "use a whole number"))?;
    Ok(usize::try_from(number).ok())
}

fn unescaped_quotes(option: &str, value: &str) -> Result<UnescapedQuotes> {
    Ok(match value.to_uppercase().as_str() {
        "STOP_AT_DELIMITER" => UnescapedQuotes::StopAtDelimiter,
        "STOP_AT_CLOSING_QUOTE" => UnescapedQuotes::StopAtClosingQuote,
        "BACK_TO_DELIMITER" => UnescapedQuotes::BackToDelimiter,
        "SKIP_VALUE" => UnescapedQuotes::SkipValue,
        "RAISE_ERROR" => UnescapedQuotes::RaiseError,
        _ => {
            let why = "use STOP_AT_DELIMITER, STOP_AT_CLOSING_QUOTE, BACK_TO_DELIMITER, SKIP_VALUE or \
                       RAISE_ERROR";
            return Err(bad(option, value, why));
        }
    })
}

/// Only the default, American English, is known: it decides how month names and decimals read.
fn check_locale(option: &str, value: &str) -> Result<()> {
    match value.to_ascii_lowercase().as_str() {
        "en-us" | "en" => Ok(()),
        _ => Err(bad(option, value, "only en-US is supported yet")),
    }
}

/// A delimiter as Spark reads it: `\t` and the like stand for one character each, `\\` for a backslash.
fn delimiter(option: &str, value: &str) -> Result<String> {
    let mut found = String::new();
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let (character, width) = match (first, rest.chars().nth(1)) {
            ('\\', None) => {
                return Err(bad(option, value, "one backslash says nothing; use \\\\ for a backslash"));
            }
            ('\\', Some('t')) => ('\t', 2),
            ('\\', Some('r')) => ('\r', 2),
            ('\\', Some('b')) => ('\u{8}', 2),
            ('\\', Some('f')) => ('\u{c}', 2),
            ('\\', Some(escaped @ ('"' | '\'' | '\\'))) => (escaped, 2),
            ('\\', _) => return Err(bad(option, value, "the character behind the backslash has no meaning")),
            (plain, _) => (plain, plain.len_utf8()),
        };
        found.push(character);
        rest = &rest[width..];
    }
    if found.is_empty() {
        return Err(bad(option, value, "it must not be empty"));
    }
    Ok(found)
}
