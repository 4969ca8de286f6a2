//! Text to the two kinds of interval, as Spark casts it: `1 02:03:04.5` or `INTERVAL '1 02:03:04.5' DAY TO
//! SECOND`, `1-2` or `INTERVAL '1-2' YEAR TO MONTH`. A sign may stand before the quote, before the first
//! number, or both. Hours are below 24, minutes and seconds below 60, months below 12; a fraction has up to
//! nine digits, of which six count.

/// Microseconds of an `INTERVAL DAY TO SECOND`; None where Spark's cast fails.
pub fn string_to_day_time_interval(text: &str) -> Option<i64> {
    let (negative, body) = body(text, &["DAY", "TO", "SECOND"])?;
    let (days, time) = body.split_once(' ')?;
    let mut parts = time.splitn(3, ':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let (seconds, fraction) = seconds.split_once('.').map_or((seconds, None), |(s, f)| (s, Some(f)));
    let small = |text: &str, limit: u64| {
        (text.len() <= 2).then(|| digits(text)).flatten().filter(|value| *value < limit)
    };
    let micros = match fraction {
        Some(fraction) if fraction.len() > 9 => return None,
        Some(fraction) => digits(&format!("{fraction:0<9}")).filter(|_| !fraction.is_empty())? / 1000,
        None => 0,
    };
    let seconds = (small(hours, 24)? * 60 + small(minutes, 60)?) * 60 + small(seconds, 60)?;
    let total = i128::from(digits(days)?) * 86_400_000_000 + i128::from(seconds * 1_000_000 + micros);
    i64::try_from(if negative { -total } else { total }).ok()
}

/// Months of an `INTERVAL YEAR TO MONTH`; None where Spark's cast fails.
pub fn string_to_year_month_interval(text: &str) -> Option<i32> {
    let (negative, body) = body(text, &["YEAR", "TO", "MONTH"])?;
    let (years, months) = body.split_once('-')?;
    let months = digits(months).filter(|months| *months < 12)?;
    let total = i128::from(digits(years)?) * 12 + i128::from(months);
    i32::try_from(if negative { -total } else { total }).ok()
}

/// The numbers without sign and frame.
fn body<'a>(text: &'a str, fields: &[&str]) -> Option<(bool, &'a str)> {
    let text = text.trim_matches(|c: char| c <= ' ' || c == '\u{7f}');
    let has_frame = text.get(..8).is_some_and(|word| word.eq_ignore_ascii_case("INTERVAL"));
    if !has_frame {
        return Some(sign(text));
    }
    let (outer, quoted) = sign(text[8..].trim_start());
    let (inner, behind) = quoted.strip_prefix('\'')?.split_once('\'')?;
    let named = behind.split_ascii_whitespace();
    let is_type = behind.starts_with(|c: char| c.is_ascii_whitespace())
        && named.clone().count() == fields.len()
        && named.zip(fields).all(|(word, field)| word.eq_ignore_ascii_case(field));
    let (negative, inner) = sign(inner);
    is_type.then_some((outer != negative, inner))
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn digits(text: &str) -> Option<u64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_to_seconds() {
        let micros = |text| string_to_day_time_interval(text);
        assert_eq!(micros("1 02:03:04.5"), Some(93_784_500_000));
        assert_eq!(micros(" interval -'-1 2:3:4' day  to\tsecond "), Some(93_784_000_000));
        assert_eq!(micros("-106751991 04:00:54.775808"), Some(i64::MIN));
        for bad in [
            "",
            "1",
            "1 24:00:00",
            "1 02:60:00",
            "1 02:03",
            "1  02:03:04",
            "1 +2:03:04",
            "1 002:03:04",
            "106751991 04:00:54.775808",
            "1 02:03:04.",
            "1 02:03:04.1234567890",
            "INTERVAL '1' DAY",
            "INTERVAL '1 02:03:04'DAY TO SECOND",
            "99999999999999999999 00:00:00",
        ] {
            assert_eq!(micros(bad), None, "{bad}");
        }
    }

    #[test]
    fn years_to_months() {
        let months = |text| string_to_year_month_interval(text);
        assert_eq!(months("1-2"), Some(14));
        assert_eq!(months("INTERVAL +'-1-2' YEAR TO MONTH"), Some(-14));
        assert_eq!(months("-178956970-8"), Some(i32::MIN));
        for bad in ["1", "1-12", "178956970-8", "a-1", "-", "1-2 3"] {
            assert_eq!(months(bad), None, "{bad}");
        }
    }
}
