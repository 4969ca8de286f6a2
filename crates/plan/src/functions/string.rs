//! Functions on text and bytes.

mod basic;
mod bytes;
mod conversion;
mod decimal_pattern;
mod digest;
mod fill;
mod format;
mod mask;
mod number_format;
mod number_text;
mod regex;
mod search;
mod url;
mod words;

pub(crate) use regex::Splitter;

use super::call::{Arity, Function};
use super::defaulted::Defaulted;
use super::simple::Simple;
use crate::analyzer::Expected;
use crate::types::SparkType;

const TEXT: Expected = Expected::Exactly(SparkType::String);
const INT: Expected = Expected::Exactly(SparkType::Integer);
const BYTES: Expected = Expected::Exactly(SparkType::Binary);

/// All tables of functions with rules of their own.
pub(crate) static BUILT: &[&[Function]] = &[
    FUNCTIONS,
    bytes::FUNCTIONS,
    conversion::FUNCTIONS,
    digest::FUNCTIONS,
    fill::FUNCTIONS,
    mask::FUNCTIONS,
    number_text::FUNCTIONS,
    search::FUNCTIONS,
    url::FUNCTIONS,
    regex::FUNCTIONS,
    words::FUNCTIONS,
];

/// All tables of functions of fixed types.
pub(crate) static SIMPLES: &[&[Simple]] = &[
    SIMPLE,
    bytes::SIMPLE,
    digest::SIMPLE,
    fill::SIMPLE,
    regex::SIMPLE,
    search::SIMPLE,
    url::SIMPLE,
    words::SIMPLE,
];

/// All tables of functions with default values.
pub(crate) static DEFAULTED: &[&[Defaulted]] = &[fill::DEFAULTED, regex::DEFAULTED, search::DEFAULTED];

/// Functions with rules of their own.
static FUNCTIONS: &[Function] = &[
    Function { name: "concat", arity: Arity::at_least(0), build: basic::concat },
    Function { name: "length", arity: Arity::exactly(1), build: basic::length },
    Function { name: "len", arity: Arity::exactly(1), build: basic::length },
    Function { name: "char_length", arity: Arity::exactly(1), build: basic::length },
    Function { name: "character_length", arity: Arity::exactly(1), build: basic::length },
    Function { name: "upper", arity: Arity::exactly(1), build: basic::upper },
    Function { name: "ucase", arity: Arity::exactly(1), build: basic::upper },
    Function { name: "lower", arity: Arity::exactly(1), build: basic::lower },
    Function { name: "lcase", arity: Arity::exactly(1), build: basic::lower },
    Function { name: "substring", arity: Arity::between(2, 3), build: basic::substring },
    Function { name: "substr", arity: Arity::between(2, 3), build: basic::substring },
];

/// Functions of fixed types.
static SIMPLE: &[Simple] = &[Simple {
    name: "repeat",
    params: &[TEXT, INT],
    optional: 0,
    returns: SparkType::String,
    run: basic::repeat,
}];
