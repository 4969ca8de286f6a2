//! `coalesce`, `if`, `nvl`, `nullif`, `ifnull`, `nvl2`, `isnan`, `nanvl`: all written as CASE, so that only
//! the branch that is taken is computed.

use datafusion::logical_expr::{BinaryExpr, Case, Expr, Operator};

use super::call::{Arity, Call, Function};
use crate::analyzer::{Expected, Typed, cast_to, common_type, errors, implicit_cast, integer_literal};
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
    Function { name: "nanvl", arity: Arity::exactly(2), build: nanvl },
    Function { name: "nullifzero", arity: Arity::exactly(1), build: nullifzero },
    Function { name: "zeroifnull", arity: Arity::exactly(1), build: zeroifnull },
    Function { name: "equal_null", arity: Arity::exactly(2), build: equal_null },
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
    let sql = format!("({})", call.sql().replacen("if(", "IF(", 1));
    let boolean = Expected::Exactly(SparkType::Boolean);
    let condition = implicit_cast(&call.args[0], &boolean, call.conf)?
        .ok_or_else(|| errors::unexpected_input(&sql, 0, &boolean.describe(), &call.args[0]))?;
    let values = unified(call, &call.args[1..], "if")?;
    let nullable = values.iter().any(|v| v.nullable);
    let branch = (Box::new(condition.expr), Box::new(values[0].expr.clone()));
    let expr = case(vec![branch], values[1].expr.clone());
    let mut result = call.result(expr, values[0].data_type.clone()).nullable(nullable);
    result.sql = sql;
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

/// `decode(value, search, result, ..., default)`: the result behind the first equal search, NULL being equal to NULL.
pub(crate) fn decode(call: &Call<'_>) -> Result<Typed> {
    let pairs = (call.args.len() - 1) / 2;
    let mut results: Vec<Typed> = (0..pairs).map(|i| call.args[2 + 2 * i].clone()).collect();
    results.push(if call.args.len().is_multiple_of(2) {
        call.args[call.args.len() - 1].clone()
    } else {
        null()
    });
    let results = unified(call, &results, "decode")?;
    let mut branches = Vec::with_capacity(pairs);
    for (i, result) in results[..pairs].iter().enumerate() {
        let both = [call.args[0].clone(), call.args[1 + 2 * i].clone()];
        let both = unified(call, &both, "decode")?;
        let [left, right] = [0, 1].map(|i: usize| Box::new(both[i].expr.clone()));
        let equal = Expr::BinaryExpr(BinaryExpr::new(left, Operator::IsNotDistinctFrom, right));
        branches.push((Box::new(equal), Box::new(result.expr.clone())));
    }
    let data_type = results[0].data_type.clone();
    Ok(call.result(case(branches, results[pairs].expr.clone()), data_type).nullable(true))
}

/// The second number where the first is NaN.
fn nanvl(call: &Call<'_>) -> Result<Typed> {
    let double = |i: usize| match call.args[i].data_type {
        SparkType::Float | SparkType::Double => Ok(call.args[i].clone()),
        _ => call.take_as(i, SparkType::Double),
    };
    let call = &Call { name: call.name.clone(), args: vec![double(0)?, double(1)?], conf: call.conf };
    let both = unified(call, &call.args, "nanvl")?;
    let nan = datafusion::functions::math::expr_fn::isnan(both[0].expr.clone());
    let branch = (Box::new(nan), Box::new(both[1].expr.clone()));
    Ok(call.result(case(vec![branch], both[0].expr.clone()), both[0].data_type.clone()))
}

fn nullifzero(call: &Call<'_>) -> Result<Typed> {
    let zero = integer_literal(0);
    let args = vec![call.args[0].clone(), zero];
    let typed = nullif(&Call { name: "nullif".to_owned(), args, conf: call.conf })?;
    Ok(Typed { sql: call.sql(), ..typed })
}

fn zeroifnull(call: &Call<'_>) -> Result<Typed> {
    let args = vec![call.args[0].clone(), integer_literal(0)];
    let typed = coalesce(&Call { name: "coalesce".to_owned(), args, conf: call.conf })?;
    Ok(Typed { sql: call.sql(), ..typed })
}

fn equal_null(call: &Call<'_>) -> Result<Typed> {
    let both = unified(call, &call.args, "equal_null")?;
    let [left, right] = [0, 1].map(|i: usize| Box::new(both[i].expr.clone()));
    let equal = Expr::BinaryExpr(BinaryExpr::new(left, Operator::IsNotDistinctFrom, right));
    Ok(call.result(equal, SparkType::Boolean).nullable(false))
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
