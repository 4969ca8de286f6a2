//! Dates and times: their parts, text, epochs and arithmetic by calls.

mod convert;
mod distance;
mod epoch;
mod make;
mod now;
mod parts;
mod pattern;
mod shift;
mod truncate;

use super::call::{Arity, Call, Function};
use super::simple::Simple;
use super::zoned::Zoned;
use crate::analyzer::Expected;
use crate::types::SparkType as T;

const TEXT: Expected = Expected::Exactly(T::String);
const INT: Expected = Expected::Exactly(T::Integer);
const LONG: Expected = Expected::Exactly(T::Long);
const DATE: Expected = Expected::Exactly(T::Date);
const TIME: Expected = Expected::Exactly(T::Timestamp);

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "current_timestamp", arity: Arity::exactly(0), build: now::current_timestamp },
    Function { name: "now", arity: Arity::exactly(0), build: now::current_timestamp },
    Function { name: "localtimestamp", arity: Arity::exactly(0), build: now::local_timestamp },
    Function { name: "current_date", arity: Arity::exactly(0), build: now::current_date },
    Function { name: "curdate", arity: Arity::exactly(0), build: now::current_date },
    Function { name: "current_timezone", arity: Arity::exactly(0), build: now::current_timezone },
    Function { name: "to_timestamp", arity: Arity::between(1, 2), build: pattern::to_timestamp },
    Function { name: "try_to_timestamp", arity: Arity::between(1, 2), build: pattern::try_to_timestamp },
    Function { name: "to_date", arity: Arity::between(1, 2), build: pattern::to_date },
    Function { name: "try_to_date", arity: Arity::between(1, 2), build: pattern::try_to_date },
    Function { name: "unix_timestamp", arity: Arity::between(0, 2), build: pattern::unix_timestamp },
    Function { name: "to_unix_timestamp", arity: Arity::between(1, 2), build: pattern::unix_timestamp },
    Function { name: "date_part", arity: Arity::exactly(2), build: parts::date_part },
    Function { name: "datepart", arity: Arity::exactly(2), build: parts::date_part },
    Function { name: "extract", arity: Arity::exactly(2), build: parts::date_part },
    Function { name: "make_date", arity: Arity::exactly(3), build: make::make_date },
    Function { name: "make_timestamp", arity: Arity::between(6, 7), build: make::make_timestamp },
    Function { name: "make_timestamp_ltz", arity: Arity::between(6, 7), build: make::make_timestamp },
    Function { name: "make_timestamp_ntz", arity: Arity::exactly(6), build: make::make_timestamp },
    Function { name: "try_make_timestamp", arity: Arity::between(6, 7), build: make::make_timestamp },
    Function { name: "make_dt_interval", arity: Arity::between(0, 4), build: make::make_dt_interval },
    Function { name: "make_ym_interval", arity: Arity::between(0, 2), build: make::make_ym_interval },
    Function { name: "dateadd", arity: Arity::between(2, 3), build: distance::timestamp_add },
    Function { name: "timestampadd", arity: Arity::exactly(3), build: distance::timestamp_add },
    Function { name: "datediff", arity: Arity::between(2, 3), build: distance::timestamp_diff },
    Function { name: "timestampdiff", arity: Arity::exactly(3), build: distance::timestamp_diff },
    Function { name: "timestamp_seconds", arity: Arity::exactly(1), build: epoch::timestamp_seconds },
    Function { name: "next_day", arity: Arity::exactly(2), build: shift::next_day },
    Function { name: "to_timestamp_ntz", arity: Arity::between(1, 2), build: pattern::to_timestamp_ntz },
    Function { name: "try_make_timestamp_ltz", arity: Arity::between(6, 7), build: make::make_timestamp },
    Function { name: "try_make_timestamp_ntz", arity: Arity::exactly(6), build: make::make_timestamp },
    Function { name: "to_time", arity: Arity::between(1, 2), build: no_time_type },
    Function { name: "try_to_time", arity: Arity::between(1, 2), build: no_time_type },
    Function { name: "make_interval", arity: Arity::between(0, 7), build: no_calendar_interval },
    Function { name: "try_make_interval", arity: Arity::between(0, 7), build: no_calendar_interval },
    Function { name: "convert_timezone", arity: Arity::between(2, 3), build: convert::convert_timezone },
    Function { name: "window_time", arity: Arity::exactly(1), build: super::event_window::window_time_call },
    Function { name: "to_timestamp_ltz", arity: Arity::between(1, 2), build: pattern::to_timestamp },
];

/// As in Spark, where the type TIME is off unless a setting turns it on.
fn no_time_type(_call: &Call<'_>) -> crate::error::Result<crate::analyzer::Typed> {
    Err(crate::analyzer::errors::spark::<&str, &str, 0>("UNSUPPORTED_TIME_TYPE", []))
}

fn no_calendar_interval(call: &Call<'_>) -> crate::error::Result<crate::analyzer::Typed> {
    Err(crate::error::Error::unsupported(format!(
        "{} (an INTERVAL of months, days and time together; use make_ym_interval or make_dt_interval)",
        call.name
    )))
}

/// Functions in the session's time zone.
pub(crate) static ZONED: &[Zoned] = &[
    Zoned { name: "hour", params: &[TIME], optional: 0, returns: T::Integer, run: parts::hour },
    Zoned { name: "minute", params: &[TIME], optional: 0, returns: T::Integer, run: parts::minute },
    Zoned { name: "second", params: &[TIME], optional: 0, returns: T::Integer, run: parts::second },
    Zoned {
        name: "date_trunc",
        params: &[TEXT, TIME],
        optional: 0,
        returns: T::Timestamp,
        run: truncate::date_trunc,
    },
    Zoned {
        name: "date_format",
        params: &[TIME, TEXT],
        optional: 0,
        returns: T::String,
        run: pattern::date_format,
    },
    Zoned {
        name: "months_between",
        params: &[TIME, TIME, Expected::Exactly(T::Boolean)],
        optional: 1,
        returns: T::Double,
        run: distance::months_between,
    },
    Zoned {
        name: "from_unixtime",
        params: &[LONG, TEXT],
        optional: 1,
        returns: T::String,
        run: pattern::from_unixtime,
    },
];

/// Functions of fixed types.
pub(crate) static SIMPLE: &[Simple] = &[
    Simple { name: "year", params: &[DATE], optional: 0, returns: T::Integer, run: parts::year },
    Simple { name: "quarter", params: &[DATE], optional: 0, returns: T::Integer, run: parts::quarter },
    Simple { name: "month", params: &[DATE], optional: 0, returns: T::Integer, run: parts::month },
    Simple { name: "day", params: &[DATE], optional: 0, returns: T::Integer, run: parts::day },
    Simple { name: "dayofmonth", params: &[DATE], optional: 0, returns: T::Integer, run: parts::day },
    Simple { name: "dayofweek", params: &[DATE], optional: 0, returns: T::Integer, run: parts::day_of_week },
    Simple { name: "weekday", params: &[DATE], optional: 0, returns: T::Integer, run: parts::weekday },
    Simple { name: "dayofyear", params: &[DATE], optional: 0, returns: T::Integer, run: parts::day_of_year },
    Simple {
        name: "weekofyear",
        params: &[DATE],
        optional: 0,
        returns: T::Integer,
        run: parts::week_of_year,
    },
    Simple { name: "unix_seconds", params: &[TIME], optional: 0, returns: T::Long, run: epoch::unix_seconds },
    Simple { name: "unix_millis", params: &[TIME], optional: 0, returns: T::Long, run: epoch::unix_millis },
    Simple { name: "unix_micros", params: &[TIME], optional: 0, returns: T::Long, run: epoch::unix_micros },
    Simple { name: "unix_date", params: &[DATE], optional: 0, returns: T::Integer, run: epoch::unix_date },
    Simple {
        name: "timestamp_millis",
        params: &[LONG],
        optional: 0,
        returns: T::Timestamp,
        run: epoch::of_millis,
    },
    Simple {
        name: "timestamp_micros",
        params: &[LONG],
        optional: 0,
        returns: T::Timestamp,
        run: epoch::of_micros,
    },
    Simple {
        name: "date_from_unix_date",
        params: &[INT],
        optional: 0,
        returns: T::Date,
        run: epoch::of_days,
    },
    Simple {
        name: "from_utc_timestamp",
        params: &[TIME, TEXT],
        optional: 0,
        returns: T::Timestamp,
        run: shift::from_utc,
    },
    Simple {
        name: "to_utc_timestamp",
        params: &[TIME, TEXT],
        optional: 0,
        returns: T::Timestamp,
        run: shift::to_utc,
    },
    Simple {
        name: "date_diff",
        params: &[DATE, DATE],
        optional: 0,
        returns: T::Integer,
        run: shift::date_difference,
    },
    Simple { name: "date_add", params: &[DATE, INT], optional: 0, returns: T::Date, run: shift::date_add },
    Simple { name: "date_sub", params: &[DATE, INT], optional: 0, returns: T::Date, run: shift::date_sub },
    Simple {
        name: "add_months",
        params: &[DATE, INT],
        optional: 0,
        returns: T::Date,
        run: shift::months_added,
    },
    Simple { name: "last_day", params: &[DATE], optional: 0, returns: T::Date, run: shift::last_day },
    Simple { name: "trunc", params: &[DATE, TEXT], optional: 0, returns: T::Date, run: truncate::trunc },
    Simple { name: "dayname", params: &[DATE], optional: 0, returns: T::String, run: parts::day_name },
    Simple { name: "monthname", params: &[DATE], optional: 0, returns: T::String, run: parts::month_name },
];
