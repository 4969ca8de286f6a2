//! Spark's date and time rules: zones, the proleptic Gregorian calendar, lenient casts and patterns.
//!
//! Facts: a date is days since 1970-01-01 (`i32`), a timestamp is microseconds since the epoch (`i64`), a
//! timestamp without zone is the microseconds its wall clock would show in UTC. The calendar is proleptic
//! Gregorian with a year 0, as in `java.time`. Time zones matter only when text is read or written.

mod calendar;
mod cast;
mod format;
mod iso;
mod names;
mod parse;
mod pattern;
mod zone;

pub use calendar::{
    MICROS_PER_DAY, MICROS_PER_SECOND, civil_from_days, day_of_year, days_from_civil, days_in_month,
    is_leap_year, iso_weekday, split_micros,
};
pub use cast::{string_to_date, string_to_timestamp, string_to_timestamp_ntz};
pub(crate) use format::push_padded;
pub use parse::{PatternMismatch, Reason};
pub use pattern::Pattern;
pub use zone::TimeZone;
