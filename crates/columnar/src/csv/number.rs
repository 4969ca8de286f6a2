//! Numbers as Java's parsers read them.
//!
//! Integers: a sign and digits. Doubles: blanks around are ignored; `1`, `1.`, `.5`, `1e3`, with a sign and
//! with one of `dDfF` behind; `NaN` and `Infinity`. Of what Java reads, digits that are not ASCII and
//! hexadecimal doubles are not read.

/// An integer of any width up to 64 bits.
#[inline(always)]
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    // 18 digits always fit.
    let short = digits.len() <= 18;
    let mut value = 0i64;
    for byte in digits {
        let digit = i64::from(byte.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        value = if short {
            value * 10 + digit
        } else {
            // The smallest number has no positive twin.
            value.checked_mul(10)?.checked_sub(digit)?
        };
    }
    match (short, negative) {
        (true, false) => Some(value),
        (true, true) => Some(-value),
        (false, true) => Some(value),
        (false, false) => value.checked_neg(),
    }
}

/// A double.
#[inline(always)]
pub(super) fn double(text: &[u8]) -> Option<f64> {
    match decompose(text)? {
        Decimal::Small { negative, mantissa, exponent } => {
            let value = mantissa as f64;
            let power = POWERS[exponent.unsigned_abs() as usize];
            let value = if exponent < 0 { value / power } else { value * power };
            Some(if negative { -value } else { value })
        }
        Decimal::Text(text) => text.parse().ok(),
        Decimal::Special(value) => Some(value),
    }
}

/// A float: the nearest one to what is written, not to the double.
pub(super) fn float(text: &[u8]) -> Option<f32> {
    match decompose(text)? {
        Decimal::Special(value) => Some(value as f32),
        Decimal::Small { .. } | Decimal::Text(_) => {
            std::str::from_utf8(without_suffix(trimmed(text))).ok()?.parse().ok()
        }
    }
}

/// Powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

enum Decimal<'a> {
    /// Mantissa and power of ten are exact doubles, so that one operation gives the nearest double.
    Small {
        negative: bool,
        mantissa: u64,
        exponent: i32,
    },
    /// A decimal number that takes more care.
    Text(&'a str),
    Special(f64),
}

fn decompose(text: &[u8]) -> Option<Decimal<'_>> {
    let text = without_suffix(trimmed(text));
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (mut mantissa, mut digits, mut exponent, mut at) = (0u64, 0usize, 0i32, 0usize);
    let mut point = None;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa.wrapping_mul(10).wrapping_add(u64::from(byte - b'0'));
                digits += 1;
            }
            b'.' if point.is_none() => point = Some(digits),
            b'e' | b'E' if digits > 0 => {
                exponent = integer(&rest[at + 1..])?.clamp(-100_000, 100_000) as i32;
                break;
            }
            _ => return special(text, negative, rest),
        }
        at += 1;
    }
    if digits == 0 {
        return special(text, negative, rest);
    }
    let fraction = i32::try_from(digits - point.unwrap_or(digits)).unwrap_or(i32::MAX);
    let exponent = exponent.saturating_sub(fraction);
    if digits <= 19 && mantissa < 1 << 53 && (-22..=22).contains(&exponent) {
        return Some(Decimal::Small { negative, mantissa, exponent });
    }
    std::str::from_utf8(text).ok().map(Decimal::Text)
}

#[cold]
fn special<'a>(text: &[u8], negative: bool, rest: &[u8]) -> Option<Decimal<'a>> {
    // A suffix may follow digits only.
    match rest {
        b"NaN" => Some(Decimal::Special(f64::NAN)),
        b"Infinity" => Some(Decimal::Special(if negative { f64::NEG_INFINITY } else { f64::INFINITY })),
        _ => {
            debug_assert!(!text.is_empty() || rest.is_empty());
            None
        }
    }
}

fn trimmed(mut text: &[u8]) -> &[u8] {
    while let [b'\0'..=b' ', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b'\0'..=b' '] = text {
        text = rest;
    }
    text
}

fn without_suffix(text: &[u8]) -> &[u8] {
    match text {
        [rest @ .., b'd' | b'D' | b'f' | b'F']
            if rest.last().is_some_and(|b| b.is_ascii_digit() || *b == b'.') =>
        {
            rest
        }
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_as_java_reads_them() {
        for (text, expected) in [
            ("1", Some(1)),
            ("+1", Some(1)),
            ("-007", Some(-7)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("00000000000000000000000000000001", Some(1)),
            ("", None),
            ("+", None),
            ("1.0", None),
            (" 1", None),
            ("1_0", None),
            ("--1", None),
        ] {
            assert_eq!(integer(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn doubles_are_the_nearest_ones_and_suffixes_are_javas() {
        for (text, expected) in [
            ("1", Some(1.0)),
            (" 2.5 ", Some(2.5)),
            ("1d", Some(1.0)),
            ("1.f", Some(1.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e3", Some(1000.0)),
            ("1E+2", Some(100.0)),
            ("0.1", Some(0.1)),
            ("1e400", Some(f64::INFINITY)),
            ("1e-400", Some(0.0)),
            ("123456789012345678901234567890", Some(123456789012345678901234567890.0)),
            ("0.30000000000000004", Some(0.30000000000000004)),
            ("9007199254740993", Some(9007199254740992.0)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("+Infinity", Some(f64::INFINITY)),
            ("Inf", None),
            ("inf", None),
            ("nan", None),
            (".", None),
            ("", None),
            ("1e", None),
            ("e1", None),
            ("NaNd", None),
            ("1,5", None),
            ("1dd", None),
        ] {
            assert_eq!(double(text.as_bytes()), expected, "{text}");
        }
        assert!(double(b"NaN").is_some_and(f64::is_nan));
        assert_eq!(double(b"-0.0").map(f64::to_bits), Some((-0.0f64).to_bits()));
        assert_eq!(float(b"0.015"), Some(0.015f32));
        assert_eq!(float(b"2147483647"), Some(2147483647f32));
    }
}
