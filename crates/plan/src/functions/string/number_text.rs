//! Numbers as text in forms of one's own: `format_number`, and `conv` between bases.

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use datafusion::common::Result;

use super::decimal_pattern::DecimalPattern;
use super::{INT, TEXT};
use crate::analyzer::{Expected, Typed, cast_to};
use crate::functions::arithmetic::overflowed;
use crate::functions::call::{Arity, Call, Function};
use crate::functions::computed::Computed;
use crate::functions::external;
use crate::functions::rows::{int, text, texts};
use crate::types::SparkType;

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "format_number", arity: Arity::exactly(2), build: format_number },
    Function { name: "conv", arity: Arity::exactly(3), build: conv },
];

/// With commas between thousands and so many digits behind the point, rounded half to even, NULL for a negative count;
/// or by a pattern.
fn format_number(call: &Call<'_>) -> crate::error::Result<Typed> {
    let number = call.take(0, &Expected::Numeric)?;
    if call.args[0].data_type == SparkType::String {
        return Err(crate::analyzer::errors::unexpected_input(&call.sql(), 0, "\"NUMERIC\"", &call.args[0]));
    }
    let exact = match number.data_type {
        // The shortest form of a FLOAT or DOUBLE is what is rounded.
        SparkType::Float | SparkType::Double => cast_to(number, &SparkType::Double, call.conf)?,
        _ => cast_to(number, &SparkType::String, call.conf)?,
    };
    let shown = cast_to(exact, &SparkType::String, call.conf)?;
    if call.args[1].data_type == SparkType::String {
        let args = vec![shown, call.take(1, &TEXT)?];
        let kernel =
            Computed { name: "format_number".to_owned(), returns: SparkType::String, run: by_pattern };
        return Ok(call.finish(kernel, args, SparkType::String).nullable(true));
    }
    let args = vec![shown, call.take(1, &INT)?];
    let kernel = Computed { name: "format_number".to_owned(), returns: SparkType::String, run: grouped };
    Ok(call.finish(kernel, args, SparkType::String).nullable(true))
}

fn by_pattern(args: &[ArrayRef]) -> Result<ArrayRef> {
    let mut last: Option<(String, DecimalPattern)> = None;
    texts(args, |row| {
        let pattern = text(args, 1).value(row);
        let known = match last.take().filter(|(known, _)| known == pattern) {
            Some((_, known)) => known,
            None => DecimalPattern::new(pattern).map_err(external)?,
        };
        let shown = known.format(text(args, 0).value(row));
        last = Some((pattern.to_owned(), known));
        Ok(Some(shown))
    })
}

fn grouped(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| {
        let Ok(digits) = usize::try_from(int(args, 1).value(row)) else { return Ok(None) };
        Ok(Some(group(text(args, 0).value(row), digits)))
    })
}

fn group(number: &str, digits: usize) -> String {
    let (negative, body) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let shown = match body {
        "NaN" => return "NaN".to_owned(),
        "Infinity" => "∞".to_owned(),
        body => {
            let (whole, fraction) = rounded(&plain(body), digits);
            let mut out = String::new();
            for (i, digit) in whole.chars().enumerate() {
                if i > 0 && (whole.len() - i).is_multiple_of(3) {
                    out.push(',');
                }
                out.push(digit);
            }
            if digits > 0 {
                out.push('.');
                out.push_str(&fraction);
            }
            out
        }
    };
    if negative { format!("-{shown}") } else { shown }
}

/// A number without exponent.
pub(super) fn plain(text: &str) -> String {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return text.to_owned() };
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).unwrap_or(0) + exponent;
    match usize::try_from(point) {
        Ok(point) if point >= digits.len() => format!("{digits}{}", "0".repeat(point - digits.len())),
        Ok(point) if point > 0 => format!("{}.{}", &digits[..point], &digits[point..]),
        _ => format!("0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap_or(0))),
    }
}

/// Digits before the point, and so many behind it, rounded half to even.
pub(super) fn rounded(text: &str, digits: usize) -> (String, String) {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole = whole.trim_start_matches('0');
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(digits).collect();
    let rest = fraction.get(digits..).unwrap_or("");
    let mut all: Vec<u8> = format!("0{whole}{kept}").into_bytes();
    let last_is_odd = all.last().is_some_and(|d| (d - b'0') % 2 == 1);
    let (first, more) = (rest.bytes().next().unwrap_or(b'0'), rest.bytes().skip(1).any(|d| d != b'0'));
    if first > b'5' || (first == b'5' && (more || last_is_odd)) {
        for digit in all.iter_mut().rev() {
            if *digit == b'9' {
                *digit = b'0';
            } else {
                *digit += 1;
                break;
            }
        }
    }
    let all = String::from_utf8(all).unwrap_or_default();
    let (whole, fraction) = all.split_at(all.len() - digits);
    let whole = whole.trim_start_matches('0');
    (if whole.is_empty() { "0".to_owned() } else { whole.to_owned() }, fraction.to_owned())
}

type Run = fn(&[ArrayRef]) -> Result<ArrayRef>;

/// A number in another base. It has 64 bits; a negative base writes it with a sign.
fn conv(call: &Call<'_>) -> crate::error::Result<Typed> {
    let args = vec![call.take(0, &TEXT)?, call.take(1, &INT)?, call.take(2, &INT)?];
    let (name, run): (&str, Run) = if call.conf.ansi() {
        ("conv", |args| converted(args, true))
    } else {
        ("conv (lenient)", |args| converted(args, false))
    };
    let kernel = Computed { name: name.to_owned(), returns: SparkType::String, run };
    Ok(call.finish(kernel, args, SparkType::String).nullable(true))
}

fn converted(args: &[ArrayRef], strict: bool) -> Result<ArrayRef> {
    let base = |i: usize, row: usize| args[i].as_primitive::<Int32Type>().value(row);
    texts(args, |row| one(args[0].as_string_view().value(row), base(1, row), base(2, row), strict))
}

fn one(text: &str, from: i32, to: i32, strict: bool) -> Result<Option<String>> {
    let text = text.trim_matches(' ');
    let (Ok(radix), width) = (u32::try_from(from), to.unsigned_abs()) else { return Ok(None) };
    if !(2..=36).contains(&radix) || !(2..=36).contains(&width) || text.is_empty() {
        return Ok(None);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut value: u64 = 0;
    for digit in digits.chars().map_while(|c| c.to_digit(radix)) {
        let next = value.checked_mul(u64::from(radix)).and_then(|v| v.checked_add(u64::from(digit)));
        match next {
            Some(next) => value = next,
            None if strict => return Err(overflowed("Overflow in function conv()", "")),
            None => {
                value = u64::MAX;
                break;
            }
        }
    }
    let signed = if negative { value.wrapping_neg() } else { value };
    #[expect(clippy::cast_possible_wrap, reason = "a negative base reads the 64 bits as a signed number")]
    let (minus, magnitude) = match (to < 0, signed as i64) {
        (true, below @ ..=-1) => (true, below.unsigned_abs()),
        _ => (false, signed),
    };
    let shown = in_base(magnitude, width);
    Ok(Some(if minus { format!("-{shown}") } else { shown }))
}

fn in_base(mut value: u64, base: u32) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(value % u64::from(base)).unwrap_or(0);
        digits.push(char::from_digit(digit, base).unwrap_or('0').to_ascii_uppercase());
        value /= u64::from(base);
        if value == 0 {
            return digits.iter().rev().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_rounded_half_to_even() {
        for (number, digits, shown) in [
            ("12345.6789", 2, "12,345.68"),
            ("1234567", 0, "1,234,567"),
            ("-0.5", 0, "-0"),
            ("1.0E10", 1, "10,000,000,000.0"),
            ("0.125", 2, "0.12"),
            ("999.995", 2, "1,000.00"),
            ("1.0E-3", 2, "0.00"),
        ] {
            assert_eq!(group(number, digits), shown, "{number}");
        }
    }

    #[test]
    fn bases_are_changed_within_64_bits() {
        let shown = |text, from, to| one(text, from, to, true).unwrap();
        assert_eq!(shown("ff", 16, 10).as_deref(), Some("255"));
        assert_eq!(shown("-10", 16, -10).as_deref(), Some("-16"));
        assert_eq!(shown("-1", 10, 16).as_deref(), Some("FFFFFFFFFFFFFFFF"));
        assert_eq!(shown("", 10, 2), None);
        assert!(one("99999999999999999999", 10, 16, true).is_err());
        assert_eq!(one("99999999999999999999", 10, 16, false).unwrap().as_deref(), Some("FFFFFFFFFFFFFFFF"));
    }
}
