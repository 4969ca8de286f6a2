//! Dates and timestamps moved by intervals, and their differences.
//!
//! Whole days of a day-time interval are days of the calendar, the rest is exact time; a date moved by whole days
//! stays a date. Months keep the local clock time and clip the day to the month's length.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, DurationMicrosecondType, Int32Type, IntervalYearMonthType, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use millstream_columnar::datetime::{TimeZone, civil_from_days, days_from_civil, days_in_month};

use super::arithmetic::{Operation, overflowed};
use super::external;
use super::interval_math::{is_interval, multiple};
use super::udf::{self, Evaluation, Kernel};
use crate::analyzer::{Conf, Label, Typed, cast_to, errors};
use crate::types::{DayTimeField, SparkType};

const MICROS_PER_DAY: i64 = 86_400_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Step {
    /// Date by a number of days.
    Days,
    /// Date or timestamp by months.
    Months,
    /// Timestamp by exact time.
    Exact,
    /// Interval by interval of the same kind.
    Interval,
    /// Difference of two dates.
    DateDifference,
    /// Difference of two timestamps.
    Difference,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct TimeMath {
    step: Step,
    subtract: bool,
    result: SparkType,
    time_zone: String,
}

/// The expression for `left operation right`, if it is one of time.
///
/// # Errors
/// Operand types that do not go together.
pub(crate) fn time_arithmetic(
    operation: Operation,
    left: &Typed,
    right: &Typed,
    sql: &str,
    conf: &Conf,
) -> crate::error::Result<Option<Typed>> {
    let subtract = match operation {
        Operation::Add => false,
        Operation::Subtract => true,
        _ => {
            let found = multiple(operation, left, right, sql, conf)?;
            return match found {
                Some(typed) => Ok(Some(typed)),
                None => Err(errors::different_operands(sql, &left.data_type, &right.data_type)),
            };
        }
    };
    // `interval + time` is `time + interval`, and so are days.
    let days = |t: &SparkType| matches!(t, SparkType::Byte | SparkType::Short | SparkType::Integer);
    let is_behind = is_interval(&left.data_type) && !is_interval(&right.data_type)
        || days(&left.data_type) && right.data_type == SparkType::Date;
    let swap = !subtract && is_behind;
    let (base, by) = if swap { (right, left) } else { (left, right) };
    let Some((step, base_type, by_type, result)) = plan(&base.data_type, &by.data_type, subtract) else {
        return Err(errors::different_operands(sql, &left.data_type, &right.data_type));
    };
    let args = vec![cast_to(base.clone(), &base_type, conf)?.expr, cast_to(by.clone(), &by_type, conf)?.expr];
    let kernel = TimeMath { step, subtract, result: result.clone(), time_zone: conf.time_zone().to_owned() };
    Ok(Some(Typed {
        expr: udf::call(kernel, args),
        data_type: result,
        nullable: left.nullable || right.nullable,
        sql: sql.trim_start_matches('(').trim_end_matches(')').to_owned(),
        label: Label::Sql,
        foldable: left.foldable && right.foldable,
    }))
}

/// The step, the types of both operands and of the result.
fn plan(base: &SparkType, by: &SparkType, subtract: bool) -> Option<(Step, SparkType, SparkType, SparkType)> {
    use SparkType as T;
    let days_only = |t: &T| matches!(t, T::DayTimeInterval(_, DayTimeField::Day));
    Some(match (base, by) {
        (T::Date, T::Byte | T::Short | T::Integer | T::Null) => (Step::Days, T::Date, T::Integer, T::Date),
        (T::Date, by) if days_only(by) => (Step::Exact, T::Date, by.clone(), T::Date),
        (T::Date, T::DayTimeInterval(..)) => (Step::Exact, T::Timestamp, by.clone(), T::Timestamp),
        (T::Timestamp | T::TimestampNtz, T::DayTimeInterval(..)) => {
            (Step::Exact, base.clone(), by.clone(), base.clone())
        }
        (T::Date | T::Timestamp | T::TimestampNtz, T::YearMonthInterval(..)) => {
            (Step::Months, base.clone(), by.clone(), base.clone())
        }
        (T::DayTimeInterval(..), T::DayTimeInterval(..))
        | (T::YearMonthInterval(..), T::YearMonthInterval(..)) => {
            let result = crate::analyzer::tightest(base, by)?;
            (Step::Interval, result.clone(), result.clone(), result)
        }
        (T::Date, T::Date) if subtract => {
            let days = T::DayTimeInterval(DayTimeField::Day, DayTimeField::Day);
            (Step::DateDifference, T::Date, T::Date, days)
        }
        (T::Timestamp | T::TimestampNtz, T::Date | T::Timestamp | T::TimestampNtz | T::String)
        | (T::Date | T::String, T::Timestamp | T::TimestampNtz)
            if subtract =>
        {
            let ntz = *base == T::TimestampNtz && *by == T::TimestampNtz;
            let common = if ntz { T::TimestampNtz } else { T::Timestamp };
            (Step::Difference, common.clone(), common, T::DAY_TIME)
        }
        _ => return None,
    })
}

impl Kernel for TimeMath {
    fn name(&self) -> &str {
        if self.subtract { "time_subtract" } else { "time_add" }
    }

    fn return_type(&self) -> DataType {
        self.result.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let (base, by) = (&args[0], &args[1]);
        match self.step {
            Step::Days => {
                let days = by.as_primitive::<Int32Type>();
                self.dates(base, |date, row| date.checked_add(self.signed(i64::from(days.value(row)))), by)
            }
            Step::Exact => self.exact(base, by),
            Step::Months => self.months(base, by),
            Step::Interval => self.intervals(base, by),
            Step::DateDifference => {
                let (a, b) = (base.as_primitive::<Date32Type>(), by.as_primitive::<Date32Type>());
                let difference: PrimitiveArray<DurationMicrosecondType> = a
                    .iter()
                    .zip(b)
                    .map(|(a, b)| Some((i64::from(a?) - i64::from(b?)) * MICROS_PER_DAY))
                    .collect();
                Ok(Arc::new(difference))
            }
            Step::Difference => {
                let (a, b) = (micros(base), micros(by));
                let difference: PrimitiveArray<DurationMicrosecondType> =
                    a.iter().zip(b).map(|(a, b)| a?.checked_sub(b?)).collect();
                Ok(Arc::new(difference))
            }
        }
    }
}

impl TimeMath {
    fn signed(&self, value: i64) -> i64 {
        if self.subtract { value.wrapping_neg() } else { value }
    }

    fn dates(
        &self,
        base: &ArrayRef,
        moved: impl Fn(i64, usize) -> Option<i64>,
        by: &ArrayRef,
    ) -> Result<ArrayRef> {
        let dates = base.as_primitive::<Date32Type>();
        let result: PrimitiveArray<Date32Type> = (0..dates.len())
            .map(|row| {
                if dates.is_null(row) || by.is_null(row) {
                    return Ok(None);
                }
                let days = moved(i64::from(dates.value(row)), row).and_then(|d| i32::try_from(d).ok());
                days.map(Some).ok_or_else(out_of_range)
            })
            .collect::<Result<_>>()?;
        Ok(Arc::new(result))
    }

    fn exact(&self, base: &ArrayRef, by: &ArrayRef) -> Result<ArrayRef> {
        let spans = by.as_primitive::<DurationMicrosecondType>();
        if *base.data_type() == DataType::Date32 {
            return self.dates(
                base,
                |date, row| date.checked_add(self.signed(spans.value(row) / MICROS_PER_DAY)),
                by,
            );
        }
        // Whole days are days of the zone's calendar, which may have 23 or 25 hours.
        let zone = match base.data_type() {
            DataType::Timestamp(_, Some(_)) => super::zone(&self.time_zone).map_err(external)?,
            _ => TimeZone::UTC,
        };
        self.instants(base, by, |instant, row| {
            let span = self.signed(spans.value(row));
            let (days, rest) = (span / MICROS_PER_DAY, span % MICROS_PER_DAY);
            let moved = match days {
                0 => Some(instant),
                _ => zone
                    .local_micros(instant)
                    .checked_add(days * MICROS_PER_DAY)
                    .and_then(|l| zone.instant_micros(l)),
            };
            Ok(moved.and_then(|moved| moved.checked_add(rest)))
        })
    }

    fn months(&self, base: &ArrayRef, by: &ArrayRef) -> Result<ArrayRef> {
        let spans = by.as_primitive::<IntervalYearMonthType>();
        let count = |row: usize| self.signed(i64::from(spans.value(row)));
        match base.data_type() {
            DataType::Date32 => self.dates(base, |date, row| Some(add_months(date, count(row))), by),
            DataType::Timestamp(_, Some(_)) => {
                let zone = super::zone(&self.time_zone).map_err(external)?;
                self.instants(base, by, |instant, row| {
                    Ok(zone.instant_micros(add_months_to_micros(zone.local_micros(instant), count(row))))
                })
            }
            _ => self.instants(base, by, |local, row| Ok(Some(add_months_to_micros(local, count(row))))),
        }
    }

    fn instants(
        &self,
        base: &ArrayRef,
        by: &ArrayRef,
        moved: impl Fn(i64, usize) -> Result<Option<i64>>,
    ) -> Result<ArrayRef> {
        let instants = micros(base);
        let result: PrimitiveArray<TimestampMicrosecondType> = (0..instants.len())
            .map(|row| {
                if instants.is_null(row) || by.is_null(row) {
                    return Ok(None);
                }
                moved(instants.value(row), row)?.map(Some).ok_or_else(out_of_range)
            })
            .collect::<Result<_>>()?;
        Ok(Arc::new(result.with_data_type(self.result.to_arrow())))
    }

    fn intervals(&self, base: &ArrayRef, by: &ArrayRef) -> Result<ArrayRef> {
        if let SparkType::YearMonthInterval(..) = self.result {
            let (a, b) =
                (base.as_primitive::<IntervalYearMonthType>(), by.as_primitive::<IntervalYearMonthType>());
            let sign = if self.subtract { -1 } else { 1 };
            let sum: PrimitiveArray<IntervalYearMonthType> =
                a.iter().zip(b).map(|(a, b)| a?.checked_add(b?.checked_mul(sign)?)).collect();
            return Ok(Arc::new(sum));
        }
        let (a, b) =
            (base.as_primitive::<DurationMicrosecondType>(), by.as_primitive::<DurationMicrosecondType>());
        let sum: PrimitiveArray<DurationMicrosecondType> =
            a.iter().zip(b).map(|(a, b)| a?.checked_add(self.signed(b?))).collect();
        Ok(Arc::new(sum))
    }
}

/// Days since 1970 moved by months, the day clipped to the month's length.
pub(crate) fn add_months(days: i64, months: i64) -> i64 {
    let (year, month, day) = civil_from_days(days);
    let total = year * 12 + i64::from(month) - 1 + months;
    let (year, month) = (total.div_euclid(12), u32::try_from(total.rem_euclid(12)).unwrap_or(0) + 1);
    days_from_civil(year, month, day.min(days_in_month(year, month)))
}

/// Microseconds of a local clock since 1970 moved by months.
pub(crate) fn add_months_to_micros(local: i64, months: i64) -> i64 {
    let (days, time) = (local.div_euclid(MICROS_PER_DAY), local.rem_euclid(MICROS_PER_DAY));
    add_months(days, months).saturating_mul(MICROS_PER_DAY).saturating_add(time)
}

fn micros(array: &ArrayRef) -> &PrimitiveArray<TimestampMicrosecondType> {
    array.as_primitive::<TimestampMicrosecondType>()
}

fn out_of_range() -> DataFusionError {
    overflowed("long overflow", "")
}
