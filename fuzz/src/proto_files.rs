//! The messages that the target `protobuf` reads: a file of proto3 with a field of each kind, and one of proto2 with
//! what proto3 has not; as descriptors, which our reader and prost-reflect both take.

use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::*;

#[path = "../../crates/columnar/src/protobuf/tests/descriptors.rs"]
mod descriptors;

use descriptors::{entry, enumeration, field, many, message, of, one};

/// Full names of the messages. The first is the one that prost-reflect reads like us in every case.
pub const MESSAGES: [&str; 6] = ["f.All", "f.Two", "f.Node", "f.Holder", "f.Tree", "f.Wraps"];

/// The descriptor set as bytes.
pub fn bytes() -> Vec<u8> {
    set().encode_to_vec()
}

/// The descriptor set.
pub fn set() -> FileDescriptorSet {
    FileDescriptorSet { file: vec![wrappers(), three(), two()] }
}

fn file(name: &str, package: &str, syntax: &str) -> FileDescriptorProto {
    FileDescriptorProto {
        name: Some(name.into()),
        package: Some(package.into()),
        syntax: Some(syntax.into()),
        ..Default::default()
    }
}

fn all() -> DescriptorProto {
    use Type::*;
    let kinds = [
        Bool, Int32, Sint32, Fixed32, Sfixed32, Uint32, Int64, Sint64, Fixed64, Sfixed64, Uint64, Float,
        Double, String, Bytes,
    ];
    let mut fields: Vec<_> =
        (1..).zip(kinds).map(|(number, kind)| one(&format!("single{number}"), number, kind)).collect();
    fields.extend([of(one("e", 16, Enum), ".f.E"), of(one("m", 17, Message), ".f.Inner")]);
    fields.extend((18..).zip(kinds).map(|(number, kind)| many(&format!("many{number}"), number, kind)));
    let in_oneof = |field: FieldDescriptorProto| FieldDescriptorProto { oneof_index: Some(0), ..field };
    let mut optional = one("optional", 36, Int32);
    (optional.proto3_optional, optional.oneof_index) = (Some(true), Some(1));
    fields.extend([
        of(many("messages", 33, Message), ".f.Inner"),
        of(many("texts", 34, Message), ".f.All.TextsEntry"),
        of(many("inners", 35, Message), ".f.All.InnersEntry"),
        optional,
        in_oneof(one("s", 37, String)),
        in_oneof(one("n", 38, Int32)),
        in_oneof(of(one("i", 39, Message), ".f.Inner")),
        of(many("es", 40, Enum), ".f.E"),
        many("far", 70_000, Sint64),
    ]);
    let mut all = message("All", fields);
    all.nested_type = vec![
        entry("TextsEntry", String, one("value", 2, Double)),
        entry("InnersEntry", Sint32, of(one("value", 2, Message), ".f.Inner")),
    ];
    all.oneof_decl = ["o", "_optional"]
        .map(|name| OneofDescriptorProto { name: Some(name.into()), options: None })
        .to_vec();
    all
}

fn three() -> FileDescriptorProto {
    use Type::*;
    let node = vec![
        one("name", 1, String),
        of(one("next", 2, Message), ".f.Node"),
        of(one("at", 3, Message), ".f.Timestamp"),
        of(many("took", 4, Message), ".f.Duration"),
    ];
    let mut tree = message(
        "Tree",
        vec![of(many("kids", 1, Message), ".f.Tree"), of(many("named", 2, Message), ".f.Tree.NamedEntry")],
    );
    tree.nested_type = vec![entry("NamedEntry", String, of(one("value", 2, Message), ".f.Tree"))];
    let wraps = [(1, "Int64Value"), (2, "StringValue"), (3, "BoolValue")]
        .map(|(number, name)| {
            let name = format!(".google.protobuf.{name}");
            [
                of(one(&format!("one{number}"), number, Message), &name),
                of(many(&format!("many{number}"), number + 3, Message), &name),
            ]
        })
        .concat();
    let times = || vec![one("seconds", 1, Int64), one("nanos", 2, Int32)];
    let holder = vec![of(one("e", 1, Message), ".f.Empty"), of(many("es", 2, Message), ".f.Inner")];
    FileDescriptorProto {
        dependency: vec!["wrappers.proto".into()],
        message_type: vec![
            all(),
            message("Inner", vec![one("x", 1, Int32), one("y", 2, String), many("z", 3, Int32)]),
            message("Node", node),
            message("Timestamp", times()),
            message("Duration", times()),
            message("Empty", vec![]),
            message("Holder", holder),
            tree,
            message("Wraps", wraps),
        ],
        enum_type: vec![enumeration("E", &[("ZERO", 0), ("ONE", 1), ("A_LONG_NAME_OF_TWO", 2)])],
        ..file("three.proto", "f", "proto3")
    }
}

fn two() -> FileDescriptorProto {
    use Type::*;
    let with_default = FieldDescriptorProto { default_value: Some("7".into()), ..one("d", 2, Int32) };
    let mut two = message(
        "Two",
        vec![
            field("r", 1, Int32, Label::Required),
            with_default,
            one("s", 3, String),
            of(one("e", 4, Enum), ".f.E2"),
            of(one("g", 5, Group), ".f.Two.G"),
            many("unpacked", 6, Int32),
            of(many("gs", 7, Group), ".f.Two.G"),
        ],
    );
    two.nested_type = vec![message("G", vec![field("x", 1, Int32, Label::Required), one("y", 2, String)])];
    FileDescriptorProto {
        message_type: vec![two],
        enum_type: vec![enumeration("E2", &[("NEG", -1), ("POS", 1)])],
        ..file("two.proto", "f", "proto2")
    }
}

fn wrappers() -> FileDescriptorProto {
    let wrapper = |name: &str, kind| message(name, vec![one("value", 1, kind)]);
    FileDescriptorProto {
        message_type: vec![
            wrapper("Int64Value", Type::Int64),
            wrapper("StringValue", Type::String),
            wrapper("BoolValue", Type::Bool),
        ],
        ..file("wrappers.proto", "google.protobuf", "proto3")
    }
}
