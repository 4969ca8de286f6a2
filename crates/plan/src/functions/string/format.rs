//! Java's `Formatter`, as far as `format_string` needs it.

use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::scalar::ScalarValue;
use millstream_columnar::datetime::TimeZone;
use millstream_columnar::text::{Renderer, Style};

use crate::error::Error;
use crate::functions::external;

/// `%[argument$][flags][width][.precision]conversion`.
#[derive(Default)]
struct Specifier {
    argument: Option<usize>,
    left: bool,
    zeros: bool,
    plus: bool,
    blank: bool,
    grouped: bool,
    width: usize,
    precision: Option<usize>,
}

/// Widest field, so that a pattern cannot ask for gigabytes.
const MAX_WIDTH: usize = 1 << 16;

/// Fills the pattern with values.
pub(super) fn format(pattern: &str, values: &[ScalarValue]) -> Result<String> {
    let mut out = String::new();
    let mut rest = pattern;
    let mut next = 0;
    while let Some((before, behind)) = rest.split_once('%') {
        out.push_str(before);
        let (specifier, conversion, after) = specifier(behind).ok_or_else(|| refused(pattern))?;
        rest = after;
        match conversion {
            '%' => specifier.pad("%", &mut out),
            'n' => out.push('\n'),
            conversion => {
                let at = specifier.argument.unwrap_or_else(|| {
                    next += 1;
                    next
                });
                let value =
                    at.checked_sub(1).and_then(|at| values.get(at)).ok_or_else(|| refused(pattern))?;
                let shown = specifier.convert(conversion, value)?.ok_or_else(|| refused(pattern))?;
                specifier.pad(&shown, &mut out);
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn refused(pattern: &str) -> DataFusionError {
    external(Error::unsupported(format!("the format '{pattern}' with these arguments")))
}

/// What stands behind the percent sign: the specifier, its conversion, and the rest.
fn specifier(text: &str) -> Option<(Specifier, char, &str)> {
    let mut specifier = Specifier::default();
    let mut rest = text;
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 0 && rest[digits..].starts_with('$') {
        specifier.argument = rest[..digits].parse().ok();
        rest = &rest[digits + 1..];
    }
    loop {
        match rest.chars().next()? {
            '-' => specifier.left = true,
            '0' => specifier.zeros = true,
            '+' => specifier.plus = true,
            ' ' => specifier.blank = true,
            ',' => specifier.grouped = true,
            _ => break,
        }
        rest = &rest[1..];
    }
    let number = |rest: &mut &str| {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = rest.split_at(digits);
        *rest = behind;
        number.parse::<usize>().ok().filter(|n| *n <= MAX_WIDTH)
    };
    if rest.starts_with(|c: char| c.is_ascii_digit()) {
        specifier.width = number(&mut rest)?;
    }
    if let Some(behind) = rest.strip_prefix('.') {
        rest = behind;
        specifier.precision = Some(number(&mut rest)?);
    }
    let conversion = rest.chars().next()?;
    Some((specifier, conversion, &rest[conversion.len_utf8()..]))
}

impl Specifier {
    fn pad(&self, text: &str, out: &mut String) {
        let missing = self.width.saturating_sub(text.encode_utf16().count());
        if self.left {
            out.push_str(text);
            out.extend(std::iter::repeat_n(' ', missing));
        } else if self.zeros {
            let sign = text.len() - text.trim_start_matches(['-', '+', ' ']).len();
            out.push_str(&text[..sign]);
            out.extend(std::iter::repeat_n('0', missing));
            out.push_str(&text[sign..]);
        } else {
            out.extend(std::iter::repeat_n(' ', missing));
            out.push_str(text);
        }
    }

    /// None if the conversion does not take the value.
    fn convert(&self, conversion: char, value: &ScalarValue) -> Result<Option<String>> {
        let upper = conversion.is_ascii_uppercase();
        let shown = match (conversion.to_ascii_lowercase(), value.is_null()) {
            ('b', true) => Some("false".to_owned()),
            ('s', is_null) => {
                let text = if is_null { "null".to_owned() } else { text(value)? };
                Some(self.precision.map_or(text.clone(), |n| cut(&text, n)))
            }
            (_, true) => Some("null".to_owned()),
            ('b', false) => Some((*value != ScalarValue::Boolean(Some(false))).to_string()),
            ('d', false) => {
                whole(value).map(|n| self.signed(self.group(&n.unsigned_abs().to_string()), n < 0))
            }
            ('x', false) => whole(value).map(|n| bits(value, n, |n| format!("{n:x}"))),
            ('o', false) => whole(value).map(|n| bits(value, n, |n| format!("{n:o}"))),
            ('c', false) => {
                whole(value).and_then(|n| char::from_u32(u32::try_from(n).ok()?)).map(String::from)
            }
            ('f', false) => double(value).map(|v| {
                let digits = format!("{:.*}", self.precision.unwrap_or(6), v.abs());
                self.signed(self.group(&digits), v.is_sign_negative())
            }),
            ('e', false) => double(value).map(|v| {
                let shown = format!("{:.*e}", self.precision.unwrap_or(6), v.abs());
                let (digits, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
                let (sign, exponent) = exponent.strip_prefix('-').map_or(("+", exponent), |e| ("-", e));
                self.signed(format!("{digits}e{sign}{exponent:0>2}"), v.is_sign_negative())
            }),
            _ => None,
        };
        Ok(shown.map(|s| if upper { s.to_uppercase() } else { s }))
    }

    fn signed(&self, digits: String, negative: bool) -> String {
        let sign = match (negative, self.plus, self.blank) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        };
        format!("{sign}{digits}")
    }

    /// Commas between thousands.
    fn group(&self, number: &str) -> String {
        if !self.grouped {
            return number.to_owned();
        }
        let (whole, fraction) = number.find('.').map_or((number, ""), |dot| number.split_at(dot));
        let mut grouped = String::new();
        for (i, digit) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        grouped + fraction
    }
}

/// The first units of UTF-16, which Java counts; half a character is none.
fn cut(text: &str, mut units: usize) -> String {
    text.chars()
        .take_while(|c| {
            let fits = c.len_utf16() <= units;
            units = if fits { units - c.len_utf16() } else { 0 };
            fits
        })
        .collect()
}

fn text(value: &ScalarValue) -> Result<String> {
    let array = value.to_array()?;
    let renderer = Renderer::new(array.as_ref(), &TimeZone::UTC, Style::Cast)
        .map_err(|error| DataFusionError::External(Box::new(error)))?;
    let mut text = String::new();
    renderer.append(0, &mut text);
    Ok(text)
}

fn whole(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int8(n) => n.map(Into::into),
        ScalarValue::Int16(n) => n.map(Into::into),
        ScalarValue::Int32(n) => n.map(Into::into),
        ScalarValue::Int64(n) => *n,
        _ => None,
    }
}

/// Negative numbers as the two's complement of their type.
fn bits(value: &ScalarValue, number: i64, show: impl Fn(u64) -> String) -> String {
    match value {
        ScalarValue::Int64(_) => show(number as u64),
        _ => show(u64::from(number as u32)),
    }
}

fn double(value: &ScalarValue) -> Option<f64> {
    match value {
        ScalarValue::Float32(v) => v.map(Into::into),
        ScalarValue::Float64(v) => *v,
        ScalarValue::Decimal128(v, _, scale) => v.map(|v| v as f64 / 10f64.powi(i32::from(*scale))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_those_of_java() {
        let int = |n| ScalarValue::Int32(Some(n));
        let text = |t: &str| ScalarValue::Utf8View(Some(t.into()));
        let double = |d| ScalarValue::Float64(Some(d));
        let cases: [(&str, Vec<ScalarValue>, &str); 9] = [
            ("Hello %s %d%%", vec![text("x"), int(5)], "Hello x 5%"),
            ("%2$s|%1$5s|%-5s|", vec![text("a"), text("b")], "b|    a|a    |"),
            ("%05d %+d %,d", vec![int(-42), int(7), int(1_234_567)], "-0042 +7 1,234,567"),
            ("%x %X", vec![int(-1), int(255)], "ffffffff FF"),
            ("%.2f %8.3f", vec![double(1.005), double(-2.5)], "1.00   -2.500"),
            ("%e", vec![double(12_345.678)], "1.234568e+04"),
            ("%s", vec![ScalarValue::Int32(None)], "null"),
            ("%b", vec![ScalarValue::Boolean(Some(false))], "false"),
            ("%.2s", vec![text("abc")], "ab"),
        ];
        for (pattern, values, shown) in cases {
            assert_eq!(format(pattern, &values).unwrap(), shown, "{pattern}");
        }
        assert!(format("%d", &[text("x")]).is_err());
        assert!(format("%s %s", &[text("x")]).is_err());
        assert!(format("%999999999999s", &[text("x")]).is_err());
    }
}
