//! Columns while messages fill them.
//!
//! While a message is read, its row is *open*: a column that has got its value has one element more than the
//! struct has rows. So the last of several values wins (it takes the place of the one before), a message that
//! comes in two parts goes on where the first ended, and a row is closed by giving null or the default to the
//! columns that have got nothing.

use std::sync::Arc;

use arrow_array::types::*;
use arrow_array::{ArrayRef, ListArray, MapArray, StructArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, FieldRef, TimeUnit};

use super::schema::{FieldPlan, Kind, Plan, Scalar, Shape};
use super::wire::{Malformed, Result as WireResult};
use crate::values::{Nulls, Values, Views};
use crate::{Result, types};

#[derive(Debug)]
pub(super) enum Column {
    Boolean(Values<bool>),
    Int(Values<i32>),
    Long(Values<i64>),
    Float(Values<f32>),
    Double(Values<f64>),
    Decimal(Values<i128>),
    String(Views),
    Binary(Views),
    Timestamp(Values<i64>),
    Duration(Values<i64>),
    Struct(Box<StructColumn>),
    List(Box<ListColumn>),
    Map(Box<MapColumn>),
}

#[derive(Debug)]
pub(super) struct StructColumn {
    pub plan: Arc<Plan>,
    pub columns: Vec<Column>,
    pub len: usize,
    nulls: Nulls,
    pub open: bool,
}

#[derive(Debug)]
pub(super) struct ListColumn {
    field: FieldRef,
    pub values: Column,
    ends: Vec<i32>,
    nulls: Nulls,
}

#[derive(Debug)]
pub(super) struct MapColumn {
    entries: FieldRef,
    pub keys: Column,
    pub values: Column,
    ends: Vec<i32>,
    nulls: Nulls,
}

impl Column {
    pub fn of_field(field: &FieldPlan) -> Self {
        match (&field.kind, field.shape) {
            (Kind::Entry(key, value), _) => {
                let DataType::Map(entries, _) = field.data_type() else {
                    unreachable!("a map was asked for")
                };
                Self::Map(Box::new(MapColumn {
                    entries,
                    keys: Self::of_kind(&key.kind),
                    values: Self::of_kind(&value.kind),
                    ends: vec![0],
                    nulls: Nulls::default(),
                }))
            }
            (kind, Shape::Repeated) => Self::List(Box::new(ListColumn {
                field: Arc::new(Field::new(types::LIST_ELEMENT, kind.data_type(), kind.may_be_null())),
                values: Self::of_kind(kind),
                ends: vec![0],
                nulls: Nulls::default(),
            })),
            (kind, _) => Self::of_kind(kind),
        }
    }

    fn of_kind(kind: &Kind) -> Self {
        match kind {
            Kind::Bool => Self::Boolean(Values::default()),
            Kind::Int32 | Kind::Uint32 | Kind::Sint32 | Kind::Fixed32 | Kind::EnumNumber(_) => {
                Self::Int(Values::default())
            }
            Kind::Uint32Long | Kind::Int64 | Kind::Uint64 | Kind::Sint64 | Kind::Fixed64 => {
                Self::Long(Values::default())
            }
            Kind::Uint64Decimal => Self::Decimal(Values::default()),
            Kind::Float => Self::Float(Values::default()),
            Kind::Double => Self::Double(Values::default()),
            Kind::String { .. } | Kind::EnumName(..) => Self::String(Views::default()),
            Kind::Bytes => Self::Binary(Views::default()),
            Kind::Message(plan) | Kind::Group(plan) => {
                Self::Struct(Box::new(StructColumn::new(Arc::clone(plan))))
            }
            Kind::Timestamp => Self::Timestamp(Values::default()),
            Kind::Duration => Self::Duration(Values::default()),
            Kind::Wrapped(value) => Self::of_kind(&value.kind),
            Kind::Entry(..) => unreachable!("entries stand in maps only"),
        }
    }

    #[inline(always)]
    pub fn len(&self) -> usize {
        match self {
            Self::Boolean(v) => v.len(),
            Self::Int(v) => v.len(),
            Self::Long(v) | Self::Timestamp(v) | Self::Duration(v) => v.len(),
            Self::Float(v) => v.len(),
            Self::Double(v) => v.len(),
            Self::Decimal(v) => v.len(),
            Self::String(v) | Self::Binary(v) => v.len(),
            Self::Struct(v) => v.len,
            Self::List(v) => v.ends.len() - 1,
            Self::Map(v) => v.ends.len() - 1,
        }
    }

    pub fn push_null(&mut self) {
        match self {
            Self::Boolean(v) => v.push_null(),
            Self::Int(v) => v.push_null(),
            Self::Long(v) | Self::Timestamp(v) | Self::Duration(v) => v.push_null(),
            Self::Float(v) => v.push_null(),
            Self::Double(v) => v.push_null(),
            Self::Decimal(v) => v.push_null(),
            Self::String(v) | Self::Binary(v) => v.push_null(),
            Self::Struct(v) => v.push_null(),
            Self::List(v) => {
                v.nulls.push_null(v.ends.len() - 1);
                v.ends.push(v.ends.last().copied().unwrap_or(0));
            }
            Self::Map(v) => {
                v.nulls.push_null(v.ends.len() - 1);
                v.ends.push(v.ends.last().copied().unwrap_or(0));
            }
        }
    }

    /// Cuts the column back to `length` values and drops what is open.
    pub fn truncate(&mut self, length: usize) {
        match self {
            Self::Boolean(v) => v.truncate(length),
            Self::Int(v) => v.truncate(length),
            Self::Long(v) | Self::Timestamp(v) | Self::Duration(v) => v.truncate(length),
            Self::Float(v) => v.truncate(length),
            Self::Double(v) => v.truncate(length),
            Self::Decimal(v) => v.truncate(length),
            Self::String(v) | Self::Binary(v) => v.truncate(length),
            Self::Struct(v) => v.truncate(length),
            Self::List(v) => {
                v.ends.truncate(length + 1);
                v.nulls.truncate(length);
                v.values.truncate(v.ends.last().copied().unwrap_or(0) as usize);
            }
            Self::Map(v) => {
                v.ends.truncate(length + 1);
                v.nulls.truncate(length);
                let end = v.ends.last().copied().unwrap_or(0) as usize;
                v.keys.truncate(end);
                v.values.truncate(end);
            }
        }
    }

    /// A default value.
    pub fn push_scalar(&mut self, value: &Scalar, kind: &Kind) {
        match (self, value) {
            (Self::Boolean(v), Scalar::Bool(value)) => v.push(*value),
            (Self::Int(v), Scalar::Integer(value)) => v.push(*value as i32),
            (Self::Long(v) | Self::Timestamp(v) | Self::Duration(v), Scalar::Integer(value)) => {
                v.push(*value)
            }
            (Self::Decimal(v), Scalar::Integer(value)) => v.push(i128::from(*value as u64)),
            (Self::Float(v), Scalar::Float(value)) => v.push(*value as f32),
            (Self::Double(v), Scalar::Float(value)) => v.push(*value),
            (Self::String(v) | Self::Binary(v), Scalar::Bytes(value)) => v.push_copy(value),
            (Self::String(v), Scalar::Integer(code)) => drop(push_enum_name(v, kind, *code as i32)),
            (column, _) => column.push_null(),
        }
    }

    /// Ends the value of the row that is open, which `field` describes; `row` rows are closed.
    pub fn close(&mut self, row: usize, field: &FieldPlan) -> WireResult<()> {
        match self {
            Self::Struct(v) if v.open => v.close().map_err(|malformed| malformed.inside(&field.name)),
            Self::List(v) => {
                v.ends.push(end(v.values.len())?);
                Ok(())
            }
            Self::Map(v) => {
                v.ends.push(end(v.keys.len())?);
                Ok(())
            }
            column => {
                if column.len() == row {
                    match &field.absent {
                        _ if field.required => {
                            return Err(Malformed::new("a required field is missing").inside(&field.name));
                        }
                        Some(value) => column.push_scalar(value, &field.kind),
                        None => column.push_null(),
                    }
                }
                Ok(())
            }
        }
    }

    /// The array; `source` are the buffers of the payloads' array.
    pub fn finish(self, source: &[Buffer]) -> Result<ArrayRef> {
        Ok(match self {
            Self::Boolean(v) => v.finish_booleans(),
            Self::Int(v) => v.finish::<Int32Type>(DataType::Int32),
            Self::Long(v) => v.finish::<Int64Type>(DataType::Int64),
            Self::Float(v) => v.finish::<Float32Type>(DataType::Float32),
            Self::Double(v) => v.finish::<Float64Type>(DataType::Float64),
            Self::Decimal(v) => v.finish::<Decimal128Type>(DataType::Decimal128(20, 0)),
            Self::String(v) => v.finish_strings(source),
            Self::Binary(v) => v.finish_binaries(source),
            Self::Timestamp(v) => v.finish::<TimestampMicrosecondType>(types::timestamp()),
            Self::Duration(v) => {
                v.finish::<DurationMicrosecondType>(DataType::Duration(TimeUnit::Microsecond))
            }
            Self::Struct(v) => v.finish(source)?,
            Self::List(v) => {
                let (length, values) = (v.ends.len() - 1, v.values.finish(source)?);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(v.ends));
                Arc::new(ListArray::try_new(v.field, offsets, values, v.nulls.finish(length))?)
            }
            Self::Map(v) => {
                let length = v.ends.len() - 1;
                let DataType::Struct(fields) = v.entries.data_type() else {
                    return Err(crate::Error::Misuse("map entries are a struct".into()));
                };
                let columns = vec![v.keys.finish(source)?, v.values.finish(source)?];
                let entries = StructArray::try_new(fields.clone(), columns, None)?;
                let offsets = OffsetBuffer::new(ScalarBuffer::from(v.ends));
                Arc::new(MapArray::try_new(v.entries, offsets, entries, v.nulls.finish(length), false)?)
            }
        })
    }
}

fn end(length: usize) -> WireResult<i32> {
    i32::try_from(length).map_err(|_| Malformed::new("more than 2^31 elements in one column"))
}

/// The name of an enum's number, and its length; Java's name for a number that is no value says so.
pub(super) fn push_enum_name(views: &mut Views, kind: &Kind, code: i32) -> usize {
    let Kind::EnumName(values, type_name) = kind else {
        views.push_null();
        return 0;
    };
    match values.values.iter().find(|(_, value)| *value == code) {
        Some((name, _)) => {
            views.push_copy(name.as_bytes());
            name.len()
        }
        None => {
            let short = type_name.rsplit('.').next().unwrap_or_default();
            let name = format!("UNKNOWN_ENUM_VALUE_{short}_{code}");
            views.push_copy(name.as_bytes());
            name.len()
        }
    }
}

impl StructColumn {
    pub fn new(plan: Arc<Plan>) -> Self {
        let mut columns: Vec<Column> = plan.fields.iter().map(Column::of_field).collect();
        if plan.dummy {
            columns.push(Column::String(Views::default()));
        }
        Self { plan, columns, len: 0, nulls: Nulls::default(), open: false }
    }

    pub fn push_null(&mut self) {
        self.nulls.push_null(self.len);
        self.columns.iter_mut().for_each(Column::push_null);
        self.len += 1;
        self.open = false;
    }

    pub fn truncate(&mut self, length: usize) {
        self.columns.iter_mut().for_each(|column| column.truncate(length));
        self.nulls.truncate(length);
        self.len = length;
        self.open = false;
    }

    /// Ends the open row.
    pub fn close(&mut self) -> WireResult<()> {
        let row = self.len;
        for (column, field) in self.columns.iter_mut().zip(&self.plan.fields) {
            column.close(row, field)?;
        }
        if self.plan.dummy {
            self.columns.iter_mut().for_each(Column::push_null);
        }
        self.len += 1;
        self.open = false;
        Ok(())
    }

    pub fn finish(self, source: &[Buffer]) -> Result<ArrayRef> {
        let nulls: Option<NullBuffer> = self.nulls.finish(self.len);
        let columns: Result<Vec<ArrayRef>> = self.columns.into_iter().map(|c| c.finish(source)).collect();
        let columns = columns?;
        if columns.is_empty() {
            return Ok(Arc::new(StructArray::new_empty_fields(self.len, nulls)));
        }
        Ok(Arc::new(StructArray::try_new(self.plan.arrow.clone(), columns, nulls)?))
    }
}
