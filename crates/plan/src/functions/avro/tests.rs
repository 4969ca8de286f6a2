//! What Spark 4.2 gives for these calls, and the functions on registered schemas over a registry in memory.

use std::sync::Arc;

use crate::functions::registered::test_registry::{InMemory, rows};
use crate::test_session::{run, value};
use crate::tree::Relation;

#[test]
fn columns_become_payloads_and_payloads_columns() {
    let cases = [
        (r#"from_avro(x'02', '"int"')"#, "1"),
        (r#"from_avro(x'02', concat('"int', '"'), map('mode', 'PERMISSIVE'))"#, "1"),
        (r#"from_avro(x'', '"int"', map('mode', 'PERMISSIVE'))"#, "NULL"),
        (r#"from_avro(CAST(NULL AS BINARY), '"int"')"#, "NULL"),
        (r#"from_avro(x'02', '"int"', map('foo', '1'))"#, "1"),
        ("hex(to_avro(array(1, 2)))", "04020400"),
        ("hex(to_avro(map('a', 1)))", "0202610200"),
        ("hex(to_avro(CAST(1.5 AS DECIMAL(5,2))))", "000096"),
        ("hex(to_avro(named_struct('a', 1, 'b', CAST(NULL AS STRING))))", "0202"),
        ("hex(to_avro(TIMESTAMP'2026-01-01'))", "808082E288D2A306"),
        ("hex(to_avro(INTERVAL '1' DAY))", "8080BBDD8305"),
        ("hex(to_avro(CAST(1 AS TINYINT)))", "02"),
        ("hex(to_avro(CAST(NULL AS INT)))", "NULL"),
        ("hex(to_avro(array(1, NULL)))", "0400020200"),
        (r#"schema_of_avro('"int"')"#, "INT"),
        (
            r#"schema_of_avro('{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"]}]}', map())"#,
            "STRUCT<a: INT NOT NULL, b: STRING>",
        ),
    ];
    for (expression, expected) in cases {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_sparks_conditions() {
    let mismatch = "DATATYPE_MISMATCH.TYPE_CHECK_FAILURE_WITH_HINT";
    let cases = [
        (r#"from_avro(x'02', '"int"', map('mode', 'DROPMALFORMED'))"#, "PARSE_MODE_UNSUPPORTED"),
        (
            r#"from_avro(x'02', '"int"', map('recursiveFieldMaxDepth', '16'))"#,
            "STDS_INVALID_OPTION_VALUE.WITH_MESSAGE",
        ),
        (r#"from_avro(x'02', '"int"', map('mode', 1))"#, mismatch),
        ("from_avro(x'02')", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"),
        (
            r#"to_avro(struct(CAST(NULL AS INT) AS a), '{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}')"#,
            "AVRO_CANNOT_WRITE_NULL_FIELD",
        ),
    ];
    for (expression, expected) in cases {
        assert_eq!(value(expression), expected, "{expression}");
    }
    for call in ["from_avro(x'02', s)", "to_avro('x', s)"] {
        let query = format!("SELECT {call} FROM VALUES ('a') AS t(s)");
        let error = run(&Relation::Sql(query)).unwrap_err().to_string();
        assert!(error.contains(mismatch), "{call}: {error}");
    }
    let message =
        |expression: &str| run(&Relation::Sql(format!("SELECT {expression}"))).unwrap_err().to_string();
    assert!(message(r#"from_avro(x'', '"int"')"#).contains("Current parse Mode: FAILFAST"));
    assert!(message("from_avro(x'02', 'nope')").contains("not JSON"));
    assert!(message("to_avro(map(1, 2))").contains("to_avro"));
}

#[test]
fn columns_are_named_as_spark_names_them() {
    let query = r#"SELECT to_avro(1), to_avro(1, '"int"'), from_avro(x'02', '"int"'),
        from_avro(x'02', '"int"', map('mode', 'PERMISSIVE')), schema_of_avro('"int"')"#;
    let (schema, _) = run(&Relation::Sql(query.to_owned())).unwrap();
    let names: Vec<String> = schema.fields.iter().map(|f| f.name.to_string()).collect();
    let expected = [
        "to_avro(1, NULL)",
        r#"to_avro(1, "int")"#,
        r#"from_avro(X'02', "int", NULL)"#,
        r#"from_avro(X'02', "int", map(mode, PERMISSIVE))"#,
        r#"schema_of_avro("int", NULL)"#,
    ];
    assert_eq!(names, expected);
}

const OLD: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}"#;
const NEW: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":5}]}"#;

/// Knows the ids 1 and 2 under the subject `s`.
fn registry() -> Arc<InMemory> {
    InMemory::new([(1, "AVRO", OLD), (2, "AVRO", NEW)])
}

#[test]
fn framed_records_are_read_by_the_schemas_of_their_ids() {
    let registry = registry();
    let options = "map('basic.auth.user.info', 'u:hush', 'mode', 'PERMISSIVE')";
    let query = format!(
        "SELECT to_json(from_avro(v, 's', 'http://r', {options})) FROM VALUES (x'000000000102'), \
         (x'00000000020406'), (x'000000000902'), (x'01'), (CAST(NULL AS BINARY)) AS t(v)"
    );
    assert_eq!(
        rows(&query, &registry).unwrap(),
        [r#"{"a":1,"b":5}"#, r#"{"a":2,"b":3}"#, "{}", "{}", "NULL"]
    );
    assert_eq!(registry.asked(), 1, "the ids of a batch are asked for together");
    let strict = query.replace(", 'mode', 'PERMISSIVE'", "");
    let error = rows(&strict, &registry).unwrap_err().to_string();
    assert!(error.contains("no schema of the id 9"), "{error}");
    let unframed = "SELECT from_avro(x'7B', 's', 'http://r', map('basic.auth.user.info', 'u:hush'))";
    let error = rows(unframed, &registry).unwrap_err().to_string();
    assert!(error.contains("not the magic byte 0"), "{error}");
}

#[test]
fn what_is_written_is_framed_with_its_schemas_id() {
    let query = "SELECT hex(to_avro(struct(1 AS a), 's', 'http://r', map('basic.auth.user.info', 'u:hush')))";
    assert_eq!(rows(query, &registry()).unwrap(), ["000000010202"]);
}

#[test]
fn a_strategy_makes_the_subject_of_topic_and_schema() {
    let registry = registry();
    let write = |options: &str| {
        let options = format!("map('basic.auth.user.info', 'u:hush'{options})");
        rows(&format!("SELECT hex(to_avro(struct(1 AS a), 's', 'http://r', {options}))"), &registry)
    };
    write("").unwrap();
    write(", 'value.subject.name.strategy', 'X'").unwrap();
    write(&format!(", 'confluent.key.subject.name.strategy', 'Y', 'avroSchema', '{OLD}'")).unwrap();
    let registered = registry.registered();
    let subjects: Vec<&str> = registered.iter().map(|(subject, _)| subject.as_str()).collect();
    assert_eq!(subjects, ["s", "X s false Some(\"topLevelRecord\")", "Y s true Some(\"R\")"]);
    assert!(registered[1].1.text.contains("topLevelRecord") && registered[2].1.text.contains("\"R\""));
    let both = write(", 'value.subject.name.strategy', 'X', 'key.subject.name.strategy', 'Y'");
    assert!(both.unwrap_err().to_string().contains("one of the two"));
}

#[test]
fn without_a_session_a_registry_is_refused() {
    let refused = run(&Relation::Sql("SELECT from_avro(x'00', 's', 'http://r')".into())).unwrap_err();
    assert!(refused.to_string().contains("schema registry"), "{refused}");
}
