//! Documents that want memory, time or a panic. What would take quadratic time takes hours at these sizes.

use std::fmt::Write as _;

use arrow_array::StringViewArray;

use super::*;
use crate::types;

fn schema(fields: &[(&str, DataType)]) -> DataType {
    DataType::Struct(fields.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect())
}

fn read(target: &DataType, options: &[(&str, &str)], document: &str) -> Result<Vec<serde_json::Value>> {
    let mut chosen = JsonReadOptions::default();
    for (name, value) in options {
        assert!(chosen.set(name, value)?);
    }
    let documents = StringViewArray::from_iter_values([document, r#"{"a":7}"#]);
    let array = JsonReader::new(target, chosen)?.read(&documents)?;
    array.to_data().validate_full()?;
    let mut rows = crate::json::twin::rows_of(&array);
    // The neighbour is as if nothing had been.
    assert_eq!(rows.pop().unwrap()["a"], 7);
    Ok(rows)
}

fn a() -> DataType {
    schema(&[("a", DataType::Int64)])
}

#[test]
fn nesting_beyond_the_limit_is_not_json_whether_skipped_or_read() {
    let lists = (0..20).fold(DataType::Int64, |inner, _| types::list(inner, true));
    let text = schema(&[("a", DataType::Int64), ("x", DataType::Utf8View)]);
    for target in [a(), text, schema(&[("a", DataType::Int64), ("x", lists)])] {
        for (depth, fits) in [(998, true), (999, true), (1000, false), (1_000_000, false)] {
            for (open, close) in [("[", "]"), ("{\"k\":", "}")] {
                let document = format!("{{\"a\":1,\"x\":{}1{}}}", open.repeat(depth), close.repeat(depth));
                let row = &read(&target, &[], &document).unwrap()[0];
                assert_eq!(row["a"].as_i64(), fits.then_some(1), "{depth} of {open} as {target}");
            }
        }
        let cut = format!("{{\"a\":1,\"x\":{}", "[{\"k\":".repeat(500_000));
        assert!(read(&target, &[], &cut).unwrap()[0]["a"].is_null());
    }
    let row = &read(&a(), &[("maxNestingDepth", "3")], r#"{"a":1,"x":[[1]]}"#).unwrap()[0];
    assert_eq!(row["a"], 1);
    let row = &read(&a(), &[("maxNestingDepth", "2")], r#"{"a":1,"x":[[1]]}"#).unwrap()[0];
    assert!(row["a"].is_null());
}

#[test]
fn lengths_have_limits_that_options_set() {
    let is_read = |options: &[(&str, &str)], document: &str| {
        read(&a(), options, document).unwrap()[0]["a"].as_i64() == Some(1)
    };
    let number = |digits: usize| format!("{{\"x\":{},\"a\":1}}", "9".repeat(digits));
    assert!(is_read(&[], &number(1000)));
    assert!(!is_read(&[], &number(1001)));
    assert!(!is_read(&[], &number(5_000_000)));
    assert!(is_read(&[("maxNumLen", "5000000")], &number(5_000_000)));
    let string = |bytes: usize| format!("{{\"x\":\"{}\",\"a\":1}}", "s".repeat(bytes));
    assert!(is_read(&[], &string(20_000_000)));
    assert!(!is_read(&[], &string(20_000_001)));
    assert!(!is_read(&[("maxStringLen", "10")], &string(11)));
    let name = |bytes: usize| format!("{{\"{}\":0,\"a\":1}}", "n".repeat(bytes));
    assert!(is_read(&[], &name(50_000)));
    assert!(!is_read(&[], &name(50_001)));
    assert!(!is_read(&[("maxNameLen", "10")], &name(11)));
    assert!(is_read(&[("maxDocumentLen", "20")], r#"{"x":"ssss","a":1}"#));
    assert!(!is_read(&[("maxDocumentLen", "17")], r#"{"x":"ssss","a":1}"#));
    assert!(JsonReadOptions::default().set("maxNumLen", "many").is_err());
}

#[test]
fn repeated_names_cost_no_more_than_their_text() {
    let big = format!("[{}1]", "1,".repeat(100_000));
    let target = schema(&[("a", DataType::Int64), ("l", types::list(DataType::Int64, true))]);
    let mut document = format!("{{\"l\":{big}");
    // Each of these once made the first value be read again.
    for _ in 0..100_000 {
        document.push_str(",\"l\":\"x\"");
    }
    for _ in 0..100_000 {
        document.push_str(",\"l\":[2]");
    }
    document.push_str(",\"a\":1}");
    let row = &read(&target, &[], &document).unwrap()[0];
    assert_eq!((&row["a"], &row["l"]), (&1.into(), &serde_json::json!([2])));
    // And nested: every level repeats, the innermost values are cheap.
    let inner = (0..12).fold(DataType::Int64, |inner, _| schema(&[("a", inner)]));
    let document = (0..12).fold("1".to_string(), |inner, _| format!("{{\"a\":{inner},\"a\":\"bad\"}}"));
    let documents = StringViewArray::from_iter_values([document]);
    JsonReader::new(&inner, JsonReadOptions::default()).unwrap().read(&documents).unwrap();
}

#[test]
fn many_unknown_names_many_fields_and_many_escapes_are_read_in_one_pass() {
    let fields: Vec<(String, DataType)> = (0..2000).map(|at| (format!("f{at}"), DataType::Int64)).collect();
    let fields: Vec<(&str, DataType)> = fields
        .iter()
        .map(|(name, kind)| (name.as_str(), kind.clone()))
        .chain([("a", DataType::Int64)])
        .collect();
    let mut document = String::from("{\"a\":1");
    for at in 0..200_000 {
        let _ = write!(document, ",\"unknown{at}\":{{\"x\":[{at},null,\"\\u0041\"]}}");
    }
    document.push('}');
    assert_eq!(read(&schema(&fields), &[], &document).unwrap()[0]["a"], 1);
    let text = schema(&[("a", DataType::Int64), ("s", DataType::Utf8View)]);
    for escape in ["\\\"", "\\u00e9", "\\ud83d", "\\ud83d\\ude00", "\\/"] {
        let document = format!("{{\"s\":\"{}\",\"a\":1}}", escape.repeat(1_000_000));
        let row = &read(&text, &[], &document).unwrap()[0];
        assert_eq!((row["a"].as_i64(), row["s"].is_string()), (Some(1), true));
        let document = format!("{{\"s\":[\"{}\"],\"a\":1}}", escape.repeat(1_000_000));
        assert_eq!(read(&text, &[], &document).unwrap()[0]["a"], 1);
    }
    let any = [("allowBackslashEscapingAnyCharacter", "true")];
    let document = format!("{{\"s\":\"{}\",\"a\":1}}", "\\\u{e9}".repeat(1_000_000));
    assert_eq!(read(&text, &any, &document).unwrap()[0]["a"], 1);
    let unquoted = [("allowUnquotedFieldNames", "true"), ("allowComments", "true")];
    let document = format!("{{a:1{}}}", ",n\u{e9}:/*c*/0//\n".repeat(300_000));
    assert_eq!(read(&text, &unquoted, &document).unwrap()[0]["a"], 1);
}

#[test]
fn numbers_of_any_size_and_form_take_bounded_work() {
    let kinds = [
        ("d", DataType::Float64),
        ("f", DataType::Float32),
        ("n", DataType::Decimal128(38, 10)),
        ("i", DataType::Int32),
        ("t", types::timestamp()),
        ("s", DataType::Utf8View),
    ];
    let long = format!("0.{}1", "0".repeat(990));
    for number in ["1e2147483647", "-1e-2147483648", "1e999999999999999999999", "0e-999999999", &long, "-0"] {
        let members: Vec<String> = kinds.iter().map(|(name, _)| format!("\"{name}\":{number}")).collect();
        let documents = StringViewArray::from_iter_values([format!("{{{}}}", members.join(","))]);
        let array = JsonReader::new(&schema(&kinds), JsonReadOptions::default()).unwrap();
        array.read(&documents).unwrap().to_data().validate_full().unwrap();
    }
    let target = schema(&[("a", DataType::Int64), ("n", DataType::Decimal128(38, 10))]);
    for text in ["1".repeat(1_000_000), format!("1e{}", "9".repeat(1_000_000)), ",".repeat(1_000_000)] {
        let row = &read_text(&target, &format!("{{\"n\":\"{text}\",\"a\":1}}"));
        assert_eq!(row, &Some(1));
    }
}

fn read_text(target: &DataType, document: &str) -> Option<i64> {
    let documents = StringViewArray::from_iter_values([document]);
    let array = JsonReader::new(target, JsonReadOptions::default()).unwrap().read(&documents).unwrap();
    let column = array.as_struct().column(0).as_primitive::<arrow_array::types::Int64Type>();
    column.iter().next().flatten()
}

#[test]
fn failfast_names_row_and_path() {
    let x = schema(&[("x", DataType::Int64), ("m", types::map(DataType::Utf8View, DataType::Float64, true))]);
    let target = schema(&[("a", DataType::Int64), ("s", schema(&[("l", types::list(x, true))]))]);
    let fault = |document: &str| {
        let options = JsonReadOptions { mode: ParseMode::FailFast, ..JsonReadOptions::default() };
        let documents = StringViewArray::from_iter_values([r#"{"a":1}"#, "", document]);
        match JsonReader::new(&target, options).unwrap().read(&documents) {
            Err(Error::MalformedJson { fault, row, path, .. }) => (row, path, fault.to_string()),
            other => panic!("{other:?}"),
        }
    };
    let does_not_fit = "a value does not fit its field";
    for (document, path, why) in [
        (r#"{"a":"x","s":5}"#, "a", does_not_fit),
        (r#"{"s":{"l":[{"x":1},{"m":{},"x":true},{"x":{}}]},"a":"x"}"#, "s.l.1.x", does_not_fit),
        (r#"{"s":{"l":[{"x":1},7]}}"#, "s.l.1", does_not_fit),
        (r#"{"s":{"l":[{"m":{"k":1,"j":"NAN"}}]}}"#, "s.l.0.m.j", "the string \"NAN\" of j is not a number"),
        (r#"{"a":1"#, "", "a comma or the end of an object is missing at byte 6"),
        ("[]", "", "an array cannot be read as a struct"),
    ] {
        assert_eq!(fault(document), (2, path.to_string(), why.to_string()), "{document}");
    }
}
