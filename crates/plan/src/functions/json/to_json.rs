//! `to_json(value [, options])` of structs, arrays and maps. NULL fields of structs are left out by default.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use millstream_columnar::json::{JsonWriteOptions, JsonWriter};

use super::{bad_option, registered};
use crate::analyzer::{Typed, cast_to, errors};
use crate::functions::call::Call;
use crate::functions::registered::{framing_options, shown};
use crate::functions::udf::{Evaluation, Kernel};
use crate::types::{SparkType, StructField};

#[derive(Clone)]
pub(super) struct ToJson {
    source: SparkType,
    options: BTreeMap<String, String>,
    writer: Arc<JsonWriter>,
}

pub(super) fn to_json(call: &Call<'_>) -> crate::error::Result<Typed> {
    if let Some((1, given)) = framing_options(call, "JSON")? {
        return registered::to_json(&shown(call, 1), given);
    }
    let (value, kernel) = compile(call, call.options(1)?)?;
    let sql = format!("to_json({})", value.sql);
    let mut result = call.finish(kernel, vec![value], SparkType::String);
    result.sql = sql;
    Ok(result)
}

/// The value and the kernel by the user's options.
pub(super) fn compile(
    call: &Call<'_>,
    given: BTreeMap<String, String>,
) -> crate::error::Result<(Typed, ToJson)> {
    let value = call.args[0].clone();
    if !matches!(value.data_type, SparkType::Struct(_) | SparkType::Array(..) | SparkType::Map(..)) {
        return Err(errors::spark(
            "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA",
            [("schema", errors::quoted_type(&value.data_type)), ("sqlExpr", format!("\"{}\"", call.sql()))],
        ));
    }
    let mut options = BTreeMap::from([
        ("timeZone".to_owned(), call.conf.time_zone().to_owned()),
        ("ignoreNullFields".to_owned(), call.conf.json_ignores_null_fields().to_string()),
    ]);
    options.extend(given);
    let mut parsed = JsonWriteOptions::default();
    for (name, text) in &options {
        parsed.set(name, text).map_err(bad_option)?;
    }
    // Arrow's intervals do not know their fields, so they are written before.
    let value = match written(&value.data_type) {
        Some(written) => cast_to(value, &written, call.conf)?,
        None => value,
    };
    let writer = JsonWriter::new(&value.data_type.to_arrow(), parsed).map_err(bad_option)?;
    let kernel = ToJson { source: value.data_type.clone(), options, writer: Arc::new(writer) };
    Ok((value, kernel))
}

impl ToJson {
    pub(super) fn write(&self, values: &dyn Array) -> Result<ArrayRef> {
        self.writer.write(values).map_err(|e| DataFusionError::External(Box::new(e)))
    }
}

/// The type with text in the place of intervals other than keys; none if there is no interval.
fn written(data_type: &SparkType) -> Option<SparkType> {
    match data_type {
        SparkType::DayTimeInterval(..) | SparkType::YearMonthInterval(..) => Some(SparkType::String),
        SparkType::Array(element, nulls) => Some(SparkType::Array(Box::new(written(element)?), *nulls)),
        SparkType::Map(key, value, nulls) => {
            Some(SparkType::Map(key.clone(), Box::new(written(value)?), *nulls))
        }
        SparkType::Struct(fields) => {
            let types: Vec<Option<SparkType>> = fields.fields.iter().map(|f| written(&f.data_type)).collect();
            types.iter().any(Option::is_some).then(|| {
                let fields = fields.fields.iter().zip(types);
                SparkType::Struct(
                    fields
                        .map(|(f, t)| {
                            StructField::new(
                                f.name.clone(),
                                t.unwrap_or_else(|| f.data_type.clone()),
                                f.nullable,
                            )
                        })
                        .collect(),
                )
            })
        }
        _ => None,
    }
}

impl Kernel for ToJson {
    fn name(&self) -> &str {
        "to_json"
    }

    fn return_type(&self) -> DataType {
        DataType::Utf8View
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        self.write(args[0].as_ref())
    }
}

impl fmt::Debug for ToJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToJson").field("source", &self.source).field("options", &self.options).finish()
    }
}

impl PartialEq for ToJson {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source && self.options == other.options
    }
}

impl Eq for ToJson {}

impl Hash for ToJson {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.source.hash(state);
        self.options.hash(state);
    }
}
