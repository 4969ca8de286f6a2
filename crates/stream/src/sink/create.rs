//! From a format's name to its sink.

use std::sync::Arc;

use millstream_plan::tree::Options;

use super::Sink;
use super::console::ConsoleSink;
use super::json_files::JsonFilesSink;
use super::kafka::KafkaSink;
use super::memory::MemorySink;
use super::noop::NoopSink;
use crate::error::{Result, spark_error};
use crate::query::OutputMode;
use crate::session::{STRICT_OPTIONS, Session};
use crate::source::kafka::names;

/// Whose rows a sink takes.
#[derive(Debug, Clone, Copy)]
pub enum Rows<'a> {
    /// Those of a batch frame.
    Batch,
    /// Those of a query, with its name and mode.
    Query(Option<&'a str>, OutputMode),
}

/// The sink of a format.
///
/// # Errors
/// An unknown format; options that the format refuses.
pub fn create(session: &Session, format: &str, options: &Options, rows: Rows<'_>) -> Result<Arc<dyn Sink>> {
    let of_query = matches!(rows, Rows::Query(..));
    match format.to_lowercase().as_str() {
        "kafka" => {
            let strict = session.conf().is_true(STRICT_OPTIONS, false);
            let sink = KafkaSink::new(options.clone(), session.kafka().clone());
            for warning in names::check(options, names::WRITE, strict)? {
                tracing::warn!("{warning}");
            }
            Ok(Arc::new(sink))
        }
        "json" => {
            let time_zone = session.conf().plan_conf().time_zone().to_owned();
            Ok(Arc::new(JsonFilesSink::new(options, &time_zone, of_query)?))
        }
        "console" => Ok(Arc::new(ConsoleSink::new(options, of_query)?)),
        "noop" => Ok(Arc::new(NoopSink)),
        "memory" => match rows {
            Rows::Query(name, mode) => {
                Ok(Arc::new(MemorySink::new(session.clone(), name, mode == OutputMode::Complete)?))
            }
            Rows::Batch => Err(unknown(format)),
        },
        _ => Err(unknown(format)),
    }
}

fn unknown(format: &str) -> crate::Error {
    let text = format!(
        "Failed to find the data source: {format}. This version writes kafka, json, console and noop, and memory from \
         a stream."
    );
    spark_error("DATA_SOURCE_NOT_FOUND", Some("42K02"), [("provider", format)], text)
}
