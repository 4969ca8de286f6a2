//! Parts of nested values: fields of structs (also through arrays), items of arrays, values of maps.

mod element;
mod field;

pub(crate) use field::{StructFieldKernel, extract, field_at};

use super::call::{Arity, Function};

/// `element_at`, `get` and their kin.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "element_at", arity: Arity::exactly(2), build: element::element_at },
    Function { name: "try_element_at", arity: Arity::exactly(2), build: element::try_element_at },
    Function { name: "get", arity: Arity::exactly(2), build: element::get },
];
