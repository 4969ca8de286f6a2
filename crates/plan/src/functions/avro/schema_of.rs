//! `schema_of_avro(jsonFormatSchema [, options])`: the type that `from_avro` gives, as DDL.

use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;
use millstream_columnar::avro::AvroReader;

use super::{columnar, parse, read_options, schema_text};
use crate::analyzer::Typed;
use crate::error::Result;
use crate::functions::call::Call;
use crate::functions::payload::{options, printed};
use crate::types::SparkType;

pub(super) fn schema_of_avro(call: &Call<'_>) -> Result<Typed> {
    let schema = schema_text(call, 0)?.unwrap_or_default();
    let (options, _) = read_options(call, &options(call, 1, "AVRO")?)?;
    let reader = AvroReader::new(&parse(&schema)?, options).map_err(columnar)?;
    let ddl = SparkType::from_arrow(reader.data_type())?.sql();
    let expr = Expr::Literal(ScalarValue::Utf8View(Some(ddl)), None);
    let typed = Typed::new(expr, SparkType::String, printed(call, 2)).nullable(false);
    Ok(Typed { foldable: true, ..typed })
}
