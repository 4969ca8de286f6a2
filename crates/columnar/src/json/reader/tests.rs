//! What a real Spark 4.2 gave for the same documents and schemas.

use arrow_array::StringViewArray;

use super::*;
use crate::datetime::TimeZone;
use crate::text::{Renderer, Style};
use crate::types;

fn schema(fields: &[(&str, DataType)]) -> DataType {
    DataType::Struct(fields.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect())
}

fn read_with(target: &DataType, options: JsonReadOptions, documents: &[&str]) -> Result<Vec<String>> {
    let documents = StringViewArray::from_iter_values(documents);
    let array = JsonReader::new(target, options)?.read(&documents)?;
    array.to_data().validate_full()?;
    let renderer = Renderer::new(&array, &TimeZone::UTC, Style::Cast)?;
    let mut rows = Vec::new();
    for row in 0..array.len() {
        let mut text = String::new();
        renderer.append(row, &mut text);
        rows.push(text);
    }
    Ok(rows)
}

fn read(target: &DataType, documents: &[&str]) -> Vec<String> {
    read_with(target, JsonReadOptions::default(), documents).unwrap()
}

fn assert_table(target: &DataType, table: &[(&str, &str)]) {
    let documents: Vec<&str> = table.iter().map(|(document, _)| *document).collect();
    for ((document, expected), found) in table.iter().zip(read(target, &documents)) {
        assert_eq!(found, *expected, "{document}");
    }
}

fn abcd() -> Vec<(&'static str, DataType)> {
    vec![
        ("a", DataType::Int32),
        ("b", DataType::Utf8View),
        ("c", DataType::Float64),
        ("d", DataType::Boolean),
    ]
}

fn nested() -> DataType {
    let z = schema(&[("z", DataType::Utf8View)]);
    schema(&[
        ("a", types::list(DataType::Int32, true)),
        ("s", schema(&[("x", DataType::Int32), ("y", types::list(z, true))])),
        ("m", types::map(DataType::Utf8View, DataType::Int32, true)),
    ])
}

#[test]
fn malformed_documents_give_nulls_and_the_corrupt_record() {
    let mut fields = abcd();
    fields.push(("_corrupt_record", DataType::Utf8View));
    assert_table(&schema(&fields), &MALFORMED);
}

#[test]
fn values_that_do_not_fit_their_type_are_null() {
    let kinds = [
        DataType::Int32,
        DataType::Int64,
        DataType::Float64,
        DataType::Float32,
        DataType::Utf8View,
        DataType::Boolean,
        DataType::Decimal128(10, 2),
        DataType::Int8,
        DataType::Int16,
    ];
    for (column, kind) in kinds.iter().enumerate() {
        for (document, expected) in MISMATCHES {
            let found = read(&schema(&[("a", kind.clone())]), &[document]);
            assert_eq!(found[0], format!("{{{}}}", expected[column]), "{document} as {kind}");
        }
    }
}

#[test]
fn nested_values_keep_what_fits() {
    assert_table(&nested(), &NESTED);
}

#[test]
fn texts_and_raw_json_in_string_fields() {
    assert_table(&schema(&[("b", DataType::Utf8View)]), &TEXTS);
}

#[test]
fn dates_and_timestamps_by_the_lenient_defaults() {
    let target = schema(&[
        ("t", types::timestamp()),
        ("d", DataType::Date32),
        ("_corrupt_record", DataType::Utf8View),
    ]);
    for (document, with_zone, without_zone) in MOMENTS {
        assert_eq!(read(&target, &[document])[0], with_zone, "{document}");
        let ntz = read(&schema(&[("t", types::timestamp_ntz())]), &[document]);
        assert_eq!(ntz[0], format!("{{{without_zone}}}"), "{document}");
    }
}

#[test]
fn a_value_that_does_not_fit_leaves_what_follows_alone() {
    let cases = [
        (r#"{"m":{"k":"bad","j":2},"a":[1]}"#, "{[1], null, null}"),
        (r#"{"m":{"k":"bad","a":[9]},"s":{"x":1}}"#, "{null, {1, null}, null}"),
        (r#"{"a":[1,"x",3],"s":{"x":1}}"#, "{null, {1, null}, null}"),
        (r#"{"a":["x",{"s":5},[6]],"s":{"x":1}}"#, "{null, {1, null}, null}"),
        (r#"{"s":{"y":["no"],"x":7},"a":[1]}"#, "{[1], {7, null}, null}"),
    ];
    assert_table(&nested(), &cases);
}

#[test]
fn of_repeated_names_the_last_value_that_fits_counts() {
    let cases = [
        (r#"{"a":1,"a":2}"#, "{2, null, null, null}"),
        (r#"{"a":1,"b":"x","a":"bad"}"#, "{1, x, null, null}"),
        (r#"{"a":1,"a":null}"#, "{null, null, null, null}"),
        (r#"{"a":"bad","a":3}"#, "{3, null, null, null}"),
    ];
    assert_table(&schema(&abcd()), &cases);
    let list = schema(&[("a", types::list(DataType::Int32, true))]);
    assert_table(&list, &[(r#"{"a":[1,2],"a":[3],"a":[4,"x"]}"#, "{[3]}")]);
}

#[test]
fn repeated_names_of_nested_values_leave_nothing_of_the_earlier_ones() {
    let cases = [
        (r#"{"a":[1,null],"a":[null,3,4],"a":"no"}"#, "{[null, 3, 4], null, null}"),
        (r#"{"a":null,"a":[5],"a":null,"a":[6]}"#, "{[6], null, null}"),
        (r#"{"m":{"k":1,"j":null},"m":{"l":null},"m":{"n":4}}"#, "{null, null, {n -> 4}}"),
        (
            r#"{"s":{"x":1,"y":[{"z":"one"},null]},"s":{"y":[{"z":"a long second value"}],"y":[{},{"z":null}]}}"#,
            "{null, {null, [{null}, {null}]}, null}",
        ),
        (r#"{"s":{"x":1,"x":2,"y":[{"z":"p","z":"q"}]},"s":7}"#, "{null, {2, [{q}]}, null}"),
    ];
    assert_table(&nested(), &cases);
    let mut twice: Vec<(&str, &str)> = cases.to_vec();
    twice.extend(cases);
    assert_table(&nested(), &twice);
}

#[test]
fn names_repeated_without_end_cost_no_more_than_their_bytes() {
    // Each value that does not fit once had the one before it read again.
    let long = format!(r#"{{"a":["{}"]{}}}"#, "\\t".repeat(5000), r#","a":0"#.repeat(2000));
    let array =
        JsonReader::new(&schema(&[("a", types::list(DataType::Utf8View, true))]), JsonReadOptions::default())
            .unwrap()
            .read(&StringViewArray::from_iter_values([&long]))
            .unwrap();
    assert!(array.get_buffer_memory_size() < 4 * long.len(), "{} bytes", array.get_buffer_memory_size());
    let names = array.as_struct().column(0).as_list::<i32>().value(0);
    assert_eq!(names.as_string_view().value(0), "\t".repeat(5000));
}

#[test]
fn strings_of_nothing_but_escapes_are_read_in_one_go() {
    // Each escape once had everything behind it looked at: this document took hours.
    for escape in ["\\\\", "\\\"", "\\/"] {
        let document = format!(r#"{{"b":"{}"}}"#, escape.repeat(500_000));
        let array = JsonReader::new(&schema(&abcd()), JsonReadOptions::default())
            .unwrap()
            .read(&StringViewArray::from_iter_values([&document]))
            .unwrap();
        let strings = array.as_struct().column(1).as_string_view().clone();
        assert_eq!(strings.value(0), escape[1..].repeat(500_000));
    }
    let options =
        JsonReadOptions { allow_backslash_escaping_any_character: true, ..JsonReadOptions::default() };
    let odd = "{\"b\":\"\\\u{e9}\\q\\\u{4e2d}\u{4e2d}\\\u{1f600}z\"}";
    let rows = read_with(&schema(&abcd()), options, &[odd]).unwrap();
    assert_eq!(rows, ["{null, \u{e9}q\u{4e2d}\u{4e2d}\u{1f600}z, null, null}"]);
}

#[test]
fn failfast_names_the_record_and_the_condition() {
    let fault = |document| {
        let options = JsonReadOptions { mode: ParseMode::FailFast, ..JsonReadOptions::default() };
        match read_with(&schema(&abcd()), options, &["{\"a\":1}", " ", document]) {
            Err(Error::MalformedJson { record, fault, .. }) => (record, fault),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(fault("[1,2]"), ("[1,2]".into(), JsonFault::ArraysAsStructs));
    assert_eq!(fault("null").1, JsonFault::RootNull);
    assert_eq!(fault("{").0, "[null,null,null,null]");
    assert_eq!(fault(r#"{"b":"x","a":"y"}"#).0, "[null,x,null,null]");
}

#[test]
fn arrays_and_maps_as_roots() {
    let list = types::list(schema(&[("a", DataType::Int32)]), true);
    let cases = [
        (r#"[{"a":1},{"a":"x"},null]"#, "[{1}, {null}, null]"),
        (r#"{"a":5}"#, "[{5}]"),
        ("[]", "[]"),
        ("", "null"),
        ("null", "null"),
        ("[1]", "null"),
        ("[{\"a\":1}", "null"),
    ];
    assert_table(&list, &cases);
    let map = types::map(DataType::Utf8View, DataType::Int64, true);
    assert_table(
        &map,
        &[(r#"{"k":1,"":null}"#, "{k -> 1,  -> null}"), ("[1]", "null"), ("{\"k\":\"v\"}", "null")],
    );
}

#[test]
fn syntax_options_accept_what_they_name() {
    let read = |name: &str, document: &str| {
        let mut options = JsonReadOptions::default();
        if !name.is_empty() {
            assert!(options.set(name, "true").unwrap());
        }
        read_with(&schema(&abcd()), options, &[document]).unwrap().remove(0)
    };
    let cases = [
        ("allowComments", "{\"a\":1 /*c*/, // d\n \"b\":\"x\"}", "{1, x, null, null}"),
        ("allowUnquotedFieldNames", "{a:1,b:\"x\"}", "{1, x, null, null}"),
        ("allowNumericLeadingZeros", "{\"a\":007}", "{7, null, null, null}"),
        ("allowBackslashEscapingAnyCharacter", r#"{"b":"bad \q \é"}"#, "{null, bad q \u{e9}, null, null}"),
        ("allowUnquotedControlChars", "{\"b\":\"tab\there\"}", "{null, tab\there, null, null}"),
    ];
    for (option, document, expected) in cases {
        assert_eq!(read(option, document), expected, "{option}");
        assert_eq!(read("", document), "{null, null, null, null}", "{option} is off by default");
    }
}

#[test]
fn formats_replace_the_lenient_defaults() {
    let mut options = JsonReadOptions::default();
    for (name, value) in [
        ("dateFormat", "dd/MM/yyyy"),
        ("timestampFormat", "yyyy-MM-dd HH:mm:ss"),
        ("timeZone", "Europe/Paris"),
    ] {
        assert!(options.set(name, value).unwrap());
    }
    let target = schema(&[("d", DataType::Date32), ("t", types::timestamp())]);
    let documents = [
        r#"{"d":"03/02/2025","t":"2025-01-02 03:04:05"}"#,
        r#"{"d":"2025-02-03","t":"2025-01-02T03:04:05Z"}"#,
    ];
    let found = read_with(&target, options, &documents).unwrap();
    assert_eq!(found, ["{2025-02-03, 2025-01-02 02:04:05}", "{null, null}"]);
}

#[test]
fn binary_strings_and_numbers_at_the_limits() {
    let target = schema(&[("b", DataType::BinaryView), ("n", DataType::Decimal128(38, 2))]);
    let long = format!("{{\"n\":{}}}", "1".repeat(1001));
    let cases = [
        (r#"{"b":"aGk=","n":"1,234.567"}"#, "{hi, 1234.57}"),
        (r#"{"b":"aGk","n":1e3}"#, "{null, 1000.00}"),
        (long.as_str(), "{null, null}"),
    ];
    assert_table(&target, &cases);
    let deep = |depth: usize| format!("{{\"x\":{}{},\"b\":\"aGk=\"}}", "[".repeat(depth), "]".repeat(depth));
    assert_table(
        &target,
        &[(&deep(999), "{hi, null}"), (&deep(1000), "{null, null}"), (&deep(100_000), "{null, null}")],
    );
}

#[test]
fn long_strings_are_views_into_the_documents() {
    let document = r#"{"b":"a string that is longer than twelve bytes","a":1}"#;
    let documents = StringViewArray::from_iter_values([document, r#"{"b":"with an \"escape\" in it"}"#]);
    let array =
        JsonReader::new(&schema(&abcd()), JsonReadOptions::default()).unwrap().read(&documents).unwrap();
    let strings = array.as_struct().column(1).as_string_view();
    let range = documents.data_buffers()[0].as_ptr_range();
    assert!(range.contains(&strings.value(0).as_ptr()));
    assert!(!range.contains(&strings.value(1).as_ptr()));
    assert_eq!(strings.value(1), "with an \"escape\" in it");
}

const MALFORMED: [(&str, &str); 43] = [
    ("{\"a\":1,\"b\":\"x\",\"c\":1.5,\"d\":true}", "{1, x, 1.5, true, null}"),
    ("{\"a\":1}", "{1, null, null, null, null}"),
    ("{}", "{null, null, null, null, null}"),
    ("", "null"),
    (" ", "null"),
    ("null", "{null, null, null, null, null}"),
    ("{", "{null, null, null, null, {}"),
    ("{\"a\":1", "{null, null, null, null, {\"a\":1}"),
    ("{\"a\":1,}", "{null, null, null, null, {\"a\":1,}}"),
    ("not json", "{null, null, null, null, not json}"),
    ("[1,2]", "{null, null, null, null, [1,2]}"),
    ("[{\"a\":7,\"b\":\"arr\"}]", "{null, null, null, null, [{\"a\":7,\"b\":\"arr\"}]}"),
    ("[]", "{null, null, null, null, []}"),
    ("[{\"a\":1},{\"a\":2}]", "{null, null, null, null, [{\"a\":1},{\"a\":2}]}"),
    ("\"str\"", "{null, null, null, null, \"str\"}"),
    ("12", "{null, null, null, null, 12}"),
    ("true", "{null, null, null, null, true}"),
    ("{\"a\":1} trailing", "{1, null, null, null, null}"),
    ("{\"a\":1}{\"a\":2}", "{1, null, null, null, null}"),
    ("  {\"a\" : 1 , \"b\" : \"sp\" }  ", "{1, sp, null, null, null}"),
    ("{'a':1,'b':'single'}", "{1, single, null, null, null}"),
    ("{a:1,b:\"unq\"}", "{null, null, null, null, {a:1,b:\"unq\"}}"),
    ("{\"A\":5,\"B\":\"upper\"}", "{null, null, null, null, null}"),
    ("{\"a\":1,\"zz\":9}", "{1, null, null, null, null}"),
    ("{\"a\":null,\"b\":null}", "{null, null, null, null, null}"),
    ("\u{feff}{\"a\":1}", "{null, null, null, null, \u{feff}{\"a\":1}}"),
    ("{\"a\":1}\n", "{1, null, null, null, null}"),
    ("{\"a\":1,\"a\":2,\"b\":\"dup\"}", "{2, dup, null, null, null}"),
    ("{\"a\":01}", "{null, null, null, null, {\"a\":01}}"),
    ("{\"a\":+1}", "{null, null, null, null, {\"a\":+1}}"),
    ("{\"a\":1 /*c*/}", "{null, null, null, null, {\"a\":1 /*c*/}}"),
    ("{\"a\":1} // c", "{1, null, null, null, null}"),
    ("{\"b\":\"tab\there\"}", "{null, null, null, null, {\"b\":\"tab\there\"}}"),
    ("{\"b\":\"nl\nhere\"}", "{null, null, null, null, {\"b\":\"nl\nhere\"}}"),
    ("{\"b\":\"bad \\q esc\"}", "{null, null, null, null, {\"b\":\"bad \\q esc\"}}"),
    ("{\"c\":NaN}", "{null, null, NaN, null, null}"),
    ("{\"c\":Infinity}", "{null, null, Infinity, null, null}"),
    ("{\"c\":-Infinity}", "{null, null, -Infinity, null, null}"),
    ("{\"c\":\"NaN\"}", "{null, null, NaN, null, null}"),
    ("{\"c\":\"-INF\"}", "{null, null, -Infinity, null, null}"),
    ("{\"c\":.5}", "{null, null, null, null, {\"c\":.5}}"),
    ("{\"c\":5.}", "{null, null, null, null, {\"c\":5.}}"),
    ("{\"c\":1e3}", "{null, null, 1000.0, null, null}"),
];
const NESTED: [(&str, &str); 16] = [
    (
        "{\"a\":[1,2,3],\"s\":{\"x\":1,\"y\":[{\"z\":\"q\"}]},\"m\":{\"k1\":1,\"k2\":2}}",
        "{[1, 2, 3], {1, [{q}]}, {k1 -> 1, k2 -> 2}}",
    ),
    ("{\"a\":[],\"s\":{},\"m\":{}}", "{[], {null, null}, {}}"),
    ("{\"a\":null,\"s\":null,\"m\":null}", "{null, null, null}"),
    ("{\"a\":[1,\"x\",3]}", "{null, null, null}"),
    ("{\"a\":[1,null]}", "{[1, null], null, null}"),
    ("{\"a\":1}", "{null, null, null}"),
    ("{\"s\":[1]}", "{null, null, null}"),
    ("{\"s\":\"str\"}", "{null, null, null}"),
    ("{\"s\":{\"x\":\"bad\",\"y\":[{\"z\":\"kept\"}]}}", "{null, {null, [{kept}]}, null}"),
    ("{\"s\":{\"y\":[{\"z\":1},{\"z\":null},null]}}", "{null, {null, [{1}, {null}, null]}, null}"),
    ("{\"m\":{\"k\":\"bad\",\"j\":2}}", "{null, null, null}"),
    ("{\"m\":[1]}", "{null, null, null}"),
    ("{\"m\":{\"k\":1,\"k\":2}}", "{null, null, {k -> 1, k -> 2}}"),
    ("{\"a\":[[1]]}", "{null, null, null}"),
    ("{\"s\":{\"x\":1},\"a\":\"bad\",\"m\":{\"k\":3}}", "{null, {1, null}, {k -> 3}}"),
    ("{\"m\":{\"\":1}}", "{null, null, { -> 1}}"),
];
const TEXTS: [(&str, &str); 19] = [
    ("{\"b\":\"\\u00e9\\u4e2d\"}", "{\u{e9}\u{4e2d}}"),
    ("{\"b\":\"\u{e9}\u{4e2d}\u{1f600}\"}", "{\u{e9}\u{4e2d}\u{1f600}}"),
    ("{\"b\":\"\\ud83d\\ude00\"}", "{\u{1f600}}"),
    ("{\"b\":\"\\ud83d\"}", "{?}"),
    ("{\"b\":\"\\ude00x\"}", "{?x}"),
    ("{\"b\":\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\"}", "{a\"b\\c/d\u{8}\u{c}\n\r\t}"),
    ("{\"b\":\"\\u0000\"}", "{\u{0}}"),
    ("{\"b\":\"\\u00\"}", "{null}"),
    ("{\"b\":{\"x\": [1, 2.50, \"s\"]}}", "{{\"x\":[1,2.5,\"s\"]}}"),
    ("{\"b\":[1,  2]}", "{[1,2]}"),
    ("{\"b\":1.10}", "{1.1}"),
    ("{\"b\":1e5}", "{100000.0}"),
    ("{\"b\":true}", "{true}"),
    ("{\"\u{e9}\":1,\"b\":\"k\"}", "{k}"),
    ("{\"b\":\"\\u2028\"}", "{\u{2028}}"),
    ("{\"b\":\"\"}", "{}"),
    ("{\"b\":100000000000000000000}", "{100000000000000000000}"),
    ("{\"b\":\"\u{7f}\"}", "{\u{7f}}"),
    ("{\"b\":null}", "{null}"),
];
const MOMENTS: [(&str, &str, &str); 23] = [
    (
        "{\"t\":\"2025-01-02T03:04:05Z\",\"d\":\"2025-01-02\"}",
        "{2025-01-02 03:04:05, 2025-01-02, null}",
        "null",
    ),
    ("{\"t\":\"2025-01-02T03:04:05.123456789Z\"}", "{2025-01-02 03:04:05.123456, null, null}", "null"),
    ("{\"t\":\"2025-01-02T03:04:05.1+02:00\"}", "{2025-01-02 01:04:05.1, null, null}", "null"),
    ("{\"t\":\"2025-01-02 03:04:05\"}", "{2025-01-02 03:04:05, null, null}", "2025-01-02 03:04:05"),
    ("{\"t\":\"2025-01-02\"}", "{2025-01-02 00:00:00, null, null}", "2025-01-02 00:00:00"),
    ("{\"t\":\"2025\"}", "{2025-01-01 00:00:00, null, null}", "2025-01-01 00:00:00"),
    ("{\"t\":1735787045}", "{2025-01-02 03:04:05, null, null}", "null"),
    ("{\"t\":1735787045.5}", "{null, null, {\"t\":1735787045.5}}", "null"),
    ("{\"t\":\"bad\"}", "{null, null, {\"t\":\"bad\"}}", "null"),
    ("{\"t\":\"\"}", "{null, null, {\"t\":\"\"}}", "null"),
    ("{\"t\":\"2025-02-30T00:00:00Z\"}", "{null, null, {\"t\":\"2025-02-30T00:00:00Z\"}}", "null"),
    ("{\"d\":\"2025-2-3\"}", "{null, 2025-02-03, null}", "null"),
    ("{\"d\":\"2025-02-30\"}", "{null, null, {\"d\":\"2025-02-30\"}}", "null"),
    ("{\"d\":\"20250102\"}", "{null, +57412-11-24, null}", "null"),
    ("{\"d\":20000}", "{null, null, {\"d\":20000}}", "null"),
    ("{\"d\":\"2025-01-02T10:00:00Z\"}", "{null, 2025-01-02, null}", "null"),
    ("{\"t\":\"0001-01-01T00:00:00Z\"}", "{0001-01-01 00:00:00, null, null}", "null"),
    ("{\"t\":\"9999-12-31T23:59:59.999Z\"}", "{9999-12-31 23:59:59.999, null, null}", "null"),
    ("{\"t\":\"2025-01-02T03:04\"}", "{2025-01-02 03:04:00, null, null}", "2025-01-02 03:04:00"),
    ("{\"t\":\"2025-01-02T03:04:05 Europe/Paris\"}", "{2025-01-02 02:04:05, null, null}", "null"),
    ("{\"t\":\" 2025-01-02T03:04:05Z \"}", "{2025-01-02 03:04:05, null, null}", "null"),
    ("{\"t\":\"2025-01-02T24:00:00Z\"}", "{null, null, {\"t\":\"2025-01-02T24:00:00Z\"}}", "null"),
    ("{\"t\":null}", "{null, null, null}", "null"),
];
/// int, bigint, double, float, string, boolean, decimal(10,2), tinyint, smallint.
const MISMATCHES: [(&str, [&str; 9]); 21] = [
    ("{\"a\":\"1\"}", ["null", "null", "null", "null", "1", "null", "1.00", "null", "null"]),
    ("{\"a\":1.0}", ["null", "null", "1.0", "1.0", "1.0", "null", "1.00", "null", "null"]),
    ("{\"a\":1.5}", ["null", "null", "1.5", "1.5", "1.5", "null", "1.50", "null", "null"]),
    (
        "{\"a\":2147483647}",
        [
            "2147483647",
            "2147483647",
            "2.147483647E9",
            "2.14748365E9",
            "2147483647",
            "null",
            "null",
            "null",
            "null",
        ],
    ),
    (
        "{\"a\":2147483648}",
        ["null", "2147483648", "2.147483648E9", "2.14748365E9", "2147483648", "null", "null", "null", "null"],
    ),
    (
        "{\"a\":9223372036854775808}",
        [
            "null",
            "null",
            "9.223372036854776E18",
            "9.223372E18",
            "9223372036854775808",
            "null",
            "null",
            "null",
            "null",
        ],
    ),
    ("{\"a\":1e2}", ["null", "null", "100.0", "100.0", "100.0", "null", "100.00", "null", "null"]),
    ("{\"a\":true}", ["null", "null", "null", "null", "true", "true", "null", "null", "null"]),
    ("{\"a\":[1]}", ["null", "null", "null", "null", "[1]", "null", "null", "null", "null"]),
    ("{\"a\":{\"x\":1}}", ["null", "null", "null", "null", "{\"x\":1}", "null", "null", "null", "null"]),
    ("{\"a\":\"\"}", ["null", "null", "null", "null", "", "null", "null", "null", "null"]),
    ("{\"a\":-0}", ["0", "0", "0.0", "0.0", "0", "null", "0.00", "0", "0"]),
    ("{\"a\":-1}", ["-1", "-1", "-1.0", "-1.0", "-1", "null", "-1.00", "-1", "-1"]),
    ("{\"a\":\" 1 \"}", ["null", "null", "null", "null", " 1 ", "null", "null", "null", "null"]),
    ("{\"a\":null}", ["null", "null", "null", "null", "null", "null", "null", "null", "null"]),
    (
        "{\"a\":123456789012345678901234567890}",
        [
            "null",
            "null",
            "1.2345678901234568E29",
            "1.2345679E29",
            "123456789012345678901234567890",
            "null",
            "null",
            "null",
            "null",
        ],
    ),
    ("{\"a\":0.1}", ["null", "null", "0.1", "0.1", "0.1", "null", "0.10", "null", "null"]),
    (
        "{\"a\":1E400}",
        ["null", "null", "Infinity", "Infinity", "\"Infinity\"", "null", "null", "null", "null"],
    ),
    ("{\"a\":\"abc\"}", ["null", "null", "null", "null", "abc", "null", "null", "null", "null"]),
    ("{\"a\":128}", ["128", "128", "128.0", "128.0", "128", "null", "128.00", "-128", "128"]),
    ("{\"a\":32768}", ["32768", "32768", "32768.0", "32768.0", "32768", "null", "32768.00", "null", "null"]),
];

#[test]
fn rows_that_are_known_to_be_bad_are_bad_whatever_they_hold() {
    let documents = StringViewArray::from(vec![Some(r#"{"a":1}"#), Some(r#"{"a":2}"#), None, Some("nope")]);
    let bad = [false, true, true, false];
    let target = schema(&[("a", DataType::Int32), ("_corrupt_record", DataType::Utf8View)]);
    let reader = |target: &DataType| JsonReader::new(target, JsonReadOptions::default()).unwrap();
    let array = reader(&target).read_except(&documents, &bad).unwrap();
    let rows: Vec<String> = (0..4).map(|row| row_text(&*array.slice(row, 1))).collect();
    assert_eq!(rows, ["[1,null]", "[null,{\"a\":2}]", "null", "[null,nope]"]);
    let list = types::list(DataType::Int32, true);
    let arrays = StringViewArray::from(vec!["[1]", "[2]"]);
    let array = reader(&list).read_except(&arrays, &[false, true]).unwrap();
    assert_eq!((array.is_null(0), array.is_null(1)), (false, true));
    let strict = JsonReadOptions { mode: ParseMode::FailFast, ..JsonReadOptions::default() };
    let error = JsonReader::new(&target, strict).unwrap().read_except(&documents, &bad).unwrap_err();
    assert!(matches!(error, Error::MalformedJson { row: 1, .. }), "{error}");
}
