//! `get_json_object(text, path)`: Hive's paths. Nothing found, and a path or document that cannot be read, give NULL.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef};
use datafusion::common::Result;
use millstream_columnar::json::JsonPath;

use crate::analyzer::Typed;
use crate::functions::call::Call;
use crate::functions::computed::Computed;
use crate::types::SparkType;

/// Documents are STRING, or BINARY as Kafka's values come; nothing else is cast to text.
pub(super) fn get_json_object(call: &Call<'_>) -> crate::error::Result<Typed> {
    let args = vec![call.payload_text(&call.sql())?, call.text_only(1)?];
    let kernel = Computed { name: "get_json_object".to_owned(), returns: SparkType::String, run: found };
    Ok(call.finish(kernel, args, SparkType::String).nullable(true))
}

/// The values that paths find in documents.
fn found(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (texts, paths) = (args[0].as_string_view(), args[1].as_string_view());
    let mut last: Option<(&str, Option<JsonPath>)> = None;
    let mut out = StringViewBuilder::with_capacity(texts.len());
    let mut found = String::new();
    for (text, path) in texts.iter().zip(paths) {
        let (Some(text), Some(path)) = (text, path) else {
            out.append_null();
            continue;
        };
        // The path is nearly always a constant.
        if last.as_ref().is_none_or(|(known, _)| *known != path) {
            last = Some((path, JsonPath::parse(path)));
        }
        found.clear();
        let compiled = last.as_ref().and_then(|(_, compiled)| compiled.as_ref());
        if compiled.is_some_and(|path| path.evaluate(text, &mut found)) {
            out.append_value(&found);
        } else {
            out.append_null();
        }
    }
    Ok(Arc::new(out.finish()))
}
