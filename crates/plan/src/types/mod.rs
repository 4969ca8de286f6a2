//! Spark's data types and their spellings.
mod arrow;
mod ddl;
mod interval_text;
mod json;
mod names;
#[cfg(test)]
mod tests;
mod tree_string;

use std::sync::Arc;

pub use interval_text::{day_time_interval_text, year_month_interval_text};
pub use names::{DayTimeField, YearMonthField};

/// Types nested deeper than this are refused when they are read.
pub const MAX_DEPTH: usize = 100;

/// A type of Spark's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
pub enum SparkType {
    /// VOID, the type of an untyped NULL.
    Null,
    /// BOOLEAN.
    Boolean,
    /// TINYINT.
    Byte,
    /// SMALLINT.
    Short,
    /// INT.
    Integer,
    /// BIGINT.
    Long,
    /// FLOAT.
    Float,
    /// DOUBLE.
    Double,
    /// DECIMAL(precision, scale); precision is at most 38.
    Decimal(u8, u8),
    /// STRING; CHAR(n) and VARCHAR(n) are read as STRING.
    String,
    /// BINARY.
    Binary,
    /// DATE.
    Date,
    /// TIMESTAMP: an instant, shown in the session's time zone.
    Timestamp,
    /// TIMESTAMP_NTZ: a local clock's time.
    TimestampNtz,
    /// INTERVAL DAY TO SECOND and its parts, from the first to the last field.
    DayTimeInterval(DayTimeField, DayTimeField),
    /// INTERVAL YEAR TO MONTH and its parts, from the first to the last field.
    YearMonthInterval(YearMonthField, YearMonthField),
    /// ARRAY of an element type; whether elements may be NULL.
    Array(Box<SparkType>, bool),
    /// MAP of key and value types; whether values may be NULL.
    Map(Box<SparkType>, Box<SparkType>, bool),
    /// STRUCT.
    Struct(StructType),
}

/// A struct's fields, also a table's columns.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
pub struct StructType {
    /// In order; names may repeat.
    pub fields: Vec<StructField>,
}

/// A field of a struct, or a column.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StructField {
    /// As the user wrote it.
    pub name: Arc<str>,
    /// Its type.
    pub data_type: SparkType,
    /// Whether it may be NULL.
    pub nullable: bool,
}

impl SparkType {
    /// INTERVAL DAY TO SECOND.
    pub const DAY_TIME: Self = Self::DayTimeInterval(DayTimeField::Day, DayTimeField::Second);
    /// INTERVAL YEAR TO MONTH.
    pub const YEAR_MONTH: Self = Self::YearMonthInterval(YearMonthField::Year, YearMonthField::Month);
}

impl StructField {
    /// A field.
    pub fn new(name: impl Into<Arc<str>>, data_type: SparkType, nullable: bool) -> Self {
        Self { name: name.into(), data_type, nullable }
    }
}

impl StructType {
    /// A struct without fields; go on with [`StructType::add`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    #[must_use]
    pub fn add(mut self, name: impl Into<Arc<str>>, data_type: SparkType, nullable: bool) -> Self {
        self.fields.push(StructField::new(name, data_type, nullable));
        self
    }
}

impl FromIterator<StructField> for StructType {
    fn from_iter<T: IntoIterator<Item = StructField>>(fields: T) -> Self {
        Self { fields: fields.into_iter().collect() }
    }
}
