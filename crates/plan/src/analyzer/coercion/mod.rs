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
    overflow == Overflow::Null
        && !widens(from, to)
        && !(*to == SparkType::String || (*from == SparkType::String && *to == SparkType::Binary))
}
