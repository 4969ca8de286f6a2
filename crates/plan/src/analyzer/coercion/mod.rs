//! Implicit casts: which types fit together, and how an expression is brought to another type.
//!
//! The rules are those of Spark's ANSI mode (`AnsiTypeCoercion`); with `spark.sql.ansi.enabled` = false the
//! older string promotions apply.

mod expected;
mod wider;

pub(crate) use expected::{Expected, implicit_cast, is_integral, is_numeric};
pub(crate) use wider::{common_type, comparison_type, decimal_for, tightest};

use datafusion::logical_expr::{Cast, Expr};
use datafusion::scalar::ScalarValue;

use crate::analyzer::{Conf, Typed};
use crate::error::Result;
use crate::functions::cast::{CastKernel, Overflow};
use crate::functions::udf;
use crate::types::SparkType;

/// `typed` as a value of type `to`, by an implicit cast: its printed form stays as it is.
///
/// # Errors
/// A session time zone that does not exist.
pub(crate) fn cast_to(typed: Typed, to: &SparkType, conf: &Conf) -> Result<Typed> {
    let overflow = if conf.ansi() { Overflow::Error } else { Overflow::Null };
    cast_with(typed, to, overflow, conf)
}

/// `typed` cast to `to`; values that do not fit are treated as `overflow` says.
///
/// # Errors
/// A session time zone that does not exist.
pub(crate) fn cast_with(typed: Typed, to: &SparkType, overflow: Overflow, conf: &Conf) -> Result<Typed> {
    if typed.data_type == *to {
        return Ok(typed);
    }
    let nullable = typed.nullable || may_become_null(&typed.data_type, to, overflow);
    let expr = cast_expr(typed.expr, &typed.data_type, to, overflow, conf)?;
    Ok(Typed { expr, data_type: to.clone(), nullable, ..typed })
}

fn cast_expr(expr: Expr, from: &SparkType, to: &SparkType, overflow: Overflow, conf: &Conf) -> Result<Expr> {
    if let Expr::Literal(value, _) = &expr
        && value.is_null()
    {
        return Ok(Expr::Literal(ScalarValue::try_new_null(&to.to_arrow())?, None));
    }
    if widens(from, to) {
        return Ok(Expr::Cast(Cast::new(Box::new(expr), to.to_arrow())));
    }
    if *to == SparkType::Binary
        && let Some((inner, args)) = udf::as_call::<CastKernel>(&expr)
        && inner.is_binary_to_string()
    {
        return Ok(args[0].clone());
    }
    let kernel = CastKernel::new(from.clone(), to.clone(), overflow, conf.time_zone())?;
    Ok(udf::call(kernel, vec![expr]))
}

/// Casts that DataFusion does as Spark does, because nothing can go wrong: its optimizer knows them.
fn widens(from: &SparkType, to: &SparkType) -> bool {
    use SparkType::{Byte, Double, Float, Integer, Long, Short};
    matches!(
        (from, to),
        (Byte, Short | Integer | Long | Double)
            | (Short, Integer | Long | Double)
            | (Integer, Long | Double)
            | (Long | Float, Double)
    )
}

fn may_become_null(from: &SparkType, to: &SparkType, overflow: Overflow) -> bool {
    if overflow == Overflow::Null {
        let bytes = *from == SparkType::String && *to == SparkType::Binary;
        return !(widens(from, to) || *to == SparkType::String || bytes);
    }
    declared_nullable(from, to)
}

/// Casts whose result Spark declares nullable even in ANSI mode, where they raise an error instead.
fn declared_nullable(from: &SparkType, to: &SparkType) -> bool {
    use SparkType as T;
    match (from, to) {
        (T::Null, _) | (T::String, T::Binary | T::String) | (_, T::String) => false,
        (T::String, _) | (T::Timestamp, T::Byte | T::Short | T::Integer) => true,
        (T::Float | T::Double, T::Timestamp) => true,
        (T::Timestamp, T::Date) | (T::Date, T::Timestamp) => false,
        (_, T::Date) | (T::Date, _) => from != to,
        (_, T::Decimal(precision, scale)) => !decimal_holds(from, *precision, *scale),
        (T::Float | T::Double | T::Decimal(..), to) => is_integral(to),
        _ => false,
    }
}

/// Whether every value of a type fits into a decimal.
fn decimal_holds(from: &SparkType, precision: u8, scale: u8) -> bool {
    let (needed, fraction) = match from {
        SparkType::Boolean => (1, 0),
        SparkType::Decimal(precision, scale) => (*precision - *scale.min(precision), *scale),
        other => match decimal_for(other) {
            Some((precision, scale)) => (precision - scale, scale),
            None => return false,
        },
    };
    precision.saturating_sub(scale) >= needed && scale >= fraction
}
