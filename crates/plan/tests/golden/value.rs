//! Values as the golden files write them.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Decimal128Type, DurationMicrosecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalYearMonthType,
};
use arrow_array::{Array, RecordBatch};
use base64::Engine as _;
use millstream_columnar::datetime::TimeZone;
use millstream_columnar::text::cast_to_string;
use millstream_plan::tree::Value;
use millstream_plan::types::{SparkType, StructType, day_time_interval_text, year_month_interval_text};
use serde_json::{Value as Json, json};

const BASE64: base64::engine::GeneralPurpose = base64::engine::general_purpose::STANDARD;

/// An input cell.
pub fn from_json(cell: &Json, data_type: &SparkType) -> Value {
    if cell.is_null() {
        return Value::NullOf(data_type.clone());
    }
    match data_type {
        SparkType::Boolean => Value::Boolean(cell.as_bool().unwrap()),
        SparkType::Double => Value::Double(match cell["float"].as_str() {
            Some("nan") => f64::NAN,
            Some("inf") => f64::INFINITY,
            Some(_) => f64::NEG_INFINITY,
            None => cell.as_f64().unwrap(),
        }),
        SparkType::String => Value::String(cell.as_str().unwrap().to_owned()),
        SparkType::Binary => Value::Binary(match (cell["utf8"].as_str(), cell["b64"].as_str()) {
            (Some(text), _) => text.as_bytes().to_vec(),
            (None, Some(text)) => BASE64.decode(text).unwrap(),
            (None, None) => panic!("no binary value: {cell}"),
        }),
        _ => Value::Long(cell.as_i64().unwrap()),
    }
}

/// The rows of a batch.
pub fn rows_to_json(batch: &RecordBatch, schema: &StructType, zone: &TimeZone) -> Vec<Json> {
    (0..batch.num_rows())
        .map(|row| {
            let cells = batch.columns().iter().zip(&schema.fields);
            Json::Array(cells.map(|(c, f)| top(c.as_ref(), &f.data_type, row, zone)).collect())
        })
        .collect()
}

/// A cell that holds a date outside the years 2 to 9999 is given as a whole through Spark's cast to string.
fn top(array: &dyn Array, data_type: &SparkType, row: usize, zone: &TimeZone) -> Json {
    let found = cell(array, data_type, row);
    if found.to_string().contains("as_string") {
        json!({ "as_string": text_in(array, row, zone) })
    } else {
        found
    }
}

fn cell(array: &dyn Array, data_type: &SparkType, row: usize) -> Json {
    if array.is_null(row) || *data_type == SparkType::Null {
        return Json::Null;
    }
    match data_type {
        SparkType::Boolean => json!(array.as_boolean().value(row)),
        SparkType::Byte => json!(array.as_primitive::<Int8Type>().value(row)),
        SparkType::Short => json!(array.as_primitive::<Int16Type>().value(row)),
        SparkType::Integer => json!(array.as_primitive::<Int32Type>().value(row)),
        SparkType::Long => json!(array.as_primitive::<Int64Type>().value(row)),
        SparkType::Float => float(f64::from(array.as_primitive::<Float32Type>().value(row))),
        SparkType::Double => float(array.as_primitive::<Float64Type>().value(row)),
        SparkType::Decimal(..) => json!(array.as_primitive::<Decimal128Type>().value_as_string(row)),
        SparkType::String => json!(array.as_string_view().value(row)),
        SparkType::Binary => {
            let bytes = array.as_binary_view().value(row);
            match std::str::from_utf8(bytes) {
                Ok(text) => json!({ "utf8": text }),
                Err(_) => json!({ "b64": BASE64.encode(bytes) }),
            }
        }
        SparkType::Array(element, _) => {
            let items = array.as_list::<i32>().value(row);
            (0..items.len()).map(|i| cell(items.as_ref(), element, i)).collect()
        }
        SparkType::Map(key, value, _) => {
            let entries = array.as_map().value(row);
            let pair = |i| json!([cell(entries.column(0), key, i), cell(entries.column(1), value, i)]);
            // The client that recorded them holds maps as dictionaries: of equal keys the last stays.
            let mut pairs: Vec<Json> = Vec::new();
            for pair in (0..entries.len()).map(pair) {
                pairs.retain(|p| p[0] != pair[0]);
                pairs.push(pair);
            }
            pairs.sort_by_key(ToString::to_string);
            json!({ "map": pairs })
        }
        SparkType::Struct(fields) => structure(array, fields, row),
        SparkType::Date => dated(array, row, array.as_primitive::<Date32Type>().value(row)),
        SparkType::Timestamp | SparkType::TimestampNtz => {
            let micros = array.as_primitive::<arrow_array::types::TimestampMicrosecondType>().value(row);
            dated(array, row, i32::try_from(micros.div_euclid(86_400_000_000)).unwrap())
        }
        SparkType::DayTimeInterval(from, to) => {
            let micros = array.as_primitive::<DurationMicrosecondType>().value(row);
            json!(day_time_interval_text(micros, *from, *to))
        }
        SparkType::YearMonthInterval(from, to) => {
            let months = array.as_primitive::<IntervalYearMonthType>().value(row);
            json!(year_month_interval_text(months, *from, *to))
        }
        _ => text(array, row),
    }
}

fn structure(array: &dyn Array, fields: &StructType, row: usize) -> Json {
    let columns = array.as_struct();
    let cells = || {
        let both = fields.fields.iter().zip(columns.columns());
        both.map(|(f, c)| (f.name.to_string(), cell(c.as_ref(), &f.data_type, row)))
    };
    let names: std::collections::BTreeSet<String> = cells().map(|(n, _)| n).collect();
    if names.len() == fields.fields.len() {
        return Json::Object(cells().collect());
    }
    json!({ "fields": cells().map(|(n, v)| json!([n, v])).collect::<Vec<_>>() })
}

fn dated(array: &dyn Array, row: usize, days: i32) -> Json {
    let shown = text(array, row);
    if (-718_797..=2_932_896).contains(&days) { shown } else { json!({ "as_string": shown }) }
}

fn text(array: &dyn Array, row: usize) -> Json {
    text_in(array, row, &TimeZone::UTC)
}

fn text_in(array: &dyn Array, row: usize, zone: &TimeZone) -> Json {
    let one = array.slice(row, 1);
    json!(cast_to_string(one.as_ref(), zone).unwrap().value(0))
}

fn float(value: f64) -> Json {
    if value.is_nan() {
        json!("NaN")
    } else if value.is_infinite() {
        json!(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        json!(value)
    }
}

/// Equal but for the last digit, which the reader of the recorded text may round away from the nearest number.
fn near(a: Option<f64>, b: Option<f64>) -> bool {
    a.zip(b).is_some_and(|(a, b)| a == b || (a - b).abs() <= a.abs() * 4.0 * f64::EPSILON)
}

/// Whether two values are the same; a recorded `as_string` stands for its text.
pub fn same(found: &Json, expected: &Json) -> bool {
    match (found, expected) {
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Json::Number(a), Json::Number(b)) => a == b || near(a.as_f64(), b.as_f64()),
        (Json::Object(a), Json::Object(b)) => match (a.get("as_string"), b.get("as_string")) {
            (Some(a), Some(b)) => a == b,
            _ => a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w))),
        },
        // The year 1 without its zeros.
        (Json::Object(a), Json::String(b)) => a
            .get("as_string")
            .and_then(Json::as_str)
            .is_some_and(|a| a == b || a.trim_start_matches('0') == b),
        (text, Json::Object(b)) => b.get("as_string") == Some(text),
        (a, b) => a == b,
    }
}
