//! Lengths of time as text, such as "10 seconds" or "1 day -2.5 seconds": how windows, watermarks, triggers and casts
//! to INTERVAL take them.
//!
//! Spark's rules: the word INTERVAL may stand in front; then numbers and units take turns, each number with a sign that
//! counts for it alone; only seconds have a fraction, of at most nine digits of which six count. Letters may be of
//! either case. What is wrong is told as `INVALID_INTERVAL_FORMAT.*`, with the word at which reading stopped.

use super::interval::CalendarInterval;
use crate::error::{Result, SparkError};

/// Reads a length of time.
///
/// # Errors
/// `INVALID_INTERVAL_FORMAT.*` with the text, or `CANNOT_PARSE_INTERVAL` for the word INTERVAL alone.
pub fn parse_interval(text: &str) -> Result<CalendarInterval> {
    let lower = text.trim_matches(|c: char| c <= ' ' || c == '\u{7f}').to_lowercase();
    let reader = Reader { text: &lower, at: 0 };
    reader.read().map_err(|fault| fault.error(text).into())
}

/// What is wrong, and where Spark says so, the word.
enum Fault<'a> {
    /// Of `INVALID_INTERVAL_FORMAT`: its child, and the parameter and value that it has besides the text.
    Format(&'static str, Option<(&'static str, &'a str)>),
    /// The word INTERVAL is all there is.
    Nothing,
}

impl Fault<'_> {
    fn error(self, text: &str) -> SparkError {
        match self {
            Self::Nothing => {
                SparkError::new("CANNOT_PARSE_INTERVAL", [("intervalString", format!("'{text}'"))])
            }
            Self::Format(child, word) => {
                let parameters = [("input", text)].into_iter().chain(word);
                SparkError::new(&format!("INVALID_INTERVAL_FORMAT.{child}"), parameters)
            }
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

/// A number in front of a unit.
struct Number {
    negative: bool,
    whole: i64,
    /// Microseconds; none if there was no point.
    fraction: Option<i64>,
}

const OVERFLOW: Fault<'static> = Fault::Format("ARITHMETIC_EXCEPTION", None);

impl<'a> Reader<'a> {
    fn read(mut self) -> Result<CalendarInterval, Fault<'a>> {
        if self.text.is_empty() {
            return Err(Fault::Format("INPUT_IS_EMPTY", None));
        }
        if let Some(behind) = self.text.strip_prefix("interval") {
            match behind.bytes().next() {
                None => return Err(Fault::Nothing),
                Some(b) if b.is_ascii_whitespace() => self.at = "interval".len(),
                Some(_) => return Err(self.fault("INVALID_PREFIX", "prefix")),
            }
        }
        let mut interval = CalendarInterval::default();
        self.blanks();
        while self.at < self.text.len() {
            let number = self.number()?;
            self.unit(&mut interval, &number)?;
            self.blanks();
        }
        Ok(interval)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// The word that the position is in; the last one behind the end.
    fn fault(&self, child: &'static str, parameter: &'static str) -> Fault<'a> {
        let blank = |b: &u8| b.is_ascii_whitespace();
        let bytes = self.text.as_bytes();
        let at = self.at.min(bytes.len().saturating_sub(1));
        let start = bytes[..at].iter().rposition(blank).map_or(0, |before| before + 1);
        let end = bytes[at..].iter().position(blank).map_or(bytes.len(), |length| at + length);
        let word = self.text.get(start..end.max(start)).unwrap_or(self.text);
        Fault::Format(child, Some((parameter, word)))
    }

    /// A number and the blanks behind it.
    fn number(&mut self) -> Result<Number, Fault<'a>> {
        let sign = self.peek();
        let mut number = Number { negative: sign == Some(b'-'), whole: 0, fraction: None };
        match sign {
            Some(b'-' | b'+') => {
                self.at += 1;
                self.blanks();
            }
            Some(b'0'..=b'9' | b'.') => {}
            _ => return Err(self.fault("UNRECOGNIZED_NUMBER", "number")),
        }
        if self.at == self.text.len() {
            return Err(self.fault("MISSING_NUMBER", "word"));
        }
        let starts_with_point = sign == Some(b'.');
        loop {
            match self.peek() {
                None => return Err(self.fault("MISSING_UNIT", "word")),
                Some(digit @ b'0'..=b'9') => {
                    let longer = number.whole.checked_mul(10);
                    let longer = longer.and_then(|whole| whole.checked_add(i64::from(digit - b'0')));
                    number.whole = longer.ok_or(OVERFLOW)?;
                }
                Some(b'.') => {
                    self.at += 1;
                    number.fraction = Some(self.fraction(starts_with_point)?);
                    break;
                }
                Some(b) if b.is_ascii_whitespace() => break,
                Some(_) => return Err(self.fault("INVALID_VALUE", "value")),
            }
            self.at += 1;
        }
        self.blanks();
        Ok(number)
    }

    /// The digits behind a point, as microseconds.
    fn fraction(&mut self, needs_digits: bool) -> Result<i64, Fault<'a>> {
        let (mut nanos, mut place) = (0i64, 100_000_000i64);
        loop {
            match self.peek() {
                None => return Err(self.fault("MISSING_UNIT", "word")),
                Some(digit @ b'0'..=b'9') if place > 0 => {
                    nanos += i64::from(digit - b'0') * place;
                    place /= 10;
                }
                Some(b'0'..=b'9') => return Err(self.fault("INVALID_PRECISION", "value")),
                Some(b) if b.is_ascii_whitespace() && (!needs_digits || place < 100_000_000) => {
                    return Ok(nanos / 1_000);
                }
                Some(_) => return Err(self.fault("INVALID_VALUE", "value")),
            }
            self.at += 1;
        }
    }

    /// Adds the number by its unit.
    fn unit(&mut self, interval: &mut CalendarInterval, number: &Number) -> Result<(), Fault<'a>> {
        if self.at == self.text.len() {
            return Err(self.fault("MISSING_UNIT", "word"));
        }
        let rest = &self.text[self.at..];
        if number.fraction.is_some() && !rest.starts_with('s') {
            return Err(self.fault("INVALID_FRACTION", "unit"));
        }
        let unit = UNITS.iter().find(|(name, _)| rest.starts_with(name));
        let Some((name, unit)) = unit else { return Err(self.fault("INVALID_UNIT", "unit")) };
        interval.extend(number, unit).ok_or(OVERFLOW)?;
        let behind = &rest.as_bytes()[name.len()..];
        let length = usize::from(behind.first() == Some(&b's'));
        if behind.get(length).is_some_and(|b| !b.is_ascii_whitespace()) {
            return Err(self.fault("INVALID_UNIT", "unit"));
        }
        self.at += name.len() + length;
        Ok(())
    }
}

enum Span {
    Months(i64),
    Days(i64),
    Micros(i64),
}

const UNITS: [(&str, Span); 9] = [
    ("year", Span::Months(12)),
    ("month", Span::Months(1)),
    ("week", Span::Days(7)),
    ("day", Span::Days(1)),
    ("hour", Span::Micros(3_600_000_000)),
    ("minute", Span::Micros(60_000_000)),
    ("second", Span::Micros(1_000_000)),
    ("millisecond", Span::Micros(1_000)),
    ("microsecond", Span::Micros(1)),
];

impl CalendarInterval {
    fn extend(&mut self, number: &Number, unit: &Span) -> Option<()> {
        let signed = |value: i64| if number.negative { -value } else { value };
        let times = |each: i64| signed(number.whole).checked_mul(each);
        match unit {
            Span::Months(each) => {
                self.months = self.months.checked_add(i32::try_from(times(*each)?).ok()?)?;
            }
            Span::Days(each) => self.days = self.days.checked_add(i32::try_from(times(*each)?).ok()?)?,
            Span::Micros(each) => {
                let micros = times(*each)?.checked_add(signed(number.fraction.unwrap_or(0)))?;
                self.microseconds = self.microseconds.checked_add(micros)?;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_units_take_turns() {
        let read = |text| parse_interval(text).map(|i| (i.months, i.days, i.microseconds)).unwrap();
        assert_eq!(read("10 seconds"), (0, 0, 10_000_000));
        assert_eq!(read(" INTERVAL 1 week - 500 Milliseconds "), (0, 7, -500_000));
        assert_eq!(read("1 year 2 months 1 day 2 hours"), (14, 1, 7_200_000_000));
        assert_eq!(read("-1.5 second .25 seconds"), (0, 0, -1_250_000));
        assert_eq!(parse_interval("1.5 seconds").unwrap().fixed_microseconds(), Some(1_500_000));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_word() {
        for (text, condition, word) in [
            ("", "INPUT_IS_EMPTY", ""),
            ("10", "MISSING_UNIT", "10"),
            ("1 hour -", "MISSING_NUMBER", "-"),
            ("ten seconds", "UNRECOGNIZED_NUMBER", "ten"),
            ("1.5 days", "INVALID_FRACTION", "days"),
            ("1 Fortnight", "INVALID_UNIT", "fortnight"),
            ("1 dayss", "INVALID_UNIT", "dayss"),
            ("1s second", "INVALID_VALUE", "1s"),
            ("intervals 1 day", "INVALID_PREFIX", "intervals"),
            ("99999999999 days", "ARITHMETIC_EXCEPTION", ""),
        ] {
            let error = parse_interval(text).unwrap_err();
            let spark = error.spark().unwrap();
            assert_eq!(spark.condition.as_deref(), Some(&*format!("INVALID_INTERVAL_FORMAT.{condition}")));
            let found = spark.parameters.iter().find(|(name, _)| *name != "input");
            assert_eq!(found.map_or("", |(_, word)| word), word, "{text}");
        }
    }
}
