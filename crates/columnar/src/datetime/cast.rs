//! Text to date and timestamp the lenient way: `CAST(x AS DATE)`, `CAST(x AS TIMESTAMP)`, and `from_json`
//! without a format.
//!
//! A date is `[+-]yyyy[-[m]m[-[d]d]]` with 4 to 7 year digits; after a full date anything may follow a blank
//! or `T`. A timestamp adds `[h]h[:[m]m[:[s]s[.fraction]]][zone]` after a blank or `T`, has 4 to 6 year
//! digits, and cuts the fraction to microseconds. White space and control characters at both ends are
//! ignored.

use super::TimeZone;
use super::calendar::{MICROS_PER_DAY, MICROS_PER_SECOND, checked_days};
use super::iso::iso_instant;

/// Days since the epoch, or None where Spark's cast gives null.
pub fn string_to_date(text: &[u8]) -> Option<i32> {
    let text = trim(text);
    let (sign, text) = match text.first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let mut segments = [1u32; 3];
    let mut segment = 0;
    let (mut value, mut digits) = (0u32, 0usize);
    let valid = |segment: usize, digits: usize| {
        if segment == 0 { (4..=7).contains(&digits) } else { (1..=2).contains(&digits) }
    };
    let mut rest_follows = false;
    for &byte in text {
        match byte {
            b' ' | b'T' => {
                rest_follows = true;
                break;
            }
            b'-' if segment < 2 => {
                if !valid(segment, digits) {
                    return None;
                }
                segments[segment] = value;
                (value, digits) = (0, 0);
                segment += 1;
            }
            b'0'..=b'9' => {
                digits += 1;
                if digits > 7 {
                    return None;
                }
                value = value * 10 + u32::from(byte - b'0');
            }
            _ => return None,
        }
    }
    if !valid(segment, digits) || (segment < 2 && rest_follows) {
        return None;
    }
    segments[segment] = value;
    checked_days(sign * i64::from(segments[0]), segments[1], segments[2])
}

/// Microseconds since the epoch, or None where Spark's cast gives null. `zone` applies when the text names
/// none; `today` (days since the epoch) is the date of a text that holds only a time; without it such a text
/// gives None.
pub fn string_to_timestamp(text: &[u8], zone: &TimeZone, today: Option<i32>) -> Option<i64> {
    iso_instant(text).or_else(|| slow_timestamp(text, zone, today))
}

/// The walk, for any form.
pub(super) fn slow_timestamp(text: &[u8], zone: &TimeZone, today: Option<i32>) -> Option<i64> {
    let fields = fields(text)?;
    let days = if fields.only_time { today? } else { fields.days()? };
    let local = fields.on_day(days)?;
    match fields.zone {
        Some(own) => own.parse::<TimeZone>().ok()?.instant_micros(local),
        None => zone.instant_micros(local),
    }
}

/// Microseconds of the wall clock, or None where Spark gives null: only a time, or a zone where `allow_zone`
/// is false (it is checked and ignored otherwise).
pub fn string_to_timestamp_ntz(text: &[u8], allow_zone: bool) -> Option<i64> {
    let fields = fields(text)?;
    if fields.only_time {
        return None;
    }
    if let Some(zone) = fields.zone
        && !(allow_zone && zone.parse::<TimeZone>().is_ok())
    {
        return None;
    }
    fields.on_day(fields.days()?)
}

/// Drops white space and control characters at both ends.
fn trim(mut text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| *byte <= b' ' || *byte == 0x7f;
    while let [first, rest @ ..] = text
        && blank(first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && blank(last)
    {
        text = rest;
    }
    text
}

/// The parts of a timestamp text: year, month, day, hour, minute, second, microsecond.
struct TimestampFields<'a> {
    segments: [u32; 7],
    negative_year: bool,
    zone: Option<&'a str>,
    only_time: bool,
}

impl TimestampFields<'_> {
    fn days(&self) -> Option<i32> {
        let year = i64::from(self.segments[0]);
        checked_days(if self.negative_year { -year } else { year }, self.segments[1], self.segments[2])
    }

    fn on_day(&self, days: i32) -> Option<i64> {
        let [_, _, _, hour, minute, second, micro] = self.segments;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        i64::from(days)
            .checked_mul(MICROS_PER_DAY)?
            .checked_add(seconds * MICROS_PER_SECOND + i64::from(micro))
    }
}

const SECOND: usize = 5;
const FRACTION: usize = 6;

/// Walks the text once; a segment ends at the separator that its place allows.
fn fields(text: &[u8]) -> Option<TimestampFields<'_>> {
    let mut text = trim(text);
    let mut out = TimestampFields {
        segments: [1, 1, 1, 0, 0, 0, 0],
        negative_year: false,
        zone: None,
        only_time: false,
    };
    let first = *text.first()?;
    let signed = matches!(first, b'-' | b'+');
    if signed {
        out.negative_year = first == b'-';
        text = &text[1..];
    }
    let mut segment = 0;
    let (mut value, mut digits) = (0u32, 0usize);
    for (at, &byte) in text.iter().enumerate() {
        if byte.is_ascii_digit() {
            digits += 1;
            // Digits beyond microseconds are cut, not rounded; other segments are refused below when too
            // long.
            if digits <= 6 {
                value = value * 10 + u32::from(byte - b'0');
            }
            continue;
        }
        let next = match (segment, byte) {
            (0, b'T') if at == 0 && !signed => {
                out.only_time = true;
                segment = 3;
                continue;
            }
            (0 | 1, b'-') => segment + 1,
            (0, b':') if !signed => {
                out.only_time = true;
                segment = 3;
                4
            }
            (2, b' ' | b'T') => 3,
            (3 | 4, b':') => segment + 1,
            (SECOND, b'.') => FRACTION,
            (SECOND | FRACTION, _) => {
                out.zone = Some(std::str::from_utf8(&text[at..]).ok()?.trim());
                break;
            }
            _ => return None,
        };
        close(&mut out.segments, segment, value, digits)?;
        (value, digits) = (0, 0);
        segment = next;
    }
    close(&mut out.segments, segment, value, digits)?;
    Some(out)
}

/// Stores a finished segment if it has as many digits as its place allows.
fn close(segments: &mut [u32; 7], segment: usize, value: u32, digits: usize) -> Option<()> {
    let valid = match segment {
        0 => (4..=6).contains(&digits),
        FRACTION => true,
        _ => (1..=2).contains(&digits),
    };
    if !valid {
        return None;
    }
    segments[segment] = match segment {
        FRACTION => value * 10u32.pow(6 - digits.min(6) as u32),
        _ => value,
    };
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timestamp(text: &str) -> Option<i64> {
        string_to_timestamp(text.as_bytes(), &TimeZone::UTC, None)
    }

    #[test]
    fn timestamps_are_read_as_spark_reads_them() {
        let base = 1_735_787_045_000_000; // 2025-01-02 03:04:05
        let cases = [
            ("2025-01-02T03:04:05Z", Some(base)),
            ("2025-01-02T03:04:05.123456789Z", Some(base + 123_456)),
            ("2025-01-02T03:04:05.1+02:00", Some(base + 100_000 - 7_200_000_000)),
            ("2025-01-02 03:04:05", Some(base)),
            ("2025-01-02", Some(base - 11_045_000_000)),
            ("2025", Some(1_735_689_600_000_000)),
            ("bad", None),
            ("", None),
            ("2025-02-30T00:00:00Z", None),
            ("0001-01-01T00:00:00Z", Some(-62_135_596_800_000_000)),
            ("9999-12-31T23:59:59.999Z", Some(253_402_300_799_999_000)),
            ("2025-01-02T03:04", Some(base - 5_000_000)),
            ("2025-01-02T03:04:05 Europe/Paris", Some(base - 3_600_000_000)),
            (" 2025-01-02T03:04:05Z ", Some(base)),
            ("2025-01-02T24:00:00Z", None),
            ("12:00:00", None),
            ("2025-01-02T03:04Z", None),
            ("1234567-01-01", None),
            ("300000-01-01 00:00:00", None),
        ];
        for (text, expected) in cases {
            assert_eq!(timestamp(text), expected, "{text}");
        }
        assert_eq!(
            string_to_timestamp(b"T01:00", &TimeZone::UTC, Some(1)),
            Some(MICROS_PER_DAY + 3_600_000_000)
        );
        assert_eq!(string_to_timestamp_ntz(b"2025-01-02T03:04:05Z", false), None);
        assert_eq!(string_to_timestamp_ntz(b"2025-01-02T03:04:05Z", true), Some(base));
    }

    #[test]
    fn dates_are_read_as_spark_reads_them() {
        let cases = [
            ("2025-01-02", Some(20_090)),
            ("2025-1-2", Some(20_090)),
            ("2025-01-02 03:04:05", Some(20_090)),
            ("2025-01-02T", Some(20_090)),
            ("2025", Some(20_089)),
            ("2025-01", Some(20_089)),
            ("2025-01 x", None),
            ("20250102", None),
            ("12", None),
            ("2025-02-30", None),
            ("-0001-01-01", Some(-719_893)),
            ("\t2025-01-02\n", Some(20_090)),
            ("2025-01-02x", None),
            ("5881580-07-12", None),
        ];
        for (text, expected) in cases {
            assert_eq!(string_to_date(text.as_bytes()), expected, "{text}");
        }
    }
}
