//! Spark's date and time rules: zones, the proleptic Gregorian calendar, lenient casts and patterns.

mod zone;

pub use zone::TimeZone;
