//! Numbers for rows: `monotonically_increasing_id`.
//!
//! Numbers rise and are unique in one run of the plan; like Spark's they differ from run to run and have gaps.

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow_array::{ArrayRef, Int64Array};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Volatility;

use super::call::{Arity, Call, Function};
use super::udf::{self, Evaluation, Kernel};
use crate::analyzer::Typed;
use crate::types::SparkType;

/// The family's functions.
pub(crate) static FUNCTIONS: &[Function] =
    &[Function { name: "monotonically_increasing_id", arity: Arity::exactly(0), build: increasing }];

#[derive(Debug, Clone, Default)]
struct IncreasingId {
    next: Arc<AtomicI64>,
}

fn increasing(call: &Call<'_>) -> crate::error::Result<Typed> {
    let expr = udf::call(IncreasingId::default(), Vec::new());
    Ok(Typed::new(expr, SparkType::Long, call.sql()).nullable(false))
}

impl PartialEq for IncreasingId {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.next, &other.next)
    }
}

impl Eq for IncreasingId {}

impl Hash for IncreasingId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.next).hash(state);
    }
}

impl Kernel for IncreasingId {
    fn name(&self) -> &str {
        "monotonically_increasing_id"
    }

    fn return_type(&self) -> DataType {
        DataType::Int64
    }

    fn volatility(&self) -> Volatility {
        Volatility::Volatile
    }

    fn evaluate(&self, _args: &[ArrayRef], context: &Evaluation<'_>) -> Result<ArrayRef> {
        let count = i64::try_from(context.rows).unwrap_or(i64::MAX);
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        Ok(Arc::new(Int64Array::from_iter_values(first..first + count)))
    }
}
