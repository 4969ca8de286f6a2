//! What a stream cannot do: Spark's checks when a streaming query starts, with Spark's words.
//!
//! The checks look at the user's tree (`shape.rs`), since what they speak of (session windows, watermarks,
//! samples) is gone from the analysed plan. They come in Spark's order: the output mode against the
//! aggregations, then every operation from the leaves up, then stateful operations on top of each other. What
//! passes and needs state ends in a typed [`Error::Unsupported`], as there are no stateful operators yet.
//!
//! `spark.sql.streaming.unsupportedOperationCheck` = false leaves Spark's checks out.

mod joins;
mod operations;
mod render;
mod shape;

use millstream_plan::tree::SetKind;

use crate::error::{Error, Result, spark_error};
use crate::frame::DataFrame;
use crate::query::OutputMode;
use shape::{Kind, Shape};

/// Checks a frame that is to be run as a stream.
pub(crate) fn check_streaming(frame: &DataFrame, mode: OutputMode) -> Result<()> {
    let session = frame.session();
    let shape = Shape::of(frame.relation(), &session.catalog())?;
    if session.conf().is_true("spark.sql.streaming.unsupportedOperationCheck", true) {
        check(&shape, mode)?;
    }
    refuse_state(&shape)
}

fn check(shape: &Shape, mode: OutputMode) -> Result<()> {
    if !shape.streaming {
        return Err(refused("Queries without streaming sources cannot be executed with writeStream.start()"));
    }
    check_output_mode(shape, mode)?;
    shape.up(&mut |node| operations::check(node, mode))?;
    check_chain(shape, mode)
}

/// Append needs an end to every group, complete needs an aggregation, update knows no session windows.
fn check_output_mode(shape: &Shape, mode: OutputMode) -> Result<()> {
    let mut aggregations = Vec::new();
    shape.down(&mut |node| {
        if node.streaming && matches!(node.kind, Kind::Aggregate(_) | Kind::Distinct) {
            aggregations.push(node);
        }
    });
    let unsupported = |operation| Err(unsupported_in_mode(mode, operation));
    match (mode, aggregations.first()) {
        (OutputMode::Append, Some(topmost)) if !topmost.groups_by_event_time() => {
            unsupported("streaming aggregations without watermark")
        }
        (OutputMode::Update, Some(_)) if aggregations.iter().any(|node| node.groups_by_session()) => {
            unsupported("session window streaming aggregations")
        }
        (OutputMode::Complete, None) => unsupported("no streaming aggregations"),
        _ => Ok(()),
    }
}

/// Outside append mode an aggregation may take back what it said, which nothing stateful above it
/// understands.
fn check_chain(shape: &Shape, mode: OutputMode) -> Result<()> {
    if mode == OutputMode::Append {
        return Ok(());
    }
    let mut chained = false;
    shape.down(&mut |node| {
        chained |= node.is_stateful() && node.children.iter().any(contains_aggregation);
    });
    if !chained {
        return Ok(());
    }
    Err(refused(
        "Detected pattern of possible 'correctness' issue due to global watermark. The query contains stateful \
         operation which can emit rows older than the current watermark plus allowed late record delay, which are \
         \"late rows\" in downstream stateful operations and these rows can be discarded. Please refer the \
         programming guide doc for more details. If you understand the possible risk of correctness issue and still \
         need to run the query, you can disable this check by setting the config \
         `spark.sql.streaming.statefulOperator.checkCorrectness.enabled` to false.",
    ))
}

fn contains_aggregation(shape: &Shape) -> bool {
    let mut found = false;
    shape.down(&mut |node| found |= node.streaming && matches!(node.kind, Kind::Aggregate(_)));
    found
}

/// Names the first operation that needs state. A watermark that nothing uses changes no row, so the query runs; what
/// Spark reports of it is missing, which is worth a warning.
fn refuse_state(shape: &Shape) -> Result<()> {
    let mut watermark = false;
    shape.up(&mut |node| {
        watermark |= node.streaming && matches!(node.kind, Kind::WithWatermark);
        let feature = match &node.kind {
            _ if !node.streaming => return Ok(()),
            Kind::Aggregate(_) => "aggregation of a stream (groupBy)",
            Kind::Distinct => "distinct on a stream",
            Kind::Deduplicate { within_watermark: false } => "dropDuplicates on a stream",
            Kind::Deduplicate { within_watermark: true } => "dropDuplicatesWithinWatermark",
            Kind::Join(_) if node.is_stateful() => "join of two streams",
            Kind::Set(SetKind::Except) => "EXCEPT on a stream",
            Kind::Set(SetKind::Intersect) => "INTERSECT on a stream",
            Kind::Sample => "sample of a stream",
            Kind::Limit => "limit on a stream",
            Kind::Sort => "sort of a stream",
            _ => return Ok(()),
        };
        Err(Error::unsupported(feature))
    })?;
    if watermark {
        tracing::warn!(
            "withWatermark has no effect on a query without state: its rows are the same, and the progress has no \
             eventTime"
        );
    }
    Ok(())
}

/// An operation that Spark refuses without a public condition.
fn refused(text: impl Into<String>) -> Error {
    let text = text.into();
    spark_error("_LEGACY_ERROR_TEMP_3102", None, [("msg", text.clone())], text)
}

fn unsupported_in_mode(mode: OutputMode, operation: &str) -> Error {
    spark_error(
        "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION",
        Some("42KDE"),
        [("outputMode", mode.to_string()), ("operation", operation.to_owned())],
        format!(
            "Invalid streaming output mode: {mode}. This output mode is not supported for {operation} on streaming \
             DataFrames/DataSets."
        ),
    )
}

#[cfg(test)]
mod tests;
