//! Which types collections and their parts may have together. Text is not cast to another type here.

use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

use crate::analyzer::{Conf, Expected, Typed, cast_to, errors, tightest};
use crate::error::{Error, Result};
use crate::functions::call::Call;
use crate::types::SparkType;

/// Argument `index`, which must be an array.
pub(super) fn array_of(call: &Call<'_>, index: usize) -> Result<Typed> {
    call.take(index, &Expected::Array)
        .map(|arg| match arg.data_type {
            SparkType::Array(..) => Ok(arg),
            _ => Err(errors::unexpected_input(&call.sql(), index, "\"ARRAY\"", &call.args[index])),
        })
        .and_then(|arg| arg)
}

/// Two arrays of one element type.
pub(super) fn same_arrays(call: &Call<'_>) -> Result<(Vec<Typed>, SparkType)> {
    let [left, right] = [&call.args[0], &call.args[1]];
    let (SparkType::Array(a, an), SparkType::Array(b, bn)) = (&left.data_type, &right.data_type) else {
        return Err(different(call, "BINARY_ARRAY_DIFF_TYPES", "arrayType"));
    };
    let element = wider(a, b).ok_or_else(|| different(call, "BINARY_ARRAY_DIFF_TYPES", "arrayType"))?;
    let of = |nulls: bool| SparkType::Array(Box::new(element.clone()), nulls);
    let args =
        vec![cast_to(left.clone(), &of(*an), call.conf)?, cast_to(right.clone(), &of(*bn), call.conf)?];
    Ok((args, of(*an || *bn)))
}

/// An array and a value, brought to one element type.
pub(super) fn array_and_value(call: &Call<'_>) -> Result<(Vec<Typed>, SparkType)> {
    let array = array_of(call, 0)?;
    let value = &call.args[1];
    let SparkType::Array(element, nulls) = &array.data_type else {
        return Err(different(call, "ARRAY_FUNCTION_DIFF_TYPES", "dataType"));
    };
    let wider = wider(element, &value.data_type)
        .ok_or_else(|| different(call, "ARRAY_FUNCTION_DIFF_TYPES", "dataType"))?;
    let list = SparkType::Array(Box::new(wider.clone()), *nulls);
    let args = vec![cast_to(array.clone(), &list, call.conf)?, cast_to(value.clone(), &wider, call.conf)?];
    Ok((args, wider))
}

/// The type of both, where text stays text.
fn wider(a: &SparkType, b: &SparkType) -> Option<SparkType> {
    match (a, b) {
        (SparkType::Array(a, an), SparkType::Array(b, bn)) => {
            Some(SparkType::Array(Box::new(wider(a, b)?), *an || *bn))
        }
        _ => tightest(a, b),
    }
}

fn different(call: &Call<'_>, condition: &str, kind: &str) -> Error {
    errors::spark(
        &format!("DATATYPE_MISMATCH.{condition}"),
        [
            ("sqlExpr", format!("\"{}\"", call.sql())),
            ("functionName", format!("`{}`", call.name)),
            (kind, "\"ARRAY\"".to_owned()),
            ("leftType", errors::quoted_type(&call.args[0].data_type)),
            ("rightType", errors::quoted_type(&call.args[1].data_type)),
        ],
    )
}

/// A key's type beside a map's.
pub(super) fn map_and_key(call: &Call<'_>, conf: &Conf) -> Result<Vec<Typed>> {
    let map = call.take(0, &Expected::Map)?;
    let refused = || {
        errors::spark(
            "DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES",
            [
                ("sqlExpr", format!("\"{}\"", call.sql())),
                ("functionName", format!("`{}`", call.name)),
                ("dataType", "\"MAP\"".to_owned()),
                ("leftType", errors::quoted_type(&call.args[0].data_type)),
                ("rightType", errors::quoted_type(&call.args[1].data_type)),
            ],
        )
    };
    let SparkType::Map(key, value, nulls) = &map.data_type else { return Err(refused()) };
    let wider = wider(key, &call.args[1].data_type).ok_or_else(refused)?;
    let to = SparkType::Map(Box::new(wider.clone()), value.clone(), *nulls);
    Ok(vec![cast_to(map.clone(), &to, conf)?, cast_to(call.args[1].clone(), &wider, conf)?])
}

/// The constant true.
pub(super) fn truth() -> Typed {
    let expr = Expr::Literal(ScalarValue::Boolean(Some(true)), None);
    Typed { foldable: true, ..Typed::new(expr, SparkType::Boolean, "true").nullable(false) }
}
