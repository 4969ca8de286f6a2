//! Arithmetic: the operands' common type, the result's type, and the kernel.

use datafusion::logical_expr::Expr as Plan;
use datafusion::scalar::ScalarValue;

use crate::analyzer::coercion::{cast_to, cast_with, decimal_for, is_integral, is_numeric, tightest};
use crate::analyzer::typed::{Label, Typed};
use crate::analyzer::{Conf, errors};
use crate::error::Result;
use crate::functions::cast::Overflow;
use crate::functions::{Arithmetic, Operation, ansi_overflow, decimal_result, udf};
use crate::types::SparkType;

/// `left operation right` on numbers.
pub(crate) fn arithmetic(
    operation: Operation,
    left: &Typed,
    right: &Typed,
    overflow: Overflow,
    sql: String,
    conf: &Conf,
) -> Result<Typed> {
    let (left, right) = (number(left, right, conf)?, number(right, left, conf)?);
    if let Some(bad) = [&left, &right].into_iter().find(|s| !is_numeric(&s.data_type)) {
        return Err(if left.data_type == right.data_type {
            errors::wrong_operand(
                &sql,
                "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL\")",
                &bad.data_type,
            )
        } else {
            errors::different_operands(&sql, &left.data_type, &right.data_type)
        });
    }
    let (operand_left, operand_right) = operand_types(operation, &left, &right, &sql)?;
    let result = match (&operand_left, &operand_right) {
        _ if operation == Operation::IntegralDivide => SparkType::Long,
        (SparkType::Decimal(p1, s1), SparkType::Decimal(p2, s2)) => {
            let (precision, scale) = decimal_result(operation, (*p1, *s1), (*p2, *s2));
            SparkType::Decimal(precision, scale)
        }
        (same, _) => same.clone(),
    };
    let divides = !matches!(operation, Operation::Add | Operation::Subtract | Operation::Multiply);
    let nullable = left.nullable
        || right.nullable
        || overflow == Overflow::Null
        || divides && overflow != Overflow::Error
        || matches!(result, SparkType::Decimal(..)) && overflow != Overflow::Error;
    let foldable = left.foldable && right.foldable;
    let kernel = Arithmetic {
        operation,
        left: operand_left.clone(),
        right: operand_right.clone(),
        result: result.clone(),
        overflow,
    };
    let args = vec![cast_to(left, &operand_left, conf)?.expr, cast_to(right, &operand_right, conf)?.expr];
    Ok(Typed { expr: udf::call(kernel, args), data_type: result, nullable, sql, label: Label::Sql, foldable })
}

/// `- child`.
pub(super) fn negative(child: &Typed, conf: &Conf) -> Result<Typed> {
    let sql = format!("(- {})", child.sql);
    let child = match child.data_type {
        SparkType::String => cast_to(child.clone(), &SparkType::Double, conf)?,
        _ => number(child, child, conf)?,
    };
    if matches!(child.data_type, SparkType::DayTimeInterval(..) | SparkType::YearMonthInterval(..)) {
        return Ok(crate::functions::negative_interval(child, sql));
    }
    if !is_numeric(&child.data_type) {
        return Err(errors::unexpected_input(
            &sql,
            0,
            "(\"NUMERIC\" or \"INTERVAL DAY TO SECOND\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL\")",
            &child,
        ));
    }
    if matches!(child.data_type, SparkType::Float | SparkType::Double) {
        return Ok(Typed { expr: Plan::Negative(Box::new(child.expr)), sql, label: Label::Sql, ..child });
    }
    let zero = Typed::new(Plan::Literal(ScalarValue::Int32(Some(0)), None), SparkType::Integer, "0");
    let zero = cast_with(zero, &child.data_type, Overflow::Error, conf)?;
    let kernel = Arithmetic {
        operation: Operation::Negate,
        left: child.data_type.clone(),
        right: child.data_type.clone(),
        result: child.data_type.clone(),
        overflow: ansi_overflow(conf.ansi()),
    };
    Ok(Typed { expr: udf::call(kernel, vec![zero.expr, child.expr]), sql, label: Label::Sql, ..child })
}

/// An operand that is text or NULL as a number, as the other side suggests.
fn number(side: &Typed, other: &Typed, conf: &Conf) -> Result<Typed> {
    let to = match (&side.data_type, &other.data_type) {
        (SparkType::String, other) if is_integral(other) && conf.ansi() => SparkType::Long,
        (SparkType::String, SparkType::String) if conf.ansi() => return Ok(side.clone()),
        (SparkType::String, _) => SparkType::Double,
        (SparkType::Null, other) if is_numeric(other) => other.clone(),
        (SparkType::Null, _) => SparkType::Double,
        _ => return Ok(side.clone()),
    };
    cast_to(side.clone(), &to, conf)
}

/// The types that the kernel gets: equal, but for decimals.
fn operand_types(
    operation: Operation,
    left: &Typed,
    right: &Typed,
    sql: &str,
) -> Result<(SparkType, SparkType)> {
    let (a, b) = (&left.data_type, &right.data_type);
    let floating = |t: &SparkType| matches!(t, SparkType::Float | SparkType::Double);
    let decimal = |t: &SparkType| matches!(t, SparkType::Decimal(..));
    if (decimal(a) || decimal(b)) && !floating(a) && !floating(b) {
        return Ok((as_decimal(left, sql)?, as_decimal(right, sql)?));
    }
    if operation == Operation::Divide {
        return Ok((SparkType::Double, SparkType::Double));
    }
    if operation == Operation::IntegralDivide {
        if floating(a) || floating(b) {
            return Err(errors::wrong_operand(sql, "(\"BIGINT\" or \"DECIMAL\")", a));
        }
        return Ok((SparkType::Long, SparkType::Long));
    }
    let common = tightest(a, b).ok_or_else(|| errors::different_operands(sql, a, b))?;
    Ok((common.clone(), common))
}

/// The decimal of an operand; an integer constant takes no more digits than it has.
fn as_decimal(side: &Typed, sql: &str) -> Result<SparkType> {
    let digits = match side.literal() {
        Some(ScalarValue::Int8(Some(v))) => Some(i64::from(*v)),
        Some(ScalarValue::Int16(Some(v))) => Some(i64::from(*v)),
        Some(ScalarValue::Int32(Some(v))) => Some(i64::from(*v)),
        Some(ScalarValue::Int64(Some(v))) => Some(*v),
        _ => None,
    };
    if let Some(value) = digits {
        let count = value.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
        return Ok(SparkType::Decimal(u8::try_from(count).unwrap_or(20), 0));
    }
    let (precision, scale) = decimal_for(&side.data_type)
        .ok_or_else(|| errors::wrong_operand(sql, "\"NUMERIC\"", &side.data_type))?;
    Ok(SparkType::Decimal(precision, scale))
}
