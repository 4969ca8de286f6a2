//! Values in JSON that the types of their fields make nothing of, as Spark's FAILFAST names them.

use millstream_columnar::JsonValueFault;

use crate::error::SparkError;
use crate::functions::cast::{invalid_text, no_interval};
use crate::types::SparkType;

/// Spark's error. None for types that Spark does not have.
pub(super) fn unfit(value: &JsonValueFault) -> Option<SparkError> {
    let of = |data_type| SparkType::from_arrow(data_type).ok();
    let quoted = |data_type| of(data_type).map(|t| crate::analyzer::errors::quoted_type(&t));
    Some(match value {
        JsonValueFault::Empty { data_type } => {
            SparkError::new("EMPTY_JSON_FIELD_VALUE", [("dataType", quoted(data_type)?)])
        }
        JsonValueFault::Token { field, text, token, data_type } => SparkError::new(
            "CANNOT_PARSE_JSON_FIELD",
            [
                ("fieldName", field.as_ref().map_or("NULL".to_owned(), |name| format!("'{name}'"))),
                ("fieldValue", text.clone()),
                ("jsonType", (*token).to_owned()),
                ("dataType", quoted(data_type)?),
            ],
        ),
        JsonValueFault::Text { text, data_type } => match of(data_type)? {
            SparkType::TimestampNtz => SparkError::new("INTERNAL_ERROR", [("message", internal(text))]),
            interval @ (SparkType::DayTimeInterval(..) | SparkType::YearMonthInterval(..)) => {
                no_interval(text, &interval)
            }
            other => invalid_text(text, &other),
        },
        JsonValueFault::TooLarge { text, data_type } => {
            let SparkType::Decimal(precision, scale) = of(data_type)? else { return None };
            SparkError::new(
                "NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION",
                [
                    ("originalValue", text.clone()),
                    ("roundedValue", rounded(text, usize::from(scale))?),
                    ("precision", precision.to_string()),
                    ("scale", scale.to_string()),
                ],
            )
        }
        _ => return None,
    })
}

/// Spark's words, though they name an error inside of it.
fn internal(text: &str) -> String {
    format!(
        "Cannot parse field value '{text}' for pattern 'yyyy-MM-dd HH:mm:ss' as the target spark data type \
         \"TIMESTAMP_NTZ\"."
    )
}

/// A number rounded half up to so many places behind its point. None if it has an exponent.
fn rounded(text: &str, places: usize) -> Option<String> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut kept: Vec<u8> =
        whole.bytes().chain(format!("{fraction:0<places$}").bytes().take(places)).collect();
    if fraction.as_bytes().get(places).is_some_and(|b| *b >= b'5') {
        let nines = kept.iter().rev().take_while(|b| **b == b'9').count();
        let start = kept.len() - nines;
        kept[start..].fill(b'0');
        match start.checked_sub(1) {
            Some(last) => kept[last] += 1,
            None => kept.insert(0, b'1'),
        }
    }
    let point = kept.len() - places;
    let kept = String::from_utf8(kept).ok()?;
    let (whole, fraction) = kept.split_at(point);
    Some(if places == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_half_up_to_the_decimals_places() {
        assert_eq!(rounded("99999999999999999999", 1).as_deref(), Some("99999999999999999999.0"));
        assert_eq!(rounded("999.95", 1).as_deref(), Some("1000.0"));
        assert_eq!(rounded("-12.34", 0).as_deref(), Some("-12"));
        assert_eq!(rounded("1e30", 1), None);
    }
}
