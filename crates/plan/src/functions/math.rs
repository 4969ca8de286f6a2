//! Numbers: roots, logarithms, angles, rounding, bits.

mod bits;
mod bucket;
mod double;
mod rounding;

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray};
use datafusion::functions::core::expr_fn as core;

use super::call::{Arity, Call, Function};
use super::computed::Computed;
use super::conditional::unified;
use super::rows::double as double_arg;
use super::simple::Simple;
use crate::analyzer::{Expected, Typed, errors};
use crate::error::Result;
use crate::types::SparkType;

pub(crate) use bits::{bit_not, bit_operator, shift};

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "abs", arity: Arity::exactly(1), build: rounding::abs },
    Function { name: "round", arity: Arity::between(1, 2), build: rounding::round },
    Function { name: "bround", arity: Arity::between(1, 2), build: rounding::bround },
    Function { name: "ceil", arity: Arity::between(1, 2), build: rounding::ceil },
    Function { name: "ceiling", arity: Arity::between(1, 2), build: rounding::ceil },
    Function { name: "floor", arity: Arity::between(1, 2), build: rounding::floor },
    Function { name: "greatest", arity: Arity::at_least(2), build: greatest },
    Function { name: "least", arity: Arity::at_least(2), build: least },
    Function { name: "isnan", arity: Arity::exactly(1), build: isnan },
    Function { name: "log", arity: Arity::between(1, 2), build: double::log },
    Function { name: "pow", arity: Arity::exactly(2), build: double::binary },
    Function { name: "power", arity: Arity::exactly(2), build: double::binary },
    Function { name: "atan2", arity: Arity::exactly(2), build: double::binary },
    Function { name: "hypot", arity: Arity::exactly(2), build: double::binary },
    Function { name: "e", arity: Arity::exactly(0), build: double::constant },
    Function { name: "pi", arity: Arity::exactly(0), build: double::constant },
    Function { name: "shiftleft", arity: Arity::exactly(2), build: bits::shift_call },
    Function { name: "shiftright", arity: Arity::exactly(2), build: bits::shift_call },
    Function { name: "shiftrightunsigned", arity: Arity::exactly(2), build: bits::shift_call },
    Function { name: "bit_get", arity: Arity::exactly(2), build: bits::bit_get },
    Function { name: "getbit", arity: Arity::exactly(2), build: bits::bit_get },
    Function { name: "width_bucket", arity: Arity::exactly(4), build: bucket::width_bucket },
    Function { name: "typeof", arity: Arity::exactly(1), build: type_of },
];

/// Functions of one DOUBLE.
pub(crate) static UNARY: &[Function] = double::UNARY;

/// Functions of fixed types.
pub(crate) static SIMPLE: &[Simple] = bits::SIMPLE;

/// NULLs are passed over, NaN is the greatest.
fn greatest(call: &Call<'_>) -> Result<Typed> {
    let args = without_text(call)?;
    let data_type = args[0].data_type.clone();
    let nullable = args.iter().all(|a| a.nullable);
    let expr = core::greatest(args.into_iter().map(|a| a.expr).collect());
    Ok(call.result(expr, data_type).nullable(nullable))
}

fn least(call: &Call<'_>) -> Result<Typed> {
    let args = without_text(call)?;
    let data_type = args[0].data_type.clone();
    let nullable = args.iter().all(|a| a.nullable);
    let expr = core::least(args.into_iter().map(|a| a.expr).collect());
    Ok(call.result(expr, data_type).nullable(nullable))
}

/// Arguments of one type. Text is not cast to another type here.
fn without_text(call: &Call<'_>) -> Result<Vec<Typed>> {
    let is = |wanted: fn(&SparkType) -> bool| call.args.iter().any(|a| wanted(&a.data_type));
    if is(|t| *t == SparkType::String) && is(|t| !matches!(t, SparkType::String | SparkType::Null)) {
        let types: Vec<SparkType> = call.args.iter().map(|a| a.data_type.clone()).collect();
        return Err(errors::different_types(&call.sql(), &call.name, &types));
    }
    unified(call, &call.args, &call.name)
}

/// False for NULL.
fn isnan(call: &Call<'_>) -> Result<Typed> {
    let arg = call.take(0, &Expected::Exactly(SparkType::Double))?;
    let run = |args: &[ArrayRef]| {
        let found: BooleanArray =
            double_arg(args, 0).iter().map(|v| Some(v.is_some_and(f64::is_nan))).collect();
        Ok(Arc::new(found) as ArrayRef)
    };
    let kernel = Computed { name: "isnan".to_owned(), returns: SparkType::Boolean, run };
    Ok(call.finish(kernel, vec![arg], SparkType::Boolean).nullable(false))
}

/// The type's simple string.
fn type_of(call: &Call<'_>) -> Result<Typed> {
    let name = datafusion::scalar::ScalarValue::Utf8View(Some(call.args[0].data_type.simple_string()));
    let typed = call.result(datafusion::logical_expr::Expr::Literal(name, None), SparkType::String);
    Ok(Typed { foldable: true, ..typed.nullable(false) })
}
