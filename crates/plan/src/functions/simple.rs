//! Functions that take fixed types, return one type and need nothing else.

use std::hash::{Hash, Hasher};

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use datafusion::common::Result;

use super::call::{Arity, Call};
use super::udf::{Evaluation, Kernel};
use crate::analyzer::{Expected, Typed};
use crate::types::SparkType;

/// A family's table has one of these for each function.
#[derive(Debug)]
pub(crate) struct Simple {
    /// Lower case.
    pub name: &'static str,
    /// What the arguments are cast to.
    pub params: &'static [Expected],
    /// How many of the last ones may be left out.
    pub optional: usize,
    /// Type of the result.
    pub returns: SparkType,
    /// Columns to column.
    pub run: fn(&[ArrayRef]) -> Result<ArrayRef>,
}

impl Simple {
    /// Checks and casts the arguments.
    pub fn build(&'static self, call: &Call<'_>) -> crate::error::Result<Typed> {
        call.check(Arity::between(self.params.len() - self.optional, self.params.len()))?;
        let args = (0..call.args.len())
            .map(|i| call.take(i, &self.params[i]))
            .collect::<crate::error::Result<Vec<_>>>()?;
        Ok(call.finish(SimpleKernel(self), args, self.returns.clone()))
    }
}

/// A [`Simple`] function in a plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SimpleKernel(&'static Simple);

impl PartialEq for SimpleKernel {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for SimpleKernel {}

impl Hash for SimpleKernel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name.hash(state);
    }
}

impl Kernel for SimpleKernel {
    fn name(&self) -> &str {
        self.0.name
    }

    fn return_type(&self) -> DataType {
        self.0.returns.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        (self.0.run)(args)
    }
}
