//! `to_char`, `to_varchar`, `to_number`, `to_binary`: values as text and back, by a constant format.
//!
//! What a format means depends on the value: numbers have the forms of [`NumberFormat`], times the patterns of
//! `date_format`, and BINARY is `hex`, `base64` or `utf-8`. The `try_` functions give NULL for text that is not of the
//! format; the others fail, with ANSI or without.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use arrow_array::{ArrayRef, PrimitiveArray, StringViewArray};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

use super::TEXT;
use super::bytes::{from_base64, from_hex};
use super::number_format::NumberFormat;
use crate::analyzer::{Typed, cast_to, decimal_for, errors};
use crate::error::{Error, SparkError};
use crate::functions::call::{Arity, Call, Function};
use crate::functions::computed::Computed;
use crate::functions::rows::{binaries, text};
use crate::functions::udf::{Evaluation, Kernel};
use crate::functions::{external, registry};
use crate::types::SparkType;

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "to_char", arity: Arity::exactly(2), build: to_char },
    Function { name: "to_varchar", arity: Arity::exactly(2), build: to_char },
    Function { name: "to_number", arity: Arity::exactly(2), build: to_number },
    Function { name: "try_to_number", arity: Arity::exactly(2), build: to_number },
    Function { name: "to_binary", arity: Arity::between(1, 2), build: to_binary },
    Function { name: "try_to_binary", arity: Arity::between(1, 2), build: to_binary },
];

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ToChar {
    format: NumberFormat,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ToNumber {
    format: NumberFormat,
    strict: bool,
}

fn to_char(call: &Call<'_>) -> crate::error::Result<Typed> {
    let first = &call.args[0];
    match first.data_type {
        SparkType::Date | SparkType::Timestamp | SparkType::TimestampNtz => {
            as_other(call, "date_format", true)
        }
        SparkType::Binary => binary_to_char(call),
        _ => number_to_char(call),
    }
}

/// The call as one of another function; Spark names the column so, too.
fn as_other(call: &Call<'_>, name: &str, with_format: bool) -> crate::error::Result<Typed> {
    let args = call.args[..if with_format { 2 } else { 1 }].to_vec();
    let other = Call { name: name.to_owned(), args, conf: call.conf };
    registry::lookup(name).ok_or_else(|| Error::unsupported(name))?.build(&other)
}

fn binary_to_char(call: &Call<'_>) -> crate::error::Result<Typed> {
    let Some(format) = constant_format(call, "format")? else { return Ok(null(call, SparkType::String)) };
    match format.to_lowercase().as_str() {
        "hex" => as_other(call, "hex", false),
        "base64" => as_other(call, "base64", false),
        "utf-8" => as_other(call, "decode", true),
        _ => Err(errors::spark(
            "INVALID_PARAMETER_VALUE.BINARY_FORMAT",
            [
                ("functionName", format!("`{}`", call.name)),
                ("parameter", "`format`".to_owned()),
                ("invalidFormat", format!("'{format}'")),
            ],
        )),
    }
}

fn number_to_char(call: &Call<'_>) -> crate::error::Result<Typed> {
    // Spark prints its other name as this one.
    let call = &Call { name: "to_char".to_owned(), args: call.args.clone(), conf: call.conf };
    let number = match &call.args[0].data_type {
        SparkType::Decimal(..) => call.args[0].clone(),
        SparkType::String | SparkType::Null => {
            cast_to(call.args[0].clone(), &SparkType::Decimal(38, 18), call.conf)?
        }
        other => match decimal_for(other) {
            Some((p, s)) => cast_to(call.args[0].clone(), &SparkType::Decimal(p, s), call.conf)?,
            None => return Err(errors::unexpected_input(&call.sql(), 0, "\"DECIMAL\"", &call.args[0])),
        },
    };
    let Some(format) = constant_format(call, "format")? else { return Ok(null(call, SparkType::String)) };
    let kernel = ToChar { format: NumberFormat::new(&format)? };
    Ok(call.finish(kernel, vec![number], SparkType::String))
}

fn to_number(call: &Call<'_>) -> crate::error::Result<Typed> {
    let input = call.take(0, &TEXT)?;
    let Some(format) = constant_format(call, "format")? else {
        return Ok(null(call, SparkType::Decimal(10, 0)));
    };
    let format = NumberFormat::new(&format)?;
    let (precision, scale) = format.decimal();
    let part = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
    let returns = SparkType::Decimal(part(precision), part(scale));
    let kernel = ToNumber { format, strict: call.name == "to_number" };
    Ok(call.finish(kernel, vec![input], returns).nullable(true))
}

/// A format that is made of constants; none for NULL. Spark calls a column by the name of its class.
fn constant_format(call: &Call<'_>, name: &str) -> crate::error::Result<Option<String>> {
    let format = &call.args[1];
    let name = if matches!(format.expr, Expr::Column(_)) { "attributereference" } else { name };
    call.constant_text(1, name)
}

fn null(call: &Call<'_>, data_type: SparkType) -> Typed {
    let value = ScalarValue::try_new_null(&data_type.to_arrow()).unwrap_or(ScalarValue::Null);
    call.result(Expr::Literal(value, None), data_type).nullable(true)
}

type Run = fn(&[ArrayRef]) -> Result<ArrayRef>;

fn to_binary(call: &Call<'_>) -> crate::error::Result<Typed> {
    let lenient = call.name == "try_to_binary";
    let input = call.take(0, &TEXT)?;
    let format = match call.args.len() {
        1 => Some("hex".to_owned()),
        _ => call.constant_text(1, "fmt")?,
    };
    let Some(format) = format else { return Ok(null(call, SparkType::Binary)) };
    let (name, run): (&str, Run) = match (format.to_lowercase().as_str(), lenient) {
        ("hex", false) => ("to_binary by hex", |args| decoded(args, "HEX", from_hex, false)),
        ("hex", true) => ("try_to_binary by hex", |args| decoded(args, "HEX", from_hex, true)),
        ("base64", false) => ("to_binary by base64", |args| decoded(args, "BASE64", strict_base64, false)),
        ("base64", true) => ("try_to_binary by base64", |args| decoded(args, "BASE64", strict_base64, true)),
        ("utf-8" | "utf8", _) => {
            let typed = cast_to(input, &SparkType::Binary, call.conf)?;
            return Ok(call.result(typed.expr, SparkType::Binary).nullable(typed.nullable));
        }
        (_, true) => return Ok(null(call, SparkType::Binary)),
        (_, false) => {
            return Err(errors::spark(
                "DATATYPE_MISMATCH.INVALID_ARG_VALUE",
                [
                    ("sqlExpr", format!("\"{}\"", call.sql())),
                    ("inputName", "fmt".to_owned()),
                    ("requireType", "case-insensitive \"STRING\"".to_owned()),
                    ("validValues", "'hex', 'utf-8', 'utf8', or 'base64'".to_owned()),
                    ("inputValue", format!("'{format}'")),
                ],
            ));
        }
    };
    let kernel = Computed { name: name.to_owned(), returns: SparkType::Binary, run };
    let nullable = lenient || input.nullable;
    Ok(call.finish(kernel, vec![input], SparkType::Binary).nullable(nullable))
}

fn decoded(
    args: &[ArrayRef],
    format: &str,
    decode: fn(&str) -> Option<Vec<u8>>,
    lenient: bool,
) -> Result<ArrayRef> {
    binaries(args, |row| {
        let value = text(args, 0).value(row);
        let found = decode(value);
        if found.is_none() && !lenient {
            let shown = value.replace('\\', "\\\\").replace('\'', "\\'");
            let parameters = [
                ("str", format!("'{shown}'")),
                ("fmt", format!("'{format}'")),
                ("targetType", "\"BINARY\"".to_owned()),
                ("suggestion", "`try_to_binary`".to_owned()),
            ];
            return Err(external(SparkError::new("CONVERSION_INVALID_INPUT", parameters)));
        }
        Ok(found)
    })
}

/// Blanks may stand anywhere, padding may be left out; all else must be of the alphabet.
fn strict_base64(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let body = digits.trim_end_matches('=');
    let padding = digits.len() - body.len();
    let of_alphabet = body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/');
    let whole = body.len() % 4 != 1 && (padding == 0 || (padding <= 2 && digits.len().is_multiple_of(4)));
    (of_alphabet && whole).then(|| from_base64(body))
}

impl Kernel for ToChar {
    fn name(&self) -> &str {
        "to_char"
    }

    fn return_type(&self) -> DataType {
        DataType::Utf8View
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let numbers = args[0].as_primitive::<Decimal128Type>();
        let places = usize::try_from(numbers.scale()).unwrap_or(0);
        let shown: StringViewArray =
            numbers.iter().map(|number| number.map(|n| self.format.format(&plain(n, places)))).collect();
        Ok(Arc::new(shown))
    }
}

/// The digits of a decimal with its point.
fn plain(number: i128, places: usize) -> String {
    let digits = format!("{:0>1$}", number.unsigned_abs(), places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    format!("{}{whole}.{fraction}", if number < 0 { "-" } else { "" })
}

impl Kernel for ToNumber {
    fn name(&self) -> &str {
        if self.strict { "to_number" } else { "try_to_number" }
    }

    fn return_type(&self) -> DataType {
        let (precision, scale) = self.format.decimal();
        DataType::Decimal128(
            u8::try_from(precision).unwrap_or(u8::MAX),
            i8::try_from(scale).unwrap_or(i8::MAX),
        )
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let numbers: PrimitiveArray<Decimal128Type> = args[0]
            .as_string_view()
            .iter()
            .map(|text| {
                let Some(text) = text else { return Ok(None) };
                match self.format.parse(text) {
                    None if self.strict => Err(self.mismatch(text)),
                    number => Ok(number),
                }
            })
            .collect::<Result<_>>()?;
        Ok(Arc::new(numbers.with_data_type(self.return_type())))
    }
}

impl ToNumber {
    fn mismatch(&self, text: &str) -> datafusion::error::DataFusionError {
        let parameters =
            [("inputType", "\"STRING\""), ("input", text), ("format", self.format.text.as_str())];
        external(SparkError::new("INVALID_FORMAT.MISMATCH_INPUT", parameters))
    }
}
