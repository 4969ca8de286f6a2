//! `mask`: letters and digits by others, so that a text keeps its form but not what it says.

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, StringViewArray};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use std::sync::Arc;

use crate::analyzer::{Typed, errors};
use crate::functions::call::{Arity, Call, Function};
use crate::functions::literal_text;
use crate::functions::udf::{Evaluation, Kernel};
use crate::types::SparkType;

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] =
    &[Function { name: "mask", arity: Arity::between(0, 5), build: mask }];

/// What stands for upper-case letters, lower-case letters, digits and all else; none keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Mask {
    upper: Option<char>,
    lower: Option<char>,
    digit: Option<char>,
    other: Option<char>,
}

/// Names of the arguments behind the first, and their defaults.
const ARGUMENTS: [(&str, Option<&str>); 4] =
    [("upperChar", Some("X")), ("lowerChar", Some("x")), ("digitChar", Some("n")), ("otherChar", None)];

fn mask(call: &Call<'_>) -> crate::error::Result<Typed> {
    let mut args = call.args.clone();
    if args.is_empty() {
        let parameters = [("routineName", "`mask`"), ("parameterName", "`str`"), ("index", "0")];
        return Err(errors::spark("REQUIRED_PARAMETER_NOT_FOUND", parameters));
    }
    for (_, default) in &ARGUMENTS[args.len() - 1..] {
        args.push(default.map_or_else(null, literal_text));
    }
    let call = Call { name: call.name.clone(), args, conf: call.conf };
    let input = call.text_only(0)?;
    let mut chars = [None; 4];
    for (at, (name, _)) in ARGUMENTS.iter().enumerate() {
        chars[at] = match call.constant_text(at + 1, name)? {
            None => None,
            Some(text) => {
                let mut found = text.chars();
                let one = found.next().filter(|_| found.next().is_none());
                Some(one.ok_or_else(|| {
                    let parameters =
                        [("exprName", (*name).to_owned()), ("sqlExpr", format!("\"{}\"", call.sql()))];
                    errors::spark("DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE", parameters)
                })?)
            }
        };
    }
    let [upper, lower, digit, other] = chars;
    let nullable = input.nullable;
    let kernel = Mask { upper, lower, digit, other };
    Ok(call.finish(kernel, vec![input], SparkType::String).nullable(nullable))
}

fn null() -> Typed {
    let expr = Expr::Literal(ScalarValue::Null, None);
    Typed { foldable: true, ..Typed::new(expr, SparkType::Null, "NULL").nullable(true) }
}

impl Kernel for Mask {
    fn name(&self) -> &str {
        "mask"
    }

    fn return_type(&self) -> DataType {
        DataType::Utf8View
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let mut masked = String::new();
        let texts: StringViewArray = args[0]
            .as_string_view()
            .iter()
            .map(|text| {
                let text = text?;
                masked.clear();
                text.chars().for_each(|c| self.push(c, &mut masked));
                Some(masked.clone())
            })
            .collect();
        Ok(Arc::new(texts))
    }
}

impl Mask {
    fn push(&self, c: char, out: &mut String) {
        let by = match c {
            c if c.is_uppercase() => self.upper,
            c if c.is_lowercase() => self.lower,
            c if is_digit(c) => self.digit,
            _ => self.other,
        };
        // Java sees a character beyond the first 65536 as two.
        let times = if by.is_some() { c.len_utf16() } else { 1 };
        out.extend(std::iter::repeat_n(by.unwrap_or(c), times));
    }
}

/// Digits of all alphabets, as Java's `Character.isDigit` has them up to U+FFFF, ten from each of these on.
fn is_digit(c: char) -> bool {
    const ZEROS: [u32; 37] = [
        0x30, 0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
        0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0,
        0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10,
    ];
    ZEROS.iter().any(|zero| (*zero..zero + 10).contains(&u32::from(c)))
}
