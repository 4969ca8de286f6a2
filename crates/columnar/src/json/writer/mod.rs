//! `to_json`: a column of values to a column of documents, and batches to lines, as Spark's generator writes
//! them.
//!
//! Null fields of structs are left out (unless `ignoreNullFields` is false); nulls in arrays and maps are
//! written. Doubles read as Java writes them, non-finite ones in quotes; decimals as Java's BigDecimal; binary
//! as base64; dates and timestamps by their formats, of which the defaults are written without the pattern machinery;
//! map keys as text.

mod cells;
mod decimal;
mod moment;
mod node;
mod out;
#[cfg(test)]
mod tests;
mod window;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, StringViewArray, new_empty_array};
use arrow_buffer::Buffer;
use arrow_schema::{DataType, FieldRef};

use self::cells::BLOCK;
pub(crate) use self::moment::MomentFormats;
use self::node::{Members, Node};
use self::out::Out;
use super::JsonWriteOptions;
use crate::{Error, Result, payloads, raw};

/// A compiled `to_json`. Cheap to share; writing takes `&self`.
#[derive(Debug)]
pub struct JsonWriter {
    source: DataType,
    ignore_null_fields: bool,
    pretty: bool,
    formats: MomentFormats,
}

/// Rows by which the length of the others is estimated.
const SAMPLE: usize = 16;
/// Bytes that are reserved on an estimate at most.
const MOST_RESERVED: usize = 16 << 20;

impl JsonWriter {
    /// Compiles the type to write (a struct, list or map of the table's types) and the options.
    pub fn new(source: &DataType, options: JsonWriteOptions) -> Result<Self> {
        let is_document = matches!(source, DataType::Struct(_) | DataType::List(_) | DataType::Map(_, _));
        if !is_document {
            return Err(Error::UnsupportedType { operation: "to_json", data_type: source.clone() });
        }
        Node::bind(&*new_empty_array(source))?;
        Ok(Self {
            source: source.clone(),
            ignore_null_fields: options.ignore_null_fields,
            pretty: options.pretty,
            formats: MomentFormats::new(&options)?,
        })
    }

    /// One document a row, as Utf8View; null rows stay null.
    pub fn write(&self, values: &dyn Array) -> Result<ArrayRef> {
        if !values.data_type().equals_datatype(&self.source) {
            return Err(Error::Misuse(format!(
                "to_json was compiled for {} and is given {}",
                self.source,
                values.data_type()
            )));
        }
        let mut node = Node::bind(values)?;
        let mut text = Out::behind(Vec::new());
        let mut views = Vec::with_capacity(values.len());
        for row in 0..values.len() {
            if row % BLOCK == 0 {
                node.prepare(row..values.len().min(row + BLOCK), self);
            }
            if values.is_null(row) {
                views.push(0);
                continue;
            }
            let start = text.so_far().len();
            if row == SAMPLE {
                let rest = (start / SAMPLE).saturating_mul(values.len() - SAMPLE);
                text.reserve((rest + rest / 8).min(MOST_RESERVED));
            }
            self.append(&node, row, &mut text)?;
            views.push(payloads::written_view(text.so_far(), start, "the documents of one batch")?);
        }
        let buffers = Arc::from([Buffer::from(text.finish())]);
        let documents: StringViewArray = raw::string_views(views.into(), buffers, values.nulls().cloned());
        Ok(Arc::new(documents))
    }

    /// Appends one line, ended by `\n`, per row of the batch, whose columns are the fields of the compiled
    /// struct.
    pub fn write_lines(&self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<()> {
        let schema = batch.schema_ref();
        let matches = match &self.source {
            DataType::Struct(fields) => {
                let same = |(a, b): (&FieldRef, &FieldRef)| {
                    a.name() == b.name() && a.data_type().equals_datatype(b.data_type())
                };
                fields.len() == schema.fields().len() && fields.iter().zip(schema.fields()).all(same)
            }
            _ => false,
        };
        if !matches {
            return Err(Error::Misuse(
                "the batch is not of the type that the writer was compiled for".into(),
            ));
        }
        let mut members = Members::bind(schema.fields(), batch.columns())?;
        let mut text = Out::behind(std::mem::take(out));
        for row in 0..batch.num_rows() {
            if row % BLOCK == 0 {
                members.prepare(row..batch.num_rows().min(row + BLOCK), self);
            }
            let written = if self.pretty {
                members.append::<true>(row, 0, self, &mut text)
            } else {
                members.append::<false>(row, 0, self, &mut text)
            };
            if let Err(error) = written {
                *out = text.finish();
                return Err(error);
            }
            text.byte(b'\n');
        }
        *out = text.finish();
        Ok(())
    }

    fn append(&self, node: &Node<'_>, row: usize, text: &mut Out) -> Result<()> {
        if self.pretty {
            node.append::<true>(row, 0, self, text)
        } else {
            node.append::<false>(row, 0, self, text)
        }
    }
}
