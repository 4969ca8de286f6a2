//! Times from their parts: `make_date`, `make_timestamp`, `make_dt_interval`, `make_ym_interval`.
//!
//! Parts that make no time are an error under ANSI, NULL otherwise and in `try_make_timestamp`.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Int32Type, IntervalYearMonthType,
    TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use millstream_columnar::datetime::{days_from_civil, days_in_month};

use super::{INT, TEXT};
use crate::analyzer::{Typed, integer_literal};
use crate::error::SparkError;
use crate::functions::arithmetic::overflowed;
use crate::functions::call::Call;
use crate::functions::computed::Computed;
use crate::functions::udf::{Evaluation, Kernel};
use crate::functions::{external, zone};
use crate::types::SparkType;

const MICROS_PER_DAY: i64 = 86_400_000_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct MakeDate {
    strict: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct MakeTimestamp {
    strict: bool,
    local: bool,
    time_zone: String,
}

pub(super) fn make_date(call: &Call<'_>) -> crate::error::Result<Typed> {
    let args = (0..3).map(|i| call.take(i, &INT)).collect::<crate::error::Result<Vec<_>>>()?;
    let typed = call.finish(MakeDate { strict: call.conf.ansi() }, args, SparkType::Date);
    Ok(if call.conf.ansi() { typed } else { typed.nullable(true) })
}

pub(super) fn make_timestamp(call: &Call<'_>) -> crate::error::Result<Typed> {
    let mut args = (0..5).map(|i| call.take(i, &INT)).collect::<crate::error::Result<Vec<_>>>()?;
    args.push(call.take_as(5, SparkType::Decimal(16, 6))?);
    if call.args.len() > 6 {
        args.push(call.take(6, &TEXT)?);
    }
    let local = call.name.ends_with("_ntz");
    let returns = if local { SparkType::TimestampNtz } else { SparkType::Timestamp };
    let strict = call.conf.ansi() && !call.name.starts_with("try_");
    let kernel = MakeTimestamp { strict, local, time_zone: call.conf.time_zone().to_owned() };
    Ok(call.finish(kernel, args, returns).nullable(true))
}

pub(super) fn make_ym_interval(call: &Call<'_>) -> crate::error::Result<Typed> {
    let call = &filled(call, 2);
    let args = (0..2).map(|i| call.take(i, &INT)).collect::<crate::error::Result<Vec<_>>>()?;
    let run = |args: &[ArrayRef]| {
        let (years, months) = (args[0].as_primitive::<Int32Type>(), args[1].as_primitive::<Int32Type>());
        let made: PrimitiveArray<IntervalYearMonthType> = years
            .iter()
            .zip(months)
            .map(|pair| match pair {
                (Some(y), Some(m)) => match y.checked_mul(12).and_then(|y| y.checked_add(m)) {
                    Some(total) => Ok(Some(total)),
                    None => Err(overflowed("overflow", "")),
                },
                _ => Ok(None),
            })
            .collect::<Result<_>>()?;
        Ok(Arc::new(made) as ArrayRef)
    };
    let kernel = Computed { name: "make_ym_interval".to_owned(), returns: SparkType::YEAR_MONTH, run };
    Ok(call.finish(kernel, args, SparkType::YEAR_MONTH))
}

pub(super) fn make_dt_interval(call: &Call<'_>) -> crate::error::Result<Typed> {
    let call = &filled(call, 4);
    let mut args = (0..3).map(|i| call.take(i, &INT)).collect::<crate::error::Result<Vec<_>>>()?;
    args.push(call.take_as(3, SparkType::Decimal(18, 6))?);
    let run = |args: &[ArrayRef]| {
        let part = |i: usize| args[i].as_primitive::<Int32Type>();
        let seconds = args[3].as_primitive::<Decimal128Type>();
        let made: PrimitiveArray<DurationMicrosecondType> = (0..seconds.len())
            .map(|row| {
                if seconds.is_null(row) || (0..3).any(|i| part(i).is_null(row)) {
                    return Ok(None);
                }
                let [days, hours, minutes] = [0, 1, 2].map(|i| i128::from(part(i).value(row)));
                let micros = ((days * 24 + hours) * 60 + minutes) * 60_000_000 + seconds.value(row);
                i64::try_from(micros).map(Some).map_err(|_| overflowed("overflow", ""))
            })
            .collect::<Result<_>>()?;
        Ok(Arc::new(made) as ArrayRef)
    };
    let kernel = Computed { name: "make_dt_interval".to_owned(), returns: SparkType::DAY_TIME, run };
    Ok(call.finish(kernel, args, SparkType::DAY_TIME))
}

/// The call with zeros for the arguments that are left out.
fn filled<'a>(call: &Call<'a>, count: usize) -> Call<'a> {
    let mut args = call.args.clone();
    args.resize_with(count, || integer_literal(0));
    Call { name: call.name.clone(), args, conf: call.conf }
}

/// Days since 1970, or what is wrong with the parts.
fn day(year: i32, month: i32, day: i32) -> std::result::Result<i64, String> {
    const MONTHS: [&str; 12] = [
        "JANUARY",
        "FEBRUARY",
        "MARCH",
        "APRIL",
        "MAY",
        "JUNE",
        "JULY",
        "AUGUST",
        "SEPTEMBER",
        "OCTOBER",
        "NOVEMBER",
        "DECEMBER",
    ];
    let bad = |field: &str, range: &str, value: i32| {
        Err(format!("Invalid value for {field} (valid values {range}): {value}"))
    };
    let Some(m) = u32::try_from(month).ok().filter(|m| (1..=12).contains(m)) else {
        return bad("MonthOfYear", "1 - 12", month);
    };
    let Some(d) = u32::try_from(day).ok().filter(|d| (1..=31).contains(d)) else {
        return bad("DayOfMonth", "1 - 28/31", day);
    };
    if d <= days_in_month(i64::from(year), m) {
        return Ok(days_from_civil(i64::from(year), m, d));
    }
    Err(match (m, d) {
        (2, 29) => format!("Invalid date 'February 29' as '{year}' is not a leap year"),
        _ => format!("Invalid date '{} {d}'", MONTHS[m as usize - 1]),
    })
}

fn out_of_bounds(message: String) -> DataFusionError {
    external(SparkError::new(
        "DATETIME_FIELD_OUT_OF_BOUNDS.WITH_SUGGESTION",
        [("rangeMessage", message), ("ansiConfig", "\"spark.sql.ansi.enabled\"".to_owned())],
    ))
}

fn settled<T>(found: std::result::Result<T, String>, strict: bool) -> Result<Option<T>> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(message) if strict => Err(out_of_bounds(message)),
        Err(_) => Ok(None),
    }
}

impl Kernel for MakeDate {
    fn name(&self) -> &str {
        "make_date"
    }

    fn return_type(&self) -> DataType {
        DataType::Date32
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let part = |i: usize| args[i].as_primitive::<Int32Type>();
        let made: PrimitiveArray<Date32Type> = (0..args[0].len())
            .map(|row| {
                if (0..3).any(|i| part(i).is_null(row)) {
                    return Ok(None);
                }
                let [y, m, d] = [0, 1, 2].map(|i| part(i).value(row));
                let days = settled(day(y, m, d), self.strict)?;
                Ok(days.and_then(|days| i32::try_from(days).ok()))
            })
            .collect::<Result<_>>()?;
        Ok(Arc::new(made))
    }
}

impl Kernel for MakeTimestamp {
    fn name(&self) -> &str {
        if self.local { "make_timestamp_ntz" } else { "make_timestamp" }
    }

    fn return_type(&self) -> DataType {
        if self.local { SparkType::TimestampNtz.to_arrow() } else { SparkType::Timestamp.to_arrow() }
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let part = |i: usize| args[i].as_primitive::<Int32Type>();
        let seconds = args[5].as_primitive::<Decimal128Type>();
        let zones = args.get(6).map(|zones| zones.as_string_view());
        let own = zone(&self.time_zone).map_err(external)?;
        let made: PrimitiveArray<TimestampMicrosecondType> = (0..seconds.len())
            .map(|row| {
                if args.iter().any(|a| a.is_null(row)) {
                    return Ok(None);
                }
                let parts = [0, 1, 2, 3, 4].map(|i| part(i).value(row));
                let Some(local) = settled(clock(parts, seconds.value(row)), self.strict)? else {
                    return Ok(None);
                };
                Ok(match zones {
                    _ if self.local => Some(local),
                    Some(zones) => zone(zones.value(row)).map_err(external)?.instant_micros(local),
                    None => own.instant_micros(local),
                })
            })
            .collect::<Result<_>>()?;
        Ok(Arc::new(made.with_data_type(self.return_type())))
    }
}

/// Microseconds of a local clock since 1970. 60 seconds without a fraction are the next minute.
fn clock([y, m, d, hour, minute]: [i32; 5], micros: i128) -> std::result::Result<i64, String> {
    let within = |field: &str, high: i32, value: i32| match value {
        v if (0..=high).contains(&v) => Ok(i64::from(v)),
        v => Err(format!("Invalid value for {field} (valid values 0 - {high}): {v}")),
    };
    let whole = i32::try_from(micros.div_euclid(1_000_000)).unwrap_or(i32::MAX);
    if whole == 60 && micros % 1_000_000 != 0 {
        return Err("The fraction of sec must be zero. Valid range is [0, 60].".to_owned());
    }
    let seconds = if whole == 60 { 60 } else { within("SecondOfMinute", 59, whole)? };
    let fraction = i64::try_from(micros.rem_euclid(1_000_000)).unwrap_or(0);
    let (hour, minute) = (within("HourOfDay", 23, hour)?, within("MinuteOfHour", 59, minute)?);
    let days = day(y, m, d)?;
    Ok(days * MICROS_PER_DAY + ((hour * 60 + minute) * 60 + seconds) * 1_000_000 + fraction)
}
