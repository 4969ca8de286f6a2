//! What a batch read need not read, told by the plan's conditions on `offset` and `timestamp`.
//!
//! | condition                           | what is left out                                                        |
//! |-------------------------------------|-------------------------------------------------------------------------|
//! | `offset` compared with a constant    | the ranges are narrowed: those records are not fetched                  |
//! | `timestamp` compared with a constant | record batches whose header rules them out: not checked, not unpacked   |
//!
//! The condition itself stays in the plan, so leaving out less is never wrong. A stream leaves out nothing: its
//! progress counts the rows that were read, as Spark's does.

use std::fmt;

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use millstream_columnar::records::BatchFilter;
use serde::{Deserialize, Serialize};

/// Offsets and timestamps (ms since 1970) that may pass, all inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    min_offset: i64,
    max_offset: i64,
    min_timestamp: i64,
    max_timestamp: i64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { min_offset: i64::MIN, max_offset: i64::MAX, min_timestamp: i64::MIN, max_timestamp: i64::MAX }
    }
}

impl Bounds {
    /// What all of the conditions together leave; those that tell nothing are passed over.
    pub fn of<'a>(conditions: impl IntoIterator<Item = &'a Expr>) -> Self {
        let mut bounds = Self::default();
        for condition in conditions {
            bounds.narrow(condition);
        }
        bounds
    }

    /// Whether nothing is left out.
    pub fn is_unbounded(&self) -> bool {
        *self == Self::default()
    }

    /// The range of offsets that is left of one.
    pub fn range(&self, from: i64, until: i64) -> (i64, i64) {
        let until = until.min(self.max_offset.saturating_add(1));
        (from.max(self.min_offset).min(until), until)
    }

    /// The same bounds for the decoder.
    pub fn batch_filter(&self) -> BatchFilter {
        let Self { min_offset, max_offset, min_timestamp, max_timestamp } = *self;
        BatchFilter { min_offset, max_offset, min_timestamp, max_timestamp }
    }

    fn narrow(&mut self, condition: &Expr) {
        let Expr::BinaryExpr(BinaryExpr { left, op, right }) = condition else { return };
        match (&**left, &**right) {
            (_, _) if *op == Operator::And => {
                self.narrow(left);
                self.narrow(right);
            }
            (Expr::Column(column), Expr::Literal(value, _)) => self.compare(&column.name, *op, value),
            (Expr::Literal(value, _), Expr::Column(column)) => {
                if let Some(op) = op.swap() {
                    self.compare(&column.name, op, value);
                }
            }
            _ => {}
        }
    }

    fn compare(&mut self, column: &str, op: Operator, value: &ScalarValue) {
        let (low, high, least, most) = match (column, value) {
            ("offset", ScalarValue::Int64(Some(offset))) => {
                (&mut self.min_offset, &mut self.max_offset, *offset, *offset)
            }
            ("timestamp", ScalarValue::TimestampMicrosecond(Some(micros), _)) => {
                // Records have whole milliseconds: between two of them, both neighbours bound.
                let floor = micros.div_euclid(1000);
                let ceiling = floor + i64::from(micros.rem_euclid(1000) > 0);
                (&mut self.min_timestamp, &mut self.max_timestamp, ceiling, floor)
            }
            _ => return,
        };
        let (from, to) = match op {
            Operator::GtEq => (least, i64::MAX),
            Operator::Gt => (most.saturating_add(1), i64::MAX),
            Operator::LtEq => (i64::MIN, most),
            Operator::Lt => (i64::MIN, least.saturating_sub(1)),
            Operator::Eq => (least, most),
            _ => return,
        };
        *low = (*low).max(from);
        *high = (*high).min(to);
    }
}

/// The bounds in the text of a plan, as in `offset >= 5, timestamp <= 1700000000000` (ms).
impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.min_offset > i64::MIN).then(|| format!("offset >= {}", self.min_offset)),
            (self.max_offset < i64::MAX).then(|| format!("offset <= {}", self.max_offset)),
            (self.min_timestamp > i64::MIN).then(|| format!("timestamp >= {}", self.min_timestamp)),
            (self.max_timestamp < i64::MAX).then(|| format!("timestamp <= {}", self.max_timestamp)),
        ];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{col, lit};

    use super::*;

    fn time(micros: i64) -> Expr {
        Expr::Literal(ScalarValue::TimestampMicrosecond(Some(micros), Some("UTC".into())), None)
    }

    fn offsets(bounds: &Bounds) -> (i64, i64) {
        bounds.range(0, 100)
    }

    fn times(bounds: &Bounds) -> (i64, i64) {
        (bounds.min_timestamp, bounds.max_timestamp)
    }

    #[test]
    fn offsets_narrow_the_range_and_never_turn_it_round() {
        for (condition, expected) in [
            (col("offset").gt(lit(5i64)), (6, 100)),
            (col("offset").gt_eq(lit(5i64)), (5, 100)),
            (col("offset").lt(lit(5i64)), (0, 5)),
            (col("offset").lt_eq(lit(5i64)), (0, 6)),
            (col("offset").eq(lit(5i64)), (5, 6)),
            (lit(5i64).gt(col("offset")), (0, 5)),
            (col("offset").gt_eq(lit(5i64)).and(col("offset").lt(lit(7i64))), (5, 7)),
            (col("offset").gt(lit(i64::MAX)), (100, 100)),
            (col("offset").lt(lit(i64::MIN)), (i64::MIN + 1, i64::MIN + 1)),
            (col("offset").gt(lit(200i64)), (100, 100)),
            (col("offset").not_eq(lit(5i64)), (0, 100)),
            (col("offset").gt(lit(ScalarValue::Int64(None))), (0, 100)),
            (col("key").gt(lit(5i64)), (0, 100)),
            (col("offset").gt(lit(5i64)).or(col("offset").lt(lit(2i64))), (0, 100)),
        ] {
            assert_eq!(offsets(&Bounds::of([&condition])), expected, "{condition}");
        }
    }

    #[test]
    fn a_time_between_two_milliseconds_is_bounded_by_both() {
        const ALL: (i64, i64) = (i64::MIN, i64::MAX);
        for (condition, expected) in [
            (col("timestamp").gt_eq(time(1000)), (1, ALL.1)),
            (col("timestamp").gt_eq(time(1001)), (2, ALL.1)),
            (col("timestamp").gt(time(1000)), (2, ALL.1)),
            (col("timestamp").gt(time(1001)), (2, ALL.1)),
            (col("timestamp").lt(time(1000)), (ALL.0, 0)),
            (col("timestamp").lt(time(1001)), (ALL.0, 1)),
            (col("timestamp").lt_eq(time(1000)), (ALL.0, 1)),
            (col("timestamp").lt_eq(time(-1)), (ALL.0, -1)),
            (col("timestamp").eq(time(2000)), (2, 2)),
        ] {
            assert_eq!(times(&Bounds::of([&condition])), expected, "{condition}");
        }
    }

    #[test]
    fn bounds_are_shown_in_the_plan() {
        let conditions = [col("offset").gt(lit(5i64)), col("timestamp").lt_eq(time(1_700_000_000_000_000))];
        let bounds = Bounds::of(&conditions);
        assert!(!bounds.is_unbounded());
        assert_eq!(bounds.to_string(), "offset >= 6, timestamp <= 1700000000000");
        assert!(Bounds::default().is_unbounded());
    }
}
