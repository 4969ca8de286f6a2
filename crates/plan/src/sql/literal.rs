//! Literals: numbers with Spark's types, and `DATE'..'`, `TIMESTAMP'..'`, `TIMESTAMP_NTZ'..'`, `X'..'`.
//!
//! A whole number is INT, else BIGINT, else DECIMAL by its digits; one with a point is DECIMAL with just its digits;
//! one with an exponent is DOUBLE. Suffixes Y, S, L, F, D and BD say the type.
use millstream_columnar::datetime::{TimeZone, string_to_date, string_to_timestamp, string_to_timestamp_ntz};

use super::expression::quoted;
use super::parser::{Parsed, Parser};
use crate::error::{Error, SparkError};
use crate::tree::{Expr, Value};

/// Most digits of a DECIMAL.
const MAX_PRECISION: usize = 38;

impl Parser<'_> {
    /// The number at the cursor, whose sign has been read.
    pub fn number(&mut self, negative: bool) -> Parsed<Expr> {
        let text = self.peek().text.to_ascii_uppercase();
        let value = number_value(&text, negative)?;
        self.advance();
        Ok(Expr::Literal(value))
    }

    /// A type's name and its value as text; the cursor is at the name.
    pub fn typed_literal(&mut self) -> Parsed<Expr> {
        let name = self.identifier()?.to_ascii_uppercase();
        let text = self.string()?;
        let bytes = text.as_bytes();
        let value = match name.as_str() {
            "DATE" => string_to_date(bytes).map(Value::Date),
            "TIMESTAMP" | "TIMESTAMP_LTZ" => {
                string_to_timestamp(bytes, &session_time_zone(&self.options.time_zone)?, None)
                    .map(Value::Timestamp)
            }
            "TIMESTAMP_NTZ" => string_to_timestamp_ntz(bytes, true).map(Value::TimestampNtz),
            "X" => hex(&text).map(Value::Binary),
            _ => {
                let supported =
                    r#""DATE", "TIMESTAMP_NTZ", "TIMESTAMP_LTZ", "TIMESTAMP", "INTERVAL", "X", "TIME""#;
                return Err(SparkError::new(
                    "UNSUPPORTED_TYPED_LITERAL",
                    [("unsupportedType", format!("\"{name}\"")), ("supportedTypes", supported.to_owned())],
                )
                .into());
            }
        };
        value.map(Expr::Literal).ok_or_else(|| invalid_typed_literal(&name, &text).into())
    }
}

/// The session's time zone by its name.
///
/// # Errors
/// `INVALID_TIMEZONE`.
pub(crate) fn session_time_zone(name: &str) -> Result<TimeZone, SparkError> {
    name.parse().map_err(|_| SparkError::new("INVALID_TIMEZONE", [("timeZone", name)]))
}

/// The text of a typed literal cannot be a value of the type.
pub(super) fn invalid_typed_literal(name: &str, text: &str) -> SparkError {
    SparkError::new("INVALID_TYPED_LITERAL", [("valueType", format!("\"{name}\"")), ("value", quoted(text))])
}

/// Pairs of hexadecimal digits; an odd number of them is taken as with a 0 before.
fn hex(text: &str) -> Option<Vec<u8>> {
    let padded = if text.len().is_multiple_of(2) { text.to_owned() } else { format!("0{text}") };
    let digit = |b: u8| char::from(b).to_digit(16);
    padded.as_bytes().chunks(2).map(|pair| Some((digit(pair[0])? * 16 + digit(pair[1])?) as u8)).collect()
}

fn number_value(text: &str, negative: bool) -> Parsed<Value> {
    let sign = if negative { "-" } else { "" };
    // A double may end in an exponent, so that its D is a suffix only behind digits; there is no hexadecimal form.
    if let Some(digits) = text.strip_suffix("BD") {
        return decimal(digits, negative);
    }
    let suffix = text.chars().last().unwrap_or('0');
    let signed = format!("{sign}{}", text.trim_end_matches(|c: char| c.is_ascii_alphabetic()));
    let whole = |low: i64, high: i64, name: &str| {
        let value: Option<i64> = signed.parse().ok().filter(|v| (low..=high).contains(v));
        value.ok_or_else(|| out_of_range(&signed, low.to_string(), high.to_string(), name))
    };
    let double = |name: &str, limit: f64| {
        let value: Option<f64> = signed.parse().ok().filter(|v: &f64| v.is_finite() && v.abs() <= limit);
        value.ok_or_else(|| out_of_range(&signed, format!("-{limit:E}"), format!("{limit:E}"), name))
    };
    Ok(match suffix {
        'Y' => Value::Byte(whole(i8::MIN.into(), i8::MAX.into(), "tinyint")? as i8),
        'S' => Value::Short(whole(i16::MIN.into(), i16::MAX.into(), "smallint")? as i16),
        'L' => Value::Long(whole(i64::MIN, i64::MAX, "bigint")?),
        'F' => {
            double("float", f32::MAX.into())?;
            // Parsed again, because rounding twice would change some values.
            Value::Float(signed.parse().unwrap_or(f32::NAN))
        }
        'D' => Value::Double(double("double", f64::MAX)?),
        _ if text.contains('E') => Value::Double(double("double", f64::MAX)?),
        _ if text.contains('.') => decimal(text, negative)?,
        _ => {
            if let Ok(value) = signed.parse::<i32>() {
                Value::Integer(value)
            } else if let Ok(value) = signed.parse::<i64>() {
                Value::Long(value)
            } else {
                decimal(text, negative)?
            }
        }
    })
}

fn out_of_range(value: &str, low: String, high: String, name: &str) -> SparkError {
    SparkError::new(
        "INVALID_NUMERIC_LITERAL_RANGE",
        [
            ("rawStrippedQualifier", value.to_owned()),
            ("minValue", low),
            ("maxValue", high),
            ("typeName", name.to_owned()),
        ],
    )
}

/// Digits with an optional point and exponent, as a decimal of just these digits.
fn decimal(text: &str, negative: bool) -> Parsed<Value> {
    let (digits, exponent) = text.split_once('E').unwrap_or((text, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let too_long = || -> Error {
        SparkError::new(
            "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
            [("precision", digits.len().to_string()), ("maxPrecision", MAX_PRECISION.to_string())],
        )
        .into()
    };
    let mut unscaled = format!("{whole}{fraction}").trim_start_matches('0').to_owned();
    let exponent: i64 = exponent.parse().map_err(|_| too_long())?;
    let mut scale = fraction.len() as i64 - exponent;
    if scale < 0 && scale >= -(MAX_PRECISION as i64) {
        unscaled.extend(std::iter::repeat_n('0', scale.unsigned_abs() as usize));
        scale = 0;
    }
    let precision = unscaled.len().max(1).max(usize::try_from(scale).map_err(|_| too_long())?);
    if precision > MAX_PRECISION {
        return Err(too_long().into());
    }
    let magnitude: i128 = if unscaled.is_empty() { 0 } else { unscaled.parse().map_err(|_| too_long())? };
    let unscaled = if negative { -magnitude } else { magnitude };
    // Both are at most 38 here.
    Ok(Value::Decimal { unscaled, precision: precision as u8, scale: scale as u8 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        match crate::sql::parse_expression(text) {
            Ok(Expr::Literal(value)) => value,
            other => panic!("{text}: {other:?}"),
        }
    }

    fn dec(unscaled: i128, precision: u8, scale: u8) -> Value {
        Value::Decimal { unscaled, precision, scale }
    }

    #[test]
    fn numbers_have_sparks_types() {
        assert_eq!(value("1"), Value::Integer(1));
        assert_eq!(value("-2147483648"), Value::Integer(i32::MIN));
        assert_eq!(value("2147483648"), Value::Long(2_147_483_648));
        assert_eq!(value("-9223372036854775808"), Value::Long(i64::MIN));
        assert_eq!(value("9223372036854775808"), dec(9_223_372_036_854_775_808, 19, 0));
        assert_eq!(value("4L"), Value::Long(4));
        assert_eq!(value("-128Y"), Value::Byte(-128));
        assert_eq!(value("3s"), Value::Short(3));
        assert_eq!(value("1.0E-5D"), Value::Double(1.0e-5));
        assert_eq!(value("1e5"), Value::Double(1.0e5));
        assert_eq!(value("0.1F"), Value::Float(0.1));
        assert_eq!(value("12.50BD"), dec(1250, 4, 2));
        assert_eq!(value("-0.01"), dec(-1, 2, 2));
        assert_eq!(value("1e3BD"), dec(1000, 4, 0));
        assert_eq!(value("0.2"), dec(2, 1, 1));
        assert_eq!(value("'a' 'b'"), Value::String("ab".into()));
    }

    #[test]
    fn numbers_out_of_range_name_the_range() {
        let error = crate::sql::parse_expression("128Y").unwrap_err();
        let error = error.spark().unwrap();
        assert_eq!(error.condition.as_deref(), Some("INVALID_NUMERIC_LITERAL_RANGE"));
        assert_eq!(error.parameters["maxValue"], "127");
        assert!(crate::sql::parse_expression(&"9".repeat(39)).is_err());
        assert!(crate::sql::parse_expression("1e999999999999BD").is_err());
    }

    #[test]
    fn typed_literals_are_values_and_bad_ones_are_quoted_back() {
        assert_eq!(value("DATE'1970-01-02'"), Value::Date(1));
        assert_eq!(value("timestamp '1970-01-01 00:00:01.5'"), Value::Timestamp(1_500_000));
        assert_eq!(value("TIMESTAMP_NTZ'1970-01-01 00:00:01'"), Value::TimestampNtz(1_000_000));
        assert_eq!(value("X'00FF41'"), Value::Binary(vec![0, 255, 0x41]));
        let error = crate::sql::parse_expression("DATE'2020-13-01'").unwrap_err();
        let error = error.spark().unwrap();
        assert_eq!(error.condition.as_deref(), Some("INVALID_TYPED_LITERAL"));
        assert_eq!(error.parameters["value"], "'2020-13-01'");
    }
}
