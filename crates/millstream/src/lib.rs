//! A streaming dataframe for Apache Kafka.
//!
//! The crates of the workspace under one name: [`protocol`] (wire format), [`client`] (reading and writing),
//! [`columnar`] (record batches and payloads as Arrow), [`plan`] (Spark's language) and [`stream`] (sessions, frames
//! and queries).

#![forbid(unsafe_code)]

pub use millstream_client as client;
pub use millstream_columnar as columnar;
pub use millstream_plan as plan;
pub use millstream_protocol as protocol;
pub use millstream_stream as stream;
