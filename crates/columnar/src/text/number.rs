//! Numbers as Java writes them.
//!
//! `Double.toString` of JDK 17, which the recorded runs used: the shortest digits that read back as the same
//! number, except that whole numbers below 2^62 keep all digits that their size makes significant; one digit
//! after the point at least; plain from 1e-3 up to but not including 1e7, else with an exponent (`1.0E7`,
//! `1.5E-5`).

use std::fmt::Write as _;

/// Appends a double as `Double.toString` does.
pub fn append_f64(value: f64, out: &mut String) {
    if !append_special(value, out) {
        if let Some(digits) = Digits::of_large_whole(value.abs(), f64::MANTISSA_DIGITS) {
            return digits.append(value.is_sign_negative(), out);
        }
        let mut buffer = zmij::Buffer::new();
        let shortest = buffer.format_finite(value.abs());
        let mut digits = Digits::read(shortest);
        // Java prefers two digits where one would do (4.9E-324): it matters only where neighbours are far
        // apart.
        if digits.count == 1 && value.abs() < 1e-321 {
            digits.prefer_two(&format!("{:.1e}", value.abs()), |text| text.parse() == Ok(value.abs()));
        }
        digits.append(value.is_sign_negative(), out);
    }
}

/// Appends a float as `Float.toString` does.
pub fn append_f32(value: f32, out: &mut String) {
    if !append_special(f64::from(value), out) {
        if let Some(digits) = Digits::of_large_whole(f64::from(value.abs()), f32::MANTISSA_DIGITS) {
            return digits.append(value.is_sign_negative(), out);
        }
        let mut buffer = zmij::Buffer::new();
        let mut digits = Digits::read(buffer.format_finite(value.abs()));
        if digits.count == 1 && value.abs() < 1e-43 {
            digits.prefer_two(&format!("{:.1e}", value.abs()), |text| text.parse() == Ok(value.abs()));
        }
        digits.append(value.is_sign_negative(), out);
    }
}

/// Appends an integer.
pub fn append_i64(value: i64, out: &mut String) {
    if value < 0 {
        out.push('-');
    }
    append_u64(value.unsigned_abs(), out);
}

/// Appends a decimal in plain notation, with `scale` digits after the point (none and zeros for a negative
/// scale).
pub fn append_decimal(unscaled: i128, scale: i8, out: &mut String) {
    if unscaled < 0 {
        out.push('-');
    }
    let magnitude = unscaled.unsigned_abs();
    if scale <= 0 {
        append_u128(magnitude, out);
        if magnitude != 0 {
            (scale..0).for_each(|_| out.push('0'));
        }
        return;
    }
    let start = out.len();
    append_u128(magnitude, out);
    let scale = usize::from(scale.unsigned_abs());
    let digits = out.len() - start;
    if digits <= scale {
        const ZEROS: &str = "0.00000000000000000000000000000000000000";
        let missing = scale - digits;
        match ZEROS.get(..2 + missing) {
            Some(zeros) => out.insert_str(start, zeros),
            None => out.insert_str(start, &format!("0.{}", "0".repeat(missing))),
        }
    } else {
        out.insert(out.len() - scale, '.');
    }
}

fn append_u128(value: u128, out: &mut String) {
    match u64::try_from(value) {
        Ok(small) => append_u64(small, out),
        Err(_) => {
            let _ = write!(out, "{value}");
        }
    }
}

/// Two digits of each number below 100.
pub(crate) const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut at = 0;
    while at < 100 {
        pairs[at] = [b'0' + (at / 10) as u8, b'0' + (at % 10) as u8];
        at += 1;
    }
    pairs
};

fn append_u64(mut value: u64, out: &mut String) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    while value >= 100 {
        let pair = PAIRS[(value % 100) as usize];
        value /= 100;
        at -= 2;
        digits[at..at + 2].copy_from_slice(&pair);
    }
    let pair = PAIRS[value as usize];
    at -= 2;
    digits[at..at + 2].copy_from_slice(&pair);
    if value < 10 {
        at += 1;
    }
    push_ascii(&digits[at..], out);
}

/// Appends bytes that are ASCII.
fn push_ascii(bytes: &[u8], out: &mut String) {
    out.push_str(std::str::from_utf8(bytes).expect("digits are ASCII"));
}

fn append_special(value: f64, out: &mut String) -> bool {
    let text = if value.is_nan() {
        "NaN"
    } else if value == f64::INFINITY {
        "Infinity"
    } else if value == f64::NEG_INFINITY {
        "-Infinity"
    } else if value == 0.0 {
        if value.is_sign_negative() { "-0.0" } else { "0.0" }
    } else {
        return false;
    };
    out.push_str(text);
    true
}

/// Significant digits `d1 d2 d3 ...` and the exponent of `d1.d2d3...`.
struct Digits {
    bytes: [u8; 24],
    count: usize,
    exponent: i32,
}

impl Digits {
    /// The digits of a whole number that has more bits than the significand, up to 62: those of its exact value,
    /// rounded at the end by as many as the bits beyond the significand are worth, less one bit.
    fn of_large_whole(value: f64, significand: u32) -> Option<Self> {
        let limit = (1u64 << 62) as f64;
        let first = (1u64 << significand) as f64;
        if !(first..limit).contains(&value) {
            return None;
        }
        let mut whole = value as u64;
        let beyond = (whole.ilog2() - significand).saturating_sub(1);
        // 0.30103 is the logarithm of 2 to base 10: exact enough for 62 bits.
        let dropped = if beyond > 1 { beyond * 30_103 / 100_000 } else { 0 };
        if dropped > 0 {
            let power = 10u64.pow(dropped);
            whole = whole / power + u64::from(whole % power >= power / 2);
        }
        let mut text = String::with_capacity(20);
        append_u64(whole, &mut text);
        let mut digits = Self::read(&text);
        digits.exponent += i32::try_from(dropped).unwrap_or(0);
        Some(digits)
    }

    /// Reads a positive number in plain or exponent notation.
    fn read(text: &str) -> Self {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().unwrap_or(0)),
            None => (text, 0),
        };
        let mut digits = Self { bytes: [0; 24], count: 0, exponent: exponent - 1 };
        let (mut seen_point, mut seen_digit) = (false, false);
        for byte in mantissa.bytes() {
            if byte == b'.' {
                seen_point = true;
                continue;
            }
            seen_digit |= byte != b'0';
            if seen_digit && digits.count < digits.bytes.len() {
                digits.bytes[digits.count] = byte;
                digits.count += 1;
            }
            digits.exponent += match (seen_digit, seen_point) {
                (true, false) => 1,
                (false, true) => -1,
                _ => 0,
            };
        }
        while digits.count > 1 && digits.bytes[digits.count - 1] == b'0' {
            digits.count -= 1;
        }
        digits
    }

    fn prefer_two(&mut self, two_digits: &str, same_number: impl Fn(&str) -> bool) {
        if same_number(two_digits) {
            *self = Self::read(two_digits);
        }
    }

    fn append(&self, negative: bool, out: &mut String) {
        if negative {
            out.push('-');
        }
        let digits = &self.bytes[..self.count];
        match self.exponent {
            exponent @ 0..=6 => {
                let whole = exponent as usize + 1;
                push_ascii(&digits[..whole.min(self.count)], out);
                (self.count..whole).for_each(|_| out.push('0'));
                out.push('.');
                push_ascii(digits.get(whole..).filter(|rest| !rest.is_empty()).unwrap_or(b"0"), out);
            }
            exponent @ -3..=-1 => {
                out.push_str("0.");
                (exponent + 1..0).for_each(|_| out.push('0'));
                push_ascii(digits, out);
            }
            exponent => {
                push_ascii(&digits[..1], out);
                out.push('.');
                push_ascii(digits.get(1..).filter(|rest| !rest.is_empty()).unwrap_or(b"0"), out);
                out.push('E');
                append_i64(i64::from(exponent), out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn double(value: f64) -> String {
        let mut out = String::new();
        append_f64(value, &mut out);
        out
    }

    #[test]
    fn doubles_read_as_java_writes_them() {
        let cases = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100.0, "100.0"),
            (0.1, "0.1"),
            (1e7, "1.0E7"),
            (9_999_999.0, "9999999.0"),
            (1e-3, "0.001"),
            (0.00123, "0.00123"),
            (0.01, "0.01"),
            (1e-5, "1.0E-5"),
            (9.999e-4, "9.999E-4"),
            (1e20, "1.0E20"),
            (1.234_567_890_123e10, "1.234567890123E10"),
            (-12345.678, "-12345.678"),
            (2e23, "2.0E23"),
            (1_152_921_504_606_846_976.0, "1.15292150460684698E18"),
            (9_007_199_254_740_994.0, "9.007199254740994E15"),
            (1e18, "1.0E18"),
            (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
            (f64::MAX, "1.7976931348623157E308"),
            (5e-324, "4.9E-324"),
            (1e-323, "9.9E-324"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (value, expected) in cases {
            assert_eq!(double(value), expected);
        }
        let mut out = String::new();
        for value in [0.1f32, 1e10, 16_777_216.0, f32::from_bits(1), 3.4e38, 123_456_792.0] {
            append_f32(value, &mut out);
            out.push(' ');
        }
        assert_eq!(out, "0.1 1.0E10 1.6777216E7 1.4E-45 3.4E38 1.23456792E8 ");
    }

    #[test]
    fn decimals_keep_their_scale() {
        for (unscaled, scale, expected) in [
            (110, 2, "1.10"),
            (5, 0, "5"),
            (-5, 3, "-0.005"),
            (0, 2, "0.00"),
            (123, 3, "0.123"),
            (12_345_678_901_234_567_890_123, 5, "123456789012345678.90123"),
            (7, -2, "700"),
            (i128::MIN, 0, "-170141183460469231731687303715884105728"),
        ] {
            let mut out = String::new();
            append_decimal(unscaled, scale, &mut out);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn integers_of_every_length_equal_the_standard_rendering() {
        let mut value = 0i64;
        for step in 0..400 {
            for value in [value, -value, i64::MIN, i64::MAX, 99, 100, 1_000_000] {
                let mut out = String::new();
                append_i64(value, &mut out);
                assert_eq!(out, value.to_string());
            }
            value = value.wrapping_mul(3).wrapping_add(step) & i64::MAX;
        }
    }
}
