//! A decoding function that is told which record each of its rows comes from, and names that record when it fails.
//!
//! The functions themselves know rows of a batch. A plan over a Kafka source can know more: the optimizer's rule
//! `name_records` hands topic, partition and offset to a function that may fail (mode FAILFAST) as three more
//! arguments. They are looked at only when the function has failed: the first bad row is then found by halving.

use std::sync::Arc;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_schema::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};
use millstream_columnar::Error as ColumnarError;

use super::avro::{FromAvro, RegisteredAvro};
use super::csv::FromCsv;
use super::json::{FromJson, RegisteredJson};
use super::kafka::FromKafka;
use super::protobuf::{FromProtobuf, RegisteredProtobuf};
use super::registered::FromRegistered;
use super::udf::{Kernel, as_call};
use super::{SparkOrOther, external};
use crate::error::{Error, SparkError};

/// How many arguments stand behind the function's own: topic, partition, offset.
const PLACE: usize = 3;

/// The function that it is, with the three arguments.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Placed {
    inner: Arc<ScalarUDF>,
}

/// Whether an expression is a call that may fail for a record.
pub(crate) fn fails_for_records(expr: &Expr) -> bool {
    fn strict<K: Kernel>(expr: &Expr) -> bool {
        as_call::<K>(expr).is_some_and(|(kernel, _)| kernel.fails_for_records())
    }
    strict::<FromJson>(expr)
        || strict::<FromCsv>(expr)
        || strict::<FromAvro>(expr)
        || strict::<FromProtobuf>(expr)
        || strict::<FromRegistered<RegisteredAvro>>(expr)
        || strict::<FromRegistered<RegisteredProtobuf>>(expr)
        || strict::<FromRegistered<RegisteredJson>>(expr)
        || strict::<FromKafka>(expr)
}

/// The call with columns of topic, partition and offset; what is no call of a function stays as it is.
pub(crate) fn with_place(expr: Expr, place: &[Expr; PLACE]) -> Expr {
    let Expr::ScalarFunction(function) = expr else { return expr };
    let placed = ScalarUDF::new_from_impl(Placed { inner: function.func });
    placed.call(function.args.into_iter().chain(place.iter().cloned()).collect())
}

impl ScalarUDFImpl for Placed {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(&arg_types[..arg_types.len().saturating_sub(PLACE)])
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let own = args.arg_fields.len().saturating_sub(PLACE);
        self.inner.return_field_from_args(ReturnFieldArgs {
            arg_fields: &args.arg_fields[..own],
            scalar_arguments: &args.scalar_arguments[..own],
        })
    }

    fn invoke_with_args(&self, mut args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let own = args.args.len().saturating_sub(PLACE);
        let place = args.args.split_off(own);
        args.arg_fields.truncate(own);
        let failed = match self.inner.invoke_with_args(args.clone()) {
            Err(error) if is_of_a_record(&error) => error,
            done => return done,
        };
        let (row, error) = self.first_bad(&args, failed);
        Err(named(error, &place, row))
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }
}

impl Placed {
    /// The first row for which the function fails, and its error; `error` is that of all rows together.
    fn first_bad(&self, args: &ScalarFunctionArgs, mut error: DataFusionError) -> (usize, DataFusionError) {
        // Rows before `good` are good; the first bad one is before `bad`.
        let (mut good, mut bad) = (0, args.number_rows.max(1));
        while bad - good > 1 {
            let middle = good + (bad - good) / 2;
            match self.inner.invoke_with_args(rows(args, good, middle)) {
                Ok(_) => good = middle,
                Err(found) => (bad, error) = (middle, found),
            }
        }
        (good, error)
    }
}

fn rows(args: &ScalarFunctionArgs, from: usize, to: usize) -> ScalarFunctionArgs {
    let slice = |value: &ColumnarValue| match value {
        ColumnarValue::Array(array) => ColumnarValue::Array(array.slice(from, to - from)),
        scalar => scalar.clone(),
    };
    ScalarFunctionArgs { args: args.args.iter().map(slice).collect(), number_rows: to - from, ..args.clone() }
}

/// Whether the error is about bytes, rather than, say, a registry that does not answer.
fn is_of_a_record(error: &DataFusionError) -> bool {
    SparkError::find(error).is_some() || plain(error).is_some()
}

fn plain(error: &DataFusionError) -> Option<&ColumnarError> {
    let DataFusionError::External(inner) = error else { return None };
    inner.downcast_ref().filter(|error| matches!(error, ColumnarError::MalformedPlain { .. }))
}

/// The error with the record's place behind it. Condition and parameters stay Spark's.
fn named(error: DataFusionError, place: &[ColumnarValue], row: usize) -> DataFusionError {
    let Some(record) = record(place, row) else { return error };
    let found = match SparkError::find(&error) {
        Some(found) => found.clone(),
        None => SparkError::without_condition(error.to_string()),
    };
    external(SparkOrOther::from(Error::Spark(Box::new(found.about("Record", &record)))))
}

/// `topic orders, partition 3, offset 42`; none where they are NULL.
fn record(place: &[ColumnarValue], row: usize) -> Option<String> {
    let arrays = place.iter().map(|value| match value {
        ColumnarValue::Array(array) => Some(array.slice(row, 1)),
        ColumnarValue::Scalar(scalar) => ScalarValue::to_array(scalar).ok(),
    });
    let arrays: Vec<_> = arrays.collect::<Option<_>>()?;
    let [topic, partition, offset] = arrays.as_slice() else { return None };
    if arrays.iter().any(|array| array.is_null(0)) {
        return None;
    }
    Some(format!(
        "topic {}, partition {}, offset {}",
        topic.as_string_view_opt()?.value(0),
        partition.as_primitive_opt::<Int32Type>()?.value(0),
        offset.as_primitive_opt::<Int64Type>()?.value(0)
    ))
}
