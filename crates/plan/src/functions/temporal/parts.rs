//! Parts of dates and times.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Decimal128Type, Int32Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, StringViewArray};
use datafusion::common::Result;
use millstream_columnar::datetime::{self, TimeZone, civil_from_days, iso_weekday};

use crate::analyzer::{Expected, Typed, errors};
use crate::functions::call::Call;
use crate::functions::interval_math::interval_part;
use crate::functions::registry::lookup;
use crate::functions::simple::Simple;
use crate::functions::zoned::Zoned;
use crate::types::SparkType;

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

static ISO_DAY: Simple =
    part_of_date("dayofweek_iso", SparkType::Integer, |args| of_date(args, |d| i64::from(iso_weekday(d))));

/// The year that the ISO week belongs to.
static ISO_YEAR: Simple = part_of_date("yearofweek", SparkType::Integer, |args| {
    of_date(args, |d| civil_from_days(d + 4 - i64::from(iso_weekday(d))).0)
});

/// Seconds with their fraction.
static SECONDS: Zoned = Zoned {
    name: "second_with_fraction",
    params: &[Expected::Exactly(SparkType::Timestamp)],
    optional: 0,
    returns: SparkType::Decimal(8, 6),
    run: |args, zone| {
        let times = args[0].as_primitive::<TimestampMicrosecondType>();
        let minute = 60 * MICROS_PER_SECOND;
        let seconds =
            times.unary::<_, Decimal128Type>(|v| i128::from(zone.local_micros(v).rem_euclid(minute)));
        Ok(Arc::new(seconds.with_precision_and_scale(8, 6)?))
    },
};

const fn part_of_date(
    name: &'static str,
    returns: SparkType,
    run: fn(&[ArrayRef]) -> Result<ArrayRef>,
) -> Simple {
    Simple { name, params: &[Expected::Exactly(SparkType::Date)], optional: 0, returns, run }
}

/// `Mon` to `Sun`.
pub(super) fn day_name(args: &[ArrayRef]) -> Result<ArrayRef> {
    const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    named(args, |d| NAMES.get(iso_weekday(d) as usize - 1).copied())
}

/// `Jan` to `Dec`.
pub(super) fn month_name(args: &[ArrayRef]) -> Result<ArrayRef> {
    const NAMES: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    named(args, |d| NAMES.get(civil_from_days(d).1 as usize - 1).copied())
}

fn named(args: &[ArrayRef], name: impl Fn(i64) -> Option<&'static str>) -> Result<ArrayRef> {
    let dates = args[0].as_primitive::<Date32Type>();
    let names: StringViewArray = dates.iter().map(|d| name(i64::from(d?))).collect();
    Ok(Arc::new(names))
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
        "dayofweek_iso" | "dow_iso" => "dayofweek_iso",
        "yearofweek" => "yearofweek",
        "doy" => "dayofyear",
        "hour" | "h" | "hours" | "hr" | "hrs" => "hour",
        "minute" | "m" | "min" | "mins" | "minutes" => "minute",
        "second" | "s" | "sec" | "seconds" | "secs" => "second",
        _ => {
            return Err(errors::spark(
                "INVALID_EXTRACT_FIELD",
                [("field", errors::identifier(&[&field])), ("expr", call.args[1].quoted_sql())],
            ));
        }
    };
    if let Some(part) = interval_part(&call.args[1], name) {
        return Ok(Typed { sql: call.sql(), ..part });
    }
    let inner = Call { name: name.to_owned(), args: vec![call.args[1].clone()], conf: call.conf };
    let own = match name {
        "dayofweek_iso" => Some(ISO_DAY.build(&inner)?),
        "yearofweek" => Some(ISO_YEAR.build(&inner)?),
        "second" => Some(SECONDS.build(&inner)?),
        _ => None,
    };
    if let Some(own) = own {
        return Ok(Typed { sql: call.sql(), ..own });
    }
    let Some(entry) = lookup(name) else { return Err(errors::unresolved_routine(name)) };
    let inner = Call { name: name.to_owned(), args: vec![call.args[1].clone()], conf: call.conf };
    Ok(Typed { sql: call.sql(), ..entry.build(&inner)? })
}
