//! Literal values.
use serde::{Deserialize, Serialize};

use crate::types::{DayTimeField, SparkType, YearMonthField};

/// A value of one of Spark's types, as literals and rows in memory hold it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// NULL of no type (`void`).
    Null,
    /// BOOLEAN.
    Boolean(bool),
    /// TINYINT.
    Byte(i8),
    /// SMALLINT.
    Short(i16),
    /// INT.
    Integer(i32),
    /// BIGINT.
    Long(i64),
    /// FLOAT.
    Float(#[serde(with = "as_text")] f32),
    /// DOUBLE.
    Double(#[serde(with = "as_text")] f64),
    /// DECIMAL(precision, scale): `unscaled / 10^scale`.
    Decimal {
        /// All digits.
        #[serde(with = "as_text")]
        unscaled: i128,
        /// 1 to 38.
        precision: u8,
        /// 0 to `precision`.
        scale: u8,
    },
    /// STRING.
    String(String),
    /// BINARY.
    Binary(Vec<u8>),
    /// DATE: days since 1970-01-01.
    Date(i32),
    /// TIMESTAMP: microseconds since the epoch.
    Timestamp(i64),
    /// TIMESTAMP_NTZ: microseconds since 1970-01-01 00:00:00 of the local clock.
    TimestampNtz(i64),
    /// INTERVAL DAY TO SECOND and its parts.
    DayTimeInterval {
        /// The length.
        microseconds: i64,
        /// First field of the type.
        from: DayTimeField,
        /// Last field of the type.
        to: DayTimeField,
    },
    /// INTERVAL YEAR TO MONTH and its parts.
    YearMonthInterval {
        /// The length.
        months: i32,
        /// First field of the type.
        from: YearMonthField,
        /// Last field of the type.
        to: YearMonthField,
    },
    /// ARRAY.
    Array(Vec<Value>),
    /// MAP, in order.
    Map(Vec<(Value, Value)>),
    /// STRUCT: names and values in order.
    Struct(Vec<(String, Value)>),
    /// NULL of a known type.
    NullOf(SparkType),
}

/// Numbers that JSON cannot hold (NaN, infinities, more than 64 bits) travel as text.
mod as_text {
    use std::fmt::Display;
    use std::str::FromStr;

    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
