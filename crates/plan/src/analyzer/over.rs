//! `function OVER (PARTITION BY ... ORDER BY ... frame)`.
//!
//! Like aggregate functions, each becomes a column of a node under the select list. Without a frame, a
//! function sees the whole partition, or with ORDER BY the rows up to the current one and its peers.

use std::cell::RefCell;
use std::sync::Arc;

use datafusion::functions_window::{cume_dist, lead_lag, nth_value, ntile, rank, row_number};
use datafusion::logical_expr::expr::{NullTreatment, WindowFunction, WindowFunctionParams};
use datafusion::logical_expr::{
    Cast, Expr as Plan, LogicalPlanBuilder, WindowFrame as PlanFrame, WindowFrameBound, WindowFrameUnits,
    WindowFunctionDefinition, WindowUDF,
};
use datafusion::scalar::ScalarValue;

use super::expression::Resolver;
use super::relation::{Analyzer, Resolved, Sorting};
use super::scope::column;
use super::typed::Typed;
use super::{cast_to, errors};
use crate::error::{Error, Result, SparkError};
use crate::functions;
use crate::functions::aggregate::{Finish, Modifiers, build, is_aggregate};
use crate::tree::{Call, Expr, FrameBound, FrameUnit, Value, Window, WindowFrame};
use crate::types::SparkType;

/// The window functions of one select list.
#[derive(Debug, Default)]
pub(crate) struct Windows {
    /// Expression and the name of its column.
    calls: Vec<(Plan, String)>,
}

/// A function before it is put over its window.
struct Function {
    definition: WindowFunctionDefinition,
    args: Vec<Plan>,
    filter: Option<Box<Plan>>,
    ignore_nulls: bool,
    /// Type of DataFusion's result where it differs.
    finish: Finish,
    data_type: SparkType,
    nullable: bool,
    /// Whether it makes no sense without ORDER BY.
    ordered: bool,
    sql: String,
}

impl Resolver<'_> {
    /// A window function as the column that will hold its result.
    pub(super) fn window(&self, window: &Window, windows: &RefCell<Windows>) -> Result<Typed> {
        let Expr::Call(call) = window.function.as_ref() else {
            return Err(Error::unsupported("OVER after what is no function"));
        };
        let inner = Resolver::new(self.analyzer, self.scope);
        let function = inner.window_function(call)?;
        let partition = window.partition_by.iter().map(|p| inner.resolve(p)).collect::<Result<Vec<_>>>()?;
        let order = window.order_by.iter().map(|o| inner.resolve(&o.child)).collect::<Result<Vec<_>>>()?;
        if function.ordered && order.is_empty() {
            return Err(SparkError::without_condition(format!(
                "the window function {} needs an ORDER BY in its window, such as OVER (ORDER BY time)",
                function.sql
            ))
            .into());
        }
        let (frame, frame_sql) = frame(window.frame.as_ref(), &function, !order.is_empty())?;
        let sql = format!("{} OVER ({})", function.sql, spec_sql(&partition, window, &order, &frame_sql));
        let keys = order.iter().zip(&window.order_by);
        let params = WindowFunctionParams {
            args: function.args,
            partition_by: partition.into_iter().map(|p| p.expr).collect(),
            order_by: keys
                .map(|(key, order)| Sorting::new(key.expr.clone(), order).into_plan(&[]))
                .collect::<Result<_>>()?,
            window_frame: frame,
            filter: function.filter,
            null_treatment: function.ignore_nulls.then_some(NullTreatment::IgnoreNulls),
            distinct: false,
        };
        let expr = Plan::WindowFunction(Box::new(WindowFunction { fun: function.definition, params }));
        let mut windows = windows.borrow_mut();
        let known = windows.calls.iter().find(|(e, _)| *e == expr).map(|(_, c)| c.clone());
        let name = known.unwrap_or_else(|| {
            let name = self.analyzer.fresh(&call.name.to_lowercase());
            windows.calls.push((expr, name.clone()));
            name
        });
        let ranked = matches!(function.data_type, SparkType::Integer) && function.ordered;
        let result = if ranked {
            Plan::Cast(Cast::new(Box::new(column(&name)), function.data_type.to_arrow()))
        } else {
            function.finish.apply(column(&name))
        };
        Ok(Typed { nullable: function.nullable, ..Typed::new(result, function.data_type, sql) })
    }

    fn window_function(&self, call: &Call) -> Result<Function> {
        let name = call.name.to_lowercase();
        let counts_rows = name == "count"
            && matches!(call.arguments.as_slice(), [Expr::Star { target }] if target.is_empty());
        let args = if counts_rows {
            vec![self.resolve(&Expr::Literal(Value::Integer(1)))?]
        } else {
            self.arguments(&call.arguments)?
        };
        let sql = format!("{name}({})", args.iter().map(|a| a.sql.as_str()).collect::<Vec<_>>().join(", "));
        if let Some(function) = self.positional(&name, &args, call, &sql)? {
            return Ok(function);
        }
        if !is_aggregate(&name) {
            return match functions::lookup(&name) {
                Some(_) => {
                    Err(errors::spark("UNSUPPORTED_EXPR_FOR_WINDOW", [("sqlExpr", format!("\"{sql}\""))]))
                }
                None => Err(errors::unresolved_routine(&call.name)),
            };
        }
        if call.distinct {
            return Err(errors::spark(
                "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED",
                [("windowExpr", format!("\"{sql}\""))],
            ));
        }
        let filter = call.filter.as_deref().map(|f| self.condition(f)).transpose()?.map(|f| f.expr);
        let modifiers = Modifiers { distinct: false, filter, ignore_nulls: call.ignore_nulls };
        let built = build(&functions::Call { name, args, conf: self.conf() }, &modifiers)?;
        let Plan::AggregateFunction(aggregate) = built.aggregate else {
            return Err(Error::unsupported(format!("{} over a window", call.name)));
        };
        Ok(Function {
            definition: WindowFunctionDefinition::AggregateUDF(aggregate.func),
            args: aggregate.params.args,
            filter: aggregate.params.filter,
            ignore_nulls: aggregate.params.null_treatment == Some(NullTreatment::IgnoreNulls),
            finish: built.finish,
            data_type: built.data_type,
            nullable: built.nullable,
            ordered: false,
            sql,
        })
    }

    /// Functions that only windows have.
    fn positional(&self, name: &str, args: &[Typed], call: &Call, sql: &str) -> Result<Option<Function>> {
        let (udf, data_type, ordered): (Arc<WindowUDF>, SparkType, bool) = match name {
            "row_number" => (row_number::row_number_udwf(), SparkType::Integer, true),
            "rank" => (rank::rank_udwf(), SparkType::Integer, true),
            "dense_rank" => (rank::dense_rank_udwf(), SparkType::Integer, true),
            "ntile" => (ntile::ntile_udwf(), SparkType::Integer, true),
            "percent_rank" => (rank::percent_rank_udwf(), SparkType::Double, true),
            "cume_dist" => (cume_dist::cume_dist_udwf(), SparkType::Double, true),
            "lag" | "lead" | "nth_value" => {
                let Some(value) = args.first() else {
                    return Err(errors::wrong_num_args(name, "[1, 2, 3]", 0));
                };
                let udf = match name {
                    "lag" => lead_lag::lag_udwf(),
                    "lead" => lead_lag::lead_udwf(),
                    _ => nth_value::nth_value_udwf(),
                };
                (udf, value.data_type.clone(), name != "nth_value")
            }
            _ => return Ok(None),
        };
        let args = args
            .iter()
            .enumerate()
            .map(|(index, arg)| match (name, index) {
                ("ntile", 0) | ("lag" | "lead" | "nth_value", 1) => {
                    Ok(cast_to(arg.clone(), &SparkType::Long, self.conf())?.expr)
                }
                (_, 2) => Ok(cast_to(arg.clone(), &data_type, self.conf())?.expr),
                _ => Ok(arg.expr.clone()),
            })
            .map(|arg: Result<Plan>| constant(arg?))
            .collect::<Result<Vec<_>>>()?;
        let nullable = matches!(name, "lag" | "lead" | "nth_value");
        Ok(Some(Function {
            definition: WindowFunctionDefinition::WindowUDF(udf),
            args,
            filter: None,
            ignore_nulls: call.ignore_nulls,
            finish: Finish::Same,
            data_type,
            nullable,
            ordered,
            sql: sql.to_owned(),
        }))
    }
}

/// Offsets and defaults must reach DataFusion as literals.
fn constant(expr: Plan) -> Result<Plan> {
    if expr.column_refs().is_empty() && !matches!(expr, Plan::Literal(..)) {
        return Ok(Plan::Literal(functions::fold(&expr)?, None));
    }
    Ok(expr)
}

/// PARTITION BY and ORDER BY.
type WindowKey = (Vec<Plan>, Vec<datafusion::logical_expr::SortExpr>);

impl Analyzer<'_> {
    /// The input with the columns of the window functions that were collected over it.
    pub(super) fn with_windows(&self, input: Resolved, windows: Windows) -> Result<Resolved> {
        // Functions over one window share a node, and so its sort.
        let mut nodes: Vec<(WindowKey, Vec<Plan>)> = Vec::new();
        for (call, name) in windows.calls {
            let Plan::WindowFunction(function) = &call else { continue };
            let key = (function.params.partition_by.clone(), function.params.order_by.clone());
            let call = call.alias(name);
            match nodes.iter_mut().find(|(known, _)| *known == key) {
                Some((_, calls)) => calls.push(call),
                None => nodes.push((key, vec![call])),
            }
        }
        let mut plan = input.plan;
        for (_, calls) in nodes {
            plan = LogicalPlanBuilder::new(plan).window(calls)?.build()?;
        }
        Ok(Resolved { plan, ..input })
    }
}

fn frame(given: Option<&WindowFrame>, function: &Function, ordered: bool) -> Result<(PlanFrame, String)> {
    let rows = WindowFrameUnits::Rows;
    let unbounded = || WindowFrameBound::Preceding(ScalarValue::UInt64(None));
    let Some(given) = given else {
        return Ok(match (function.ordered, ordered) {
            (true, _) => (
                PlanFrame::new_bounds(rows, unbounded(), WindowFrameBound::CurrentRow),
                "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned(),
            ),
            (false, true) => {
                (PlanFrame::new(Some(false)), "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW".to_owned())
            }
            (false, false) => {
                (PlanFrame::new(None), "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING".to_owned())
            }
        });
    };
    let (units, word) = match given.unit {
        FrameUnit::Rows => (rows, "ROWS"),
        FrameUnit::Range => (WindowFrameUnits::Range, "RANGE"),
    };
    let (lower, lower_sql) = bound(&given.lower, true, given.unit)?;
    let (upper, upper_sql) = bound(&given.upper, false, given.unit)?;
    let sql = format!("{word} BETWEEN {lower_sql} AND {upper_sql}");
    Ok((PlanFrame::new_bounds(units, lower, upper), sql))
}

fn bound(bound: &FrameBound, lower: bool, unit: FrameUnit) -> Result<(WindowFrameBound, String)> {
    let count = |expr: &Expr| match expr {
        Expr::Literal(Value::Integer(n)) if unit == FrameUnit::Rows && *n >= 0 => {
            Ok((ScalarValue::UInt64(u64::try_from(*n).ok()), n.to_string()))
        }
        _ => Err(Error::unsupported("a window frame whose bound is no number of rows")),
    };
    Ok(match bound {
        FrameBound::Unbounded if lower => {
            (WindowFrameBound::Preceding(ScalarValue::UInt64(None)), "UNBOUNDED PRECEDING".to_owned())
        }
        FrameBound::Unbounded => {
            (WindowFrameBound::Following(ScalarValue::UInt64(None)), "UNBOUNDED FOLLOWING".to_owned())
        }
        FrameBound::CurrentRow => (WindowFrameBound::CurrentRow, "CURRENT ROW".to_owned()),
        FrameBound::Preceding(expr) => {
            let (value, sql) = count(expr)?;
            (WindowFrameBound::Preceding(value), format!("{sql} PRECEDING"))
        }
        FrameBound::Following(expr) => {
            let (value, sql) = count(expr)?;
            (WindowFrameBound::Following(value), format!("{sql} FOLLOWING"))
        }
    })
}

fn spec_sql(partition: &[Typed], window: &Window, order: &[Typed], frame: &str) -> String {
    let mut parts = Vec::new();
    if !partition.is_empty() {
        let keys: Vec<&str> = partition.iter().map(|p| p.sql.as_str()).collect();
        parts.push(format!("PARTITION BY {}", keys.join(", ")));
    }
    if !order.is_empty() {
        let keys = order.iter().zip(&window.order_by).map(|(key, order)| {
            let direction = if order.ascending { "ASC" } else { "DESC" };
            let nulls = if order.nulls_first { "FIRST" } else { "LAST" };
            format!("{} {direction} NULLS {nulls}", key.sql)
        });
        parts.push(format!("ORDER BY {}", keys.collect::<Vec<_>>().join(", ")));
    }
    parts.push(frame.to_owned());
    parts.join(" ")
}
