//! Expressions as the messages about them print them: enough of SQL for window functions and column names.

use millstream_plan::tree::{Expr, FrameBound, FrameUnit, Window, WindowFrame};

/// The name under which an expression comes out, lower case.
pub(super) fn output_name(expression: &Expr) -> String {
    match expression {
        Expr::Alias { names, .. } => names.first().map(|name| name.to_lowercase()).unwrap_or_default(),
        Expr::Attribute(parts) => parts.last().map(|part| part.to_lowercase()).unwrap_or_default(),
        Expr::Call(call) if call.name.eq_ignore_ascii_case("window") => "window".into(),
        Expr::Call(call) if call.name.eq_ignore_ascii_case("session_window") => "session_window".into(),
        other => sql(other).to_lowercase(),
    }
}

/// An expression as text.
pub(super) fn sql(expression: &Expr) -> String {
    match expression {
        Expr::Attribute(parts) => parts.join("."),
        Expr::Alias { child, .. } => sql(child),
        Expr::Call(call) => {
            let arguments: Vec<String> = call.arguments.iter().map(sql).collect();
            format!("{}({})", call.name, arguments.join(", "))
        }
        Expr::Star { .. } => "*".into(),
        Expr::Window(window) => format!("{} OVER {}", sql(&window.function), window_spec(window)),
        Expr::Sql(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// `(PARTITION BY .. ORDER BY .. ROWS BETWEEN .. AND ..)`, the default frame written out.
pub(super) fn window_spec(window: &Window) -> String {
    let mut parts = Vec::new();
    if !window.partition_by.is_empty() {
        let keys: Vec<String> = window.partition_by.iter().map(sql).collect();
        parts.push(format!("PARTITION BY {}", keys.join(", ")));
    }
    if !window.order_by.is_empty() {
        let keys = window.order_by.iter().map(|key| {
            let direction = if key.ascending { "ASC" } else { "DESC" };
            let nulls = if key.nulls_first { "FIRST" } else { "LAST" };
            format!("{} {direction} NULLS {nulls}", sql(&key.child))
        });
        parts.push(format!("ORDER BY {}", keys.collect::<Vec<_>>().join(", ")));
    }
    parts.push(match &window.frame {
        Some(WindowFrame { unit, lower, upper }) => {
            let unit = match unit {
                FrameUnit::Rows => "ROWS",
                FrameUnit::Range => "RANGE",
            };
            format!("{unit} BETWEEN {} AND {}", bound(lower, "PRECEDING"), bound(upper, "FOLLOWING"))
        }
        None => default_frame(window).into(),
    });
    format!("({})", parts.join(" "))
}

/// Ranking functions count rows up to the current one; aggregates go by value, or over everything without an
/// order.
fn default_frame(window: &Window) -> &'static str {
    const RANKING: [&str; 6] = ["row_number", "rank", "dense_rank", "percent_rank", "ntile", "cume_dist"];
    let ranking = super::shape::is_call(&window.function, &RANKING);
    match (ranking, window.order_by.is_empty()) {
        (true, _) => "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
        (false, false) => "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
        (false, true) => "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    }
}

fn bound(bound: &FrameBound, side: &str) -> String {
    match bound {
        FrameBound::Unbounded => format!("UNBOUNDED {side}"),
        FrameBound::CurrentRow => "CURRENT ROW".into(),
        FrameBound::Preceding(rows) => format!("{} PRECEDING", sql(rows)),
        FrameBound::Following(rows) => format!("{} FOLLOWING", sql(rows)),
    }
}
