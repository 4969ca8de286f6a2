//! The batch's time.

use datafusion::scalar::ScalarValue;

use crate::analyzer::{Typed, cast_to};
use crate::error::Result;
use crate::functions::batch_time::CurrentTimestamp;
use crate::functions::call::Call;
use crate::functions::udf;
use crate::types::SparkType;

pub(super) fn current_timestamp(call: &Call<'_>) -> Result<Typed> {
    let expr = udf::call(CurrentTimestamp { run: call.name == "now" }, Vec::new());
    Ok(Typed::new(expr, SparkType::Timestamp, call.sql()).nullable(false))
}

pub(super) fn local_timestamp(call: &Call<'_>) -> Result<Typed> {
    cast_to(current_timestamp(call)?, &SparkType::TimestampNtz, call.conf)
}

pub(super) fn current_date(call: &Call<'_>) -> Result<Typed> {
    cast_to(current_timestamp(call)?, &SparkType::Date, call.conf)
}

pub(super) fn current_timezone(call: &Call<'_>) -> Result<Typed> {
    let zone = ScalarValue::Utf8View(Some(call.conf.time_zone().to_owned()));
    let expr = datafusion::logical_expr::Expr::Literal(zone, None);
    Ok(call.result(expr, SparkType::String))
}
