//! Intervals by themselves: signs, multiples, parts, and how they are cast.
//!
//! A product or quotient has all fields of its kind and is rounded half away from zero.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, DurationMicrosecondType, Float64Type, Int8Type, Int32Type, IntervalYearMonthType,
};
use arrow_array::{Array, ArrayRef, PrimitiveArray, StringViewArray};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;

use super::arithmetic::{Operation, overflowed};
use super::external;
use super::udf::{self, Evaluation, Kernel};
use crate::analyzer::{Conf, Label, Typed, cast_to};
use crate::error::SparkError;
use crate::types::{SparkType, day_time_interval_text, year_month_interval_text};

const MICROS_PER_DAY: i64 = 86_400_000_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Change {
    Negative,
    Absolute,
    Multiply,
    Divide,
    Part(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct IntervalMath {
    change: Change,
    result: SparkType,
}

/// Whether it is one of the two kinds of interval.
pub(crate) fn is_interval(data_type: &SparkType) -> bool {
    matches!(data_type, SparkType::DayTimeInterval(..) | SparkType::YearMonthInterval(..))
}

/// `- interval`.
pub(crate) fn negative_interval(child: Typed, sql: String) -> Typed {
    let kernel = IntervalMath { change: Change::Negative, result: child.data_type.clone() };
    Typed { expr: udf::call(kernel, vec![child.expr]), sql, label: Label::Sql, ..child }
}

/// `abs(interval)`; none for other types.
pub(crate) fn absolute_interval(arg: &Typed) -> Option<(SparkType, datafusion::logical_expr::Expr)> {
    let kernel = IntervalMath { change: Change::Absolute, result: arg.data_type.clone() };
    is_interval(&arg.data_type).then(|| (arg.data_type.clone(), udf::call(kernel, vec![arg.expr.clone()])))
}

/// `interval * number`, `number * interval`, `interval / number`; none for other types.
///
/// # Errors
/// A session time zone that does not exist.
pub(crate) fn multiple(
    operation: Operation,
    left: &Typed,
    right: &Typed,
    sql: &str,
    conf: &Conf,
) -> crate::error::Result<Option<Typed>> {
    let swap = operation == Operation::Multiply && is_interval(&right.data_type);
    let (interval, number) = if swap { (right, left) } else { (left, right) };
    let change = match operation {
        Operation::Multiply => Change::Multiply,
        Operation::Divide => Change::Divide,
        _ => return Ok(None),
    };
    let numeric = matches!(number.data_type, SparkType::String | SparkType::Null)
        || super::cast::verdict(&number.data_type, &SparkType::Double, true) == super::cast::Verdict::Allowed;
    if !is_interval(&interval.data_type) || is_interval(&number.data_type) || !numeric {
        return Ok(None);
    }
    let result = match interval.data_type {
        SparkType::DayTimeInterval(..) => SparkType::DAY_TIME,
        _ => SparkType::YEAR_MONTH,
    };
    let by = cast_to(number.clone(), &SparkType::Double, conf)?;
    let kernel = IntervalMath { change, result: result.clone() };
    Ok(Some(Typed {
        expr: udf::call(kernel, vec![interval.expr.clone(), by.expr]),
        data_type: result,
        nullable: left.nullable || right.nullable,
        sql: sql.to_owned(),
        label: Label::Sql,
        foldable: left.foldable && right.foldable,
    }))
}

/// A part of an interval: `extract(HOUR FROM i)`. None if it has no such part.
pub(crate) fn interval_part(child: &Typed, field: &str) -> Option<Typed> {
    let (part, result) = match (&child.data_type, field) {
        (SparkType::YearMonthInterval(..), "year") => ("year", SparkType::Integer),
        (SparkType::YearMonthInterval(..), "month") => ("month", SparkType::Byte),
        (SparkType::DayTimeInterval(..), "day") => ("day", SparkType::Integer),
        (SparkType::DayTimeInterval(..), "hour") => ("hour", SparkType::Byte),
        (SparkType::DayTimeInterval(..), "minute") => ("minute", SparkType::Byte),
        (SparkType::DayTimeInterval(..), "second") => ("second", SparkType::Decimal(8, 6)),
        _ => return None,
    };
    let kernel = IntervalMath { change: Change::Part(part), result: result.clone() };
    let expr = udf::call(kernel, vec![child.expr.clone()]);
    Some(Typed { expr, data_type: result, label: Label::Sql, ..child.clone() })
}

/// An interval as text by the fields of its type; none if it is no interval.
pub(crate) fn interval_text(array: &ArrayRef, from: &SparkType) -> Option<ArrayRef> {
    let text: StringViewArray = match from {
        SparkType::DayTimeInterval(first, last) => array
            .as_primitive::<DurationMicrosecondType>()
            .iter()
            .map(|v| v.map(|v| day_time_interval_text(v, *first, *last)))
            .collect(),
        SparkType::YearMonthInterval(first, last) => array
            .as_primitive::<IntervalYearMonthType>()
            .iter()
            .map(|v| v.map(|v| year_month_interval_text(v, *first, *last)))
            .collect(),
        _ => return None,
    };
    Some(Arc::new(text))
}

impl Kernel for IntervalMath {
    fn name(&self) -> &str {
        match self.change {
            Change::Negative => "negative",
            Change::Absolute => "abs",
            Change::Multiply => "multiply_interval",
            Change::Divide => "divide_interval",
            Change::Part(part) => part,
        }
    }

    fn return_type(&self) -> DataType {
        self.result.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let days = matches!(args[0].data_type(), DataType::Duration(_));
        match self.change {
            Change::Part(part) if days => Ok(day_time_part(&args[0], part)?),
            Change::Part(part) => Ok(year_month_part(&args[0], part)),
            _ if days => {
                let spans = args[0].as_primitive::<DurationMicrosecondType>();
                let made: PrimitiveArray<DurationMicrosecondType> = (0..spans.len())
                    .map(|row| {
                        spans
                            .is_valid(row)
                            .then(|| spans.value(row))
                            .map_or(Ok(None), |v| self.one(v, args, row))
                    })
                    .collect::<Result<_>>()?;
                Ok(Arc::new(made))
            }
            _ => {
                let spans = args[0].as_primitive::<IntervalYearMonthType>();
                let made: PrimitiveArray<IntervalYearMonthType> = (0..spans.len())
                    .map(|row| {
                        if spans.is_null(row) {
                            return Ok(None);
                        }
                        let made = self.one(i64::from(spans.value(row)), args, row)?;
                        made.map(|v| i32::try_from(v).map_err(|_| too_large())).transpose()
                    })
                    .collect::<Result<_>>()?;
                Ok(Arc::new(made))
            }
        }
    }
}

impl IntervalMath {
    fn one(&self, value: i64, args: &[ArrayRef], row: usize) -> Result<Option<i64>> {
        if self.change == Change::Negative {
            return value.checked_neg().map(Some).ok_or_else(too_large);
        }
        if self.change == Change::Absolute {
            return value.checked_abs().map(Some).ok_or_else(too_large);
        }
        let by = args[1].as_primitive::<Float64Type>();
        if by.is_null(row) {
            return Ok(None);
        }
        let by = by.value(row);
        if self.change == Change::Divide && by == 0.0 {
            return Err(external(SparkError::new::<&str, &str>("INTERVAL_DIVIDED_BY_ZERO", [])));
        }
        #[expect(clippy::cast_precision_loss, reason = "as Spark computes with fractions")]
        let exact = if self.change == Change::Divide { value as f64 / by } else { value as f64 * by };
        let rounded = exact.round();
        if !rounded.is_finite() || rounded.abs() >= 9.223_372_036_854_775e18 {
            return Err(too_large());
        }
        #[expect(clippy::cast_possible_truncation, reason = "checked above")]
        Ok(Some(rounded as i64))
    }
}

fn too_large() -> DataFusionError {
    overflowed("overflow", "")
}

fn day_time_part(array: &ArrayRef, part: &str) -> Result<ArrayRef> {
    let spans = array.as_primitive::<DurationMicrosecondType>();
    let byte = |each: i64, wrap: i64| -> ArrayRef {
        Arc::new(spans.unary::<_, Int8Type>(|v| i8::try_from(v / each % wrap).unwrap_or(0)))
    };
    Ok(match part {
        "day" => Arc::new(spans.unary::<_, Int32Type>(|v| i32::try_from(v / MICROS_PER_DAY).unwrap_or(0))),
        "hour" => byte(3_600_000_000, 24),
        "minute" => byte(60_000_000, 60),
        _ => {
            let seconds = spans.unary::<_, Decimal128Type>(|v| i128::from(v % 60_000_000));
            Arc::new(seconds.with_precision_and_scale(8, 6)?)
        }
    })
}

fn year_month_part(array: &ArrayRef, part: &str) -> ArrayRef {
    let spans = array.as_primitive::<IntervalYearMonthType>();
    match part {
        "year" => Arc::new(spans.unary::<_, Int32Type>(|v| v / 12)),
        _ => Arc::new(spans.unary::<_, Int8Type>(|v| i8::try_from(v % 12).unwrap_or(0))),
    }
}
