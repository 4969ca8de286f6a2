//! Text to values.
//!
//! White space and control characters around the value are ignored. Integers take no fraction under ANSI;
//! doubles take what Java's parser takes (a `d` or `f` at the end) and Spark's words for infinity and NaN.

use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, BooleanArray, Decimal128Array, PrimitiveArray, StringViewArray};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use millstream_columnar::datetime::{string_to_date, string_to_timestamp, string_to_timestamp_ntz};

use super::{Cast, Overflow, failure};
use crate::functions::decimal::{self, Parsed};
use crate::types::SparkType;

impl Cast<'_> {
    pub(super) fn parse_text(&self, text: &StringViewArray, to: &SparkType) -> Result<ArrayRef> {
        use SparkType as T;
        match to {
            T::Boolean => self.booleans(text),
            T::Byte => self.integers::<Int8Type>(text, to),
            T::Short => self.integers::<Int16Type>(text, to),
            T::Integer => self.integers::<Int32Type>(text, to),
            T::Long => self.integers::<Int64Type>(text, to),
            T::Float => self.parsed::<Float32Type>(text, to, |t| double(t).map(|_| float(t))),
            T::Double => self.parsed::<Float64Type>(text, to, double),
            T::Decimal(precision, scale) => self.decimals(text, *precision, *scale),
            T::Date => self.parsed::<Date32Type>(text, to, |t| string_to_date(t.as_bytes())),
            T::Timestamp => {
                let parse = |t: &str| string_to_timestamp(t.as_bytes(), self.zone, None);
                let array = self.parse_all::<TimestampMicrosecondType>(text, to, parse)?;
                Ok(Arc::new(array.with_timezone("UTC")))
            }
            T::TimestampNtz => self.parsed::<TimestampMicrosecondType>(text, to, |t| {
                string_to_timestamp_ntz(t.as_bytes(), true)
            }),
            T::DayTimeInterval(..) | T::YearMonthInterval(..) => {
                super::interval::from_strings(text, to, self.overflow)
            }
            other => Err(DataFusionError::Internal(format!("no cast from string to {other}"))),
        }
    }

    /// The answer for text that is no value: an error, or NULL.
    fn bad(&self, text: &str, to: &SparkType) -> Result<()> {
        match self.overflow {
            Overflow::Error => Err(failure::invalid_input(text, to)),
            Overflow::Null | Overflow::Legacy => Ok(()),
        }
    }

    fn parsed<T: ArrowPrimitiveType>(
        &self,
        text: &StringViewArray,
        to: &SparkType,
        parse: impl Fn(&str) -> Option<T::Native>,
    ) -> Result<ArrayRef> {
        Ok(Arc::new(self.parse_all::<T>(text, to, parse)?))
    }

    fn parse_all<T: ArrowPrimitiveType>(
        &self,
        text: &StringViewArray,
        to: &SparkType,
        parse: impl Fn(&str) -> Option<T::Native>,
    ) -> Result<PrimitiveArray<T>> {
        text.iter()
            .map(|value| match value.map(|v| (v, parse(v))) {
                None => Ok(None),
                Some((_, Some(parsed))) => Ok(Some(parsed)),
                Some((bad, None)) => self.bad(bad, to).map(|()| None),
            })
            .collect()
    }

    fn integers<T: ArrowPrimitiveType>(&self, text: &StringViewArray, to: &SparkType) -> Result<ArrayRef>
    where
        T::Native: TryFrom<i64>,
    {
        let fraction = self.overflow == Overflow::Legacy;
        self.parsed::<T>(text, to, |t| integer(t, fraction).and_then(|v| T::Native::try_from(v).ok()))
    }

    fn booleans(&self, text: &StringViewArray) -> Result<ArrayRef> {
        let array: BooleanArray = text
            .iter()
            .map(|value| match value.map(|v| (v, boolean(v))) {
                None => Ok(None),
                Some((_, Some(parsed))) => Ok(Some(parsed)),
                Some((bad, None)) => self.bad(bad, &SparkType::Boolean).map(|()| None),
            })
            .collect::<Result<_>>()?;
        Ok(Arc::new(array))
    }

    fn decimals(&self, text: &StringViewArray, precision: u8, scale: u8) -> Result<ArrayRef> {
        let to = SparkType::Decimal(precision, scale);
        let one = |value: &str| match decimal::parse(trim(value), precision, scale) {
            Parsed::Value(v) => Ok(Some(v)),
            Parsed::TooLarge(shown) if self.overflow == Overflow::Error => {
                Err(failure::decimal_overflow(&shown, precision, scale))
            }
            Parsed::TooLarge(_) => Ok(None),
            Parsed::Invalid => self.bad(value, &to).map(|()| None),
        };
        let array: Decimal128Array = text.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?;
        Ok(Arc::new(array.with_precision_and_scale(precision, super::super::signed(scale))?))
    }
}

/// Without white space and control characters at both ends.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c <= ' ' || c == '\u{7f}')
}

/// An integer; with `fraction`, digits behind a point are cut off.
fn integer(text: &str, fraction: bool) -> Option<i64> {
    let text = trim(text);
    let (number, rest) = match text.split_once('.') {
        Some((number, rest)) if fraction => (number, rest),
        Some(_) => return None,
        None => (text, ""),
    };
    if !rest.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = number.strip_prefix(['+', '-']).unwrap_or(number);
    if digits.is_empty() {
        return (fraction && text.len() > number.len() && !(number.is_empty() && rest.is_empty()))
            .then_some(0);
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse().ok()
}

fn double(text: &str) -> Option<f64> {
    let text = trim(text);
    if let Some(word) = infinity_or_nan(text) {
        return Some(word);
    }
    numeric_text(text)?.parse().ok()
}

fn float(text: &str) -> f32 {
    let text = trim(text);
    #[expect(clippy::cast_possible_truncation, reason = "infinity and NaN keep their meaning")]
    let word = infinity_or_nan(text).map(|v| v as f32);
    word.or_else(|| numeric_text(text)?.parse().ok()).unwrap_or(f32::NAN)
}

/// The text without Java's type suffix, if it consists of what a number may consist of.
fn numeric_text(text: &str) -> Option<&str> {
    let body = match text.as_bytes() {
        [.., last, b'd' | b'D' | b'f' | b'F'] if last.is_ascii_digit() || *last == b'.' => {
            &text[..text.len() - 1]
        }
        _ => text,
    };
    body.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')).then_some(body)
}

fn infinity_or_nan(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "inf" | "+inf" | "infinity" | "+infinity" => Some(f64::INFINITY),
        "-inf" | "-infinity" => Some(f64::NEG_INFINITY),
        "nan" => Some(f64::NAN),
        _ => None,
    }
}

fn boolean(text: &str) -> Option<bool> {
    match trim(text).to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "1" => Some(true),
        "f" | "false" | "n" | "no" | "0" => Some(false),
        _ => None,
    }
}
