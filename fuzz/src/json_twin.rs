//! What `from_json` makes of a tree: Spark's table of which value fits which type, written down once more without
//! a thought for speed. A list or map with an element that does not fit is beyond it ([`Fit::Beyond`]): there
//! Spark goes on in the middle of the container.

use arrow_schema::{DataType, Fields};
use millstream_columnar::text::append_f64;

use crate::cells::Cell;
use crate::json_tree::Tree;

/// How a value fits a type.
pub enum Fit {
    Cell(Cell),
    /// It does not fit; a field is null then.
    No,
    /// This twin does not say.
    Beyond,
}

/// The row that an object gives, and whether every value fitted. None where the twin does not say.
pub fn row(members: &[(String, Tree)], fields: &Fields, corrupt: Option<usize>) -> Option<(Vec<Cell>, bool)> {
    let mut cells = vec![Cell::Null; fields.len()];
    let mut good = true;
    for (name, value) in members {
        let place =
            fields.iter().enumerate().position(|(at, field)| field.name() == name && Some(at) != corrupt);
        let Some(place) = place else { continue };
        match fit(value, fields[place].data_type()) {
            Fit::Cell(cell) => {
                good &= !has_partial(value, fields[place].data_type());
                cells[place] = cell;
            }
            // Of repeated names the last value that fits counts.
            Fit::No => good = false,
            Fit::Beyond => return None,
        }
    }
    Some((cells, good))
}

/// Whether a value that fits as a whole has fields inside that do not.
fn has_partial(value: &Tree, data_type: &DataType) -> bool {
    match (value, data_type) {
        (Tree::Object(members), DataType::Struct(fields)) => {
            row(members, fields, None).is_none_or(|row| !row.1)
        }
        (Tree::Array(elements), DataType::List(element)) => {
            elements.iter().any(|value| has_partial(value, element.data_type()))
        }
        (Tree::Object(members), DataType::Map(_, _)) => {
            members.iter().any(|(_, value)| has_partial(value, map_value(data_type)))
        }
        _ => false,
    }
}

fn map_value(data_type: &DataType) -> &DataType {
    match data_type {
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => fields[1].data_type(),
            other => other,
        },
        other => other,
    }
}

fn fit(value: &Tree, data_type: &DataType) -> Fit {
    if *value == Tree::Null || *data_type == DataType::Null {
        return Fit::Cell(Cell::Null);
    }
    let cell = match (data_type, value) {
        (DataType::Boolean, Tree::Boolean(value)) => Some(Cell::Boolean(*value)),
        // Jackson takes 128 to 255 for a byte and wraps them.
        (DataType::Int8, Tree::Number(text)) => {
            integer(text, -128, 255).map(|value| Cell::Number((value as i8).into()))
        }
        (DataType::Int16, Tree::Number(text)) => {
            integer(text, i16::MIN.into(), i16::MAX.into()).map(Cell::Number)
        }
        (DataType::Int32, Tree::Number(text)) => {
            integer(text, i32::MIN.into(), i32::MAX.into()).map(Cell::Number)
        }
        (DataType::Int64, Tree::Number(text)) => {
            integer(text, i64::MIN.into(), i64::MAX.into()).map(Cell::Number)
        }
        (DataType::Float64, Tree::Number(text)) => Some(Cell::double(double(text))),
        (DataType::Float32, Tree::Number(text)) if is_integer_zero(text) => Some(Cell::float(0.0)),
        (DataType::Float32, Tree::Number(text)) => text.parse().ok().map(Cell::float),
        (DataType::Decimal128(precision, scale), Tree::Number(text)) => decimal(text, *precision, *scale),
        (DataType::Decimal128(precision, scale), Tree::Text(text)) => {
            decimal(&text.replace(',', ""), *precision, *scale)
        }
        (DataType::Utf8View, Tree::Text(text)) => Some(Cell::Text(text.clone())),
        (DataType::Utf8View, value) => Some(Cell::Text(as_text(value))),
        (DataType::Struct(fields), Tree::Object(members)) => match row(members, fields, None) {
            Some((cells, _)) => Some(Cell::Struct(cells)),
            None => return Fit::Beyond,
        },
        (DataType::List(element), Tree::Array(elements)) => {
            return all(elements, element.data_type())
                .map_or(Fit::Beyond, |cells| Fit::Cell(Cell::List(cells)));
        }
        (DataType::Map(_, _), Tree::Object(members)) => {
            let values: Vec<Tree> = members.iter().map(|(_, value)| value.clone()).collect();
            let Some(values) = all(&values, map_value(data_type)) else { return Fit::Beyond };
            let keys = members.iter().map(|(name, _)| Cell::Text(name.clone()));
            Some(Cell::Map(keys.zip(values).collect()))
        }
        (DataType::Float32 | DataType::Float64, _) => None,
        (DataType::Date32 | DataType::Timestamp(..) | DataType::BinaryView, _) => return Fit::Beyond,
        _ => None,
    };
    cell.map_or(Fit::No, Fit::Cell)
}

fn all(values: &[Tree], data_type: &DataType) -> Option<Vec<Cell>> {
    let cell = |value| match fit(value, data_type) {
        Fit::Cell(cell) => Some(cell),
        Fit::No | Fit::Beyond => None,
    };
    values.iter().map(cell).collect()
}

fn is_integer(text: &str) -> bool {
    !text.contains(['.', 'e', 'E'])
}

fn is_integer_zero(text: &str) -> bool {
    is_integer(text) && text.trim_start_matches('-').bytes().all(|byte| byte == b'0')
}

fn integer(text: &str, least: i128, most: i128) -> Option<i128> {
    let value: i128 = if is_integer(text) { text.parse().ok()? } else { return None };
    (least..=most).contains(&value).then_some(value)
}

fn double(text: &str) -> f64 {
    if is_integer_zero(text) { 0.0 } else { text.parse().expect("JSON's numbers are Rust's") }
}

/// Digits, a point somewhere among them, rounded half up at the scale by hand.
fn decimal(text: &str, precision: u8, scale: i8) -> Option<Cell> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, i64::from(exponent.parse::<i32>().ok()?)),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits: Vec<u8> = [whole, fraction].concat().into_bytes();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // Where the point stands, counted from the first digit; zeros are added so far as they can matter.
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let point = whole.len() as i64 + exponent - zeros as i64;
    digits.drain(..zeros);
    if digits.is_empty() {
        return Some(Cell::Number(0));
    }
    let kept = point + i64::from(scale);
    if kept > i64::from(precision) {
        return None;
    }
    let mut unscaled = 0i128;
    let mut rounds_up = false;
    if kept >= 0 {
        digits.resize(digits.len().max(kept as usize + 1), b'0');
        unscaled = digits[..kept as usize].iter().fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        rounds_up = digits[kept as usize] >= b'5';
    }
    unscaled += i128::from(rounds_up);
    let fits = unscaled.to_string().len() <= usize::from(precision);
    fits.then_some(Cell::Number(if negative { -unscaled } else { unscaled }))
}

/// A value as Jackson copies it into a string.
fn as_text(value: &Tree) -> String {
    match value {
        Tree::Null => "null".into(),
        Tree::Boolean(value) => value.to_string(),
        Tree::Text(text) => quoted(text),
        Tree::Number(text) if is_integer(text) => {
            let digits = text.trim_start_matches('-').trim_start_matches('0');
            let sign = if text.starts_with('-') && !digits.is_empty() { "-" } else { "" };
            format!("{sign}{}", if digits.is_empty() { "0" } else { digits })
        }
        Tree::Number(text) => {
            let mut out = String::new();
            append_f64(double(text), &mut out);
            if double(text).is_finite() { out } else { format!("\"{out}\"") }
        }
        Tree::Array(elements) => format!("[{}]", elements.iter().map(as_text).collect::<Vec<_>>().join(",")),
        Tree::Object(members) => {
            let members: Vec<String> =
                members.iter().map(|(name, value)| format!("{}:{}", quoted(name), as_text(value))).collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

/// Only quotes, backslashes and control characters are escaped, with upper-case digits, and characters beyond the
/// basic plane, as two surrogates.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..='\u{1f}' => out.push_str(&format!("\\u{:04X}", u32::from(character))),
            '\u{10000}'.. => {
                let mut units = [0; 2];
                character.encode_utf16(&mut units);
                units.iter().for_each(|unit| out.push_str(&format!("\\u{unit:04X}")));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}
