//! `raise_error` and `assert_true`: errors by the user's wish.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Volatility;

use super::call::{Arity, Call, Function};
use super::udf::{Evaluation, Kernel};
use super::{external, literal_text};
use crate::analyzer::Typed;
use crate::error::{Result as Analyzed, SparkError};
use crate::types::SparkType;

/// The family's functions.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "raise_error", arity: Arity::exactly(1), build: raise_error },
    Function { name: "assert_true", arity: Arity::between(1, 2), build: assert_true },
];

/// Raises the error of its first argument where its second, if there is one, is not true. Never folded, so that a
/// branch that is not taken raises nothing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Raise;

fn raise_error(call: &Call<'_>) -> Analyzed<Typed> {
    let message = call.take_as(0, SparkType::String)?;
    let typed = call.finish(Raise, vec![message], SparkType::Null).nullable(true);
    Ok(Typed { foldable: false, ..typed })
}

fn assert_true(call: &Call<'_>) -> Analyzed<Typed> {
    let condition = call.take_as(0, SparkType::Boolean)?;
    let message = match call.args.get(1) {
        Some(_) => call.take_as(1, SparkType::String)?,
        None => literal_text(&format!("'{}' is not true!", call.args[0].sql)),
    };
    let sql = format!("assert_true({}, {})", call.args[0].sql, message.sql);
    let typed = call.finish(Raise, vec![message, condition], SparkType::Null).nullable(true);
    Ok(Typed { foldable: false, sql, ..typed })
}

impl Kernel for Raise {
    fn name(&self) -> &str {
        "raise_error"
    }

    fn return_type(&self) -> DataType {
        DataType::Null
    }

    fn volatility(&self) -> Volatility {
        Volatility::Volatile
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let messages = args[0].as_string_view();
        let holds = args.get(1).map(|holds| holds.as_boolean());
        for row in 0..messages.len() {
            if holds.is_some_and(|h| h.is_valid(row) && h.value(row)) {
                continue;
            }
            let message = if messages.is_null(row) { "null" } else { messages.value(row) };
            return Err(external(SparkError::new("USER_RAISED_EXCEPTION", [("errorMessage", message)])));
        }
        Ok(new_null_array(&DataType::Null, messages.len()))
    }
}
