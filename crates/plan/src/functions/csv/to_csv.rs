//! `to_csv(struct [, options])`.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use millstream_columnar::csv::CsvWriter;

use crate::analyzer::{Typed, errors};
use crate::functions::call::Call;
use crate::functions::json::bad_option;
use crate::functions::udf::{Evaluation, Kernel};
use crate::types::SparkType;

#[derive(Clone)]
struct ToCsv {
    source: SparkType,
    options: BTreeMap<String, String>,
    writer: Arc<CsvWriter>,
}

pub(super) fn to_csv(call: &Call<'_>) -> crate::error::Result<Typed> {
    let value = call.args[0].clone();
    if !matches!(value.data_type, SparkType::Struct(_)) {
        return Err(errors::spark(
            "DATATYPE_MISMATCH.UNSUPPORTED_INPUT_TYPE",
            [
                ("functionName", "`to_csv`".to_owned()),
                ("dataType", errors::quoted_type(&value.data_type)),
                ("sqlExpr", format!("\"{}\"", call.sql())),
            ],
        ));
    }
    let options = super::options(call, 1)?;
    let writer =
        CsvWriter::new(&value.data_type.to_arrow(), &super::compile(&options)?).map_err(bad_option)?;
    let kernel = ToCsv { source: value.data_type.clone(), options, writer: Arc::new(writer) };
    let sql = format!("to_csv({})", value.sql);
    let mut result = call.finish(kernel, vec![value], SparkType::String).nullable(true);
    result.sql = sql;
    Ok(result)
}

impl Kernel for ToCsv {
    fn name(&self) -> &str {
        "to_csv"
    }

    fn return_type(&self) -> DataType {
        DataType::Utf8View
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        self.writer.write(args[0].as_ref()).map_err(|e| DataFusionError::External(Box::new(e)))
    }
}

impl fmt::Debug for ToCsv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToCsv").field("source", &self.source).field("options", &self.options).finish()
    }
}

impl PartialEq for ToCsv {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.options == other.options
    }
}

impl Eq for ToCsv {}

impl Hash for ToCsv {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.hash(state);
        self.options.hash(state);
    }
}
