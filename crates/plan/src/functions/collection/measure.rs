//! `size` of arrays and maps. NULL for NULL (ANSI mode and `spark.sql.legacy.sizeOfNull` = false).

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, Int32Array};
use arrow_schema::DataType;
use datafusion::common::Result;

use crate::analyzer::{Expected, Typed, cast_to, errors, integer_literal};
use crate::functions::call::Call;
use crate::functions::null;
use crate::functions::udf::{Evaluation, Kernel};
use crate::types::SparkType;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Size {
    /// What NULL gives: -1 without ANSI.
    of_null: Option<i32>,
}

pub(super) fn size(call: &Call<'_>) -> crate::error::Result<Typed> {
    const COLLECTION: Expected = Expected::OneOf(&[Expected::Array, Expected::Map]);
    let arg = &call.args[0];
    if arg.data_type == SparkType::Null {
        let of_null = !call.conf.ansi() && call.name != "array_size";
        let answer =
            if of_null { integer_literal(-1) } else { cast_to(null(), &SparkType::Integer, call.conf)? };
        return Ok(Typed { sql: call.sql(), ..answer });
    }
    if !matches!(arg.data_type, SparkType::Array(..) | SparkType::Map(..)) {
        return Err(errors::unexpected_input(&call.sql(), 0, &COLLECTION.describe(), arg));
    }
    let of_null = (!call.conf.ansi() && call.name != "array_size").then_some(-1);
    Ok(call.finish(Size { of_null }, call.args.clone(), SparkType::Integer))
}

impl Kernel for Size {
    fn name(&self) -> &str {
        "size"
    }

    fn return_type(&self) -> DataType {
        DataType::Int32
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let array = &args[0];
        let offsets = match array.data_type() {
            DataType::Map(..) => array.as_map().offsets(),
            _ => array.as_list::<i32>().offsets(),
        };
        let sizes: Int32Array = offsets
            .windows(2)
            .enumerate()
            .map(|(row, w)| if array.is_null(row) { self.of_null } else { Some(w[1] - w[0]) })
            .collect();
        Ok(Arc::new(sizes))
    }
}
