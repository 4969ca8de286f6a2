//! Functions of DOUBLE. Logarithms of what has none are NULL, other functions give NaN.

use std::f64::consts;

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::{DurationMicrosecondType, IntervalYearMonthType};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

use crate::analyzer::Typed;
use crate::functions::call::{Arity, Call, Function};
use crate::functions::computed::Computed;
use crate::functions::interval_math::is_interval;
use crate::functions::rows::{double, doubles};
use crate::functions::udf::{Evaluation, Kernel};
use crate::types::SparkType;

/// A function, with the name that Spark prints.
struct Unary {
    name: &'static str,
    printed: &'static str,
    run: fn(f64) -> Option<f64>,
}

macro_rules! unary {
    ($($name:literal $printed:literal $run:expr;)*) => {
        /// Functions of one DOUBLE.
        pub(super) static UNARY: &[Function] =
            &[$(Function { name: $name, arity: Arity::exactly(1), build: unary },)*];

        const UNARY_ROWS: &[Unary] = &[$(Unary { name: $name, printed: $printed, run: $run },)*];
    };
}

unary! {
    "acos" "ACOS" |x| Some(x.acos());
    "acosh" "ACOSH" |x| Some((x + (x * x - 1.0).sqrt()).ln());
    "asin" "ASIN" |x| Some(x.asin());
    "asinh" "ASINH" |x| Some(if x == f64::NEG_INFINITY { x } else { (x + (x * x + 1.0).sqrt()).ln() });
    "atan" "ATAN" |x| Some(x.atan());
    "atanh" "ATANH" |x| Some(0.5 * (x.ln_1p() - (-x).ln_1p()));
    "cbrt" "CBRT" |x| Some(x.cbrt());
    "cos" "COS" |x| Some(x.cos());
    "cosh" "COSH" |x| Some(x.cosh());
    "cot" "COT" |x| Some(1.0 / x.tan());
    "csc" "CSC" |x| Some(1.0 / x.sin());
    "degrees" "DEGREES" |x| Some(x.to_degrees());
    "exp" "EXP" |x| Some(x.exp());
    "expm1" "EXPM1" |x| Some(x.exp_m1());
    "ln" "ln" |x| (x > 0.0 || x.is_nan()).then(|| x.ln());
    "log10" "LOG10" |x| (x > 0.0 || x.is_nan()).then(|| x.log10());
    "log1p" "LOG1P" |x| (x > -1.0 || x.is_nan()).then(|| x.ln_1p());
    "log2" "LOG2" |x| (x > 0.0 || x.is_nan()).then(|| x.ln() / 2.0_f64.ln());
    "radians" "RADIANS" |x| Some(x.to_radians());
    "rint" "rint" |x| Some(x.round_ties_even());
    "sec" "SEC" |x| Some(1.0 / x.cos());
    "sign" "sign" |x| Some(if x == 0.0 || x.is_nan() { x } else { x.signum() });
    "signum" "SIGNUM" |x| Some(if x == 0.0 || x.is_nan() { x } else { x.signum() });
    "sin" "SIN" |x| Some(x.sin());
    "sinh" "SINH" |x| Some(x.sinh());
    "sqrt" "SQRT" |x| Some(x.sqrt());
    "tan" "TAN" |x| Some(x.tan());
    "tanh" "TANH" |x| Some(x.tanh());
}

/// A function of DOUBLEs by its place in its table.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum DoubleKernel {
    Unary(usize),
    Binary(Binary),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Binary {
    Power,
    Atan2,
    Hypot,
    Log,
}

fn missing(name: &str) -> crate::error::Error {
    DataFusionError::Internal(format!("the function {name} is registered without its row")).into()
}

fn unary(call: &Call<'_>) -> crate::error::Result<Typed> {
    let at = UNARY_ROWS.iter().position(|row| row.name == call.name).ok_or_else(|| missing(&call.name))?;
    if is_interval(&call.args[0].data_type) && call.name.starts_with("sign") {
        return Ok(sign_of_interval(call, UNARY_ROWS[at].printed));
    }
    let arg = call.take_as(0, SparkType::Double)?;
    let may_be_null = call.name.starts_with("ln") || call.name.starts_with("log");
    let nullable = arg.nullable || may_be_null;
    let typed = call.finish(DoubleKernel::Unary(at), vec![arg], SparkType::Double).nullable(nullable);
    Ok(Typed { sql: format!("{}({})", UNARY_ROWS[at].printed, call.args[0].sql), ..typed })
}

fn sign_of_interval(call: &Call<'_>, printed: &str) -> Typed {
    let run = |args: &[ArrayRef]| {
        doubles(args, |row| {
            let sign = match args[0].data_type() {
                DataType::Duration(_) => {
                    args[0].as_primitive::<DurationMicrosecondType>().value(row).signum()
                }
                _ => i64::from(args[0].as_primitive::<IntervalYearMonthType>().value(row).signum()),
            };
            Ok(Some([-1.0, 0.0, 1.0][usize::try_from(sign + 1).unwrap_or(1)]))
        })
    };
    let kernel = Computed { name: "sign of an interval".to_owned(), returns: SparkType::Double, run };
    let typed = call.finish(kernel, call.args.clone(), SparkType::Double);
    Typed { sql: format!("{printed}({})", call.args[0].sql), ..typed }
}

/// `log(x)` is the natural logarithm, `log(base, x)` any.
pub(super) fn log(call: &Call<'_>) -> crate::error::Result<Typed> {
    if call.args.len() == 1 {
        return unary(&Call { name: "ln".to_owned(), args: call.args.clone(), conf: call.conf });
    }
    two(call, Binary::Log, "LOG").map(|typed| typed.nullable(true))
}

pub(super) fn binary(call: &Call<'_>) -> crate::error::Result<Typed> {
    match call.name.as_str() {
        "pow" => two(call, Binary::Power, "pow"),
        "power" => two(call, Binary::Power, "POWER"),
        "atan2" => two(call, Binary::Atan2, "ATAN2"),
        _ => two(call, Binary::Hypot, "HYPOT"),
    }
}

fn two(call: &Call<'_>, function: Binary, printed: &str) -> crate::error::Result<Typed> {
    let args = vec![call.take_as(0, SparkType::Double)?, call.take_as(1, SparkType::Double)?];
    let typed = call.finish(DoubleKernel::Binary(function), args, SparkType::Double);
    Ok(Typed { sql: format!("{printed}({}, {})", call.args[0].sql, call.args[1].sql), ..typed })
}

pub(super) fn constant(call: &Call<'_>) -> crate::error::Result<Typed> {
    let value = if call.name == "e" { consts::E } else { consts::PI };
    let expr = Expr::Literal(ScalarValue::Float64(Some(value)), None);
    let typed = call.result(expr, SparkType::Double).nullable(false);
    Ok(Typed { foldable: true, sql: format!("{}()", call.name.to_uppercase()), ..typed })
}

impl Kernel for DoubleKernel {
    fn name(&self) -> &str {
        match self {
            Self::Unary(at) => UNARY_ROWS[*at].name,
            Self::Binary(Binary::Power) => "power",
            Self::Binary(Binary::Atan2) => "atan2",
            Self::Binary(Binary::Hypot) => "hypot",
            Self::Binary(Binary::Log) => "log",
        }
    }

    fn return_type(&self) -> DataType {
        DataType::Float64
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        doubles(args, |row| {
            let x = double(args, 0).value(row);
            Ok(match self {
                Self::Unary(at) => (UNARY_ROWS[*at].run)(x),
                Self::Binary(function) => function.run(x, double(args, 1).value(row)),
            })
        })
    }
}

impl Binary {
    fn run(self, x: f64, y: f64) -> Option<f64> {
        match self {
            // In Java a power of ±1 to NaN or infinity is NaN, in IEEE 754 it is 1.
            Self::Power if y.is_nan() || (x.abs() == 1.0 && y.is_infinite()) => Some(f64::NAN),
            Self::Power => Some(x.powf(y)),
            Self::Atan2 => Some((x + 0.0).atan2(y + 0.0)),
            Self::Hypot => Some(x.hypot(y)),
            Self::Log => {
                // NaN is no number that is too small.
                let has_one = |v: f64| v > 0.0 || v.is_nan();
                (has_one(x) && has_one(y)).then(|| y.ln() / x.ln())
            }
        }
    }
}
