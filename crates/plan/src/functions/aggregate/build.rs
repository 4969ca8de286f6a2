//! From a call to an aggregation.

use std::sync::Arc;

use datafusion::functions_aggregate::{
    approx_distinct, array_agg, average, bool_and_or, correlation, count, covariance, first_last, min_max,
    stddev, sum, variance,
};
use datafusion::logical_expr::expr::{AggregateFunction, NullTreatment};
use datafusion::logical_expr::{AggregateUDF, Case, Expr, lit};

use super::{Aggregation, Finish};
use crate::analyzer::{Expected, Typed, cast_to, errors};
use crate::error::{Error, Result};
use crate::functions::call::{Arity, Call};
use crate::functions::cast::Overflow;
use crate::functions::{ansi_overflow, named_struct};
use crate::types::SparkType;

/// What a call says besides its arguments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Modifiers {
    /// DISTINCT.
    pub distinct: bool,
    /// FILTER (WHERE ...).
    pub filter: Option<Expr>,
    /// IGNORE NULLS.
    pub ignore_nulls: bool,
}

/// The aggregation of a call.
///
/// # Errors
/// Wrong number or types of arguments.
pub(crate) fn build(call: &Call<'_>, modifiers: &Modifiers) -> Result<Aggregation> {
    let one = || call.check(Arity::exactly(1)).map(|()| call.args[0].clone());
    let plain = |udf: Arc<AggregateUDF>, arg: Typed, data_type: SparkType| {
        aggregation(udf, vec![arg.expr], modifiers, data_type)
    };
    match call.name.as_str() {
        "count" => counted(call, modifiers),
        "count_if" => count_if(call, modifiers),
        "sum" | "try_sum" => summed(call, modifiers),
        "avg" | "mean" | "try_avg" => averaged(call, modifiers),
        "min" => one().and_then(|a| orderable(call, a)).map(|a| {
            let data_type = a.data_type.clone();
            plain(min_max::min_udaf(), a, data_type)
        }),
        "max" => one().and_then(|a| orderable(call, a)).map(|a| {
            let data_type = a.data_type.clone();
            plain(min_max::max_udaf(), a, data_type)
        }),
        "max_by" => by(call, modifiers, min_max::max_udaf()),
        "min_by" => by(call, modifiers, min_max::min_udaf()),
        "first" | "first_value" | "any_value" => positional(call, modifiers, first_last::first_value_udaf()),
        "last" | "last_value" => positional(call, modifiers, first_last::last_value_udaf()),
        "collect_list" | "array_agg" => collected(call, modifiers, modifiers.distinct),
        "collect_set" => collected(call, modifiers, true),
        "bool_and" | "every" => boolean(call, modifiers, bool_and_or::bool_and_udaf()),
        "bool_or" | "any" | "some" => boolean(call, modifiers, bool_and_or::bool_or_udaf()),
        "approx_count_distinct" => {
            let arg = one()?;
            let built = plain(approx_distinct::approx_distinct_udaf(), arg, SparkType::Long);
            Ok(Aggregation { finish: Finish::Same, nullable: false, ..built })
        }
        "stddev" | "std" | "stddev_samp" => doubles(call, modifiers, stddev::stddev_udaf(), 1),
        "stddev_pop" => doubles(call, modifiers, stddev::stddev_pop_udaf(), 1),
        "variance" | "var_samp" => doubles(call, modifiers, variance::var_samp_udaf(), 1),
        "var_pop" => doubles(call, modifiers, variance::var_pop_udaf(), 1),
        "corr" => doubles(call, modifiers, correlation::corr_udaf(), 2),
        "covar_pop" => doubles(call, modifiers, covariance::covar_pop_udaf(), 2),
        "covar_samp" => doubles(call, modifiers, covariance::covar_samp_udaf(), 2),
        other => Err(Error::unsupported(format!("the aggregate function {other}"))),
    }
}

fn aggregation(
    udf: Arc<AggregateUDF>,
    args: Vec<Expr>,
    modifiers: &Modifiers,
    data_type: SparkType,
) -> Aggregation {
    let filter = modifiers.filter.clone().map(Box::new);
    let function = AggregateFunction::new_udf(udf, args, modifiers.distinct, filter, Vec::new(), None);
    Aggregation {
        aggregate: Expr::AggregateFunction(function),
        finish: Finish::Same,
        data_type,
        nullable: true,
    }
}

/// Rows where every argument is given.
fn counted(call: &Call<'_>, modifiers: &Modifiers) -> Result<Aggregation> {
    if call.args.is_empty() {
        return Err(errors::wrong_num_args(&call.name, "> 0", 0));
    }
    let arg = match call.args.as_slice() {
        [one] => one.expr.clone(),
        several if modifiers.distinct => {
            let named = several.iter().enumerate().map(|(i, a)| (format!("c{i}"), a.clone())).collect();
            when(all_given(several), named_struct(named, String::new()).expr)
        }
        several => when(all_given(several), lit(1_i64)),
    };
    let built = aggregation(count::count_udaf(), vec![arg], modifiers, SparkType::Long);
    Ok(Aggregation { nullable: false, ..built })
}

fn count_if(call: &Call<'_>, modifiers: &Modifiers) -> Result<Aggregation> {
    call.check(Arity::exactly(1))?;
    let condition = call.take_as(0, SparkType::Boolean)?;
    let arg = when(condition.expr, lit(1_i64));
    let built = aggregation(count::count_udaf(), vec![arg], modifiers, SparkType::Long);
    Ok(Aggregation { nullable: false, ..built })
}

fn all_given(args: &[Typed]) -> Expr {
    let given = args.iter().map(|a| Expr::IsNotNull(Box::new(a.expr.clone())));
    given.reduce(Expr::and).unwrap_or_else(|| lit(true))
}

fn when(condition: Expr, value: Expr) -> Expr {
    Expr::Case(Case::new(None, vec![(Box::new(condition), Box::new(value))], None))
}

/// Integers give BIGINT, decimals ten more digits, the rest DOUBLE.
fn summed(call: &Call<'_>, modifiers: &Modifiers) -> Result<Aggregation> {
    call.check(Arity::exactly(1))?;
    let arg = call.take(0, &Expected::Numeric)?;
    let overflow = if call.name == "try_sum" { Overflow::Null } else { ansi_overflow(call.conf.ansi()) };
    let (input, finish, result) = match &arg.data_type {
        SparkType::Float | SparkType::Double => (SparkType::Double, Finish::Same, SparkType::Double),
        SparkType::Decimal(p, s) => {
            let wide = SparkType::Decimal((*p + 10).min(38), *s);
            (arg.data_type.clone(), Finish::Same, wide)
        }
        _ => (SparkType::Decimal(20, 0), Finish::Long(overflow), SparkType::Long),
    };
    let arg = cast_to(arg, &input, call.conf)?;
    Ok(Aggregation { finish, ..aggregation(sum::sum_udaf(), vec![arg.expr], modifiers, result) })
}

/// Decimals give four more digits behind the point, the rest DOUBLE.
fn averaged(call: &Call<'_>, modifiers: &Modifiers) -> Result<Aggregation> {
    call.check(Arity::exactly(1))?;
    let arg = call.take(0, &Expected::Numeric)?;
    if let SparkType::Decimal(p, s) = arg.data_type {
        let result = SparkType::Decimal((p + 4).min(38), (s + 4).min(38));
        return Ok(aggregation(average::avg_udaf(), vec![arg.expr], modifiers, result));
    }
    let arg = cast_to(arg, &SparkType::Double, call.conf)?;
    Ok(aggregation(average::avg_udaf(), vec![arg.expr], modifiers, SparkType::Double))
}

fn orderable(call: &Call<'_>, arg: Typed) -> Result<Typed> {
    match arg.data_type {
        SparkType::Map(..) => Err(errors::invalid_ordering(&call.name, &call.sql(), &arg.data_type)),
        _ => Ok(arg),
    }
}

/// The value of the row with the greatest or least key: rows without a key do not count.
fn by(call: &Call<'_>, modifiers: &Modifiers, udf: Arc<AggregateUDF>) -> Result<Aggregation> {
    call.check(Arity::exactly(2))?;
    let (value, key) = (&call.args[0], orderable(call, call.args[1].clone())?);
    let given = Expr::IsNotNull(Box::new(key.expr.clone()));
    let filter = match modifiers.filter.clone() {
        Some(filter) => filter.and(given),
        None => given,
    };
    let pair = named_struct(vec![("key".into(), key), ("value".into(), value.clone())], String::new());
    let SparkType::Struct(fields) = &pair.data_type else {
        return Err(Error::unsupported("max_by of what is no pair"));
    };
    let compared = SparkType::Struct(fields.clone());
    let modifiers = Modifiers { filter: Some(filter), ..modifiers.clone() };
    let built = aggregation(udf, vec![pair.expr], &modifiers, value.data_type.clone());
    Ok(Aggregation { finish: Finish::Second(compared), ..built })
}

fn positional(call: &Call<'_>, modifiers: &Modifiers, udf: Arc<AggregateUDF>) -> Result<Aggregation> {
    call.check(Arity::between(1, 2))?;
    let mut ignore_nulls = modifiers.ignore_nulls;
    if call.args.len() == 2 {
        let flag = call.constant(1, "ignoreNulls", &SparkType::Boolean)?;
        ignore_nulls |= flag == datafusion::scalar::ScalarValue::Boolean(Some(true));
    }
    let treatment = if ignore_nulls { NullTreatment::IgnoreNulls } else { NullTreatment::RespectNulls };
    let filter = modifiers.filter.clone().map(Box::new);
    let args = vec![call.args[0].expr.clone()];
    let function = AggregateFunction::new_udf(udf, args, false, filter, Vec::new(), Some(treatment));
    Ok(Aggregation {
        aggregate: Expr::AggregateFunction(function),
        finish: Finish::Same,
        data_type: call.args[0].data_type.clone(),
        nullable: true,
    })
}

/// Values that are not NULL; an empty array if there are none.
fn collected(call: &Call<'_>, modifiers: &Modifiers, distinct: bool) -> Result<Aggregation> {
    call.check(Arity::exactly(1))?;
    let arg = &call.args[0];
    let given = Expr::IsNotNull(Box::new(arg.expr.clone()));
    let filter = match modifiers.filter.clone() {
        Some(filter) => filter.and(given),
        None => given,
    };
    let modifiers = Modifiers { distinct, filter: Some(filter), ignore_nulls: false };
    let element = arg.data_type.clone();
    let result = SparkType::Array(Box::new(element), false);
    let built = aggregation(array_agg::array_agg_udaf(), vec![arg.expr.clone()], &modifiers, result.clone());
    Ok(Aggregation { finish: Finish::List(result), nullable: false, ..built })
}

fn boolean(call: &Call<'_>, modifiers: &Modifiers, udf: Arc<AggregateUDF>) -> Result<Aggregation> {
    call.check(Arity::exactly(1))?;
    let arg = call.take_as(0, SparkType::Boolean)?;
    Ok(aggregation(udf, vec![arg.expr], modifiers, SparkType::Boolean))
}

fn doubles(
    call: &Call<'_>,
    modifiers: &Modifiers,
    udf: Arc<AggregateUDF>,
    count: usize,
) -> Result<Aggregation> {
    call.check(Arity::exactly(count))?;
    let args =
        (0..count).map(|i| call.take_as(i, SparkType::Double).map(|a| a.expr)).collect::<Result<Vec<_>>>()?;
    Ok(aggregation(udf, args, modifiers, SparkType::Double))
}
