//! A plan of writing bound to the arrays of one batch.

use std::collections::HashMap;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, BinaryViewArray, BooleanArray, StringViewArray};
use arrow_buffer::{NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, IntervalUnit, TimeUnit};

use super::plan::{Emit, FieldEmit};
use crate::{Error, Result};

/// What to write of each row, with the validity of the array it comes from.
pub(super) struct Bound<'a> {
    nulls: Option<&'a NullBuffer>,
    what: What<'a>,
}

enum What<'a> {
    Null,
    Boolean(&'a BooleanArray),
    Byte(&'a ScalarBuffer<i8>),
    Short(&'a ScalarBuffer<i16>),
    Int(&'a ScalarBuffer<i32>),
    Long(&'a ScalarBuffer<i64>),
    Millis(&'a ScalarBuffer<i64>),
    Float(&'a ScalarBuffer<f32>),
    Double(&'a ScalarBuffer<f64>),
    String(&'a StringViewArray),
    Bytes(&'a BinaryViewArray),
    Fixed(&'a BinaryViewArray, usize),
    Decimal(&'a ScalarBuffer<i128>, Option<usize>),
    Enum(&'a StringViewArray, &'a HashMap<String, i64>),
    List(&'a [i32], Box<Bound<'a>>),
    Map(&'a [i32], &'a StringViewArray, Box<Bound<'a>>),
    Record(Vec<(&'a FieldEmit, Option<Bound<'a>>)>),
    Union { null: Option<i64>, value: i64, of: Box<Bound<'a>> },
    Members { null: Option<i64>, branches: Vec<(i64, Bound<'a>)> },
}

/// Why a row cannot be written.
pub(super) enum Stop {
    /// Null in a field whose type has none.
    Null {
        name: String,
        written: String,
    },
    Value(String),
}

impl<'a> Bound<'a> {
    /// The array is of the type that the plan was compiled for.
    pub fn new(emit: &'a Emit, array: &'a dyn Array) -> Result<Self> {
        let what = match emit {
            Emit::Null => What::Null,
            Emit::Boolean => What::Boolean(array.as_boolean()),
            Emit::Int => match array.data_type() {
                DataType::Int8 => What::Byte(array.as_primitive::<Int8Type>().values()),
                DataType::Int16 => What::Short(array.as_primitive::<Int16Type>().values()),
                DataType::Date32 => What::Int(array.as_primitive::<Date32Type>().values()),
                DataType::Interval(IntervalUnit::YearMonth) => {
                    What::Int(array.as_primitive::<IntervalYearMonthType>().values())
                }
                _ => What::Int(array.as_primitive::<Int32Type>().values()),
            },
            Emit::Long => What::Long(longs(array)),
            Emit::Millis => What::Millis(longs(array)),
            Emit::Float => What::Float(array.as_primitive::<Float32Type>().values()),
            Emit::Double => What::Double(array.as_primitive::<Float64Type>().values()),
            Emit::String => What::String(array.as_string_view()),
            Emit::Bytes => What::Bytes(array.as_binary_view()),
            Emit::Fixed(size) => What::Fixed(array.as_binary_view(), *size),
            Emit::Decimal(size) => What::Decimal(array.as_primitive::<Decimal128Type>().values(), *size),
            Emit::Enum(symbols) => What::Enum(array.as_string_view(), symbols),
            Emit::List(of) => {
                let list = array.as_list::<i32>();
                What::List(list.value_offsets(), Box::new(Bound::new(of, list.values().as_ref())?))
            }
            Emit::Map(of) => {
                let map = array.as_map();
                let keys = map.keys().as_string_view();
                What::Map(map.value_offsets(), keys, Box::new(Bound::new(of, map.values().as_ref())?))
            }
            Emit::Record(fields) => {
                let columns = array.as_struct();
                let bind = |field: &'a FieldEmit| {
                    let column = field.column.map(|at| Bound::new(&field.of, columns.column(at).as_ref()));
                    Ok((field, column.transpose()?))
                };
                What::Record(fields.iter().map(bind).collect::<Result<_>>()?)
            }
            Emit::Union { null, value, of } => {
                What::Union { null: *null, value: *value, of: Box::new(Bound::new(of, array)?) }
            }
            Emit::Members { null, branches } => {
                let columns = array.as_struct();
                if columns.num_columns() != branches.len() {
                    return Err(Error::Misuse("a union was compiled for another struct".into()));
                }
                let bind = |((at, of), column): (&'a (i64, Emit), &'a arrow_array::ArrayRef)| {
                    Ok((*at, Bound::new(of, column.as_ref())?))
                };
                let branches = branches.iter().zip(columns.columns()).map(bind).collect::<Result<_>>()?;
                What::Members { null: *null, branches }
            }
        };
        Ok(Self { nulls: array.nulls(), what })
    }

    fn is_null(&self, row: usize) -> bool {
        matches!(self.what, What::Null) || self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    /// Appends the value of a row. On an error `path` holds the fields around it, the innermost first.
    pub fn write(&self, row: usize, out: &mut Vec<u8>, path: &mut Vec<&'a str>) -> Result<(), Stop> {
        match &self.what {
            What::Union { null: Some(null), .. } | What::Members { null: Some(null), .. }
                if self.is_null(row) =>
            {
                write_long(*null, out);
                return Ok(());
            }
            What::Null => return Ok(()),
            _ if self.is_null(row) => return Err(Stop::Value("null where the schema has no null".into())),
            _ => {}
        }
        self.value(row, out, path)
    }

    fn value(&self, row: usize, out: &mut Vec<u8>, path: &mut Vec<&'a str>) -> Result<(), Stop> {
        match &self.what {
            What::Null => {}
            What::Boolean(v) => out.push(u8::from(v.value(row))),
            What::Byte(v) => write_long(i64::from(v[row]), out),
            What::Short(v) => write_long(i64::from(v[row]), out),
            What::Int(v) => write_long(i64::from(v[row]), out),
            What::Long(v) => write_long(v[row], out),
            What::Millis(v) => write_long(v[row].div_euclid(1000), out),
            What::Float(v) => out.extend_from_slice(&v[row].to_le_bytes()),
            What::Double(v) => out.extend_from_slice(&v[row].to_le_bytes()),
            What::String(v) => write_bytes(v.value(row).as_bytes(), out),
            What::Bytes(v) => write_bytes(v.value(row), out),
            What::Fixed(v, size) => write_fixed(v.value(row), *size, out)?,
            What::Decimal(v, size) => write_decimal(v[row], *size, out),
            What::Enum(v, symbols) => match symbols.get(v.value(row)) {
                Some(index) => write_long(*index, out),
                None => {
                    let why = format!("{:?} cannot be written since it's not defined in enum", v.value(row));
                    return Err(Stop::Value(why));
                }
            },
            What::List(ends, of) => {
                let (start, end) = (ends[row] as usize, ends[row + 1] as usize);
                write_count(end - start, out);
                for item in start..end {
                    of.write(item, out, path).inspect_err(|_| path.push("element"))?;
                }
                out.push(0);
            }
            What::Map(ends, keys, of) => {
                let (start, end) = (ends[row] as usize, ends[row + 1] as usize);
                write_count(end - start, out);
                for entry in start..end {
                    write_bytes(keys.value(entry).as_bytes(), out);
                    of.write(entry, out, path).inspect_err(|_| path.push("value"))?;
                }
                out.push(0);
            }
            What::Record(fields) => {
                for (field, column) in fields {
                    write_field(field, column.as_ref(), row, out, path)?;
                }
            }
            What::Union { value, of, .. } => {
                write_long(*value, out);
                of.write(row, out, path)?;
            }
            What::Members { null, branches } => {
                match branches.iter().find(|(_, branch)| !branch.is_null(row)) {
                    Some((index, branch)) => {
                        write_long(*index, out);
                        branch.write(row, out, path)?;
                    }
                    None => match null {
                        Some(null) => write_long(*null, out),
                        None => return Err(Stop::Value("all members of the union are null".into())),
                    },
                }
            }
        }
        Ok(())
    }
}

fn write_field<'a>(
    field: &'a FieldEmit,
    column: Option<&Bound<'a>>,
    row: usize,
    out: &mut Vec<u8>,
    path: &mut Vec<&'a str>,
) -> Result<(), Stop> {
    match column {
        None => match &field.of {
            Emit::Union { null: Some(null), .. } => write_long(*null, out),
            _ => return Err(Stop::Value(format!("the field {} has no column", field.name))),
        },
        Some(column) => {
            let nullable = matches!(
                column.what,
                What::Null | What::Union { null: Some(_), .. } | What::Members { null: Some(_), .. }
            );
            if !nullable && column.is_null(row) {
                return Err(Stop::Null { name: field.name.clone(), written: field.written.clone() });
            }
            column.write(row, out, path).inspect_err(|_| path.push(&field.name))?;
        }
    }
    Ok(())
}

fn write_fixed(value: &[u8], size: usize, out: &mut Vec<u8>) -> Result<(), Stop> {
    if value.len() != size {
        return Err(Stop::Value(format!(
            "{} bytes of binary data cannot be written into FIXED type with size of {size} bytes",
            value.len()
        )));
    }
    out.extend_from_slice(value);
    Ok(())
}

fn longs(array: &dyn Array) -> &ScalarBuffer<i64> {
    match array.data_type() {
        DataType::Timestamp(..) => array.as_primitive::<TimestampMicrosecondType>().values(),
        DataType::Duration(TimeUnit::Microsecond) => array.as_primitive::<DurationMicrosecondType>().values(),
        _ => array.as_primitive::<Int64Type>().values(),
    }
}

/// An int or a long: zigzag, 7 bits a byte.
pub(in crate::avro) fn write_long(value: i64, out: &mut Vec<u8>) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Bytes or a string: the length, then the bytes.
pub(in crate::avro) fn write_bytes(value: &[u8], out: &mut Vec<u8>) {
    write_long(value.len() as i64, out);
    out.extend_from_slice(value);
}

/// The count of the only block; an empty array is just the end of blocks.
fn write_count(count: usize, out: &mut Vec<u8>) {
    if count > 0 {
        write_long(count as i64, out);
    }
}

/// Two's complement, big endian, in the fewest bytes that hold the sign.
fn write_decimal(value: i128, size: Option<usize>, out: &mut Vec<u8>) {
    let bytes = value.to_be_bytes();
    match size {
        Some(size) => {
            let sign = if value < 0 { 0xFF } else { 0 };
            out.extend(std::iter::repeat_n(sign, size.saturating_sub(16)));
            out.extend_from_slice(&bytes[16usize.saturating_sub(size)..]);
        }
        None => {
            let sign_bits = if value < 0 { value.leading_ones() } else { value.leading_zeros() };
            let length = (128 - sign_bits as usize) / 8 + 1;
            write_bytes(&bytes[16 - length..], out);
        }
    }
}
