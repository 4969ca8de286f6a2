//! Bits of whole numbers: `& | ^ ~ << >> >>>`, `bit_count`, `bin`.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, ArrayRef, Int8Array, Int32Array, Int64Array};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::scalar::ScalarValue;

use crate::analyzer::{
    Conf, Expected, Label, Typed, cast_to, common_type, errors, implicit_cast, is_integral,
};
use crate::error::SparkError;
use crate::functions::call::Call;
use crate::functions::external;
use crate::functions::rows::{each, int, ints, long, longs, texts};
use crate::functions::simple::Simple;
use crate::functions::udf::{self, Evaluation, Kernel};
use crate::types::SparkType;

const LONG: Expected = Expected::Exactly(SparkType::Long);

/// Functions of fixed types.
pub(super) static SIMPLE: &[Simple] = &[
    Simple { name: "bit_count", params: &[LONG], optional: 0, returns: SparkType::Integer, run: bit_count },
    Simple {
        name: "factorial",
        params: &[Expected::Exactly(SparkType::Integer)],
        optional: 0,
        returns: SparkType::Long,
        run: factorial,
    },
    Simple { name: "bin", params: &[LONG], optional: 0, returns: SparkType::String, run: bin },
];

fn bit_count(args: &[ArrayRef]) -> Result<ArrayRef> {
    ints(args, |row| Ok(i32::try_from(long(args, 0).value(row).count_ones()).ok()))
}

/// NULL outside 0 to 20.
fn factorial(args: &[ArrayRef]) -> Result<ArrayRef> {
    longs(args, |row| {
        let value = i64::from(int(args, 0).value(row));
        Ok((0..=20).contains(&value).then(|| (1..=value).product()))
    })
}

fn bin(args: &[ArrayRef]) -> Result<ArrayRef> {
    texts(args, |row| Ok(Some(format!("{:b}", long(args, 0).value(row)))))
}

/// One bit of a number, counted from the lowest.
pub(super) fn bit_get(call: &Call<'_>) -> crate::error::Result<Typed> {
    let number = implicit_cast(&call.args[0], &Expected::Integral, call.conf)?
        .filter(|_| call.args[0].data_type != SparkType::String)
        .ok_or_else(|| errors::unexpected_input(&call.sql(), 0, "\"INTEGRAL\"", &call.args[0]))?;
    let width = match number.data_type {
        SparkType::Byte => 8,
        SparkType::Short => 16,
        SparkType::Integer => 32,
        _ => 64,
    };
    let args = vec![cast_to(number, &SparkType::Long, call.conf)?, call.take_as(1, SparkType::Integer)?];
    Ok(call.finish(BitGet { name: call.name.clone(), width }, args, SparkType::Byte))
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct BitGet {
    name: String,
    width: i32,
}

impl Kernel for BitGet {
    fn name(&self) -> &str {
        &self.name
    }

    fn return_type(&self) -> DataType {
        DataType::Int8
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        each::<_, Int8Array>(args, |row| {
            let place = int(args, 1).value(row);
            if !(0..self.width).contains(&place) {
                let parameters = [
                    ("functionName", format!("`{}`", self.name)),
                    ("parameter", "`pos`".to_owned()),
                    ("upper", self.width.to_string()),
                    ("invalidValue", place.to_string()),
                ];
                return Err(external(SparkError::new(
                    "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE",
                    parameters,
                )));
            }
            Ok(Some(i8::from(long(args, 0).value(row) >> place & 1 == 1)))
        })
    }
}

/// `a & b`, `a | b`, `a ^ b` on whole numbers of one type.
///
/// # Errors
/// Other types.
pub(crate) fn bit_operator(
    sign: &str,
    left: &Typed,
    right: &Typed,
    conf: &Conf,
) -> crate::error::Result<Typed> {
    let sql = format!("({} {sign} {})", left.sql, right.sql);
    let operator = match sign {
        "&" => Operator::BitwiseAnd,
        "|" => Operator::BitwiseOr,
        _ => Operator::BitwiseXor,
    };
    let common = common_type(&left.data_type, &right.data_type, conf)
        .ok_or_else(|| errors::different_operands(&sql, &left.data_type, &right.data_type))?;
    if !is_integral(&common) {
        if left.data_type != right.data_type {
            return Err(errors::different_operands(&sql, &left.data_type, &right.data_type));
        }
        return Err(errors::wrong_operand(&sql, "\"INTEGRAL\"", &common));
    }
    let nullable = left.nullable || right.nullable;
    let foldable = left.foldable && right.foldable;
    let (left, right) = (cast_to(left.clone(), &common, conf)?, cast_to(right.clone(), &common, conf)?);
    let expr = Expr::BinaryExpr(BinaryExpr::new(Box::new(left.expr), operator, Box::new(right.expr)));
    Ok(Typed { foldable, ..Typed::new(expr, common, sql).nullable(nullable) })
}

/// `~a`.
///
/// # Errors
/// What is no whole number.
pub(crate) fn bit_not(child: &Typed, conf: &Conf) -> crate::error::Result<Typed> {
    let sql = format!("~{}", child.sql);
    let arg = implicit_cast(child, &Expected::Integral, conf)?
        .ok_or_else(|| errors::unexpected_input(&sql, 0, "\"INTEGRAL\"", child))?;
    let ones = match arg.data_type {
        SparkType::Byte => ScalarValue::Int8(Some(-1)),
        SparkType::Short => ScalarValue::Int16(Some(-1)),
        SparkType::Integer => ScalarValue::Int32(Some(-1)),
        _ => ScalarValue::Int64(Some(-1)),
    };
    let ones = Box::new(Expr::Literal(ones, None));
    let expr = Expr::BinaryExpr(BinaryExpr::new(Box::new(arg.expr.clone()), Operator::BitwiseXor, ones));
    Ok(Typed { expr, sql, label: Label::Sql, ..arg })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Shift {
    Left,
    Right,
    RightUnsigned,
}

/// `a << n` and its kin: of INT or BIGINT; only the last 5 or 6 bits of `n` count.
///
/// # Errors
/// What is no whole number.
pub(crate) fn shift(sign: &str, left: &Typed, right: &Typed, conf: &Conf) -> crate::error::Result<Typed> {
    let sql = format!("({} {sign} {})", left.sql, right.sql);
    let call = Call { name: sign.to_owned(), args: vec![left.clone(), right.clone()], conf };
    Ok(Typed { sql, ..shift_call(&call)? })
}

pub(super) fn shift_call(call: &Call<'_>) -> crate::error::Result<Typed> {
    let kernel = match call.name.as_str() {
        "<<" | "shiftleft" => Shift::Left,
        ">>" | "shiftright" => Shift::Right,
        _ => Shift::RightUnsigned,
    };
    let wide = call.args[0].data_type == SparkType::Long;
    let data_type = if wide { SparkType::Long } else { SparkType::Integer };
    let args = vec![call.take_as(0, data_type.clone())?, call.take_as(1, SparkType::Integer)?];
    let nullable = args.iter().any(|a| a.nullable);
    let expr = udf::call(ShiftKernel { shift: kernel, wide }, args.into_iter().map(|a| a.expr).collect());
    Ok(call.result(expr, data_type).nullable(nullable))
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ShiftKernel {
    shift: Shift,
    wide: bool,
}

impl Kernel for ShiftKernel {
    fn name(&self) -> &str {
        match self.shift {
            Shift::Left => "shiftleft",
            Shift::Right => "shiftright",
            Shift::RightUnsigned => "shiftrightunsigned",
        }
    }

    fn return_type(&self) -> DataType {
        if self.wide { DataType::Int64 } else { DataType::Int32 }
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let by = args[1].as_primitive::<Int32Type>();
        let bits = |row: usize| by.value(row) as u32;
        let valid = |row: &usize| args[0].is_valid(*row) && by.is_valid(*row);
        let rows = 0..args[0].len();
        if self.wide {
            let of = args[0].as_primitive::<Int64Type>();
            let shifted: Int64Array = rows
                .map(|row| Some(row).filter(valid).map(|row| self.shift.long(of.value(row), bits(row))))
                .collect();
            return Ok(Arc::new(shifted));
        }
        let of = args[0].as_primitive::<Int32Type>();
        let shifted: Int32Array = rows
            .map(|row| Some(row).filter(valid).map(|row| self.shift.int(of.value(row), bits(row))))
            .collect();
        Ok(Arc::new(shifted))
    }
}

impl Shift {
    fn long(self, value: i64, by: u32) -> i64 {
        match self {
            Self::Left => value.wrapping_shl(by),
            Self::Right => value.wrapping_shr(by),
            Self::RightUnsigned => (value as u64).wrapping_shr(by) as i64,
        }
    }

    fn int(self, value: i32, by: u32) -> i32 {
        match self {
            Self::Left => value.wrapping_shl(by),
            Self::Right => value.wrapping_shr(by),
            Self::RightUnsigned => (value as u32).wrapping_shr(by) as i32,
        }
    }
}
