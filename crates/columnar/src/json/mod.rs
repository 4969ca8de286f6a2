//! JSON payloads to Arrow columns by Spark's `from_json` rules, and columns to JSON by its `to_json` rules.

mod base64;
mod copy;
mod escape;
mod infer;
mod options;
mod path;
mod reader;
#[cfg(test)]
mod recorded;
mod scan;
#[cfg(test)]
mod twin;
mod writer;

pub use infer::{SchemaInference, schema_of_json};
pub use options::{JsonLimits, JsonReadOptions, JsonWriteOptions, ParseMode};
pub use path::{JsonPath, json_tuple};
pub use reader::JsonReader;
pub(crate) use reader::number::decimal;
pub use writer::JsonWriter;
pub(crate) use writer::MomentFormats;
