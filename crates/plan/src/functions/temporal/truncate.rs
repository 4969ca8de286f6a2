//! `date_trunc` and `trunc`: the start of the unit that a time lies in. An unknown unit gives NULL.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, PrimitiveArray};
use datafusion::common::Result;
use millstream_columnar::datetime::{
    MICROS_PER_DAY, TimeZone, civil_from_days, days_from_civil, iso_weekday,
};

/// Units from a microsecond to a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    /// So many microseconds.
    Exact(i64),
    Week,
    Month,
    Quarter,
    Year,
}

fn unit(name: &str) -> Option<Unit> {
    const SECOND: i64 = 1_000_000;
    Some(match name.to_ascii_uppercase().as_str() {
        "MICROSECOND" => Unit::Exact(1),
        "MILLISECOND" => Unit::Exact(1_000),
        "SECOND" => Unit::Exact(SECOND),
        "MINUTE" => Unit::Exact(60 * SECOND),
        "HOUR" => Unit::Exact(3_600 * SECOND),
        "DAY" | "DD" => Unit::Exact(MICROS_PER_DAY),
        "WEEK" => Unit::Week,
        "MONTH" | "MON" | "MM" => Unit::Month,
        "QUARTER" => Unit::Quarter,
        "YEAR" | "YYYY" | "YY" => Unit::Year,
        _ => return None,
    })
}

fn start_of_date(days: i64, unit: Unit) -> i64 {
    let (year, month, _) = civil_from_days(days);
    match unit {
        Unit::Exact(_) => days,
        Unit::Week => days + 1 - i64::from(iso_weekday(days)),
        Unit::Month => days_from_civil(year, month, 1),
        Unit::Quarter => days_from_civil(year, (month - 1) / 3 * 3 + 1, 1),
        Unit::Year => days_from_civil(year, 1, 1),
    }
}

pub(super) fn date_trunc(args: &[ArrayRef], zone: &TimeZone) -> Result<ArrayRef> {
    let (units, times) = (args[0].as_string_view(), args[1].as_primitive::<TimestampMicrosecondType>());
    let result: PrimitiveArray<TimestampMicrosecondType> = units
        .iter()
        .zip(times)
        .map(|(name, time)| {
            let (unit, local) = (unit(name?)?, zone.local_micros(time?));
            let start = match unit {
                Unit::Exact(micros) => local - local.rem_euclid(micros),
                other => start_of_date(local.div_euclid(MICROS_PER_DAY), other) * MICROS_PER_DAY,
            };
            zone.instant_micros(start)
        })
        .collect();
    Ok(Arc::new(result.with_timezone("UTC")))
}

/// Units below a week give NULL.
pub(super) fn trunc(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (dates, units) = (args[0].as_primitive::<Date32Type>(), args[1].as_string_view());
    let result: PrimitiveArray<Date32Type> = dates
        .iter()
        .zip(units)
        .map(|(date, name)| {
            let (date, unit) = (date?, unit(name?)?);
            let start = (!matches!(unit, Unit::Exact(_))).then(|| start_of_date(i64::from(date), unit))?;
            i32::try_from(start).ok()
        })
        .collect();
    Ok(Arc::new(result))
}
