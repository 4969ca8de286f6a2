//! JSON payloads to Arrow columns by Spark's `from_json` rules, and columns to JSON by its `to_json` rules.

mod options;
mod reader;
mod writer;

pub use options::{JsonReadOptions, JsonWriteOptions, ParseMode};
pub use reader::JsonReader;
pub use writer::JsonWriter;
