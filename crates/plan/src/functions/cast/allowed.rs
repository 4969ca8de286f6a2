//! Which casts a user may write.

use super::interval;
use crate::types::SparkType;

/// Whether a cast may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It may.
    Allowed,
    /// Only with `spark.sql.ansi.enabled` = false.
    OnlyWithoutAnsi,
    /// Never.
    Never,
}

/// Spark's table of casts.
pub(crate) fn verdict(from: &SparkType, to: &SparkType, ansi: bool) -> Verdict {
    if castable(from, to, ansi) {
        Verdict::Allowed
    } else if ansi && castable(from, to, false) {
        Verdict::OnlyWithoutAnsi
    } else {
        Verdict::Never
    }
}

fn castable(from: &SparkType, to: &SparkType, ansi: bool) -> bool {
    use SparkType as T;
    let numeric = |t: &T| {
        matches!(t, T::Byte | T::Short | T::Integer | T::Long | T::Float | T::Double | T::Decimal(..))
    };
    let whole = |t: &T| matches!(t, T::Byte | T::Short | T::Integer | T::Long);
    let temporal = |t: &T| matches!(t, T::Date | T::Timestamp | T::TimestampNtz);
    match (from, to) {
        (from, to) if from == to => true,
        (T::Null, _) => true,
        (_, T::Null) => false,
        (_, T::String) => true,
        (T::String, T::Array(..) | T::Map(..) | T::Struct(_)) => false,
        (T::String, _) => true,
        (T::Array(from, _), T::Array(to, _)) => castable(from, to, ansi),
        (T::Map(fk, fv, _), T::Map(tk, tv, _)) => castable(fk, tk, ansi) && castable(fv, tv, ansi),
        (T::Struct(from), T::Struct(to)) => {
            from.fields.len() == to.fields.len()
                && from.fields.iter().zip(&to.fields).all(|(f, t)| castable(&f.data_type, &t.data_type, ansi))
        }
        (from, to) if temporal(from) && temporal(to) => true,
        (T::Boolean, to) if numeric(to) => true,
        (from, T::Boolean) if numeric(from) => true,
        (from, to) if numeric(from) && numeric(to) => true,
        (T::Timestamp, to) if numeric(to) => true,
        (from, T::Timestamp) if numeric(from) => true,
        (T::Boolean, T::Timestamp) | (T::Timestamp, T::Boolean) => !ansi,
        (T::DayTimeInterval(..), T::DayTimeInterval(..))
        | (T::YearMonthInterval(..), T::YearMonthInterval(..)) => true,
        (from, to) if interval::unit(to).is_some() => whole(from),
        (from, to) if interval::unit(from).is_some() => whole(to),
        (from, T::Binary) if whole(from) => !ansi,
        (T::Date, to) if numeric(to) || *to == T::Boolean => !ansi,
        _ => false,
    }
}
