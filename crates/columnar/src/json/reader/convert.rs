//! One value to one column: Spark's table of which JSON token fits which type.
//!
//! | type | accepted |
//! |---|---|
//! | boolean | `true`, `false` |
//! | tinyint | an integer from -128 to 255 (above 127 it wraps, as Jackson does) |
//! | smallint, int, bigint | an integer in range |
//! | float, double | any number; the strings NaN, Infinity, +INF, -INF, ... |
//! | decimal | any number, or a string that is one; rounded half up; too many digits do not fit |
//! | string | anything: strings as they are, other values as JSON text |
//! | binary | base64 in a string |
//! | date | a string by the format; without one also leniently, or as a number of days |
//! | timestamp | a string by the format, without one leniently; an integer of seconds |
//! | timestamp_ntz | a string without a zone |
//! | intervals | a string that Spark casts to the type |
//! | array, struct, map | an array, an object, an object |
//!
//! `null` fits every type. Empty strings fit only string and binary.

use super::column::{Column, ListColumn, MapColumn};
use super::float;
use super::formats::Formats;
use super::number::{Form, Number, decimal};
use super::parser::{Bad, Parser, Quoted};
use super::scalar::{Plain, plain_number, string_length};
use super::trace::Trace;
use crate::json::{base64, copy};
use crate::text::{string_to_day_time_interval, string_to_year_month_interval};
use crate::values::{Home, Values, Views};

/// How a value fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was appended.
    Good,
    /// It was appended with nulls for parts that did not fit.
    Partial,
    /// Nothing was appended. The value was passed over, except for the rest of `Parser::open_arrays`.
    Mismatch,
}

/// The state of one `read`.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub parser: Parser<'a>,
    pub formats: &'a Formats,
    /// Where the current document is.
    pub home: Home,
    /// Values that are written anew before they are appended.
    pub scratch: String,
    pub bytes: Vec<u8>,
    /// Where the first value is that does not fit; kept only when somebody asks.
    pub trace: Option<Trace>,
}

impl Reading<'_> {
    /// Reads the value at the position and appends it, null included.
    #[inline(always)]
    pub fn value(&mut self, column: &mut Column) -> Result<Outcome, Bad> {
        if self.parser.byte() == b'n' {
            self.parser.literal("null")?;
            column.push_null();
            return Ok(Outcome::Good);
        }
        match column {
            Column::String(views) => self.string(views),
            Column::Long(values) => self.integer(values),
            Column::Int(values) => self.integer(values),
            Column::Double(values) => self.double(values),
            Column::Boolean(values) => self.boolean(values),
            Column::Struct(column) if self.parser.byte() == b'{' => self.object(column),
            Column::List(column) if self.parser.byte() == b'[' => self.list(column),
            Column::Map(column) if self.parser.byte() == b'{' => self.map(column),
            Column::Struct(_) | Column::List(_) | Column::Map(_) => self.mismatch(),
            other => self.rarer_value(other),
        }
    }

    #[inline(never)]
    fn rarer_value(&mut self, column: &mut Column) -> Result<Outcome, Bad> {
        match column {
            Column::Short(values) => self.integer(values),
            Column::Byte(values) => self.byte(values),
            Column::Float(values) => self.float(values),
            Column::Decimal(values, precision, scale) => self.decimal(values, *precision, *scale),
            Column::Binary(views) => self.binary(views),
            Column::Date(values) => {
                let read = |text: &str, formats: &Formats| formats.date(text);
                self.moment(values, read, |_| None)
            }
            Column::Timestamp(values) => {
                let seconds = |seconds: i64| Some(seconds.wrapping_mul(1_000_000));
                self.moment(values, |text, formats| formats.timestamp(text), seconds)
            }
            Column::TimestampNtz(values) => {
                self.moment(values, |text, formats| formats.timestamp_ntz(text), |_| None)
            }
            Column::DayTime(values) => {
                self.moment(values, |text, _| string_to_day_time_interval(text), |_| None)
            }
            Column::YearMonth(values) => {
                self.moment(values, |text, _| string_to_year_month_interval(text), |_| None)
            }
            Column::Null(length) => {
                *length += 1;
                self.parser.skip_value()?;
                Ok(Outcome::Good)
            }
            _ => self.mismatch(),
        }
    }

    /// Passes over a value that does not fit.
    #[cold]
    fn mismatch(&mut self) -> Result<Outcome, Bad> {
        self.note(self.parser.at);
        self.parser.skip_value()?;
        Ok(Outcome::Mismatch)
    }

    #[inline(always)]
    fn is_quote(&self) -> bool {
        let byte = self.parser.byte();
        byte == b'"' || (byte == b'\'' && self.parser.syntax.single_quotes)
    }

    #[inline(always)]
    fn is_number(&self) -> bool {
        matches!(self.parser.byte(), b'0'..=b'9' | b'-' | b'+' | b'N' | b'I')
    }

    #[inline(always)]
    fn string(&mut self, views: &mut Views) -> Result<Outcome, Bad> {
        if self.parser.byte() == b'"' {
            let start = self.parser.at.wrapping_add(1);
            let inside = self.parser.text.get(start..).unwrap_or_default();
            if let Some(length) = string_length(inside, &self.parser.syntax.limits) {
                let end = start.wrapping_add(length);
                views.push_slice(self.parser.text, start, end, self.home);
                self.parser.at = end.wrapping_add(1);
                return Ok(Outcome::Good);
            }
        }
        self.other_string(views)
    }

    #[inline(never)]
    fn other_string(&mut self, views: &mut Views) -> Result<Outcome, Bad> {
        if !self.is_quote() {
            return self.value_as_text(views);
        }
        let quoted = self.parser.string(self.parser.byte())?;
        if quoted.escaped {
            views.push_copy(self.parser.value_of(quoted));
        } else {
            views.push_slice(self.parser.text, quoted.start, quoted.end, self.home);
        }
        Ok(Outcome::Good)
    }

    /// Numbers, words and containers into a string column: as Jackson writes them.
    fn value_as_text(&mut self, views: &mut Views) -> Result<Outcome, Bad> {
        self.scratch.clear();
        copy::copy_value(&mut self.parser, &mut self.scratch)?;
        views.push_copy(self.scratch.as_bytes());
        Ok(Outcome::Good)
    }

    /// The number at the position, if it is a usual one; the position stays.
    #[inline(always)]
    fn plain_number(&self) -> Option<Plain> {
        let rest = self.parser.text.get(self.parser.at..).unwrap_or_default();
        plain_number(rest, &self.parser.syntax.limits)
    }

    #[inline(always)]
    fn integer<T: TryFrom<i64> + Copy + Default>(&mut self, values: &mut Values<T>) -> Result<Outcome, Bad> {
        if let Some(number) = self.plain_number().filter(|number| number.places == 0) {
            let magnitude = number.mantissa as i64;
            let value = if number.negative { magnitude.wrapping_neg() } else { magnitude };
            if let Ok(value) = T::try_from(value) {
                self.parser.at = self.parser.at.wrapping_add(number.length);
                values.push(value);
                return Ok(Outcome::Good);
            }
        }
        self.other_integer(values)
    }

    #[inline(never)]
    fn other_integer<T: TryFrom<i64> + Copy + Default>(
        &mut self,
        values: &mut Values<T>,
    ) -> Result<Outcome, Bad> {
        if !self.is_number() {
            return self.mismatch();
        }
        let number = self.parser.number()?;
        match number.to_i64(self.parser.text).and_then(|value| T::try_from(value).ok()) {
            Some(value) => {
                values.push(value);
                Ok(Outcome::Good)
            }
            None => Ok(self.no_integer(number)),
        }
    }

    /// An integer out of range, or a number that is none.
    #[cold]
    fn no_integer(&mut self, number: Number) -> Outcome {
        if number.form != Form::Integer {
            self.note(number.start);
        }
        Outcome::Mismatch
    }

    fn byte(&mut self, values: &mut Values<i8>) -> Result<Outcome, Bad> {
        if !self.is_number() {
            return self.mismatch();
        }
        let number = self.parser.number()?;
        match number.to_i64(self.parser.text) {
            Some(value @ -128..=255) => {
                values.push(value as i8);
                Ok(Outcome::Good)
            }
            _ => Ok(self.no_integer(number)),
        }
    }

    #[inline(always)]
    fn boolean(&mut self, values: &mut Values<bool>) -> Result<Outcome, Bad> {
        match self.parser.byte() {
            b't' => {
                self.parser.literal("true")?;
                values.push(true);
            }
            b'f' => {
                self.parser.literal("false")?;
                values.push(false);
            }
            _ => return self.mismatch(),
        }
        Ok(Outcome::Good)
    }

    #[inline(always)]
    fn double(&mut self, values: &mut Values<f64>) -> Result<Outcome, Bad> {
        if let Some(number) = self.plain_number()
            && let Some(value) = float::nearest(number.mantissa, (number.places as i32).wrapping_neg())
        {
            // An integer zero has no sign.
            let has_sign = number.negative && (number.places > 0 || number.mantissa != 0);
            self.parser.at = self.parser.at.wrapping_add(number.length);
            values.push(if has_sign { -value } else { value });
            return Ok(Outcome::Good);
        }
        self.other_double(values)
    }

    #[inline(never)]
    fn other_double(&mut self, values: &mut Values<f64>) -> Result<Outcome, Bad> {
        if !self.is_number() {
            return match self.special()? {
                Some(value) => {
                    values.push(value);
                    Ok(Outcome::Good)
                }
                None => Ok(Outcome::Mismatch),
            };
        }
        let number = self.parser.number()?;
        values.push(number.to_f64(self.parser.text));
        Ok(Outcome::Good)
    }

    fn float(&mut self, values: &mut Values<f32>) -> Result<Outcome, Bad> {
        let value = if self.is_number() {
            let number = self.parser.number()?;
            Some(number.to_f32(self.parser.text))
        } else {
            self.special()?.map(|value| value as f32)
        };
        Ok(push_or_mismatch(values, value))
    }

    /// A string that names a number which is none.
    #[inline(never)]
    fn special(&mut self) -> Result<Option<f64>, Bad> {
        if !self.is_quote() {
            self.mismatch()?;
            return Ok(None);
        }
        let quoted = self.parser.string(self.parser.byte())?;
        let allowed = self.parser.syntax.non_numeric;
        Ok(match self.parser.value_of(quoted) {
            b"NaN" if allowed => Some(f64::NAN),
            b"Infinity" | b"+Infinity" | b"+INF" if allowed => Some(f64::INFINITY),
            b"-Infinity" | b"-INF" if allowed => Some(f64::NEG_INFINITY),
            text => {
                if let Some(trace) = &mut self.trace {
                    trace.string_for_number(text);
                }
                None
            }
        })
    }

    fn decimal(&mut self, values: &mut Values<i128>, precision: u8, scale: i8) -> Result<Outcome, Bad> {
        let value = if self.is_number() {
            let number = self.parser.number()?;
            let value = number.to_decimal(self.parser.text, precision, scale);
            if value.is_none() {
                self.note_number(number);
            }
            value
        } else if self.is_quote() {
            let start = self.parser.at;
            let quoted = self.parser.string(self.parser.byte())?;
            if quoted.start == quoted.end {
                self.note(start);
            }
            let text = self.parser.value_of(quoted);
            if text.contains(&b',') {
                let digits: Vec<u8> = text.iter().copied().filter(|byte| *byte != b',').collect();
                decimal(&digits, precision, scale)
            } else {
                decimal(text, precision, scale)
            }
        } else {
            return self.mismatch();
        };
        Ok(push_or_mismatch(values, value))
    }

    fn binary(&mut self, views: &mut Views) -> Result<Outcome, Bad> {
        if !self.is_quote() {
            return self.mismatch();
        }
        let quote = self.parser.byte();
        let quoted = self.parser.string(quote)?;
        self.bytes.clear();
        match base64::decode(self.parser.value_of(quoted), &mut self.bytes) {
            Ok(()) => {
                views.push_copy(&self.bytes);
                Ok(Outcome::Good)
            }
            Err(base64::Wrong::Character) => Ok(Outcome::Mismatch),
            Err(base64::Wrong::End) => self.behind_cut_base64(quoted),
        }
    }

    /// Jackson decodes base64 while it looks for the closing quote. One that comes too early is consumed by
    /// the error, and what follows up to the next quote is passed over as the rest of the string.
    #[cold]
    fn behind_cut_base64(&mut self, quoted: Quoted) -> Result<Outcome, Bad> {
        self.parser.at = quoted.end;
        self.parser.string(self.parser.byte())?;
        Ok(Outcome::Mismatch)
    }

    /// A date or timestamp: a string that is not empty, or an integer.
    fn moment<T: Copy + Default>(
        &mut self,
        values: &mut Values<T>,
        read: impl Fn(&str, &Formats) -> Option<T>,
        from_integer: impl Fn(i64) -> Option<T>,
    ) -> Result<Outcome, Bad> {
        let start = self.parser.at;
        let value = if self.is_quote() {
            let quoted = self.parser.string(self.parser.byte())?;
            let formats = self.formats;
            let text = std::str::from_utf8(self.parser.value_of(quoted)).unwrap_or_default();
            if text.is_empty() {
                self.note(start);
                None
            } else {
                let value = read(text, formats);
                if value.is_none() {
                    self.note_text(quoted);
                }
                value
            }
        } else if self.is_number() {
            let number = self.parser.number()?;
            let value = match number.form {
                Form::Integer => number.to_i64(self.parser.text).and_then(&from_integer),
                _ => None,
            };
            if number.form != Form::Integer || from_integer(0).is_none() {
                self.note(start);
            }
            value
        } else {
            return self.mismatch();
        };
        Ok(push_or_mismatch(values, value))
    }

    fn list(&mut self, column: &mut ListColumn) -> Result<Outcome, Bad> {
        self.parser.at += 1;
        self.parser.enter()?;
        let depth = self.parser.depth;
        let start = column.values.len();
        let (mut outcome, mut first) = (Outcome::Good, true);
        while self.parser.next_element(first)? {
            first = false;
            let fitted = self.value(&mut column.values)?;
            if fitted != Outcome::Good {
                let whole = column.values.len() - usize::from(fitted == Outcome::Partial);
                self.climb(depth, || (whole - start).to_string());
                outcome = fitted;
            }
            if fitted == Outcome::Mismatch {
                column.values.truncate(start);
                self.parser.open_arrays += 1;
                return Ok(Outcome::Mismatch);
            }
        }
        match i32::try_from(column.values.len()) {
            Ok(end) => column.ends.push(end),
            Err(_) => return self.parser.bad(&"more than 2^31 elements in one column"),
        }
        Ok(outcome)
    }

    /// One value that does not fit makes the whole map not fit, but the map is read to its end.
    fn map(&mut self, column: &mut MapColumn) -> Result<Outcome, Bad> {
        self.parser.at += 1;
        self.parser.enter()?;
        let depth = self.parser.depth;
        let (mut outcome, mut first) = (Outcome::Good, true);
        while self.parser.next_name(first)? {
            first = false;
            if outcome == Outcome::Mismatch {
                self.parser.name()?;
                self.parser.colon()?;
                self.parser.skip_value()?;
                continue;
            }
            let fitted = self.entry(column, depth)?;
            if fitted != Outcome::Good {
                outcome = fitted;
                self.pass_open_arrays()?;
            }
        }
        if outcome == Outcome::Mismatch {
            column.cut_entries();
            return Ok(outcome);
        }
        match i32::try_from(column.keys.len()) {
            Ok(end) => column.ends.push(end),
            Err(_) => return self.parser.bad(&"more than 2^31 map entries in one column"),
        }
        Ok(outcome)
    }

    /// Reads a name and its value. On a mismatch the name is there without a value; the caller cuts it.
    fn entry(&mut self, column: &mut MapColumn, depth: usize) -> Result<Outcome, Bad> {
        let name = self.parser.name()?;
        if name.escaped {
            column.keys.push_copy(self.parser.value_of(name));
        } else {
            column.keys.push_slice(self.parser.text, name.start, name.end, self.home);
        }
        self.parser.colon()?;
        let fitted = self.value(&mut column.values)?;
        if fitted != Outcome::Good && self.trace.is_some() {
            let key = String::from_utf8_lossy(self.parser.value_of(name)).into_owned();
            self.climb(depth, || key);
        }
        Ok(fitted)
    }

    /// Notes that the value of `name`, in a container of this depth, does not fit.
    #[cold]
    pub(super) fn climb(&mut self, depth: usize, name: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.climb(depth, name);
        }
    }
}

fn push_or_mismatch<T: Copy + Default>(values: &mut Values<T>, value: Option<T>) -> Outcome {
    match value {
        Some(value) => {
            values.push(value);
            Outcome::Good
        }
        None => Outcome::Mismatch,
    }
}
