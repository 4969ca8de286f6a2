//! Intervals as their literals: `INTERVAL '1 02:03:04' DAY TO SECOND`, `INTERVAL '05' SECOND`.
use std::fmt::Write as _;

use super::{DayTimeField, YearMonthField};

const SECOND: u64 = 1_000_000;

/// A day-time interval of microseconds by the fields of its type; smaller fields are left out, larger ones are counted
/// into the first.
pub fn day_time_interval_text(microseconds: i64, from: DayTimeField, to: DayTimeField) -> String {
    let mut rest = microseconds.unsigned_abs();
    let mut text = format!("INTERVAL '{}", if microseconds < 0 { "-" } else { "" });
    let fields = [
        (DayTimeField::Day, 86_400 * SECOND),
        (DayTimeField::Hour, 3_600 * SECOND),
        (DayTimeField::Minute, 60 * SECOND),
        (DayTimeField::Second, SECOND),
    ];
    for (field, each) in fields {
        if field < from || field > to {
            continue;
        }
        let number = rest / each;
        rest %= each;
        if field > from {
            text.push(if field == DayTimeField::Hour { ' ' } else { ':' });
        }
        // Days are written as they are, the others with two digits at least.
        let _ = match field {
            DayTimeField::Day => write!(text, "{number}"),
            _ => write!(text, "{number:02}"),
        };
        if field == DayTimeField::Second && rest > 0 {
            text.push_str(format!(".{rest:06}").trim_end_matches('0'));
        }
    }
    close(text, from.name(), to.name())
}

/// A year-month interval of months by the fields of its type.
pub fn year_month_interval_text(months: i32, from: YearMonthField, to: YearMonthField) -> String {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    let number = match (from, to) {
        (YearMonthField::Month, _) => months.to_string(),
        (_, YearMonthField::Year) => (months / 12).to_string(),
        _ => format!("{}-{}", months / 12, months % 12),
    };
    close(format!("INTERVAL '{sign}{number}"), from.name(), to.name())
}

fn close(text: String, from: &str, to: &str) -> String {
    let to = if from == to { String::new() } else { format!(" TO {}", to.to_uppercase()) };
    format!("{text}' {}{to}", from.to_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use DayTimeField::{Day, Hour, Minute, Second};

    #[test]
    fn intervals_show_the_fields_of_their_type() {
        let micros = ((26 * 60 + 3) * 60 + 4) * 1_000_000 + 500_000;
        for (from, to, text) in [
            (Day, Second, "INTERVAL '1 02:03:04.5' DAY TO SECOND"),
            (Day, Hour, "INTERVAL '1 02' DAY TO HOUR"),
            (Day, Day, "INTERVAL '1' DAY"),
            (Hour, Second, "INTERVAL '26:03:04.5' HOUR TO SECOND"),
            (Minute, Second, "INTERVAL '1563:04.5' MINUTE TO SECOND"),
            (Hour, Hour, "INTERVAL '26' HOUR"),
        ] {
            assert_eq!(day_time_interval_text(micros, from, to), text);
        }
        assert_eq!(day_time_interval_text(-5_000_000, Second, Second), "INTERVAL '-05' SECOND");
        assert_eq!(day_time_interval_text(i64::MIN, Day, Day), "INTERVAL '-106751991' DAY");
        assert_eq!(
            year_month_interval_text(-14, YearMonthField::Year, YearMonthField::Month),
            "INTERVAL '-1-2' YEAR TO MONTH"
        );
        assert_eq!(
            year_month_interval_text(14, YearMonthField::Month, YearMonthField::Month),
            "INTERVAL '14' MONTH"
        );
    }
}
