//! The functions on registered Protobuf schemas over a registry in memory.

use std::sync::Arc;

use millstream_columnar::framing::SchemaFormat;

use crate::functions::registered::test_registry::{InMemory, rows};
use crate::schemas::ReferredSchema;

const OLD: &str = r#"syntax = "proto3"; package demo;
    message Other { string x = 1; }
    message Order { int64 id = 1; string city = 2; message Line { int32 n = 1; } }"#;
const NEW: &str = r#"syntax = "proto3"; package demo.v2; import "google/protobuf/timestamp.proto";
    message Order { int64 id = 1; string town = 2; double amount = 3; google.protobuf.Timestamp at = 4; }"#;
const WRONG: &str = "message Order { required string id = 1; }";

fn registry() -> Arc<InMemory> {
    let protobuf = |id, text| (id, "PROTOBUF", text);
    InMemory::new([protobuf(1, OLD), protobuf(3, WRONG), (4, "AVRO", "\"int\""), protobuf(2, NEW)])
}

fn options(more: &str) -> String {
    format!(
        "map('schema.registry.address', 'http://r', 'confluent.schema.registry.subject', 's', \
         'basic.auth.user.info', 'u:hush'{more})"
    )
}

/// A record of the second message of the schema 1, and one of the first of 2.
const GOOD: [&str; 2] = ["00000000010202080112034F736C", "0000000002000802120152190000000000000440"];
/// With what is wrong with each.
const BAD: [(&str, &str); 7] = [
    ("0000000001000801", "it is a message demo.Other, where Order is read"),
    ("00000000010402000801", "it is a message demo.Order.Line, where Order is read"),
    ("000000000102100801", "no message at the indexes [8]"),
    ("0000000003000A0161", "M.id (number 1) was written as bytes, and is read as a varint"),
    ("000000000402", "from_protobuf takes PROTOBUF"),
    ("000000000902", "no schema of the id 9"),
    ("7B", "not the magic byte 0"),
];

#[test]
fn framed_messages_are_read_by_the_schemas_of_their_ids() {
    let registry = registry();
    let (records, permissive) =
        (GOOD.iter().chain(BAD.iter().map(|(record, _)| record)), ", 'mode', 'PERMISSIVE'");
    let records: Vec<String> = records.map(|record| format!("(X'{record}')")).collect();
    let query = format!(
        "SELECT to_json(from_protobuf(v, {})) FROM VALUES {}, (CAST(NULL AS BINARY)) AS t(v)",
        options(permissive),
        records.join(", ")
    );
    let mut expected = vec![r#"{"id":1,"town":"Osl"}"#, r#"{"id":2,"town":"R","amount":2.5}"#];
    expected.extend(["NULL"; BAD.len() + 1]);
    assert_eq!(rows(&query, &registry).unwrap(), expected);
    assert_eq!(registry.asked(), 1, "the ids of a batch are asked for together");
}

#[test]
fn a_bad_record_is_told_under_failfast() {
    for (record, why) in BAD {
        let query = format!("SELECT from_protobuf(X'{record}', {})", options(""));
        let error = rows(&query, &registry()).unwrap_err().to_string();
        let why = why.replace("M.id", "demo.v2.Order.id");
        assert!(error.contains("MALFORMED_PROTOBUF_MESSAGE") && error.contains(&why), "{record}: {error}");
    }
}

#[test]
fn the_message_and_the_schema_to_read_with_may_be_given() {
    let read = |call: &str| rows(&format!("SELECT to_json({call})"), &registry());
    let record = "X'0000000001000A0178'";
    let given = options(&format!(", 'protobufSchema', '{OLD}'"));
    assert_eq!(read(&format!("from_protobuf({record}, 'Other', {given})")).unwrap(), [r#"{"x":"x"}"#]);
    let named =
        options(&format!(", 'protobufSchema', '{OLD}', 'schema.registry.protobuf.name', 'demo.Other'"));
    assert_eq!(read(&format!("from_protobuf({record}, {named})")).unwrap(), [r#"{"x":"x"}"#]);
    let nobody =
        read(&format!("from_protobuf({record}, 'Nobody', {})", options(""))).unwrap_err().to_string();
    assert!(nobody.contains("PROTOBUF_MESSAGE_NOT_FOUND"), "{nobody}");
    let no_text = read(&format!("from_protobuf({record}, {})", options(", 'protobufSchema', 'nope'")));
    let no_text = no_text.unwrap_err().to_string();
    assert!(no_text.contains("CANNOT_PARSE_PROTOBUF_DESCRIPTOR") && no_text.contains("line 1"), "{no_text}");
    let nowhere = "map('schema.registry.address', 'http://r', 'basic.auth.user.info', 'u:hush')";
    let nowhere = read(&format!("from_protobuf({record}, {nowhere})")).unwrap_err().to_string();
    assert!(nowhere.contains("schema.registry.subject"), "{nowhere}");
}

#[test]
fn what_is_written_is_framed_with_its_schemas_id_and_indexes() {
    let registry = registry();
    let write = |arguments: &str, more: &str| {
        let value = "named_struct('id', 1L, 'city', 'a')";
        rows(&format!("SELECT hex(to_protobuf({value}{arguments}, {}))", options(more)), &registry)
    };
    let text = format!(", 'protobufSchema', '{OLD}'");
    assert_eq!(write(", 'Order'", &text).unwrap(), ["000000010202020801120161"]);
    let strategy = ", 'value.subject.name.strategy', 'X'";
    write(", 'Order'", &format!("{text}{strategy}")).unwrap();
    let latest = rows(
        &format!("SELECT hex(to_protobuf(named_struct('id', 1L, 'town', 'a'), {}))", options("")),
        &registry,
    );
    assert_eq!(latest.unwrap(), ["0000000002000801120161"], "the subject's latest by itself");
    // `message M { int32 i = 1; }` of proto3 in no package.
    let set = ", 'M', X'0A18220E0A014D12090A0169180120012805620670726F746F33'";
    let written = format!("SELECT hex(to_protobuf(named_struct('i', 1){set}, {}))", options(""));
    assert_eq!(rows(&written, &registry).unwrap(), ["0000000102000801"]);
    let registered = registry.registered();
    let subjects: Vec<&str> = registered.iter().map(|(subject, _)| subject.as_str()).collect();
    assert_eq!(subjects, ["s", "X s false Some(\"demo.Order\")", "s"]);
    let schema = &registered[0].1;
    assert_eq!((schema.format, schema.text.as_str()), (SchemaFormat::Protobuf, OLD));
    assert_eq!(registered[2].1.text, "syntax = \"proto3\";\nmessage M {\n  int32 i = 1;\n}\n");
    let refused = write(", 'Order'", &format!("{text}, 'auto.register.schemas', 'false'")).unwrap_err();
    assert!(refused.to_string().contains("not registered"), "{refused}");
    let wrong = write("", "").unwrap_err().to_string();
    assert!(wrong.contains("UNABLE_TO_CONVERT_TO_PROTOBUF_MESSAGE_TYPE"), "the latest has no city: {wrong}");
}

#[test]
fn files_that_a_descriptor_set_imports_are_registered_too() {
    // a.proto: message A { int32 x = 1; }, and b.proto: message B { A a = 1; }, of proto2.
    let a = field(1, &[field(1, b"a.proto"), field(4, &message("A", &[("x", 5, "")]))].concat());
    let b =
        [field(1, b"b.proto"), field(3, b"a.proto"), field(4, &message("B", &[("a", 11, ".A")]))].concat();
    let set: String = [a, field(1, &b)].concat().iter().map(|byte| format!("{byte:02X}")).collect();
    let registry = registry();
    let value = "named_struct('a', named_struct('x', 1))";
    let query = format!("SELECT hex(to_protobuf({value}, 'B', X'{set}', {}))", options(""));
    assert_eq!(rows(&query, &registry).unwrap(), ["0000000102000A020801"]);
    let schema = &registry.registered()[0].1;
    let text = "syntax = \"proto2\";\nmessage A {\n  optional int32 x = 1;\n}\n".to_owned();
    let imported = ReferredSchema { name: "a.proto".into(), text, references: Vec::new() };
    assert_eq!(schema.referred, [imported]);
    assert_eq!(schema.references, ["a.proto"]);
    assert!(schema.text.contains("import \"a.proto\";\n") && schema.text.contains("optional .A a = 1;"));
}

/// A field of a length below 128.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, bytes.len() as u8], bytes].concat()
}

/// A DescriptorProto of optional fields, each with the number of its type and its type's name.
fn message(name: &str, fields: &[(&str, u8, &str)]) -> Vec<u8> {
    let fields = (1..).zip(fields).map(|(number, (name, kind, type_name))| {
        let of_type = if type_name.is_empty() { Vec::new() } else { field(6, type_name.as_bytes()) };
        field(2, &[&field(1, name.as_bytes())[..], &[0x18, number, 0x20, 1, 0x28, *kind], &of_type].concat())
    });
    [field(1, name.as_bytes()), fields.flatten().collect()].concat()
}
