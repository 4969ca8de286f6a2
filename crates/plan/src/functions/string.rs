//! Functions on text and bytes.

mod basic;

use super::call::{Arity, Function};
use super::simple::Simple;
use crate::analyzer::Expected;
use crate::types::SparkType;

const TEXT: Expected = Expected::Exactly(SparkType::String);
const INT: Expected = Expected::Exactly(SparkType::Integer);

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "concat", arity: Arity::at_least(0), build: basic::concat },
    Function { name: "length", arity: Arity::exactly(1), build: basic::length },
    Function { name: "len", arity: Arity::exactly(1), build: basic::length },
    Function { name: "char_length", arity: Arity::exactly(1), build: basic::length },
    Function { name: "character_length", arity: Arity::exactly(1), build: basic::length },
    Function { name: "substring", arity: Arity::between(2, 3), build: basic::substring },
    Function { name: "substr", arity: Arity::between(2, 3), build: basic::substring },
];

/// Functions of fixed types.
pub(crate) static SIMPLE: &[Simple] = &[
    Simple { name: "upper", params: &[TEXT], optional: 0, returns: SparkType::String, run: basic::upper },
    Simple { name: "ucase", params: &[TEXT], optional: 0, returns: SparkType::String, run: basic::upper },
    Simple { name: "lower", params: &[TEXT], optional: 0, returns: SparkType::String, run: basic::lower },
    Simple { name: "lcase", params: &[TEXT], optional: 0, returns: SparkType::String, run: basic::lower },
    Simple {
        name: "repeat",
        params: &[TEXT, INT],
        optional: 0,
        returns: SparkType::String,
        run: basic::repeat,
    },
];
