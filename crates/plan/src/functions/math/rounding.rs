//! `abs`, `round`, `bround`, `ceil`, `floor`: exact in the type of their argument.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, Decimal128Array, Int64Array, PrimitiveArray};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::scalar::ScalarValue;

use crate::analyzer::{Expected, Typed, decimal_for};
use crate::error::{Error, SparkError};
use crate::functions::call::Call;
use crate::functions::external;
use crate::functions::interval_math::absolute_interval;
use crate::functions::signed;
use crate::functions::udf::{Evaluation, Kernel};
use crate::types::SparkType;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Rounding {
    Abs { strict: bool },
    HalfUp { digits: i32 },
    HalfEven { digits: i32 },
    Ceil,
    Floor,
    CeilTo { digits: i32 },
    FloorTo { digits: i32 },
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct RoundingKernel {
    rounding: Rounding,
    returns: SparkType,
}

/// Overflow of the smallest whole number is an error under ANSI.
pub(super) fn abs(call: &Call<'_>) -> crate::error::Result<Typed> {
    if let Some((data_type, expr)) = absolute_interval(&call.args[0]) {
        return Ok(call.result(expr, data_type));
    }
    let arg = call.take(0, &Expected::Numeric)?;
    let returns = arg.data_type.clone();
    let kernel =
        RoundingKernel { rounding: Rounding::Abs { strict: call.conf.ansi() }, returns: returns.clone() };
    Ok(call.finish(kernel, vec![arg], returns))
}

pub(super) fn round(call: &Call<'_>) -> crate::error::Result<Typed> {
    to_digits(call, |digits| Rounding::HalfUp { digits })
}

pub(super) fn bround(call: &Call<'_>) -> crate::error::Result<Typed> {
    to_digits(call, |digits| Rounding::HalfEven { digits })
}

fn to_digits(call: &Call<'_>, rounding: fn(i32) -> Rounding) -> crate::error::Result<Typed> {
    let arg = call.take(0, &Expected::Numeric)?;
    let digits = match call.args.len() {
        1 => 0,
        _ if !call.args[1].foldable => {
            return Err(Error::unsupported(format!("{} to digits that are not a constant", call.name)));
        }
        _ => match call.constant(1, "scale", &SparkType::Integer)? {
            ScalarValue::Int32(Some(digits)) => digits,
            _ => return Err(Error::unsupported(format!("{} to NULL digits", call.name))),
        },
    };
    let returns = rounded_type(&arg.data_type, digits);
    let kernel = RoundingKernel { rounding: rounding(digits), returns: returns.clone() };
    let typed = call.finish(kernel, vec![arg], returns);
    Ok(Typed { sql: format!("{}({}, {digits})", call.name, call.args[0].sql), ..typed })
}

/// A decimal keeps the digits before the point, one more for the carry, and those asked for behind it.
fn rounded_type(data_type: &SparkType, digits: i32) -> SparkType {
    let SparkType::Decimal(precision, scale) = data_type else {
        return data_type.clone();
    };
    let (precision, scale) = (i32::from(*precision), i32::from(*scale));
    let kept = if digits < 0 { 0 } else { digits.min(scale) };
    let whole = (precision - scale + 1).max(if digits < 0 { 1 - digits } else { 0 });
    let small = |n: i32| u8::try_from(n).unwrap_or(38).min(38);
    SparkType::Decimal(small(whole + kept), small(kept))
}

pub(super) fn ceil(call: &Call<'_>) -> crate::error::Result<Typed> {
    whole(call, Rounding::Ceil)
}

pub(super) fn floor(call: &Call<'_>) -> crate::error::Result<Typed> {
    whole(call, Rounding::Floor)
}

/// To digits: always a decimal.
fn to_scale(call: &Call<'_>, rounding: &Rounding) -> crate::error::Result<Typed> {
    let digits = match call.constant(1, "scale", &SparkType::Integer)? {
        ScalarValue::Int32(Some(digits)) => digits,
        _ => return Err(Error::unsupported(format!("{} to NULL digits", call.name))),
    };
    let arg = match &call.args[0].data_type {
        SparkType::Decimal(..) => call.args[0].clone(),
        other => {
            let (precision, scale) = decimal_for(other).unwrap_or((30, 15));
            call.take_as(0, SparkType::Decimal(precision, scale))?
        }
    };
    let returns = rounded_type(&arg.data_type, digits);
    let rounding = match rounding {
        Rounding::Floor => Rounding::FloorTo { digits },
        _ => Rounding::CeilTo { digits },
    };
    Ok(call.finish(RoundingKernel { rounding, returns: returns.clone() }, vec![arg], returns))
}

/// BIGINT, or a decimal without fraction.
fn whole(call: &Call<'_>, rounding: Rounding) -> crate::error::Result<Typed> {
    if call.args.len() == 2 {
        return to_scale(call, &rounding);
    }
    let arg = match call.args[0].data_type {
        SparkType::Decimal(..) => call.args[0].clone(),
        SparkType::Byte | SparkType::Short | SparkType::Integer | SparkType::Long => {
            call.take_as(0, SparkType::Long)?
        }
        _ => call.take_as(0, SparkType::Double)?,
    };
    let returns = match arg.data_type {
        SparkType::Decimal(precision, scale) => SparkType::Decimal((precision - scale + 1).min(38), 0),
        _ => SparkType::Long,
    };
    let printed = if call.name == "ceiling" { "ceiling".to_owned() } else { call.name.to_uppercase() };
    let typed = call.finish(RoundingKernel { rounding, returns: returns.clone() }, vec![arg], returns);
    Ok(Typed { sql: format!("{printed}({})", call.args[0].sql), ..typed })
}

impl Kernel for RoundingKernel {
    fn name(&self) -> &str {
        match self.rounding {
            Rounding::Abs { .. } => "abs",
            Rounding::HalfUp { .. } => "round",
            Rounding::HalfEven { .. } => "bround",
            Rounding::Ceil | Rounding::CeilTo { .. } => "ceil",
            Rounding::Floor | Rounding::FloorTo { .. } => "floor",
        }
    }

    fn return_type(&self) -> DataType {
        self.returns.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let array = args[0].as_ref();
        match array.data_type() {
            DataType::Int8 => self.integers::<Int8Type>(array),
            DataType::Int16 => self.integers::<Int16Type>(array),
            DataType::Int32 => self.integers::<Int32Type>(array),
            DataType::Int64 => self.integers::<Int64Type>(array),
            DataType::Decimal128(_, scale) => self.decimals(array, i32::from(*scale)),
            DataType::Float32 => {
                let rounded =
                    array.as_primitive::<Float32Type>().unary::<_, Float32Type>(|v| match self.rounding {
                        Rounding::Abs { .. } => v.abs(),
                        // By the shortest decimal form of the FLOAT, not of its DOUBLE.
                        _ => self.decimal_form(&v.to_string(), f64::from(v)) as f32,
                    });
                Ok(Arc::new(rounded))
            }
            _ => self.doubles(array),
        }
    }
}

impl RoundingKernel {
    fn integers<T>(&self, array: &dyn Array) -> Result<ArrayRef>
    where
        T: ArrowPrimitiveType<Native: Into<i128> + TryFrom<i128>>,
    {
        let rounded: PrimitiveArray<T> = array
            .as_primitive::<T>()
            .iter()
            .map(|value| {
                let Some(value) = value else { return Ok(None) };
                let value: i128 = value.into();
                let result = match self.rounding {
                    Rounding::Abs { .. } => value.abs(),
                    Rounding::HalfUp { digits } => at_power(value, -digits, half_up),
                    Rounding::HalfEven { digits } => at_power(value, -digits, half_even),
                    _ => value,
                };
                match T::Native::try_from(result) {
                    Ok(result) => Ok(Some(result)),
                    Err(_) if self.rounding == (Rounding::Abs { strict: false }) => {
                        Ok(T::Native::try_from(value).ok())
                    }
                    Err(_) => Err(external(overflow(&self.rounding))),
                }
            })
            .collect::<Result<_>>()?;
        Ok(Arc::new(rounded))
    }

    fn decimals(&self, array: &dyn Array, scale: i32) -> Result<ArrayRef> {
        let SparkType::Decimal(precision, new_scale) = self.returns else {
            return Err(DataFusionError::Internal("a rounded decimal must stay a decimal".into()));
        };
        let rounded: Decimal128Array =
            array.as_primitive::<Decimal128Type>().unary(|value| match self.rounding {
                Rounding::Abs { .. } => value.abs(),
                Rounding::HalfUp { digits } => cut(value, scale, digits, new_scale, half_up),
                Rounding::HalfEven { digits } => cut(value, scale, digits, new_scale, half_even),
                Rounding::Ceil => cut(value, scale, 0, 0, |v, by| -(-v).div_euclid(by)),
                Rounding::Floor => cut(value, scale, 0, 0, i128::div_euclid),
                Rounding::CeilTo { digits } => {
                    cut(value, scale, digits, new_scale, |v, by| -(-v).div_euclid(by))
                }
                Rounding::FloorTo { digits } => cut(value, scale, digits, new_scale, i128::div_euclid),
            });
        Ok(Arc::new(rounded.with_precision_and_scale(precision, signed(new_scale))?))
    }

    fn doubles(&self, array: &dyn Array) -> Result<ArrayRef> {
        let values = array.as_primitive::<Float64Type>();
        match self.rounding {
            // Like Java's cast of a double to long: NaN is 0, the rest saturates.
            Rounding::Ceil => Ok(Arc::new(values.unary::<_, Int64Type>(|v| v.ceil() as i64) as Int64Array)),
            Rounding::Floor => Ok(Arc::new(values.unary::<_, Int64Type>(|v| v.floor() as i64) as Int64Array)),
            Rounding::Abs { .. } => Ok(Arc::new(values.unary::<_, Float64Type>(f64::abs))),
            _ => Ok(Arc::new(values.unary::<_, Float64Type>(|v| self.decimal_form(&v.to_string(), v)))),
        }
    }

    /// A number rounded in its shortest decimal form, so that 2.675 becomes 2.68.
    fn decimal_form(&self, shortest: &str, value: f64) -> f64 {
        let (Rounding::HalfUp { digits } | Rounding::HalfEven { digits }) = self.rounding else {
            return value;
        };
        if !value.is_finite() {
            return value;
        }
        let (whole, fraction) = shortest.split_once('.').unwrap_or((shortest, ""));
        let (Ok(kept), Ok(places)) = (usize::try_from(digits.max(0)), i32::try_from(fraction.len())) else {
            return value;
        };
        if fraction.len() <= kept && digits >= 0 {
            return value;
        }
        // Digits that no 128 bit number holds are far behind what rounding can see, or far before it.
        let Ok(unscaled) = format!("{whole}{fraction}").parse::<i128>() else { return value };
        let rule = if matches!(self.rounding, Rounding::HalfUp { .. }) { half_up } else { half_even };
        let rounded = at_power(unscaled, places - digits, rule);
        let result = format!("{rounded}e-{places}").parse().unwrap_or(value);
        if result == 0.0 && value.is_sign_negative() { -0.0 } else { result }
    }
}

fn overflow(rounding: &Rounding) -> SparkError {
    let message = if matches!(rounding, Rounding::Abs { .. }) { "overflow" } else { "Overflow" };
    let parameters = [("message", message), ("alternative", ""), ("config", "\"spark.sql.ansi.enabled\"")];
    SparkError::new("ARITHMETIC_OVERFLOW", parameters)
}

/// A number divided by a power of ten, by a rule, and multiplied again.
fn at_power(value: i128, power: i32, rule: fn(i128, i128) -> i128) -> i128 {
    match u32::try_from(power) {
        Err(_) | Ok(0) => value,
        Ok(power) => match 10i128.checked_pow(power) {
            Some(by) => rule(value, by) * by,
            None => 0,
        },
    }
}

/// A decimal with `digits` behind the point, in a new scale.
fn cut(value: i128, scale: i32, digits: i32, new_scale: u8, rule: fn(i128, i128) -> i128) -> i128 {
    let rounded = at_power(value, scale - digits, rule);
    match u32::try_from(scale - i32::from(new_scale)).ok().and_then(|dropped| 10i128.checked_pow(dropped)) {
        Some(by) => rounded / by,
        None => rounded,
    }
}

fn half_up(value: i128, by: i128) -> i128 {
    let (quotient, rest) = (value / by, value % by);
    if rest.abs() * 2 >= by { quotient + value.signum() } else { quotient }
}

fn half_even(value: i128, by: i128) -> i128 {
    let (quotient, rest) = (value / by, value % by);
    let twice = rest.abs() * 2;
    let up = twice > by || (twice == by && quotient % 2 != 0);
    if up { quotient + value.signum() } else { quotient }
}
