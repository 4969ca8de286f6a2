//! How strings become dates and timestamps: by the options' patterns, or as Spark's casts do, and by what older
//! versions of Spark accepted.

use crate::datetime::{Pattern, TimeZone, string_to_date, string_to_timestamp, string_to_timestamp_ntz};
use crate::json::JsonReadOptions;
use crate::json::options::refuse_letters;

/// How dates and timestamps are read; None is Spark's lenient default.
#[derive(Debug)]
pub(in crate::json) struct Formats {
    pub date: Option<Pattern>,
    pub timestamp: Option<Pattern>,
    pub timestamp_ntz: Option<Pattern>,
    pub zone: TimeZone,
    /// Whether a date or timestamp that is not of the format may be of an older Spark's.
    pub date_fallback: bool,
    pub timestamp_fallback: bool,
    /// The date of times without one, in days since the epoch.
    pub today: Option<i32>,
}

impl Formats {
    pub fn new(options: &JsonReadOptions) -> crate::Result<Self> {
        let compile = |format: &Option<String>| format.as_deref().map(Pattern::compile).transpose();
        for format in [&options.date_format, &options.timestamp_format, &options.timestamp_ntz_format] {
            refuse_letters(format.as_deref(), "EFqQ", "nothing can be read by")?;
        }
        let fallback = |format: &Option<String>| options.date_time_fallback.unwrap_or(format.is_none());
        Ok(Self {
            date: compile(&options.date_format)?,
            timestamp: compile(&options.timestamp_format)?,
            timestamp_ntz: compile(&options.timestamp_ntz_format)?,
            zone: options.time_zone,
            date_fallback: fallback(&options.date_format),
            timestamp_fallback: fallback(&options.timestamp_format),
            today: options.today,
        })
    }

    pub fn date(&self, text: &str) -> Option<i32> {
        let by_format = match &self.date {
            Some(pattern) => pattern.parse_date(text).ok(),
            None => string_to_date(text.as_bytes()),
        };
        let fallback = || {
            let legacy = || string_to_date(without_gmt(text).as_bytes()).or_else(|| text.parse().ok());
            self.date_fallback.then(legacy).flatten()
        };
        by_format.or_else(fallback)
    }

    pub fn timestamp(&self, text: &str) -> Option<i64> {
        let fallback = || self.timestamp_fallback.then(|| self.lenient(&without_gmt(text))).flatten();
        self.by_timestamp_format(text).or_else(fallback)
    }

    /// A timestamp of the format, if there is one, and of nothing else.
    pub fn by_timestamp_format(&self, text: &str) -> Option<i64> {
        match &self.timestamp {
            Some(pattern) => pattern.parse_timestamp(text, &self.zone).ok(),
            None => self.lenient(text),
        }
    }

    fn lenient(&self, text: &str) -> Option<i64> {
        string_to_timestamp(text.as_bytes(), &self.zone, self.today)
    }

    pub fn timestamp_ntz(&self, text: &str) -> Option<i64> {
        match &self.timestamp_ntz {
            Some(pattern) => pattern.parse_timestamp_ntz(text, false).ok(),
            None => string_to_timestamp_ntz(text.as_bytes(), false),
        }
    }
}

/// Early Spark versions wrote `GMT` before the offset; it still reads that.
fn without_gmt(text: &str) -> std::borrow::Cow<'_, str> {
    if text.contains("GMT") { text.replace("GMT", "").into() } else { text.into() }
}
