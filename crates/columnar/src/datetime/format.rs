//! Writing dates and timestamps by a [`Pattern`]: `date_format`, `to_json` with a format, file names.

use std::fmt::Write as _;

use super::calendar::{civil_from_days, day_of_year, iso_weekday, split_micros};
use super::names::{ERAS, MONTHS, QUARTERS, WEEKDAYS, short};
use super::pattern::{Field, Item, Minutes, Name, OffsetStyle, Pattern};
use super::zone::TimeZone;
use crate::{Error, Result};

impl Pattern {
    /// Appends an instant as the zone's wall clock shows it.
    pub fn format_timestamp(&self, micros: i64, zone: &TimeZone, out: &mut String) -> Result<()> {
        let seconds = micros.div_euclid(1_000_000);
        let clock = Clock { seconds, offset: zone.offset_at(seconds), zone };
        self.format(&Moment::new(zone.local_micros(micros), Some(clock)), out)
    }

    /// Appends a timestamp without zone; zone letters fail unless they stand in an optional section.
    pub fn format_timestamp_ntz(&self, micros: i64, out: &mut String) -> Result<()> {
        self.format(&Moment::new(micros, None), out)
    }

    /// Appends a date, whose time is midnight; zone letters fail unless they stand in an optional section.
    pub fn format_date(&self, days: i32, out: &mut String) -> Result<()> {
        self.format(&Moment::new(i64::from(days) * super::MICROS_PER_DAY, None), out)
    }

    fn format(&self, moment: &Moment<'_>, out: &mut String) -> Result<()> {
        write_items(&self.items, moment, out)
            .map_err(|why| Error::BadPattern { pattern: self.text().into(), why: why.into() })
    }
}

struct Clock<'a> {
    seconds: i64,
    offset: i32,
    zone: &'a TimeZone,
}

/// A wall-clock time split into its fields.
struct Moment<'a> {
    days: i64,
    year: i64,
    month: u32,
    day: u32,
    second_of_day: u32,
    micro: u32,
    clock: Option<Clock<'a>>,
}

impl<'a> Moment<'a> {
    fn new(local_micros: i64, clock: Option<Clock<'a>>) -> Self {
        let (days, micro_of_day) = split_micros(local_micros);
        let (year, month, day) = civil_from_days(days);
        let second_of_day = (micro_of_day / 1_000_000) as u32;
        Self { days, year, month, day, second_of_day, micro: (micro_of_day % 1_000_000) as u32, clock }
    }

    fn number(&self, field: Field) -> i64 {
        let hour = self.second_of_day / 3600;
        let value = match field {
            Field::Year => return self.year,
            Field::YearOfEra => return if self.year > 0 { self.year } else { 1 - self.year },
            Field::Month => self.month,
            Field::Day => self.day,
            Field::DayOfYear => day_of_year(self.days),
            Field::Quarter => (self.month - 1) / 3 + 1,
            Field::DayInAlignedWeek => (self.day - 1) % 7 + 1,
            Field::Hour => hour,
            Field::ClockHour => {
                if hour == 0 {
                    24
                } else {
                    hour
                }
            }
            Field::HourOfHalf => hour % 12,
            Field::ClockHourOfHalf => (hour + 11) % 12 + 1,
            Field::Minute => self.second_of_day / 60 % 60,
            Field::Second => self.second_of_day % 60,
        };
        i64::from(value)
    }

    fn name(&self, name: Name, full: bool) -> &'static str {
        let text = match name {
            Name::Month => MONTHS[self.month as usize - 1],
            Name::Weekday => WEEKDAYS[iso_weekday(self.days) as usize - 1],
            Name::Quarter if full => return QUARTERS[(self.month as usize - 1) / 3],
            Name::Quarter => return ["Q1", "Q2", "Q3", "Q4"][(self.month as usize - 1) / 3],
            Name::Era if full => return ERAS[usize::from(self.year > 0)],
            Name::Era => return if self.year > 0 { "AD" } else { "BC" },
            Name::Half => return if self.second_of_day < 43_200 { "AM" } else { "PM" },
        };
        if full { text } else { short(text) }
    }
}

const NO_ZONE: &str = "it has a zone letter, but the value has no zone";

fn write_items(items: &[Item], moment: &Moment<'_>, out: &mut String) -> Result<(), &'static str> {
    for item in items {
        match item {
            Item::Literal(text) => out.push_str(text),
            Item::Number { field, width, max, signed, .. } => {
                write_number(moment.number(*field), usize::from(*width), *max, *signed, out)?;
            }
            Item::TwoDigitYear { .. } => push_padded(moment.year.rem_euclid(100).unsigned_abs(), 2, out),
            Item::Fraction { digits } => write_fraction(moment.micro, usize::from(*digits), out),
            Item::Name { name, full } => out.push_str(moment.name(*name, *full)),
            Item::Offset(style) => write_offset(moment.clock.as_ref().ok_or(NO_ZONE)?.offset, *style, out),
            Item::LocalizedOffset { full } => {
                write_localized(moment.clock.as_ref().ok_or(NO_ZONE)?.offset, *full, out);
            }
            Item::ZoneId => {
                let _ = write!(out, "{}", moment.clock.as_ref().ok_or(NO_ZONE)?.zone);
            }
            Item::ZoneName => {
                let clock = moment.clock.as_ref().ok_or(NO_ZONE)?;
                out.push_str(&clock.zone.abbreviation(clock.seconds));
            }
            Item::Optional(section) => {
                let before = out.len();
                if write_items(section, moment, out).is_err() {
                    out.truncate(before);
                }
            }
        }
    }
    Ok(())
}

fn write_number(
    value: i64,
    width: usize,
    max: u8,
    signed: bool,
    out: &mut String,
) -> Result<(), &'static str> {
    let digits = value.unsigned_abs();
    let wide = digits >= 10u64.pow(width as u32);
    if wide && usize::from(max) == width {
        return Err("a value has more digits than its letters allow");
    }
    if value < 0 {
        out.push('-');
    } else if signed && wide {
        out.push('+');
    }
    push_padded(digits, width, out);
    Ok(())
}

/// The numbers below 100 in two digits each: most of what is written.
const PAIRS: &str = concat!(
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849",
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899"
);

/// Digits of `value`, with zeros in front up to `width`.
pub(crate) fn push_padded(value: u64, width: usize, out: &mut String) {
    if width == 2 && value < 100 {
        let at = value as usize * 2;
        return out.push_str(&PAIRS[at..at + 2]);
    }
    let mut digits = [b'0'; 20];
    let mut at = digits.len();
    let mut rest = value;
    while rest > 0 || digits.len() - at < width {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend(digits[at..].iter().map(|&digit| char::from(digit)));
}

fn write_fraction(micro: u32, digits: usize, out: &mut String) {
    if digits <= 6 {
        push_padded(u64::from(micro / 10u32.pow(6 - digits as u32)), digits, out);
    } else {
        push_padded(u64::from(micro) * 10u64.pow(digits as u32 - 6), digits, out);
    }
}

fn write_offset(offset: i32, style: OffsetStyle, out: &mut String) {
    if offset == 0 && style.zulu {
        out.push('Z');
        return;
    }
    let total = u64::from(offset.unsigned_abs());
    out.push(if offset < 0 { '-' } else { '+' });
    push_padded(total / 3600, 2, out);
    let minutes = total / 60 % 60;
    if style.minutes == Minutes::Always || minutes != 0 {
        if style.colon {
            out.push(':');
        }
        push_padded(minutes, 2, out);
    }
    if style.seconds && total % 60 != 0 {
        if style.colon {
            out.push(':');
        }
        push_padded(total % 60, 2, out);
    }
}

fn write_localized(offset: i32, full: bool, out: &mut String) {
    out.push_str("GMT");
    if offset == 0 {
        return;
    }
    if full {
        let style = OffsetStyle { zulu: false, colon: true, minutes: Minutes::Always, seconds: true };
        return write_offset(offset, style, out);
    }
    let total = offset.unsigned_abs();
    let _ = write!(out, "{}{}", if offset < 0 { '-' } else { '+' }, total / 3600);
    if !total.is_multiple_of(3600) {
        let _ = write!(out, ":{:02}", total / 60 % 60);
    }
}

#[cfg(test)]
mod tests {
    use super::super::days_from_civil;
    use super::*;

    fn format(pattern: &str, micros: i64, zone: &str) -> String {
        let mut out = String::new();
        let zone = zone.parse().unwrap();
        Pattern::compile(pattern).unwrap().format_timestamp(micros, &zone, &mut out).unwrap();
        out
    }

    const ISO: &str = "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]";

    #[test]
    fn timestamps_are_written_as_spark_writes_them() {
        let base = 1_735_787_045_678_000; // 2025-01-02 03:04:05.678
        let cases = [
            (ISO, base, "UTC", "2025-01-02T03:04:05.678Z"),
            (ISO, 1_751_425_445_000_000, "Europe/Paris", "2025-07-02T05:04:05.000+02:00"),
            (ISO, -1, "UTC", "1969-12-31T23:59:59.999Z"),
            (ISO, -62_135_596_800_000_000, "UTC", "0001-01-01T00:00:00.000Z"),
            ("E, d MMM y h:mm a", base, "UTC", "Thu, 2 Jan 2025 3:04 AM"),
            ("EEEE MMMM QQQ qqqq G GGGG", base, "UTC", "Thursday January Q1 1st quarter AD Anno Domini"),
            ("yyyy/MM/dd HH:mm", base, "UTC", "2025/01/02 03:04"),
            ("k K h H D F yy SSSSSSSSS", base - 10_800_000_000, "UTC", "24 0 12 0 2 2 25 678000000"),
            (
                "X XX XXX x xx xxx Z ZZZZ O VV z",
                base,
                "+05:30",
                "+0530 +0530 +05:30 +0530 +0530 +05:30 +0530 GMT+05:30 GMT+5:30 +05:30 +05:30",
            ),
            ("X x xx xxx ZZZZZ ZZZZ z", base, "UTC", "Z +00 +0000 +00:00 Z GMT UTC"),
            ("z", base, "Europe/Paris", "CET"),
        ];
        for (pattern, micros, zone, expected) in cases {
            assert_eq!(format(pattern, micros, zone), expected, "{pattern}");
        }
    }

    #[test]
    fn values_without_zone_skip_optional_zone_letters_and_refuse_others() {
        let mut out = String::new();
        Pattern::compile(ISO).unwrap().format_timestamp_ntz(1_735_787_045_500_000, &mut out).unwrap();
        assert_eq!(out, "2025-01-02T03:04:05.500");
        assert!(Pattern::compile("HH XXX").unwrap().format_timestamp_ntz(0, &mut out).is_err());
    }

    #[test]
    fn long_and_negative_years_keep_their_sign() {
        let pattern = Pattern::compile("yyyy-MM-dd").unwrap();
        let mut out = String::new();
        pattern.format_date(20_250_102, &mut out).unwrap();
        out.push(' ');
        pattern.format_date(days_from_civil(-1, 3, 4) as i32, &mut out).unwrap();
        assert_eq!(out, "+57412-11-24 -0001-03-04");
    }
}
