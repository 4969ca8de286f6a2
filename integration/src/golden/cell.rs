//! Arrow cells in the golden files' JSON form.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Fields};
use base64::Engine;
use chrono::{DateTime, Datelike, Days, NaiveDate};
use millstream_columnar::datetime::TimeZone;
use millstream_columnar::text::{append_timestamp, append_timestamp_ntz};
use millstream_stream::Session;
use serde_json::{Map, Value, json};

/// The rows of some batches, each a JSON array of its cells.
///
/// Timestamps stand in UTC; those outside the years 1 to 9999 as a cast to string writes them in the session's time
/// zone, as the recordings give them.
pub fn rows(session: &Session, batches: &[RecordBatch]) -> Vec<Value> {
    let zone = session.conf().get("spark.sql.session.timeZone");
    let zone = &zone.and_then(|zone| zone.parse().ok()).unwrap_or(TimeZone::UTC);
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            rows.push(Value::Array(batch.columns().iter().map(|column| cell(column, row, zone)).collect()));
        }
    }
    rows
}

/// One cell.
fn cell(array: &dyn Array, row: usize, zone: &TimeZone) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Int8 => json!(array.as_primitive::<Int8Type>().value(row)),
        DataType::Int16 => json!(array.as_primitive::<Int16Type>().value(row)),
        DataType::Int32 => json!(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => float(f64::from(array.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, _) => json!(array.as_primitive::<Decimal128Type>().value_as_string(row)),
        DataType::Utf8View => json!(array.as_string_view().value(row)),
        DataType::BinaryView => binary(array.as_binary_view().value(row)),
        DataType::Date32 => date(array.as_primitive::<Date32Type>().value(row)),
        DataType::Timestamp(_, kind) => {
            let zone = if kind.is_some() { zone } else { &TimeZone::UTC };
            timestamp(array.as_primitive::<TimestampMicrosecondType>().value(row), zone)
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            Value::Array((0..items.len()).map(|item| cell(&items, item, zone)).collect())
        }
        DataType::Struct(fields) => structure(fields, array.as_struct(), row, zone),
        DataType::Map(_, _) => map(&array.as_map().value(row), zone),
        other => json!({ "not_a_golden_type": other.to_string() }),
    }
}

fn float(value: f64) -> Value {
    match value {
        value if value.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        value => json!(value),
    }
}

/// Bytes as `{"utf8": ..}` when they are valid UTF-8, else `{"b64": ..}`.
pub fn binary(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => json!({ "utf8": text }),
        Err(_) => json!({ "b64": base64::engine::general_purpose::STANDARD.encode(bytes) }),
    }
}

/// The bytes of a text or of `{"b64": ..}` in an input; `None` for null.
pub fn bytes(value: &Value) -> Result<Option<Vec<u8>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone().into_bytes())),
        Value::Object(fields) => match (fields.get("b64"), fields.get("utf8")) {
            (Some(Value::String(text)), _) => base64::engine::general_purpose::STANDARD
                .decode(text)
                .map(Some)
                .map_err(|error| format!("bad base64 {text:?}: {error}")),
            (_, Some(Value::String(text))) => Ok(Some(text.clone().into_bytes())),
            _ => Err(format!("not bytes: {value}")),
        },
        other => Err(format!("not bytes: {other}")),
    }
}

fn date(days: i32) -> Value {
    let epoch = NaiveDate::default();
    let date = if days >= 0 {
        epoch.checked_add_days(Days::new(u64::from(days.unsigned_abs())))
    } else {
        epoch.checked_sub_days(Days::new(u64::from(days.unsigned_abs())))
    };
    match date {
        Some(date) if (1..=9999).contains(&date.year()) => json!(date.format("%Y-%m-%d").to_string()),
        Some(date) => json!({ "as_string": date.format("%Y-%m-%d").to_string() }),
        None => json!({ "as_string": days }),
    }
}

fn timestamp(micros: i64, zone: &TimeZone) -> Value {
    let mut text = String::new();
    match DateTime::from_timestamp_micros(micros) {
        Some(time) if (1..=9999).contains(&time.year()) => {
            append_timestamp_ntz(micros, &mut text);
            json!(text)
        }
        _ => {
            append_timestamp(micros, zone, &mut text);
            json!({ "as_string": text })
        }
    }
}

fn structure(fields: &Fields, array: &arrow_array::StructArray, row: usize, zone: &TimeZone) -> Value {
    let values: Vec<(String, Value)> = fields
        .iter()
        .zip(array.columns())
        .map(|(field, column)| (field.name().clone(), cell(column, row, zone)))
        .collect();
    let mut object = Map::new();
    for (name, value) in &values {
        if object.insert(name.clone(), value.clone()).is_some() {
            return json!({ "fields": values });
        }
    }
    Value::Object(object)
}

fn map(entries: &arrow_array::StructArray, zone: &TimeZone) -> Value {
    let (keys, values) = (entries.column(0), entries.column(1));
    let mut pairs: Vec<Value> = Vec::new();
    for at in 0..entries.len() {
        let key = cell(keys, at, zone);
        // The recordings went through a Python dict, in which the last of equal keys wins.
        pairs.retain(|pair| pair[0] != key);
        pairs.push(json!([key, cell(values, at, zone)]));
    }
    pairs.sort_by_key(Value::to_string);
    json!({ "map": pairs })
}
