//! Parts of dates and times.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int32Type, TimestampMicrosecondType};
use datafusion::common::Result;
use millstream_columnar::datetime::{self, TimeZone, civil_from_days, iso_weekday};

use crate::analyzer::{Typed, errors};
use crate::error::Error;
use crate::functions::call::Call;
use crate::functions::registry::lookup;

const MICROS_PER_SECOND: i64 = 1_000_000;

fn of_date(args: &[ArrayRef], part: impl Fn(i64) -> i64) -> Result<ArrayRef> {
    let dates = args[0].as_primitive::<Date32Type>();
    Ok(Arc::new(dates.unary::<_, Int32Type>(|d| i32::try_from(part(i64::from(d))).unwrap_or(i32::MAX))))
}

fn of_time(args: &[ArrayRef], zone: &TimeZone, part: impl Fn(i64) -> i64) -> Result<ArrayRef> {
    let times = args[0].as_primitive::<TimestampMicrosecondType>();
    let seconds = |v: i64| zone.local_micros(v).div_euclid(MICROS_PER_SECOND);
    Ok(Arc::new(times.unary::<_, Int32Type>(|v| i32::try_from(part(seconds(v))).unwrap_or(i32::MAX))))
}

pub(super) fn hour(args: &[ArrayRef], zone: &TimeZone) -> Result<ArrayRef> {
    of_time(args, zone, |s| s.rem_euclid(86_400) / 3_600)
}

pub(super) fn minute(args: &[ArrayRef], zone: &TimeZone) -> Result<ArrayRef> {
    of_time(args, zone, |s| s.rem_euclid(3_600) / 60)
}

pub(super) fn second(args: &[ArrayRef], zone: &TimeZone) -> Result<ArrayRef> {
    of_time(args, zone, |s| s.rem_euclid(60))
}

pub(super) fn year(args: &[ArrayRef]) -> Result<ArrayRef> {
    of_date(args, |d| civil_from_days(d).0)
}

pub(super) fn quarter(args: &[ArrayRef]) -> Result<ArrayRef> {
    of_date(args, |d| i64::from((civil_from_days(d).1 - 1) / 3 + 1))
}

pub(super) fn month(args: &[ArrayRef]) -> Result<ArrayRef> {
    of_date(args, |d| i64::from(civil_from_days(d).1))
}

pub(super) fn day(args: &[ArrayRef]) -> Result<ArrayRef> {
    of_date(args, |d| i64::from(civil_from_days(d).2))
}

/// 1 is Sunday.
pub(super) fn day_of_week(args: &[ArrayRef]) -> Result<ArrayRef> {
    of_date(args, |d| i64::from(iso_weekday(d) % 7 + 1))
}

/// 0 is Monday.
pub(super) fn weekday(args: &[ArrayRef]) -> Result<ArrayRef> {
    of_date(args, |d| i64::from(iso_weekday(d) - 1))
}

pub(super) fn day_of_year(args: &[ArrayRef]) -> Result<ArrayRef> {
    of_date(args, |d| i64::from(datetime::day_of_year(d)))
}

/// ISO week: the week of the year's first Thursday is week 1.
pub(super) fn week_of_year(args: &[ArrayRef]) -> Result<ArrayRef> {
    of_date(args, |d| {
        let thursday = d + 4 - i64::from(iso_weekday(d));
        i64::from((datetime::day_of_year(thursday) - 1) / 7 + 1)
    })
}

/// `date_part('HOUR', t)` and `extract(HOUR FROM t)`.
pub(super) fn date_part(call: &Call<'_>) -> crate::error::Result<Typed> {
    let field = call.constant_text(0, "field")?.unwrap_or_default();
    let name = match field.to_ascii_lowercase().as_str() {
        "year" | "y" | "years" | "yr" | "yrs" => "year",
        "quarter" | "qtr" => "quarter",
        "month" | "mon" | "mons" | "months" => "month",
        "week" | "w" | "weeks" => "weekofyear",
        "day" | "d" | "days" => "day",
        "dayofweek" | "dow" => "dayofweek",
        "dayofweek_iso" | "dow_iso" => return Err(Error::unsupported("DAYOFWEEK_ISO")),
        "doy" => "dayofyear",
        "hour" | "h" | "hours" | "hr" | "hrs" => "hour",
        "minute" | "m" | "min" | "mins" | "minutes" => "minute",
        "second" | "s" | "sec" | "seconds" | "secs" => {
            return Err(Error::unsupported("seconds with a fraction"));
        }
        _ => {
            return Err(errors::spark(
                "INVALID_EXTRACT_FIELD",
                [("field", errors::identifier(&[&field])), ("expr", call.args[1].quoted_sql())],
            ));
        }
    };
    let Some(entry) = lookup(name) else { return Err(errors::unresolved_routine(name)) };
    let inner = Call { name: name.to_owned(), args: vec![call.args[1].clone()], conf: call.conf };
    Ok(Typed { sql: call.sql(), ..entry.build(&inner)? })
}
