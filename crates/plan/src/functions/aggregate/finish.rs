//! Results of accumulators as Spark's results.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int64Type};
use arrow_array::{ArrayRef, ListArray, PrimitiveArray};
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;

use super::Finish;
use crate::functions::access::StructFieldKernel;
use crate::functions::arithmetic::overflowed;
use crate::functions::cast::Overflow;
use crate::functions::udf::{self, Evaluation, Kernel};
use crate::types::SparkType;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct LongSum {
    overflow: Overflow,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ListResult {
    list: SparkType,
}

impl Finish {
    /// The function's result from the aggregation's.
    pub fn apply(&self, aggregate: Expr) -> Expr {
        match self {
            Self::Same => aggregate,
            Self::Long(overflow) => udf::call(LongSum { overflow: *overflow }, vec![aggregate]),
            Self::List(list) => udf::call(ListResult { list: list.clone() }, vec![aggregate]),
            Self::Second(pair) => match pair {
                SparkType::Struct(fields) => {
                    let field = &fields.fields[1];
                    let (name, data_type) = (field.name.clone(), field.data_type.clone());
                    udf::call(StructFieldKernel { index: 1, name, data_type }, vec![aggregate])
                }
                _ => aggregate,
            },
        }
    }
}

impl Kernel for LongSum {
    fn name(&self) -> &str {
        "sum_result"
    }

    fn return_type(&self) -> DataType {
        DataType::Int64
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let one = |sum: i128| match (i64::try_from(sum), self.overflow) {
            (Ok(fits), _) => Ok(Some(fits)),
            (Err(_), Overflow::Error) => {
                Err(overflowed("overflow", " Use 'try_add' to tolerate overflow and return NULL instead."))
            }
            (Err(_), Overflow::Null) => Ok(None),
            #[expect(clippy::cast_possible_truncation, reason = "wraps as on the JVM")]
            (Err(_), Overflow::Legacy) => Ok(Some(sum as i64)),
        };
        let sums = args[0].as_primitive::<Decimal128Type>();
        let result: PrimitiveArray<Int64Type> =
            sums.iter().map(|v| v.map_or(Ok(None), one)).collect::<Result<_>>()?;
        Ok(Arc::new(result))
    }
}

impl Kernel for ListResult {
    fn name(&self) -> &str {
        "list_result"
    }

    fn return_type(&self) -> DataType {
        self.list.to_arrow()
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let DataType::List(field) = self.return_type() else {
            return Err(DataFusionError::Internal("collect_list makes a list".into()));
        };
        let list = args[0].as_list::<i32>();
        // A NULL list has no values, so without its mark it is an empty one.
        let compact = arrow_select::concat::concat(&[list])?;
        let compact = compact.as_list::<i32>();
        let (offsets, values) = (compact.offsets().clone(), compact.values().clone());
        Ok(Arc::new(ListArray::try_new(field, offsets, values, None)?))
    }
}
