//! JSON payloads to Arrow columns by Spark's `from_json` rules, and columns to JSON by its `to_json` rules.

mod base64;
mod copy;
mod escape;
mod options;
mod reader;
mod scan;
mod writer;

pub use options::{JsonReadOptions, JsonWriteOptions, ParseMode};
pub use reader::JsonReader;
pub use writer::JsonWriter;
