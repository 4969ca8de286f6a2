//! Intervals: `INTERVAL 5 SECONDS`, `INTERVAL '1 02:03:04' DAY TO SECOND`, and text such as "1 day 2 hours".
use super::lexer::Kind;
use super::literal::invalid_typed_literal;
use super::parser::{Parsed, Parser};
use crate::error::{Error, SparkError};
use crate::tree::{Expr, Value};
use crate::types::{DayTimeField, YearMonthField};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A length of time whose months and days have no fixed length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CalendarInterval {
    /// Years are 12 months.
    pub months: i32,
    /// Weeks are 7 days.
    pub days: i32,
    /// What is smaller than a day.
    pub microseconds: i64,
}

/// A unit of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Months { each: i32, field: YearMonthField },
    Days { each: i32 },
    Micros { each: i64, field: DayTimeField },
    Nanos,
}

/// Text in a literal, with the units that it has.
fn parse_text(text: &str) -> Option<(CalendarInterval, Vec<Unit>)> {
    let lower = text.trim().to_ascii_lowercase();
    let mut words = lower.split_ascii_whitespace().peekable();
    words.next_if_eq(&"interval");
    let mut interval = CalendarInterval::default();
    let mut units = Vec::new();
    while let Some(mut number) = words.next() {
        let sign = match number {
            "-" | "+" => std::mem::replace(&mut number, words.next()?),
            _ => "",
        };
        let unit = Unit::parse(words.next()?)?;
        interval.add(&format!("{sign}{number}"), unit)?;
        units.push(unit);
    }
    if units.is_empty() { None } else { Some((interval, units)) }
}

impl Unit {
    fn parse(word: &str) -> Option<Self> {
        let micros = |each, field| Some(Self::Micros { each, field });
        match word.to_ascii_lowercase().trim_end_matches('s') {
            "year" => Some(Self::Months { each: 12, field: YearMonthField::Year }),
            "month" => Some(Self::Months { each: 1, field: YearMonthField::Month }),
            "week" => Some(Self::Days { each: 7 }),
            "day" => Some(Self::Days { each: 1 }),
            "hour" => micros(HOUR, DayTimeField::Hour),
            "minute" => micros(MINUTE, DayTimeField::Minute),
            "second" => micros(SECOND, DayTimeField::Second),
            "millisecond" => micros(1_000, DayTimeField::Second),
            "microsecond" => micros(1, DayTimeField::Second),
            "nanosecond" => Some(Self::Nanos),
            _ => None,
        }
    }

    fn year_month(self) -> Option<YearMonthField> {
        match self {
            Self::Months { field, .. } => Some(field),
            _ => None,
        }
    }

    fn day_time(self) -> Option<DayTimeField> {
        match self {
            Self::Months { .. } => None,
            Self::Days { .. } => Some(DayTimeField::Day),
            Self::Micros { field, .. } => Some(field),
            Self::Nanos => Some(DayTimeField::Second),
        }
    }
}

impl CalendarInterval {
    /// Adds a number of a unit; only seconds may have a fraction.
    fn add(&mut self, number: &str, unit: Unit) -> Option<()> {
        let whole = || number.strip_prefix('+').unwrap_or(number).parse::<i64>().ok();
        match unit {
            Unit::Months { each, .. } => {
                let months = i32::try_from(whole()?).ok()?.checked_mul(each)?;
                self.months = self.months.checked_add(months)?;
            }
            Unit::Days { each } => {
                let days = i32::try_from(whole()?).ok()?.checked_mul(each)?;
                self.days = self.days.checked_add(days)?;
            }
            Unit::Micros { each: SECOND, .. } => self.add_micros(seconds(number)?)?,
            Unit::Micros { each, .. } => self.add_micros(whole()?.checked_mul(each)?)?,
            Unit::Nanos => self.add_micros(whole()? / 1_000)?,
        }
        Some(())
    }

    fn add_micros(&mut self, micros: i64) -> Option<()> {
        self.microseconds = self.microseconds.checked_add(micros)?;
        Some(())
    }

    /// In microseconds. Days are 24 hours; none if there are months, or too many days.
    pub fn fixed_microseconds(&self) -> Option<i64> {
        if self.months != 0 {
            return None;
        }
        i64::from(self.days).checked_mul(DAY)?.checked_add(self.microseconds)
    }
}

/// Seconds with a fraction of up to nine digits, as microseconds.
fn seconds(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if digits == "." || digits.is_empty() || !is_number(whole) || !is_number(fraction) || fraction.len() > 9 {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction: i64 = format!("{fraction:0<6}")[..6].parse().ok()?;
    let micros = whole.checked_mul(SECOND)?.checked_add(fraction)?;
    Some(if negative { -micros } else { micros })
}

impl Parser<'_> {
    /// An INTERVAL literal; the cursor is at that word. None if the word is a name here.
    pub fn interval_literal(&mut self) -> Parsed<Option<Expr>> {
        let follows = self.peek_at(1);
        let is_literal = match follows.kind {
            Kind::String(_) | Kind::Number => true,
            Kind::Symbol("-" | "+") => matches!(self.peek_at(2).kind, Kind::String(_) | Kind::Number),
            _ => false,
        };
        if !is_literal {
            return Ok(None);
        }
        let start = self.advance().start;
        if let Kind::String(_) = self.peek().kind
            && Unit::parse(self.peek_at(1).text).is_none()
        {
            let text = self.string()?;
            let parsed = parse_text(&text).ok_or_else(|| invalid_typed_literal("INTERVAL", &text))?;
            return self.literal(parsed, start).map(Some);
        }
        let mut interval = CalendarInterval::default();
        let mut units = Vec::new();
        while matches!(self.peek().kind, Kind::String(_) | Kind::Number | Kind::Symbol("-" | "+")) {
            let sign = match self.peek().kind {
                Kind::Symbol(sign) => {
                    self.advance();
                    sign
                }
                _ => "",
            };
            let number = match self.peek().kind {
                Kind::String(_) => self.string()?,
                Kind::Number => self.advance().text.to_owned(),
                _ => return Err(self.unexpected(false)),
            };
            let Some(unit) = Unit::parse(self.peek().text) else {
                return Err(self.unexpected(false));
            };
            self.advance();
            if self.eat_word("TO") {
                let Some(to) = Unit::parse(self.peek().text) else {
                    return Err(self.unexpected(false));
                };
                self.advance();
                return range_literal(&format!("{sign}{number}"), unit, to).map(|v| Some(Expr::Literal(v)));
            }
            let number = number.trim();
            interval
                .add(&format!("{sign}{number}"), unit)
                .ok_or_else(|| invalid_typed_literal("INTERVAL", number))?;
            units.push(unit);
            if !self.goes_on_with_a_unit() {
                break;
            }
        }
        self.literal((interval, units), start).map(Some)
    }

    /// Whether `number unit` follows, so that `INTERVAL 1 DAY - x` is a difference.
    fn goes_on_with_a_unit(&self) -> bool {
        let signed = usize::from(matches!(self.peek().kind, Kind::Symbol("-" | "+")));
        let number = self.peek_at(signed);
        let unit = self.peek_at(signed + 1);
        matches!(number.kind, Kind::String(_) | Kind::Number)
            && unit.kind == Kind::Word
            && Unit::parse(unit.text).is_some()
    }

    /// The type spans the units that were written.
    fn literal(&self, (interval, units): (CalendarInterval, Vec<Unit>), start: usize) -> Parsed<Expr> {
        let year_month: Vec<_> = units.iter().filter_map(|u| u.year_month()).collect();
        let day_time: Vec<_> = units.iter().filter_map(|u| u.day_time()).collect();
        let value = match (year_month.iter().min(), day_time.iter().min()) {
            (Some(_), Some(_)) => {
                let text = self.text_since(start);
                let mut error = SparkError::new("_LEGACY_ERROR_TEMP_0029", [("literal", text)]);
                error.message =
                    format!("an interval literal of months and days together ({text}); write two intervals");
                return Err(Error::from(error).into());
            }
            (Some(&from), None) => {
                let to = year_month.iter().copied().max().unwrap_or(from);
                Value::YearMonthInterval { months: interval.months, from, to }
            }
            (None, from) => {
                let from = from.copied().unwrap_or(DayTimeField::Second);
                let to = day_time.iter().copied().max().unwrap_or(from);
                let microseconds = interval
                    .fixed_microseconds()
                    .ok_or_else(|| invalid_typed_literal("INTERVAL", self.text_since(start)))?;
                Value::DayTimeInterval { microseconds, from, to }
            }
        };
        Ok(Expr::Literal(value))
    }
}

/// `'1-2' YEAR TO MONTH`, `'1 02:03:04.5' DAY TO SECOND`.
fn range_literal(text: &str, from: Unit, to: Unit) -> Parsed<Value> {
    let refused = || invalid_typed_literal("INTERVAL", text).into();
    if let (Some(YearMonthField::Year), Some(YearMonthField::Month)) = (from.year_month(), to.year_month()) {
        let months = year_to_month(text).ok_or_else(|| {
            let parameters = [("input", text), ("interval", "year-month")];
            Error::from(SparkError::new("INVALID_INTERVAL_FORMAT.INTERVAL_PARSING", parameters))
        })?;
        return Ok(Value::YearMonthInterval {
            months,
            from: YearMonthField::Year,
            to: YearMonthField::Month,
        });
    }
    let (Some(from), Some(to)) = (from.day_time(), to.day_time()) else {
        return Err(refused());
    };
    if from >= to {
        return Err(refused());
    }
    let microseconds = day_to_second(text, from, to).ok_or_else(refused)?;
    Ok(Value::DayTimeInterval { microseconds, from, to })
}

fn split_sign(text: &str) -> (i64, &str) {
    let text = text.trim();
    match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn year_to_month(text: &str) -> Option<i32> {
    let (sign, digits) = split_sign(text);
    let (years, months) = digits.split_once('-')?;
    let (years, months): (i32, i32) = (unsigned(years)?, unsigned(months)?);
    if months > 11 {
        return None;
    }
    years.checked_mul(12)?.checked_add(months)?.checked_mul(sign as i32)
}

fn unsigned<T: std::str::FromStr>(digits: &str) -> Option<T> {
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

/// Microseconds of text that has the fields from one to another, such as `1 02:03`.
pub(crate) fn day_to_second(text: &str, from: DayTimeField, to: DayTimeField) -> Option<i64> {
    let (sign, mut rest) = split_sign(text);
    let mut micros = 0i64;
    let fields = [DayTimeField::Day, DayTimeField::Hour, DayTimeField::Minute, DayTimeField::Second];
    let each = [DAY, HOUR, MINUTE, SECOND];
    for (field, each) in fields.into_iter().zip(each) {
        if field < from || field > to {
            continue;
        }
        let is_last = field == to;
        let separator = if field == DayTimeField::Day { ' ' } else { ':' };
        let (part, after) = if is_last { (rest, "") } else { rest.split_once(separator)? };
        let length = if field == DayTimeField::Second {
            seconds(part).filter(|s| field == from || (0..MINUTE).contains(s))?
        } else {
            let number: i64 = unsigned(part)?;
            let limit = if field == DayTimeField::Hour { 24 } else { 60 };
            if field != from && number >= limit {
                return None;
            }
            number.checked_mul(each)?
        };
        micros = micros.checked_add(length)?;
        rest = after;
    }
    micros.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day_time(text: &str) -> (i64, DayTimeField, DayTimeField) {
        match crate::sql::parse_expression(text) {
            Ok(Expr::Literal(Value::DayTimeInterval { microseconds, from, to })) => (microseconds, from, to),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn units_give_the_type_and_the_length() {
        use DayTimeField::{Day, Hour, Minute, Second};
        assert_eq!(day_time("INTERVAL 5 SECONDS"), (5 * SECOND, Second, Second));
        assert_eq!(day_time("INTERVAL '90' MINUTE"), (90 * MINUTE, Minute, Minute));
        assert_eq!(day_time("INTERVAL 1 DAY -2 HOURS"), (22 * HOUR, Day, Hour));
        assert_eq!(day_time("interval '1 day 2.5 seconds'"), (DAY + 2_500_000, Day, Second));
        assert_eq!(
            day_time("INTERVAL '1 02:03:04' DAY TO SECOND"),
            (DAY + 2 * HOUR + 3 * MINUTE + 4 * SECOND, Day, Second)
        );
        assert_eq!(
            day_time("INTERVAL '-10:30' MINUTE TO SECOND"),
            (-(10 * MINUTE + 30 * SECOND), Minute, Second)
        );
        assert_eq!(
            crate::sql::parse_expression("INTERVAL '1-2' YEAR TO MONTH").unwrap(),
            Expr::Literal(Value::YearMonthInterval {
                months: 14,
                from: YearMonthField::Year,
                to: YearMonthField::Month
            })
        );
        for bad in
            ["INTERVAL '25:00' DAY TO HOUR", "INTERVAL 'x' DAY", "INTERVAL 1 MONTH 2 DAYS", "INTERVAL ''"]
        {
            assert!(crate::sql::parse_expression(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn interval_may_still_be_a_name() {
        assert_eq!(crate::sql::parse_expression("interval").unwrap(), crate::tree::col("interval"));
        assert!(crate::sql::parse_expression("interval + x").is_ok());
    }
}
