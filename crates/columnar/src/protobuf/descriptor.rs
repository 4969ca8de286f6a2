//! Descriptor sets: what `protoc --include_imports --descriptor_set_out=FILE` writes.
//!
//! A set is itself a Protobuf message, `google.protobuf.FileDescriptorSet`, and is read with the same [`Wire`].
//! The numbers of the fields that are looked at:
//!
//! | message | fields |
//! |---|---|
//! | FileDescriptorSet | file 1 |
//! | FileDescriptorProto | package 2, message_type 4, enum_type 5, syntax 12, edition 14 |
//! | DescriptorProto | name 1, field 2, nested_type 3, enum_type 4, options 7 |
//! | FieldDescriptorProto | name 1, number 3, label 4, type 5, type_name 6, default_value 7, options 8 |
//! | FieldDescriptorProto | oneof_index 9, proto3_optional 17 |
//! | EnumDescriptorProto | name 1, value 2 |
//! | EnumValueDescriptorProto | name 1, number 2 |
//! | MessageOptions | map_entry 7 |
//! | FieldOptions | packed 2 |

use std::collections::HashMap;
use std::sync::Arc;

use super::wire::{Malformed, Result, Wire, WireType};
use crate::Error;

/// A set larger than this is refused.
const MAX_SET_BYTES: usize = 64 << 20;
/// Message types inside of each other.
const MAX_NESTING: usize = 32;

/// The messages that a descriptor set describes.
#[derive(Debug, Clone, Default)]
pub struct DescriptorSet {
    pub(super) messages: HashMap<String, Arc<Message>>,
    pub(super) enums: HashMap<String, Arc<Enum>>,
    /// Full names of messages that stand in no other, in the order of the files.
    top: Vec<String>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Message {
    pub full_name: String,
    pub fields: Vec<FieldDescriptor>,
    pub is_map_entry: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct FieldDescriptor {
    pub name: String,
    pub number: u32,
    pub repeated: bool,
    pub required: bool,
    /// The number of the type, as FieldDescriptorProto.Type has it.
    pub kind: u32,
    /// Full name of a message's or enum's type.
    pub type_name: String,
    pub default: Option<String>,
    pub packed: Option<bool>,
    pub oneof: Option<u32>,
    pub proto3_optional: bool,
    pub proto3: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Enum {
    pub values: Vec<(String, i32)>,
    /// Whether other numbers than those are values too, as in proto3.
    pub open: bool,
}

impl DescriptorSet {
    /// Reads a set.
    ///
    /// # Errors
    /// [`Error::BadDescriptor`] for bytes that are no descriptor set.
    pub fn parse(bytes: &[u8]) -> crate::Result<Self> {
        if bytes.len() > MAX_SET_BYTES {
            return Err(Error::LimitExceeded {
                what: "the descriptor set".into(),
                unit: "bytes",
                found: bytes.len(),
                limit: MAX_SET_BYTES,
                setting: "the set's size (leave out what is not needed)",
            });
        }
        let mut set = Self::default();
        each(Wire::new(bytes), |number, value| match (number, value) {
            (1, Value::Part(file)) => set.file(file),
            _ => Ok(()),
        })
        .map_err(|malformed| Error::BadDescriptor { why: malformed.what.into() })?;
        if set.top.is_empty() {
            return Err(Error::BadDescriptor { why: "it describes no message".into() });
        }
        Ok(set)
    }

    /// The first message of a full or short name that stands in no other, or else one that does, by its full name.
    pub(super) fn message(&self, name: &str) -> crate::Result<&Arc<Message>> {
        let name = name.strip_prefix('.').unwrap_or(name);
        let top = self.top.iter().find(|full| *full == name || full.rsplit('.').next() == Some(name));
        let found = self.messages.get(top.map_or(name, String::as_str));
        found.ok_or_else(|| Error::UnknownMessage {
            name: name.into(),
            known: self.top.iter().take(20).cloned().collect::<Vec<_>>().join(", "),
        })
    }

    fn file(&mut self, file: Wire<'_>) -> Result<()> {
        let (mut package, mut syntax) = (String::new(), String::from("proto2"));
        each(file, |number, value| {
            match (number, value) {
                (2, Value::Part(part)) => package = text(part)?,
                (12, Value::Part(part)) => syntax = text(part)?,
                _ => {}
            }
            Ok(())
        })?;
        if syntax != "proto2" && syntax != "proto3" {
            return Err(Malformed::new("files of editions are not supported yet; use proto2 or proto3"));
        }
        let proto3 = syntax == "proto3";
        each(file, |number, value| match (number, value) {
            (4, Value::Part(part)) => {
                let name = self.read_message(part, &package, proto3, 0)?;
                self.top.push(name);
                Ok(())
            }
            (5, Value::Part(part)) => self.read_enum(part, &package, proto3),
            _ => Ok(()),
        })
    }

    fn read_message(&mut self, part: Wire<'_>, scope: &str, proto3: bool, depth: usize) -> Result<String> {
        if depth > MAX_NESTING {
            return Err(Malformed::new("message types are nested too deeply"));
        }
        let mut message = Message { full_name: join(scope, &name_of(part)?), ..Message::default() };
        let full_name = message.full_name.clone();
        each(part, |number, value| {
            match (number, value) {
                (2, Value::Part(part)) => message.fields.push(field(part, proto3)?),
                (3, Value::Part(part)) => drop(self.read_message(part, &full_name, proto3, depth + 1)?),
                (4, Value::Part(part)) => self.read_enum(part, &full_name, proto3)?,
                (7, Value::Part(part)) => each(part, |number, value| {
                    if let (7, Value::Number(flag)) = (number, value) {
                        message.is_map_entry = flag != 0;
                    }
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })?;
        self.messages.insert(full_name.clone(), Arc::new(message));
        Ok(full_name)
    }

    fn read_enum(&mut self, part: Wire<'_>, scope: &str, open: bool) -> Result<()> {
        let mut found = Enum { open, ..Enum::default() };
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
        self.enums.insert(join(scope, &name_of(part)?), Arc::new(found));
        Ok(())
    }
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
            (6, Value::Part(part)) => {
                let name = text(part)?;
                field.type_name = name.strip_prefix('.').unwrap_or(&name).to_owned();
            }
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

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}
