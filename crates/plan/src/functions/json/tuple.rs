//! `json_tuple`, `json_array_length`, `json_object_keys`.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringViewBuilder};
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, Int32Array, StringViewArray, StructArray};
use arrow_schema::{DataType, Field};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use millstream_columnar::json::json_tuple as json_tuple_values;

use super::document::Outline;
use crate::analyzer::{Expected, Typed, implicit_cast};
use crate::functions::call::Call;
use crate::functions::udf::{self, Evaluation, Kernel};
use crate::types::{SparkType, StructField, StructType};

/// Fields of an object as text, in a struct of `c0`, `c1`, ...
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct JsonTuple {
    count: usize,
}

/// The struct of a call `json_tuple(text, name, ...)`.
///
/// # Errors
/// Arguments that are no text.
pub(crate) fn json_tuple(call: &Call<'_>) -> crate::error::Result<Typed> {
    const TEXT: Expected = Expected::Exactly(SparkType::String);
    let mut args = Vec::with_capacity(call.args.len());
    for arg in &call.args {
        let text = implicit_cast(arg, &TEXT, call.conf)?.filter(|_| arg.data_type == SparkType::String);
        let text = text.ok_or_else(|| {
            crate::analyzer::errors::spark(
                "DATATYPE_MISMATCH.NON_STRING_TYPE",
                [("sqlExpr", format!("\"{}\"", call.sql())), ("funcName", "`json_tuple`".to_owned())],
            )
        })?;
        args.push(text.expr);
    }
    let kernel = JsonTuple { count: call.args.len().saturating_sub(1) };
    let data_type = SparkType::Struct(kernel.fields());
    Ok(Typed::new(udf::call(kernel, args), data_type, call.sql()).nullable(false))
}

impl JsonTuple {
    fn fields(&self) -> StructType {
        (0..self.count).map(|i| StructField::new(format!("c{i}"), SparkType::String, true)).collect()
    }
}

impl Kernel for JsonTuple {
    fn name(&self) -> &str {
        "json_tuple"
    }

    fn return_type(&self) -> DataType {
        DataType::Struct(self.fields().to_arrow_fields())
    }

    fn evaluate(&self, args: &[ArrayRef], context: &Evaluation<'_>) -> Result<ArrayRef> {
        let Some((texts, names)) = args.split_first() else {
            return Err(DataFusionError::Internal("json_tuple has a text".into()));
        };
        let mut columns: Vec<Vec<Option<String>>> = vec![Vec::with_capacity(context.rows); names.len()];
        let names: Vec<&StringViewArray> = names.iter().map(|n| n.as_string_view()).collect();
        for (row, text) in texts.as_string_view().iter().enumerate() {
            let wanted: Vec<&str> = names.iter().map(|n| n.value(row)).collect();
            let values = match text {
                Some(text) => json_tuple_values(text, &wanted),
                None => vec![None; wanted.len()],
            };
            for (column, value) in columns.iter_mut().zip(values) {
                column.push(value);
            }
        }
        let columns =
            columns.into_iter().map(|c| Arc::new(StringViewArray::from_iter(c)) as ArrayRef).collect();
        Ok(Arc::new(StructArray::try_new(self.fields().to_arrow_fields(), columns, None)?))
    }
}

/// Items of a top-level array; NULL for anything else.
pub(super) fn array_length(args: &[ArrayRef]) -> Result<ArrayRef> {
    let length = |text: &str| match Outline::of(text)? {
        Outline::Array(items) => i32::try_from(items).ok(),
        _ => None,
    };
    let lengths: Int32Array = args[0].as_string_view().iter().map(|v| v.and_then(length)).collect();
    Ok(Arc::new(lengths))
}

/// Names of a top-level object, repeated ones included; NULL for anything else.
pub(super) fn object_keys(call: &Call<'_>) -> crate::error::Result<Typed> {
    let text = call.take_as(0, SparkType::String)?;
    let keys = SparkType::Array(Box::new(SparkType::String), true);
    Ok(call.finish(ObjectKeys, vec![text], keys).nullable(true))
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ObjectKeys;

impl Kernel for ObjectKeys {
    fn name(&self) -> &str {
        "json_object_keys"
    }

    fn return_type(&self) -> DataType {
        SparkType::Array(Box::new(SparkType::String), true).to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let element = Field::new("element", DataType::Utf8View, true);
        let mut lists = ListBuilder::new(StringViewBuilder::new()).with_field(element);
        for text in args[0].as_string_view() {
            match text.and_then(Outline::of) {
                Some(Outline::Object(names)) => {
                    names.iter().for_each(|name| lists.values().append_value(name));
                    lists.append(true);
                }
                _ => lists.append(false),
            }
        }
        Ok(Arc::new(lists.finish()))
    }
}
