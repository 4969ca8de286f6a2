//! Arithmetic of dates, timestamps and intervals.

use super::Resolver;
use crate::analyzer::typed::Typed;
use crate::error::Result;
use crate::functions::{Operation, time_arithmetic};
use crate::types::SparkType;

impl Resolver<'_> {
    /// The expression when an operand is a date, timestamp or interval.
    pub(super) fn time_arithmetic(
        &self,
        operation: Operation,
        left: &Typed,
        right: &Typed,
        sql: &str,
    ) -> Result<Option<Typed>> {
        if !temporal(&left.data_type) && !temporal(&right.data_type) {
            return Ok(None);
        }
        time_arithmetic(operation, left, right, sql, self.conf())
    }
}

fn temporal(data_type: &SparkType) -> bool {
    use SparkType as T;
    matches!(
        data_type,
        T::Date | T::Timestamp | T::TimestampNtz | T::DayTimeInterval(..) | T::YearMonthInterval(..)
    )
}
