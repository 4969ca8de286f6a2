//! Numbers: Jackson's grammar, and the conversions to Spark's types.

use super::float;
use super::parser::{Bad, Parser};
use crate::json::scan;

/// A number's place and, where they fit, its digits.
#[derive(Debug, Clone, Copy)]
pub(in crate::json) struct Number {
    pub start: usize,
    pub end: usize,
    pub form: Form,
    pub negative: bool,
    /// The digits as one integer; right only for up to 19 of them.
    mantissa: u64,
    /// Number of digits, zeros in front and behind among them.
    digits: usize,
    /// Power of ten that the mantissa is multiplied by.
    exponent: i32,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::json) enum Form {
    /// No fraction, no exponent.
    Integer,
    /// A fraction or an exponent.
    Float,
    /// `NaN`, or an infinity.
    NonNumeric,
    /// `Infinity`, by whatever name.
    Infinite,
}

/// Digits that a u64 holds whatever they are.
const SAFE_DIGITS: usize = 19;
/// Of `Number::digits`: the mantissa says nothing.
const NO_DIGITS: usize = usize::MAX;

impl Parser<'_> {
    /// Reads the number at the position.
    #[inline(always)]
    pub fn number(&mut self) -> Result<Number, Bad> {
        let start = self.at;
        let negative = self.byte() == b'-';
        self.at = self.at.wrapping_add(usize::from(negative));
        let mut number =
            Number { start, end: 0, form: Form::Integer, negative, mantissa: 0, digits: 0, exponent: 0 };
        if self.byte() == b'0' {
            self.zero(&mut number)?;
        } else if self.digits(&mut number) == 0 {
            return self.non_numeric(number);
        }
        if self.byte() == b'.' {
            self.fraction(&mut number)?;
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.exponent(&mut number)?;
        }
        number.end = self.at;
        if number.end.wrapping_sub(start) > self.syntax.limits.number {
            return self.bad(&"a number is too long");
        }
        Ok(number)
    }

    #[inline(always)]
    fn zero(&mut self, number: &mut Number) -> Result<(), Bad> {
        self.at = self.at.wrapping_add(1);
        if self.byte().is_ascii_digit() {
            if !self.syntax.leading_zeros {
                return self.bad(&"a number with leading zeros");
            }
            self.digits(number);
        }
        Ok(())
    }

    /// Adds the digits at the position to the mantissa, eight at a time; their number.
    #[inline(always)]
    fn digits(&mut self, number: &mut Number) -> usize {
        let start = self.at;
        let mut rest = self.text.get(start..).unwrap_or_default();
        while let Some((chunk, behind)) = rest.split_first_chunk::<8>() {
            let word = u64::from_le_bytes(*chunk);
            let count = scan::leading_digits(word);
            if count > 0 {
                let value = scan::digits_value(word, count);
                number.mantissa = number.mantissa.wrapping_mul(scan::TENS[count]).wrapping_add(value);
                self.at = self.at.wrapping_add(count);
            }
            if count < 8 {
                let run = self.at.wrapping_sub(start);
                number.digits = number.digits.wrapping_add(run);
                return run;
            }
            rest = behind;
        }
        self.last_digits(number, start)
    }

    /// The digits in the last bytes of a document.
    #[inline(never)]
    fn last_digits(&mut self, number: &mut Number, start: usize) -> usize {
        while let Some(digit @ 0..=9) = self.text.get(self.at).map(|byte| byte.wrapping_sub(b'0')) {
            number.mantissa = number.mantissa.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        let run = self.at - start;
        number.digits += run;
        run
    }

    #[inline(always)]
    fn fraction(&mut self, number: &mut Number) -> Result<(), Bad> {
        number.form = Form::Float;
        self.at = self.at.wrapping_add(1);
        let run = self.digits(number);
        if run == 0 {
            return self.bad(&"a decimal point without digits behind it");
        }
        number.exponent = -(run as i32);
        Ok(())
    }

    #[inline(never)]
    fn exponent(&mut self, number: &mut Number) -> Result<(), Bad> {
        number.form = Form::Float;
        self.at += 1;
        let minus = self.byte() == b'-';
        if matches!(self.byte(), b'-' | b'+') {
            self.at += 1;
        }
        if !self.byte().is_ascii_digit() {
            return self.bad(&"an exponent without digits");
        }
        let mut exponent = 0i32;
        while self.byte().is_ascii_digit() {
            exponent = exponent.saturating_mul(10).saturating_add(i32::from(self.byte() - b'0'));
            self.at += 1;
        }
        number.exponent = number.exponent.saturating_add(if minus { -exponent } else { exponent });
        Ok(())
    }

    /// `NaN`, `Infinity`, `-Infinity`, `+Infinity`, `INF` with a sign.
    #[inline(never)]
    fn non_numeric(&mut self, mut number: Number) -> Result<Number, Bad> {
        let signed = number.negative || self.byte() == b'+';
        if self.byte() == b'+' && !number.negative {
            self.at += 1;
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let (form, length) = match rest {
            [b'N', b'a', b'N', ..] if !signed => (Form::NonNumeric, 3),
            _ if rest.starts_with(b"Infinity") => (Form::Infinite, 8),
            [b'I', b'N', b'F', ..] if signed => (Form::Infinite, 3),
            _ => return self.bad(&"an unexpected character where a value is due"),
        };
        if !self.syntax.non_numeric {
            return self.bad(&"a non-numeric number; set allowNonNumericNumbers to accept it");
        }
        self.at += length;
        number.form = form;
        number.digits = NO_DIGITS;
        number.end = self.at;
        Ok(number)
    }
}

impl Number {
    /// The value of an integer, if it is one and fits.
    #[inline(always)]
    pub fn to_i64(self, text: &[u8]) -> Option<i64> {
        if self.form != Form::Integer {
            return None;
        }
        if self.digits < SAFE_DIGITS {
            let value = self.mantissa as i64;
            return Some(if self.negative { value.wrapping_neg() } else { value });
        }
        self.long_integer(text)
    }

    #[inline(never)]
    fn long_integer(self, text: &[u8]) -> Option<i64> {
        self.lexeme(text).parse().ok()
    }

    /// The nearest double. An integer zero has no sign.
    #[inline(always)]
    pub fn to_f64(self, text: &[u8]) -> f64 {
        if self.digits <= SAFE_DIGITS
            && let Some(value) = float::nearest(self.mantissa, self.exponent)
        {
            let has_sign = self.negative && !(self.form == Form::Integer && self.mantissa == 0);
            return if has_sign { -value } else { value };
        }
        self.special().unwrap_or_else(|| self.lexeme(text).parse().unwrap_or(f64::NAN))
    }

    /// The nearest float.
    pub fn to_f32(self, text: &[u8]) -> f32 {
        match self.special() {
            Some(special) => special as f32,
            None if self.form == Form::Integer && self.mantissa == 0 && self.digits <= SAFE_DIGITS => 0.0,
            None => self.lexeme(text).parse().unwrap_or(f32::NAN),
        }
    }

    fn special(self) -> Option<f64> {
        match (self.form, self.negative) {
            (Form::NonNumeric, _) => Some(f64::NAN),
            (Form::Infinite, false) => Some(f64::INFINITY),
            (Form::Infinite, true) => Some(f64::NEG_INFINITY),
            _ => None,
        }
    }

    /// The unscaled decimal, rounded half up to `scale`; None if it has more than `precision` digits.
    pub fn to_decimal(self, text: &[u8], precision: u8, scale: i8) -> Option<i128> {
        let shift = i32::from(scale).saturating_add(self.exponent);
        if self.digits < SAFE_DIGITS && (-18..=18).contains(&shift) {
            let power = 10i128.pow(shift.unsigned_abs());
            let mantissa = i128::from(self.mantissa);
            let unscaled = if shift < 0 { (mantissa + power / 2) / power } else { mantissa * power };
            let fits = 10i128.checked_pow(precision.into()).is_none_or(|limit| unscaled < limit);
            return fits.then_some(if self.negative { -unscaled } else { unscaled });
        }
        match self.form {
            Form::Integer | Form::Float => decimal(self.lexeme(text).as_bytes(), precision, scale),
            Form::NonNumeric | Form::Infinite => None,
        }
    }

    /// The number as written.
    pub fn lexeme(self, text: &[u8]) -> &str {
        std::str::from_utf8(&text[self.start..self.end]).expect("numbers are ASCII")
    }

    /// The value of an integer of any length as Java's BigInteger writes it; None for other forms.
    pub fn plain_integer(self, text: &[u8]) -> Option<(bool, &str)> {
        if self.form != Form::Integer {
            return None;
        }
        let digits = self.lexeme(text).trim_start_matches('-').trim_start_matches('0');
        Some(if digits.is_empty() { (false, "0") } else { (self.negative, digits) })
    }
}

/// Largest power of ten that a Java BigInteger holds.
const MOST_POWER: i64 = 646_456_993;

/// Reads `[+-]digits[.digits][e[+-]digits]` as `java.math.BigDecimal` does and rounds it half up to `scale`.
/// None if it is not a number, or has more than `precision` digits.
pub(crate) fn decimal(text: &[u8], precision: u8, scale: i8) -> Option<i128> {
    let (negative, text) = match text.first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let mantissa_end = text.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at(mantissa_end);
    let exponent: i64 = match exponent {
        [] => 0,
        [_, digits @ ..] => i64::from(std::str::from_utf8(digits).ok()?.parse::<i32>().ok()?),
    };
    if exponent.abs() > MOST_POWER {
        return None;
    }
    let point = mantissa.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &[][..]),
    };
    if whole.len() + fraction.len() == 0 || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return None;
    }
    // Digits of the number that stand before the last place kept; the next one decides the rounding.
    let kept = whole.len() as i64 + exponent + i64::from(scale);
    let limit = 10i128.checked_pow(u32::from(precision)).unwrap_or(i128::MAX);
    let mut digits = whole.iter().chain(fraction).map(|byte| i128::from(byte - b'0'));
    let mut unscaled = 0i128;
    for _ in 0..kept {
        let digit = digits.next();
        if unscaled == 0 && digit.is_none() {
            break;
        }
        if unscaled > (limit - 1) / 10 {
            return None;
        }
        unscaled = unscaled * 10 + digit.unwrap_or(0);
    }
    if kept >= 0 && digits.next().is_some_and(|digit| digit >= 5) {
        unscaled += 1;
    }
    (unscaled < limit).then_some(if negative { -unscaled } else { unscaled })
}

#[cfg(test)]
mod tests {
    use super::super::parser::Syntax;
    use super::*;
    use crate::json::JsonReadOptions;

    fn number(text: &str) -> Option<Number> {
        let mut parser = Parser::new(Syntax::from(&JsonReadOptions::default()));
        parser.restart(text.as_bytes());
        parser.number().ok().filter(|number| number.end == text.len())
    }

    #[test]
    fn doubles_are_the_nearest_ones() {
        for text in [
            "0",
            "1.5",
            "1e22",
            "1e23",
            "123456789012345678",
            "0.1",
            "1e-7",
            "-0.0",
            "9223372036854775808",
            "4.9E-324",
            "1E400",
            "0.000000000000000000000123",
            "1234567890.12345678901234567890",
            "3.0e+2",
        ] {
            let found = number(text).unwrap().to_f64(text.as_bytes());
            assert_eq!(found.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
        assert!(number("-0").unwrap().to_f64(b"-0").is_sign_positive());
        for bad in ["01", "+1", ".5", "5.", "1e", "-", "1.e5", "--1", "INF", "+NaN"] {
            assert!(number(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn integers_are_exact_or_refused() {
        for text in ["0", "-1", "999999999999999999", "9223372036854775807", "-9223372036854775808"] {
            assert_eq!(number(text).unwrap().to_i64(text.as_bytes()), text.parse().ok());
        }
        for text in ["9223372036854775808", "18446744073709551617", "1.0", "1e2"] {
            assert_eq!(number(text).unwrap().to_i64(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn decimals_round_half_up_and_refuse_what_does_not_fit() {
        for (text, precision, scale, expected) in [
            ("1", 10, 2, Some(100)),
            ("1.005", 10, 2, Some(101)),
            ("-1.005", 10, 2, Some(-101)),
            ("1.004999", 10, 2, Some(100)),
            ("1e2", 10, 2, Some(10_000)),
            ("2147483647", 10, 2, None),
            ("99999999.995", 10, 2, None),
            ("0.001", 10, 2, Some(0)),
            ("0.0005", 10, 3, Some(1)),
            ("5e-4", 10, 3, Some(1)),
            ("1e400", 38, 0, None),
            ("0e400", 38, 0, Some(0)),
            ("1e-400", 38, 0, Some(0)),
            (".5", 3, 1, Some(5)),
            ("5.", 3, 1, Some(50)),
            ("+7", 3, 0, Some(7)),
            ("", 3, 0, None),
            (".", 3, 0, None),
            (" 1 ", 3, 0, None),
            (
                "12345678901234567890123456789012345678",
                38,
                0,
                Some(12_345_678_901_234_567_890_123_456_789_012_345_678),
            ),
        ] {
            assert_eq!(decimal(text.as_bytes(), precision, scale), expected, "{text}");
        }
    }
}
