//! How far times are apart, and times moved by units: `months_between`, `timestampadd`, `timestampdiff`.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, PrimitiveArray};
use arrow_schema::DataType;
use datafusion::common::Result;
use millstream_columnar::datetime::{TimeZone, civil_from_days, days_in_month};

use crate::analyzer::{Typed, errors};
use crate::functions::arithmetic::overflowed;
use crate::functions::call::Call;
use crate::functions::registry::lookup;
use crate::functions::time_math::add_months_to_micros;
use crate::functions::udf::{Evaluation, Kernel};
use crate::functions::{external, zone};
use crate::types::SparkType;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// `months_between(end, start, roundOff)`: whole months where both are the same day of the month or both the last,
/// else days count 1/31 of a month.
pub(super) fn months_between(args: &[ArrayRef], zone: &TimeZone) -> Result<ArrayRef> {
    let times = |i: usize| args[i].as_primitive::<TimestampMicrosecondType>();
    let (ends, starts) = (times(0), times(1));
    let round = args.get(2).map(|round| round.as_boolean());
    let months: PrimitiveArray<Float64Type> = (0..ends.len())
        .map(|row| {
            if args.iter().any(|a| a.is_null(row)) {
                return None;
            }
            let round = round.is_none_or(|round| round.value(row));
            let (a, b) = (zone.local_micros(ends.value(row)), zone.local_micros(starts.value(row)));
            Some(months_apart(a, b, round))
        })
        .collect();
    Ok(Arc::new(months))
}

fn months_apart(a: i64, b: i64, round: bool) -> f64 {
    let parts = |local: i64| {
        let (year, month, day) = civil_from_days(local.div_euclid(MICROS_PER_DAY));
        let rest = days_in_month(year, month) - day;
        (year * 12 + i64::from(month), i64::from(day), rest, local.rem_euclid(MICROS_PER_DAY))
    };
    let ((months_a, day_a, rest_a, time_a), (months_b, day_b, rest_b, time_b)) = (parts(a), parts(b));
    #[expect(clippy::cast_precision_loss, reason = "as Spark computes")]
    let months = (months_a - months_b) as f64;
    if day_a == day_b || (rest_a == 0 && rest_b == 0) {
        return months;
    }
    let seconds = (day_a - day_b) * 86_400 + time_a / 1_000_000 - time_b / 1_000_000;
    #[expect(clippy::cast_precision_loss, reason = "as Spark computes")]
    let apart = months + seconds as f64 / (31.0 * 86_400.0);
    if round { (apart * 1e8).round() / 1e8 } else { apart }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Unit {
    Months(i64),
    Days(i64),
    Micros(i64),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct UnitMath {
    difference: bool,
    unit: Unit,
    result: SparkType,
    time_zone: String,
}

fn unit(name: &str) -> Option<Unit> {
    Some(match name.to_ascii_uppercase().as_str() {
        "YEAR" => Unit::Months(12),
        "QUARTER" => Unit::Months(3),
        "MONTH" => Unit::Months(1),
        "WEEK" => Unit::Days(7),
        "DAY" | "DAYOFYEAR" => Unit::Days(1),
        "HOUR" => Unit::Micros(3_600_000_000),
        "MINUTE" => Unit::Micros(60_000_000),
        "SECOND" => Unit::Micros(1_000_000),
        "MILLISECOND" => Unit::Micros(1_000),
        "MICROSECOND" => Unit::Micros(1),
        _ => return None,
    })
}

fn unit_of(call: &Call<'_>) -> crate::error::Result<Unit> {
    let name = call.constant_text(0, "unit")?.unwrap_or_default();
    unit(&name).ok_or_else(|| {
        errors::spark(
            "INVALID_PARAMETER_VALUE.DATETIME_UNIT",
            [
                ("functionName", errors::identifier(&[&call.name])),
                ("parameter", "`unit`".to_owned()),
                ("invalidValue", format!("'{name}'")),
            ],
        )
    })
}

/// `timestampadd(unit, count, time)`; `dateadd` of two arguments is `date_add`.
pub(super) fn timestamp_add(call: &Call<'_>) -> crate::error::Result<Typed> {
    if call.args.len() == 2 {
        return dates(call, "date_add");
    }
    let unit = unit_of(call)?;
    let result = match call.args[2].data_type {
        SparkType::TimestampNtz => SparkType::TimestampNtz,
        _ => SparkType::Timestamp,
    };
    let args = vec![call.take_as(2, result.clone())?, call.take_as(1, SparkType::Long)?];
    finish(call, false, unit, args, result)
}

/// `timestampdiff(unit, start, end)`; `datediff` of two arguments counts days.
pub(super) fn timestamp_diff(call: &Call<'_>) -> crate::error::Result<Typed> {
    if call.args.len() == 2 {
        return dates(call, "date_diff");
    }
    let unit = unit_of(call)?;
    let args = vec![call.take_as(1, SparkType::Timestamp)?, call.take_as(2, SparkType::Timestamp)?];
    finish(call, true, unit, args, SparkType::Long)
}

fn dates(call: &Call<'_>, name: &str) -> crate::error::Result<Typed> {
    let Some(entry) = lookup(name) else { return Err(errors::unresolved_routine(name)) };
    let inner = Call { name: name.to_owned(), args: call.args.clone(), conf: call.conf };
    Ok(Typed { sql: call.sql(), ..entry.build(&inner)? })
}

fn finish(
    call: &Call<'_>,
    difference: bool,
    unit: Unit,
    args: Vec<Typed>,
    result: SparkType,
) -> crate::error::Result<Typed> {
    let time_zone = call.conf.time_zone().to_owned();
    let kernel = UnitMath { difference, unit, result: result.clone(), time_zone };
    let shown = call.constant_text(0, "unit")?.unwrap_or_default();
    let sql = format!("{}({shown}, {}, {})", call.name, call.args[1].sql, call.args[2].sql);
    Ok(Typed { sql, ..call.finish(kernel, args, result) })
}

impl Kernel for UnitMath {
    fn name(&self) -> &str {
        if self.difference { "timestampdiff" } else { "timestampadd" }
    }

    fn return_type(&self) -> DataType {
        self.result.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let times = args[0].as_primitive::<TimestampMicrosecondType>();
        let zone = if self.result == SparkType::TimestampNtz {
            TimeZone::UTC
        } else {
            zone(&self.time_zone).map_err(external)?
        };
        if self.difference {
            let ends = args[1].as_primitive::<TimestampMicrosecondType>();
            let apart: PrimitiveArray<Int64Type> =
                times.iter().zip(ends).map(|(s, e)| Some(self.unit.between(s?, e?, &zone))).collect();
            return Ok(Arc::new(apart));
        }
        let counts = args[1].as_primitive::<Int64Type>();
        let moved: PrimitiveArray<TimestampMicrosecondType> = times
            .iter()
            .zip(counts)
            .map(|pair| match pair {
                (Some(time), Some(count)) => match self.unit.after(time, count, &zone) {
                    Some(moved) => Ok(Some(moved)),
                    None => Err(overflowed("long overflow", "")),
                },
                _ => Ok(None),
            })
            .collect::<Result<_>>()?;
        Ok(Arc::new(moved.with_data_type(self.result.to_arrow())))
    }
}

impl Unit {
    fn after(self, time: i64, count: i64, zone: &TimeZone) -> Option<i64> {
        let local = zone.local_micros(time);
        match self {
            Self::Months(each) => zone.instant_micros(add_months_to_micros(local, count.checked_mul(each)?)),
            Self::Days(each) => {
                let by = count.checked_mul(each)?.checked_mul(MICROS_PER_DAY)?;
                zone.instant_micros(local.checked_add(by)?)
            }
            Self::Micros(each) => time.checked_add(count.checked_mul(each)?),
        }
    }

    /// Whole units; those of the calendar by the clock of the zone.
    fn between(self, start: i64, end: i64, zone: &TimeZone) -> i64 {
        let (a, b) = (zone.local_micros(start), zone.local_micros(end));
        match self {
            Self::Micros(each) => end.wrapping_sub(start) / each,
            Self::Days(each) => (b - a) / (MICROS_PER_DAY * each),
            Self::Months(each) => {
                let month = |local: i64| {
                    let (year, month, _) = civil_from_days(local.div_euclid(MICROS_PER_DAY));
                    year * 12 + i64::from(month)
                };
                let mut months = month(b) - month(a);
                // The day is not clipped here: from the 31st to the 30th is no whole month.
                let behind = |local: i64| {
                    let (_, _, day) = civil_from_days(local.div_euclid(MICROS_PER_DAY));
                    (day, local.rem_euclid(MICROS_PER_DAY))
                };
                if months > 0 && behind(b) < behind(a) {
                    months -= 1;
                } else if months < 0 && behind(b) > behind(a) {
                    months += 1;
                }
                months / each
            }
        }
    }
}
