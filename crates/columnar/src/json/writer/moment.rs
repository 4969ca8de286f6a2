//! Dates and timestamps in JSON: by the options' patterns, or in the default forms `2026-02-28`,
//! `2026-02-28T01:02:03.450+01:00` (`Z` for UTC) and `2026-02-28T01:02:03.450`.

use crate::Result;
use crate::datetime::{Pattern, TimeZone, push_padded, split_micros};
use crate::json::JsonWriteOptions;
use crate::text::append_date;

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

    pub fn append_timestamp(&self, micros: i64, out: &mut String) -> Result<()> {
        if let Some(pattern) = &self.timestamp {
            return pattern.format_timestamp(micros, &self.zone, out);
        }
        append_iso(self.zone.local_micros(micros), out);
        let offset = self.zone.offset_at(micros.div_euclid(1_000_000));
        if offset == 0 {
            out.push('Z');
            return Ok(());
        }
        let minutes = u64::from(offset.unsigned_abs() / 60);
        out.push(if offset < 0 { '-' } else { '+' });
        push_padded(minutes / 60, 2, out);
        out.push(':');
        push_padded(minutes % 60, 2, out);
        Ok(())
    }

    pub fn append_timestamp_ntz(&self, micros: i64, out: &mut String) -> Result<()> {
        match &self.timestamp_ntz {
            Some(pattern) => pattern.format_timestamp_ntz(micros, out),
            None => {
                append_iso(micros, out);
                Ok(())
            }
        }
    }
}

/// `2026-02-28T01:02:03.450`: milliseconds are always there and never rounded.
fn append_iso(local_micros: i64, out: &mut String) {
    let (days, micro_of_day) = split_micros(local_micros);
    append_date(days as i32, out);
    let milli = micro_of_day.unsigned_abs() / 1000;
    for (separator, value, width) in [
        ('T', milli / 3_600_000, 2),
        (':', milli / 60_000 % 60, 2),
        (':', milli / 1000 % 60, 2),
        ('.', milli % 1000, 3),
    ] {
        out.push(separator);
        push_padded(value, width, out);
    }
}
