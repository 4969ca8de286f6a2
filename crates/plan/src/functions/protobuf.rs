//! Protobuf: `from_protobuf(data, messageName, descriptors [, options])` and
//! `to_protobuf(struct, messageName, descriptors [, options])`.
//!
//! The descriptors are a constant: the path of a file that `protoc --include_imports --descriptor_set_out` wrote, or
//! its bytes as BINARY. The file is read once, when the plan is made. Mode FAILFAST is the default; PERMISSIVE gives
//! NULL. Java classes as messages, which Spark takes where no descriptors are given, are refused.
//!
//! With the option `schema.registry.address` the payloads are framed, and the schema is a registry's (`registered`).

mod registered;
#[cfg(test)]
mod tests;

pub(super) use registered::RegisteredProtobuf;

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Volatility;
use datafusion::scalar::ScalarValue;
use millstream_columnar::Error as ColumnarError;
use millstream_columnar::json::ParseMode;
use millstream_columnar::protobuf::{DescriptorSet, ProtobufOptions, ProtobufReader, ProtobufWriter};

use super::call::{Arity, Call, Function};
use super::external;
use super::json::bad_option;
use super::payload::{mismatch, options, printed, text};
use super::registered::{framing_options, shown};
use super::udf::{Evaluation, Kernel};
use crate::analyzer::{Typed, errors};
use crate::error::{Error, SparkError};
use crate::types::SparkType;

/// Functions with rules of their own.
pub(crate) static FUNCTIONS: &[Function] = &[
    Function { name: "from_protobuf", arity: Arity::between(2, 4), build: from_protobuf },
    Function { name: "to_protobuf", arity: Arity::between(2, 4), build: to_protobuf },
];

/// What makes two calls the same.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Arguments {
    message: String,
    descriptors: Arc<[u8]>,
    options: BTreeMap<String, String>,
    data_type: SparkType,
}

#[derive(Clone)]
pub(crate) struct FromProtobuf {
    arguments: Arguments,
    fail_fast: bool,
    reader: Arc<ProtobufReader>,
}

#[derive(Clone)]
struct ToProtobuf {
    arguments: Arguments,
    writer: Arc<ProtobufWriter>,
}

fn from_protobuf(call: &Call<'_>) -> crate::error::Result<Typed> {
    if let Some((index, given)) = framing_options(call, "Protobuf")? {
        return registered::from_protobuf(&shown(call, index), given);
    }
    let data = call.take_as(0, SparkType::Binary)?;
    let (message, descriptors, set) = described(call)?;
    let given = options(call, 3, "Protobuf")?;
    // Options that mean nothing are no error, as in Spark.
    let (options, _) = read_options(&given)?;
    let reader = ProtobufReader::new(&set, &message, &options).map_err(condition)?;
    let data_type = SparkType::from_arrow(&reader.data_type())?;
    let arguments = Arguments { message, descriptors, options: given, data_type: data_type.clone() };
    let fail_fast = options.mode == ParseMode::FailFast;
    let kernel = FromProtobuf { arguments, fail_fast, reader: Arc::new(reader) };
    let mut result = call.finish(kernel, vec![data], data_type).nullable(true);
    result.sql = printed(call, 4);
    result.foldable = false;
    Ok(result)
}

/// Sets what is an option of `from_protobuf`; the others are given back.
fn read_options(
    given: &BTreeMap<String, String>,
) -> crate::error::Result<(ProtobufOptions, BTreeMap<String, String>)> {
    let (mut options, mut others) = (ProtobufOptions::default(), BTreeMap::new());
    for (name, value) in given {
        let is_known = options.set(name, value).map_err(|error| match name.eq_ignore_ascii_case("mode") {
            true => errors::spark(
                "PARSE_MODE_UNSUPPORTED",
                [("funcName", "`from_protobuf`".to_owned()), ("mode", value.to_uppercase())],
            ),
            false => bad_option(error),
        })?;
        if !is_known {
            others.insert(name.clone(), value.clone());
        }
    }
    Ok((options, others))
}

fn to_protobuf(call: &Call<'_>) -> crate::error::Result<Typed> {
    if let Some((index, given)) = framing_options(call, "Protobuf")? {
        return registered::to_protobuf(&shown(call, index), given);
    }
    let value = call.args[0].clone();
    let (message, descriptors, set) = described(call)?;
    let options = options(call, 3, "Protobuf")?;
    let data_type = value.data_type.clone();
    let writer = writer(&data_type, &set, &message)?;
    let arguments = Arguments { message, descriptors, options, data_type };
    let kernel = ToProtobuf { arguments, writer: Arc::new(writer) };
    let mut result = call.finish(kernel, vec![value], SparkType::Binary);
    result.sql = printed(call, 4);
    Ok(result)
}

fn writer(data_type: &SparkType, set: &DescriptorSet, message: &str) -> crate::error::Result<ProtobufWriter> {
    ProtobufWriter::new(&data_type.to_arrow(), set, message).map_err(|error| match error {
        ColumnarError::ProtobufMismatch { condition, problem, .. } => errors::spark(
            "UNABLE_TO_CONVERT_TO_PROTOBUF_MESSAGE_TYPE",
            [
                ("toType", errors::quoted_type(data_type)),
                ("protobufType", message.rsplit('.').next().unwrap_or_default().to_owned()),
                ("reason", format!("{problem} ({condition})")),
            ],
        ),
        other => condition(other),
    })
}

/// The message's name and the descriptor set.
fn described(call: &Call<'_>) -> crate::error::Result<(String, Arc<[u8]>, DescriptorSet)> {
    let message = text(call, 1, "representing the Protobuf message name")?
        .ok_or_else(|| SparkError::without_condition("Message name cannot be null".to_owned()))?;
    let Some(bytes) = descriptors(call)? else {
        return Err(Error::unsupported(format!(
            "{} of the Java class {message}; give the path of a descriptor set or its bytes as third argument, or the \
             option schema.registry.address",
            call.name
        )));
    };
    let set = DescriptorSet::parse(&bytes).map_err(condition)?;
    Ok((message, bytes, set))
}

/// The descriptor set in the third argument, if that is there.
fn descriptors(call: &Call<'_>) -> crate::error::Result<Option<Arc<[u8]>>> {
    Ok(Some(match call.args.get(2).map(|arg| &arg.data_type) {
        None | Some(SparkType::Null | SparkType::Map(..)) => return Ok(None),
        Some(SparkType::Binary) if call.args[2].foldable => {
            match call.constant(2, "descFilePath", &SparkType::Binary)? {
                ScalarValue::BinaryView(Some(bytes)) => bytes.into(),
                _ => Arc::default(),
            }
        }
        Some(SparkType::String) if call.args[2].foldable => {
            let path = call.constant_text(2, "descFilePath")?.unwrap_or_default();
            let read = std::fs::read(&path);
            let unread = |_| errors::spark("PROTOBUF_DESCRIPTOR_FILE_NOT_FOUND", [("filePath", path)]);
            read.map_err(unread)?.into()
        }
        Some(_) => {
            let what = format!(
                "The third argument of the {} SQL function must be a constant string or binary data representing \
                 the Protobuf descriptor file path",
                call.name.to_uppercase()
            );
            return Err(mismatch(call, what));
        }
    }))
}

/// Spark's condition of what is wrong when a call is compiled.
fn condition(error: ColumnarError) -> Error {
    match error {
        ColumnarError::UnknownMessage { name, .. } => {
            errors::spark("PROTOBUF_MESSAGE_NOT_FOUND", [("messageName", name)])
        }
        ColumnarError::BadDescriptor { why } => {
            errors::spark("CANNOT_PARSE_PROTOBUF_DESCRIPTOR", [("reason", why)])
        }
        error @ ColumnarError::BadProto { .. } => {
            errors::spark("CANNOT_PARSE_PROTOBUF_DESCRIPTOR", [("reason", error.to_string())])
        }
        ColumnarError::RecursiveMessage { field } => {
            errors::spark("RECURSIVE_PROTOBUF_SCHEMA", [("fieldDescriptor", field)])
        }
        other => bad_option(other),
    }
}

/// Spark's condition of what is wrong with a row.
fn row_error(error: ColumnarError) -> DataFusionError {
    match error {
        ColumnarError::MalformedProtobuf { row, field, what } => external(SparkError::new(
            "MALFORMED_PROTOBUF_MESSAGE",
            [
                ("failFastMode", "FAILFAST".to_owned()),
                ("reason", format!("row {row} of the batch, field {field}: {what}")),
            ],
        )),
        ColumnarError::UnknownEnumValue { field, data, values, .. } => external(SparkError::new(
            "CANNOT_CONVERT_SQL_VALUE_TO_PROTOBUF_ENUM_TYPE",
            [("sqlColumn", &field), ("protobufColumn", &field), ("data", &data), ("enumString", &values)],
        )),
        other => DataFusionError::External(Box::new(other)),
    }
}

impl Kernel for FromProtobuf {
    fn name(&self) -> &str {
        "from_protobuf"
    }

    fn return_type(&self) -> DataType {
        self.arguments.data_type.to_arrow()
    }

    /// It gives the same for the same bytes, but is too dear to be computed twice: a filter on one of its fields
    /// would otherwise be pushed below it together with a copy of it.
    fn volatility(&self) -> Volatility {
        Volatility::Volatile
    }

    fn fails_for_records(&self) -> bool {
        self.fail_fast
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        self.reader.read(&*args[0]).map_err(row_error)
    }
}

impl Kernel for ToProtobuf {
    fn name(&self) -> &str {
        "to_protobuf"
    }

    fn return_type(&self) -> DataType {
        DataType::BinaryView
    }

    fn evaluate(&self, args: &[ArrayRef], _context: &Evaluation<'_>) -> Result<ArrayRef> {
        self.writer.write(&*args[0]).map_err(row_error)
    }
}

macro_rules! by_arguments {
    ($kernel:ident) => {
        impl fmt::Debug for $kernel {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let Arguments { message, options, .. } = &self.arguments;
                f.debug_struct(stringify!($kernel))
                    .field("message", message)
                    .field("options", options)
                    .finish()
            }
        }

        impl PartialEq for $kernel {
            fn eq(&self, other: &Self) -> bool {
                self.arguments == other.arguments
            }
        }

        impl Eq for $kernel {}

        impl Hash for $kernel {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.arguments.hash(state);
            }
        }
    };
}

by_arguments!(FromProtobuf);
by_arguments!(ToProtobuf);
