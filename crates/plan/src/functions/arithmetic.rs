//! `+ - * / % div` on numbers, signs, and their `try_` twins.
//!
//! Integers and decimals are checked under ANSI; `/` on integers is a division of doubles; division by zero
//! is an error under ANSI for every type, NULL otherwise. Decimal results have Spark's precision and scale.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use arrow_array::{ArrayRef, ArrowNativeTypeOp, PrimitiveArray};
use arrow_buffer::i256;
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::call::{Arity, Call, Function};
use super::cast::Overflow;
use super::decimal::{MAX_PRECISION, power_of_ten};
use super::udf::{Evaluation, Kernel};
use super::{external, signed};
use crate::analyzer::Typed;
use crate::error::SparkError;
use crate::types::SparkType;

/// An arithmetic operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `div`
    IntegralDivide,
    /// `%`
    Remainder,
    /// `pmod`: a remainder that is not negative.
    Modulo,
    /// A sign: `0 - x`, but for the error of the smallest number.
    Negate,
}

impl Operation {
    /// Whether a right operand of zero is an error.
    fn divides(self) -> bool {
        !matches!(self, Self::Add | Self::Subtract | Self::Multiply | Self::Negate)
    }
}

/// `a + b` and the like on operands of one type (decimals may differ in precision and scale).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Arithmetic {
    /// Which operator.
    pub operation: Operation,
    /// Type of the left operand.
    pub left: SparkType,
    /// Type of the right operand.
    pub right: SparkType,
    /// Type of the result.
    pub result: SparkType,
    /// What overflow and division by zero do.
    pub overflow: Overflow,
}

/// `try_add` and the like; the operators themselves are looked up by the analyzer.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "try_add", arity: Arity::exactly(2), build: |c| tried(c, Operation::Add) },
    Function { name: "try_subtract", arity: Arity::exactly(2), build: |c| tried(c, Operation::Subtract) },
    Function { name: "try_multiply", arity: Arity::exactly(2), build: |c| tried(c, Operation::Multiply) },
    Function { name: "try_divide", arity: Arity::exactly(2), build: |c| tried(c, Operation::Divide) },
    Function { name: "try_mod", arity: Arity::exactly(2), build: |c| tried(c, Operation::Remainder) },
    Function { name: "pmod", arity: Arity::exactly(2), build: modulo },
    Function { name: "mod", arity: Arity::exactly(2), build: remainder },
];

fn tried(call: &Call<'_>, operation: Operation) -> crate::error::Result<Typed> {
    crate::analyzer::arithmetic(
        operation,
        &call.args[0],
        &call.args[1],
        Overflow::Null,
        call.sql(),
        call.conf,
    )
}

fn modulo(call: &Call<'_>) -> crate::error::Result<Typed> {
    let overflow = ansi_overflow(call.conf.ansi());
    crate::analyzer::arithmetic(
        Operation::Modulo,
        &call.args[0],
        &call.args[1],
        overflow,
        call.sql(),
        call.conf,
    )
}

fn remainder(call: &Call<'_>) -> crate::error::Result<Typed> {
    let overflow = ansi_overflow(call.conf.ansi());
    crate::analyzer::arithmetic(
        Operation::Remainder,
        &call.args[0],
        &call.args[1],
        overflow,
        call.sql(),
        call.conf,
    )
}

/// Errors under ANSI, wrap-around and NULL without it.
pub(crate) fn ansi_overflow(ansi: bool) -> Overflow {
    if ansi { Overflow::Error } else { Overflow::Legacy }
}

/// The decimal type of the result, by Spark's rules (precision may be lost behind the point, never before
/// it).
pub(crate) fn decimal_result(operation: Operation, a: (u8, u8), b: (u8, u8)) -> (u8, u8) {
    let (p1, s1, p2, s2) = (i32::from(a.0), i32::from(a.1), i32::from(b.0), i32::from(b.1));
    let (precision, scale) = match operation {
        Operation::Add | Operation::Subtract | Operation::Negate => {
            let scale = s1.max(s2);
            ((p1 - s1).max(p2 - s2) + scale + 1, scale)
        }
        Operation::Multiply => (p1 + p2 + 1, s1 + s2),
        Operation::Divide => {
            let scale = (s1 + p2 + 1).max(6);
            (p1 - s1 + s2 + scale, scale)
        }
        Operation::IntegralDivide => ((p1 - s1 + s2).max(1), 0),
        Operation::Remainder | Operation::Modulo => {
            let scale = s1.max(s2);
            ((p1 - s1).min(p2 - s2) + scale, scale)
        }
    };
    let max = i32::from(MAX_PRECISION);
    let (precision, scale) = if precision <= max {
        (precision, scale)
    } else {
        (max, (max - (precision - scale)).max(scale.min(6)))
    };
    let small = |v: i32| u8::try_from(v.clamp(0, max)).unwrap_or(MAX_PRECISION);
    (small(precision), small(scale))
}

impl Kernel for Arithmetic {
    fn name(&self) -> &str {
        match (self.operation, self.overflow) {
            (Operation::Add, Overflow::Null) => "try_add",
            (Operation::Subtract, Overflow::Null) => "try_subtract",
            (Operation::Multiply, Overflow::Null) => "try_multiply",
            (Operation::Add, _) => "add",
            (Operation::Subtract, _) => "subtract",
            (Operation::Multiply, _) => "multiply",
            (Operation::Divide, _) => "divide",
            (Operation::IntegralDivide, _) => "div",
            (Operation::Remainder, _) => "mod",
            (Operation::Modulo, _) => "pmod",
            (Operation::Negate, _) => "negative",
        }
    }

    fn return_type(&self) -> DataType {
        self.result.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let (left, right) = (&args[0], &args[1]);
        match &self.left {
            SparkType::Byte => self.numbers::<Int8Type>(left, right),
            SparkType::Short => self.numbers::<Int16Type>(left, right),
            SparkType::Integer => self.numbers::<Int32Type>(left, right),
            SparkType::Long => self.numbers::<Int64Type>(left, right),
            SparkType::Float => self.numbers::<Float32Type>(left, right),
            SparkType::Double => self.numbers::<Float64Type>(left, right),
            SparkType::Decimal(..) => self.decimals(left, right),
            other => Err(DataFusionError::Internal(format!("no arithmetic on {other}"))),
        }
    }
}

impl Arithmetic {
    fn numbers<T: ArrowPrimitiveType>(&self, left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef>
    where
        T::Native: ArrowNativeTypeOp,
    {
        let (a, b) = (left.as_primitive::<T>(), right.as_primitive::<T>());
        let result: PrimitiveArray<T> = a
            .iter()
            .zip(b)
            .map(|pair| match pair {
                (Some(a), Some(b)) => self.number(a, b),
                _ => Ok(None),
            })
            .collect::<Result<_>>()?;
        if self.operation == Operation::IntegralDivide {
            return Ok(arrow_cast::cast(&result, &DataType::Int64)?);
        }
        Ok(Arc::new(result))
    }

    fn number<N: ArrowNativeTypeOp>(&self, a: N, b: N) -> Result<Option<N>> {
        if self.operation.divides() && b.is_zero() {
            return self.by_zero();
        }
        let checked = match self.operation {
            Operation::Add => a.add_checked(b),
            Operation::Subtract | Operation::Negate => a.sub_checked(b),
            Operation::Multiply => a.mul_checked(b),
            Operation::Divide | Operation::IntegralDivide => a.div_checked(b),
            Operation::Remainder => return Ok(Some(a.mod_wrapping(b))),
            Operation::Modulo => {
                let rest = a.mod_wrapping(b);
                let negative = rest.is_lt(N::ZERO);
                return Ok(Some(if negative { rest.add_wrapping(b).mod_wrapping(b) } else { rest }));
            }
        };
        match (checked, self.overflow) {
            (Ok(value), _) => Ok(Some(value)),
            (Err(_), Overflow::Error) => Err(self.too_large(&format!("{a:?}"), &format!("{b:?}"))),
            (Err(_), Overflow::Null) => Ok(None),
            (Err(_), Overflow::Legacy) => Ok(Some(match self.operation {
                Operation::Add => a.add_wrapping(b),
                Operation::Subtract | Operation::Negate => a.sub_wrapping(b),
                Operation::Multiply => a.mul_wrapping(b),
                _ => a.div_wrapping(b),
            })),
        }
    }

    fn decimals(&self, left: &ArrayRef, right: &ArrayRef) -> Result<ArrayRef> {
        let (a, b) = (left.as_primitive::<Decimal128Type>(), right.as_primitive::<Decimal128Type>());
        let values = a.iter().zip(b).map(|pair| match pair {
            (Some(a), Some(b)) => self.decimal(a, b),
            _ => Ok(None),
        });
        if let SparkType::Decimal(precision, scale) = self.result {
            let result: PrimitiveArray<Decimal128Type> = values.collect::<Result<_>>()?;
            return Ok(Arc::new(result.with_precision_and_scale(precision, signed(scale))?));
        }
        let whole = |v: Option<i128>| match v.map(i64::try_from) {
            None => Ok(None),
            Some(Ok(v)) => Ok(Some(v)),
            Some(Err(_)) => self.failed(|| self.too_large("", "")),
        };
        let result: PrimitiveArray<Int64Type> = values.map(|v| v.and_then(whole)).collect::<Result<_>>()?;
        Ok(Arc::new(result))
    }

    fn decimal(&self, a: i128, b: i128) -> Result<Option<i128>> {
        let (SparkType::Decimal(_, s1), SparkType::Decimal(_, s2)) = (&self.left, &self.right) else {
            return Err(DataFusionError::Internal("decimal arithmetic on other types".into()));
        };
        let (precision, scale) = match self.result {
            SparkType::Decimal(precision, scale) => (precision, scale),
            _ => (MAX_PRECISION, 0),
        };
        if self.operation.divides() && b == 0 {
            return self.by_zero();
        }
        // 38 digits and 38 more for the scale fit into 256 bits.
        let common = (*s1).max(*s2);
        let up = |v: i128, from: u8, to: u8| i256::from_i128(v).wrapping_mul(ten(to - from));
        let (x, y) = (up(a, *s1, common), up(b, *s2, common));
        let (value, value_scale) = match self.operation {
            Operation::Add => (x.wrapping_add(y), common),
            Operation::Subtract | Operation::Negate => (x.wrapping_sub(y), common),
            Operation::Multiply => (i256::from_i128(a).wrapping_mul(i256::from_i128(b)), s1 + s2),
            Operation::Divide => (divide(x, y, scale), scale),
            Operation::IntegralDivide => (x.wrapping_div(y), 0),
            Operation::Remainder => (x.wrapping_rem(y), common),
            Operation::Modulo => (x.wrapping_rem(y).wrapping_add(y).wrapping_rem(y), common),
        };
        let rounded = if value_scale > scale {
            half_up(value, ten(value_scale - scale))
        } else {
            value.wrapping_mul(ten(scale - value_scale))
        };
        match rounded.to_i128().filter(|v| super::decimal::fits(*v, precision)) {
            Some(fits) => Ok(Some(fits)),
            None => self.failed(|| decimal_too_large(value, value_scale, precision, scale)),
        }
    }

    fn failed<T>(&self, error: impl Fn() -> DataFusionError) -> Result<Option<T>> {
        match self.overflow {
            Overflow::Error => Err(error()),
            Overflow::Null | Overflow::Legacy => Ok(None),
        }
    }

    fn by_zero<T>(&self) -> Result<Option<T>> {
        let condition = match self.operation {
            Operation::Remainder | Operation::Modulo => "REMAINDER_BY_ZERO",
            _ => "DIVIDE_BY_ZERO",
        };
        self.failed(|| external(SparkError::new(condition, [("config", "\"spark.sql.ansi.enabled\"")])))
    }

    /// Small integers name both operands in the error, the others do not.
    fn too_large(&self, a: &str, b: &str) -> DataFusionError {
        let (sign, instead) = match self.operation {
            Operation::Add => ("+", "try_add"),
            Operation::Subtract => ("-", "try_subtract"),
            Operation::Multiply => ("*", "try_multiply"),
            Operation::Divide | Operation::IntegralDivide => ("div", "try_divide"),
            Operation::Remainder | Operation::Modulo | Operation::Negate => ("-", ""),
        };
        let alternative = match instead {
            "" => String::new(),
            name => format!(" Use '{name}' to tolerate overflow and return NULL instead."),
        };
        match (&self.left, self.operation) {
            (_, Operation::IntegralDivide) => overflowed("Overflow in integral divide", &alternative),
            (SparkType::Byte | SparkType::Short, Operation::Negate) => {
                overflowed(&format!("- {b}S caused overflow"), &alternative)
            }
            (SparkType::Byte | SparkType::Short, _) => external(SparkError::new(
                "BINARY_ARITHMETIC_OVERFLOW",
                [
                    ("value1", format!("{a}S")),
                    ("symbol", sign.to_owned()),
                    ("value2", format!("{b}S")),
                    ("functionName", format!("`{instead}`")),
                ],
            )),
            _ => overflowed("overflow", &alternative),
        }
    }
}

/// The error of a decimal with more digits than its type has.
fn decimal_too_large(value: i256, value_scale: u8, precision: u8, scale: u8) -> DataFusionError {
    let digits = value.wrapping_abs().to_string();
    let places = usize::from(value_scale);
    let padded = format!("{digits:0>width$}", width = places + 1);
    let (whole, fraction) = padded.split_at(padded.len() - places);
    let sign = if value < i256::ZERO { "-" } else { "" };
    let point = if places > 0 { "." } else { "" };
    external(SparkError::new(
        "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
        [
            ("value", format!("{sign}{whole}{point}{fraction}")),
            ("precision", precision.to_string()),
            ("scale", scale.to_string()),
            ("config", "\"spark.sql.ansi.enabled\"".to_owned()),
        ],
    ))
}

/// The error of an integer that does not fit.
pub(crate) fn overflowed(message: &str, alternative: &str) -> DataFusionError {
    external(SparkError::new(
        "ARITHMETIC_OVERFLOW",
        [("message", message), ("alternative", alternative), ("config", "\"spark.sql.ansi.enabled\"")],
    ))
}

fn ten(exponent: u8) -> i256 {
    let (low, high) = (exponent.min(MAX_PRECISION), exponent.saturating_sub(MAX_PRECISION));
    let power = |e: u8| i256::from_i128(power_of_ten(u32::from(e)));
    power(low).wrapping_mul(power(high))
}

fn half_up(value: i256, divisor: i256) -> i256 {
    let (quotient, rest) = (value.wrapping_div(divisor), value.wrapping_rem(divisor));
    let twice = rest.wrapping_abs().wrapping_add(rest.wrapping_abs());
    if twice < divisor.wrapping_abs() {
        return quotient;
    }
    let negative = (value < i256::ZERO) != (divisor < i256::ZERO);
    if negative { quotient.wrapping_sub(i256::ONE) } else { quotient.wrapping_add(i256::ONE) }
}

/// `x / y` with `scale` digits behind the point, rounded half up.
fn divide(x: i256, y: i256, scale: u8) -> i256 {
    half_up(x.wrapping_mul(ten(scale)), y)
}
