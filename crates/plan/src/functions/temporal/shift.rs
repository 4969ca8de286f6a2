//! Dates moved by days and months, distances, and timestamps moved between zones.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int32Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, PrimitiveArray};
use datafusion::common::Result;
use millstream_columnar::datetime::{civil_from_days, days_in_month, iso_weekday};

use crate::analyzer::Typed;
use crate::error::SparkError;
use crate::functions::arithmetic::overflowed;
use crate::functions::call::Call;
use crate::functions::computed::Computed;
use crate::functions::time_math::add_months;
use crate::functions::{external, zone};
use crate::types::SparkType;

/// The clock of the zone `args[1]`, as if it were UTC's.
pub(super) fn from_utc(args: &[ArrayRef]) -> Result<ArrayRef> {
    moved(args, |micros, name| Ok(Some(zone(name).map_err(external)?.local_micros(micros))))
}

/// The instant at which the clock of the zone `args[1]` shows what UTC's shows now.
pub(super) fn to_utc(args: &[ArrayRef]) -> Result<ArrayRef> {
    moved(args, |micros, name| Ok(zone(name).map_err(external)?.instant_micros(micros)))
}

fn moved(args: &[ArrayRef], f: impl Fn(i64, &str) -> Result<Option<i64>>) -> Result<ArrayRef> {
    let (times, zones) = (args[0].as_primitive::<TimestampMicrosecondType>(), args[1].as_string_view());
    let result: PrimitiveArray<TimestampMicrosecondType> = times
        .iter()
        .zip(zones)
        .map(|pair| match pair {
            (Some(micros), Some(name)) => f(micros, name),
            _ => Ok(None),
        })
        .collect::<Result<_>>()?;
    Ok(Arc::new(result.with_timezone("UTC")))
}

/// Days from the second date to the first.
pub(super) fn date_difference(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (end, start) = (args[0].as_primitive::<Date32Type>(), args[1].as_primitive::<Date32Type>());
    let days: PrimitiveArray<Int32Type> =
        end.iter().zip(start).map(|(e, s)| Some(e?.wrapping_sub(s?))).collect();
    Ok(Arc::new(days))
}

pub(super) fn date_add(args: &[ArrayRef]) -> Result<ArrayRef> {
    dated(args, |date, days| date + days)
}

pub(super) fn date_sub(args: &[ArrayRef]) -> Result<ArrayRef> {
    dated(args, |date, days| date - days)
}

pub(super) fn months_added(args: &[ArrayRef]) -> Result<ArrayRef> {
    dated(args, add_months)
}

fn dated(args: &[ArrayRef], f: impl Fn(i64, i64) -> i64) -> Result<ArrayRef> {
    let (dates, counts) = (args[0].as_primitive::<Date32Type>(), args[1].as_primitive::<Int32Type>());
    let result: PrimitiveArray<Date32Type> = dates
        .iter()
        .zip(counts)
        .map(|pair| match pair {
            (Some(date), Some(count)) => i32::try_from(f(i64::from(date), i64::from(count)))
                .map(Some)
                .map_err(|_| overflowed("integer overflow", "")),
            _ => Ok(None),
        })
        .collect::<Result<_>>()?;
    Ok(Arc::new(result))
}

pub(super) fn last_day(args: &[ArrayRef]) -> Result<ArrayRef> {
    let dates = args[0].as_primitive::<Date32Type>();
    let last = |date: i32| {
        let (year, month, day) = civil_from_days(i64::from(date));
        let rest = days_in_month(year, month).saturating_sub(day);
        date.saturating_add(i32::try_from(rest).unwrap_or(0))
    };
    Ok(Arc::new(dates.unary::<_, Date32Type>(last)))
}

/// The next date that is the named weekday. A name that is none is an error under ANSI, else NULL.
pub(super) fn next_day(call: &Call<'_>) -> crate::error::Result<Typed> {
    let args = vec![call.take_as(0, SparkType::Date)?, call.take_as(1, SparkType::String)?];
    let run = if call.conf.ansi() { strict_next_day } else { lenient_next_day };
    let name = if call.conf.ansi() { "next_day" } else { "next_day (lenient)" };
    let kernel = Computed { name: name.to_owned(), returns: SparkType::Date, run };
    let typed = call.finish(kernel, args, SparkType::Date);
    Ok(if call.conf.ansi() { typed } else { typed.nullable(true) })
}

fn strict_next_day(args: &[ArrayRef]) -> Result<ArrayRef> {
    next_days(args, |name| Err(external(SparkError::new("ILLEGAL_DAY_OF_WEEK", [("string", name)]))))
}

fn lenient_next_day(args: &[ArrayRef]) -> Result<ArrayRef> {
    next_days(args, |_| Ok(None))
}

fn next_days(args: &[ArrayRef], unknown: impl Fn(&str) -> Result<Option<i32>>) -> Result<ArrayRef> {
    let (dates, names) = (args[0].as_primitive::<Date32Type>(), args[1].as_string_view());
    let result: PrimitiveArray<Date32Type> = dates
        .iter()
        .zip(names)
        .map(|(date, name)| {
            let (Some(date), Some(name)) = (date, name) else { return Ok(None) };
            let Some(wanted) = weekday(name).and_then(|wanted| i32::try_from(wanted).ok()) else {
                return unknown(name);
            };
            let today = i32::try_from(iso_weekday(i64::from(date))).unwrap_or(1);
            Ok(date.checked_add((wanted - today - 1).rem_euclid(7) + 1))
        })
        .collect::<Result<_>>()?;
    Ok(Arc::new(result))
}

/// 1 is Monday.
fn weekday(name: &str) -> Option<u32> {
    Some(match name.trim().to_ascii_uppercase().as_str() {
        "MO" | "MON" | "MONDAY" => 1,
        "TU" | "TUE" | "TUESDAY" => 2,
        "WE" | "WED" | "WEDNESDAY" => 3,
        "TH" | "THU" | "THURSDAY" => 4,
        "FR" | "FRI" | "FRIDAY" => 5,
        "SA" | "SAT" | "SATURDAY" => 6,
        "SU" | "SUN" | "SUNDAY" => 7,
        _ => return None,
    })
}
