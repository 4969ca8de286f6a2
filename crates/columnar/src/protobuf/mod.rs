//! Protobuf payloads to Arrow columns by Spark's `from_protobuf` rules, and columns to Protobuf by its
//! `to_protobuf` rules. The messages are described by a descriptor set or by `.proto` texts, so no code is generated.
//!
//! The order to read in: `wire` (the bytes), `declared` (files as they are declared, in a descriptor `set` or in
//! `proto` text), [`DescriptorSet`] (what messages there are), `schema` (a message as a struct: Spark's table of
//! types), `column` and [`ProtobufReader`] (bytes to columns), `evolution` (what others wrote), [`ProtobufWriter`].

mod column;
mod declared;
mod descriptor;
mod evolution;
mod options;
mod proto;
mod reader;
mod schema;
mod set;
#[cfg(test)]
mod tests;
mod wire;
mod writer;

pub use descriptor::{DescriptorSet, ProtoText};
pub use options::ProtobufOptions;
pub use reader::ProtobufReader;
pub use writer::ProtobufWriter;
