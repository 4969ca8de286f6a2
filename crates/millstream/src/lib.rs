//! A streaming dataframe for Apache Kafka.
//!
//! Programs begin with `use millstream::prelude::*;` and a [`Session`](stream::Session):
//!
//! ```no_run
//! use millstream::prelude::*;
//!
//! #[tokio::main]
//! async fn main() -> Result<()> {
//!     let session = Session::builder().app_name("events").get_or_create()?;
//!     let events = session
//!         .read_stream()
//!         .format("kafka")
//!         .option("kafka.bootstrap.servers", "localhost:9092")
//!         .option("subscribe", "events")
//!         .load()?;
//!     let query = events
//!         .select_expr(["CAST(value AS STRING) AS message"])?
//!         .write_stream()
//!         .format("console")
//!         .start()
//!         .await?;
//!     query.await_termination().await
//! }
//! ```
//!
//! The crates of the workspace under one name: [`protocol`] (wire format), [`client`] (reading and writing),
//! [`columnar`] (record batches and payloads as Arrow), [`registry`] (schema registries), [`plan`] (Spark's language)
//! and [`stream`] (sessions, frames and queries).

#![forbid(unsafe_code)]

pub use millstream_client as client;
pub use millstream_columnar as columnar;
pub use millstream_plan as plan;
pub use millstream_protocol as protocol;
pub use millstream_registry as registry;
pub use millstream_stream as stream;

/// What programs use: the session and its frames, columns and functions, types, triggers and queries.
pub mod prelude {
    pub use millstream_plan::SparkError;
    pub use millstream_plan::tree::functions;
    pub use millstream_plan::tree::functions::*;
    pub use millstream_plan::tree::{Expr, Value, col, expr, lit, star, when};
    pub use millstream_plan::types::{SparkType, StructField, StructType};
    pub use millstream_stream::{
        DataFrame, DataFrameReader, DataFrameWriter, DataStreamWriter, Error, GroupedData, OutputMode,
        Result, Row, SaveMode, Session, StreamingQuery, StreamingQueryException, StreamingQueryProgress,
        Trigger, row,
    };
}
