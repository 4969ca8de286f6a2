//! Times as numbers since 1970-01-01 00:00 UTC, and back.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, PrimitiveArray};
use datafusion::common::Result;

use crate::analyzer::{Expected, Label, Typed, cast_to};
use crate::functions::arithmetic::overflowed;
use crate::functions::call::Call;
use crate::functions::simple::Simple;
use crate::types::SparkType;

fn divided(args: &[ArrayRef], unit: i64) -> Result<ArrayRef> {
    let times = args[0].as_primitive::<TimestampMicrosecondType>();
    Ok(Arc::new(times.unary::<_, Int64Type>(|v| v.div_euclid(unit))))
}

fn multiplied(args: &[ArrayRef], unit: i64) -> Result<ArrayRef> {
    let numbers = args[0].as_primitive::<Int64Type>();
    let times: PrimitiveArray<TimestampMicrosecondType> = numbers
        .iter()
        .map(|v| match v.map(|v| v.checked_mul(unit)) {
            None => Ok(None),
            Some(Some(micros)) => Ok(Some(micros)),
            Some(None) => Err(overflowed("long overflow", "")),
        })
        .collect::<Result<_>>()?;
    Ok(Arc::new(times.with_timezone("UTC")))
}

pub(super) fn unix_seconds(args: &[ArrayRef]) -> Result<ArrayRef> {
    divided(args, 1_000_000)
}

pub(super) fn unix_millis(args: &[ArrayRef]) -> Result<ArrayRef> {
    divided(args, 1_000)
}

pub(super) fn unix_micros(args: &[ArrayRef]) -> Result<ArrayRef> {
    divided(args, 1)
}

pub(super) fn unix_date(args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(args[0].as_primitive::<Date32Type>().unary::<_, Int32Type>(|d| d)))
}

/// A number with a fraction keeps it.
pub(super) fn timestamp_seconds(call: &Call<'_>) -> crate::error::Result<Typed> {
    static WHOLE: Simple = Simple {
        name: "timestamp_seconds",
        params: &[Expected::Exactly(SparkType::Long)],
        optional: 0,
        returns: SparkType::Timestamp,
        run: of_seconds,
    };
    match call.args[0].data_type {
        SparkType::Decimal(..) | SparkType::Float | SparkType::Double => {
            let typed = cast_to(call.args[0].clone(), &SparkType::Timestamp, call.conf)?;
            Ok(Typed { sql: call.sql(), label: Label::Sql, ..typed })
        }
        _ => WHOLE.build(call),
    }
}

fn of_seconds(args: &[ArrayRef]) -> Result<ArrayRef> {
    multiplied(args, 1_000_000)
}

pub(super) fn of_millis(args: &[ArrayRef]) -> Result<ArrayRef> {
    multiplied(args, 1_000)
}

pub(super) fn of_micros(args: &[ArrayRef]) -> Result<ArrayRef> {
    multiplied(args, 1)
}

pub(super) fn of_days(args: &[ArrayRef]) -> Result<ArrayRef> {
    Ok(Arc::new(args[0].as_primitive::<Int32Type>().unary::<_, Date32Type>(|d| d)))
}
