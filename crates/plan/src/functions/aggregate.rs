//! Aggregate functions: Spark's argument and result types over DataFusion's accumulators.
//!
//! Each is an aggregation and, where Spark's result differs from what the accumulator gives, an expression
//! over its result (a sum of integers is kept in 128 bits and checked at the end).

mod build;
mod finish;

use datafusion::logical_expr::Expr;

pub(crate) use build::{Modifiers, build};

use crate::types::SparkType;

/// A call of an aggregate function.
#[derive(Debug)]
pub(crate) struct Aggregation {
    /// What the Aggregate node computes.
    pub aggregate: Expr,
    /// The function's result from the column of the aggregation.
    pub finish: Finish,
    /// Type of the result.
    pub data_type: SparkType,
    /// Whether it may be NULL.
    pub nullable: bool,
}

/// What is done with an aggregation's result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Finish {
    /// Nothing.
    Same,
    /// A sum kept as DECIMAL(38, 0) becomes BIGINT; whether overflow is an error.
    Long(super::cast::Overflow),
    /// A list gets Spark's element field; NULL becomes an empty list.
    List(SparkType),
    /// The second field of the struct that was compared.
    Second(SparkType),
}

/// Whether a lower-case name is an aggregate function's.
pub(crate) fn is_aggregate(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The names of aggregates.
pub(crate) const NAMES: &[&str] = &[
    "any",
    "any_value",
    "approx_count_distinct",
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "collect_list",
    "collect_set",
    "corr",
    "count",
    "count_if",
    "covar_pop",
    "covar_samp",
    "every",
    "first",
    "first_value",
    "last",
    "last_value",
    "max",
    "max_by",
    "mean",
    "median",
    "min",
    "min_by",
    "percentile",
    "some",
    "std",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "sum",
    "try_avg",
    "try_sum",
    "var_pop",
    "var_samp",
    "variance",
];
