//! A file of a descriptor set as text.
//!
//! Types are written by their full names with a dot before them, so that nothing depends on where they stand; what is
//! imported is what they need.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::protobuf::declared::{
    BYTES, Declared, DeclaredEnum, FieldDescriptor, GROUP, MESSAGE, SCALARS, STRING, join,
};
use crate::protobuf::descriptor::{DescriptorSet, Message};

/// The other files that declare types of a file's fields.
pub(in crate::protobuf) fn needed(set: &DescriptorSet, index: usize) -> Vec<usize> {
    fn look(set: &DescriptorSet, scope: &str, messages: &[Declared], found: &mut BTreeSet<usize>) {
        for message in messages {
            let name = join(scope, &message.name);
            let fields = set.messages.get(name.as_str()).map_or(&[][..], |message| &message.fields);
            found.extend(fields.iter().filter_map(|field| set.home(&field.type_name)));
            look(set, &name, &message.nested, found);
        }
    }
    let (file, mut found) = (&set.files[index], BTreeSet::new());
    look(set, &file.package, &file.messages, &mut found);
    found.remove(&index);
    found.into_iter().collect()
}

/// The file as text.
pub(in crate::protobuf) fn render(set: &DescriptorSet, index: usize) -> String {
    let file = &set.files[index];
    let mut out = Out { set, text: String::new(), depth: 0 };
    out.line(format_args!("syntax = \"{}\";", if file.proto3 { "proto3" } else { "proto2" }));
    if !file.package.is_empty() {
        out.line(format_args!("package {};", file.package));
    }
    for import in needed(set, index) {
        out.line(format_args!("import \"{}\";", set.files[import].name));
    }
    for message in &file.messages {
        out.message(message, &file.package);
    }
    for found in &file.enums {
        out.enumeration(found, &file.package);
    }
    out.text
}

struct Out<'a> {
    set: &'a DescriptorSet,
    text: String,
    depth: usize,
}

impl Out<'_> {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let indent = self.depth * 2;
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "{:indent$}{line}", "");
    }

    fn block(&mut self, head: std::fmt::Arguments<'_>, inside: impl FnOnce(&mut Self)) {
        self.line(format_args!("{head} {{"));
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.line(format_args!("}}"));
    }

    fn message(&mut self, declared: &Declared, scope: &str) {
        let name = join(scope, &declared.name);
        self.block(format_args!("message {}", declared.name), |out| out.body(declared, &name));
    }

    fn body(&mut self, declared: &Declared, name: &str) {
        let set = self.set;
        let Some(message) = set.messages.get(name) else { return };
        let mut done = BTreeSet::new();
        for field in &message.fields {
            let oneof = field.oneof.filter(|_| !field.proto3_optional);
            match oneof.and_then(|index| Some((index, declared.oneofs.get(index as usize)?))) {
                Some((index, oneof)) => {
                    if done.insert(index) {
                        self.block(format_args!("oneof {oneof}"), |out| {
                            out.members(declared, message, index)
                        });
                    }
                }
                None => self.field(declared, field, true),
            }
        }
        for nested in declared.nested.iter().filter(|nested| !nested.is_map_entry && !nested.is_group) {
            self.message(nested, name);
        }
        for found in &declared.enums {
            self.enumeration(found, name);
        }
    }

    fn members(&mut self, declared: &Declared, message: &Message, oneof: u32) {
        for field in message.fields.iter().filter(|field| field.oneof == Some(oneof)) {
            self.field(declared, field, false);
        }
    }

    fn field(&mut self, declared: &Declared, field: &FieldDescriptor, labelled: bool) {
        let type_name = self.type_name(field);
        let entry =
            self.set.messages.get(&field.type_name).filter(|m| m.is_map_entry && field.kind == MESSAGE);
        let label = match labelled {
            _ if entry.is_some() => "",
            true if field.repeated => "repeated ",
            true if field.required => "required ",
            true if !field.proto3 || field.proto3_optional => "optional ",
            _ => "",
        };
        let type_name = match entry.map(|entry| entry.fields.as_slice()) {
            Some([key, value]) => format!("map<{}, {}>", self.type_name(key), self.type_name(value)),
            _ => type_name,
        };
        let options = options(field);
        if field.kind == GROUP {
            let short = field.type_name.rsplit('.').next().unwrap_or_default();
            let group = declared.nested.iter().find(|nested| nested.name == short);
            self.block(format_args!("{label}group {short} = {}{options}", field.number), |out| {
                if let Some(group) = group {
                    out.body(group, &field.type_name);
                }
            });
            return;
        }
        self.line(format_args!("{label}{type_name} {} = {}{options};", field.name, field.number));
    }

    fn type_name(&self, field: &FieldDescriptor) -> String {
        match SCALARS.iter().find(|(_, kind)| *kind == field.kind) {
            Some((name, _)) => (*name).to_owned(),
            None => format!(".{}", field.type_name),
        }
    }

    fn enumeration(&mut self, declared: &DeclaredEnum, scope: &str) {
        let name = join(scope, &declared.name);
        let Some(found) = self.set.enums.get(name.as_str()) else { return };
        let numbers: BTreeSet<i32> = found.values.iter().map(|(_, number)| *number).collect();
        self.block(format_args!("enum {}", declared.name), |out| {
            if numbers.len() < found.values.len() {
                out.line(format_args!("option allow_alias = true;"));
            }
            for (name, number) in &found.values {
                out.line(format_args!("{name} = {number};"));
            }
        });
    }
}

/// ` [packed = false, default = 1]`, or nothing.
fn options(field: &FieldDescriptor) -> String {
    let default = field.default.as_ref().map(|text| match field.kind {
        STRING => format!("default = \"{}\"", escaped(text.as_bytes())),
        // It has its escapes, but may hold quotes.
        BYTES => format!("default = \"{}\"", text.replace('"', "\\042")),
        _ => format!("default = {text}"),
    });
    let packed = field.packed.map(|packed| format!("packed = {packed}"));
    let all: Vec<String> = packed.into_iter().chain(default).collect();
    if all.is_empty() { String::new() } else { format!(" [{}]", all.join(", ")) }
}

/// Bytes with C's escapes, of which the octal ones end by themselves.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b' '..=b'~' if !matches!(byte, b'"' | b'\'') => out.push(char::from(*byte)),
            // Writing to a string cannot fail.
            other => drop(write!(out, "\\{other:03o}")),
        }
    }
    out
}
