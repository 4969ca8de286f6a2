//! Columns while they are filled. A column can be cut back to an earlier length, which is how a bad value or
//! a bad document leaves no trace.

use std::sync::Arc;

use arrow_array::*;
use arrow_buffer::{
    ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer,
};
use arrow_schema::{DataType, FieldRef, Fields, TimeUnit};

use super::object::StructColumn;
use crate::records::{INLINE, inline_view, long_view};
use crate::{Error, Result, raw, types};

/// Validity, kept only from the first null on.
#[derive(Debug)]
pub(super) struct Nulls(NullBufferBuilder);

impl Default for Nulls {
    fn default() -> Self {
        Self(NullBufferBuilder::new(0))
    }
}

impl Nulls {
    /// Notes a null at `at`, which is the length so far.
    #[inline(never)]
    pub fn push_null(&mut self, at: usize) {
        self.0.append_n_non_nulls(at - self.0.len());
        self.0.append_null();
    }

    pub fn truncate(&mut self, length: usize) {
        if self.0.len() > length {
            self.0.truncate(length);
        }
    }

    /// Takes the places from `from` to `to` out; what stands behind them moves up.
    pub fn drain(&mut self, from: usize, to: usize) {
        let behind: Vec<bool> = (to..self.0.len()).map(|at| self.0.is_valid(at)).collect();
        self.truncate(from);
        for (at, valid) in (from..).zip(behind) {
            if !valid {
                self.push_null(at);
            }
        }
    }

    pub fn finish(mut self, length: usize) -> Option<NullBuffer> {
        self.0.append_n_non_nulls(length - self.0.len());
        self.0.finish()
    }
}

/// Values of one fixed size.
#[derive(Debug)]
pub(super) struct Values<T> {
    values: Vec<T>,
    nulls: Nulls,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { values: Vec::new(), nulls: Nulls::default() }
    }
}

impl<T: Copy + Default> Values<T> {
    #[inline(always)]
    pub fn push(&mut self, value: T) {
        self.values.push(value);
    }

    fn push_null(&mut self) {
        self.nulls.push_null(self.values.len());
        self.values.push(T::default());
    }

    fn truncate(&mut self, length: usize) {
        self.values.truncate(length);
        self.nulls.truncate(length);
    }

    fn drain(&mut self, from: usize, to: usize) {
        self.values.drain(from..to);
        self.nulls.drain(from, to);
    }
}

impl<T: ArrowNativeType> Values<T> {
    fn finish<P: ArrowPrimitiveType<Native = T>>(self, data_type: DataType) -> ArrayRef {
        let nulls = self.nulls.finish(self.values.len());
        let values = ScalarBuffer::from(self.values);
        Arc::new(PrimitiveArray::<P>::new(values, nulls).with_data_type(data_type))
    }
}

/// Strings or binaries: views into the documents' own buffers where the value stands there as it is, else
/// into `own`.
#[derive(Debug, Default)]
pub(super) struct Views {
    views: Vec<u128>,
    nulls: Nulls,
    /// Values that had to be written anew. Buffer 0; the documents' buffers follow.
    own: Vec<u8>,
    borrows: bool,
}

/// Where the bytes of a document are shared with its array.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Home {
    /// Buffer and offset of the document; None for one that its view holds inline.
    pub place: Option<(u32, u32)>,
}

impl Views {
    /// Appends the bytes from `start` to `end` of the document.
    #[inline(always)]
    pub fn push_slice(&mut self, text: &[u8], start: usize, end: usize, home: Home) {
        let length = end - start;
        if length <= INLINE {
            let view = match text.get(start..).and_then(<[u8]>::first_chunk::<16>) {
                Some(chunk) => {
                    let mask = (1u128 << (8 * length)) - 1;
                    (u128::from_le_bytes(*chunk) & mask) << 32 | length as u128
                }
                None => inline_view(&text[start..end]),
            };
            self.views.push(view);
        } else {
            self.push_long(&text[start..end], start, home);
        }
    }

    #[inline(always)]
    fn push_long(&mut self, value: &[u8], start: usize, home: Home) {
        match home.place {
            Some((buffer, offset)) => {
                self.borrows = true;
                self.views.push(long_view(value, buffer + 1, offset + start as u32));
            }
            None => self.push_copy(value),
        }
    }

    /// Appends a copy of `value`.
    pub fn push_copy(&mut self, value: &[u8]) {
        if value.len() <= INLINE {
            self.views.push(inline_view(value));
        } else {
            let at = u32::try_from(self.own.len())
                .expect("columns of more than 4 GiB are refused when they begin");
            self.views.push(long_view(value, 0, at));
            self.own.extend_from_slice(value);
        }
    }

    pub fn len(&self) -> usize {
        self.views.len()
    }

    pub fn push_null(&mut self) {
        self.nulls.push_null(self.views.len());
        self.views.push(0);
    }

    pub fn truncate(&mut self, length: usize) {
        self.views.truncate(length);
        self.nulls.truncate(length);
    }

    fn drain(&mut self, from: usize, to: usize) {
        self.views.drain(from..to);
        self.nulls.drain(from, to);
    }

    fn parts(self, source: &[Buffer]) -> (Vec<u128>, Arc<[Buffer]>, Option<NullBuffer>) {
        let nulls = self.nulls.finish(self.views.len());
        let borrowed = if self.borrows { source } else { &[] };
        let own = Buffer::from(self.own);
        (self.views, std::iter::once(own).chain(borrowed.iter().cloned()).collect(), nulls)
    }

    /// As strings: every value pushed was a whole part of a UTF-8 document or was made from a string.
    pub fn finish_strings(self, source: &[Buffer]) -> ArrayRef {
        let (views, buffers, nulls) = self.parts(source);
        Arc::new(raw::string_views(views.into(), buffers, nulls))
    }

    fn finish_binaries(self, source: &[Buffer]) -> ArrayRef {
        let (views, buffers, nulls) = self.parts(source);
        Arc::new(raw::binary_views(views.into(), buffers, nulls))
    }
}

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
    /// An empty column; the types are those of [`crate::types`] without intervals, and maps with string keys.
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
            Self::Boolean(v) => v.values.len(),
            Self::Byte(v) => v.values.len(),
            Self::Short(v) => v.values.len(),
            Self::Int(v) | Self::Date(v) => v.values.len(),
            Self::Long(v) | Self::Timestamp(v) | Self::TimestampNtz(v) => v.values.len(),
            Self::Float(v) => v.values.len(),
            Self::Double(v) => v.values.len(),
            Self::Decimal(v, ..) => v.values.len(),
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
            Self::Int(v) | Self::Date(v) => v.push_null(),
            Self::Long(v) | Self::Timestamp(v) | Self::TimestampNtz(v) => v.push_null(),
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
            Self::Int(v) | Self::Date(v) => v.truncate(length),
            Self::Long(v) | Self::Timestamp(v) | Self::TimestampNtz(v) => v.truncate(length),
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
            Self::Int(v) | Self::Date(v) => v.drain(from, to),
            Self::Long(v) | Self::Timestamp(v) | Self::TimestampNtz(v) => v.drain(from, to),
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

    /// The array; `source` are the buffers of the documents' array.
    pub fn finish(self, source: &[Buffer]) -> Result<ArrayRef> {
        use arrow_array::types::*;
        Ok(match self {
            Self::Null(length) => Arc::new(NullArray::new(length)),
            Self::Boolean(v) => {
                let bits = BooleanBuffer::collect_bool(v.values.len(), |at| v.values[at]);
                Arc::new(BooleanArray::new(bits, v.nulls.finish(v.values.len())))
            }
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
