//! Dates and timestamps to each other and to numbers.
//!
//! A timestamp as a number is its seconds since 1970; a date becomes midnight in the session's time zone.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, PrimitiveArray};
use arrow_cast::cast::cast;
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::{Cast, Overflow, failure};
use crate::functions::decimal;
use crate::types::SparkType;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Whether one of the types is a date or timestamp.
pub(super) fn involved(from: &SparkType, to: &SparkType) -> bool {
    let temporal =
        |t: &SparkType| matches!(t, SparkType::Date | SparkType::Timestamp | SparkType::TimestampNtz);
    temporal(from) || temporal(to)
}

impl Cast<'_> {
    pub(super) fn temporal(&self, array: &ArrayRef, from: &SparkType, to: &SparkType) -> Result<ArrayRef> {
        use SparkType as T;
        match (from, to) {
            (T::Timestamp, T::Date) => days(array, |v| self.zone.local_micros(v)),
            (T::TimestampNtz, T::Date) => days(array, |v| v),
            (T::Timestamp, T::TimestampNtz) => {
                let local = micros(array).unary::<_, TimestampMicrosecondType>(|v| self.zone.local_micros(v));
                Ok(Arc::new(local))
            }
            (T::TimestampNtz, T::Timestamp) => Ok(self.instants(micros(array).clone())),
            (T::Date, T::TimestampNtz) => Ok(Arc::new(midnights(array))),
            (T::Date, T::Timestamp) => Ok(self.instants(midnights(array))),
            (T::Timestamp, _) => self.timestamp_to_number(array, to),
            (_, T::Timestamp) => self.number_to_timestamp(array, from),
            _ => Err(DataFusionError::Internal(format!("no cast from {from} to {to}"))),
        }
    }

    /// Local clock times as instants; the later offset's time in a gap.
    fn instants(&self, local: PrimitiveArray<TimestampMicrosecondType>) -> ArrayRef {
        let instants: PrimitiveArray<TimestampMicrosecondType> =
            local.iter().map(|v| v.and_then(|v| self.zone.instant_micros(v))).collect();
        Arc::new(instants.with_timezone("UTC"))
    }

    fn timestamp_to_number(&self, array: &ArrayRef, to: &SparkType) -> Result<ArrayRef> {
        let values = micros(array);
        let seconds = || values.unary::<_, Int64Type>(|v| v.div_euclid(MICROS_PER_SECOND));
        match to {
            SparkType::Float | SparkType::Double => {
                #[expect(clippy::cast_precision_loss, reason = "as Spark does")]
                let doubles = values.unary::<_, Float64Type>(|v| v as f64 / MICROS_PER_SECOND as f64);
                Ok(cast(&doubles, &to.to_arrow())?)
            }
            SparkType::Decimal(..) => {
                let exact = values.unary::<_, Decimal128Type>(i128::from).with_precision_and_scale(26, 6)?;
                let exact: ArrayRef = Arc::new(exact);
                self.numeric(&exact, &SparkType::Decimal(26, 6), to)
            }
            SparkType::Boolean => {
                let bools: arrow_array::BooleanArray = values.iter().map(|v| v.map(|v| v != 0)).collect();
                Ok(Arc::new(bools))
            }
            SparkType::Long => Ok(Arc::new(seconds())),
            _ => self.small_seconds(values, to),
        }
    }

    /// Seconds that do not fit are an error that shows the timestamp under ANSI, else NULL.
    fn small_seconds(
        &self,
        values: &PrimitiveArray<TimestampMicrosecondType>,
        to: &SparkType,
    ) -> Result<ArrayRef> {
        let (low, high) = match to {
            SparkType::Byte => (i64::from(i8::MIN), i64::from(i8::MAX)),
            SparkType::Short => (i64::from(i16::MIN), i64::from(i16::MAX)),
            _ => (i64::from(i32::MIN), i64::from(i32::MAX)),
        };
        let one = |v: i64| {
            let seconds = v.div_euclid(MICROS_PER_SECOND);
            if (low..=high).contains(&seconds) {
                return Ok(Some(seconds));
            }
            if self.overflow != Overflow::Error {
                return Ok(None);
            }
            let mut shown = String::new();
            millstream_columnar::text::append_timestamp(v, self.zone, &mut shown);
            Err(failure::overflow(&format!("TIMESTAMP '{shown}'"), &SparkType::Timestamp, to))
        };
        let seconds: PrimitiveArray<Int64Type> =
            values.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?;
        Ok(cast(&seconds, &to.to_arrow())?)
    }

    fn number_to_timestamp(&self, array: &ArrayRef, from: &SparkType) -> Result<ArrayRef> {
        let result: PrimitiveArray<TimestampMicrosecondType> = match from {
            SparkType::Float | SparkType::Double => {
                let doubles = cast(array, &DataType::Float64)?;
                let one = |v: f64| self.instant_of_double(v, from);
                let doubles = doubles.as_primitive::<Float64Type>();
                doubles.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?
            }
            SparkType::Decimal(_, scale) => {
                #[expect(clippy::cast_possible_truncation, reason = "wraps as on the JVM")]
                let one = |v: i128| decimal::rescale(v, *scale, 6).map(|v| v as i64);
                array.as_primitive::<Decimal128Type>().iter().map(|v| v.and_then(one)).collect()
            }
            _ => {
                let wide = cast(array, &DataType::Int64)?;
                let wide = wide.as_primitive::<Int64Type>();
                wide.iter().map(|v| v.map(|v| v.saturating_mul(MICROS_PER_SECOND))).collect()
            }
        };
        Ok(Arc::new(result.with_timezone("UTC")))
    }

    fn instant_of_double(&self, seconds: f64, from: &SparkType) -> Result<Option<i64>> {
        if seconds.is_finite() {
            #[expect(clippy::cast_precision_loss, reason = "a million is exact")]
            let micros = seconds * MICROS_PER_SECOND as f64;
            if self.overflow == Overflow::Error && micros.abs() >= 9_223_372_036_854_775_808.0 {
                let mut shown = String::new();
                millstream_columnar::text::append_f64(micros, &mut shown);
                return Err(failure::overflow(&format!("{shown}D"), &SparkType::Double, &SparkType::Long));
            }
            #[expect(clippy::cast_possible_truncation, reason = "saturates as on the JVM")]
            return Ok(Some(micros as i64));
        }
        if self.overflow == Overflow::Error {
            let mut shown = String::new();
            millstream_columnar::text::append_f64(seconds, &mut shown);
            return Err(failure::invalid_value(&shown, from, &SparkType::Timestamp));
        }
        Ok(None)
    }
}

fn micros(array: &ArrayRef) -> &PrimitiveArray<TimestampMicrosecondType> {
    array.as_primitive::<TimestampMicrosecondType>()
}

fn midnights(array: &ArrayRef) -> PrimitiveArray<TimestampMicrosecondType> {
    let days = array.as_primitive::<Date32Type>();
    days.unary::<_, TimestampMicrosecondType>(|d| i64::from(d) * MICROS_PER_DAY)
}

fn days(array: &ArrayRef, local: impl Fn(i64) -> i64) -> Result<ArrayRef> {
    #[expect(clippy::cast_possible_truncation, reason = "64 bits of microseconds are fewer than 2^31 days")]
    let days = micros(array).unary::<_, Date32Type>(|v| local(v).div_euclid(MICROS_PER_DAY) as i32);
    Ok(Arc::new(days))
}
