//! Input rows of a case as values of the tree, by the types of their schema.

use super::cell;
use chrono::{NaiveDate, NaiveDateTime};
use millstream_plan::tree::Value as Literal;
use millstream_plan::types::{SparkType, StructType};
use serde_json::Value;

/// One row by its schema.
pub fn row(row: &Value, schema: &StructType) -> Result<Vec<Literal>, String> {
    let cells = row.as_array().ok_or("a row that is no list")?;
    if cells.len() != schema.fields.len() {
        return Err(format!("a row of {} cells for {} columns", cells.len(), schema.fields.len()));
    }
    cells.iter().zip(&schema.fields).map(|(cell, field)| value(cell, &field.data_type)).collect()
}

fn value(cell: &Value, to: &SparkType) -> Result<Literal, String> {
    if cell.is_null() {
        return Ok(Literal::NullOf(to.clone()));
    }
    let integer = || cell.as_i64().ok_or_else(|| format!("not an integer: {cell}"));
    let narrow = |error: std::num::TryFromIntError| error.to_string();
    let text = || cell.as_str().ok_or_else(|| format!("not a text: {cell}"));
    Ok(match to {
        SparkType::Boolean => {
            Literal::Boolean(cell.as_bool().ok_or_else(|| format!("not a boolean: {cell}"))?)
        }
        SparkType::Byte => Literal::Byte(i8::try_from(integer()?).map_err(narrow)?),
        SparkType::Short => Literal::Short(i16::try_from(integer()?).map_err(narrow)?),
        SparkType::Integer => Literal::Integer(i32::try_from(integer()?).map_err(narrow)?),
        SparkType::Long => Literal::Long(integer()?),
        SparkType::Float => Literal::Float(float(cell)? as f32),
        SparkType::Double => Literal::Double(float(cell)?),
        SparkType::Decimal(precision, scale) => decimal(cell, *precision, *scale)?,
        SparkType::String => Literal::String(text()?.to_owned()),
        SparkType::Binary => Literal::Binary(cell::bytes(cell)?.unwrap_or_default()),
        SparkType::Date => Literal::Date(date(text()?)?),
        SparkType::Timestamp => Literal::Timestamp(micros(text()?)?),
        SparkType::TimestampNtz => Literal::TimestampNtz(micros(text()?)?),
        SparkType::Array(element, _) => {
            let items = cell.as_array().ok_or_else(|| format!("not a list: {cell}"))?;
            Literal::Array(items.iter().map(|item| value(item, element)).collect::<Result<_, _>>()?)
        }
        SparkType::Map(key, to, _) => {
            let pairs = cell["map"].as_array().ok_or_else(|| format!("not a map: {cell}"))?;
            let pair = |pair: &Value| Ok::<_, String>((value(&pair[0], key)?, value(&pair[1], to)?));
            Literal::Map(pairs.iter().map(pair).collect::<Result<_, _>>()?)
        }
        SparkType::Struct(fields) => structure(cell, fields)?,
        other => return Err(format!("rows of type {}", other.simple_string())),
    })
}

/// A struct is an object, or a list in the order of its fields.
fn structure(cell: &Value, schema: &StructType) -> Result<Literal, String> {
    let at = |position: usize, name: &str| match cell {
        Value::Array(items) => items.get(position).unwrap_or(&Value::Null),
        _ => &cell[name],
    };
    let field = |(position, field): (usize, &millstream_plan::types::StructField)| {
        Ok::<_, String>((field.name.to_string(), value(at(position, &field.name), &field.data_type)?))
    };
    schema.fields.iter().enumerate().map(field).collect::<Result<_, _>>().map(Literal::Struct)
}

fn float(cell: &Value) -> Result<f64, String> {
    match cell {
        Value::Number(number) => number.as_f64().ok_or_else(|| format!("not a double: {cell}")),
        Value::Object(fields) => match fields.get("float").and_then(Value::as_str) {
            Some("nan") => Ok(f64::NAN),
            Some("inf") => Ok(f64::INFINITY),
            Some("-inf") => Ok(f64::NEG_INFINITY),
            _ => Err(format!("not a double: {cell}")),
        },
        _ => Err(format!("not a double: {cell}")),
    }
}

fn decimal(cell: &Value, precision: u8, scale: u8) -> Result<Literal, String> {
    let text = cell.as_str().map_or_else(|| cell.to_string(), str::to_owned);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = format!("{whole}{fraction:0<width$}", width = usize::from(scale));
    let unscaled = digits.parse().map_err(|error| format!("not a decimal: {text}: {error}"))?;
    Ok(Literal::Decimal { unscaled, precision, scale })
}

fn date(text: &str) -> Result<i32, String> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|error| format!("{text}: {error}"))?;
    i32::try_from((date - NaiveDate::default()).num_days()).map_err(|error| error.to_string())
}

fn micros(text: &str) -> Result<i64, String> {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f")
        .map_err(|error| format!("{text}: {error}"))?;
    Ok(time.and_utc().timestamp_micros())
}
