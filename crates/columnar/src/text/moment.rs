//! Dates, timestamps and intervals as Spark casts them to string.
//!
//! `2026-02-28`, `2026-02-28 01:02:03.45` (trailing zeros of the fraction cut, no zone), years beyond 9999
//! with a plus, years before 0 with a minus; `INTERVAL '1 02:03:04' DAY TO SECOND`, `INTERVAL '1-2' YEAR TO
//! MONTH`.

use crate::datetime::{TimeZone, civil_from_days, push_padded, split_micros};

/// Appends a date.
pub fn append_date(days: i32, out: &mut String) {
    append_civil(i64::from(days), out);
}

/// Appends an instant as the zone's wall clock shows it.
pub fn append_timestamp(micros: i64, zone: &TimeZone, out: &mut String) {
    append_timestamp_ntz(zone.local_micros(micros), out);
}

/// Appends a timestamp without zone.
pub fn append_timestamp_ntz(micros: i64, out: &mut String) {
    let (days, micro_of_day) = split_micros(micros);
    append_civil(days, out);
    out.push(' ');
    append_time(micro_of_day.unsigned_abs(), out);
}

/// Appends a day-time interval of microseconds.
pub fn append_day_time_interval(micros: i64, out: &mut String) {
    let total = micros.unsigned_abs();
    let day = crate::datetime::MICROS_PER_DAY.unsigned_abs();
    out.push_str(if micros < 0 { "INTERVAL '-" } else { "INTERVAL '" });
    push_padded(total / day, 1, out);
    out.push(' ');
    append_time(total % day, out);
    out.push_str("' DAY TO SECOND");
}

/// Appends a year-month interval of months.
pub fn append_year_month_interval(months: i32, out: &mut String) {
    let total = u64::from(months.unsigned_abs());
    out.push_str(if months < 0 { "INTERVAL '-" } else { "INTERVAL '" });
    push_padded(total / 12, 1, out);
    out.push('-');
    push_padded(total % 12, 1, out);
    out.push_str("' YEAR TO MONTH");
}

fn append_civil(days: i64, out: &mut String) {
    let (year, month, day) = civil_from_days(days);
    match year {
        ..0 => out.push('-'),
        0..=9999 => {}
        _ => out.push('+'),
    }
    push_padded(year.unsigned_abs(), 4, out);
    out.push('-');
    push_padded(u64::from(month), 2, out);
    out.push('-');
    push_padded(u64::from(day), 2, out);
}

fn append_time(micro_of_day: u64, out: &mut String) {
    let second = micro_of_day / 1_000_000;
    push_padded(second / 3600, 2, out);
    out.push(':');
    push_padded(second / 60 % 60, 2, out);
    out.push(':');
    push_padded(second % 60, 2, out);
    let micro = micro_of_day % 1_000_000;
    if micro != 0 {
        out.push('.');
        push_padded(micro, 6, out);
        out.truncate(out.trim_end_matches('0').len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut String)) -> String {
        let mut out = String::new();
        write(&mut out);
        out
    }

    #[test]
    fn timestamps_cut_trailing_zeros_and_show_the_zones_clock() {
        let base = 1_735_787_045_000_000;
        for (micros, expected) in [
            (base, "2025-01-02 03:04:05"),
            (base + 450_000, "2025-01-02 03:04:05.45"),
            (base + 1, "2025-01-02 03:04:05.000001"),
            (-1000, "1969-12-31 23:59:59.999"),
            (-62_135_596_800_000_000, "0001-01-01 00:00:00"),
        ] {
            assert_eq!(written(|out| append_timestamp(micros, &TimeZone::UTC, out)), expected);
        }
        let kolkata = "Asia/Kolkata".parse().unwrap();
        assert_eq!(written(|out| append_timestamp(base, &kolkata, out)), "2025-01-02 08:34:05");
        assert_eq!(written(|out| append_date(20_250_102, out)), "+57412-11-24");
        assert_eq!(written(|out| append_date(-719_893, out)), "-0001-01-01");
    }

    #[test]
    fn intervals_read_as_sql() {
        let micros = 93_784_000_000;
        let day_time = |micros| written(|out| append_day_time_interval(micros, out));
        assert_eq!(day_time(micros), "INTERVAL '1 02:03:04' DAY TO SECOND");
        assert_eq!(day_time(-micros - 500_000), "INTERVAL '-1 02:03:04.5' DAY TO SECOND");
        assert_eq!(written(|out| append_year_month_interval(-14, out)), "INTERVAL '-1-2' YEAR TO MONTH");
    }
}
