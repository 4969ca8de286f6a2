//! Arrays, maps and structs: how they are made and measured.

mod construct;
mod measure;

pub(crate) use construct::{array_of_typed, named_struct};

use super::call::{Arity, Function};

/// The family's functions.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "struct", arity: Arity::at_least(0), build: construct::struct_of },
    Function { name: "named_struct", arity: Arity::at_least(0), build: construct::named_struct_call },
    Function { name: "array", arity: Arity::at_least(0), build: construct::array },
    Function { name: "map", arity: Arity::at_least(0), build: construct::map },
    Function { name: "size", arity: Arity::exactly(1), build: measure::size },
    Function { name: "cardinality", arity: Arity::exactly(1), build: measure::size },
    Function { name: "array_size", arity: Arity::exactly(1), build: measure::size },
];

/// Placeholder until the array functions arrive.
pub(crate) fn reverse(call: &super::call::Call<'_>) -> crate::error::Result<crate::analyzer::Typed> {
    Err(crate::error::Error::unsupported(call.sql()))
}
