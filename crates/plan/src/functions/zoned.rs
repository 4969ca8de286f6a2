//! Functions of fixed types that depend on the session's time zone.

use std::hash::{Hash, Hasher};

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use datafusion::common::Result;
use millstream_columnar::datetime::TimeZone;

use super::call::{Arity, Call};
use super::external;
use super::udf::{Evaluation, Kernel};
use crate::analyzer::{Expected, Typed};
use crate::types::SparkType;

/// Like [`super::simple::Simple`], with the zone as a further argument.
#[derive(Debug)]
pub(crate) struct Zoned {
    /// Lower case.
    pub name: &'static str,
    /// What the arguments are cast to.
    pub params: &'static [Expected],
    /// How many of the last ones may be left out.
    pub optional: usize,
    /// Type of the result.
    pub returns: SparkType,
    /// Columns to column.
    pub run: fn(&[ArrayRef], &TimeZone) -> Result<ArrayRef>,
}

impl Zoned {
    /// Checks and casts the arguments.
    pub fn build(&'static self, call: &Call<'_>) -> crate::error::Result<Typed> {
        call.check(Arity::between(self.params.len() - self.optional, self.params.len()))?;
        let args = (0..call.args.len())
            .map(|i| call.take(i, &self.params[i]))
            .collect::<crate::error::Result<Vec<_>>>()?;
        let kernel = ZonedKernel { function: self, time_zone: call.conf.time_zone().to_owned() };
        super::zone(&kernel.time_zone)?;
        Ok(call.finish(kernel, args, self.returns.clone()))
    }
}

/// A [`Zoned`] function in a plan.
#[derive(Debug, Clone)]
struct ZonedKernel {
    function: &'static Zoned,
    time_zone: String,
}

impl PartialEq for ZonedKernel {
    fn eq(&self, other: &Self) -> bool {
        self.function.name == other.function.name && self.time_zone == other.time_zone
    }
}

impl Eq for ZonedKernel {}

impl Hash for ZonedKernel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.name.hash(state);
        self.time_zone.hash(state);
    }
}

impl Kernel for ZonedKernel {
    fn name(&self) -> &str {
        self.function.name
    }

    fn return_type(&self) -> DataType {
        self.function.returns.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let zone = super::zone(&self.time_zone).map_err(external)?;
        (self.function.run)(args, &zone)
    }
}
