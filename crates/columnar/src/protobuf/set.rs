//! Descriptor sets: what `protoc --include_imports --descriptor_set_out=FILE` writes.
//!
//! A set is itself a Protobuf message, `google.protobuf.FileDescriptorSet`, and is read with the same [`Wire`].
//! The numbers of the fields that are looked at:
//!
//! | message | fields |
//! |---|---|
//! | FileDescriptorSet | file 1 |
//! | FileDescriptorProto | name 1, package 2, dependency 3, message_type 4, enum_type 5, syntax 12, edition 14 |
//! | DescriptorProto | name 1, field 2, nested_type 3, enum_type 4, options 7, oneof_decl 8 |
//! | FieldDescriptorProto | name 1, number 3, label 4, type 5, type_name 6, default_value 7, options 8 |
//! | FieldDescriptorProto | oneof_index 9, proto3_optional 17 |
//! | EnumDescriptorProto | name 1, value 2 |
//! | EnumValueDescriptorProto | name 1, number 2 |
//! | OneofDescriptorProto | name 1 |
//! | MessageOptions | map_entry 7 |
//! | FieldOptions | packed 2 |

use super::declared::{Declared, DeclaredEnum, FieldDescriptor, File};
use super::wire::{Malformed, Result, Wire, WireType};

/// Message types inside of each other.
pub(super) const MAX_NESTING: usize = 32;

/// The files of a set.
pub(super) fn files(bytes: &[u8]) -> Result<Vec<File>> {
    let mut files = Vec::new();
    each(Wire::new(bytes), |number, value| {
        if let (1, Value::Part(part)) = (number, value) {
            files.push(file(part)?);
        }
        Ok(())
    })?;
    Ok(files)
}

fn file(part: Wire<'_>) -> Result<File> {
    let mut file = File::default();
    let mut syntax = String::from("proto2");
    each(part, |number, value| {
        match (number, value) {
            (1, Value::Part(part)) => file.name = text(part)?,
            (2, Value::Part(part)) => file.package = text(part)?,
            (3, Value::Part(part)) => file.imports.push(text(part)?),
            (12, Value::Part(part)) => syntax = text(part)?,
            _ => {}
        }
        Ok(())
    })?;
    if syntax != "proto2" && syntax != "proto3" {
        return Err(Malformed::new("files of editions are not supported yet; use proto2 or proto3"));
    }
    file.proto3 = syntax == "proto3";
    let proto3 = file.proto3;
    each(part, |number, value| {
        match (number, value) {
            (4, Value::Part(part)) => file.messages.push(message(part, proto3, 0)?),
            (5, Value::Part(part)) => file.enums.push(enumeration(part)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(file)
}

fn message(part: Wire<'_>, proto3: bool, depth: usize) -> Result<Declared> {
    if depth > MAX_NESTING {
        return Err(Malformed::new("message types are nested too deeply"));
    }
    let mut declared = Declared { name: name_of(part)?, ..Declared::default() };
    each(part, |number, value| {
        match (number, value) {
            (2, Value::Part(part)) => declared.fields.push(field(part, proto3)?),
            (3, Value::Part(part)) => declared.nested.push(message(part, proto3, depth + 1)?),
            (4, Value::Part(part)) => declared.enums.push(enumeration(part)?),
            (7, Value::Part(part)) => each(part, |number, value| {
                if let (7, Value::Number(flag)) = (number, value) {
                    declared.is_map_entry = flag != 0;
                }
                Ok(())
            })?,
            (8, Value::Part(part)) => declared.oneofs.push(name_of(part)?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(declared)
}

fn enumeration(part: Wire<'_>) -> Result<DeclaredEnum> {
    let mut found = DeclaredEnum { name: name_of(part)?, values: Vec::new() };
    each(part, |number, value| {
        if let (2, Value::Part(part)) = (number, value) {
            let mut code = 0;
            each(part, |number, value| {
                if let (2, Value::Number(number)) = (number, value) {
                    code = number as i32;
                }
                Ok(())
            })?;
            found.values.push((name_of(part)?, code));
        }
        Ok(())
    })?;
    Ok(found)
}

fn field(part: Wire<'_>, proto3: bool) -> Result<FieldDescriptor> {
    let mut field = FieldDescriptor { name: name_of(part)?, proto3, ..FieldDescriptor::default() };
    each(part, |number, value| {
        match (number, value) {
            (3, Value::Number(number)) => field.number = number as u32,
            (4, Value::Number(label)) => {
                field.required = label == 2;
                field.repeated = label == 3;
            }
            (5, Value::Number(kind)) => field.kind = kind as u32,
            (6, Value::Part(part)) => field.type_name = text(part)?.into(),
            (7, Value::Part(part)) => field.default = Some(text(part)?),
            (8, Value::Part(part)) => each(part, |number, value| {
                if let (2, Value::Number(packed)) = (number, value) {
                    field.packed = Some(packed != 0);
                }
                Ok(())
            })?,
            (9, Value::Number(oneof)) => field.oneof = Some(oneof as u32),
            (17, Value::Number(flag)) => field.proto3_optional = flag != 0,
            _ => {}
        }
        Ok(())
    })?;
    if field.number == 0 || field.number >= 1 << 29 {
        return Err(Malformed::new("a field has no number from 1 to 2^29 - 1"));
    }
    Ok(field)
}

enum Value<'a> {
    Number(u64),
    Part(Wire<'a>),
}

/// Calls `take` with each field that is a number or has a length.
fn each<'a>(mut wire: Wire<'a>, mut take: impl FnMut(u32, Value<'a>) -> Result<()>) -> Result<()> {
    while !wire.is_empty() {
        match wire.tag()? {
            (number, WireType::Varint) => take(number, Value::Number(wire.varint()?))?,
            (number, WireType::Length) => take(number, Value::Part(wire.part()?))?,
            (number, kind) => wire.skip(number, kind, 0)?,
        }
    }
    Ok(())
}

fn text(part: Wire<'_>) -> Result<String> {
    String::from_utf8(part.rest().to_vec()).map_err(|_| Malformed::new("a name is not UTF-8"))
}

/// Field 1, which is the name wherever there is one.
fn name_of(part: Wire<'_>) -> Result<String> {
    let mut name = String::new();
    each(part, |number, value| {
        if let (1, Value::Part(part)) = (number, value) {
            name = text(part)?;
        }
        Ok(())
    })?;
    Ok(name)
}
