//! Constants: their types, how they print, and columns of them.

use std::sync::Arc;

use arrow_array::{ArrayRef, ListArray, MapArray, StructArray, new_empty_array, new_null_array};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::DataType;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

use crate::analyzer::typed::{Label, Typed};
use crate::analyzer::{Conf, errors};
use crate::error::{Error, Result};
use crate::functions;
use crate::tree::Value;
use crate::types::{SparkType, StructField, StructType, day_time_interval_text, year_month_interval_text};

/// A constant as an expression.
pub(crate) fn literal(value: &Value, conf: &Conf) -> Result<Typed> {
    let data_type = type_of(value);
    let scalar = scalar(value, &data_type)?;
    let sql = print(value, &scalar, conf);
    let nullable = scalar.is_null();
    let expr = Expr::Literal(scalar, None);
    Ok(Typed { expr, data_type, nullable, sql, label: Label::Sql, foldable: true })
}

/// An INT constant.
pub(crate) fn integer_literal(value: i32) -> Typed {
    let expr = Expr::Literal(ScalarValue::Int32(Some(value)), None);
    let typed = Typed::new(expr, SparkType::Integer, value.to_string()).nullable(false);
    Typed { foldable: true, ..typed }
}

/// The type that a constant has by itself.
pub(crate) fn type_of(value: &Value) -> SparkType {
    use SparkType as T;
    match value {
        Value::Null => T::Null,
        Value::Boolean(_) => T::Boolean,
        Value::Byte(_) => T::Byte,
        Value::Short(_) => T::Short,
        Value::Integer(_) => T::Integer,
        Value::Long(_) => T::Long,
        Value::Float(_) => T::Float,
        Value::Double(_) => T::Double,
        Value::Decimal { precision, scale, .. } => T::Decimal(*precision, *scale),
        Value::String(_) => T::String,
        Value::Binary(_) => T::Binary,
        Value::Date(_) => T::Date,
        Value::Timestamp(_) => T::Timestamp,
        Value::TimestampNtz(_) => T::TimestampNtz,
        Value::DayTimeInterval { from, to, .. } => T::DayTimeInterval(*from, *to),
        Value::YearMonthInterval { from, to, .. } => T::YearMonthInterval(*from, *to),
        Value::Array(items) => {
            let nulls = items.iter().any(is_null);
            T::Array(Box::new(first_type(items.iter())), nulls)
        }
        Value::Map(entries) => {
            let nulls = entries.iter().any(|(_, v)| is_null(v));
            let key = first_type(entries.iter().map(|(k, _)| k));
            T::Map(Box::new(key), Box::new(first_type(entries.iter().map(|(_, v)| v))), nulls)
        }
        Value::Struct(fields) => T::Struct(
            fields.iter().map(|(n, v)| StructField::new(n.as_str(), type_of(v), is_null(v))).collect(),
        ),
        Value::NullOf(data_type) => data_type.clone(),
    }
}

fn first_type<'v>(values: impl Iterator<Item = &'v Value>) -> SparkType {
    let mut known = values.map(type_of).filter(|t| *t != SparkType::Null);
    known.next().unwrap_or(SparkType::Null)
}

fn is_null(value: &Value) -> bool {
    matches!(value, Value::Null | Value::NullOf(_))
}

/// A column of constants, each brought to `data_type` where that loses nothing.
///
/// # Errors
/// A value of another type.
pub(crate) fn array_of(values: &[&Value], data_type: &SparkType) -> Result<ArrayRef> {
    match data_type {
        SparkType::Array(..) => lists(values, data_type),
        SparkType::Map(..) => maps(values, data_type),
        SparkType::Struct(fields) => structs(values, fields),
        _ if values.is_empty() => Ok(new_empty_array(&data_type.to_arrow())),
        SparkType::Null => Ok(new_null_array(&DataType::Null, values.len())),
        _ => {
            let scalars = values.iter().map(|v| scalar(v, data_type)).collect::<Result<Vec<_>>>()?;
            Ok(ScalarValue::iter_to_array(scalars)?)
        }
    }
}

fn scalar(value: &Value, data_type: &SparkType) -> Result<ScalarValue> {
    use SparkType as T;
    if is_null(value) {
        return Ok(ScalarValue::try_new_null(&data_type.to_arrow())?);
    }
    Ok(match (value, data_type) {
        (Value::Boolean(v), T::Boolean) => ScalarValue::Boolean(Some(*v)),
        (Value::Float(v), T::Float) => ScalarValue::Float32(Some(*v)),
        (Value::Float(v), T::Double) => ScalarValue::Float64(Some(f64::from(*v))),
        (Value::Double(v), T::Double) => ScalarValue::Float64(Some(*v)),
        #[expect(clippy::cast_possible_truncation, reason = "FLOAT columns are filled from 64 bit numbers")]
        (Value::Double(v), T::Float) => ScalarValue::Float32(Some(*v as f32)),
        (Value::Decimal { unscaled, scale, .. }, T::Decimal(p, s)) => {
            let value_in_scale =
                functions::rescale(*unscaled, *scale, *s).ok_or_else(|| mismatch(value, data_type))?;
            ScalarValue::Decimal128(Some(value_in_scale), *p, functions::signed(*s))
        }
        (Value::String(v), T::String) => ScalarValue::Utf8View(Some(v.clone())),
        (Value::Binary(v), T::Binary) => ScalarValue::BinaryView(Some(v.clone())),
        (Value::Date(v), T::Date) => ScalarValue::Date32(Some(*v)),
        (Value::Timestamp(v), T::Timestamp) => {
            ScalarValue::TimestampMicrosecond(Some(*v), Some("UTC".into()))
        }
        (Value::TimestampNtz(v), T::TimestampNtz) => ScalarValue::TimestampMicrosecond(Some(*v), None),
        (Value::DayTimeInterval { microseconds, .. }, T::DayTimeInterval(..)) => {
            ScalarValue::DurationMicrosecond(Some(*microseconds))
        }
        (Value::YearMonthInterval { months, .. }, T::YearMonthInterval(..)) => {
            ScalarValue::IntervalYearMonth(Some(*months))
        }
        (Value::Array(_) | Value::Map(_) | Value::Struct(_), _) => {
            ScalarValue::try_from_array(&array_of(&[value], data_type)?, 0)?
        }
        _ => number(value, data_type).ok_or_else(|| mismatch(value, data_type))?,
    })
}

/// An integer as any number type that holds it.
fn number(value: &Value, data_type: &SparkType) -> Option<ScalarValue> {
    use SparkType as T;
    let whole: i64 = match value {
        Value::Byte(v) => i64::from(*v),
        Value::Short(v) => i64::from(*v),
        Value::Integer(v) => i64::from(*v),
        Value::Long(v) => *v,
        _ => return None,
    };
    Some(match data_type {
        T::Byte => ScalarValue::Int8(Some(i8::try_from(whole).ok()?)),
        T::Short => ScalarValue::Int16(Some(i16::try_from(whole).ok()?)),
        T::Integer => ScalarValue::Int32(Some(i32::try_from(whole).ok()?)),
        T::Long => ScalarValue::Int64(Some(whole)),
        #[expect(clippy::cast_precision_loss, reason = "as any number given for a floating-point column")]
        T::Float => ScalarValue::Float32(Some(whole as f32)),
        #[expect(clippy::cast_precision_loss, reason = "as any number given for a floating-point column")]
        T::Double => ScalarValue::Float64(Some(whole as f64)),
        T::Decimal(p, s) => {
            let unscaled = functions::rescale(i128::from(whole), 0, *s)?;
            ScalarValue::Decimal128(Some(unscaled), *p, functions::signed(*s))
        }
        _ => return None,
    })
}

fn lists(values: &[&Value], data_type: &SparkType) -> Result<ArrayRef> {
    let (SparkType::Array(element, _), DataType::List(field)) = (data_type, data_type.to_arrow()) else {
        return Err(internal("an array is a list"));
    };
    let mut items = Vec::new();
    let mut lengths = Vec::with_capacity(values.len());
    for value in values {
        let own: &[Value] = match value {
            Value::Array(own) => own,
            other if is_null(other) => &[],
            other => return Err(mismatch(other, data_type)),
        };
        items.extend(own);
        lengths.push(own.len());
    }
    let items = array_of(&items, element)?;
    let list = ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), items, nulls(values));
    Ok(Arc::new(list.map_err(arrow)?))
}

fn maps(values: &[&Value], data_type: &SparkType) -> Result<ArrayRef> {
    let (SparkType::Map(key, value_type, _), DataType::Map(field, sorted)) =
        (data_type, data_type.to_arrow())
    else {
        return Err(internal("a map is a map"));
    };
    let (mut keys, mut items, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        let own: &[(Value, Value)] = match value {
            Value::Map(own) => own,
            other if is_null(other) => &[],
            other => return Err(mismatch(other, data_type)),
        };
        keys.extend(own.iter().map(|(k, _)| k));
        items.extend(own.iter().map(|(_, v)| v));
        lengths.push(own.len());
    }
    let DataType::Struct(fields) = field.data_type() else { return Err(internal("entries are a struct")) };
    let columns = vec![array_of(&keys, key)?, array_of(&items, value_type)?];
    let entries = StructArray::try_new(fields.clone(), columns, None).map_err(arrow)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    let map = MapArray::try_new(field.clone(), offsets, entries, nulls(values), sorted);
    Ok(Arc::new(map.map_err(arrow)?))
}

fn structs(values: &[&Value], fields: &StructType) -> Result<ArrayRef> {
    let data_type = SparkType::Struct(fields.clone());
    if fields.fields.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(values.len(), nulls(values))));
    }
    let mut columns = Vec::with_capacity(fields.fields.len());
    for (index, field) in fields.fields.iter().enumerate() {
        let null = Value::Null;
        let column = values
            .iter()
            .map(|value| match value {
                Value::Struct(own) if own.len() == fields.fields.len() => Ok(&own[index].1),
                other if is_null(other) => Ok(&null),
                other => Err(mismatch(other, &data_type)),
            })
            .collect::<Result<Vec<_>>>()?;
        columns.push(array_of(&column, &field.data_type)?);
    }
    let array = StructArray::try_new(fields.to_arrow_fields(), columns, nulls(values));
    Ok(Arc::new(array.map_err(arrow)?))
}

fn nulls(values: &[&Value]) -> Option<NullBuffer> {
    let valid: Vec<bool> = values.iter().map(|v| !is_null(v)).collect();
    valid.contains(&false).then(|| NullBuffer::from(valid))
}

fn mismatch(value: &Value, data_type: &SparkType) -> Error {
    let found = type_of(value);
    errors::spark(
        "FIELD_DATA_TYPE_UNACCEPTABLE_WITH_NAME",
        [
            ("data_type", errors::quoted_type(data_type)),
            ("obj", format!("{value:?}")),
            ("obj_type", found.sql()),
        ],
    )
}

fn internal(what: &str) -> Error {
    DataFusionError::Internal(what.to_owned()).into()
}

fn arrow(error: arrow_schema::ArrowError) -> Error {
    DataFusionError::from(error).into()
}

/// As Spark prints a constant in a column name: text without quotes.
fn print(value: &Value, scalar: &ScalarValue, conf: &Conf) -> String {
    match value {
        Value::Null | Value::NullOf(_) => "NULL".to_owned(),
        Value::Boolean(v) => v.to_string(),
        Value::String(v) => v.clone(),
        Value::Binary(v) => {
            let digits: String = v.iter().map(|b| format!("{b:02X}")).collect();
            format!("X'{digits}'")
        }
        Value::Date(_) => format!("DATE '{}'", shown(scalar, conf)),
        Value::Timestamp(_) => format!("TIMESTAMP '{}'", shown(scalar, conf)),
        Value::TimestampNtz(_) => format!("TIMESTAMP_NTZ '{}'", shown(scalar, conf)),
        Value::DayTimeInterval { microseconds, from, to } => {
            day_time_interval_text(*microseconds, *from, *to)
        }
        Value::YearMonthInterval { months, from, to } => year_month_interval_text(*months, *from, *to),
        _ => shown(scalar, conf),
    }
}

fn shown(scalar: &ScalarValue, conf: &Conf) -> String {
    let text = || -> Option<String> {
        let zone = functions::zone(conf.time_zone()).ok()?;
        let array = scalar.to_array().ok()?;
        let text = millstream_columnar::text::cast_to_string(array.as_ref(), &zone).ok()?;
        Some(text.value(0).to_owned())
    };
    text().unwrap_or_else(|| scalar.to_string())
}

/// Columns of constants under the given names.
pub(crate) fn columns_of(rows: &[Vec<Value>], schema: &StructType) -> Result<Vec<ArrayRef>> {
    let width = schema.fields.len();
    if let Some(row) = rows.iter().find(|row| row.len() != width) {
        let message = format!("a row has {} values, the schema has {width} columns", row.len());
        return Err(DataFusionError::Plan(message).into());
    }
    (0..width)
        .map(|i| {
            let column: Vec<&Value> = rows.iter().map(|row| &row[i]).collect();
            array_of(&column, &schema.fields[i].data_type)
        })
        .collect()
}
