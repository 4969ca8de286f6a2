//! Times as text by a pattern, both ways.
//!
//! Without a pattern text is read as a cast reads it. With one, text that does not fit is an error under
//! ANSI.

use std::sync::Arc;

use arrow_array::builder::StringViewBuilder;
use arrow_array::cast::AsArray;
use arrow_array::types::{Date32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, PrimitiveArray, StringViewArray};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use millstream_columnar::datetime::{Pattern, TimeZone};

use super::now;
use crate::analyzer::{Expected, Typed, cast_to};
use crate::error::SparkError;
use crate::functions::call::Call;
use crate::functions::cast::Overflow;
use crate::functions::udf::{self, Evaluation, Kernel};
use crate::functions::{ansi_overflow, external, zone};
use crate::types::SparkType;

/// Pattern of `from_unixtime` and `unix_timestamp` without one.
const DEFAULT: &str = "yyyy-MM-dd HH:mm:ss";

/// Text read by a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ByPattern {
    to: SparkType,
    overflow: Overflow,
    time_zone: String,
}

pub(super) fn to_timestamp(call: &Call<'_>) -> crate::error::Result<Typed> {
    read(call, &SparkType::Timestamp, ansi_overflow(call.conf.ansi()))
}

pub(super) fn to_timestamp_ntz(call: &Call<'_>) -> crate::error::Result<Typed> {
    read(call, &SparkType::TimestampNtz, ansi_overflow(call.conf.ansi()))
}

pub(super) fn try_to_timestamp(call: &Call<'_>) -> crate::error::Result<Typed> {
    read(call, &SparkType::Timestamp, Overflow::Null)
}

pub(super) fn to_date(call: &Call<'_>) -> crate::error::Result<Typed> {
    read(call, &SparkType::Date, ansi_overflow(call.conf.ansi()))
}

pub(super) fn try_to_date(call: &Call<'_>) -> crate::error::Result<Typed> {
    read(call, &SparkType::Date, Overflow::Null)
}

fn read(call: &Call<'_>, to: &SparkType, overflow: Overflow) -> crate::error::Result<Typed> {
    let arg = call.args[0].clone();
    let textual = matches!(arg.data_type, SparkType::String | SparkType::Null);
    let result = if call.args.len() == 1 || !textual {
        crate::analyzer::cast_with(arg, to, overflow, call.conf)?
    } else {
        let args = vec![cast_to(arg, &SparkType::String, call.conf)?, call.take_as(1, SparkType::String)?];
        let time_zone = call.conf.time_zone().to_owned();
        call.finish(ByPattern { to: to.clone(), overflow, time_zone }, args, to.clone())
    };
    let nullable = result.nullable || overflow != Overflow::Error;
    Ok(Typed { sql: call.sql(), label: crate::analyzer::Label::Sql, nullable, ..result })
}

/// Seconds since 1970; text is read by the pattern.
pub(super) fn unix_timestamp(call: &Call<'_>) -> crate::error::Result<Typed> {
    const TIME: Expected = Expected::OneOf(&[
        Expected::Exactly(SparkType::Timestamp),
        Expected::Exactly(SparkType::Date),
        Expected::Exactly(SparkType::String),
    ]);
    if call.args.is_empty() {
        let now = Call { name: call.name.clone(), args: Vec::new(), conf: call.conf };
        return cast_to(now::current_timestamp(&now)?, &SparkType::Long, call.conf);
    }
    let arg = call.take(0, &TIME)?;
    let time = if call.args[0].data_type == SparkType::String {
        let pattern = match call.args.get(1) {
            Some(_) => call.take_as(1, SparkType::String)?.expr,
            None => datafusion::logical_expr::Expr::Literal(
                datafusion::scalar::ScalarValue::Utf8View(Some(DEFAULT.to_owned())),
                None,
            ),
        };
        let overflow = ansi_overflow(call.conf.ansi());
        let time_zone = call.conf.time_zone().to_owned();
        let kernel = ByPattern { to: SparkType::Timestamp, overflow, time_zone };
        let expr = udf::call(kernel, vec![arg.expr.clone(), pattern]);
        Typed { expr, data_type: SparkType::Timestamp, ..arg }
    } else {
        cast_to(arg, &SparkType::Timestamp, call.conf)?
    };
    let nullable = time.nullable;
    let expr = udf::call(WholeSeconds, vec![time.expr]);
    Ok(call.result(expr, SparkType::Long).nullable(nullable))
}

/// Seconds since 1970, cut towards zero (a cast to BIGINT cuts downwards).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct WholeSeconds;

impl Kernel for WholeSeconds {
    fn name(&self) -> &str {
        "unix_timestamp"
    }

    fn return_type(&self) -> DataType {
        DataType::Int64
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let times = args[0].as_primitive::<TimestampMicrosecondType>();
        Ok(Arc::new(times.unary::<_, Int64Type>(|v| v / 1_000_000)))
    }
}

impl Kernel for ByPattern {
    fn name(&self) -> &str {
        match self.to {
            SparkType::Date => "to_date",
            _ => "to_timestamp",
        }
    }

    fn return_type(&self) -> DataType {
        self.to.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let zone = zone(&self.time_zone).map_err(external)?;
        let (text, patterns) = (args[0].as_string_view(), args[1].as_string_view());
        if self.to == SparkType::Date {
            let dates: PrimitiveArray<Date32Type> = self
                .each(text, patterns, |pattern, text| pattern.parse_date(text).map_err(|e| e.to_string()))?;
            return Ok(Arc::new(dates));
        }
        if self.to == SparkType::TimestampNtz {
            let times: PrimitiveArray<TimestampMicrosecondType> =
                self.each(text, patterns, |pattern, text| {
                    pattern.parse_timestamp_ntz(text, true).map_err(|e| e.to_string())
                })?;
            return Ok(Arc::new(times));
        }
        let times: PrimitiveArray<TimestampMicrosecondType> =
            self.each(text, patterns, |pattern, text| {
                pattern.parse_timestamp(text, &zone).map_err(|e| e.to_string())
            })?;
        Ok(Arc::new(times.with_timezone("UTC")))
    }
}

impl ByPattern {
    fn each<N, A: FromIterator<Option<N>>>(
        &self,
        text: &StringViewArray,
        patterns: &StringViewArray,
        parse: impl Fn(&Pattern, &str) -> std::result::Result<N, String>,
    ) -> Result<A> {
        let mut known = Patterns::default();
        text.iter()
            .zip(patterns)
            .map(|pair| {
                let (Some(text), Some(pattern)) = pair else { return Ok(None) };
                match (parse(known.get(pattern)?, text), self.overflow) {
                    (Ok(value), _) => Ok(Some(value)),
                    (Err(why), Overflow::Error) => Err(external(SparkError::new(
                        "CANNOT_PARSE_TIMESTAMP",
                        [("func", format!("`try_{}`", self.name())), ("message", why)],
                    ))),
                    (Err(_), _) => Ok(None),
                }
            })
            .collect()
    }
}

pub(super) fn date_format(args: &[ArrayRef], zone: &TimeZone) -> Result<ArrayRef> {
    let times = args[0].as_primitive::<TimestampMicrosecondType>();
    let patterns = args[1].as_string_view();
    formatted((0..times.len()).map(|i| times.is_valid(i).then(|| times.value(i))), Some(patterns), zone)
}

pub(super) fn from_unixtime(args: &[ArrayRef], zone: &TimeZone) -> Result<ArrayRef> {
    let seconds = args[0].as_primitive::<Int64Type>();
    let micros = seconds.iter().map(|v| v.map(|v| v.saturating_mul(1_000_000)));
    formatted(micros, args.get(1).map(|p| p.as_string_view()), zone)
}

fn formatted(
    times: impl ExactSizeIterator<Item = Option<i64>>,
    patterns: Option<&StringViewArray>,
    zone: &TimeZone,
) -> Result<ArrayRef> {
    let mut known = Patterns::default();
    let mut out = StringViewBuilder::with_capacity(times.len());
    let mut text = String::new();
    for (row, time) in times.enumerate() {
        let pattern = patterns.map_or(Some(DEFAULT), |p| p.is_valid(row).then(|| p.value(row)));
        let (Some(micros), Some(pattern)) = (time, pattern) else {
            out.append_null();
            continue;
        };
        text.clear();
        known.get(pattern)?.format_timestamp(micros, zone, &mut text).map_err(columnar)?;
        out.append_value(&text);
    }
    Ok(Arc::new(out.finish()))
}

/// The last pattern that was compiled: it is nearly always a constant.
#[derive(Default)]
struct Patterns {
    last: Option<(String, Pattern)>,
}

impl Patterns {
    fn get(&mut self, text: &str) -> Result<&Pattern> {
        if self.last.as_ref().is_none_or(|(known, _)| known != text) {
            refuse(text)?;
            self.last = Some((text.to_owned(), Pattern::compile(text).map_err(columnar)?));
        }
        self.last
            .as_ref()
            .map(|(_, pattern)| pattern)
            .ok_or_else(|| DataFusionError::Internal("a pattern was just compiled".into()))
    }
}

/// Refuses letters that Spark refuses, in its order: those of weeks, those without meaning, too many of one.
fn refuse(pattern: &str) -> Result<()> {
    // What stands between quotes are no letters.
    let letters = || pattern.split('\'').step_by(2).flat_map(str::chars).filter(char::is_ascii_alphabetic);
    if let Some(c) = letters().find(|c| "YWwuec".contains(*c)) {
        return Err(external(SparkError::new(
            "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN",
            [("c", c.to_string())],
        )));
    }
    if let Some(c) = letters().find(|c| "ABnNp".contains(*c)) {
        let parameters = [("c", c.to_string()), ("pattern", pattern.to_owned())];
        return Err(external(SparkError::new("INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", parameters)));
    }
    let long = ["GGGGG", "MMMMM", "LLLLL", "EEEEE", "QQQQQ", "qqqqq", "aa", "yyyyyyy"];
    if long.iter().any(|run| pattern.split('\'').step_by(2).any(|part| part.contains(run))) {
        let parameters = [("pattern", pattern.to_owned())];
        return Err(external(SparkError::new("INVALID_DATETIME_PATTERN.LENGTH", parameters)));
    }
    Ok(())
}

fn columnar(error: millstream_columnar::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
