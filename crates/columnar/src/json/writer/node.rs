//! The writers of values: one node per array of the batch, bound once and then asked row by row.

use arrow_array::cast::AsArray;
use arrow_array::*;
use arrow_schema::{DataType, Fields, IntervalUnit, TimeUnit};

use super::JsonWriter;
use crate::json::base64;
use crate::json::escape::append_quoted;
use crate::text::{
    append_day_time_interval, append_decimal, append_f32, append_f64, append_i64, append_year_month_interval,
};
use crate::{Error, Result};

/// An array whose values are written.
pub(super) enum Node<'a> {
    Null,
    Boolean(&'a BooleanArray),
    Int8(&'a Int8Array),
    Int16(&'a Int16Array),
    Int32(&'a Int32Array),
    Int64(&'a Int64Array),
    Float32(&'a Float32Array),
    Float64(&'a Float64Array),
    Decimal(&'a Decimal128Array, i8),
    String(&'a StringViewArray),
    Binary(&'a BinaryViewArray),
    Date(&'a Date32Array),
    Timestamp(&'a TimestampMicrosecondArray),
    TimestampNtz(&'a TimestampMicrosecondArray),
    DayTime(&'a DurationMicrosecondArray),
    YearMonth(&'a IntervalYearMonthArray),
    List(&'a ListArray, Box<Node<'a>>),
    Struct(Members<'a>),
    Map(&'a MapArray, Box<Node<'a>>, Box<Node<'a>>),
}

/// The fields of a struct.
pub(super) struct Members<'a> {
    members: Vec<Member<'a>>,
}

struct Member<'a> {
    /// `,"name":` ready to be written.
    prefix: String,
    array: &'a dyn Array,
    node: Node<'a>,
}

impl<'a> Node<'a> {
    pub fn bind(array: &'a dyn Array) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Null => Self::Null,
            DataType::Boolean => Self::Boolean(array.as_boolean()),
            DataType::Int8 => Self::Int8(array.as_primitive()),
            DataType::Int16 => Self::Int16(array.as_primitive()),
            DataType::Int32 => Self::Int32(array.as_primitive()),
            DataType::Int64 => Self::Int64(array.as_primitive()),
            DataType::Float32 => Self::Float32(array.as_primitive()),
            DataType::Float64 => Self::Float64(array.as_primitive()),
            DataType::Decimal128(_, scale) => Self::Decimal(array.as_primitive(), *scale),
            DataType::Utf8View => Self::String(array.as_string_view()),
            DataType::BinaryView => Self::Binary(array.as_binary_view()),
            DataType::Date32 => Self::Date(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => Self::Timestamp(array.as_primitive()),
            DataType::Timestamp(TimeUnit::Microsecond, None) => Self::TimestampNtz(array.as_primitive()),
            DataType::Duration(TimeUnit::Microsecond) => Self::DayTime(array.as_primitive()),
            DataType::Interval(IntervalUnit::YearMonth) => Self::YearMonth(array.as_primitive()),
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                Self::List(list, Box::new(Self::bind(list.values())?))
            }
            DataType::Struct(fields) => Self::Struct(Members::bind(fields, array.as_struct().columns())?),
            DataType::Map(_, _) => {
                let map = array.as_map();
                Self::Map(map, Box::new(Self::bind(map.keys())?), Box::new(Self::bind(map.values())?))
            }
            other => return Err(Error::UnsupportedType { operation: "to_json", data_type: other.clone() }),
        })
    }

    /// Appends the value of a row, which is not null.
    pub fn append<const PRETTY: bool>(
        &self,
        row: usize,
        nesting: usize,
        writer: &JsonWriter,
        out: &mut String,
    ) -> Result<()> {
        match self {
            Self::String(array) => append_quoted(array.value(row), out),
            Self::Int64(array) => append_i64(array.value(row), out),
            Self::Int32(array) => append_i64(array.value(row).into(), out),
            Self::Float64(array) => append_float(array.value(row), out),
            Self::Boolean(array) => out.push_str(if array.value(row) { "true" } else { "false" }),
            Self::Timestamp(array) => {
                return quoted(out, |out| writer.formats.append_timestamp(array.value(row), out));
            }
            Self::Struct(members) => return members.append::<PRETTY>(row, nesting, writer, out),
            Self::List(array, values) => {
                let offsets = array.value_offsets();
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                return append_list::<PRETTY>(array.values(), values, range, nesting, writer, out);
            }
            Self::Map(array, keys, values) => {
                let offsets = array.value_offsets();
                let range = offsets[row] as usize..offsets[row + 1] as usize;
                let mut entries = Braces::<PRETTY>::open(out);
                for at in range {
                    entries.separate(nesting, out);
                    keys.append_key(at, out);
                    out.push_str(if PRETTY { " : " } else { ":" });
                    values.append_nullable::<PRETTY>(array.values(), at, nesting + 1, writer, out)?;
                }
                entries.close(nesting, out);
            }
            other => return other.append_rarer(row, writer, out),
        }
        Ok(())
    }

    fn append_rarer(&self, row: usize, writer: &JsonWriter, out: &mut String) -> Result<()> {
        match self {
            Self::Int8(array) => append_i64(array.value(row).into(), out),
            Self::Int16(array) => append_i64(array.value(row).into(), out),
            Self::Float32(array) => {
                let value = array.value(row);
                if value.is_finite() { append_f32(value, out) } else { append_float(value.into(), out) }
            }
            Self::Decimal(array, scale) => append_decimal(array.value(row), *scale, out),
            Self::Binary(array) => {
                out.push('"');
                base64::encode(array.value(row), out);
                out.push('"');
            }
            Self::Date(array) => return quoted(out, |out| writer.formats.append_date(array.value(row), out)),
            Self::TimestampNtz(array) => {
                return quoted(out, |out| writer.formats.append_timestamp_ntz(array.value(row), out));
            }
            Self::DayTime(array) => {
                out.push('"');
                append_day_time_interval(array.value(row), out);
                out.push('"');
            }
            Self::YearMonth(array) => {
                out.push('"');
                append_year_month_interval(array.value(row), out);
                out.push('"');
            }
            _ => out.push_str("null"),
        }
        Ok(())
    }

    fn append_nullable<const PRETTY: bool>(
        &self,
        array: &dyn Array,
        row: usize,
        nesting: usize,
        writer: &JsonWriter,
        out: &mut String,
    ) -> Result<()> {
        if array.is_null(row) {
            out.push_str("null");
            return Ok(());
        }
        self.append::<PRETTY>(row, nesting, writer, out)
    }

    /// A map key: Spark takes its internal value as text, so dates are days and timestamps microseconds.
    fn append_key(&self, row: usize, out: &mut String) {
        match self {
            Self::String(array) => return append_quoted(array.value(row), out),
            _ => out.push('"'),
        }
        match self {
            Self::Boolean(array) => out.push_str(if array.value(row) { "true" } else { "false" }),
            Self::Int8(array) => append_i64(array.value(row).into(), out),
            Self::Int16(array) => append_i64(array.value(row).into(), out),
            Self::Int32(array) => append_i64(array.value(row).into(), out),
            Self::Int64(array) => append_i64(array.value(row), out),
            Self::Float32(array) => append_f32(array.value(row), out),
            Self::Float64(array) => append_f64(array.value(row), out),
            Self::Decimal(array, scale) => append_decimal(array.value(row), *scale, out),
            Self::Date(array) => append_i64(array.value(row).into(), out),
            Self::Timestamp(array) | Self::TimestampNtz(array) => append_i64(array.value(row), out),
            Self::DayTime(array) => append_day_time_interval(array.value(row), out),
            Self::YearMonth(array) => append_year_month_interval(array.value(row), out),
            Self::Binary(array) => base64::encode(array.value(row), out),
            Self::Null | Self::String(_) | Self::List(..) | Self::Struct(_) | Self::Map(..) => {}
        }
        out.push('"');
    }
}

impl<'a> Members<'a> {
    pub fn bind(fields: &Fields, columns: &'a [ArrayRef]) -> Result<Self> {
        let bind = |(field, column): (&arrow_schema::FieldRef, &'a ArrayRef)| -> Result<Member<'a>> {
            let mut prefix = String::from(",");
            append_quoted(field.name(), &mut prefix);
            prefix.push(':');
            Ok(Member { prefix, array: column.as_ref(), node: Node::bind(column)? })
        };
        Ok(Self { members: fields.iter().zip(columns).map(bind).collect::<Result<_>>()? })
    }

    /// Appends the struct of a row.
    pub fn append<const PRETTY: bool>(
        &self,
        row: usize,
        nesting: usize,
        writer: &JsonWriter,
        out: &mut String,
    ) -> Result<()> {
        let mut braces = Braces::<PRETTY>::open(out);
        for member in &self.members {
            let is_null = member.array.is_null(row) || matches!(member.node, Node::Null);
            if is_null && writer.ignore_null_fields {
                continue;
            }
            if PRETTY {
                braces.separate(nesting, out);
                out.push_str(&member.prefix[1..member.prefix.len() - 1]);
                out.push_str(" : ");
            } else {
                out.push_str(&member.prefix[usize::from(braces.empty)..]);
                braces.empty = false;
            }
            if is_null {
                out.push_str("null");
            } else {
                member.node.append::<PRETTY>(row, nesting + 1, writer, out)?;
            }
        }
        braces.close(nesting, out);
        Ok(())
    }
}

fn append_list<const PRETTY: bool>(
    array: &dyn Array,
    values: &Node<'_>,
    range: std::ops::Range<usize>,
    nesting: usize,
    writer: &JsonWriter,
    out: &mut String,
) -> Result<()> {
    out.push('[');
    for (index, at) in range.enumerate() {
        if index > 0 {
            out.push(',');
        }
        if PRETTY {
            out.push(' ');
        }
        // Arrays stay on their line and do not indent what is in them.
        values.append_nullable::<PRETTY>(array, at, nesting, writer, out)?;
    }
    out.push_str(if PRETTY { " ]" } else { "]" });
    Ok(())
}

/// Braces around members, each on a line of its own in pretty form.
struct Braces<const PRETTY: bool> {
    empty: bool,
}

impl<const PRETTY: bool> Braces<PRETTY> {
    fn open(out: &mut String) -> Self {
        out.push('{');
        Self { empty: true }
    }

    fn separate(&mut self, nesting: usize, out: &mut String) {
        if !self.empty {
            out.push(',');
        }
        if PRETTY {
            indent(nesting + 1, out);
        }
        self.empty = false;
    }

    fn close(self, nesting: usize, out: &mut String) {
        match (PRETTY, self.empty) {
            (true, true) => out.push(' '),
            (true, false) => indent(nesting, out),
            _ => {}
        }
        out.push('}');
    }
}

fn indent(nesting: usize, out: &mut String) {
    out.push('\n');
    (0..nesting).for_each(|_| out.push_str("  "));
}

fn quoted(out: &mut String, append: impl FnOnce(&mut String) -> Result<()>) -> Result<()> {
    out.push('"');
    append(out)?;
    out.push('"');
    Ok(())
}

/// Java's text, in quotes for what JSON has no number for.
fn append_float(value: f64, out: &mut String) {
    if value.is_finite() {
        append_f64(value, out);
    } else {
        out.push('"');
        append_f64(value, out);
        out.push('"');
    }
}
