//! `from_json`: a column of documents to a column of the target type.

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;

use super::JsonReadOptions;
use crate::{Error, Result};

/// A compiled `from_json`: target type and options. Cheap to share; `read` takes `&self`.
#[derive(Debug)]
pub struct JsonReader {
    target: DataType,
    options: JsonReadOptions,
}

impl JsonReader {
    /// Compiles the target (a struct, list or map of the table's types) and the options.
    pub fn new(target: &DataType, options: JsonReadOptions) -> Result<Self> {
        Ok(Self { target: target.clone(), options })
    }

    /// The type of the arrays that [`Self::read`] makes.
    pub fn data_type(&self) -> &DataType {
        &self.target
    }

    /// Parses each document of a Utf8View or BinaryView array.
    pub fn read(&self, documents: &dyn Array) -> Result<ArrayRef> {
        let _ = (&self.options, documents);
        Err(Error::UnsupportedType { operation: "from_json", data_type: self.target.clone() })
    }
}
