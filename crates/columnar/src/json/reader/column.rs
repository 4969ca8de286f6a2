//! Columns of any type while they are filled. A column can be cut back to an earlier length, which is how a
//! bad value or a bad document leaves no trace.

use std::sync::Arc;

use arrow_array::*;
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, FieldRef, Fields, IntervalUnit, TimeUnit};

use super::object::StructColumn;
use crate::values::{Nulls, Values, Views};
use crate::{Error, Result, types};

/// A column of any type.
#[derive(Debug)]
pub(super) enum Column {
    Null(usize),
    Boolean(Values<bool>),
    Byte(Values<i8>),
    Short(Values<i16>),
    Int(Values<i32>),
    Long(Values<i64>),
    Float(Values<f32>),
    Double(Values<f64>),
    Decimal(Values<i128>, u8, i8),
    String(Views),
    Binary(Views),
    Date(Values<i32>),
    Timestamp(Values<i64>),
    TimestampNtz(Values<i64>),
    DayTime(Values<i64>),
    YearMonth(Values<i32>),
    List(Box<ListColumn>),
    Struct(Box<StructColumn>),
    Map(Box<MapColumn>),
}

#[derive(Debug)]
pub(super) struct ListColumn {
    pub field: FieldRef,
    pub values: Column,
    pub ends: Vec<i32>,
    pub nulls: Nulls,
}

#[derive(Debug)]
pub(super) struct MapColumn {
    entries: FieldRef,
    pub keys: Views,
    pub values: Column,
    pub ends: Vec<i32>,
    pub nulls: Nulls,
}

impl Column {
    /// An empty column; the types are those of [`crate::types`], with strings as keys of maps.
    pub fn new(data_type: &DataType) -> Result<Self> {
        let unsupported = || Error::UnsupportedType { operation: "from_json", data_type: data_type.clone() };
        Ok(match data_type {
            DataType::Null => Self::Null(0),
            DataType::Boolean => Self::Boolean(Values::default()),
            DataType::Int8 => Self::Byte(Values::default()),
            DataType::Int16 => Self::Short(Values::default()),
            DataType::Int32 => Self::Int(Values::default()),
            DataType::Int64 => Self::Long(Values::default()),
            DataType::Float32 => Self::Float(Values::default()),
            DataType::Float64 => Self::Double(Values::default()),
            DataType::Decimal128(precision, scale) => Self::Decimal(Values::default(), *precision, *scale),
            DataType::Utf8View => Self::String(Views::default()),
            DataType::BinaryView => Self::Binary(Views::default()),
            DataType::Date32 => Self::Date(Values::default()),
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if zone.as_ref() == types::UTC => {
                Self::Timestamp(Values::default())
            }
            DataType::Timestamp(TimeUnit::Microsecond, None) => Self::TimestampNtz(Values::default()),
            DataType::Duration(TimeUnit::Microsecond) => Self::DayTime(Values::default()),
            DataType::Interval(IntervalUnit::YearMonth) => Self::YearMonth(Values::default()),
            DataType::List(field) => Self::List(Box::new(ListColumn {
                field: Arc::clone(field),
                values: Self::new(field.data_type())?,
                ends: vec![0],
                nulls: Nulls::default(),
            })),
            DataType::Struct(fields) => Self::Struct(Box::new(StructColumn::new(fields)?)),
            DataType::Map(entries, false) => match entries.data_type() {
                DataType::Struct(kv) if kv.len() == 2 && kv[0].data_type() == &DataType::Utf8View => {
                    Self::Map(Box::new(MapColumn {
                        entries: Arc::clone(entries),
                        keys: Views::default(),
                        values: Self::new(kv[1].data_type())?,
                        ends: vec![0],
                        nulls: Nulls::default(),
                    }))
                }
                _ => return Err(unsupported()),
            },
            _ => return Err(unsupported()),
        })
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        match self {
            Self::Null(length) => *length,
            Self::Boolean(v) => v.len(),
            Self::Byte(v) => v.len(),
            Self::Short(v) => v.len(),
            Self::Int(v) | Self::Date(v) | Self::YearMonth(v) => v.len(),
            Self::Long(v) | Self::Timestamp(v) | Self::TimestampNtz(v) | Self::DayTime(v) => v.len(),
            Self::Float(v) => v.len(),
            Self::Double(v) => v.len(),
            Self::Decimal(v, ..) => v.len(),
            Self::String(v) | Self::Binary(v) => v.len(),
            Self::List(v) => v.ends.len() - 1,
            Self::Struct(v) => v.len,
            Self::Map(v) => v.ends.len() - 1,
        }
    }

    pub fn push_null(&mut self) {
        match self {
            Self::Null(length) => *length += 1,
            Self::Boolean(v) => v.push_null(),
            Self::Byte(v) => v.push_null(),
            Self::Short(v) => v.push_null(),
            Self::Int(v) | Self::Date(v) | Self::YearMonth(v) => v.push_null(),
            Self::Long(v) | Self::Timestamp(v) | Self::TimestampNtz(v) | Self::DayTime(v) => v.push_null(),
            Self::Float(v) => v.push_null(),
            Self::Double(v) => v.push_null(),
            Self::Decimal(v, ..) => v.push_null(),
            Self::String(v) | Self::Binary(v) => v.push_null(),
            Self::List(v) => {
                v.nulls.push_null(v.ends.len() - 1);
                v.ends.push(v.ends.last().copied().unwrap_or(0));
            }
            Self::Struct(v) => v.push_null(),
            Self::Map(v) => {
                v.nulls.push_null(v.ends.len() - 1);
                v.ends.push(v.ends.last().copied().unwrap_or(0));
            }
        }
    }

    /// Cuts the column back to `length` values, if it is longer.
    pub fn truncate(&mut self, length: usize) {
        match self {
            Self::Null(own) => *own = length.min(*own),
            Self::Boolean(v) => v.truncate(length),
            Self::Byte(v) => v.truncate(length),
            Self::Short(v) => v.truncate(length),
            Self::Int(v) | Self::Date(v) | Self::YearMonth(v) => v.truncate(length),
            Self::Long(v) | Self::Timestamp(v) | Self::TimestampNtz(v) | Self::DayTime(v) => {
                v.truncate(length)
            }
            Self::Float(v) => v.truncate(length),
            Self::Double(v) => v.truncate(length),
            Self::Decimal(v, ..) => v.truncate(length),
            Self::String(v) | Self::Binary(v) => v.truncate(length),
            Self::List(v) => {
                v.ends.truncate(length + 1);
                v.nulls.truncate(length);
                v.values.truncate(v.ends.last().copied().unwrap_or(0) as usize);
            }
            Self::Struct(v) => v.truncate(length),
            Self::Map(v) => {
                v.ends.truncate(length + 1);
                v.nulls.truncate(length);
                v.cut_entries();
            }
        }
    }

    /// Takes the values from `from` to `to` out. The cost is that of the values behind them.
    pub fn drain(&mut self, from: usize, to: usize) {
        match self {
            Self::Null(length) => *length -= to - from,
            Self::Boolean(v) => v.drain(from, to),
            Self::Byte(v) => v.drain(from, to),
            Self::Short(v) => v.drain(from, to),
            Self::Int(v) | Self::Date(v) | Self::YearMonth(v) => v.drain(from, to),
            Self::Long(v) | Self::Timestamp(v) | Self::TimestampNtz(v) | Self::DayTime(v) => {
                v.drain(from, to)
            }
            Self::Float(v) => v.drain(from, to),
            Self::Double(v) => v.drain(from, to),
            Self::Decimal(v, ..) => v.drain(from, to),
            Self::String(v) | Self::Binary(v) => v.drain(from, to),
            Self::List(v) => {
                let (start, end) = drain_ends(&mut v.ends, from, to);
                v.values.drain(start, end);
                v.nulls.drain(from, to);
            }
            Self::Struct(v) => v.drain(from, to),
            Self::Map(v) => {
                let (start, end) = drain_ends(&mut v.ends, from, to);
                v.keys.drain(start, end);
                v.values.drain(start, end);
                v.nulls.drain(from, to);
            }
        }
    }

    /// Makes room for a value a row. Nested values grow as they come.
    pub fn reserve(&mut self, rows: usize) {
        match self {
            Self::Null(_) => {}
            Self::Boolean(v) => v.reserve(rows),
            Self::Byte(v) => v.reserve(rows),
            Self::Short(v) => v.reserve(rows),
            Self::Int(v) | Self::Date(v) | Self::YearMonth(v) => v.reserve(rows),
            Self::Long(v) | Self::Timestamp(v) | Self::TimestampNtz(v) | Self::DayTime(v) => v.reserve(rows),
            Self::Float(v) => v.reserve(rows),
            Self::Double(v) => v.reserve(rows),
            Self::Decimal(v, ..) => v.reserve(rows),
            Self::String(v) | Self::Binary(v) => v.reserve(rows),
            Self::List(v) => v.ends.reserve(rows),
            Self::Struct(v) => v.reserve(rows),
            Self::Map(v) => v.ends.reserve(rows),
        }
    }

    /// The array; `source` are the buffers of the documents' array.
    pub fn finish(self, source: &[Buffer]) -> Result<ArrayRef> {
        use arrow_array::types::*;
        Ok(match self {
            Self::Null(length) => Arc::new(NullArray::new(length)),
            Self::Boolean(v) => v.finish_booleans(),
            Self::Byte(v) => v.finish::<Int8Type>(DataType::Int8),
            Self::Short(v) => v.finish::<Int16Type>(DataType::Int16),
            Self::Int(v) => v.finish::<Int32Type>(DataType::Int32),
            Self::Long(v) => v.finish::<Int64Type>(DataType::Int64),
            Self::Float(v) => v.finish::<Float32Type>(DataType::Float32),
            Self::Double(v) => v.finish::<Float64Type>(DataType::Float64),
            Self::Decimal(v, precision, scale) => {
                v.finish::<Decimal128Type>(DataType::Decimal128(precision, scale))
            }
            Self::String(v) => v.finish_strings(source),
            Self::Binary(v) => v.finish_binaries(source),
            Self::Date(v) => v.finish::<Date32Type>(DataType::Date32),
            Self::Timestamp(v) => v.finish::<TimestampMicrosecondType>(types::timestamp()),
            Self::TimestampNtz(v) => v.finish::<TimestampMicrosecondType>(types::timestamp_ntz()),
            Self::DayTime(v) => {
                v.finish::<DurationMicrosecondType>(DataType::Duration(TimeUnit::Microsecond))
            }
            Self::YearMonth(v) => {
                v.finish::<IntervalYearMonthType>(DataType::Interval(IntervalUnit::YearMonth))
            }
            Self::List(v) => {
                let (length, values) = (v.ends.len() - 1, v.values.finish(source)?);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(v.ends));
                Arc::new(ListArray::try_new(v.field, offsets, values, v.nulls.finish(length))?)
            }
            Self::Struct(v) => v.finish(source)?,
            Self::Map(v) => v.finish(source)?,
        })
    }
}

/// Takes the lists from `from` to `to` out of their ends; the range of the elements that they had.
fn drain_ends(ends: &mut Vec<i32>, from: usize, to: usize) -> (usize, usize) {
    let (start, end) = (ends[from], ends[to]);
    ends.drain(from + 1..=to);
    for behind in &mut ends[from + 1..] {
        *behind -= end - start;
    }
    (start as usize, end as usize)
}

impl MapColumn {
    /// Drops entries behind the last whole map.
    pub fn cut_entries(&mut self) {
        let end = self.ends.last().copied().unwrap_or(0) as usize;
        self.keys.truncate(end);
        self.values.truncate(end);
    }

    fn finish(self, source: &[Buffer]) -> Result<ArrayRef> {
        let length = self.ends.len() - 1;
        let DataType::Struct(fields) = self.entries.data_type() else {
            return Err(Error::Misuse("map entries are a struct".into()));
        };
        let fields: Fields = fields.clone();
        let columns = vec![self.keys.finish_strings(source), self.values.finish(source)?];
        let entries = StructArray::try_new(fields, columns, None)?;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        Ok(Arc::new(MapArray::try_new(self.entries, offsets, entries, self.nulls.finish(length), false)?))
    }
}
