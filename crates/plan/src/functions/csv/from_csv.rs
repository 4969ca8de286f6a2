//! `from_csv(text, schema [, options])`.
//!
//! The schema is a constant: the DDL of a struct's fields, or of the struct. The modes are PERMISSIVE and
//! FAILFAST. Every field of the result may be NULL.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::ArrayRef;
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
use crate::functions::refused::refused;
use crate::functions::udf::{Evaluation, Kernel};
use crate::types::{SparkType, StructType};

/// A `from_csv` with its schema and options compiled.
#[derive(Clone)]
pub(crate) struct FromCsv {
    schema: SparkType,
    options: BTreeMap<String, String>,
    reader: Arc<CsvReader>,
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
    let sql = format!("from_csv({})", call.args[0].sql);
    let options = super::options(call, 2)?;
    if let Some(error) = unusable(&options, fields) {
        return Ok(Typed { sql, ..refused(call, text, schema, error) });
    }
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
    }
    let reader = CsvReader::new(&schema.to_arrow(), compiled).map_err(bad_option)?;
    let kernel = FromCsv { schema: schema.clone(), options, reader: Arc::new(reader) };
    let result = call.finish(kernel, vec![text], schema).nullable(true);
    Ok(Typed { sql, foldable: false, ..result })
}

/// What Spark tells at the first value: a mode that functions do not know, no delimiter, types that CSV does not have.
fn unusable(options: &BTreeMap<String, String>, fields: &StructType) -> Option<SparkError> {
    let given = |names: &[&str], value: &str| {
        options.iter().any(|(name, found)| {
            names.iter().any(|n| name.eq_ignore_ascii_case(n)) && found.eq_ignore_ascii_case(value)
        })
    };
    if given(&["mode"], "DROPMALFORMED") {
        let parameters = [("funcName", "`from_csv`"), ("mode", "DROPMALFORMED")];
        return Some(SparkError::new("PARSE_MODE_UNSUPPORTED", parameters));
    }
    if given(&["sep", "delimiter"], "") {
        return Some(SparkError::without_condition("Delimiter cannot be empty; set the option sep"));
    }
    let nested =
        |t: &SparkType| matches!(t, SparkType::Array(..) | SparkType::Map(..) | SparkType::Struct(_));
    let found = fields.fields.iter().find(|f| nested(&f.data_type) || f.data_type == SparkType::Null)?;
    let parameters = [("typeName", errors::quoted_type(&found.data_type))];
    Some(SparkError::new("UNSUPPORTED_DATATYPE", parameters))
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
        self.reader.read(args[0].as_ref()).map_err(|error| match error {
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
