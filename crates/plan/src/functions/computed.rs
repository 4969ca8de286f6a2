//! Functions whose result type depends on their arguments.

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use datafusion::common::Result;

use crate::functions::udf::{Evaluation, Kernel};
use crate::types::SparkType;

/// A function by its name whose result type is not a constant of the program.
#[derive(Debug, Clone)]
pub(crate) struct Computed {
    /// Lower case; tells functions apart.
    pub name: String,
    /// Type of the result.
    pub returns: SparkType,
    /// Columns to column.
    pub run: fn(&[ArrayRef]) -> Result<ArrayRef>,
}

impl PartialEq for Computed {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.returns == other.returns
    }
}

impl Eq for Computed {}

impl std::hash::Hash for Computed {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.returns.hash(state);
    }
}

impl Kernel for Computed {
    fn name(&self) -> &str {
        &self.name
    }

    fn return_type(&self) -> DataType {
        self.returns.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        (self.run)(args)
    }
}
