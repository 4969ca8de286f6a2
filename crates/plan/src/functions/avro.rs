//! Avro: `from_avro`, `to_avro`, `schema_of_avro`, with schemas given as text or held by a registry.
//!
//! | call | schema |
//! |---|---|
//! | `from_avro(data, schema [, options])`, `to_avro(data [, schema])` | JSON text; Spark's functions |
//! | `from_avro(data, subject, address [, options])` | of a registry; payloads are framed, as on Databricks |
//! | `to_avro(data, subject, address [, options])` | the same, the other way |

mod from_avro;
mod registered;
mod schema_of;
#[cfg(test)]
mod tests;
mod to_avro;

pub(super) use from_avro::FromAvro;
pub(super) use registered::RegisteredAvro;

use std::collections::BTreeMap;

use millstream_columnar::Error as ColumnarError;
use millstream_columnar::avro::{AvroReadOptions, Rebase, Schema};

use super::call::{Arity, Call, Function};
use super::payload;
use crate::analyzer::{Typed, errors};
use crate::error::{Error, Result, SparkError};
use crate::types::SparkType;

/// All of them; the number of arguments is checked when it is known whether a registry is meant.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "from_avro", arity: Arity::at_least(0), build: from_avro },
    Function { name: "to_avro", arity: Arity::at_least(0), build: to_avro },
    Function { name: "schema_of_avro", arity: Arity::between(1, 2), build: schema_of::schema_of_avro },
];

fn from_avro(call: &Call<'_>) -> Result<Typed> {
    if names_registry(call) {
        return registered::from_avro(call);
    }
    call.check(Arity::between(2, 3))?;
    from_avro::from_avro(call)
}

fn to_avro(call: &Call<'_>) -> Result<Typed> {
    if names_registry(call) {
        return registered::to_avro(call);
    }
    call.check(Arity::between(1, 2))?;
    to_avro::to_avro(call)
}

/// Whether the third argument is an address.
fn names_registry(call: &Call<'_>) -> bool {
    matches!(call.args.len(), 3 | 4) && call.args[2].data_type == SparkType::String
}

/// The JSON text of a schema in argument `index`; none for NULL.
fn schema_text(call: &Call<'_>, index: usize) -> Result<Option<String>> {
    let verb = if call.name == "to_avro" { "to" } else { "from" };
    let meaning = format!(
        "containing the JSON representation of the schema to use for converting the value {verb} AVRO format"
    );
    payload::text(call, index, &meaning)
}

/// Sets what is an option of `from_avro`; the others are given back.
fn read_options(
    call: &Call<'_>,
    given: &BTreeMap<String, String>,
) -> Result<(AvroReadOptions, BTreeMap<String, String>)> {
    let mut options = AvroReadOptions::default();
    let mut others = BTreeMap::new();
    for (name, value) in given {
        match options.set(name, value) {
            Ok(true) => {}
            Ok(false) => {
                others.insert(name.clone(), value.clone());
            }
            Err(_) if name.eq_ignore_ascii_case("mode") => {
                return Err(errors::spark(
                    "PARSE_MODE_UNSUPPORTED",
                    [("funcName", format!("`{}`", call.name)), ("mode", value.to_uppercase())],
                ));
            }
            Err(ColumnarError::BadOption { option, why, .. }) => {
                return Err(errors::spark(
                    "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE",
                    [("optionName", option), ("message", why)],
                ));
            }
            Err(other) => return Err(columnar(other)),
        }
    }
    if options.rebase == Rebase::Legacy && call.conf.time_zone() != "UTC" {
        return Err(Error::unsupported("datetimeRebaseMode LEGACY in another session time zone than UTC"));
    }
    Ok((options, others))
}

fn parse(text: &str) -> Result<Schema> {
    Schema::parse(text).map_err(columnar)
}

/// What Spark raises as a Java exception without a public condition, and the conditions that it has.
fn columnar(error: ColumnarError) -> Error {
    match error {
        ColumnarError::NullAvroField { name, data_type, .. } => errors::spark(
            "AVRO_CANNOT_WRITE_NULL_FIELD",
            [("name", format!("`{name}`")), ("dataType", data_type)],
        ),
        error @ ColumnarError::MalformedAvro { .. } => SparkError::without_condition(format!(
            "Malformed records are detected in record parsing. Current parse Mode: FAILFAST. To process malformed \
             records as null result, try setting the option 'mode' as 'PERMISSIVE'. Cause: {error}"
        ))
        .into(),
        other => SparkError::without_condition(other.to_string()).into(),
    }
}
