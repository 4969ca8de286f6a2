//! The targets, one file each, and the table of them.

pub mod avro;
pub mod broker;
pub mod codecs;
pub mod columns;
pub mod csv;
pub mod fetch_response;
pub mod frames;
pub mod framing;
pub mod json_read;
pub mod json_texts;
pub mod json_write;
pub mod messages;
pub mod moments;
pub mod plain;
pub mod properties;
pub mod proto_text;
pub mod protobuf;
pub mod record_batches;

/// A target's name, which is also that of its corpus folder and its binary, and its body.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const ALL: &[Target] = &[
    ("avro", avro::run),
    ("broker", broker::run),
    ("codecs", codecs::run),
    ("columns", columns::run),
    ("csv", csv::run),
    ("fetch_response", fetch_response::run),
    ("frames", frames::run),
    ("framing", framing::run),
    ("json_read", json_read::run),
    ("json_texts", json_texts::run),
    ("json_write", json_write::run),
    ("messages", messages::run),
    ("moments", moments::run),
    ("plain", plain::run),
    ("properties", properties::run),
    ("proto_text", proto_text::run),
    ("protobuf", protobuf::run),
    ("record_batches", record_batches::run),
];
