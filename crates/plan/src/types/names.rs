//! The spellings `bigint` (simple string), `BIGINT` (SQL) and `long` (JSON and printed trees) of each type.
use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use super::{SparkType, StructType};

/// Fields of a day-time interval, from the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum DayTimeField {
    /// DAY.
    Day,
    /// HOUR.
    Hour,
    /// MINUTE.
    Minute,
    /// SECOND, with a fraction of 6 digits.
    Second,
}

/// Fields of a year-month interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum YearMonthField {
    /// YEAR.
    Year,
    /// MONTH.
    Month,
}

impl DayTimeField {
    /// Lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Hour => "hour",
            Self::Minute => "minute",
            Self::Second => "second",
        }
    }
}

impl YearMonthField {
    /// Lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Year => "year",
            Self::Month => "month",
        }
    }
}

impl SparkType {
    /// The name in `DataFrame.dtypes` and in DESCRIBE: `bigint`, `array<struct<a:int>>`, `decimal(10,2)`.
    pub fn simple_string(&self) -> String {
        match self {
            Self::Array(element, _) => format!("array<{}>", element.simple_string()),
            Self::Map(key, value, _) => format!("map<{},{}>", key.simple_string(), value.simple_string()),
            Self::Struct(fields) => fields.simple_string(),
            Self::Byte => "tinyint".to_owned(),
            Self::Short => "smallint".to_owned(),
            Self::Integer => "int".to_owned(),
            Self::Long => "bigint".to_owned(),
            other => other.type_name(),
        }
    }

    /// The name in SQL text and in error parameters: `BIGINT`, `ARRAY<STRUCT<a: INT>>`.
    pub fn sql(&self) -> String {
        match self {
            Self::Array(element, _) => format!("ARRAY<{}>", element.sql()),
            Self::Map(key, value, _) => format!("MAP<{}, {}>", key.sql(), value.sql()),
            Self::Struct(fields) => fields.sql(),
            other => other.simple_string().to_uppercase(),
        }
    }

    /// The name in JSON schemas and printed trees, without what is inside: `long`, `array`, `decimal(10,2)`.
    pub fn type_name(&self) -> String {
        let name = match self {
            Self::Null => "void",
            Self::Boolean => "boolean",
            Self::Byte => "byte",
            Self::Short => "short",
            Self::Integer => "integer",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Decimal(precision, scale) => return format!("decimal({precision},{scale})"),
            Self::String => "string",
            Self::Binary => "binary",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::TimestampNtz => "timestamp_ntz",
            Self::DayTimeInterval(from, to) => return interval_name(from.name(), to.name()),
            Self::YearMonthInterval(from, to) => return interval_name(from.name(), to.name()),
            Self::Array(..) => "array",
            Self::Map(..) => "map",
            Self::Struct(_) => "struct",
        };
        name.to_owned()
    }
}

fn interval_name(from: &str, to: &str) -> String {
    if from == to { format!("interval {from}") } else { format!("interval {from} to {to}") }
}

impl StructType {
    /// `struct<a:int,b:string>`.
    pub fn simple_string(&self) -> String {
        let fields: Vec<_> =
            self.fields.iter().map(|f| format!("{}:{}", f.name, f.data_type.simple_string())).collect();
        format!("struct<{}>", fields.join(","))
    }

    /// `STRUCT<a: INT NOT NULL, b: STRING>`.
    pub fn sql(&self) -> String {
        let mut text = String::from("STRUCT<");
        for (i, field) in self.fields.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            let not_null = if field.nullable { "" } else { " NOT NULL" };
            let name = quote_if_needed(&field.name);
            let _ = write!(text, "{comma}{name}: {}{not_null}", field.data_type.sql());
        }
        text.push('>');
        text
    }
}

/// A name as SQL text needs it: in backticks unless it consists of ASCII letters, digits and underscores and does not
/// consist of digits only.
pub(crate) fn quote_if_needed(name: &str) -> String {
    let plain = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !name.bytes().all(|b| b.is_ascii_digit());
    if plain { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

impl fmt::Display for SparkType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.simple_string())
    }
}
