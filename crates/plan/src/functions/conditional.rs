//! `coalesce`, `if`, `nvl`, `nullif`, `ifnull`, `nvl2`, `isnan`, `nanvl`: all written as CASE, so that only
//! the branch that is taken is computed.

use datafusion::logical_expr::{BinaryExpr, Case, Expr, Operator};

use super::call::{Arity, Call, Function};
use crate::analyzer::{Typed, cast_to, common_type, errors};
use crate::error::Result;
use crate::types::SparkType;

/// The family's functions.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "coalesce", arity: Arity::at_least(1), build: coalesce },
    Function { name: "ifnull", arity: Arity::exactly(2), build: coalesce },
    Function { name: "nvl", arity: Arity::exactly(2), build: coalesce },
    Function { name: "if", arity: Arity::exactly(3), build: if_else },
    Function { name: "nvl2", arity: Arity::exactly(3), build: nvl2 },
    Function { name: "nullif", arity: Arity::exactly(2), build: nullif },
];

fn coalesce(call: &Call<'_>) -> Result<Typed> {
    let args = unified(call, &call.args, "coalesce")?;
    let data_type = args[0].data_type.clone();
    let nullable = args.iter().all(|a| a.nullable);
    let (last, firsts) = args.split_last().ok_or_else(|| errors::wrong_num_args("coalesce", "> 0", 0))?;
    if firsts.is_empty() {
        return Ok(call.result(last.expr.clone(), data_type).nullable(nullable));
    }
    let branches = firsts
        .iter()
        .map(|a| (Box::new(Expr::IsNotNull(Box::new(a.expr.clone()))), Box::new(a.expr.clone())))
        .collect();
    let expr = case(branches, last.expr.clone());
    Ok(call.result(expr, data_type).nullable(nullable))
}

fn if_else(call: &Call<'_>) -> Result<Typed> {
    let condition = call.take_as(0, SparkType::Boolean)?;
    let values = unified(call, &call.args[1..], "if")?;
    let nullable = values.iter().any(|v| v.nullable);
    let branch = (Box::new(condition.expr), Box::new(values[0].expr.clone()));
    let expr = case(vec![branch], values[1].expr.clone());
    let mut result = call.result(expr, values[0].data_type.clone()).nullable(nullable);
    result.sql = format!("({})", call.sql().replacen("if(", "IF(", 1));
    Ok(result)
}

fn nvl2(call: &Call<'_>) -> Result<Typed> {
    let values = unified(call, &call.args[1..], "nvl2")?;
    let nullable = values.iter().any(|v| v.nullable);
    let given = Expr::IsNotNull(Box::new(call.args[0].expr.clone()));
    let branch = (Box::new(given), Box::new(values[0].expr.clone()));
    let expr = case(vec![branch], values[1].expr.clone());
    Ok(call.result(expr, values[0].data_type.clone()).nullable(nullable))
}

fn nullif(call: &Call<'_>) -> Result<Typed> {
    let both = unified(call, &call.args, "nullif")?;
    let equal = Expr::BinaryExpr(BinaryExpr::new(
        Box::new(both[0].expr.clone()),
        Operator::Eq,
        Box::new(both[1].expr.clone()),
    ));
    let null = cast_to(null(), &call.args[0].data_type, call.conf)?;
    let expr = case(vec![(Box::new(equal), Box::new(null.expr))], call.args[0].expr.clone());
    Ok(call.result(expr, call.args[0].data_type.clone()).nullable(true))
}

/// An untyped NULL.
pub(crate) fn null() -> Typed {
    let expr = Expr::Literal(datafusion::scalar::ScalarValue::Null, None);
    Typed { foldable: true, ..Typed::new(expr, SparkType::Null, "NULL") }
}

fn case(branches: Vec<(Box<Expr>, Box<Expr>)>, otherwise: Expr) -> Expr {
    Expr::Case(Case::new(None, branches, Some(Box::new(otherwise))))
}

/// Arguments cast to their common type.
///
/// # Errors
/// They have none.
pub(crate) fn unified(call: &Call<'_>, args: &[Typed], function: &str) -> Result<Vec<Typed>> {
    let mut found = args[0].data_type.clone();
    for arg in &args[1..] {
        found = common_type(&found, &arg.data_type, call.conf).ok_or_else(|| {
            let types: Vec<SparkType> = args.iter().map(|a| a.data_type.clone()).collect();
            errors::different_types(&call.sql(), function, &types)
        })?;
    }
    args.iter().map(|a| cast_to(a.clone(), &found, call.conf)).collect()
}
