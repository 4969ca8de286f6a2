//! `schema_of_csv(record [, options])`: the types of a constant record's values, as DDL.

use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use millstream_columnar::csv::schema_of_csv as infer;

use crate::analyzer::{Typed, errors};
use crate::error::Result;
use crate::functions::call::Call;
use crate::functions::json::bad_option;
use crate::types::SparkType;

pub(super) fn schema_of_csv(call: &Call<'_>) -> Result<Typed> {
    let Some(record) = call.constant_text(0, "csv")? else {
        return Err(errors::spark(
            "DATATYPE_MISMATCH.UNEXPECTED_NULL",
            [("exprName", "csv".to_owned()), ("sqlExpr", format!("\"{}\"", call.sql()))],
        ));
    };
    let options = super::compile(&super::options(call, 1)?)?;
    let found = infer(&record, &options).map_err(bad_option)?;
    let ddl = SparkType::from_arrow(&found)?.sql();
    let sql = format!("schema_of_csv({})", call.args[0].sql);
    let literal = Expr::Literal(ScalarValue::Utf8View(Some(ddl)), None);
    Ok(Typed { foldable: true, ..Typed::new(literal, SparkType::String, sql).nullable(false) })
}
