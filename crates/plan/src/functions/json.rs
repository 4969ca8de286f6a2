//! JSON: `from_json`, `to_json`, paths and tuples.

mod document;
mod from_json;
mod path;
mod registered;
mod schema_of;
mod schema_text;
mod to_json;
mod tuple;
mod unfit;

use datafusion::error::DataFusionError;

use super::call::{Arity, Function};
use super::simple::Simple;
use crate::analyzer::Expected;
use crate::types::SparkType;

pub(crate) use from_json::FromJson;
pub(super) use from_json::{nullable, schema_argument};
pub(super) use registered::RegisteredJson;
pub(crate) use tuple::json_tuple;

const TEXT: Expected = Expected::Exactly(SparkType::String);

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "from_json", arity: Arity::between(2, 3), build: from_json::from_json },
    Function { name: "get_json_object", arity: Arity::exactly(2), build: path::get_json_object },
    Function { name: "to_json", arity: Arity::between(1, 2), build: to_json::to_json },
    Function { name: "schema_of_json", arity: Arity::between(1, 2), build: schema_of::schema_of_json },
    Function { name: "json_object_keys", arity: Arity::exactly(1), build: tuple::object_keys },
];

/// Functions of fixed types.
pub(crate) static SIMPLE: &[Simple] = &[Simple {
    name: "json_array_length",
    params: &[TEXT],
    optional: 0,
    returns: SparkType::Integer,
    run: tuple::array_length,
}];

pub(super) fn bad_option(error: millstream_columnar::Error) -> crate::error::Error {
    crate::error::Error::DataFusion(Box::new(DataFusionError::External(Box::new(error))))
}
