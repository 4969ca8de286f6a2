//! Texts read for what they say, written so that they are read the same, and hostile ones refused.

use arrow_schema::DataType;

use super::*;
use crate::Error;
use crate::protobuf::{DescriptorSet, ProtobufOptions, ProtobufReader};

const SHOP: &str = r#"
/* A shop, its orders
   and what else it has. */
syntax = "proto3";
package demo.shop; // in a package
import "google/protobuf/timestamp.proto";
import public "common/money.proto";
import "google/protobuf/descriptor.proto";
option java_package = "demo"; option (custom).x = { a: 1; b { c: "};" } d <e: 2> };

extend google.protobuf.FieldOptions { string note = 50000; }
service Shop { rpc Buy (Order) returns (stream Order) { option (http) = { get: "/v1" }; } }

message First { reserved 2, 9 to 11; reserved "foo", 'bar'; extensions 100 to max [declaration = { number: 4 }]; }

message Order {
  option deprecated = true;
  message Line {
    string sku = 1 [(note) = "a, ] b", json_name = "SKU"];
    .demo.Money price = 2;
    Kind kind = 0x3;
  }
  enum Kind { option allow_alias = true; KIND_UNKNOWN = 0; NEW = 1 [deprecated = true]; FRESH = 1; OLD = -5; }
  int64 id = 1;
  map<string, Line> by_sku = 2;
  repeated Line lines = 3;
  optional string note = 4;
  oneof payment { option (x) = 1; string card = 5; demo.Money cash = 6; }
  google.protobuf.Timestamp at = 7;
  repeated sint32 numbers = 8 [packed = false];
  message Inner { message Deepest { bool b = 1; } Deepest d = 1; Line line = 2; }
  Inner.Deepest deepest = 010;;
}
"#;

const MONEY: &str =
    "syntax = 'proto3'; package demo; message Money { string currency = 1; int64 cents = 2; }";

const OLD: &str = r#"
message Old {
  required int32 a = 1 [default = -7];
  optional double d = 2 [default = 1.5e3]; optional float f = 3 [default = -inf];
  optional string s = 4 [default = "tab\t\"quoted\"" " and more"];
  optional bytes b = 5 [default = "\001\xffa\\"];
  optional Color color = 6 [default = RED];
  repeated group Part = 7 { required uint64 x = 8 [default = 18446744073709551615]; }
  enum Color { BLUE = 1; RED = 2; }
}
"#;

fn shop() -> DescriptorSet {
    DescriptorSet::from_proto(SHOP, &[("common/money.proto".into(), MONEY.into())]).unwrap()
}

fn ddl(set: &DescriptorSet, message: &str) -> DataType {
    ProtobufReader::new(set, message, &ProtobufOptions::default()).unwrap().data_type()
}

fn refused(text: &str) -> String {
    DescriptorSet::from_proto(text, &[]).unwrap_err().to_string()
}

#[test]
fn a_text_says_what_is_on_the_wire() {
    let set = shop();
    let DataType::Struct(fields) = ddl(&set, "Order") else { panic!("a struct") };
    let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
    assert_eq!(
        names,
        ["id", "by_sku", "lines", "note", "card", "cash", "at", "numbers", "deepest"],
        "in the order of the text"
    );
    assert_eq!(fields[6].data_type(), &crate::types::timestamp());
    let DataType::Map(entries, _) = fields[1].data_type() else { panic!("a map") };
    let DataType::Struct(entry) = entries.data_type() else { panic!("entries") };
    assert_eq!(entry[1].data_type(), &ddl(&set, "demo.shop.Order.Line"));
    assert_eq!(fields[5].data_type(), &ddl(&set, "Money"));
    let order = set.message("Order").unwrap();
    let numbers = &order.fields[7];
    assert_eq!((numbers.number, numbers.packed, numbers.repeated), (8, Some(false), true));
    assert_eq!(order.fields[8].number, 8, "010 is octal");
    assert_eq!(set.messages["demo.shop.Order.Line"].fields[2].number, 3);
    assert!(order.fields[3].proto3_optional && order.fields[4].oneof == Some(0));
    let kinds = &set.enums["demo.shop.Order.Kind"];
    assert!(kinds.open && kinds.values.contains(&("OLD".to_owned(), -5)));
    let old = DescriptorSet::from_proto(OLD, &[]).unwrap();
    let defaults: Vec<Option<&str>> =
        old.message("Old").unwrap().fields.iter().map(|field| field.default.as_deref()).collect();
    let expected = [
        Some("-7"),
        Some("1.5e3"),
        Some("-inf"),
        Some("tab\t\"quoted\" and more"),
        Some("\\001\\377a\\\\"),
        Some("RED"),
        None,
    ];
    assert_eq!(defaults, expected);
    let struct_proto =
        "import \"google/protobuf/struct.proto\"; message M { optional google.protobuf.Value v = 1; }";
    let set = DescriptorSet::from_proto(struct_proto, &[]).unwrap();
    assert!(set.messages.contains_key("google.protobuf.ListValue"));
}

#[test]
fn messages_are_found_by_name_and_by_index() {
    let set = shop();
    assert_eq!(set.full_name(None).unwrap(), "demo.shop.First");
    assert_eq!(set.full_name(Some("Order")).unwrap(), "demo.shop.Order");
    assert_eq!(set.full_name(Some("Money")).unwrap(), "demo.Money");
    for (indexes, name) in [
        (&[0][..], Some("demo.shop.First")),
        (&[1], Some("demo.shop.Order")),
        (&[1, 0], Some("demo.shop.Order.Line")),
        // The map's entry stands between the two and is not counted.
        (&[1, 1, 0], Some("demo.shop.Order.Inner.Deepest")),
        (&[2], None),
        (&[1, 7], None),
        (&[], None),
    ] {
        assert_eq!(set.message_at(indexes).as_deref(), name, "{indexes:?}");
        if let Some(name) = name {
            assert_eq!(set.indexes(name).unwrap(), indexes);
        }
    }
    assert_eq!(set.local_name("demo.shop.Order.Inner.Deepest").unwrap(), "Order.Inner.Deepest");
    assert_eq!(set.local_name("Money").unwrap(), "Money");
    assert!(matches!(set.full_name(Some("Nobody")), Err(Error::UnknownMessage { .. })));
}

#[test]
fn a_declaration_comes_with_what_it_needs() {
    let set = shop();
    let texts = set.texts("demo.shop.Order.Line").unwrap();
    let names: Vec<&str> = texts.iter().map(|text| text.name.as_str()).collect();
    assert_eq!(names, ["common/money.proto", ""]);
    assert_eq!((texts[1].text.as_str(), &texts[1].imports), (SHOP, &vec!["common/money.proto".to_owned()]));
    let alone = DescriptorSet::from_proto(SHOP, &[]).unwrap();
    let error = alone.texts("demo.shop.Order").unwrap_err().to_string();
    assert!(error.contains("imports common/money.proto, which is not given"), "{error}");
    let error = ProtobufReader::new(&alone, "Order", &ProtobufOptions::default()).unwrap_err().to_string();
    assert!(error.contains("demo.Money is used but not described"), "{error}");
}

#[test]
fn what_is_written_is_read_the_same() {
    for (text, imports) in [(SHOP, vec![("common/money.proto".to_owned(), MONEY.to_owned())]), (OLD, vec![])]
    {
        let set = DescriptorSet::from_proto(text, &imports).unwrap();
        let written = render(&set, 0);
        let again = DescriptorSet::from_proto(&written, &imports).unwrap();
        assert_eq!(render(&again, 0), written);
        for (name, message) in &set.messages {
            let fields = |set: &DescriptorSet| format!("{:?}", set.messages[name].fields);
            assert_eq!(fields(&again), fields(&set), "{name} in\n{written}");
            assert_eq!(again.messages[name].is_map_entry, message.is_map_entry);
        }
        for (name, values) in &set.enums {
            assert_eq!(again.enums[name].values, values.values, "{name}");
        }
    }
}

#[test]
fn mistakes_are_told_with_their_line() {
    for (text, line, why) in [
        ("syntax = \"proto3\";\nmessage M {\n  int32 a;\n}", 3, "'=' was expected, and ; found"),
        ("syntax = \"proto3\";\n\nmessage M {", 3, "the end of the text"),
        ("edition = \"2023\"; message M {}", 1, "editions are not supported"),
        ("syntax = \"proto4\"; message M {}", 1, "editions are not supported"),
        ("message M { optional int32 a = 0; }", 1, "no number from 1"),
        ("message M { optional int32 a = 536870912; }", 1, "no number from 1"),
        ("\n/* no end", 2, "a comment that does not end"),
        ("option a = \"\n\";", 1, "a string that does not end"),
        ("message M { optional string a = 1 [default = \"\\q\"]; }", 1, "an escape that is none"),
        ("message M { optional int32 a = 09; }", 1, "a whole number was expected, and 09 found"),
        ("{\"type\": \"record\"}", 1, "message, enum"),
        ("enum E { A = 3000000000; }", 1, "no int32"),
        ("\u{e4} M {}", 1, "a character that has no meaning"),
    ] {
        let error = refused(text);
        assert!(error.contains(&format!("line {line}:")) && error.contains(why), "{text}: {error}");
    }
    let imported = DescriptorSet::from_proto("message M {}", &[("a.proto".into(), "nope".into())]);
    let error = imported.unwrap_err().to_string();
    assert!(error.contains("in the imported file a.proto"), "{error}");
    for text in ["syntax = \"proto3\"; package a;", "import \"google/protobuf/any.proto\"; enum E { A = 0; }"]
    {
        assert!(refused(text).contains("no message"), "{text}");
    }
}

/// Stack, memory and time stay within what the size of the text explains.
#[test]
fn hostile_texts_are_refused_or_read_in_bounds() {
    let deep = |open: &str, times: usize| open.repeat(times);
    assert!(refused(&deep("message M {", 100_000)).contains("nested too deeply"));
    assert!(refused(&deep("message M { repeated group G = 1 {", 50_000)).contains("nested too deeply"));
    assert!(refused(&format!("option x = {}", deep("{", 500_000))).contains("; or }"));
    assert!(refused(&format!("message M {{ optional int32 a = 1 [x = {}", deep("[", 500_000))).contains("]"));
    assert!(refused(&" ".repeat(3 << 20)).contains("limit"));
    let long = "a".repeat(10_000);
    assert!(refused(&format!("message {long} {{}}")).contains("longer than"));
    assert!(refused(&format!("package {}b; message M {{}}", "a.".repeat(1000))).contains("longer than"));
    // Ranges of extensions with long options: a parser that keeps the options for each range runs out of memory.
    let ranges = format!("1{}", ",1".repeat(200_000));
    let options = format!("x = \"{}\"", "y".repeat(400_000));
    let text = format!("message M {{ extensions {ranges} [{options}]; optional int32 a = 1; }}");
    assert_eq!(DescriptorSet::from_proto(&text, &[]).unwrap().message("M").unwrap().fields.len(), 1);
    // Many names to look for in many scopes.
    let scopes = "a.".repeat(60);
    let fields: String = (1..100_000).map(|i| format!("x y={i};")).collect();
    let text = format!("package {scopes}b; message M {{{fields}}}");
    let set = DescriptorSet::from_proto(&text, &[]).unwrap();
    assert!(ProtobufReader::new(&set, "M", &ProtobufOptions::default()).is_err());
    // Groups beside as many messages.
    let groups: String = (1..30_000).map(|i| format!("repeated group G{i}={i}{{}}")).collect();
    assert!(DescriptorSet::from_proto(&format!("message M {{{groups}}}"), &[]).is_ok());
}

#[test]
fn a_text_cut_or_changed_anywhere_is_no_panic() {
    for text in [SHOP, OLD] {
        for (at, _) in text.char_indices() {
            let _ = DescriptorSet::from_proto(&text[..at], &[]);
            for with in ["", "{", "}", ";", "\"", "=", "/*", ".", "<", "group "] {
                let _ = DescriptorSet::from_proto(&[&text[..at], with, &text[at + 1..]].concat(), &[]);
            }
        }
    }
}
