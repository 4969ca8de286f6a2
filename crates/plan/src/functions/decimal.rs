//! Decimals as Spark computes with them: at most 38 digits, rounded half up.

/// Digits of the largest decimal.
pub(crate) const MAX_PRECISION: u8 = 38;

/// Result of reading a decimal from text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// Unscaled, rounded to the wanted scale.
    Value(i128),
    /// A number with too many digits before the point; the number as plain text.
    TooLarge(String),
    /// Not a number.
    Invalid,
}

/// 10 to the `exponent`, up to 38.
pub(crate) fn power_of_ten(exponent: u32) -> i128 {
    10_i128.pow(exponent.min(38))
}

/// Whether an unscaled value has at most `precision` digits.
pub(crate) fn fits(unscaled: i128, precision: u8) -> bool {
    unscaled.unsigned_abs() < power_of_ten(u32::from(precision)).unsigned_abs()
}

/// Changes the scale, rounding half up. None if it does not fit into an `i128`.
pub(crate) fn rescale(unscaled: i128, from: u8, to: u8) -> Option<i128> {
    if to >= from {
        let up = u32::from(to - from);
        return if unscaled == 0 { Some(0) } else { unscaled.checked_mul(10_i128.checked_pow(up)?) };
    }
    let Some(divisor) = 10_i128.checked_pow(u32::from(from - to)) else { return Some(0) };
    Some(divide_half_up(unscaled, divisor))
}

/// Division rounded half away from zero.
pub(crate) fn divide_half_up(dividend: i128, divisor: i128) -> i128 {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    let half = divisor.unsigned_abs() - rest.unsigned_abs();
    if rest.unsigned_abs() >= half {
        quotient + if (dividend < 0) == (divisor < 0) { 1 } else { -1 }
    } else {
        quotient
    }
}

/// Reads what Java's `BigDecimal` reads: sign, digits of any script, point, exponent.
pub(crate) fn parse(text: &str, precision: u8, scale: u8) -> Parsed {
    let Some((digits, point, negative)) = split(text) else { return Parsed::Invalid };
    let keep = point + i64::from(scale);
    let significant = digits.trim_start_matches('0');
    let leading = digits.len() - significant.len();
    let whole = point - i64::try_from(leading).unwrap_or(i64::MAX);
    if significant.is_empty() {
        return Parsed::Value(0);
    }
    if whole > i64::from(precision) {
        return Parsed::TooLarge(plain(&digits, point, negative));
    }
    let mut unscaled: i128 = 0;
    for i in 0..keep.max(0) {
        let digit = usize::try_from(i).ok().and_then(|i| digits.as_bytes().get(i)).map_or(0, |b| b - b'0');
        unscaled = match unscaled.checked_mul(10).and_then(|v| v.checked_add(i128::from(digit))) {
            Some(v) => v,
            None => return Parsed::TooLarge(plain(&digits, point, negative)),
        };
    }
    let next = usize::try_from(keep).ok().and_then(|i| digits.as_bytes().get(i));
    if next.is_some_and(|b| *b >= b'5') {
        unscaled += 1;
    }
    if !fits(unscaled, precision) {
        return Parsed::TooLarge(plain(&digits, point, negative));
    }
    Parsed::Value(if negative { -unscaled } else { unscaled })
}

/// The number `digits` with the point behind `point` digits, as Java's `toPlainString`.
fn plain(digits: &str, point: i64, negative: bool) -> String {
    let sign = if negative { "-" } else { "" };
    let count = i64::try_from(digits.len()).unwrap_or(i64::MAX);
    let body = if point <= 0 {
        format!("0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap_or(0).min(400)))
    } else if point >= count {
        format!("{digits}{}", "0".repeat(usize::try_from(point - count).unwrap_or(0).min(400)))
    } else {
        let at = usize::try_from(point).unwrap_or(0);
        format!("{}.{}", &digits[..at], &digits[at..])
    };
    let body = body.trim_start_matches('0');
    let zero = if body.is_empty() || body.starts_with('.') { "0" } else { "" };
    format!("{sign}{zero}{body}")
}

/// ASCII digits, how many of them stand before the point, and the sign.
fn split(text: &str) -> Option<(String, i64, bool)> {
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (body, 0),
    };
    let mut digits = String::new();
    let mut point = None;
    for c in mantissa.chars() {
        if c == '.' && point.is_none() {
            point = Some(digits.len());
        } else {
            digits.push(char::from(b'0' + digit_value(c)?));
        }
    }
    if digits.is_empty() {
        return None;
    }
    let before = i64::try_from(point.unwrap_or(digits.len())).ok()?;
    Some((digits, before + i64::from(exponent), negative))
}

/// Value of a decimal digit of the scripts that Java's `Character.digit` knows and that occur in data.
fn digit_value(c: char) -> Option<u8> {
    const ZEROS: [u32; 15] = [
        0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xE50,
        0xFF10,
    ];
    let code = u32::from(c);
    ZEROS
        .iter()
        .find_map(|zero| code.checked_sub(*zero).filter(|v| *v < 10).and_then(|v| u8::try_from(v).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_java_reads_and_rounds_half_up() {
        assert_eq!(parse("1.25", 5, 1), Parsed::Value(13));
        assert_eq!(parse("-.05", 5, 1), Parsed::Value(-1));
        assert_eq!(parse("1e3", 5, 1), Parsed::Value(10_000));
        assert_eq!(parse("1e-30", 5, 1), Parsed::Value(0));
        assert_eq!(parse("\u{661}", 5, 1), Parsed::Value(10));
        assert_eq!(parse("5.", 5, 1), Parsed::Value(50));
        assert_eq!(parse("2147483648", 5, 1), Parsed::TooLarge("2147483648".into()));
        assert_eq!(parse("9999.95", 5, 1), Parsed::TooLarge("9999.95".into()));
        assert_eq!(parse("1e999999999", 5, 1), Parsed::TooLarge(format!("1{}", "0".repeat(400))));
        assert_eq!(parse("", 5, 1), Parsed::Invalid);
        assert_eq!(parse("1_0", 5, 1), Parsed::Invalid);
    }

    #[test]
    fn division_rounds_away_from_zero_at_the_half() {
        assert_eq!(divide_half_up(5, 10), 1);
        assert_eq!(divide_half_up(-5, 10), -1);
        assert_eq!(divide_half_up(4, 10), 0);
        assert_eq!(divide_half_up(14, -10), -1);
    }
}
