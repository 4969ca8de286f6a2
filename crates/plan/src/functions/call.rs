//! A call on its way to becoming an expression: arguments are checked, cast and handed to a kernel.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, RecordBatchOptions};
use arrow_schema::Schema;
use datafusion::common::DFSchema;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{ColumnarValue, Expr};
use datafusion::physical_expr::create_physical_expr;
use datafusion::scalar::ScalarValue;

use super::cast::CastKernel;
use super::udf::{self, Kernel};
use crate::analyzer::{Conf, Expected, Typed, errors, implicit_cast};
use crate::error::{Error, Result};
use crate::types::SparkType;

/// How many arguments a function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arity {
    /// At least.
    pub min: usize,
    /// At most; none if there is no limit.
    pub max: Option<usize>,
}

impl Arity {
    /// Exactly `count`.
    pub const fn exactly(count: usize) -> Self {
        Self { min: count, max: Some(count) }
    }

    /// From `min` to `max`.
    pub const fn between(min: usize, max: usize) -> Self {
        Self { min, max: Some(max) }
    }

    /// `min` or more.
    pub const fn at_least(min: usize) -> Self {
        Self { min, max: None }
    }

    fn describe(self) -> String {
        match self.max {
            None => format!("> {}", self.min.saturating_sub(1)),
            Some(max) if max == self.min => max.to_string(),
            Some(max) => {
                let counts: Vec<String> = (self.min..=max).map(|n| n.to_string()).collect();
                format!("[{}]", counts.join(", "))
            }
        }
    }
}

/// A function by its name.
#[derive(Debug)]
pub(crate) struct Function {
    /// Lower case.
    pub name: &'static str,
    /// Checked before `build` runs.
    pub arity: Arity,
    /// Makes the expression.
    pub build: fn(&Call<'_>) -> Result<Typed>,
}

/// A call whose arguments are resolved.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// Lower case, as the user called it.
    pub name: String,
    /// As the user wrote them, not cast yet.
    pub args: Vec<Typed>,
    /// The session's settings.
    pub conf: &'a Conf,
}

impl Call<'_> {
    /// `name(a, b)`.
    pub fn sql(&self) -> String {
        let args: Vec<&str> = self.args.iter().map(|a| a.sql.as_str()).collect();
        format!("{}({})", self.name, args.join(", "))
    }

    /// Checks the number of arguments.
    pub fn check(&self, arity: Arity) -> Result<()> {
        let count = self.args.len();
        if count < arity.min || arity.max.is_some_and(|max| count > max) {
            return Err(errors::wrong_num_args(&self.name, &arity.describe(), count));
        }
        Ok(())
    }

    /// Argument `index` cast to what is expected.
    pub fn take(&self, index: usize, expected: &Expected) -> Result<Typed> {
        let arg = &self.args[index];
        implicit_cast(arg, expected, self.conf)?
            .ok_or_else(|| errors::unexpected_input(&self.sql(), index, &expected.describe(), arg))
    }

    /// The bytes behind argument `index` when it is a cast of BINARY to STRING: Spark keeps a string's bytes as they
    /// are, so its functions see those that are not UTF-8.
    pub fn raw_bytes(&self, index: usize) -> Option<Typed> {
        let arg = self.args.get(index)?;
        let (cast, args) = udf::as_call::<CastKernel>(&arg.expr)?;
        let bytes = Typed { expr: args[0].clone(), data_type: SparkType::Binary, ..arg.clone() };
        cast.is_binary_to_string().then_some(bytes)
    }

    /// Argument `index`, a STRING or NULL: nothing else is cast to it.
    pub fn text_only(&self, index: usize) -> Result<Typed> {
        let arg = &self.args[index];
        match arg.data_type {
            SparkType::String | SparkType::Null => self.take_as(index, SparkType::String),
            _ => Err(errors::unexpected_input(&self.sql(), index, "\"STRING\"", arg)),
        }
    }

    /// Argument `index` cast to a type.
    pub fn take_as(&self, index: usize, data_type: SparkType) -> Result<Typed> {
        self.take(index, &Expected::Exactly(data_type))
    }

    /// The text that a payload function decodes, its first argument: STRING as in Spark, and BINARY, as which Kafka's
    /// values come. Nothing else is cast to text. `sql` is the call as messages show it.
    pub fn payload_text(&self, sql: &str) -> Result<Typed> {
        let arg = &self.args[0];
        match arg.data_type {
            SparkType::String | SparkType::Binary | SparkType::Null => self.take_as(0, SparkType::String),
            _ => Err(errors::unexpected_input(sql, 0, "\"STRING\"", arg)),
        }
    }

    /// The value of argument `index`, which must be made of constants and of the given type.
    pub fn constant(&self, index: usize, name: &str, data_type: &SparkType) -> Result<ScalarValue> {
        let arg = self.take_as(index, data_type.clone())?;
        if !arg.foldable {
            return Err(errors::not_foldable(&self.sql(), name, data_type, &self.args[index]));
        }
        fold(&arg.expr)
    }

    /// Text of a constant string argument that is not NULL.
    pub fn constant_text(&self, index: usize, name: &str) -> Result<Option<String>> {
        match self.constant(index, name, &SparkType::String)? {
            ScalarValue::Utf8View(text) => Ok(text),
            other => Err(Error::DataFusion(Box::new(datafusion::error::DataFusionError::Internal(format!(
                "a string constant came out as {other}"
            ))))),
        }
    }

    /// The options in argument `index`, a constant map of strings; none if there is no such argument.
    pub fn options(&self, index: usize) -> Result<BTreeMap<String, String>> {
        let Some(arg) = self.args.get(index) else { return Ok(BTreeMap::new()) };
        let is_text = |t: &SparkType| *t == SparkType::String;
        match &arg.data_type {
            SparkType::Map(key, value, _) if is_text(key) && is_text(value) => {}
            other if !matches!(other, SparkType::Map(..)) => {
                return Err(errors::spark::<&str, &str, 0>("INVALID_OPTIONS.NON_MAP_FUNCTION", []));
            }
            other => {
                let found = errors::quoted_type(other);
                return Err(errors::spark("INVALID_OPTIONS.NON_STRING_TYPE", [("mapType", found)]));
            }
        }
        if !arg.foldable {
            return Err(errors::spark::<&str, &str, 0>("INVALID_OPTIONS.NON_MAP_FUNCTION", []));
        }
        let value = fold(&arg.expr)?.to_array().map_err(Error::from)?;
        let map = value.as_map();
        let (keys, values) = (map.keys().as_string_view(), map.values().as_string_view());
        Ok((0..keys.len())
            .filter(|&i| !values.is_null(i))
            .map(|i| (keys.value(i).to_owned(), values.value(i).to_owned()))
            .collect())
    }

    /// A call of `kernel` whose result is NULL only if an argument is.
    pub fn finish<K: Kernel>(&self, kernel: K, args: Vec<Typed>, data_type: SparkType) -> Typed {
        let nullable = args.iter().any(|a| a.nullable);
        let expr = udf::call(kernel, args.into_iter().map(|a| a.expr).collect());
        Typed::new(expr, data_type, self.sql()).nullable(nullable).folds_with(&self.args)
    }

    /// An expression as the result.
    pub fn result(&self, expr: Expr, data_type: SparkType) -> Typed {
        let nullable = self.args.iter().any(|a| a.nullable);
        Typed::new(expr, data_type, self.sql()).nullable(nullable).folds_with(&self.args)
    }
}

/// The value of an expression made of constants.
///
/// # Errors
/// What evaluating it gives.
pub(crate) fn fold(expr: &Expr) -> Result<ScalarValue> {
    if let Expr::Literal(value, _) = expr {
        return Ok(value.clone());
    }
    let physical = create_physical_expr(
        expr,
        &DFSchema::empty(),
        &ExecutionProps::new(),
        &PhysicalPlanningContext::default(),
    )?;
    let one_row = RecordBatchOptions::new().with_row_count(Some(1));
    let batch = RecordBatch::try_new_with_options(Schema::empty().into(), Vec::new(), &one_row)
        .map_err(datafusion::error::DataFusionError::from)?;
    match physical.evaluate(&batch)? {
        ColumnarValue::Scalar(value) => Ok(value),
        ColumnarValue::Array(array) => Ok(ScalarValue::try_from_array(&array, 0)?),
    }
}
