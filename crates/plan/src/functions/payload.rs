//! Arguments of the functions on encoded payloads (`from_avro`, `from_protobuf`, ...): Spark checks them with words of
//! their own, and prints those that were left out.

use std::collections::BTreeMap;

use super::call::Call;
use crate::analyzer::errors;
use crate::error::{Error, Result};
use crate::types::SparkType;

const ORDINALS: [&str; 4] = ["first", "second", "third", "fourth"];

/// The call as Spark prints it: an argument that was left out is NULL.
pub(super) fn printed(call: &Call<'_>, arguments: usize) -> String {
    let given = call.args.iter().map(|a| a.sql.as_str());
    let all: Vec<&str> = given.chain(std::iter::repeat("NULL")).take(arguments).collect();
    format!("{}({})", call.name, all.join(", "))
}

/// Options in argument `index`, a constant map of strings or NULL.
pub(super) fn options(call: &Call<'_>, index: usize, format: &str) -> Result<BTreeMap<String, String>> {
    let Some(arg) = call.args.get(index) else { return Ok(BTreeMap::new()) };
    let text_or_none = |t: &SparkType| matches!(t, SparkType::String | SparkType::Null);
    let fits = match &arg.data_type {
        SparkType::Map(key, value, _) => text_or_none(key) && text_or_none(value),
        SparkType::Null => return Ok(BTreeMap::new()),
        _ => false,
    };
    if !fits || !arg.foldable {
        let verb = if call.name.starts_with("to_") { "to" } else { "from" };
        let what = format!(
            "The {} argument of the {} SQL function must be a constant map of strings to strings containing the \
             options to use for converting the value {verb} {format} format",
            ORDINALS[index],
            call.name.to_uppercase()
        );
        return Err(mismatch(call, what));
    }
    let empty = matches!(&arg.data_type, SparkType::Map(key, ..) if **key == SparkType::Null);
    if empty { Ok(BTreeMap::new()) } else { call.options(index) }
}

/// Text in argument `index`, which must be a constant of type STRING: `meaning` says of what; none for NULL.
pub(super) fn text(call: &Call<'_>, index: usize, meaning: &str) -> Result<Option<String>> {
    let Some(arg) = call.args.get(index) else { return Ok(None) };
    let is_text = matches!(arg.data_type, SparkType::String | SparkType::Null);
    if !arg.foldable || !is_text {
        let what = format!(
            "The {} argument of the {} SQL function must be a constant string {meaning}",
            ORDINALS[index],
            call.name.to_uppercase()
        );
        return Err(mismatch(call, what));
    }
    if arg.data_type == SparkType::Null { Ok(None) } else { call.constant_text(index, "argument") }
}

/// A mistake in an argument that Spark explains in words.
pub(super) fn mismatch(call: &Call<'_>, msg: String) -> Error {
    errors::spark(
        "DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT",
        [("msg", msg), ("hint", String::new()), ("sqlExpr", format!("\"{}\"", call.sql()))],
    )
}
