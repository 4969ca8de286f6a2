//! `from_avro(data, jsonFormatSchema [, options])`.
//!
//! The schema is the one that the payloads were written with; the option `avroSchema` is the one to read with. The
//! modes are FAILFAST, the default, and PERMISSIVE, under which every part of the result may be NULL.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Volatility;
use millstream_columnar::avro::{AvroReadOptions, AvroReader, WriterPlan};
use millstream_columnar::json::ParseMode;

use super::{columnar, parse, read_options, schema_text};
use crate::analyzer::Typed;
use crate::functions::call::Call;
use crate::functions::external;
use crate::functions::payload::{options, printed};
use crate::functions::udf::{Evaluation, Kernel};
use crate::types::SparkType;

/// A `from_avro` with its schemas compiled.
#[derive(Clone)]
pub(crate) struct FromAvro {
    schema: String,
    options: AvroReadOptions,
    reader: Arc<AvroReader>,
    plan: WriterPlan,
}

pub(super) fn from_avro(call: &Call<'_>) -> crate::error::Result<Typed> {
    let schema = schema_text(call, 1)?.unwrap_or_default();
    // Options that mean nothing are no error, as in Spark.
    let (options, _) = read_options(call, &options(call, 2, "AVRO")?)?;
    let data = call.take_as(0, SparkType::Binary)?;
    let writer = parse(&schema)?;
    let reader = AvroReader::new(&writer, options.clone()).map_err(columnar)?;
    let plan = reader.plan(&writer).map_err(columnar)?;
    let data_type = SparkType::from_arrow(reader.data_type())?;
    let kernel = FromAvro { schema, options, reader: Arc::new(reader), plan };
    let mut result = call.finish(kernel, vec![data], data_type).nullable(true);
    result.sql = printed(call, 3);
    result.foldable = false;
    Ok(result)
}

impl Kernel for FromAvro {
    fn name(&self) -> &str {
        "from_avro"
    }

    fn return_type(&self) -> DataType {
        self.reader.data_type().clone()
    }

    /// It gives the same for the same bytes, but is too dear to be computed twice, below and above a filter.
    fn volatility(&self) -> Volatility {
        Volatility::Volatile
    }

    fn fails_for_records(&self) -> bool {
        self.options.mode == ParseMode::FailFast
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        self.reader.read(&self.plan, args[0].as_binary_view()).map_err(|e| external(columnar(e)))
    }
}

impl fmt::Debug for FromAvro {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromAvro").field("schema", &self.schema).field("options", &self.options).finish()
    }
}

impl PartialEq for FromAvro {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema && self.options == other.options
    }
}

impl Eq for FromAvro {}

impl Hash for FromAvro {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.schema.hash(state);
        self.options.avro_schema.hash(state);
    }
}
