//! `.proto` texts, as schema registries hold them: read ([`parse()`]) and written ([`render()`]).
//!
//! Read is the language of proto2 and proto3 (protobuf.dev, "Language Specification"), as far as it tells what is on
//! the wire: packages, imports, messages, groups, maps, oneofs, enums, and of the options `packed` and `default`.
//! Services, extensions, reserved names and other options are passed over. It is stricter than nothing: what `protoc`
//! refuses for its meaning, such as a number used twice, is not looked for.

mod lexer;
mod parser;
mod render;
#[cfg(test)]
mod tests;
pub(super) mod well_known;

pub(super) use parser::parse;
pub(super) use render::{needed, render};
