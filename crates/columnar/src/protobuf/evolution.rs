//! Whether a message of another schema can be read with the fields of this one.
//!
//! On the wire a field is its number. What two schemas have under one number must be written alike:
//!
//! | written alike | types |
//! |---|---|
//! | a varint | int32, int64, uint32, uint64, bool, enums |
//! | a zigzag varint | sint32, sint64 |
//! | 4 bytes | fixed32, sfixed32; float by itself |
//! | 8 bytes | fixed64, sfixed64; double by itself |
//! | bytes | string, bytes |
//! | a message | messages whose fields are written alike; a map is its entries |
//! | a group | the same |
//!
//! Fields that only one of the two has are no obstacle, and neither are names: a field may be renamed, and a message
//! moved to another package.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::declared::FieldDescriptor;
use super::descriptor::DescriptorSet;
use super::reader::ProtobufReader;
use super::schema::{FieldPlan, Kind, Plan};
use crate::{Error, Result};

impl ProtobufReader {
    /// Checks that messages that were written as the `message` of another schema are read for what they are.
    ///
    /// # Errors
    /// [`Error::IncompatibleProtobuf`] for a field that is written in another way, [`Error::UnknownMessage`].
    pub fn check_writer(&self, writer: &DescriptorSet, message: &str) -> Result<()> {
        let message = writer.full_name(Some(message))?;
        let mut comparing = Comparing { writer, seen: HashSet::new(), fields: HashMap::new() };
        comparing.message(self.plan(), message, self.plan().name.clone())
    }
}

/// How a field stands on the wire.
type Form = &'static str;

struct Comparing<'a> {
    writer: &'a DescriptorSet,
    /// Pairs that were compared: a plan by its address, and the writer's message.
    seen: HashSet<(*const Plan, &'a str)>,
    /// The writer's fields by number.
    fields: HashMap<&'a str, Arc<HashMap<u32, &'a FieldDescriptor>>>,
}

impl<'a> Comparing<'a> {
    fn message(&mut self, plan: &Plan, message: &'a str, path: String) -> Result<()> {
        if !self.seen.insert((std::ptr::from_ref(plan), message)) {
            return Ok(());
        }
        let fields = self.fields_of(message);
        plan.fields.iter().try_for_each(|field| self.field(field, &fields, &path))
    }

    fn fields_of(&mut self, message: &'a str) -> Arc<HashMap<u32, &'a FieldDescriptor>> {
        let writer = self.writer;
        let collect = || {
            let fields = writer.messages.get(message).map_or(&[][..], |message| &message.fields);
            Arc::new(fields.iter().map(|field| (field.number, field)).collect())
        };
        Arc::clone(self.fields.entry(message).or_insert_with(collect))
    }

    fn field(
        &mut self,
        field: &FieldPlan,
        fields: &HashMap<u32, &'a FieldDescriptor>,
        path: &str,
    ) -> Result<()> {
        let Some(other) = fields.get(&field.number) else { return Ok(()) };
        let path = format!("{path}.{}", field.name);
        let (written, read) = (written(other.kind), read(&field.kind));
        if written != read {
            return Err(Error::IncompatibleProtobuf { field: path, number: field.number, written, read });
        }
        match &field.kind {
            Kind::Message(plan) | Kind::Group(plan) => self.message(plan, &other.type_name, path),
            Kind::Entry(key, value) => {
                let entry = self.fields_of(&other.type_name);
                self.field(key, &entry, &path)?;
                self.field(value, &entry, &path)
            }
            Kind::Wrapped(value) => {
                let wrapper = self.fields_of(&other.type_name);
                self.field(value, &wrapper, &path)
            }
            _ => Ok(()),
        }
    }
}

fn read(kind: &Kind) -> Form {
    match kind {
        Kind::Bool | Kind::Int32 | Kind::Uint32 | Kind::Uint32Long | Kind::Int64 => VARINT,
        Kind::Uint64 | Kind::Uint64Decimal | Kind::EnumName(..) | Kind::EnumNumber(_) => VARINT,
        Kind::Sint32 | Kind::Sint64 => ZIGZAG,
        Kind::Fixed32 => FOUR,
        Kind::Fixed64 => EIGHT,
        Kind::Float => "float",
        Kind::Double => "double",
        Kind::String { .. } | Kind::Bytes => BYTES,
        Kind::Group(_) => GROUP,
        Kind::Message(_) | Kind::Timestamp | Kind::Duration | Kind::Wrapped(_) | Kind::Entry(..) => MESSAGE,
    }
}

fn written(kind: u32) -> Form {
    match kind {
        1 => "double",
        2 => "float",
        3 | 4 | 5 | 8 | 13 | 14 => VARINT,
        6 | 16 => EIGHT,
        7 | 15 => FOUR,
        9 | 12 => BYTES,
        10 => GROUP,
        11 => MESSAGE,
        17 | 18 => ZIGZAG,
        _ => "a type that is not described",
    }
}

const VARINT: Form = "a varint";
const ZIGZAG: Form = "a zigzag varint";
const FOUR: Form = "4 bytes";
const EIGHT: Form = "8 bytes";
const BYTES: Form = "bytes";
const MESSAGE: Form = "a message";
const GROUP: Form = "a group";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protobuf::ProtobufOptions;

    const READ: &str = "syntax = 'proto3'; import 'google/protobuf/wrappers.proto'; message M { int32 a = 1; \
        Inner b = 2; map<string, Inner> c = 3; google.protobuf.Int64Value d = 4; fixed32 e = 5; string f = 6; \
        M again = 7; } message Inner { sint64 x = 1; float y = 2; }";

    fn check(writer: &str) -> std::result::Result<(), String> {
        let set = |text: &str| DescriptorSet::from_proto(text, &[]).unwrap();
        let mut options = ProtobufOptions::default();
        options.set("recursive.fields.max.depth", "3").unwrap();
        options.set("unwrap.primitive.wrapper.types", "true").unwrap();
        let reader = ProtobufReader::new(&set(READ), "M", &options).unwrap();
        reader.check_writer(&set(writer), "M").map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_written_alike_may_be_read_and_nothing_else() {
        check(READ).unwrap();
        check("package other; enum E { A = 0; } message M { repeated E renamed = 1; required bytes f = 6; }")
            .unwrap();
        check("message M { optional Other b = 2; optional int32 new = 99; } message Other { }").unwrap();
        check("message M { optional sfixed32 e = 5; optional M again = 7; }").unwrap();
        for (writer, field) in [
            (
                "message M { optional sint32 a = 1; }",
                "the field M.a (number 1) was written as a zigzag varint",
            ),
            ("message M { optional M b = 2; optional int32 a = 1; optional int32 y = 2; }", "M.b"),
            ("message M { optional string b = 2; }", "M.b"),
            ("message M { map<int32, I> c = 3; } message I { }", "M.c.key"),
            ("message M { map<string, I> c = 3; } message I { optional double y = 2; }", "M.c.value.y"),
            ("message M { optional I d = 4; } message I { optional string value = 1; }", "M.d.value"),
            ("message M { optional M again = 7; optional float e = 5; }", "M.e"),
        ] {
            let error = check(writer).unwrap_err();
            assert!(error.contains(field), "{writer}: {error}");
        }
    }
}
