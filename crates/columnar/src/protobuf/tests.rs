//! Messages read by us and by prost-reflect, and what is malformed, limited or written.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, BinaryViewArray};
use arrow_schema::DataType;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, ReflectMessage as _, Value};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::*;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde_json::{Map, Value as Json, json};

use super::wire::{WireType, push_tag, push_varint, zigzag};
use super::*;
use crate::Error;

mod descriptors;

use descriptors::{entry, enumeration, field, many, message, of, one};

/// A file of proto3 and one of proto2.
fn files() -> FileDescriptorSet {
    FileDescriptorSet { file: vec![three(), two()] }
}

/// A message with a field of each kind.
fn all() -> DescriptorProto {
    use Type::*;
    let numbers = [
        ("b", Bool),
        ("i", Int32),
        ("si", Sint32),
        ("fx", Fixed32),
        ("sf", Sfixed32),
        ("u", Uint32),
        ("l", Int64),
        ("sl", Sint64),
        ("fl", Fixed64),
        ("sfl", Sfixed64),
        ("ul", Uint64),
        ("f", Float),
        ("d", Double),
        ("s", String),
        ("by", Bytes),
    ];
    let mut fields: Vec<_> =
        (1..).zip(numbers).map(|(number, (name, kind))| one(name, number, kind)).collect();
    let mut optional = one("oi", 23, Int32);
    (optional.proto3_optional, optional.oneof_index) = (Some(true), Some(1));
    let in_oneof = |field: FieldDescriptorProto| FieldDescriptorProto { oneof_index: Some(0), ..field };
    fields.extend([
        of(one("e", 16, Enum), ".t.E"),
        of(one("m", 17, Message), ".t.Inner"),
        many("ri", 18, Int32),
        many("rs", 19, String),
        of(many("rm", 20, Message), ".t.Inner"),
        of(many("mp", 21, Message), ".t.All.MpEntry"),
        of(many("mm", 22, Message), ".t.All.MmEntry"),
        optional,
        in_oneof(one("os", 24, String)),
        in_oneof(one("on", 25, Int32)),
        in_oneof(of(one("om", 26, Message), ".t.Inner")),
        many("rz", 28, Sint64),
        many("rd", 300, Double),
    ]);
    let mut all = message("All", fields);
    all.nested_type = vec![
        entry("MpEntry", String, one("value", 2, Int64)),
        entry("MmEntry", Int32, of(one("value", 2, Message), ".t.Inner")),
    ];
    all.oneof_decl =
        ["o", "_oi"].map(|name| OneofDescriptorProto { name: Some(name.into()), options: None }).to_vec();
    all
}

fn three() -> FileDescriptorProto {
    use Type::*;
    let mut self_inside =
        message("Person", vec![one("name", 1, String), of(one("bff", 2, Message), ".t.Person")]);
    self_inside.field.push(of(one("at", 3, Message), ".t.Timestamp"));
    FileDescriptorProto {
        name: Some("three.proto".into()),
        package: Some("t".into()),
        syntax: Some("proto3".into()),
        message_type: vec![
            all(),
            message("Inner", vec![one("x", 1, Int32), one("y", 2, String), many("z", 3, Int32)]),
            self_inside,
            message("Timestamp", vec![one("seconds", 1, Int64), one("nanos", 2, Int32)]),
            message("Empty", vec![]),
            message(
                "Holder",
                vec![of(one("e", 1, Message), ".t.Empty"), of(many("es", 2, Message), ".t.Inner")],
            ),
        ],
        enum_type: vec![enumeration("E", &[("ZERO", 0), ("ONE", 1), ("A_LONG_NAME_OF_TWO", 2)])],
        ..Default::default()
    }
}

fn two() -> FileDescriptorProto {
    use Type::*;
    let mut with_default = one("d", 2, Int32);
    with_default.default_value = Some("7".into());
    let mut two = message(
        "Two",
        vec![
            field("r", 1, Int32, Label::Required),
            with_default,
            one("s", 3, String),
            of(one("e", 4, Enum), ".p.E2"),
            of(one("g", 5, Group), ".p.Two.G"),
            many("unpacked", 6, Int32),
        ],
    );
    two.nested_type = vec![message("G", vec![one("x", 1, Int32)])];
    FileDescriptorProto {
        name: Some("two.proto".into()),
        package: Some("p".into()),
        message_type: vec![two],
        enum_type: vec![enumeration("E2", &[("NEG", -1), ("POS", 1)])],
        ..Default::default()
    }
}

fn set() -> DescriptorSet {
    DescriptorSet::parse(&files().encode_to_vec()).unwrap()
}

fn options(set: &[(&str, &str)]) -> ProtobufOptions {
    let mut options = ProtobufOptions::default();
    for (name, value) in set {
        assert!(options.set(name, value).unwrap(), "{name}");
    }
    options
}

fn read(message: &str, set_options: &[(&str, &str)], payloads: &[&[u8]]) -> crate::Result<ArrayRef> {
    let reader = ProtobufReader::new(&set(), message, &options(set_options))?;
    let found = reader.read(&BinaryViewArray::from(payloads.to_vec()))?;
    assert_eq!(found.data_type(), &reader.data_type());
    Ok(found)
}

/// A value as JSON: doubles by their bits, maps with the last of equal keys.
fn shown(array: &dyn Array, row: usize) -> Json {
    if array.is_null(row) {
        return Json::Null;
    }
    match array.data_type() {
        DataType::Boolean => json!(array.as_boolean().value(row)),
        DataType::Int32 => json!(array.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => json!(array.as_primitive::<Int64Type>().value(row)),
        DataType::Decimal128(..) => json!(array.as_primitive::<Decimal128Type>().value(row).to_string()),
        DataType::Float32 => json!(array.as_primitive::<Float32Type>().value(row).to_bits()),
        DataType::Float64 => json!(array.as_primitive::<Float64Type>().value(row).to_bits()),
        DataType::Utf8View => json!(array.as_string_view().value(row)),
        DataType::BinaryView => json!(array.as_binary_view().value(row)),
        DataType::Timestamp(..) => json!(array.as_primitive::<TimestampMicrosecondType>().value(row)),
        DataType::List(_) => {
            let values = array.as_list::<i32>().value(row);
            (0..values.len()).map(|at| shown(&values, at)).collect()
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            columns
                .map(|(field, column)| (field.name().clone(), shown(column, row)))
                .collect::<Map<_, _>>()
                .into()
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let text = |key: Json| key.as_str().map_or(key.to_string(), str::to_owned);
            let pairs = (0..entries.len())
                .map(|at| (text(shown(entries.column(0), at)), shown(entries.column(1), at)));
            pairs.collect::<std::collections::BTreeMap<_, _>>().into_iter().collect::<Map<_, _>>().into()
        }
        other => panic!("{other}"),
    }
}

/// The same of a message as prost-reflect has it, by Spark's rules for what is null.
fn reflected(message: &DynamicMessage) -> Json {
    let descriptor = message.descriptor();
    let fields = descriptor.fields().map(|field| {
        let there = field.is_list() || field.is_map() || message.has_field(&field);
        let has_default = field.field_descriptor_proto().default_value.is_some();
        let value = if there || has_default {
            reflected_value(&message.get_field(&field), &field.kind())
        } else {
            Json::Null
        };
        (field.name().to_owned(), value)
    });
    fields.collect::<Map<_, _>>().into()
}

fn reflected_value(value: &Value, kind: &prost_reflect::Kind) -> Json {
    match value {
        Value::Bool(value) => json!(value),
        Value::I32(value) => json!(value),
        Value::U32(value) => json!(*value as i32),
        Value::I64(value) => json!(value),
        Value::U64(value) => json!(*value as i64),
        Value::F32(value) => json!(value.to_bits()),
        Value::F64(value) => json!(value.to_bits()),
        Value::String(value) => json!(value),
        Value::Bytes(value) => json!(value.to_vec()),
        Value::EnumNumber(code) => {
            let kind = kind.as_enum().unwrap();
            let name = kind.get_value(*code).map(|value| value.name().to_owned());
            json!(name.unwrap_or_else(|| format!("UNKNOWN_ENUM_VALUE_{}_{code}", kind.name())))
        }
        Value::Message(message) => reflected(message),
        Value::List(values) => values.iter().map(|value| reflected_value(value, kind)).collect(),
        Value::Map(entries) => {
            let value_kind = kind.as_message().unwrap().map_entry_value_field().kind();
            let text = |key: &prost_reflect::MapKey| match key {
                prost_reflect::MapKey::String(text) => text.clone(),
                prost_reflect::MapKey::I32(number) => number.to_string(),
                other => panic!("{other:?}"),
            };
            let pairs = entries.iter().map(|(key, value)| (text(key), reflected_value(value, &value_kind)));
            pairs.collect::<std::collections::BTreeMap<_, _>>().into_iter().collect::<Map<_, _>>().into()
        }
    }
}

/// Random fields of a message in any order, some of them several times, and unknown ones between them.
fn generate(descriptor: &MessageDescriptor, random: &mut StdRng, depth: usize, out: &mut Vec<u8>) {
    let fields: Vec<_> = descriptor.fields().collect();
    for _ in 0..random.random_range(0..if depth == 0 { 24 } else { 5 }) {
        if random.random_bool(0.05) {
            push_tag(1000, WireType::StartGroup, out);
            push_tag(7, WireType::Varint, out);
            push_varint(random.random(), out);
            push_tag(1000, WireType::EndGroup, out);
        }
        let field = &fields[random.random_range(0..fields.len())];
        let kind = field.kind();
        if field.is_packed() && random.random_bool(0.5) {
            let mut packed = Vec::new();
            (0..random.random_range(0..4)).for_each(|_| {
                value(&kind, random, depth, &mut packed);
            });
            push_tag(field.number(), WireType::Length, out);
            push_varint(packed.len() as u64, out);
            out.extend_from_slice(&packed);
            continue;
        }
        let mut bytes = Vec::new();
        let wire = value(&kind, random, depth, &mut bytes);
        push_tag(field.number(), wire, out);
        out.extend_from_slice(&bytes);
    }
}

fn value(kind: &prost_reflect::Kind, random: &mut StdRng, depth: usize, out: &mut Vec<u8>) -> WireType {
    use prost_reflect::Kind::*;
    let small = random.random_bool(0.5);
    let number: i64 = if small { random.random_range(-2..3) } else { random.random() };
    match kind {
        Int32 | Enum(_) => push_varint(if small { number } else { i64::from(number as i32) } as u64, out),
        Uint32 => push_varint(u64::from(number as u32), out),
        Sint32 => push_varint(zigzag(i64::from(number as i32)), out),
        Sint64 => push_varint(zigzag(number), out),
        Int64 | Uint64 => push_varint(number as u64, out),
        Bool => push_varint(u64::from(small), out),
        Fixed64 | Sfixed64 | Double => {
            out.extend_from_slice(&number.to_le_bytes());
            return WireType::Fixed64;
        }
        Fixed32 | Sfixed32 | Float => {
            out.extend_from_slice(&(number as i32).to_le_bytes());
            return WireType::Fixed32;
        }
        String | Bytes => {
            let text =
                ["", "a", "\u{e9}\u{4e2d}", "a text that is not held inline"][random.random_range(0..4)];
            push_varint(text.len() as u64, out);
            out.extend_from_slice(text.as_bytes());
            return WireType::Length;
        }
        Message(inner) => {
            let mut bytes = Vec::new();
            if depth < 4 {
                generate(inner, random, depth + 1, &mut bytes);
            }
            push_varint(bytes.len() as u64, out);
            out.extend_from_slice(&bytes);
            return WireType::Length;
        }
    }
    WireType::Varint
}

#[test]
fn messages_are_read_as_prost_reflect_reads_them() {
    let pool = DescriptorPool::from_file_descriptor_set(files()).unwrap();
    let descriptor = pool.get_message_by_name("t.All").unwrap();
    let mut random = StdRng::seed_from_u64(5);
    let payloads: Vec<Vec<u8>> = (0..3000)
        .map(|_| {
            let mut bytes = Vec::new();
            generate(&descriptor, &mut random, 0, &mut bytes);
            bytes
        })
        .collect();
    let slices: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
    let found = read("t.All", &[], &slices).unwrap();
    for (row, payload) in payloads.iter().enumerate() {
        let twin = DynamicMessage::decode(descriptor.clone(), payload.as_slice()).unwrap();
        assert_eq!(shown(&found, row), reflected(&twin), "{payload:02x?}");
    }
    // What we write of what we have read, prost-reflect reads as the same.
    let writer = ProtobufWriter::new(found.data_type(), &set(), "t.All").unwrap();
    let codes = ["UNKNOWN_ENUM"];
    for (row, payload) in payloads.iter().enumerate().take(500) {
        let one = found.slice(row, 1);
        if shown(&one, 0)["e"].as_str().is_some_and(|name| name.starts_with(codes[0])) {
            assert!(matches!(
                writer.write(&one),
                Err(Error::UnwritableProtobuf { .. } | Error::UnknownEnumValue { .. })
            ));
            continue;
        }
        let written = writer.write(&one).unwrap();
        let twin = DynamicMessage::decode(descriptor.clone(), written.as_binary_view().value(0)).unwrap();
        assert_eq!(reflected(&twin), shown(&one, 0), "{payload:02x?}");
    }
}

#[test]
fn cut_and_changed_messages_are_refused_or_read_and_never_hurt_their_neighbours() {
    let pool = DescriptorPool::from_file_descriptor_set(files()).unwrap();
    let descriptor = pool.get_message_by_name("t.All").unwrap();
    let mut random = StdRng::seed_from_u64(6);
    let mut payloads = Vec::new();
    for _ in 0..2000 {
        let mut bytes = Vec::new();
        generate(&descriptor, &mut random, 0, &mut bytes);
        bytes.truncate(random.random_range(0..=bytes.len()));
        for _ in 0..random.random_range(0..3) {
            if !bytes.is_empty() {
                let at = random.random_range(0..bytes.len());
                bytes[at] = random.random();
            }
        }
        payloads.push(bytes);
        payloads.push(vec![0x10, 0x2a]);
    }
    let slices: Vec<&[u8]> = payloads.iter().map(Vec::as_slice).collect();
    let found = read("t.All", &[("mode", "PERMISSIVE")], &slices).unwrap();
    for row in (1..found.len()).step_by(2) {
        assert_eq!(shown(&found, row)["i"], json!(42));
    }
}

#[test]
fn proto2_has_defaults_required_fields_groups_and_closed_enums() {
    let group = [
        0x08, 0x01, 0x2b, 0x08, 0x05, 0x2c, 0x1a, 0x02, b'a', 0xff, 0x20, 0x01, 0x32, 0x02, 0x01, 0x02, 0x30,
        0x03,
    ];
    let found = read("p.Two", &[], &[&group, &[0x08, 0x02]]).unwrap();
    let expected =
        json!({"r": 1, "d": 7, "s": "a\u{fffd}", "e": "POS", "g": {"x": 5}, "unpacked": [1, 2, 3]});
    assert_eq!(shown(&found, 0), expected);
    assert_eq!(shown(&found, 1), json!({"r": 2, "d": 7, "s": null, "e": null, "g": null, "unpacked": []}));
    let refused = |payload: &[u8], what: &str| {
        let found = read("p.Two", &[], &[&[0x08, 0x01], payload]);
        let Err(Error::MalformedProtobuf { row: 1, field, what: found }) = &found else {
            panic!("{found:?}")
        };
        assert!(format!("{field}: {found}").contains(what), "{field}: {found}");
        let rows = read("p.Two", &[("mode", "PERMISSIVE")], &[payload, &[0x08, 0x01]]).unwrap();
        assert!(rows.is_null(0));
        assert_eq!(shown(&rows, 1)["r"], json!(1));
    };
    refused(&[], "p.Two.r: a required field");
    refused(&[0x08, 0x01, 0x20, 0x05], "p.Two.e: ");
    refused(&[0x0d, 1, 2, 3, 4, 0x08, 0x01], "another type");
    refused(&[0x08, 0x01, 0x2b, 0x08, 0x05], "ends inside of a group");
    refused(&[0x08, 0x01, 0x2c], "a group ends");
    refused(&[0x08, 0x01, 0x1a, 0x7f], "a length");
}

#[test]
fn options_change_types_and_values() {
    let types = |message: &str, set_options: &[(&str, &str)]| {
        let found = read(message, set_options, &[&[]]).unwrap();
        (found.data_type().clone(), shown(&found, 0))
    };
    let (_, plain) = types("t.All", &[]);
    assert_eq!((plain["i"].clone(), plain["oi"].clone()), (Json::Null, Json::Null));
    let (_, emitted) = types("All", &[("emit.default.values", "true")]);
    assert_eq!((&emitted["i"], &emitted["s"], &emitted["e"]), (&json!(0), &json!(""), &json!("ZERO")));
    assert_eq!((&emitted["oi"], &emitted["os"], &emitted["m"]), (&Json::Null, &Json::Null, &Json::Null));
    let set_options = [("upcast.unsigned.ints", "true"), ("enums.as.ints", "true")];
    let wide = [
        0x30, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x58, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01,
    ];
    let found = read("t.All", &set_options, &[&wide]).unwrap();
    let row = shown(&found, 0);
    assert_eq!((&row["u"], &row["ul"]), (&json!(u32::MAX), &json!("18446744073709551615")));
    // Persons in persons, and times.
    assert!(matches!(
        ProtobufReader::new(&set(), "t.Person", &options(&[])),
        Err(Error::RecursiveMessage { .. })
    ));
    let person = [0x0a, 1, b'a', 0x12, 5, 0x0a, 1, b'b', 0x12, 0, 0x1a, 4, 0x08, 0x02, 0x10, 0x01];
    let found = read("t.Person", &[("recursive.fields.max.depth", "2")], &[&person]).unwrap();
    assert_eq!(shown(&found, 0), json!({"name": "a", "bff": {"name": "b", "at": null}, "at": 2_000_000}));
    let (empty, _) = types("t.Empty", &[]);
    assert_eq!(empty, DataType::Struct(Default::default()));
    let kept = read("t.Holder", &[("retain.empty.message.types", "true")], &[&[0x0a, 0x00]]).unwrap();
    assert_eq!(shown(&kept, 0)["e"], json!({"__dummy_field_in_empty_struct": null}));
    assert!(matches!(
        ProtobufReader::new(&set(), "Nobody", &options(&[])),
        Err(Error::UnknownMessage { .. })
    ));
}

#[test]
fn hostile_messages_are_refused_in_little_time_and_memory() {
    // A person in a person in ..., far below what the schema knows: skipped without a look inside.
    let mut deep = Vec::new();
    for _ in 0..10_000 {
        let mut outer = vec![0x12];
        push_varint(deep.len() as u64, &mut outer);
        outer.extend_from_slice(&deep);
        deep = outer;
    }
    assert!(read("t.Person", &[("recursive.fields.max.depth", "10")], &[&deep]).is_ok());
    // Groups without end, unknown or not.
    for byte in [0x0b, 0x2b] {
        let groups = vec![byte; 1 << 20];
        assert!(matches!(read("p.Two", &[], &[&groups]), Err(Error::MalformedProtobuf { .. })));
    }
    // Half a million empty messages take as much as their type has columns, and no more.
    let empty = [0x12, 0x00].repeat(1 << 19);
    assert_eq!(shown(&read("t.Holder", &[], &[&empty]).unwrap(), 0)["es"].as_array().unwrap().len(), 1 << 19);
    // One field over and over, each time replacing the last.
    let again = [0x72, 0x03, b'a', b'b', b'c'].repeat(1 << 18);
    assert_eq!(shown(&read("t.All", &[], &[&again]).unwrap(), 0)["s"], json!("abc"));
    // Members of a oneof by turns.
    let turns = [0xc2, 0x01, 0x01, b'a', 0xc8, 0x01, 0x07].repeat(1 << 17);
    let row = shown(&read("t.All", &[], &[&turns]).unwrap(), 0);
    assert_eq!((&row["os"], &row["on"]), (&Json::Null, &json!(7)));
    // Lengths and numbers that lie.
    for lie in
        [vec![0x72, 0xff, 0xff, 0xff, 0xff, 0x0f], vec![0x80; 1 << 16], vec![0x10], vec![0x00], vec![0x07]]
    {
        assert!(matches!(read("t.All", &[], &[&lie]), Err(Error::MalformedProtobuf { .. })), "{lie:02x?}");
    }
}

#[test]
fn hostile_descriptors_are_refused() {
    for bytes in [&b"\xff\xff\xff"[..], b"\x0a\x7f", b"", &[0x0b; 1000]] {
        assert!(matches!(DescriptorSet::parse(bytes), Err(Error::BadDescriptor { .. })), "{bytes:02x?}");
    }
    // Sixty messages, each of which has the next one three times: a tree of 3^60 fields.
    let messages = (0..60).map(|level| {
        let next = format!(".Level{}", level + 1);
        let three = (1..4).map(|number| of(one(&format!("f{number}"), number, Type::Message), &next));
        message(&format!("Level{level}"), three.collect())
    });
    let last = message("Level60", vec![one("x", 1, Type::Int32)]);
    let file = FileDescriptorProto { message_type: messages.chain([last]).collect(), ..Default::default() };
    let bytes = FileDescriptorSet { file: vec![file] }.encode_to_vec();
    let set = DescriptorSet::parse(&bytes).unwrap();
    assert!(matches!(ProtobufReader::new(&set, "Level0", &options(&[])), Err(Error::LimitExceeded { .. })));
}

/// Sets that protoc would never write: messages inside of themselves where the recursion is not one of messages.
#[test]
fn wrappers_and_map_entries_that_hold_themselves_are_no_wrappers_and_no_entries() {
    let compile = |package: &str, messages: Vec<DescriptorProto>, root: &str| {
        let file = FileDescriptorProto {
            package: Some(package.into()),
            message_type: messages,
            ..Default::default()
        };
        let set = DescriptorSet::parse(&FileDescriptorSet { file: vec![file] }.encode_to_vec()).unwrap();
        let set_options = [("unwrap.primitive.wrapper.types", "true"), ("recursive.fields.max.depth", "2")];
        ProtobufReader::new(&set, root, &options(&set_options))
    };
    let name = ".google.protobuf.Int64Value";
    for value in [one("value", 1, Type::Message), many("value", 1, Type::Message)] {
        let found =
            compile("google.protobuf", vec![message("Int64Value", vec![of(value, name)])], &name[1..]);
        assert!(matches!(found.unwrap().data_type(), DataType::Struct(_)));
    }
    let of_itself = || of(many("value", 2, Type::Message), ".M.E");
    for (key, value) in [
        (one("key", 1, Type::Int32), of_itself()),
        (of(one("key", 1, Type::Message), ".M"), one("value", 2, Type::Int32)),
        (many("key", 1, Type::Int32), one("value", 2, Type::Int32)),
    ] {
        let options = Some(MessageOptions { map_entry: Some(true), ..Default::default() });
        let entry = DescriptorProto { options, ..message("E", vec![key, value]) };
        let map = of(many("map", 1, Type::Message), ".M.E");
        let found =
            compile("", vec![DescriptorProto { nested_type: vec![entry], ..message("M", vec![map]) }], "M");
        assert!(matches!(found, Err(Error::BadDescriptor { .. })), "{found:?}");
    }
}

/// A zero is written as a wrapper without its value, which Spark unwraps to null also where it says that there is none.
#[test]
fn unwrapped_wrappers_without_a_value_are_null_in_arrays_maps_and_required_fields() {
    use Type::*;
    let wrapper = FileDescriptorProto {
        package: Some("google.protobuf".into()),
        syntax: Some("proto3".into()),
        message_type: vec![message("Int64Value", vec![one("value", 1, Int64)])],
        ..Default::default()
    };
    let wrapped = |field| of(field, ".google.protobuf.Int64Value");
    let fields = vec![
        wrapped(many("list", 1, Message)),
        of(many("map", 2, Message), ".M.E"),
        wrapped(field("required", 3, Message, Label::Required)),
    ];
    let nested_type = vec![entry("E", Int32, wrapped(one("value", 2, Message)))];
    let message_type = vec![DescriptorProto { nested_type, ..message("M", fields) }];
    let file = FileDescriptorProto { message_type, ..Default::default() };
    let set = FileDescriptorSet { file: vec![wrapper, file] }.encode_to_vec();
    let set_options = options(&[("unwrap.primitive.wrapper.types", "true")]);
    let reader = ProtobufReader::new(&DescriptorSet::parse(&set).unwrap(), "M", &set_options).unwrap();
    let payload = [0x0a, 0, 0x0a, 2, 8, 5, 0x12, 4, 8, 1, 0x12, 0, 0x12, 6, 8, 2, 0x12, 2, 8, 7, 0x1a, 0];
    let found = reader.read(&BinaryViewArray::from(vec![&payload[..]])).unwrap();
    let expected = json!({"list": [null, 5], "map": {"1": null, "2": 7}, "required": null});
    assert_eq!(shown(&found, 0), expected);
}

#[test]
fn a_struct_that_is_not_the_messages_is_refused_when_it_is_compiled() {
    use arrow_schema::Field;
    let of_fields = |fields: Vec<Field>| DataType::Struct(fields.into());
    let int = |name: &str| Field::new(name, DataType::Int32, true);
    for (fields, message, expected) in [
        (vec![int("nobody")], "t.All", "NO_SQL_TYPE_IN_PROTOBUF_SCHEMA"),
        (vec![int("d")], "p.Two", "PROTOBUF_FIELD_MISSING_IN_SQL_SCHEMA"),
        (vec![int("s")], "t.All", "CANNOT_CONVERT_SQL_TYPE_TO_PROTOBUF_FIELD_TYPE"),
    ] {
        let found = ProtobufWriter::new(&of_fields(fields), &set(), message);
        assert!(
            matches!(&found, Err(Error::ProtobufMismatch { condition, .. }) if *condition == expected),
            "{found:?}"
        );
    }
    assert!(ProtobufWriter::new(&of_fields(vec![int("R"), int("unpacked")]), &set(), "p.Two").is_err());
    assert!(ProtobufWriter::new(&of_fields(vec![int("R")]), &set(), "p.Two").is_ok());
}

#[test]
fn primitives_become_wrappers_and_what_has_no_type_is_left_out() {
    use arrow_array::{ArrayRef, Int64Array, NullArray, StringViewArray, StructArray};
    let wrapper = FileDescriptorProto {
        name: Some("wrappers.proto".into()),
        package: Some("google.protobuf".into()),
        syntax: Some("proto3".into()),
        message_type: vec![message("Int64Value", vec![one("value", 1, Type::Int64)])],
        ..Default::default()
    };
    let wrapped = of(one("w", 1, Type::Message), ".google.protobuf.Int64Value");
    let user = FileDescriptorProto {
        name: Some("w.proto".into()),
        syntax: Some("proto3".into()),
        message_type: vec![message("W", vec![wrapped, one("s", 2, Type::String), many("r", 3, Type::Int32)])],
        ..Default::default()
    };
    let bytes = FileDescriptorSet { file: vec![wrapper, user] }.encode_to_vec();
    let set = DescriptorSet::parse(&bytes).unwrap();
    let written = |fields: Vec<(&str, ArrayRef)>| -> Vec<Vec<u8>> {
        let rows = StructArray::try_from(fields).unwrap();
        let written = ProtobufWriter::new(rows.data_type(), &set, "W").unwrap().write(&rows).unwrap();
        written.as_binary_view().iter().map(|bytes| bytes.unwrap().to_vec()).collect()
    };
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), Some(0), None]));
    assert_eq!(written(vec![("w", numbers)]), [&[0x0a, 2, 8, 7][..], &[0x0a, 0], &[]]);
    let nothing: ArrayRef = Arc::new(NullArray::new(1));
    let text: ArrayRef = Arc::new(StringViewArray::from(vec!["a"]));
    let fields = vec![("w", Arc::clone(&nothing)), ("s", text), ("r", nothing)];
    assert_eq!(written(fields), [[0x12, 1, b'a']]);
}

/// The binary set written as texts gives readers of the same columns for the same bytes.
#[test]
fn a_set_written_as_texts_reads_the_same() {
    let (set, mut random) = (set(), StdRng::seed_from_u64(7));
    let pool = DescriptorPool::from_file_descriptor_set(files()).unwrap();
    let depth = ("recursive.fields.max.depth", "3");
    for (message, given) in [("t.All", &[][..]), ("t.Person", &[depth]), ("p.Two", &[]), ("t.Inner", &[])] {
        let (indexes, texts) = (set.indexes(message).unwrap(), set.texts(message).unwrap());
        let [own] = texts.as_slice() else { panic!("nothing is imported") };
        let again = DescriptorSet::from_proto(&own.text, &[]).unwrap();
        assert_eq!(again.message_at(&indexes).as_deref(), Some(message));
        let descriptor = pool.get_message_by_name(message).unwrap();
        let payloads: Vec<Vec<u8>> = (0..50)
            .map(|_| {
                let mut bytes = Vec::new();
                generate(&descriptor, &mut random, 0, &mut bytes);
                bytes
            })
            .collect();
        let payloads = BinaryViewArray::from_iter_values(&payloads);
        let mut given = options(given);
        given.mode = crate::json::ParseMode::Permissive;
        let reader = |set: &DescriptorSet| ProtobufReader::new(set, message, &given).unwrap();
        assert_eq!(&reader(&again).read(&payloads).unwrap(), &reader(&set).read(&payloads).unwrap());
        reader(&again).check_writer(&set, message).unwrap();
    }
}
