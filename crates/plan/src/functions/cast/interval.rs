//! Intervals: of one field to whole numbers of that field's unit, and back; and from text.
//!
//! Text is what stands in the quotes of the type's literal, or the whole literal: `1 02` and `INTERVAL '1 02' DAY TO
//! HOUR`. Other text is an error even without ANSI, and NULL in `try_cast`.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{DurationMicrosecondType, Int64Type, IntervalYearMonthType};
use arrow_array::{ArrayRef, PrimitiveArray, StringViewArray};
use arrow_cast::cast::cast;
use arrow_schema::DataType;
use datafusion::common::Result;
use millstream_columnar::text::{string_to_day_time_interval, string_to_year_month_interval};

use super::{Cast, Overflow, failure, no_cast};
use crate::error::SparkError;
use crate::functions::external;
use crate::sql::interval_between;
use crate::types::{DayTimeField, SparkType, YearMonthField};

/// How much of its physical unit (microseconds, months) one of an interval's field is; none for several fields.
pub(super) fn unit(data_type: &SparkType) -> Option<i64> {
    match data_type {
        SparkType::DayTimeInterval(from, to) if from == to => Some(match from {
            DayTimeField::Day => 86_400_000_000,
            DayTimeField::Hour => 3_600_000_000,
            DayTimeField::Minute => 60_000_000,
            DayTimeField::Second => 1_000_000,
        }),
        SparkType::YearMonthInterval(from, to) if from == to => {
            Some(if *from == YearMonthField::Year { 12 } else { 1 })
        }
        _ => None,
    }
}

/// Text to an interval type.
pub(super) fn from_strings(text: &StringViewArray, to: &SparkType, overflow: Overflow) -> Result<ArrayRef> {
    let bad = |text: &str| match overflow {
        Overflow::Null => Ok(None),
        Overflow::Error | Overflow::Legacy => Err(external(no_interval(text, to))),
    };
    match to {
        SparkType::DayTimeInterval(first, last) => {
            let one = |text: &str| day_time(text, *first, *last).map_or_else(|| bad(text), |v| Ok(Some(v)));
            let made: PrimitiveArray<DurationMicrosecondType> =
                text.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?;
            Ok(Arc::new(made))
        }
        SparkType::YearMonthInterval(first, last) => {
            let bad = |text: &str| bad(text).map(|_: Option<i64>| None);
            let one = |text: &str| year_month(text, *first, *last).map_or_else(|| bad(text), |v| Ok(Some(v)));
            let made: PrimitiveArray<IntervalYearMonthType> =
                text.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?;
            Ok(Arc::new(made))
        }
        other => Err(no_cast(&SparkType::String, other)),
    }
}

fn day_time(text: &str, first: DayTimeField, last: DayTimeField) -> Option<i64> {
    if (first, last) == (DayTimeField::Day, DayTimeField::Second) {
        return string_to_day_time_interval(text);
    }
    let (negative, body) = unframed(text, first.name(), last.name())?;
    let micros = interval_between(body, first, last)?;
    if negative { micros.checked_neg() } else { Some(micros) }
}

fn year_month(text: &str, first: YearMonthField, last: YearMonthField) -> Option<i32> {
    if first != last {
        return string_to_year_month_interval(text);
    }
    let (negative, body) = unframed(text, first.name(), last.name())?;
    let number: i32 = body.bytes().all(|b| b.is_ascii_digit()).then(|| body.parse().ok()).flatten()?;
    let months = number.checked_mul(if first == YearMonthField::Year { 12 } else { 1 })?;
    Some(if negative { -months } else { months })
}

/// The numbers without sign, quotes and the words of a literal.
fn unframed<'a>(text: &'a str, first: &str, last: &str) -> Option<(bool, &'a str)> {
    fn sign(text: &str) -> (bool, &str) {
        match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        }
    }
    let text = text.trim_matches(|c: char| c <= ' ' || c == '\u{7f}');
    if !text.get(..8).is_some_and(|word| word.eq_ignore_ascii_case("interval")) {
        return Some(sign(text));
    }
    let (outer, quoted) = sign(text[8..].trim_start());
    let (inner, behind) = quoted.strip_prefix('\'')?.split_once('\'')?;
    let words: Vec<String> = behind.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
    let named = if first == last { words == [first] } else { words == [first, "to", last] };
    let (negative, body) = sign(inner);
    (named && behind.starts_with(|c: char| c.is_ascii_whitespace())).then_some((outer != negative, body))
}

/// Spark's error for text that is no interval of the type.
pub(crate) fn no_interval(text: &str, to: &SparkType) -> SparkError {
    let (kind, first, last) = match to {
        SparkType::DayTimeInterval(first, last) => ("day-time", first.name(), last.name()),
        SparkType::YearMonthInterval(first, last) => ("year-month", first.name(), last.name()),
        _ => ("", "", ""),
    };
    const FIELDS: [(&str, &str); 6] =
        [("year", "y"), ("month", "-m"), ("day", "d"), ("hour", " h"), ("minute", ":m"), ("second", ":s.n")];
    let place = |name: &str| FIELDS.iter().position(|(field, _)| *field == name).unwrap_or(0);
    let letters: String = FIELDS[place(first)..=place(last)].iter().map(|(_, letters)| *letters).collect();
    let letters = letters.trim_start_matches([' ', ':', '-']);
    let named = if first == last { first.to_owned() } else { format!("{first} to {last}") };
    let format = format!("`[+|-]{letters}`, `INTERVAL [+|-]'[+|-]{letters}' {}`", named.to_uppercase());
    let notice = if kind == "day-time" { "_WITH_NOTICE" } else { "" };
    SparkError::new(
        &format!("INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING{notice}"),
        [
            ("input", text.to_owned()),
            ("intervalStr", kind.to_owned()),
            ("supportedFormat", format),
            ("typeName", to.simple_string()),
        ],
    )
}

impl Cast<'_> {
    pub(super) fn interval(&self, array: &ArrayRef, from: &SparkType, to: &SparkType) -> Result<ArrayRef> {
        if let Some(unit) = unit(from) {
            let whole: PrimitiveArray<Int64Type> = match array.data_type() {
                DataType::Duration(_) => array.as_primitive::<DurationMicrosecondType>().unary(|v| v / unit),
                _ => array.as_primitive::<IntervalYearMonthType>().unary(|v| i64::from(v) / unit),
            };
            let whole: ArrayRef = Arc::new(whole);
            return self.run(&whole, &SparkType::Long, to);
        }
        let unit = unit(to).ok_or_else(|| no_cast(from, to))?;
        let whole = cast(array, &DataType::Int64)?;
        let whole = whole.as_primitive::<Int64Type>();
        let failed = |value: i64| match self.overflow {
            Overflow::Error => Err(failure::overflow(&super::numeric::integer_sql(value, from), from, to)),
            Overflow::Null | Overflow::Legacy => Ok(()),
        };
        if matches!(to, SparkType::DayTimeInterval(..)) {
            let one = |v: i64| v.checked_mul(unit).map_or_else(|| failed(v).map(|()| None), |v| Ok(Some(v)));
            let made: PrimitiveArray<DurationMicrosecondType> =
                whole.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?;
            return Ok(Arc::new(made));
        }
        let one = |v: i64| {
            let months = v.checked_mul(unit).and_then(|v| i32::try_from(v).ok());
            months.map_or_else(|| failed(v).map(|()| None), |v| Ok(Some(v)))
        };
        let made: PrimitiveArray<IntervalYearMonthType> =
            whole.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?;
        Ok(Arc::new(made))
    }
}
