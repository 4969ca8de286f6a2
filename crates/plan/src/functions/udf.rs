//! The one shape in which Spark's functions enter a DataFusion plan.
//!
//! A function is a [`Kernel`]: it is resolved once by the analyzer, so it already knows its result
//! type, and it is handed arguments of exactly the types that it asked for. [`SparkUdf`] wraps a
//! kernel as DataFusion's `ScalarUDFImpl`. The analyzer has cast every argument before, therefore the
//! signature accepts what comes and coerces nothing.
//!
//! Errors that the user must see are Spark errors inside `DataFusionError::External`.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

/// A resolved function over columns.
pub trait Kernel: Debug + Clone + PartialEq + Eq + Hash + Send + Sync + 'static {
    /// Name in plans, as Spark prints it.
    fn name(&self) -> &str;

    /// The physical type that [`Kernel::evaluate`] returns.
    fn return_type(&self) -> DataType;

    /// Arrays in, array of the same length out. When every argument is constant the arrays have one
    /// row and the answer is taken as a constant.
    fn evaluate(&self, args: &[ArrayRef], context: &Evaluation<'_>) -> Result<ArrayRef>;

    /// Whether equal arguments always give equal results. A volatile function is never folded.
    fn volatility(&self) -> Volatility {
        Volatility::Immutable
    }

    /// Whether it may fail for a row that it cannot read (mode FAILFAST), so that the error should name the record.
    fn fails_for_records(&self) -> bool {
        false
    }

    /// Like [`Kernel::evaluate`] for kernels that treat a constant argument in a cheaper way.
    fn evaluate_columnar(&self, args: &[ColumnarValue], context: &Evaluation<'_>) -> Result<ColumnarValue> {
        let constant = !args.is_empty() && args.iter().all(|a| matches!(a, ColumnarValue::Scalar(_)));
        let rows = if constant { 1 } else { context.rows };
        let arrays = args.iter().map(|a| a.to_array(rows)).collect::<Result<Vec<ArrayRef>>>()?;
        let inner = Evaluation { rows, config: context.config };
        let result = self.evaluate(&arrays, &inner)?;
        if constant {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        Ok(ColumnarValue::Array(result))
    }
}

/// What a kernel may know about the call besides its arguments.
#[derive(Debug)]
pub struct Evaluation<'a> {
    /// Rows in the batch; the length of every array and of the result.
    pub rows: usize,
    /// The session's settings, among them the batch time.
    pub config: &'a ConfigOptions,
}

/// A [`Kernel`] as DataFusion calls it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SparkUdf<K: Kernel> {
    kernel: K,
    signature: Signature,
}

impl<K: Kernel> SparkUdf<K> {
    /// The wrapped function, for optimizer rules that look for one.
    pub fn kernel(&self) -> &K {
        &self.kernel
    }
}

impl<K: Kernel> ScalarUDFImpl for SparkUdf<K> {
    fn name(&self) -> &str {
        self.kernel.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.kernel.return_type())
    }

    fn return_field_from_args(&self, _args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(self.kernel.name(), self.kernel.return_type(), true)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let context = Evaluation { rows: args.number_rows, config: &args.config_options };
        self.kernel.evaluate_columnar(&args.args, &context)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }
}

/// A call of `kernel` as a plan expression.
pub fn call<K: Kernel>(kernel: K, args: Vec<Expr>) -> Expr {
    let signature = Signature::user_defined(kernel.volatility());
    ScalarUDF::new_from_impl(SparkUdf { kernel, signature }).call(args)
}

/// The kernel of type `K` and the arguments when `expr` is a call of one.
pub fn as_call<K: Kernel>(expr: &Expr) -> Option<(&K, &[Expr])> {
    let Expr::ScalarFunction(function) = expr else { return None };
    let udf = function.func.inner().downcast_ref::<SparkUdf<K>>()?;
    Some((&udf.kernel, &function.args))
}
