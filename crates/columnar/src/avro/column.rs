//! Columns while payloads fill them. Each can be cut back to an earlier length, which is how a bad payload leaves no
//! trace.

use std::sync::Arc;

use arrow_array::types::*;
use arrow_array::{ArrayRef, ListArray, MapArray, NullArray, StructArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, FieldRef, Fields, IntervalUnit};

use crate::values::{Nulls, Values, Views};
use crate::{Error, Result};

/// A column by how its values are held; the type tells what they are.
#[derive(Debug)]
pub(super) enum Column {
    Null(usize),
    Boolean(Values<bool>),
    Int(Values<i32>, DataType),
    Long(Values<i64>, DataType),
    Float(Values<f32>),
    Double(Values<f64>),
    Decimal(Values<i128>, DataType),
    String(Views),
    Binary(Views),
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
pub(super) struct StructColumn {
    pub fields: Fields,
    pub columns: Vec<Column>,
    pub len: usize,
    pub nulls: Nulls,
}

#[derive(Debug)]
pub(super) struct MapColumn {
    pub entries: FieldRef,
    pub keys: Views,
    pub values: Column,
    pub ends: Vec<i32>,
    pub nulls: Nulls,
}

/// Columns of a struct that get room for their rows beforehand.
const MOST_RESERVED: usize = 256;

impl Column {
    /// An empty column of a type that [`super::sql_type()`] gives.
    pub fn new(data_type: &DataType) -> Result<Self> {
        let unsupported = || Error::UnsupportedType { operation: "from_avro", data_type: data_type.clone() };
        Ok(match data_type {
            DataType::Null => Self::Null(0),
            DataType::Boolean => Self::Boolean(Values::default()),
            DataType::Int32 | DataType::Date32 | DataType::Interval(IntervalUnit::YearMonth) => {
                Self::Int(Values::default(), data_type.clone())
            }
            DataType::Int64 | DataType::Timestamp(..) | DataType::Duration(_) => {
                Self::Long(Values::default(), data_type.clone())
            }
            DataType::Float32 => Self::Float(Values::default()),
            DataType::Float64 => Self::Double(Values::default()),
            DataType::Decimal128(..) => Self::Decimal(Values::default(), data_type.clone()),
            DataType::Utf8View => Self::String(Views::default()),
            DataType::BinaryView => Self::Binary(Views::default()),
            DataType::List(field) => Self::List(Box::new(ListColumn {
                field: Arc::clone(field),
                values: Self::new(field.data_type())?,
                ends: vec![0],
                nulls: Nulls::default(),
            })),
            DataType::Struct(fields) => Self::Struct(Box::new(StructColumn {
                fields: fields.clone(),
                columns: fields.iter().map(|f| Self::new(f.data_type())).collect::<Result<_>>()?,
                len: 0,
                nulls: Nulls::default(),
            })),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(kv) if kv.len() == 2 => Self::Map(Box::new(MapColumn {
                    entries: Arc::clone(entries),
                    keys: Views::default(),
                    values: Self::new(kv[1].data_type())?,
                    ends: vec![0],
                    nulls: Nulls::default(),
                })),
                _ => return Err(unsupported()),
            },
            _ => return Err(unsupported()),
        })
    }

    /// Room for so many values; what is nested takes it as it comes.
    pub fn reserve(&mut self, values: usize) {
        match self {
            Self::Boolean(v) => v.reserve(values),
            Self::Int(v, _) => v.reserve(values),
            Self::Long(v, _) => v.reserve(values),
            Self::Float(v) => v.reserve(values),
            Self::Double(v) => v.reserve(values),
            Self::Decimal(v, _) => v.reserve(values),
            Self::String(v) | Self::Binary(v) => v.reserve(values),
            Self::Null(_) | Self::List(_) | Self::Struct(_) | Self::Map(_) => {}
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Self::Null(length) => *length,
            Self::Boolean(v) => v.len(),
            Self::Int(v, _) => v.len(),
            Self::Long(v, _) => v.len(),
            Self::Float(v) => v.len(),
            Self::Double(v) => v.len(),
            Self::Decimal(v, _) => v.len(),
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
            Self::Int(v, _) => v.push_null(),
            Self::Long(v, _) => v.push_null(),
            Self::Float(v) => v.push_null(),
            Self::Double(v) => v.push_null(),
            Self::Decimal(v, _) => v.push_null(),
            Self::String(v) | Self::Binary(v) => v.push_null(),
            Self::List(v) => {
                v.nulls.push_null(v.ends.len() - 1);
                v.ends.push(v.end());
            }
            Self::Struct(v) => {
                v.nulls.push_null(v.len);
                v.push_empty();
            }
            Self::Map(v) => {
                v.nulls.push_null(v.ends.len() - 1);
                v.ends.push(v.end());
            }
        }
    }

    /// Cuts the column back to `length` values, if it is longer.
    pub fn truncate(&mut self, length: usize) {
        match self {
            Self::Null(own) => *own = length.min(*own),
            Self::Boolean(v) => v.truncate(length),
            Self::Int(v, _) => v.truncate(length),
            Self::Long(v, _) => v.truncate(length),
            Self::Float(v) => v.truncate(length),
            Self::Double(v) => v.truncate(length),
            Self::Decimal(v, _) => v.truncate(length),
            Self::String(v) | Self::Binary(v) => v.truncate(length),
            Self::List(v) => {
                v.ends.truncate(length + 1);
                v.nulls.truncate(length);
                let end = v.end();
                v.values.truncate(end as usize);
            }
            Self::Struct(v) => {
                v.len = v.len.min(length);
                v.nulls.truncate(length);
                v.columns.iter_mut().for_each(|column| column.truncate(length));
            }
            Self::Map(v) => {
                v.ends.truncate(length + 1);
                v.nulls.truncate(length);
                let end = v.end();
                v.cut_entries(end as usize);
            }
        }
    }

    /// The array; `source` are the buffers of the payloads' array.
    pub fn finish(self, source: &[Buffer]) -> Result<ArrayRef> {
        Ok(match self {
            Self::Null(length) => Arc::new(NullArray::new(length)),
            Self::Boolean(v) => v.finish_booleans(),
            Self::Int(v, of) => match of {
                DataType::Date32 => v.finish::<Date32Type>(of),
                DataType::Interval(_) => v.finish::<IntervalYearMonthType>(of),
                _ => v.finish::<Int32Type>(of),
            },
            Self::Long(v, of) => match of {
                DataType::Timestamp(..) => v.finish::<TimestampMicrosecondType>(of),
                DataType::Duration(_) => v.finish::<DurationMicrosecondType>(of),
                _ => v.finish::<Int64Type>(of),
            },
            Self::Float(v) => v.finish::<Float32Type>(DataType::Float32),
            Self::Double(v) => v.finish::<Float64Type>(DataType::Float64),
            Self::Decimal(v, of) => v.finish::<Decimal128Type>(of),
            Self::String(v) => v.finish_strings(source),
            Self::Binary(v) => v.finish_binaries(source),
            Self::List(v) => {
                let (length, values) = (v.ends.len() - 1, v.values.finish(source)?);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(v.ends));
                Arc::new(ListArray::try_new(v.field, offsets, values, v.nulls.finish(length))?)
            }
            Self::Struct(v) => {
                let nulls = v.nulls.finish(v.len);
                if v.columns.is_empty() {
                    return Ok(Arc::new(StructArray::new_empty_fields(v.len, nulls)));
                }
                let columns = v.columns.into_iter().map(|c| c.finish(source)).collect::<Result<_>>()?;
                Arc::new(StructArray::try_new(v.fields, columns, nulls)?)
            }
            Self::Map(v) => v.finish(source)?,
        })
    }
}

impl ListColumn {
    pub fn end(&self) -> i32 {
        self.ends.last().copied().unwrap_or(0)
    }
}

impl StructColumn {
    /// Room for so many rows in the first columns: a schema may have very many.
    pub fn reserve(&mut self, rows: usize) {
        self.columns.iter_mut().take(MOST_RESERVED).for_each(|column| column.reserve(rows));
    }

    /// A struct whose fields are all null.
    pub fn push_empty(&mut self) {
        self.columns.iter_mut().for_each(Column::push_null);
        self.len += 1;
    }
}

impl MapColumn {
    pub fn end(&self) -> i32 {
        self.ends.last().copied().unwrap_or(0)
    }

    pub fn cut_entries(&mut self, length: usize) {
        self.keys.truncate(length);
        self.values.truncate(length);
    }

    fn finish(self, source: &[Buffer]) -> Result<ArrayRef> {
        let length = self.ends.len() - 1;
        let DataType::Struct(fields) = self.entries.data_type() else {
            return Err(Error::Misuse("map entries are a struct".into()));
        };
        let columns = vec![self.keys.finish_strings(source), self.values.finish(source)?];
        let entries = StructArray::try_new(fields.clone(), columns, None)?;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        Ok(Arc::new(MapArray::try_new(self.entries, offsets, entries, self.nulls.finish(length), false)?))
    }
}
