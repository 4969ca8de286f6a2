//! Bytes that only pass through a query reach a byte sink unchanged.
//!
//! `CAST(value AS STRING)` replaces bytes that are not UTF-8. Where such a cast does nothing but feed a
//! sink's key or value, which are bytes again, it is taken out.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};

use crate::functions::cast::CastKernel;
use crate::functions::udf::as_call;

/// The plan with its output columns at `columns` as BINARY where they are casts of BINARY to STRING that
/// nothing else reads. Columns that are anything else stay as they are, so the caller looks at the types of
/// the result.
///
/// # Errors
/// A plan that DataFusion refuses.
pub fn sink_bytes(plan: LogicalPlan, columns: &[usize]) -> Result<LogicalPlan> {
    let mut plan = plan;
    for &index in columns {
        if let Some(stripped) = strip(&plan, index)? {
            plan = stripped;
        }
    }
    Ok(plan)
}

fn strip(plan: &LogicalPlan, index: usize) -> Result<Option<LogicalPlan>> {
    let Some(name) = plan.schema().fields().get(index).map(|f| f.name().clone()) else { return Ok(None) };
    match plan {
        LogicalPlan::Projection(projection) => strip_projection(projection, index, &name),
        LogicalPlan::Filter(_) | LogicalPlan::Sort(_) | LogicalPlan::Limit(_) => {
            let read = plan.expressions().iter().any(|e| reads(e, &name));
            let inputs = plan.inputs();
            let [input] = inputs.as_slice() else { return Ok(None) };
            let Some(below) = (if read { None } else { strip(input, index)? }) else { return Ok(None) };
            Ok(Some(plan.with_new_exprs(plan.expressions(), vec![below])?.recompute_schema()?))
        }
        LogicalPlan::Union(union) => {
            let mut inputs = Vec::with_capacity(union.inputs.len());
            for input in &union.inputs {
                let Some(stripped) = strip(input, index)? else { return Ok(None) };
                inputs.push(Arc::new(stripped));
            }
            Ok(Some(LogicalPlan::Union(datafusion::logical_expr::Union::try_new(inputs)?)))
        }
        _ => Ok(None),
    }
}

fn strip_projection(projection: &Projection, index: usize, name: &str) -> Result<Option<LogicalPlan>> {
    let mut exprs = projection.expr.clone();
    let own = exprs[index].clone().unalias();
    if let Some((cast, args)) = as_call::<CastKernel>(&own)
        && cast.is_binary_to_string()
    {
        exprs[index] = args[0].clone().alias(name);
        return Ok(Some(LogicalPlan::Projection(Projection::try_new(exprs, Arc::clone(&projection.input))?)));
    }
    let Expr::Column(column) = &own else { return Ok(None) };
    let others = exprs.iter().enumerate().filter(|(i, _)| *i != index);
    if others.clone().any(|(_, e)| reads(e, &column.name)) {
        return Ok(None);
    }
    let Some(below) = projection.input.schema().maybe_index_of_column(column) else { return Ok(None) };
    let Some(input) = strip(&projection.input, below)? else { return Ok(None) };
    Ok(Some(LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input))?)))
}

fn reads(expr: &Expr, name: &str) -> bool {
    expr.column_refs().iter().any(|c| c.name == name)
}
