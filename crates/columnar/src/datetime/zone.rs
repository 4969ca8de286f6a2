//! Time zones by the names and offsets that `java.time.ZoneId` and Spark accept.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, MappedLocalTime, Offset, TimeZone as _};

use crate::{Error, Result};

/// A time zone: a fixed offset or a region of the tz database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeZone {
    /// Seconds east of UTC, at most 18 hours either way.
    Fixed(i32),
    /// A region such as `Europe/Paris`.
    Region(chrono_tz::Tz),
}

/// Java's three-letter names (`ZoneId.SHORT_IDS`) that are not regions of their own.
const SHORT_NAMES: [(&str, &str); 28] = [
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

const MAX_OFFSET_SECONDS: i32 = 18 * 3600;

impl TimeZone {
    /// UTC.
    pub const UTC: TimeZone = TimeZone::Fixed(0);

    /// Seconds east of UTC at an instant (seconds since the epoch). Instants beyond the tz library's years
    /// take the offset of its last one.
    pub fn offset_at(&self, epoch_seconds: i64) -> i32 {
        match self {
            TimeZone::Fixed(seconds) => *seconds,
            TimeZone::Region(tz) => {
                tz.offset_from_utc_datetime(&utc_datetime(epoch_seconds).naive_utc()).fix().local_minus_utc()
            }
        }
    }

    /// Wall-clock microseconds of an instant; saturates at the ends of the range.
    pub fn local_micros(&self, micros: i64) -> i64 {
        match self {
            TimeZone::Fixed(0) => micros,
            _ => {
                let offset = self.offset_at(micros.div_euclid(1_000_000));
                micros.saturating_add(i64::from(offset) * 1_000_000)
            }
        }
    }

    /// The instant at which the wall clock shows `local` microseconds. In a gap the clock is taken to run on
    /// (02:30 becomes 03:30 summer time); in an overlap the earlier instant is taken: `ZonedDateTime.of`'s
    /// rules. None on overflow.
    pub fn instant_micros(&self, local: i64) -> Option<i64> {
        let offset = match self {
            TimeZone::Fixed(seconds) => *seconds,
            TimeZone::Region(tz) => {
                let seconds = local.div_euclid(1_000_000);
                match tz.offset_from_local_datetime(&utc_datetime(seconds).naive_utc()) {
                    MappedLocalTime::Single(offset) | MappedLocalTime::Ambiguous(offset, _) => {
                        offset.fix().local_minus_utc()
                    }
                    MappedLocalTime::None => self.offset_at(seconds.saturating_sub(86_400)),
                }
            }
        };
        local.checked_sub(i64::from(offset) * 1_000_000)
    }

    /// Short name of the zone at an instant, such as `CEST`, `UTC` or `+02:00`.
    pub fn abbreviation(&self, epoch_seconds: i64) -> String {
        match self {
            TimeZone::Fixed(0) => "UTC".into(),
            TimeZone::Fixed(_) => self.to_string(),
            TimeZone::Region(tz) => {
                let offset = tz.offset_from_utc_datetime(&utc_datetime(epoch_seconds).naive_utc());
                chrono_tz::OffsetName::abbreviation(&offset).unwrap_or(tz.name()).to_string()
            }
        }
    }
}

fn utc_datetime(epoch_seconds: i64) -> DateTime<chrono::Utc> {
    let clamped = epoch_seconds.clamp(-8_000_000_000_000, 8_000_000_000_000);
    DateTime::from_timestamp(clamped, 0).expect("the clamp is inside chrono's years")
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TimeZone::Fixed(0) => f.write_str("UTC"),
            TimeZone::Fixed(seconds) => {
                let sign = if *seconds < 0 { '-' } else { '+' };
                let s = seconds.unsigned_abs();
                write!(f, "{sign}{:02}:{:02}", s / 3600, s / 60 % 60)?;
                if s % 60 != 0 { write!(f, ":{:02}", s % 60) } else { Ok(()) }
            }
            TimeZone::Region(tz) => f.write_str(tz.name()),
        }
    }
}

impl FromStr for TimeZone {
    type Err = Error;

    /// `Z`, `UTC`, `GMT`, `UT`, those three followed by an offset, offsets (`+2`, `+02`, `+02:00`, `+0200`,
    /// `+2:00`, `+02:00:30`), Java's three-letter names, and regions.
    fn from_str(text: &str) -> Result<Self> {
        parse_zone(text.trim()).ok_or_else(|| Error::BadOption {
            option: "timeZone".into(),
            value: text.into(),
            why: "use a region such as Europe/Paris or an offset such as +02:00".into(),
        })
    }
}

fn parse_zone(text: &str) -> Option<TimeZone> {
    if matches!(text, "Z" | "UTC" | "GMT" | "UT") {
        return Some(TimeZone::UTC);
    }
    if text.starts_with(['+', '-']) {
        return parse_offset(text).map(TimeZone::Fixed);
    }
    for prefix in ["UTC", "GMT", "UT"] {
        if let Some(rest) = text.strip_prefix(prefix)
            && rest.starts_with(['+', '-'])
        {
            return parse_offset(rest).map(TimeZone::Fixed);
        }
    }
    if let Some((_, target)) = SHORT_NAMES.iter().find(|(name, _)| *name == text) {
        return parse_zone(target);
    }
    text.parse().ok().map(TimeZone::Region)
}

/// Seconds of an offset that starts with a sign.
pub(super) fn parse_offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let digits = |part: &str| -> Option<i32> {
        (matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse().ok())?
    };
    let (hours, minutes, seconds) = if rest.contains(':') {
        let mut parts = rest.split(':');
        let hours = digits(parts.next()?)?;
        let minutes = digits(parts.next()?)?;
        let seconds = parts.next().map_or(Some(0), digits)?;
        if parts.next().is_some() {
            return None;
        }
        (hours, minutes, seconds)
    } else {
        if !rest.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        match rest.len() {
            1 | 2 => (digits(rest)?, 0, 0),
            4 => (digits(&rest[..2])?, digits(&rest[2..])?, 0),
            6 => (digits(&rest[..2])?, digits(&rest[2..4])?, digits(&rest[4..])?),
            _ => return None,
        }
    };
    let total = hours * 3600 + minutes * 60 + seconds;
    (minutes < 60 && seconds < 60 && total <= MAX_OFFSET_SECONDS).then_some(sign * total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_in_every_form_java_and_spark_accept() {
        let cases = [
            ("Z", Some(0)),
            ("UTC", Some(0)),
            ("+2", Some(7200)),
            ("-02", Some(-7200)),
            ("+05:30", Some(19_800)),
            ("+0530", Some(19_800)),
            ("+5:30", Some(19_800)),
            ("UTC+1", Some(3600)),
            ("GMT-01:00:30", Some(-3630)),
            ("EST", Some(-18_000)),
            ("+18:00", Some(64_800)),
            ("+18:01", None),
            ("+1:60", None),
            ("+", None),
            ("+123", None),
            ("+\u{661}", None),
            ("Mars/Base", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let found = match parse_zone(text) {
                Some(TimeZone::Fixed(seconds)) => Some(seconds),
                _ => None,
            };
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!("PST".parse::<TimeZone>().unwrap().to_string(), "America/Los_Angeles");
        assert_eq!(TimeZone::Fixed(-19_830).to_string(), "-05:30:30");
    }

    #[test]
    fn gaps_run_on_and_overlaps_take_the_earlier_instant() {
        let paris: TimeZone = "Europe/Paris".parse().unwrap();
        let at = |days: i64, hour: i64, minute: i64| (days * 86_400 + hour * 3600 + minute * 60) * 1_000_000;
        let gap_day = super::super::days_from_civil(2025, 3, 30);
        assert_eq!(paris.instant_micros(at(gap_day, 2, 30)), Some(at(gap_day, 1, 30)));
        assert_eq!(paris.local_micros(at(gap_day, 1, 30)), at(gap_day, 3, 30));
        let overlap_day = super::super::days_from_civil(2025, 10, 26);
        assert_eq!(paris.instant_micros(at(overlap_day, 2, 30)), Some(at(overlap_day, 0, 30)));
        assert_eq!(paris.abbreviation(at(overlap_day, 0, 30) / 1_000_000), "CEST");
        assert_eq!(paris.offset_at(-62_135_596_800), 561);
        assert_eq!(paris.local_micros(i64::MAX), i64::MAX);
    }
}
