//! Intervals of one field to whole numbers of that field's unit, and back.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{DurationMicrosecondType, Int64Type, IntervalYearMonthType};
use arrow_array::{ArrayRef, PrimitiveArray};
use arrow_cast::cast::cast;
use arrow_schema::DataType;
use datafusion::common::Result;

use super::{Cast, Overflow, failure, no_cast};
use crate::types::{DayTimeField, SparkType, YearMonthField};

/// How much of its physical unit (microseconds, months) one of an interval's field is; none for several fields.
pub(super) fn unit(data_type: &SparkType) -> Option<i64> {
    match data_type {
        SparkType::DayTimeInterval(from, to) if from == to => Some(match from {
            DayTimeField::Day => 86_400_000_000,
            DayTimeField::Hour => 3_600_000_000,
            DayTimeField::Minute => 60_000_000,
            DayTimeField::Second => 1_000_000,
        }),
        SparkType::YearMonthInterval(from, to) if from == to => {
            Some(if *from == YearMonthField::Year { 12 } else { 1 })
        }
        _ => None,
    }
}

impl Cast<'_> {
    pub(super) fn interval(&self, array: &ArrayRef, from: &SparkType, to: &SparkType) -> Result<ArrayRef> {
        if let Some(unit) = unit(from) {
            let whole: PrimitiveArray<Int64Type> = match array.data_type() {
                DataType::Duration(_) => array.as_primitive::<DurationMicrosecondType>().unary(|v| v / unit),
                _ => array.as_primitive::<IntervalYearMonthType>().unary(|v| i64::from(v) / unit),
            };
            let whole: ArrayRef = Arc::new(whole);
            return self.run(&whole, &SparkType::Long, to);
        }
        let unit = unit(to).ok_or_else(|| no_cast(from, to))?;
        let whole = cast(array, &DataType::Int64)?;
        let whole = whole.as_primitive::<Int64Type>();
        let failed = |value: i64| match self.overflow {
            Overflow::Error => Err(failure::overflow(&super::numeric::integer_sql(value, from), from, to)),
            Overflow::Null | Overflow::Legacy => Ok(()),
        };
        if matches!(to, SparkType::DayTimeInterval(..)) {
            let one = |v: i64| v.checked_mul(unit).map_or_else(|| failed(v).map(|()| None), |v| Ok(Some(v)));
            let made: PrimitiveArray<DurationMicrosecondType> =
                whole.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?;
            return Ok(Arc::new(made));
        }
        let one = |v: i64| {
            let months = v.checked_mul(unit).and_then(|v| i32::try_from(v).ok());
            months.map_or_else(|| failed(v).map(|()| None), |v| Ok(Some(v)))
        };
        let made: PrimitiveArray<IntervalYearMonthType> =
            whole.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?;
        Ok(Arc::new(made))
    }
}
