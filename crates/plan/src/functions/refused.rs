//! A payload function whose schema or options cannot be used, where Spark tells so only at the first value: NULL stays
//! NULL, anything else is the error.

use std::hash::{Hash, Hasher};

use arrow_array::{Array, ArrayRef, new_null_array};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::Volatility;

use super::call::Call;
use super::external;
use super::udf::{Evaluation, Kernel};
use crate::analyzer::Typed;
use crate::error::SparkError;
use crate::types::SparkType;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Refused {
    function: String,
    returns: SparkType,
    error: SparkError,
}

/// The call as one that fails for every value.
pub(super) fn refused(call: &Call<'_>, text: Typed, returns: SparkType, error: SparkError) -> Typed {
    let kernel = Refused { function: call.name.clone(), returns: returns.clone(), error };
    Typed { foldable: false, ..call.finish(kernel, vec![text], returns).nullable(true) }
}

impl Hash for Refused {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.function, &self.returns, &self.error.message).hash(state);
    }
}

impl Kernel for Refused {
    fn name(&self) -> &str {
        &self.function
    }

    fn return_type(&self) -> DataType {
        self.returns.to_arrow()
    }

    /// Never folded: a branch that is not taken raises nothing.
    fn volatility(&self) -> Volatility {
        Volatility::Volatile
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        if args[0].null_count() < args[0].len() {
            return Err(external(self.error.clone()));
        }
        Ok(new_null_array(&self.return_type(), args[0].len()))
    }
}
