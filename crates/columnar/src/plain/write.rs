//! A column to bytes.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, BinaryViewArray};
use arrow_schema::DataType;

use super::{PlainType, is_uuid};
use crate::records::inline_view;
use crate::{Error, Result, raw};

/// Writes keys or values as one of Kafka's own serializers does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlainWriter {
    plain: PlainType,
}

impl PlainWriter {
    /// For values of one format.
    pub fn new(plain: PlainType) -> Self {
        Self { plain }
    }

    /// A column of the format's type as BinaryView. Strings and binaries share their buffers.
    ///
    /// # Errors
    /// [`Error::UnsupportedType`] for a column of another type; [`Error::MalformedPlain`] for text that is no
    /// UUID where one is due.
    pub fn write(&self, values: &dyn Array) -> Result<ArrayRef> {
        let expected = self.plain.data_type();
        if *values.data_type() != expected {
            return Err(Error::UnsupportedType {
                operation: "writing a plain type of",
                data_type: values.data_type().clone(),
            });
        }
        let nulls = || values.nulls().cloned();
        let inline = |views: Vec<u128>| -> ArrayRef {
            Arc::new(raw::binary_views(views.into(), Arc::from([]), nulls()))
        };
        macro_rules! fixed {
            ($kind:ty) => {{
                let values = values.as_primitive::<$kind>().values();
                inline(values.iter().map(|value| inline_view(&value.to_be_bytes())).collect())
            }};
        }
        Ok(match self.plain {
            PlainType::Boolean => {
                let bits = values.as_boolean().values();
                inline(bits.iter().map(|bit| inline_view(&[u8::from(bit)])).collect())
            }
            PlainType::Short => fixed!(Int16Type),
            PlainType::Int => fixed!(Int32Type),
            PlainType::Long => fixed!(Int64Type),
            PlainType::Float => fixed!(Float32Type),
            PlainType::Double => fixed!(Float64Type),
            PlainType::String => Arc::new(values.as_string_view().clone().to_binary_view()),
            PlainType::Uuid => {
                let texts = values.as_string_view();
                let bad =
                    (0..texts.len()).find(|r| texts.is_valid(*r) && !is_uuid(texts.value(*r).as_bytes()));
                if let Some(row) = bad {
                    let found = texts.value(row).len();
                    return Err(Error::MalformedPlain { plain: self.plain.name(), row, found });
                }
                Arc::new(texts.clone().to_binary_view())
            }
            PlainType::Bytes => {
                debug_assert_eq!(expected, DataType::BinaryView);
                Arc::new(BinaryViewArray::clone(values.as_binary_view()))
            }
        })
    }
}
