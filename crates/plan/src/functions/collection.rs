//! Arrays, maps and structs: how they are made and measured.

mod construct;
pub(crate) mod higher_order;
pub(crate) mod items;
pub(crate) mod maps;
mod measure;
mod pick;
pub(crate) mod search;
pub(crate) mod sequence;
mod typing;
mod zip;

pub(crate) use construct::{array_of_typed, named_struct};

use super::call::{Arity, Function};

pub(crate) use items::reverse;

/// The family's functions.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "struct", arity: Arity::at_least(0), build: construct::struct_of },
    Function { name: "named_struct", arity: Arity::at_least(0), build: construct::named_struct_call },
    Function { name: "array", arity: Arity::at_least(0), build: construct::array },
    Function { name: "map", arity: Arity::at_least(0), build: construct::map },
    Function { name: "size", arity: Arity::exactly(1), build: measure::size },
    Function { name: "cardinality", arity: Arity::exactly(1), build: measure::size },
    Function { name: "array_size", arity: Arity::exactly(1), build: measure::size },
    Function { name: "array_sort", arity: Arity::exactly(1), build: items::array_sort },
    Function { name: "arrays_zip", arity: Arity::at_least(0), build: zip::arrays_zip },
    Function { name: "sequence", arity: Arity::between(2, 3), build: sequence::sequence },
    Function { name: "str_to_map", arity: Arity::between(1, 3), build: zip::str_to_map },
];
