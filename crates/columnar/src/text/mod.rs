//! Bytes as text, and values as the text that Spark shows: casts to string, `show`, and the JSON writer use
//! these.

mod interval;
mod lossy;
mod moment;
mod number;
mod render;
mod row;

pub use interval::{string_to_day_time_interval, string_to_year_month_interval};
pub use lossy::{decode_lossy_java, utf8_lossy_java};
pub use moment::{
    append_date, append_day_time_interval, append_timestamp, append_timestamp_ntz, append_year_month_interval,
};
pub(crate) use number::PAIRS;
pub use number::{append_decimal, append_f32, append_f64, append_i64};
pub use render::{Renderer, Style, cast_to_string};
pub(crate) use row::row_text;
