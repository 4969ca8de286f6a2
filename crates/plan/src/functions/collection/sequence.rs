//! `sequence(start, stop[, step])` of integers, dates and timestamps.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, DurationMicrosecondType, Int64Type, IntervalYearMonthType, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef, Int64Array};
use arrow_cast::cast::cast;
use arrow_schema::{DataType, TimeUnit};
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use millstream_columnar::datetime::TimeZone;

use super::pick::{Picker, too_many};
use crate::analyzer::{Typed, cast_to, errors, is_integral, tightest};
use crate::functions::call::Call;
use crate::functions::time_math::{add_months, add_months_to_micros};
use crate::functions::udf::{Evaluation, Kernel};
use crate::functions::{external, zone};
use crate::types::{DayTimeField, SparkType};

/// Items of one array at most.
const MAX_ITEMS: i64 = 2_147_483_632;

const MICROS_PER_DAY: i64 = 86_400_000_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Sequence {
    item: SparkType,
    time_zone: String,
}

pub(super) fn sequence(call: &Call<'_>) -> crate::error::Result<Typed> {
    let (item, step) = types(call).ok_or_else(|| refused(call))?;
    let mut args = vec![
        cast_to(call.args[0].clone(), &item, call.conf)?,
        cast_to(call.args[1].clone(), &item, call.conf)?,
    ];
    if let Some(given) = call.args.get(2) {
        args.push(cast_to(given.clone(), &step, call.conf)?);
    } else if !is_integral(&item) {
        let day = Expr::Literal(ScalarValue::DurationMicrosecond(Some(MICROS_PER_DAY)), None);
        args.push(Typed { foldable: true, ..Typed::new(day, step, "INTERVAL '1' DAY").nullable(false) });
    }
    let returns = SparkType::Array(Box::new(item.clone()), false);
    let kernel = Sequence { item, time_zone: call.conf.time_zone().to_owned() };
    Ok(call.finish(kernel, args, returns))
}

/// The type of the items and that of the step.
fn types(call: &Call<'_>) -> Option<(SparkType, SparkType)> {
    use SparkType as T;
    let [start, stop] = [&call.args[0].data_type, &call.args[1].data_type];
    let given = call.args.get(2).map(|a| a.data_type.clone());
    let item = tightest(start, stop)?;
    match &item {
        item if is_integral(item) => {
            let item = match &given {
                Some(step) => tightest(item, step).filter(is_integral)?,
                None => item.clone(),
            };
            Some((item.clone(), item))
        }
        T::Date | T::Timestamp | T::TimestampNtz => match given {
            None => Some((item, T::DayTimeInterval(DayTimeField::Day, DayTimeField::Day))),
            Some(step @ (T::DayTimeInterval(..) | T::YearMonthInterval(..))) => Some((item, step)),
            Some(_) => None,
        },
        _ => None,
    }
}

fn refused(call: &Call<'_>) -> crate::error::Error {
    errors::spark(
        "DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES",
        [
            ("sqlExpr", format!("\"{}\"", call.sql())),
            ("functionName", "`sequence`".to_owned()),
            ("startType", "(\"TIMESTAMP\" or \"TIMESTAMP_NTZ\" or \"DATE\")".to_owned()),
            (
                "stepType",
                "(\"INTERVAL\" or \"INTERVAL YEAR TO MONTH\" or \"INTERVAL DAY TO SECOND\")".to_owned(),
            ),
            ("otherStartType", "\"INTEGRAL\"".to_owned()),
        ],
    )
}

/// How far it is from one item to the next.
#[derive(Clone, Copy)]
enum Stride {
    Exact(i64),
    Months(i64),
}

impl Kernel for Sequence {
    fn name(&self) -> &str {
        "sequence"
    }

    fn return_type(&self) -> DataType {
        SparkType::Array(Box::new(self.item.clone()), false).to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let (starts, stops) = (self.whole(&args[0])?, self.whole(&args[1])?);
        let mut items = Vec::new();
        let mut rows = Vec::with_capacity(starts.len());
        for row in 0..starts.len() {
            let missing = starts.is_null(row) || stops.is_null(row);
            if missing || args.get(2).is_some_and(|step| step.is_null(row)) {
                rows.push(None);
                continue;
            }
            let (start, stop) = (starts.value(row), stops.value(row));
            let stride = self.stride(args.get(2), row, start, stop);
            let from = items.len();
            self.fill(&mut items, start, stop, stride)?;
            rows.push(Some(from..items.len()));
        }
        let mut out = Picker::new(vec![self.items(items)?]);
        for row in rows {
            match row {
                None => out.null()?,
                Some(range) => {
                    range.for_each(|i| out.push(0, i));
                    out.end()?;
                }
            }
        }
        out.finish(&self.return_type())
    }
}

impl Sequence {
    /// Integers, days or microseconds.
    fn whole(&self, array: &ArrayRef) -> Result<Int64Array> {
        Ok(match self.item {
            SparkType::Date => array.as_primitive::<Date32Type>().unary(i64::from),
            SparkType::Timestamp | SparkType::TimestampNtz => {
                array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast::<Int64Type>()
            }
            _ => cast(array, &DataType::Int64)?.as_primitive::<Int64Type>().clone(),
        })
    }

    fn items(&self, items: Vec<i64>) -> Result<ArrayRef> {
        let items = Int64Array::from(items);
        Ok(match self.item {
            SparkType::Date => cast(&cast(&items, &DataType::Int32)?, &DataType::Date32)?,
            SparkType::Timestamp | SparkType::TimestampNtz => {
                let local = cast(&items, &DataType::Timestamp(TimeUnit::Microsecond, None))?;
                let local = local.as_primitive::<TimestampMicrosecondType>().clone();
                std::sync::Arc::new(local.with_data_type(self.item.to_arrow()))
            }
            _ => cast(&items, &self.item.to_arrow())?,
        })
    }

    fn stride(&self, step: Option<&ArrayRef>, row: usize, start: i64, stop: i64) -> Stride {
        let Some(step) = step else { return Stride::Exact(if start <= stop { 1 } else { -1 }) };
        match step.data_type() {
            DataType::Interval(_) => {
                Stride::Months(i64::from(step.as_primitive::<IntervalYearMonthType>().value(row)))
            }
            DataType::Duration(_) => {
                let micros = step.as_primitive::<DurationMicrosecondType>().value(row);
                let days = self.item == SparkType::Date;
                Stride::Exact(if days { micros / MICROS_PER_DAY } else { micros })
            }
            _ => Stride::Exact(
                cast(step, &DataType::Int64).map_or(0, |s| s.as_primitive::<Int64Type>().value(row)),
            ),
        }
    }

    fn fill(&self, items: &mut Vec<i64>, start: i64, stop: i64, stride: Stride) -> Result<()> {
        let (Stride::Exact(size) | Stride::Months(size)) = stride;
        let forward = size > 0 && start <= stop;
        let backward = size < 0 && start >= stop;
        if !(forward || backward || start == stop) {
            return Err(DataFusionError::Execution(format!(
                "requirement failed: Illegal sequence boundaries: {start} to {stop} by {size}"
            )));
        }
        if size == 0 {
            items.push(start);
            return Ok(());
        }
        let zone = zone(&self.time_zone).map_err(external)?;
        for count in 0..MAX_ITEMS {
            let next = match stride {
                Stride::Exact(size) => size.checked_mul(count).and_then(|by| start.checked_add(by)),
                Stride::Months(months) => Some(self.by_months(start, months * count, &zone)),
            };
            let Some(next) = next.filter(|next| if size > 0 { *next <= stop } else { *next >= stop }) else {
                return Ok(());
            };
            items.push(next);
        }
        Err(too_many())
    }

    fn by_months(&self, start: i64, months: i64, zone: &TimeZone) -> i64 {
        match self.item {
            SparkType::Date => add_months(start, months),
            SparkType::Timestamp => {
                let local = add_months_to_micros(zone.local_micros(start), months);
                zone.instant_micros(local).unwrap_or(local)
            }
            _ => add_months_to_micros(start, months),
        }
    }
}
