//! The slow, obvious twin of reader and writer: serde_json's tree, Spark's table of types, and rows of Arrow
//! arrays as trees to compare with. The benchmark of columns shares this file.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, StructArray};
use arrow_schema::DataType;
use serde_json::{Map, Number, Value};

/// Writes a double as text, where a string column takes a number.
pub type DoubleText = fn(f64) -> String;

/// What each document, which must be an object, gives for a struct type.
pub fn slow_rows(documents: &[&str], target: &DataType, double: DoubleText) -> Vec<Value> {
    let row = |document: &&str| {
        let tree = serde_json::from_str(document).expect("the twin reads good documents");
        slow_value(&tree, target, double).expect("an object fits a struct")
    };
    documents.iter().map(row).collect()
}

/// The value of a type that Spark makes; None where it does not fit at all. Maps become lists of pairs.
pub fn slow_value(value: &Value, data_type: &DataType, double: DoubleText) -> Option<Value> {
    Some(match (data_type, value) {
        (_, Value::Null) => Value::Null,
        (DataType::Int64, Value::Number(number)) => number.as_i64()?.into(),
        (DataType::Int32, Value::Number(number)) => i32::try_from(number.as_i64()?).ok()?.into(),
        (DataType::Float64, Value::Number(number)) => float(number.as_f64()?),
        (DataType::Boolean, Value::Bool(_)) => value.clone(),
        (DataType::Utf8 | DataType::Utf8View, Value::String(_)) => value.clone(),
        (DataType::Utf8 | DataType::Utf8View, other) => copied(other, double).into(),
        (DataType::Timestamp(_, _), Value::String(text)) => micros(text)?.into(),
        (DataType::List(element), Value::Array(items)) => {
            let items = items.iter().map(|item| slow_value(item, element.data_type(), double));
            items.collect::<Option<Vec<_>>>()?.into()
        }
        (DataType::Map(entries, _), Value::Object(members)) => {
            let DataType::Struct(kv) = entries.data_type() else { return None };
            let entry = |(key, value): (&String, &Value)| {
                Some(Value::from(vec![key.clone().into(), slow_value(value, kv[1].data_type(), double)?]))
            };
            members.iter().map(entry).collect::<Option<Vec<_>>>()?.into()
        }
        (DataType::Struct(fields), Value::Object(members)) => {
            let mut row = Map::new();
            for field in fields {
                let value = members.get(field.name());
                let value = value.and_then(|value| slow_value(value, field.data_type(), double));
                row.insert(field.name().clone(), value.unwrap_or(Value::Null));
            }
            Value::Object(row)
        }
        _ => return None,
    })
}

/// A value as JSON text the way Jackson copies it, for strings without escapes of their own.
pub fn copied(value: &Value, double: DoubleText) -> String {
    match value {
        Value::Number(number) if number.is_f64() => double(number.as_f64().unwrap_or(f64::NAN)),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| copied(item, double)).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(members) => {
            let member =
                |(key, value): (&String, &Value)| format!("{}:{}", literal(key), copied(value, double));
            format!("{{{}}}", members.iter().map(member).collect::<Vec<_>>().join(","))
        }
        Value::String(text) => literal(text),
        other => other.to_string(),
    }
}

/// A text in quotes; beyond the basic plane Jackson writes two escapes.
fn literal(text: &str) -> String {
    let mut out = String::new();
    for c in Value::from(text).to_string().chars() {
        if c > '\u{ffff}' {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04X}")));
        } else {
            out.push(c);
        }
    }
    out
}

/// `2026-01-02T03:04:05Z` as microseconds since 1970.
fn micros(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    // Days since 1970 by counting them.
    let leap = |year: i64| i64::from((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
    let lengths = [31, 28 + leap(year), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let days = (1970..year).map(|year| 365 + leap(year)).sum::<i64>()
        + lengths[..month as usize - 1].iter().sum::<i64>()
        + day
        - 1;
    let seconds = (days * 24 + number(11, 13)?) * 3600 + number(14, 16)? * 60 + number(17, 19)?;
    text.ends_with('Z').then_some(seconds * 1_000_000)
}

fn float(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// Each row of an array as a tree, in the form of [`slow_value`].
pub fn rows_of(array: &dyn Array) -> Vec<Value> {
    (0..array.len()).map(|row| row_of(array, row)).collect()
}

fn row_of(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Utf8View => array.as_string_view().value(row).into(),
        DataType::Timestamp(_, _) => array.as_primitive::<TimestampMicrosecondType>().value(row).into(),
        DataType::List(_) => rows_of(&array.as_list::<i32>().value(row)).into(),
        DataType::Map(_, _) => {
            let entries: StructArray = array.as_map().value(row);
            let pair = |at| Value::from(vec![row_of(entries.column(0), at), row_of(entries.column(1), at)]);
            (0..entries.len()).map(pair).collect::<Vec<_>>().into()
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            let members = columns.map(|(field, column)| (field.name().clone(), row_of(column, row)));
            Value::Object(members.collect::<Map<_, _>>())
        }
        other => panic!("the twin knows no {other}"),
    }
}
