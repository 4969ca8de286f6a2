//! Values of Arrow arrays as owned trees, which any two ways of making them can be compared by.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_schema::{DataType, TimeUnit};

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Boolean(bool),
    /// Integers of every width, dates, timestamps, unscaled decimals.
    Number(i128),
    /// Bits of a double, all NaNs alike.
    Double(u64),
    /// Bits of a float.
    Float(u32),
    Text(String),
    Bytes(Vec<u8>),
    List(Vec<Cell>),
    Struct(Vec<Cell>),
    Map(Vec<(Cell, Cell)>),
}

impl Cell {
    /// A double.
    pub fn double(value: f64) -> Self {
        Self::Double(if value.is_nan() { f64::NAN.to_bits() } else { value.to_bits() })
    }

    /// A float.
    pub fn float(value: f32) -> Self {
        Self::Float(if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() })
    }

    /// The value of a row.
    pub fn of(array: &dyn Array, row: usize) -> Self {
        if array.is_null(row) || array.data_type() == &DataType::Null {
            return Self::Null;
        }
        match array.data_type() {
            DataType::Boolean => Self::Boolean(array.as_boolean().value(row)),
            DataType::Int8 => Self::Number(array.as_primitive::<Int8Type>().value(row).into()),
            DataType::Int16 => Self::Number(array.as_primitive::<Int16Type>().value(row).into()),
            DataType::Int32 => Self::Number(array.as_primitive::<Int32Type>().value(row).into()),
            DataType::Int64 => Self::Number(array.as_primitive::<Int64Type>().value(row).into()),
            DataType::Date32 => Self::Number(array.as_primitive::<Date32Type>().value(row).into()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Self::Number(array.as_primitive::<TimestampMicrosecondType>().value(row).into())
            }
            DataType::Duration(_) => {
                Self::Number(array.as_primitive::<DurationMicrosecondType>().value(row).into())
            }
            DataType::Interval(_) => {
                Self::Number(array.as_primitive::<IntervalYearMonthType>().value(row).into())
            }
            DataType::Decimal128(_, _) => Self::Number(array.as_primitive::<Decimal128Type>().value(row)),
            DataType::Float32 => Self::float(array.as_primitive::<Float32Type>().value(row)),
            DataType::Float64 => Self::double(array.as_primitive::<Float64Type>().value(row)),
            DataType::Utf8View => Self::Text(array.as_string_view().value(row).to_owned()),
            DataType::BinaryView => Self::Bytes(array.as_binary_view().value(row).to_vec()),
            DataType::List(_) => Self::List(Self::all(&*array.as_list::<i32>().value(row))),
            DataType::Struct(_) => {
                let columns = array.as_struct().columns();
                Self::Struct(columns.iter().map(|column| Self::of(&**column, row)).collect())
            }
            DataType::Map(_, _) => {
                let entries = array.as_map().value(row);
                let keys = Self::all(&**entries.column(0));
                Self::Map(keys.into_iter().zip(Self::all(&**entries.column(1))).collect())
            }
            other => panic!("no cell for the type {other}"),
        }
    }

    /// The values of all rows.
    pub fn all(array: &dyn Array) -> Vec<Self> {
        (0..array.len()).map(|row| Self::of(array, row)).collect()
    }
}
