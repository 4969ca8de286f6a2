//! Every expression and query of the recorded cases parses, or is refused where Spark refused it.
use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use super::{parse_expression, parse_query};

fn cases() -> Vec<(String, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../integration/golden");
    let entries = std::fs::read_dir(&folder).expect("the golden cases are part of the repository");
    let mut cases = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "json") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            cases.push((name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()));
        }
    }
    assert!(cases.len() > 200);
    cases
}

/// Texts under the keys that hold expressions, and those that hold queries.
fn collect(value: &Value, expressions: &mut BTreeSet<String>, queries: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match key.as_str() {
                    "exprs" | "select" | "keys" | "aggs" | "cond" => texts(value, expressions),
                    "on" if value.is_string() => texts(value, expressions),
                    "sql" => texts(value, queries),
                    "text" if fields.get("op").is_some_and(|op| op == "sql") => texts(value, queries),
                    "results" => {}
                    _ => collect(value, expressions, queries),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, expressions, queries)),
        _ => {}
    }
}

fn texts(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(into.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        _ => {}
    }
}

#[test]
fn recorded_texts_parse_unless_spark_refused_them() {
    let (mut expressions, mut queries) = (BTreeSet::new(), BTreeSet::new());
    for (_, case) in cases() {
        collect(&case, &mut expressions, &mut queries);
    }
    assert!(expressions.len() > 250 && queries.len() > 50);
    let refused: BTreeSet<&str> = [
        "CAST(k AS",
        "get_json_object(v, '$['a.b']') AS r",
        "from_json(v,'a INT, b INT').*",
        "from_json(v,'a STRUCT<b: STRUCT<c: INT>>').a.*",
    ]
    .into();
    for text in &expressions {
        assert_eq!(parse_expression(text).is_err(), refused.contains(text.as_str()), "{text}");
    }
    for text in &queries {
        assert!(parse_query(text).is_ok(), "{text}: {:?}", parse_query(text));
    }
}
