//! Intervals: Spark's two kinds, read from text.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringViewArray};
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use crate::types::SparkType;

/// Casts text to an interval type. `bad` decides what text that is no interval means.
pub(crate) fn from_strings(
    text: &StringViewArray,
    to: &SparkType,
    bad: impl Fn(&str) -> Result<()>,
) -> Result<ArrayRef> {
    use arrow_array::types::{DurationMicrosecondType, IntervalYearMonthType};
    let parse = |value: &str| parse_calendar(value);
    match to {
        SparkType::DayTimeInterval(..) => {
            let one = |v: &str| match parse(v).filter(|c| c.months == 0) {
                Some(c) => Ok(Some(c.micros)),
                None => bad(v).map(|()| None),
            };
            let array: arrow_array::PrimitiveArray<DurationMicrosecondType> =
                text.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?;
            Ok(Arc::new(array))
        }
        SparkType::YearMonthInterval(..) => {
            let one = |v: &str| match parse(v).filter(|c| c.micros == 0) {
                Some(c) => Ok(Some(c.months)),
                None => bad(v).map(|()| None),
            };
            let array: arrow_array::PrimitiveArray<IntervalYearMonthType> =
                text.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?;
            Ok(Arc::new(array))
        }
        other => Err(DataFusionError::Internal(format!("no cast from string to {other}"))),
    }
}

/// A span as `window` and watermarks take it: months apart from exact time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Calendar {
    /// Months and years.
    pub months: i32,
    /// Weeks to microseconds; a day is 24 hours.
    pub micros: i64,
}

/// Reads `10 seconds`, `interval 1 day 2 hours`, `1 week`.
pub(crate) fn parse_calendar(text: &str) -> Option<Calendar> {
    let lower = text.trim().to_ascii_lowercase();
    let body = lower.strip_prefix("interval ").unwrap_or(&lower);
    let words: Vec<&str> = body.split_ascii_whitespace().collect();
    if words.is_empty() || !words.len().is_multiple_of(2) {
        return None;
    }
    let mut total = Calendar::default();
    for pair in words.chunks_exact(2) {
        add_unit(&mut total, pair[0], pair[1])?;
    }
    Some(total)
}

fn add_unit(total: &mut Calendar, number: &str, unit: &str) -> Option<()> {
    const SECOND: i64 = 1_000_000;
    let unit = unit.strip_suffix('s').unwrap_or(unit);
    let micros_per = match unit {
        "year" | "month" => {
            let count: i32 = number.parse().ok()?;
            let months = count.checked_mul(if unit == "year" { 12 } else { 1 })?;
            total.months = total.months.checked_add(months)?;
            return Some(());
        }
        "week" => 7 * 86_400 * SECOND,
        "day" => 86_400 * SECOND,
        "hour" => 3_600 * SECOND,
        "minute" => 60 * SECOND,
        "second" => return add_seconds(total, number),
        "millisecond" => 1_000,
        "microsecond" => 1,
        _ => return None,
    };
    let count: i64 = number.parse().ok()?;
    total.micros = total.micros.checked_add(count.checked_mul(micros_per)?)?;
    Some(())
}

/// Seconds may have a fraction of up to 9 digits, of which 6 count.
fn add_seconds(total: &mut Calendar, number: &str) -> Option<()> {
    let (negative, body) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = body.split_once('.').unwrap_or((body, ""));
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{fraction:0<6}");
    let seconds: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let micros = seconds.checked_mul(1_000_000)?.checked_add(digits[..6].parse().ok()?)?;
    total.micros = total.micros.checked_add(if negative { -micros } else { micros })?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_spans_as_users_write_them() {
        let micros = |text| parse_calendar(text).map(|c| c.micros);
        assert_eq!(micros("10 seconds"), Some(10_000_000));
        assert_eq!(micros("interval 1 day 2 hours"), Some(26 * 3_600_000_000));
        assert_eq!(micros("-1.5 second"), Some(-1_500_000));
        assert_eq!(parse_calendar("1 year 2 months"), Some(Calendar { months: 14, micros: 0 }));
        assert_eq!(micros("10"), None);
        assert_eq!(micros("ten seconds"), None);
    }
}
