//! Bytes as text, and values as the text Spark shows: casts to string, `show`, and the JSON writer use these.

mod lossy;

pub use lossy::{decode_lossy_java, utf8_lossy_java};
