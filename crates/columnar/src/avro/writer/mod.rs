//! `to_avro`: a column of values to a column of payloads, as Spark writes them: arrays and maps in one block, the
//! wire layout that of the table in `reader/cursor.rs`.

mod bound;
mod plan;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::{Array, BinaryViewArray};
use arrow_buffer::Buffer;
use arrow_schema::DataType;

use self::bound::{Bound, Stop};
pub(super) use self::bound::{write_bytes, write_long};
use self::plan::{Emit, compile};
use super::{Schema, schema_of_type};
use crate::{Error, Result, payloads, raw};

/// A compiled `to_avro`. Cheap to share; writing takes `&self`.
#[derive(Debug)]
pub struct AvroWriter {
    source: DataType,
    schema: Schema,
    emit: Emit,
}

impl AvroWriter {
    /// Compiles the type to write, which may be `nullable`, and the schema; without one it is what
    /// [`schema_of_type`] gives.
    ///
    /// # Errors
    /// [`Error::BadSchema`] where type and schema do not fit.
    pub fn new(source: &DataType, nullable: bool, schema: Option<&Schema>) -> Result<Self> {
        let schema = match schema {
            Some(schema) => schema.clone(),
            None => schema_of_type(source, nullable)?,
        };
        let emit = compile(source, &schema)?;
        Ok(Self { source: source.clone(), schema, emit })
    }

    /// The schema of the payloads.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// One payload a row, `header` before each; null rows stay null.
    ///
    /// # Errors
    /// A null, or a value, that the schema has no place for; more than 4 GiB of payloads.
    pub fn write(&self, values: &dyn Array, header: &[u8]) -> Result<BinaryViewArray> {
        if !values.data_type().equals_datatype(&self.source) {
            return Err(Error::Misuse(format!(
                "to_avro was compiled for {} and is given {}",
                self.source,
                values.data_type()
            )));
        }
        let bound = Bound::new(&self.emit, values)?;
        let mut out: Vec<u8> = Vec::new();
        let mut views = Vec::with_capacity(values.len());
        for row in 0..values.len() {
            if values.is_null(row) {
                views.push(0);
                continue;
            }
            let start = out.len();
            out.extend_from_slice(header);
            let mut path = Vec::new();
            bound.write(row, &mut out, &mut path).map_err(|stop| stopped(stop, row, &path))?;
            views.push(payloads::written_view(&out, start, "the payloads of one batch")?);
        }
        Ok(raw::binary_views(views.into(), Arc::from([Buffer::from(out)]), values.nulls().cloned()))
    }
}

fn stopped(stop: Stop, row: usize, path: &[&str]) -> Error {
    let field = path.iter().rev().copied().collect::<Vec<_>>().join(".");
    match stop {
        Stop::Null { name, written } => Error::NullAvroField { row, name, data_type: written },
        Stop::Value(why) => Error::UnwritableAvro { row, field, why },
    }
}
