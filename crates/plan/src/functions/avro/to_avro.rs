//! `to_avro(data [, jsonFormatSchema])`: any column, NULL stays NULL. Without a schema it is what the column's type
//! gives.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use datafusion::common::Result;
use millstream_columnar::avro::AvroWriter;

use super::{columnar, parse, schema_text};
use crate::analyzer::Typed;
use crate::functions::call::Call;
use crate::functions::external;
use crate::functions::payload::printed;
use crate::functions::udf::{Evaluation, Kernel};
use crate::types::SparkType;

/// A `to_avro` with its schema compiled.
#[derive(Clone)]
struct ToAvro {
    source: SparkType,
    schema: String,
    writer: Arc<AvroWriter>,
}

pub(super) fn to_avro(call: &Call<'_>) -> crate::error::Result<Typed> {
    let schema = schema_text(call, 1)?;
    let value = call.args[0].clone();
    let schema = schema.as_deref().map(parse).transpose()?;
    let source = value.data_type.to_arrow();
    let writer = AvroWriter::new(&source, value.nullable, schema.as_ref()).map_err(columnar)?;
    let schema = writer.schema().to_json();
    let kernel = ToAvro { source: value.data_type.clone(), schema, writer: Arc::new(writer) };
    let mut result = call.finish(kernel, vec![value], SparkType::Binary);
    result.sql = printed(call, 2);
    Ok(result)
}

impl Kernel for ToAvro {
    fn name(&self) -> &str {
        "to_avro"
    }

    fn return_type(&self) -> DataType {
        DataType::BinaryView
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let payloads = self.writer.write(args[0].as_ref(), &[]).map_err(|e| external(columnar(e)))?;
        Ok(Arc::new(payloads))
    }
}

impl fmt::Debug for ToAvro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToAvro").field("source", &self.source).field("schema", &self.schema).finish()
    }
}

impl PartialEq for ToAvro {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.schema == other.schema
    }
}

impl Eq for ToAvro {}

impl Hash for ToAvro {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.hash(state);
        self.schema.hash(state);
    }
}
