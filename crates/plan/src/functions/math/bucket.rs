//! `width_bucket`: in which of equally wide parts of a range a value lies.

use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::{DurationMicrosecondType, Float64Type, IntervalYearMonthType};
use arrow_schema::DataType;
use datafusion::common::Result;

use crate::analyzer::{Expected, Typed};
use crate::functions::call::Call;
use crate::functions::computed::Computed;
use crate::functions::rows::{long, longs};
use crate::types::SparkType;

/// From 1; 0 in front of the range and one more than there are behind it. NULL for no buckets and for an empty range.
pub(super) fn width_bucket(call: &Call<'_>) -> crate::error::Result<Typed> {
    const DOUBLE: Expected = Expected::Exactly(SparkType::Double);
    let kind = |t: &SparkType| match t {
        SparkType::DayTimeInterval(..) => 1,
        SparkType::YearMonthInterval(..) => 2,
        _ => 0,
    };
    let first = kind(&call.args[0].data_type);
    let intervals = first > 0 && call.args[..3].iter().all(|arg| kind(&arg.data_type) == first);
    let mut args = if intervals {
        call.args[..3].to_vec()
    } else {
        (0..3).map(|i| call.take(i, &DOUBLE)).collect::<crate::error::Result<Vec<_>>>()?
    };
    args.push(call.take_as(3, SparkType::Long)?);
    let kernel = Computed { name: "width_bucket".to_owned(), returns: SparkType::Long, run };
    Ok(call.finish(kernel, args, SparkType::Long).nullable(true))
}

fn run(args: &[ArrayRef]) -> Result<ArrayRef> {
    longs(args, |row| {
        let [value, from, to] = [0, 1, 2].map(|i| number(&args[i], row));
        Ok(bucket(value, from, to, long(args, 3).value(row)))
    })
}

#[expect(clippy::cast_precision_loss, reason = "as Spark computes with fractions")]
fn number(array: &ArrayRef, row: usize) -> f64 {
    match array.data_type() {
        DataType::Duration(_) => array.as_primitive::<DurationMicrosecondType>().value(row) as f64,
        DataType::Interval(_) => f64::from(array.as_primitive::<IntervalYearMonthType>().value(row)),
        _ => array.as_primitive::<Float64Type>().value(row),
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "as Spark computes with fractions"
)]
fn bucket(value: f64, from: f64, to: f64, count: i64) -> Option<i64> {
    let is_range = from.is_finite() && to.is_finite() && from != to;
    if count <= 0 || count == i64::MAX || value.is_nan() || !is_range {
        return None;
    }
    // A range that runs down is counted from its upper end.
    let (passed, width) = if from < to { (value - from, to - from) } else { (from - value, from - to) };
    Some(if passed < 0.0 {
        0
    } else if passed >= width {
        count + 1
    } else {
        (count as f64 * passed / width) as i64 + 1
    })
}
