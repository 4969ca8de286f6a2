//! Descriptors made by hand, for tests of this crate and the fuzz target `protobuf`.

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::*;

pub fn field(name: &str, number: i32, kind: Type, label: Label) -> FieldDescriptorProto {
    let mut field =
        FieldDescriptorProto { name: Some(name.into()), number: Some(number), ..Default::default() };
    field.set_type(kind);
    field.set_label(label);
    field
}

pub fn one(name: &str, number: i32, kind: Type) -> FieldDescriptorProto {
    field(name, number, kind, Label::Optional)
}

pub fn many(name: &str, number: i32, kind: Type) -> FieldDescriptorProto {
    field(name, number, kind, Label::Repeated)
}

/// The same field of a message's or enum's type.
pub fn of(field: FieldDescriptorProto, type_name: &str) -> FieldDescriptorProto {
    FieldDescriptorProto { type_name: Some(type_name.into()), ..field }
}

pub fn message(name: &str, field: Vec<FieldDescriptorProto>) -> DescriptorProto {
    DescriptorProto { name: Some(name.into()), field, ..Default::default() }
}

pub fn entry(name: &str, key: Type, value: FieldDescriptorProto) -> DescriptorProto {
    let options = Some(MessageOptions { map_entry: Some(true), ..Default::default() });
    DescriptorProto { options, ..message(name, vec![one("key", 1, key), value]) }
}

pub fn enumeration(name: &str, values: &[(&str, i32)]) -> EnumDescriptorProto {
    let value = values.iter().map(|(name, number)| EnumValueDescriptorProto {
        name: Some((*name).into()),
        number: Some(*number),
        ..Default::default()
    });
    EnumDescriptorProto { name: Some(name.into()), value: value.collect(), ..Default::default() }
}
