//! `schema_of_json(document [, options])`: the type of a constant document, as DDL.

use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use millstream_columnar::json::{JsonReadOptions, schema_of_json as infer};

use crate::analyzer::{Typed, errors};
use crate::error::Result;
use crate::functions::call::Call;
use crate::functions::udf::{self, Evaluation, Kernel};
use crate::types::SparkType;

/// A document that could not be read: the error belongs to the run, not to the analysis.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Unreadable {
    why: String,
}

pub(super) fn schema_of_json(call: &Call<'_>) -> Result<Typed> {
    let Some(document) = call.constant_text(0, "json")? else {
        return Err(errors::spark(
            "DATATYPE_MISMATCH.UNEXPECTED_NULL",
            [("exprName", "json".to_owned()), ("sqlExpr", format!("\"{}\"", call.sql()))],
        ));
    };
    let mut options = JsonReadOptions::default();
    for (name, value) in call.options(1)? {
        options.set(&name, &value).map_err(super::bad_option)?;
    }
    let expr = match infer(&document, &options) {
        Ok(found) => {
            let ddl = SparkType::from_arrow(&found)?.sql();
            Expr::Literal(ScalarValue::Utf8View(Some(ddl)), None)
        }
        Err(error) => udf::call(Unreadable { why: error.to_string() }, Vec::new()),
    };
    let sql = format!("schema_of_json({})", call.args[0].sql);
    Ok(Typed { foldable: true, ..Typed::new(expr, SparkType::String, sql).nullable(false) })
}

impl Kernel for Unreadable {
    fn name(&self) -> &str {
        "schema_of_json"
    }

    fn return_type(&self) -> arrow_schema::DataType {
        arrow_schema::DataType::Utf8View
    }

    fn evaluate(
        &self,
        _args: &[arrow_array::ArrayRef],
        _context: &Evaluation<'_>,
    ) -> datafusion::common::Result<arrow_array::ArrayRef> {
        Err(DataFusionError::Execution(self.why.clone()))
    }
}
