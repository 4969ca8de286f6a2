//! Reading dates and timestamps by a [`Pattern`]: `to_timestamp(x, fmt)`, `to_date(x, fmt)`, `from_json` with
//! a format.
//!
//! Java's strict rules: the whole text must match, letters ignore case, a date must exist. Missing fields are
//! 1970-01-01 00:00:00. Fractions may be shorter than their letters.

use std::fmt;

use super::calendar::{MICROS_PER_DAY, MICROS_PER_SECOND, checked_days};
use super::names::{ERAS, MONTHS, short};
use super::pattern::{Field, Item, Name, Pattern};
use super::zone::{TimeZone, parse_offset};

/// A text that does not match its pattern; it displays as Java's message does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternMismatch {
    /// The text.
    pub text: String,
    /// Where and how it fails.
    pub reason: Reason,
}

/// How a text fails to match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The text differs from the pattern at this character.
    At(usize),
    /// The pattern ends, the text goes on at this character.
    Unparsed(usize),
    /// It matches, but there is no such date or time.
    Invalid(String),
}

impl fmt::Display for PatternMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text '{}' could not be parsed", self.text)?;
        match &self.reason {
            Reason::At(index) => write!(f, " at index {index}"),
            Reason::Unparsed(index) => write!(f, ", unparsed text found at index {index}"),
            Reason::Invalid(why) => write!(f, ": {why}"),
        }
    }
}

impl std::error::Error for PatternMismatch {}

impl Pattern {
    /// Microseconds since the epoch; `zone` applies when the text names none.
    pub fn parse_timestamp(&self, text: &str, zone: &TimeZone) -> Result<i64, PatternMismatch> {
        let parsed = self.parse(text)?;
        let local = parsed.local_micros().map_err(|why| invalid(text, why))?;
        let zone = parsed.zone.unwrap_or(*zone);
        zone.instant_micros(local).ok_or_else(|| invalid(text, "it is out of range".into()))
    }

    /// Microseconds of the wall clock. A zone in the text is refused unless `allow_zone`, and then ignored.
    pub fn parse_timestamp_ntz(&self, text: &str, allow_zone: bool) -> Result<i64, PatternMismatch> {
        let parsed = self.parse(text)?;
        if parsed.zone.is_some() && !allow_zone {
            return Err(invalid(text, "it holds a time zone".into()));
        }
        parsed.local_micros().map_err(|why| invalid(text, why))
    }

    /// Days since the epoch.
    pub fn parse_date(&self, text: &str) -> Result<i32, PatternMismatch> {
        self.parse(text)?.days().map_err(|why| invalid(text, why))
    }

    fn parse(&self, text: &str) -> Result<Parsed, PatternMismatch> {
        let mut parsed = Parsed::default();
        let fail = |reason| PatternMismatch { text: text.into(), reason };
        match read_items(&self.items, text, 0, &mut parsed) {
            Ok(end) if end == text.len() => Ok(parsed),
            Ok(end) => Err(fail(Reason::Unparsed(utf16_index(text, end)))),
            Err(at) => Err(fail(Reason::At(utf16_index(text, at)))),
        }
    }
}

fn invalid(text: &str, why: String) -> PatternMismatch {
    PatternMismatch { text: text.into(), reason: Reason::Invalid(why) }
}

/// Java counts UTF-16 units.
fn utf16_index(text: &str, byte: usize) -> usize {
    text.get(..byte).map_or(byte, |head| head.encode_utf16().count())
}

/// Fields found so far.
#[derive(Debug, Clone, Default)]
struct Parsed {
    year: Option<i64>,
    before_christ: bool,
    era_year: bool,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: Option<u32>,
    hour_of_half: Option<u32>,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    micro: u32,
    zone: Option<TimeZone>,
}

impl Parsed {
    fn days(&self) -> Result<i32, String> {
        let mut year = self.year.unwrap_or(1970);
        if self.era_year && self.before_christ {
            year = 1 - year;
        }
        if let (Some(day), None, None) = (self.day_of_year, self.month, self.day) {
            let limit = if super::is_leap_year(year) { 366 } else { 365 };
            if day == 0 || day > limit {
                return Err(format!("Invalid date 'DayOfYear {day}' as '{year}' has {limit} days"));
            }
            let days = super::days_from_civil(year, 1, 1) + i64::from(day) - 1;
            return i32::try_from(days).map_err(|_| "it is out of range".into());
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        checked_days(year, month, day).ok_or_else(|| match MONTHS.get(month.wrapping_sub(1) as usize) {
            Some(name) if (1..=31).contains(&day) => format!("Invalid date '{} {day}'", name.to_uppercase()),
            Some(_) => format!("Invalid value for DayOfMonth (valid values 1 - 28/31): {day}"),
            None => format!("Invalid value for MonthOfYear (valid values 1 - 12): {month}"),
        })
    }

    fn local_micros(&self) -> Result<i64, String> {
        let hour = match (self.hour, self.hour_of_half, self.afternoon) {
            (Some(hour), _, _) => hour,
            (None, Some(hour), Some(afternoon)) => hour + if afternoon { 12 } else { 0 },
            (None, Some(hour), None) => hour,
            (None, None, Some(true)) => 12,
            (None, None, _) => 0,
        };
        for (name, value, max) in
            [("HourOfDay", hour, 23), ("MinuteOfHour", self.minute, 59), ("SecondOfMinute", self.second, 59)]
        {
            if value > max {
                return Err(format!("Invalid value for {name} (valid values 0 - {max}): {value}"));
            }
        }
        let seconds = i64::from(hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        i64::from(self.days()?)
            .checked_mul(MICROS_PER_DAY)
            .and_then(|day| day.checked_add(seconds * MICROS_PER_SECOND + i64::from(self.micro)))
            .ok_or_else(|| "it is out of range".into())
    }

    fn set(&mut self, field: Field, value: i64) -> Option<()> {
        let small = u32::try_from(value);
        match field {
            Field::Year => self.year = Some(value),
            Field::YearOfEra => {
                self.year = Some(value);
                self.era_year = true;
            }
            Field::Month => self.month = Some(small.ok()?),
            Field::Day => self.day = Some(small.ok()?),
            Field::DayOfYear => self.day_of_year = Some(small.ok()?),
            Field::Hour => self.hour = Some(small.ok()?),
            Field::ClockHour => self.hour = Some(small.ok().filter(|h| (1..=24).contains(h))? % 24),
            Field::HourOfHalf => self.hour_of_half = Some(small.ok().filter(|h| *h < 12)?),
            Field::ClockHourOfHalf => {
                self.hour_of_half = Some(small.ok().filter(|h| (1..=12).contains(h))? % 12)
            }
            Field::Minute => self.minute = small.ok()?,
            Field::Second => self.second = small.ok()?,
            // Spark allows these letters for formatting only.
            Field::Quarter | Field::DayInAlignedWeek => return None,
        }
        Some(())
    }
}

/// Reads the items from `at`; the end, or the place of the mismatch.
fn read_items(items: &[Item], text: &str, mut at: usize, parsed: &mut Parsed) -> Result<usize, usize> {
    for item in items {
        at = match item {
            Item::Literal(literal) => match text.get(at..at + literal.len()) {
                Some(found) if found.eq_ignore_ascii_case(literal) => at + literal.len(),
                _ => return Err(at),
            },
            Item::Number { field, width, max, signed, reserve } => {
                let (value, end) = read_number(text, at, *width, *max, *signed, *reserve).ok_or(at)?;
                parsed.set(*field, value).ok_or(at)?;
                end
            }
            Item::TwoDigitYear { .. } => {
                let (value, end) = read_number(text, at, 2, 2, false, 0).ok_or(at)?;
                parsed.year = Some(2000 + value);
                end
            }
            Item::Fraction { digits } => read_fraction(text, at, *digits, parsed).ok_or(at)?,
            Item::Name { name, full } => read_name(text, at, *name, *full, parsed).ok_or(at)?,
            Item::Offset(style) => {
                let (zone, end) = read_offset(text, at, style.zulu).ok_or(at)?;
                parsed.zone = Some(zone);
                end
            }
            Item::LocalizedOffset { .. } | Item::ZoneId | Item::ZoneName => {
                let (zone, end) = read_zone(text, at).ok_or(at)?;
                parsed.zone = Some(zone);
                end
            }
            Item::Optional(section) => {
                let mut attempt = parsed.clone();
                match read_items(section, text, at, &mut attempt) {
                    Ok(end) => {
                        *parsed = attempt;
                        end
                    }
                    Err(_) => at,
                }
            }
        };
    }
    Ok(at)
}

fn read_number(text: &str, at: usize, width: u8, max: u8, signed: bool, reserve: u8) -> Option<(i64, usize)> {
    let rest = text.as_bytes().get(at..)?;
    let (sign, skip) = match rest.first()? {
        b'-' if width != max => (-1, 1),
        b'+' if signed => (1, 1),
        _ => (1, 0),
    };
    let run = rest[skip..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let available = run.saturating_sub(usize::from(reserve)).max(usize::from(width)).min(run);
    let take = available.min(usize::from(max));
    if take < usize::from(width) {
        return None;
    }
    // A plus is due exactly when the number is wider than its letters.
    if signed && sign == 1 && (skip == 1) != (take > usize::from(width)) {
        return None;
    }
    let value =
        rest[skip..skip + take].iter().fold(0i64, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some((sign * value, at + skip + take))
}

fn read_fraction(text: &str, at: usize, digits: u8, parsed: &mut Parsed) -> Option<usize> {
    let rest = text.as_bytes().get(at..)?;
    let run = rest.iter().take(usize::from(digits)).take_while(|byte| byte.is_ascii_digit()).count();
    if run == 0 {
        return None;
    }
    let kept = &rest[..run.min(6)];
    let value = kept.iter().fold(0u32, |value, digit| value * 10 + u32::from(digit - b'0'));
    parsed.micro = value * 10u32.pow(6 - kept.len() as u32);
    Some(at + run)
}

fn read_name(text: &str, at: usize, name: Name, full: bool, parsed: &mut Parsed) -> Option<usize> {
    let starts = |candidate: &str| {
        text.get(at..at + candidate.len()).is_some_and(|found| found.eq_ignore_ascii_case(candidate))
    };
    let pick = |candidates: &[&str]| candidates.iter().position(|candidate| starts(candidate));
    match name {
        Name::Month => {
            let index = MONTHS.iter().position(|month| starts(if full { month } else { short(month) }))?;
            parsed.month = Some(index as u32 + 1);
            Some(at + if full { MONTHS[index].len() } else { 3 })
        }
        Name::Half => {
            parsed.afternoon = Some(pick(&["AM", "PM"])? == 1);
            Some(at + 2)
        }
        Name::Era => {
            let candidates = if full { ERAS } else { ["BC", "AD"] };
            let index = pick(&candidates)?;
            parsed.before_christ = index == 0;
            Some(at + candidates[index].len())
        }
        Name::Weekday | Name::Quarter => None,
    }
}

fn read_offset(text: &str, at: usize, zulu: bool) -> Option<(TimeZone, usize)> {
    let rest = text.get(at..)?;
    if zulu && rest.starts_with(['Z', 'z']) {
        return Some((TimeZone::UTC, at + 1));
    }
    let length = rest.bytes().take_while(|byte| byte.is_ascii_digit() || b"+-:".contains(byte)).count();
    // Two digits of hours at least: Java's offset letters have no one-digit form.
    if length < 3 || !rest.as_bytes()[1..3].iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((TimeZone::Fixed(parse_offset(&rest[..length])?), at + length))
}

fn read_zone(text: &str, at: usize) -> Option<(TimeZone, usize)> {
    let rest = text.get(at..)?;
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-:/_".contains(byte);
    let length = rest.bytes().take_while(|byte| allowed(byte)).count();
    Some((rest[..length].parse().ok()?, at + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pattern: &str, text: &str) -> Result<i64, String> {
        let pattern = Pattern::compile(pattern).unwrap();
        pattern.parse_timestamp(text, &TimeZone::UTC).map_err(|mismatch| mismatch.to_string())
    }

    #[test]
    fn matching_texts_give_instants() {
        let base = 1_735_787_045_000_000; // 2025-01-02 03:04:05
        let iso = "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]";
        let cases = [
            (iso, "2025-01-02T03:04:05", base),
            (iso, "2025-01-02T03:04:05.6", base + 600_000),
            (iso, "2025-01-02t03:04:05+02:00", base - 7_200_000_000),
            ("yyyyMMddHHmmss", "20250102030405", base),
            ("d MMM yyyy h:mm:ss a", "2 jan 2025 3:04:05 am", base),
            ("yyyy-MM-dd HH:mm:ss VV", "2025-01-02 04:04:05 Europe/Paris", base),
            ("yy/M/d H:m:s", "25/1/2 3:4:5", base),
            ("uuuu-DDD HH:mm:ss", "2025-002 03:04:05", base),
            ("HH:mm", "00:01", 60_000_000),
            ("SSSSSS ss", "123456 07", 7_123_456),
            ("yyyy", "+12025", 317_305_209_600_000_000),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(parse(pattern, text), Ok(expected), "{pattern} {text}");
        }
    }

    #[test]
    fn mismatches_read_like_javas() {
        let format = "yyyy-MM-dd HH:mm:ss.SSS";
        let cases = [
            (format, "2025-03-30T01:30:00Z", "Text '2025-03-30T01:30:00Z' could not be parsed at index 10"),
            (
                "yyyy-MM-dd",
                "2025-01-02 x",
                "Text '2025-01-02 x' could not be parsed, unparsed text found at index 10",
            ),
            (
                format,
                "1969-12-31 23:59:59.999999",
                "Text '1969-12-31 23:59:59.999999' could not be parsed, unparsed text found at index 23",
            ),
            ("yyyy-MM-dd", "2025-02-30", "Text '2025-02-30' could not be parsed: Invalid date 'FEBRUARY 30'"),
            ("yyyy-MM-dd", "2025-1-02", "Text '2025-1-02' could not be parsed at index 5"),
            ("yyyy", "12025", "Text '12025' could not be parsed at index 0"),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(parse(pattern, text), Err(expected.into()), "{pattern}");
        }
        let hour = parse("HH:mm", "24:00").unwrap_err();
        assert!(hour.contains("Invalid value for HourOfDay (valid values 0 - 23): 24"), "{hour}");
    }
}
