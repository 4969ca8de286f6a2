//! `from_json(text, schema [, options])`.
//!
//! The schema is a constant: DDL (`a INT, b STRING`, or the DDL of any type such as `ARRAY<INT>`) or a JSON
//! schema. The modes are PERMISSIVE and FAILFAST. The result may be NULL in every part.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Volatility;
use millstream_columnar::json::{JsonReadOptions, JsonReader};
use millstream_columnar::{Error as ColumnarError, JsonFault};

use super::unfit::unfit;
use super::{bad_option, registered};
use crate::analyzer::{Conf, Typed, errors};
use crate::error::SparkError;
use crate::functions::call::Call;
use crate::functions::external;
use crate::functions::refused::refused;
use crate::functions::registered::{framing_options, shown};
use crate::functions::udf::{Evaluation, Kernel};
use crate::types::{SparkType, StructField, StructType};

/// A `from_json` with its schema and options compiled.
#[derive(Clone)]
pub(crate) struct FromJson {
    /// The result's type.
    pub schema: SparkType,
    /// As the user gave them, with the session's defaults filled in.
    pub options: BTreeMap<String, String>,
    user_options: bool,
    reader: Arc<JsonReader>,
}

/// Options that the session sets when the user does not.
const SESSION_OPTIONS: [&str; 2] = ["timeZone", "columnNameOfCorruptRecord"];

impl FromJson {
    /// Compiles schema and options.
    ///
    /// # Errors
    /// Options that have no meaning.
    pub fn new(schema: SparkType, options: BTreeMap<String, String>) -> crate::error::Result<Self> {
        let mut parsed = JsonReadOptions::default();
        for (name, value) in &options {
            parsed.set(name, value).map_err(bad_option)?;
        }
        let user = options.keys().any(|name| !SESSION_OPTIONS.contains(&name.as_str()));
        let reader = JsonReader::new(&schema.to_arrow(), parsed).map_err(bad_option)?;
        Ok(Self { schema, options, user_options: user, reader: Arc::new(reader) })
    }

    /// The same for one of several fields of the struct, or of the structs of an array. None where that would change
    /// the field's value, because the user gave options.
    pub fn of_field(&self, index: usize) -> Option<Self> {
        let (fields, list) = match &self.schema {
            SparkType::Struct(fields) => (fields, None),
            SparkType::Array(element, nulls) => match &**element {
                SparkType::Struct(fields) => (fields, Some(*nulls)),
                _ => return None,
            },
            _ => return None,
        };
        if self.user_options || fields.fields.len() < 2 {
            return None;
        }
        let one = SparkType::Struct(StructType { fields: vec![fields.fields.get(index)?.clone()] });
        let schema = match list {
            Some(nulls) => SparkType::Array(Box::new(one), nulls),
            None => one,
        };
        Self::new(schema, self.options.clone()).ok()
    }

    /// Reads documents; the rows that `bad` marks are none (see [`JsonReader::read_except`]).
    pub(super) fn read(&self, documents: &dyn Array, bad: &[bool]) -> Result<ArrayRef> {
        self.reader.read_except(documents, bad).map_err(|error| match error {
            ColumnarError::MalformedJson { record, fault, path, .. } => {
                let error = malformed(record, &fault, &self.schema);
                external(if path.is_empty() { error } else { error.about("Field", &path) })
            }
            other => DataFusionError::External(Box::new(other)),
        })
    }

    /// Whether fields that are not used may be left out of the schema without a change in the others.
    pub fn may_be_pruned(&self) -> bool {
        let SparkType::Struct(fields) = &self.schema else { return false };
        let corrupt = self.options.get(SESSION_OPTIONS[1]);
        !self.user_options
            && fields.fields.len() > 1
            && fields.fields.iter().all(|f| corrupt.is_none_or(|c| *f.name != **c))
    }
}

pub(super) fn from_json(call: &Call<'_>) -> crate::error::Result<Typed> {
    let sql = format!("from_json({})", call.args[0].sql);
    if let Some((2, given)) = framing_options(call, "JSON")? {
        return registered::from_json(&shown(call, 2), given, sql);
    }
    let text = call.payload_text(&sql)?;
    let (schema, options) = checked(call, &sql, call.options(2)?)?;
    if let Some(error) = unusable(&schema, &options) {
        return Ok(Typed { sql, ..refused(call, text, schema, error) });
    }
    let kernel = FromJson::new(schema.clone(), options)?;
    let mut result = call.finish(kernel, vec![text], schema).nullable(true);
    result.sql = sql;
    result.foldable = false;
    Ok(result)
}

/// The kernel by the schema in the second argument and the user's options.
pub(super) fn compile(
    call: &Call<'_>,
    sql: &str,
    given: BTreeMap<String, String>,
) -> crate::error::Result<FromJson> {
    let (schema, options) = checked(call, sql, given)?;
    match unusable(&schema, &options) {
        Some(error) => Err(error.into()),
        None => FromJson::new(schema, options),
    }
}

fn checked(
    call: &Call<'_>,
    sql: &str,
    given: BTreeMap<String, String>,
) -> crate::error::Result<(SparkType, BTreeMap<String, String>)> {
    let schema = nullable(&schema_argument(call, 1)?);
    if !matches!(schema, SparkType::Struct(_) | SparkType::Array(..) | SparkType::Map(..)) {
        return Err(errors::spark(
            "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA",
            [("schema", errors::quoted_type(&schema)), ("sqlExpr", format!("\"{sql}\""))],
        ));
    }
    check_types(&schema, call)?;
    let mut options = session_options(call.conf);
    options.extend(given);
    Ok((schema, options))
}

fn session_options(conf: &Conf) -> BTreeMap<String, String> {
    BTreeMap::from([
        (SESSION_OPTIONS[0].to_owned(), conf.time_zone().to_owned()),
        (SESSION_OPTIONS[1].to_owned(), conf.corrupt_record_column().to_owned()),
    ])
}

/// A schema given as a constant string: fields as in CREATE TABLE, or one type.
pub(in crate::functions) fn schema_argument(
    call: &Call<'_>,
    index: usize,
) -> crate::error::Result<SparkType> {
    let arg = &call.args[index];
    if !arg.foldable || arg.data_type != SparkType::String {
        return Err(errors::spark("INVALID_SCHEMA.NON_STRING_LITERAL", [("inputSchema", arg.quoted_sql())]));
    }
    let text = call.constant_text(index, "schema")?.unwrap_or_default();
    StructType::parse_ddl(&text).map(SparkType::Struct).or_else(|_| SparkType::parse_ddl(&text))
}

/// The same type with every part nullable.
pub(in crate::functions) fn nullable(data_type: &SparkType) -> SparkType {
    match data_type {
        SparkType::Array(element, _) => SparkType::Array(Box::new(nullable(element)), true),
        SparkType::Map(key, value, _) => {
            SparkType::Map(Box::new(nullable(key)), Box::new(nullable(value)), true)
        }
        SparkType::Struct(fields) => SparkType::Struct(
            fields
                .fields
                .iter()
                .map(|f| StructField::new(f.name.clone(), nullable(&f.data_type), true))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Maps have strings as keys, and intervals all of their fields.
fn check_types(schema: &SparkType, call: &Call<'_>) -> crate::error::Result<()> {
    match schema {
        SparkType::Map(key, _, _) if **key != SparkType::String => Err(errors::spark(
            "DATATYPE_MISMATCH.INVALID_JSON_MAP_KEY_TYPE",
            [
                ("schema", errors::quoted_type(schema)),
                ("sqlExpr", format!("\"from_json({})\"", call.args[0].sql)),
            ],
        )),
        SparkType::DayTimeInterval(..) | SparkType::YearMonthInterval(..)
            if *schema != SparkType::DAY_TIME && *schema != SparkType::YEAR_MONTH =>
        {
            Err(bad_option(ColumnarError::UnsupportedType {
                operation: "from_json to an interval of other fields than DAY TO SECOND and YEAR TO MONTH as",
                data_type: schema.to_arrow(),
            }))
        }
        SparkType::Map(_, value, _) => check_types(value, call),
        SparkType::Array(element, _) => check_types(element, call),
        SparkType::Struct(fields) => {
            fields.fields.iter().try_for_each(|field| check_types(&field.data_type, call))
        }
        _ => Ok(()),
    }
}

/// What Spark tells at the first value: a mode that functions do not know (others that it does not know are
/// PERMISSIVE), and a field for corrupt records that is no STRING.
fn unusable(schema: &SparkType, options: &BTreeMap<String, String>) -> Option<SparkError> {
    let drops = |(name, mode): (&String, &String)| {
        name.eq_ignore_ascii_case("mode") && mode.eq_ignore_ascii_case("DROPMALFORMED")
    };
    if options.iter().any(drops) {
        let parameters = [("funcName", "`from_json`"), ("mode", "DROPMALFORMED")];
        return Some(SparkError::new("PARSE_MODE_UNSUPPORTED", parameters));
    }
    let SparkType::Struct(fields) = schema else { return None };
    let by_user = options.iter().rfind(|(name, _)| {
        name.eq_ignore_ascii_case(SESSION_OPTIONS[1]) && name.as_str() != SESSION_OPTIONS[1]
    });
    let column = by_user.map(|(_, column)| column).or_else(|| options.get(SESSION_OPTIONS[1]))?;
    let field = fields.fields.iter().find(|field| *field.name == **column)?;
    (field.data_type != SparkType::String).then(|| {
        SparkError::new(
            "INVALID_CORRUPT_RECORD_TYPE",
            [("columnName", format!("`{column}`")), ("actualType", errors::quoted_type(&field.data_type))],
        )
    })
}

impl Kernel for FromJson {
    fn name(&self) -> &str {
        "from_json"
    }

    fn return_type(&self) -> DataType {
        self.schema.to_arrow()
    }

    /// It gives the same for the same text, but is too dear to be computed twice: a filter on one of its fields
    /// would otherwise be pushed below it together with a copy of it.
    fn volatility(&self) -> Volatility {
        Volatility::Volatile
    }

    fn fails_for_records(&self) -> bool {
        let strict = |(name, mode): (&String, &String)| {
            name.eq_ignore_ascii_case("mode") && mode.eq_ignore_ascii_case("FAILFAST")
        };
        self.options.iter().any(strict)
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        self.read(args[0].as_ref(), &[])
    }
}

/// Of Spark's conditions, one inside of the other, the inner one: it says what is wrong with the value.
pub(super) fn malformed(record: String, fault: &JsonFault, schema: &SparkType) -> SparkError {
    let mut parameters = vec![("badRecord", record), ("failFastMode", "FAILFAST".to_owned())];
    match fault {
        JsonFault::RootNull => parameters.clear(),
        JsonFault::StringForNumber { field, value } => {
            let target = if holds_float(schema, field) { "FloatType" } else { "DoubleType" };
            parameters.extend([
                ("fieldName", format!("`{field}`")),
                ("fieldValue", format!("'{value}'")),
                ("inputType", "StringType".to_owned()),
                ("targetType", target.to_owned()),
            ]);
        }
        JsonFault::Malformed { value: Some(value), .. } => {
            if let Some(error) = unfit(value) {
                return error;
            }
        }
        _ => {}
    }
    SparkError::new(fault.condition(), parameters)
}

/// Whether the field of this name is a float somewhere in the schema.
fn holds_float(schema: &SparkType, name: &str) -> bool {
    match schema {
        SparkType::Struct(fields) => fields.fields.iter().any(|field| {
            (*field.name == *name && field.data_type == SparkType::Float)
                || holds_float(&field.data_type, name)
        }),
        SparkType::Array(element, _) => holds_float(element, name),
        SparkType::Map(_, value, _) => holds_float(value, name),
        _ => false,
    }
}

impl fmt::Debug for FromJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FromJson").field("schema", &self.schema).field("options", &self.options).finish()
    }
}

impl PartialEq for FromJson {
    fn eq(&self, other: &Self) -> bool {
        self.schema == other.schema && self.options == other.options
    }
}

impl Eq for FromJson {}

impl Hash for FromJson {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.schema.hash(state);
        self.options.hash(state);
    }
}
