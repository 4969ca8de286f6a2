//! Bytes to a column.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, BinaryViewArray};
use arrow_schema::DataType;

use super::{PlainType, is_uuid};
use crate::json::ParseMode;
use crate::text::utf8_lossy_java;
use crate::values::Values;
use crate::{Error, Result};

/// Reads keys or values that one of Kafka's own serializers wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainReader {
    plain: PlainType,
    mode: ParseMode,
}

impl PlainReader {
    /// For values of one format.
    pub fn new(plain: PlainType, mode: ParseMode) -> Self {
        Self { plain, mode }
    }

    /// A BinaryView column as a column of the format's type. Strings share the bytes' buffers.
    ///
    /// # Errors
    /// [`Error::MalformedPlain`] in mode FAILFAST.
    pub fn read(&self, bytes: &dyn Array) -> Result<ArrayRef> {
        let DataType::BinaryView = bytes.data_type() else {
            return Err(Error::UnsupportedType {
                operation: "reading a plain type of",
                data_type: bytes.data_type().clone(),
            });
        };
        let bytes = bytes.as_binary_view();
        Ok(match self.plain {
            PlainType::Boolean => {
                let values = self.fixed(bytes, |[byte]: [u8; 1]| match byte {
                    0 => Some(false),
                    1 => Some(true),
                    _ => None,
                })?;
                values.finish_booleans()
            }
            PlainType::Short => {
                self.fixed(bytes, |b| Some(i16::from_be_bytes(b)))?.finish::<Int16Type>(DataType::Int16)
            }
            PlainType::Int => {
                self.fixed(bytes, |b| Some(i32::from_be_bytes(b)))?.finish::<Int32Type>(DataType::Int32)
            }
            PlainType::Long => {
                self.fixed(bytes, |b| Some(i64::from_be_bytes(b)))?.finish::<Int64Type>(DataType::Int64)
            }
            PlainType::Float => {
                self.fixed(bytes, |b| Some(f32::from_be_bytes(b)))?.finish::<Float32Type>(DataType::Float32)
            }
            PlainType::Double => {
                self.fixed(bytes, |b| Some(f64::from_be_bytes(b)))?.finish::<Float64Type>(DataType::Float64)
            }
            PlainType::String => Arc::new(utf8_lossy_java(bytes).0),
            PlainType::Uuid => Arc::new(utf8_lossy_java(&self.uuids(bytes)?).0),
            PlainType::Bytes => Arc::new(bytes.clone()),
        })
    }

    fn fixed<const WIDTH: usize, T: Copy + Default>(
        &self,
        bytes: &BinaryViewArray,
        read: impl Fn([u8; WIDTH]) -> Option<T>,
    ) -> Result<Values<T>> {
        let mut values = Values::default();
        for row in 0..bytes.len() {
            if bytes.is_null(row) {
                values.push_null();
                continue;
            }
            let value = bytes.value(row);
            let found = <[u8; WIDTH]>::try_from(value).ok().and_then(&read);
            if !values.push_option(found) {
                self.misfit(row, value.len())?;
            }
        }
        Ok(values)
    }

    /// The same column with null where the text is no UUID.
    fn uuids(&self, bytes: &BinaryViewArray) -> Result<BinaryViewArray> {
        let is_good = |row: usize| bytes.is_valid(row) && is_uuid(bytes.value(row));
        let bad = |row: &usize| bytes.is_valid(*row) && !is_good(*row);
        match (0..bytes.len()).find(bad) {
            None => Ok(bytes.clone()),
            Some(row) => {
                self.misfit(row, bytes.value(row).len())?;
                Ok((0..bytes.len()).map(|row| is_good(row).then(|| bytes.value(row))).collect())
            }
        }
    }

    fn misfit(&self, row: usize, found: usize) -> Result<()> {
        match self.mode {
            // A column has no row less than the other columns.
            ParseMode::Permissive | ParseMode::DropMalformed => Ok(()),
            ParseMode::FailFast => Err(Error::MalformedPlain { plain: self.plain.name(), row, found }),
        }
    }
}
