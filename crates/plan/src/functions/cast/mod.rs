//! Spark's CAST between all pairs of types.
//!
//! Three behaviours for values that do not fit: ANSI (an error with Spark's condition), TRY_CAST (NULL), and
//! `spark.sql.ansi.enabled` = false (NULL for text, wrap-around and saturation for numbers).
//! A binary value cast to string takes its Java decoding (U+FFFD for bad bytes), never NULL or an error.

mod allowed;
mod failure;
mod from_string;
mod interval;
mod nested;
mod numeric;
mod temporal;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use millstream_columnar::datetime::TimeZone;

pub(crate) use allowed::{Verdict, verdict};
pub(crate) use failure::invalid_text;
pub(crate) use interval::no_interval;

use super::external;
use super::interval_math::interval_text;
use super::udf::{Evaluation, Kernel};
use crate::types::SparkType;

/// What happens to values that do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Overflow {
    /// An error.
    Error,
    /// NULL.
    Null,
    /// As before ANSI: NULL for text and decimals, wrap-around and saturation for numbers.
    Legacy,
}

/// `CAST(x AS type)`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CastKernel {
    from: SparkType,
    to: SparkType,
    overflow: Overflow,
    time_zone: String,
}

impl CastKernel {
    /// A cast in the session's time zone.
    ///
    /// # Errors
    /// A time zone that does not exist.
    pub fn new(
        from: SparkType,
        to: SparkType,
        overflow: Overflow,
        time_zone: &str,
    ) -> crate::error::Result<Self> {
        super::zone(time_zone)?;
        Ok(Self { from, to, overflow, time_zone: time_zone.to_owned() })
    }

    /// Whether it only re-types bytes, so that casting back gives the bytes unchanged.
    pub fn is_binary_to_string(&self) -> bool {
        self.from == SparkType::Binary && self.to == SparkType::String
    }
}

impl Kernel for CastKernel {
    fn name(&self) -> &str {
        match self.overflow {
            Overflow::Null => "try_cast",
            Overflow::Error | Overflow::Legacy => "cast",
        }
    }

    fn return_type(&self) -> DataType {
        self.to.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let zone = super::zone(&self.time_zone).map_err(external)?;
        Cast { overflow: self.overflow, zone: &zone }.run(&args[0], &self.from, &self.to)
    }
}

/// A cast with what it depends on looked up.
struct Cast<'a> {
    overflow: Overflow,
    zone: &'a TimeZone,
}

impl Cast<'_> {
    fn run(&self, array: &ArrayRef, from: &SparkType, to: &SparkType) -> Result<ArrayRef> {
        use SparkType as T;
        if from == to {
            return Ok(Arc::clone(array));
        }
        match (from, to) {
            (T::Null, _) => Ok(new_null_array(&to.to_arrow(), array.len())),
            (T::Binary, T::String) => {
                let (text, _replaced) = millstream_columnar::text::utf8_lossy_java(array.as_binary_view());
                Ok(Arc::new(text))
            }
            (T::String, T::Binary) => Ok(Arc::new(array.as_string_view().clone().to_binary_view())),
            (T::DayTimeInterval(..), T::DayTimeInterval(..))
            | (T::YearMonthInterval(..), T::YearMonthInterval(..)) => Ok(Arc::clone(array)),
            (T::DayTimeInterval(..) | T::YearMonthInterval(..), T::String) => {
                interval_text(array, from).ok_or_else(|| no_cast(from, to))
            }
            (T::DayTimeInterval(..) | T::YearMonthInterval(..), _)
            | (_, T::DayTimeInterval(..) | T::YearMonthInterval(..))
                if *from != T::String =>
            {
                self.interval(array, from, to)
            }
            (T::Byte | T::Short | T::Integer | T::Long, T::Binary) => numeric::big_endian(array),
            (T::Date, T::Boolean) => Ok(new_null_array(&to.to_arrow(), array.len())),
            (T::Date, to) if numeric::is_number(to) => Ok(new_null_array(&to.to_arrow(), array.len())),
            (_, T::String) => millstream_columnar::text::cast_to_string(array.as_ref(), self.zone)
                .map(|text| Arc::new(text) as ArrayRef)
                .map_err(|e| DataFusionError::External(Box::new(e))),
            (T::String, _) => self.parse_text(array.as_string_view(), to),
            (T::Array(..), T::Array(..)) | (T::Map(..), T::Map(..)) | (T::Struct(_), T::Struct(_)) => {
                self.nested(array, from, to)
            }
            _ if temporal::involved(from, to) => self.temporal(array, from, to),
            _ => self.numeric(array, from, to),
        }
    }
}

fn no_cast(from: &SparkType, to: &SparkType) -> DataFusionError {
    DataFusionError::Internal(format!("no cast from {from} to {to}"))
}
