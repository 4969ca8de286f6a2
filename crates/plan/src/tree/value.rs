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
    Float(f32),
    /// DOUBLE.
    Double(f64),
    /// DECIMAL(precision, scale): `unscaled / 10^scale`.
    Decimal {
        /// All digits.
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
