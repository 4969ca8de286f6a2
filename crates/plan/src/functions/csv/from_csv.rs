//! `from_csv(text, schema [, options])`.
//!
//! The schema is a constant: the DDL of a struct's fields, or of the struct. The modes are PERMISSIVE and
//! FAILFAST. Every field of the result may be NULL.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Volatility;
use millstream_columnar::csv::CsvReader;
use millstream_columnar::{CsvFault, Error as ColumnarError};

use crate::analyzer::{Typed, errors};
use crate::error::SparkError;
use crate::functions::call::Call;
use crate::functions::external;
use crate::functions::json::{bad_option, nullable, schema_argument};
use crate::functions::udf::{Evaluation, Kernel};
use crate::types::SparkType;

/// A `from_csv` with its schema and options compiled.
#[derive(Clone)]
pub(crate) struct FromCsv {
    schema: SparkType,
    options: BTreeMap<String, String>,
    /// None where the mode is one that functions do not know, which Spark tells at the first value.
    reader: Option<Arc<CsvReader>>,
}

pub(super) fn from_csv(call: &Call<'_>) -> crate::error::Result<Typed> {
    let text = call.payload_text(&format!("from_csv({})", call.args[0].sql))?;
    let schema = nullable(&schema_argument(call, 1)?);
    let SparkType::Struct(fields) = &schema else {
        return Err(errors::spark(
            "INVALID_SCHEMA.NON_STRUCT_TYPE",
            [("inputSchema", call.args[1].quoted_sql()), ("dataType", errors::quoted_type(&schema))],
        ));
    };
    let options = super::options(call, 2)?;
    let drops = options
        .iter()
        .any(|(name, mode)| name.eq_ignore_ascii_case("mode") && mode.eq_ignore_ascii_case("DROPMALFORMED"));
    let compiled = super::compile(&options)?;
    for field in &fields.fields {
        if *field.name == *compiled.corrupt_record_column && field.data_type != SparkType::String {
            return Err(errors::spark(
                "INVALID_CORRUPT_RECORD_TYPE",
                [
                    ("columnName", errors::identifier(&[&*field.name])),
                    ("actualType", errors::quoted_type(&field.data_type)),
                ],
            ));
        }
        let nested =
            matches!(field.data_type, SparkType::Array(..) | SparkType::Map(..) | SparkType::Struct(_));
        if nested || field.data_type == SparkType::Null {
            return Err(errors::spark(
                "UNSUPPORTED_DATATYPE",
                [("typeName", errors::quoted_type(&field.data_type))],
            ));
        }
    }
    let reader = CsvReader::new(&schema.to_arrow(), compiled).map_err(bad_option)?;
    let kernel = FromCsv { schema: schema.clone(), options, reader: (!drops).then(|| Arc::new(reader)) };
    let mut result = call.finish(kernel, vec![text], schema).nullable(true);
    result.sql = format!("from_csv({})", call.args[0].sql);
    result.foldable = false;
    Ok(result)
}

impl Kernel for FromCsv {
    fn name(&self) -> &str {
        "from_csv"
    }

    fn return_type(&self) -> DataType {
        self.schema.to_arrow()
    }

    /// It gives the same for the same text, but is too dear to be computed twice: a filter on one of its fields
    /// would otherwise be pushed below it together with a copy of it.
    fn volatility(&self) -> Volatility {
        Volatility::Volatile
    }

    /// Values beyond a limit are an error in any mode.
    fn fails_for_records(&self) -> bool {
        true
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let Some(reader) = &self.reader else {
            if args[0].null_count() == args[0].len() {
                return Ok(new_null_array(&self.return_type(), args[0].len()));
            }
            return Err(external(SparkError::new(
                "PARSE_MODE_UNSUPPORTED",
                [("funcName", "`from_csv`"), ("mode", "DROPMALFORMED")],
            )));
        };
        reader.read(args[0].as_ref()).map_err(|error| match error {
            ColumnarError::MalformedCsv { record, field, fault: CsvFault::Mismatch } => {
                let parameters = [("badRecord", record), ("failFastMode", "FAILFAST".to_owned())];
                let error = SparkError::new("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", parameters);
                external(error.about("Field", &field))
            }
            ColumnarError::MalformedCsv { record, .. } => {
                external(SparkError::new("MALFORMED_CSV_RECORD", [("badRecord", record)]))
            }
            other => DataFusionError::External(Box::new(other)),
        })
    }
}

impl fmt::Debug for FromCsv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromCsv").field("schema", &self.schema).field("options", &self.options).finish()
    }
}

impl PartialEq for FromCsv {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema && self.options == other.options
    }
}

impl Eq for FromCsv {}

impl Hash for FromCsv {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.schema.hash(state);
        self.options.hash(state);
    }
}
