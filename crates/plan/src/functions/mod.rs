//! Spark's functions, one file a family.
//!
//! The analyzer looks a call's name up here (`lookup`); the family checks and casts the arguments by
//! Spark's rules and gives back a typed expression. What DataFusion computes as Spark does is its own
//! expression, everything else is a [`udf::Kernel`].

mod access;
pub(crate) mod aggregate;
mod arithmetic;
mod avro;
mod batch_time;
mod call;
pub(crate) mod cast;
mod collection;
mod computed;
mod conditional;
mod csv;
mod decimal;
mod defaulted;
pub(crate) mod event_window;
pub(crate) mod generator;
mod hash;
mod interval_math;
mod json;
mod kafka;
mod math;
mod payload;
mod placed;
mod protobuf;
mod raise;
mod random;
mod refused;
mod registered;
mod registry;
mod row_id;
mod rows;
mod simple;
mod string;
mod temporal;
mod time_math;
pub mod udf;
mod zoned;

use datafusion::error::DataFusionError;
use millstream_columnar::datetime::TimeZone;

pub(crate) use access::{StructFieldKernel, extract, field_at};
pub(crate) use arithmetic::{Arithmetic, Operation, ansi_overflow, decimal_result};
pub use batch_time::BatchTime;
pub(crate) use call::{Call, fold};
pub(crate) use collection::higher_order::{Higher, HigherOrder, Lambda};
pub(crate) use collection::maps::last_wins;
pub(crate) use collection::named_struct;
pub(crate) use conditional::{decode, null};
pub(crate) use decimal::rescale;
pub(crate) use defaulted::literal_text;
pub(crate) use interval_math::negative_interval;
pub(crate) use json::{FromJson, json_tuple};
pub(crate) use math::{bit_not, bit_operator, shift};
pub(crate) use placed::{fails_for_records, with_place};
pub(crate) use registry::{lookup, nearest};
pub(crate) use string::Splitter;
pub(crate) use time_math::time_arithmetic;

use crate::error::{Result, SparkError};

/// A run-time error that callers find again by downcasting to [`SparkError`].
pub(crate) fn external(error: impl Into<SparkOrOther>) -> DataFusionError {
    match error.into() {
        SparkOrOther::Spark(error) => DataFusionError::External(error),
        SparkOrOther::Other(error) => DataFusionError::External(error),
    }
}

/// What [`external`] takes.
pub(crate) enum SparkOrOther {
    /// Has Spark's condition.
    Spark(Box<SparkError>),
    /// Any other.
    Other(Box<crate::error::Error>),
}

impl From<SparkError> for SparkOrOther {
    fn from(error: SparkError) -> Self {
        Self::Spark(Box::new(error))
    }
}

impl From<crate::error::Error> for SparkOrOther {
    fn from(error: crate::error::Error) -> Self {
        match error {
            crate::error::Error::Spark(error) => Self::Spark(error),
            other => Self::Other(Box::new(other)),
        }
    }
}

/// A session time zone by name.
///
/// # Errors
/// No such zone.
pub(crate) fn zone(name: &str) -> Result<TimeZone> {
    name.parse().map_err(|_| SparkError::new("INVALID_TIMEZONE", [("timeZone", name)]).into())
}

/// A decimal scale as Arrow has it.
pub(crate) fn signed(scale: u8) -> i8 {
    i8::try_from(scale).unwrap_or(i8::MAX)
}

#[cfg(test)]
mod tests;
