//! What single operations may not do on a stream.

use millstream_plan::tree::{Expr, SetKind};

use super::shape::{Kind, Shape, is_call};
use super::{joins, refused, render};
use crate::error::{Result, spark_error};
use crate::query::OutputMode;

/// Checks one operation whose inputs were checked before.
pub(super) fn check(node: &Shape, mode: OutputMode) -> Result<()> {
    if !node.streaming {
        return Ok(());
    }
    let text = match &node.kind {
        Kind::Aggregate(_) if node.expressions.iter().any(has_distinct) => {
            "Distinct aggregations are not supported on streaming DataFrames/Datasets. Consider using \
             approx_count_distinct() instead."
        }
        Kind::Deduplicate { within_watermark: true } if node.children[0].event_time.is_empty() => {
            "dropDuplicatesWithinWatermark is not supported on streaming DataFrames/DataSets without watermark"
        }
        Kind::Join(join) => return joins::check(join, &node.children, mode),
        Kind::Set(kind) => return check_set(*kind, &node.children),
        Kind::Limit if mode == OutputMode::Update => {
            "Limits are not supported on streaming DataFrames/Datasets in Update output mode"
        }
        Kind::Offset => "Offset is not supported on streaming DataFrames/Datasets",
        Kind::Sort if !(mode == OutputMode::Complete && aggregates(node)) => {
            "Sorting is not supported on streaming DataFrames/Datasets, unless it is on aggregated DataFrame/Dataset \
             in Complete output mode"
        }
        Kind::Sample => "Sampling is not supported on streaming DataFrames/Datasets",
        _ => return check_expressions(node),
    };
    Err(refused(text))
}

fn check_set(kind: SetKind, sides: &[Shape]) -> Result<()> {
    let streams: Vec<bool> = sides.iter().map(|side| side.streaming).collect();
    match kind {
        SetKind::Union if streams.contains(&false) => {
            Err(refused("Union between streaming and batch DataFrames/Datasets is not supported"))
        }
        SetKind::Intersect => Err(refused("Intersect of streaming DataFrames/Datasets is not supported")),
        SetKind::Except if streams[1] => {
            Err(refused("Except on a streaming DataFrame/Dataset on the right is not supported"))
        }
        _ => Ok(()),
    }
}

fn check_expressions(node: &Shape) -> Result<()> {
    for expression in &node.expressions {
        if contains(expression, &|part| is_call(part, &["monotonically_increasing_id"])) {
            return Err(refused(
                "Expression(s): monotonically_increasing_id() is not supported with streaming DataFrames/Datasets",
            ));
        }
        if let Some(window) = find_window(expression) {
            let parameters = [
                ("windowFunc", render::sql(&window.function).to_uppercase()),
                ("columnName", format!("`{}`", render::output_name(expression))),
                ("windowSpec", render::window_spec(window).to_uppercase()),
            ];
            let [(_, function), (_, name), (_, spec)] = &parameters;
            let text = format!(
                "Window function is not supported in {function} (as column {name}) on streaming DataFrames/Datasets.\n\
                 Structured Streaming only supports time-window aggregation using the WINDOW function. (window \
                 specification: {spec})"
            );
            return Err(spark_error(
                "NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING",
                Some("42KDE"),
                parameters,
                text,
            ));
        }
    }
    Ok(())
}

/// Complete mode gives the whole result each time, so it can be sorted; without an aggregation there is no
/// result.
fn aggregates(node: &Shape) -> bool {
    let mut found = false;
    node.down(&mut |below| found |= below.streaming && matches!(below.kind, Kind::Aggregate(_)));
    found
}

fn has_distinct(expression: &Expr) -> bool {
    contains(expression, &|part| matches!(part, Expr::Call(call) if call.distinct))
}

fn find_window(expression: &Expr) -> Option<&millstream_plan::tree::Window> {
    match expression {
        Expr::Window(window) => Some(window),
        other => inner(other).into_iter().find_map(find_window),
    }
}

fn contains(expression: &Expr, wanted: &dyn Fn(&Expr) -> bool) -> bool {
    wanted(expression) || inner(expression).into_iter().any(|part| contains(part, wanted))
}

/// The expressions directly inside one.
pub(super) fn inner(expression: &Expr) -> Vec<&Expr> {
    match expression {
        Expr::Alias { child, .. } | Expr::Cast { child, .. } => vec![child],
        Expr::Call(call) => call.arguments.iter().chain(call.filter.as_deref()).collect(),
        Expr::Case { branches, otherwise } => {
            let branches = branches.iter().flat_map(|(condition, value)| [condition, value]);
            branches.chain(otherwise.as_deref()).collect()
        }
        Expr::Extract { child, key } => vec![child, key],
        Expr::UpdateField { child, value, .. } => {
            std::iter::once(child.as_ref()).chain(value.as_deref()).collect()
        }
        Expr::Lambda { body, .. } => vec![body],
        Expr::Sort(order) => vec![&order.child],
        Expr::Window(window) => vec![&window.function],
        Expr::InSubquery { values, .. } => values.iter().collect(),
        _ => Vec::new(),
    }
}
