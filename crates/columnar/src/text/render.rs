//! Any value as text: `CAST(x AS STRING)` and the cells of `show`.
//!
//! Arrays are `[1, 2]`, structs `{1, a}`, maps `{k -> v}`. A cast writes `null` for nulls inside of these and
//! takes binary as UTF-8; `show` writes `NULL` and binary as `[00 FF 41]`.

use std::fmt::Write as _;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, StringViewArray, builder::StringViewBuilder};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};

use super::{
    append_date, append_day_time_interval, append_decimal, append_f32, append_f64, append_i64,
    append_timestamp, append_timestamp_ntz, append_year_month_interval, decode_lossy_java,
};
use crate::datetime::TimeZone;
use crate::{Error, Result};

/// Whose text is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `CAST(x AS STRING)`.
    Cast,
    /// `show`.
    Show,
}

/// Writes the values of one array.
pub struct Renderer<'a> {
    node: Node<'a>,
    zone: TimeZone,
    style: Style,
}

/// A column as string; null stays null.
pub fn cast_to_string(array: &dyn Array, zone: &TimeZone) -> Result<StringViewArray> {
    let renderer = Renderer::new(array, zone, Style::Cast)?;
    let nulls = array.logical_nulls();
    let mut builder = StringViewBuilder::with_capacity(array.len());
    let mut text = String::new();
    for row in 0..array.len() {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            builder.append_null();
        } else {
            text.clear();
            renderer.append(row, &mut text);
            builder.append_value(&text);
        }
    }
    Ok(builder.finish())
}

impl<'a> Renderer<'a> {
    /// For an array of one of the table's types ([`crate::types`]).
    pub fn new(array: &'a dyn Array, zone: &TimeZone, style: Style) -> Result<Self> {
        Ok(Self { node: Node::new(array)?, zone: *zone, style })
    }

    /// Appends the value of a row.
    pub fn append(&self, row: usize, out: &mut String) {
        self.node.append(row, self, out);
    }
}

struct Node<'a> {
    array: &'a dyn Array,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Null,
    Boolean,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Decimal(i8),
    String,
    Binary,
    Date,
    Timestamp,
    TimestampNtz,
    DayTime,
    YearMonth,
    List(Box<Node<'a>>),
    Struct(Vec<Node<'a>>),
    Map(Box<Node<'a>>, Box<Node<'a>>),
}

impl<'a> Node<'a> {
    fn new(array: &'a dyn Array) -> Result<Self> {
        let kind = match array.data_type() {
            DataType::Null => Kind::Null,
            DataType::Boolean => Kind::Boolean,
            DataType::Int8 => Kind::Int8,
            DataType::Int16 => Kind::Int16,
            DataType::Int32 => Kind::Int32,
            DataType::Int64 => Kind::Int64,
            DataType::Float32 => Kind::Float32,
            DataType::Float64 => Kind::Float64,
            DataType::Decimal128(_, scale) => Kind::Decimal(*scale),
            DataType::Utf8View => Kind::String,
            DataType::BinaryView => Kind::Binary,
            DataType::Date32 => Kind::Date,
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => Kind::Timestamp,
            DataType::Timestamp(TimeUnit::Microsecond, None) => Kind::TimestampNtz,
            DataType::Duration(TimeUnit::Microsecond) => Kind::DayTime,
            DataType::Interval(IntervalUnit::YearMonth) => Kind::YearMonth,
            DataType::List(_) => Kind::List(Box::new(Self::new(array.as_list::<i32>().values())?)),
            DataType::Struct(_) => Kind::Struct(
                array.as_struct().columns().iter().map(|column| Self::new(column)).collect::<Result<_>>()?,
            ),
            DataType::Map(_, _) => {
                let map = array.as_map();
                Kind::Map(Box::new(Self::new(map.keys())?), Box::new(Self::new(map.values())?))
            }
            other => {
                return Err(Error::UnsupportedType { operation: "cast to string", data_type: other.clone() });
            }
        };
        Ok(Self { array, kind })
    }

    fn append(&self, row: usize, renderer: &Renderer<'_>, out: &mut String) {
        if self.array.is_null(row) || matches!(self.kind, Kind::Null) {
            out.push_str(if renderer.style == Style::Cast { "null" } else { "NULL" });
            return;
        }
        let array = self.array;
        match &self.kind {
            Kind::Null => {}
            Kind::Boolean => out.push_str(if array.as_boolean().value(row) { "true" } else { "false" }),
            Kind::Int8 => append_i64(array.as_primitive::<Int8Type>().value(row).into(), out),
            Kind::Int16 => append_i64(array.as_primitive::<Int16Type>().value(row).into(), out),
            Kind::Int32 => append_i64(array.as_primitive::<Int32Type>().value(row).into(), out),
            Kind::Int64 => append_i64(array.as_primitive::<Int64Type>().value(row), out),
            Kind::Float32 => append_f32(array.as_primitive::<Float32Type>().value(row), out),
            Kind::Float64 => append_f64(array.as_primitive::<Float64Type>().value(row), out),
            Kind::Decimal(scale) => {
                append_decimal(array.as_primitive::<Decimal128Type>().value(row), *scale, out)
            }
            Kind::String => out.push_str(array.as_string_view().value(row)),
            Kind::Binary => append_binary(array.as_binary_view().value(row), renderer.style, out),
            Kind::Date => append_date(array.as_primitive::<Date32Type>().value(row), out),
            Kind::Timestamp => {
                let micros = array.as_primitive::<TimestampMicrosecondType>().value(row);
                append_timestamp(micros, &renderer.zone, out);
            }
            Kind::TimestampNtz => {
                append_timestamp_ntz(array.as_primitive::<TimestampMicrosecondType>().value(row), out);
            }
            Kind::DayTime => {
                append_day_time_interval(array.as_primitive::<DurationMicrosecondType>().value(row), out);
            }
            Kind::YearMonth => {
                append_year_month_interval(array.as_primitive::<IntervalYearMonthType>().value(row), out);
            }
            Kind::List(values) => {
                let offsets = array.as_list::<i32>().value_offsets();
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                join('[', ']', range, out, |at, out| values.append(at, renderer, out));
            }
            Kind::Struct(fields) => {
                join('{', '}', 0..fields.len(), out, |field, out| fields[field].append(row, renderer, out));
            }
            Kind::Map(keys, values) => {
                let offsets = array.as_map().value_offsets();
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                join('{', '}', range, out, |at, out| {
                    keys.append(at, renderer, out);
                    out.push_str(" -> ");
                    values.append(at, renderer, out);
                });
            }
        }
    }
}

fn join(
    open: char,
    close: char,
    items: std::ops::Range<usize>,
    out: &mut String,
    append: impl Fn(usize, &mut String),
) {
    out.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        append(item, out);
    }
    out.push(close);
}

fn append_binary(bytes: &[u8], style: Style, out: &mut String) {
    if style == Style::Cast {
        return decode_lossy_java(bytes, out);
    }
    out.push('[');
    for (index, byte) in bytes.iter().enumerate() {
        let _ = write!(out, "{}{byte:02X}", if index > 0 { " " } else { "" });
    }
    out.push(']');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BinaryViewArray, Int32Array, StructArray, builder::*};
    use arrow_schema::{Field, Fields};

    use super::*;

    #[test]
    fn nested_values_are_written_as_spark_writes_them() {
        let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        map.keys().append_value("k");
        map.values().append_value(1);
        map.keys().append_value("j");
        map.values().append_null();
        map.append(true).unwrap();
        let map = crate::text::render::tests::retyped(&map.finish());
        let fields = Fields::from(vec![
            Field::new("a", DataType::Int32, true),
            Field::new("b", DataType::BinaryView, true),
            Field::new("m", map.data_type().clone(), true),
        ]);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(vec![None])),
            Arc::new(BinaryViewArray::from(vec![b"\x00A".as_slice()])),
            map,
        ];
        let row = StructArray::new(fields, columns, None);
        let text = |style| {
            let mut out = String::new();
            Renderer::new(&row, &TimeZone::UTC, style).unwrap().append(0, &mut out);
            out
        };
        assert_eq!(text(Style::Cast), "{null, \u{0}A, {k -> 1, j -> null}}");
        assert_eq!(text(Style::Show), "{NULL, [00 41], {k -> 1, j -> NULL}}");
        assert_eq!(cast_to_string(&row, &TimeZone::UTC).unwrap().value(0), text(Style::Cast));
    }

    /// A map with keys of the table's string type.
    fn retyped(map: &arrow_array::MapArray) -> ArrayRef {
        let target = crate::types::map(DataType::Utf8View, DataType::Int32, true);
        arrow_cast::cast(map, &target).unwrap()
    }
}
