//! Dates and timestamps in JSON: by the options' patterns, or in the default forms `2026-02-28`,
//! `2026-02-28T01:02:03.450+01:00` (`Z` for UTC) and `2026-02-28T01:02:03.450`.

use super::out::Out;
use super::window::{HALF, Window};
use crate::Result;
use crate::datetime::{Pattern, TimeZone, civil_from_days, split_micros};
use crate::json::JsonWriteOptions;
use crate::json::options::refuse_letters;
use crate::text::{PAIRS, append_date};

/// How dates and timestamps are written.
#[derive(Debug)]
pub(crate) struct MomentFormats {
    date: Option<Pattern>,
    timestamp: Option<Pattern>,
    timestamp_ntz: Option<Pattern>,
    zone: TimeZone,
}

impl MomentFormats {
    pub fn new(options: &JsonWriteOptions) -> Result<Self> {
        let compile = |format: &Option<String>| format.as_deref().map(Pattern::compile).transpose();
        refuse_letters(options.date_format.as_deref(), "aHhKkmsSVzOXxZ", "a date has nothing for")?;
        Ok(Self {
            date: compile(&options.date_format)?,
            timestamp: compile(&options.timestamp_format)?,
            timestamp_ntz: compile(&options.timestamp_ntz_format)?,
            zone: options.time_zone,
        })
    }

    pub fn append_date(&self, days: i32, out: &mut String) -> Result<()> {
        match &self.date {
            Some(pattern) => pattern.format_date(days, out),
            None => {
                append_date(days, out);
                Ok(())
            }
        }
    }

    /// Appends an instant.
    pub fn append_timestamp(&self, micros: i64, out: &mut String) -> Result<()> {
        if let Some(pattern) = &self.timestamp {
            return pattern.format_timestamp(micros, &self.zone, out);
        }
        out.push_str(self.instant(micros).text());
        Ok(())
    }

    /// Appends a wall clock.
    pub fn append_timestamp_ntz(&self, micros: i64, out: &mut String) -> Result<()> {
        if let Some(pattern) = &self.timestamp_ntz {
            return pattern.format_timestamp_ntz(micros, out);
        }
        out.push_str(Iso::new(micros).text());
        Ok(())
    }

    /// Writes an instant in quotes.
    pub(super) fn write_timestamp(&self, micros: i64, out: &mut Out) -> Result<()> {
        out.quoted(|out| self.append_timestamp(micros, out))
    }

    /// Whether instants have the default form.
    pub(super) fn has_usual_timestamps(&self) -> bool {
        self.timestamp.is_none()
    }

    /// Writes an instant in its default form, in quotes; false for one that is longer than usual.
    #[inline(always)]
    pub(super) fn write_instant(&self, micros: i64, window: &mut Window<'_>) -> bool {
        let iso = self.instant(micros);
        let Some(block) = iso.bytes.first_chunk::<HALF>().filter(|_| iso.length < HALF - 1) else {
            return false;
        };
        window.byte(b'"');
        window.block(block, iso.length);
        window.byte(b'"');
        true
    }

    /// Writes a wall clock in quotes.
    pub(super) fn write_timestamp_ntz(&self, micros: i64, out: &mut Out) -> Result<()> {
        out.quoted(|out| self.append_timestamp_ntz(micros, out))
    }

    #[inline(always)]
    fn instant(&self, micros: i64) -> Iso {
        let mut iso = Iso::new(self.zone.local_micros(micros));
        let offset = self.zone.offset_at(micros.div_euclid(1_000_000));
        if offset == 0 {
            iso.byte(b'Z');
            return iso;
        }
        let seconds = u64::from(offset.unsigned_abs());
        iso.byte(if offset < 0 { b'-' } else { b'+' });
        iso.pair(seconds / 3600);
        iso.byte(b':');
        iso.pair(seconds / 60 % 60);
        if seconds % 60 != 0 {
            // Local mean time, before a zone had whole minutes.
            iso.byte(b':');
            iso.pair(seconds % 60);
        }
        iso
    }
}

/// `2026-02-28T01:02:03.450`: milliseconds are always there and never rounded. With a year of six digits, a sign
/// and an offset of seconds it has 35 bytes.
struct Iso {
    bytes: [u8; 40],
    length: usize,
}

impl Iso {
    #[inline(always)]
    fn new(local_micros: i64) -> Self {
        let (days, micro_of_day) = split_micros(local_micros);
        let milli = micro_of_day.unsigned_abs() / 1000;
        match civil_from_days(days) {
            (year @ 0..=9999, month, day) => Self::near(year as u64, month.into(), day.into(), milli),
            _ => Self::far(days, milli),
        }
    }

    #[inline(always)]
    fn near(year: u64, month: u64, day: u64, milli: u64) -> Self {
        let mut bytes = *b"yyyy-MM-ddTHH:mm:ss.SSS\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
        let mut put = |at: usize, value: u64| {
            bytes[at..at + 2].copy_from_slice(&PAIRS[(value % 100) as usize]);
        };
        put(0, year / 100);
        put(2, year);
        put(5, month);
        put(8, day);
        put(11, milli / 3_600_000);
        put(14, milli / 60_000 % 60);
        put(17, milli / 1000 % 60);
        // The middle digit twice.
        put(20, milli / 10);
        put(21, milli);
        Self { bytes, length: 23 }
    }

    #[inline(never)]
    fn far(days: i64, milli: u64) -> Self {
        let mut iso = Self { bytes: [0; 40], length: 0 };
        let mut text = String::new();
        append_date(days as i32, &mut text);
        text.bytes().for_each(|byte| iso.byte(byte));
        for (separator, value) in
            [(b'T', milli / 3_600_000), (b':', milli / 60_000 % 60), (b':', milli / 1000 % 60)]
        {
            iso.byte(separator);
            iso.pair(value);
        }
        iso.byte(b'.');
        iso.byte(b'0' + (milli / 100 % 10) as u8);
        iso.pair(milli);
        iso
    }

    #[inline(always)]
    fn byte(&mut self, byte: u8) {
        self.bytes[self.length] = byte;
        self.length += 1;
    }

    /// A number of two digits.
    #[inline(always)]
    fn pair(&mut self, value: u64) {
        let [tens, ones] = PAIRS[(value % 100) as usize];
        self.byte(tens);
        self.byte(ones);
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).expect("digits and signs are ASCII")
    }
}
