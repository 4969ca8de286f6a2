//! Kafka's own serializers: `from_kafka(bytes, type [, options])` and `to_kafka(value, type)`.
//!
//! Spark has nothing for them; its users write `conv(hex(value), 16, 10)`, which is wrong for negative numbers. The
//! types are `boolean`, `short`, `int`, `long`, `float`, `double`, `string`, `uuid` and `bytes`, SQL's names of
//! them, or the names of Kafka's classes, such as `LongDeserializer`. `from_kafka` gives NULL for bytes that are no
//! such value, or with `map('mode', 'FAILFAST')` an error that names the row.

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use millstream_columnar::json::ParseMode;
use millstream_columnar::plain::{PlainReader, PlainType, PlainWriter};

use super::call::{Arity, Call, Function};
use super::json::bad_option;
use super::udf::{Evaluation, Kernel};
use crate::analyzer::{Typed, errors};
use crate::types::SparkType;

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "from_kafka", arity: Arity::between(2, 3), build: from_kafka },
    Function { name: "to_kafka", arity: Arity::exactly(2), build: to_kafka },
];

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct FromKafka {
    plain: PlainType,
    fail_fast: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct ToKafka {
    plain: PlainType,
}

fn from_kafka(call: &Call<'_>) -> crate::error::Result<Typed> {
    let bytes = call.take_as(0, SparkType::Binary)?;
    let plain = plain_type(call)?;
    let mut fail_fast = false;
    for (name, value) in call.options(2)? {
        match (name.to_ascii_lowercase().as_str(), value.to_ascii_uppercase().as_str()) {
            ("mode", "PERMISSIVE") => fail_fast = false,
            ("mode", "FAILFAST") => fail_fast = true,
            ("mode", mode) => {
                return Err(errors::spark(
                    "PARSE_MODE_UNSUPPORTED",
                    [("funcName", "`from_kafka`".to_owned()), ("mode", mode.to_owned())],
                ));
            }
            _ => {
                return Err(bad_option(millstream_columnar::Error::BadOption {
                    option: name,
                    value,
                    why: "from_kafka has the option mode only".into(),
                }));
            }
        }
    }
    let data_type = SparkType::from_arrow(&plain.data_type())?;
    Ok(call.finish(FromKafka { plain, fail_fast }, vec![bytes], data_type).nullable(true))
}

fn to_kafka(call: &Call<'_>) -> crate::error::Result<Typed> {
    let plain = plain_type(call)?;
    let value = call.take_as(0, SparkType::from_arrow(&plain.data_type())?)?;
    Ok(call.finish(ToKafka { plain }, vec![value], SparkType::Binary))
}

fn plain_type(call: &Call<'_>) -> crate::error::Result<PlainType> {
    let name = call.constant_text(1, "type")?.unwrap_or_default();
    PlainType::parse(&name).map_err(bad_option)
}

impl Kernel for FromKafka {
    fn name(&self) -> &str {
        "from_kafka"
    }

    fn return_type(&self) -> DataType {
        self.plain.data_type()
    }

    fn fails_for_records(&self) -> bool {
        self.fail_fast
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let mode = if self.fail_fast { ParseMode::FailFast } else { ParseMode::Permissive };
        let read = PlainReader::new(self.plain, mode).read(&*args[0]);
        read.map_err(|error| DataFusionError::External(Box::new(error)))
    }
}

impl Kernel for ToKafka {
    fn name(&self) -> &str {
        "to_kafka"
    }

    fn return_type(&self) -> DataType {
        DataType::BinaryView
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        let written = PlainWriter::new(self.plain).write(&*args[0]);
        written.map_err(|error| DataFusionError::External(Box::new(error)))
    }
}
