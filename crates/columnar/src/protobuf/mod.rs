//! Protobuf payloads to Arrow columns by Spark's `from_protobuf` rules, and columns to Protobuf by its
//! `to_protobuf` rules. The messages are described by a descriptor set, so no code is generated.
//!
//! The order to read in: `wire` (the bytes), [`DescriptorSet`] (what messages there are), `schema` (a message as
//! a struct: Spark's table of types), `column` and [`ProtobufReader`] (bytes to columns), [`ProtobufWriter`].

mod column;
mod descriptor;
mod options;
mod reader;
mod schema;
#[cfg(test)]
mod tests;
mod wire;
mod writer;

pub use descriptor::DescriptorSet;
pub use options::ProtobufOptions;
pub use reader::ProtobufReader;
pub use writer::ProtobufWriter;
