//! The crate's one error, split by whose fault it is: the bytes, the options, the caller, or a limit.

use std::fmt;

use arrow_schema::{ArrowError, DataType};

/// Result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong between bytes and columns.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A record batch could not be decoded. The offset is the base offset of the batch, or of the place where
    /// one was expected.
    #[error("topic {topic} partition {partition} offset {offset}: {source}")]
    BadBatch {
        /// Topic the bytes were fetched from.
        topic: String,
        /// Partition the bytes were fetched from.
        partition: i32,
        /// Base offset of the batch.
        offset: i64,
        /// What is wrong.
        source: millstream_protocol::Error,
    },
    /// A record's timestamp in milliseconds does not fit into microseconds.
    #[error(
        "topic {topic} partition {partition}: the record at offset {offset} has the timestamp \
         {timestamp_ms} ms, which does not fit into microseconds"
    )]
    TimestampOverflow {
        /// Topic of the record.
        topic: String,
        /// Partition of the record.
        partition: i32,
        /// Offset of the record.
        offset: i64,
        /// Kafka's timestamp in milliseconds since 1970.
        timestamp_ms: i64,
    },
    /// A JSON document could not be parsed under FAILFAST.
    #[error(
        "malformed JSON record {record} (row {row} of its batch{}{path}): {fault}; set the option mode to \
         PERMISSIVE to get null fields for such records",
        if path.is_empty() { "" } else { ", field " }
    )]
    MalformedJson {
        /// Spark's `badRecord`: the result row as text (`[null,null]`), or the document for arrays where an
        /// object is due.
        record: String,
        /// Which of Spark's conditions this is.
        fault: JsonFault,
        /// The row in the array of documents.
        row: usize,
        /// The path to the value that does not fit, as `a.b.2`; empty for the whole document.
        path: String,
    },
    /// A CSV record could not be read: under FAILFAST, or in any mode where it breaks a limit.
    #[error("malformed CSV record {record}{}: {fault}", in_field(.field))]
    MalformedCsv {
        /// Spark's `badRecord`: the record, or, where a value does not fit, the result row as text.
        record: String,
        /// The field whose value does not fit; empty where it is about the whole record.
        field: String,
        /// Which of Spark's conditions this is.
        fault: CsvFault,
    },
    /// Bytes that are no value of one of Kafka's plain types: in mode FAILFAST, or text that is to become a UUID.
    #[error(
        "row {row}: {found} bytes are no {plain}; set the option mode to PERMISSIVE to get null for such values"
    )]
    MalformedPlain {
        /// Name of the format.
        plain: &'static str,
        /// Row of the column, from 0.
        row: usize,
        /// How many bytes there are.
        found: usize,
    },
    /// Bytes that are not the Protobuf message they should be, in mode FAILFAST.
    #[error(
        "malformed Protobuf message in row {row} of the batch, field {field}: {what}; set the option mode to PERMISSIVE \
         to get null for such messages"
    )]
    MalformedProtobuf {
        /// Place in the batch, from 0.
        row: usize,
        /// The path to the field, beginning with the message's name.
        field: String,
        /// What is wrong.
        what: String,
    },
    /// A value that Protobuf has no place for, such as null in an array.
    #[error("the value in row {row} of the batch, field {field}, cannot be written as Protobuf: {what}")]
    UnwritableProtobuf {
        /// Place in the batch, from 0.
        row: usize,
        /// The path to the field, beginning with the message's name.
        field: String,
        /// What is wrong.
        what: String,
    },
    /// A name or number that the Protobuf enum it is to be written as does not have.
    #[error(
        "the value in row {row} of the batch, field {field}: {data} is none of the enum's values {values}"
    )]
    UnknownEnumValue {
        /// Place in the batch, from 0.
        row: usize,
        /// The path to the field, beginning with the message's name.
        field: String,
        /// What was to be written.
        data: String,
        /// What the enum has.
        values: String,
    },
    /// A descriptor set that cannot be used.
    #[error("the Protobuf descriptor set cannot be used: {why}")]
    BadDescriptor {
        /// What is wrong and what would be accepted.
        why: String,
    },
    /// A `.proto` text that cannot be read.
    #[error("the .proto text cannot be read, line {line}: {why}")]
    BadProto {
        /// From 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// A field that another schema has under the same number, with a type that is written in another way.
    #[error(
        "the field {field} (number {number}) was written as {written}, and is read as {read}; read with the writer's \
         schema"
    )]
    IncompatibleProtobuf {
        /// The path to the field, beginning with the message's name.
        field: String,
        /// By which it is known on the wire.
        number: u32,
        /// How the writer's schema has it on the wire.
        written: &'static str,
        /// How the reader's has it.
        read: &'static str,
    },
    /// The descriptor set has no such message.
    #[error("there is no Protobuf message {name} in the descriptor set; it has {known}")]
    UnknownMessage {
        /// The name asked for.
        name: String,
        /// Some that are there.
        known: String,
    },
    /// A message stands inside of itself and no depth is given.
    #[error("the field {field} holds its own message; set the option recursive.fields.max.depth (1 to 10)")]
    RecursiveMessage {
        /// Message and field.
        field: String,
    },
    /// A struct's fields are not those of the Protobuf message that it is to become.
    #[error("{problem}")]
    ProtobufMismatch {
        /// Which of Spark's conditions this is, such as `NO_SQL_TYPE_IN_PROTOBUF_SCHEMA`.
        condition: &'static str,
        /// The path of the field.
        field: String,
        /// What is wrong.
        problem: String,
    },
    /// An Avro payload could not be read under FAILFAST.
    #[error(
        "malformed Avro payload in row {row} of the batch{}: {why}; set the option mode to PERMISSIVE to get null \
         fields for such records", in_field(.field)
    )]
    MalformedAvro {
        /// Place in the batch, from 0.
        row: usize,
        /// Path of the field, empty for the root.
        field: String,
        /// What is wrong.
        why: String,
    },
    /// A value that has no place in the Avro schema that it is to be written with.
    #[error("the value in row {row} of the batch{} cannot be written as Avro: {why}", in_field(.field))]
    UnwritableAvro {
        /// Place in the batch, from 0.
        row: usize,
        /// Path of the field, empty for the root.
        field: String,
        /// What is wrong, and what would be accepted.
        why: String,
    },
    /// Null in a field whose Avro type has no null.
    #[error(
        "row {row} of the batch: the field {name} is null, but its Avro type {data_type} has no null; write it with \
         a union of null and the type"
    )]
    NullAvroField {
        /// Place in the batch, from 0.
        row: usize,
        /// The field.
        name: String,
        /// Its type in the schema, as JSON.
        data_type: String,
    },
    /// An Avro schema that cannot be used.
    #[error("the Avro schema cannot be used: {why}")]
    BadSchema {
        /// What is wrong and where.
        why: String,
    },
    /// An option holds a value that cannot be used.
    #[error("option {option} = {value:?}: {why}")]
    BadOption {
        /// Name of the option as users write it.
        option: String,
        /// The value given.
        value: String,
        /// What is wrong and what would be accepted.
        why: String,
    },
    /// A date or time pattern that cannot be compiled.
    #[error("the datetime pattern {pattern:?} cannot be used: {why}")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// Which letter is wrong and why.
        why: String,
    },
    /// A type that has no conversion here.
    #[error("{operation} does not support the type {data_type}")]
    UnsupportedType {
        /// What was asked for, such as `from_json`.
        operation: &'static str,
        /// The type.
        data_type: DataType,
    },
    /// Something sent by a stranger is larger than a limit allows.
    #[error("{what} has {found} {unit}, over the limit of {limit}; raise {setting} if this is expected")]
    LimitExceeded {
        /// The thing measured.
        what: String,
        /// Unit of the numbers.
        unit: &'static str,
        /// Size found.
        found: usize,
        /// The limit.
        limit: usize,
        /// Option that sets the limit.
        setting: &'static str,
    },
    /// The caller broke a rule of the API.
    #[error("misuse of columnar: {0}")]
    Misuse(String),
    /// Arrow refused arrays that we built.
    #[error("arrow: {0}")]
    Arrow(#[from] ArrowError),
}

/// ` in field a.b`, or nothing for the root.
fn in_field(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!(" in field {path}") }
}

/// Why a JSON document was refused under FAILFAST; one variant per error condition of Spark.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonFault {
    /// An array where the schema has a struct:
    /// `MALFORMED_RECORD_IN_PARSING.CANNOT_PARSE_JSON_ARRAYS_AS_STRUCTS`.
    ArraysAsStructs,
    /// The document is the literal `null`: `INVALID_JSON_ROOT_FIELD`.
    RootNull,
    /// A string in the place of a float or double:
    /// `MALFORMED_RECORD_IN_PARSING.CANNOT_PARSE_STRING_AS_DATATYPE`.
    StringForNumber {
        /// The innermost name or index.
        field: String,
        /// The string.
        value: String,
    },
    /// Bad syntax or a value that does not fit its field: `MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION`.
    Malformed {
        /// What was found, for logs.
        what: String,
        /// The cause, where Spark names one below that condition.
        value: Option<Box<JsonValueFault>>,
    },
}

/// A value that the type of its field makes nothing of; one variant per error condition of Spark.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum JsonValueFault {
    /// A token of another kind than the type takes: `CANNOT_PARSE_JSON_FIELD`.
    Token {
        /// The name in front of the value; none for elements of arrays and for the document itself.
        field: Option<String>,
        /// The token's text, as `12`, `{` or the inside of a string.
        text: String,
        /// Jackson's name for it, as `VALUE_STRING`.
        token: &'static str,
        /// The type that the value should have.
        data_type: DataType,
    },
    /// An empty string: `EMPTY_JSON_FIELD_VALUE`.
    Empty {
        /// The type that the value should have.
        data_type: DataType,
    },
    /// A string that is no date, time or interval, where the options name no format: what a cast of it says.
    Text {
        /// The string.
        text: String,
        /// The type that the value should have.
        data_type: DataType,
    },
    /// A number with too many digits: `NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION`.
    TooLarge {
        /// The number.
        text: String,
        /// The decimal that it should be.
        data_type: DataType,
    },
}

impl JsonFault {
    /// Spark's error condition.
    pub fn condition(&self) -> &'static str {
        match self {
            Self::ArraysAsStructs => "MALFORMED_RECORD_IN_PARSING.CANNOT_PARSE_JSON_ARRAYS_AS_STRUCTS",
            Self::RootNull => "INVALID_JSON_ROOT_FIELD",
            Self::StringForNumber { .. } => "MALFORMED_RECORD_IN_PARSING.CANNOT_PARSE_STRING_AS_DATATYPE",
            Self::Malformed { .. } => "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
        }
    }
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonFault::ArraysAsStructs => f.write_str("an array cannot be read as a struct"),
            JsonFault::RootNull => f.write_str("the document is null"),
            JsonFault::StringForNumber { field, value } => {
                write!(f, "the string {value:?} of {field} is not a number")
            }
            JsonFault::Malformed { what, .. } => f.write_str(what),
        }
    }
}

/// Why a CSV record was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CsvFault {
    /// It has more or fewer values than the schema, or none: `MALFORMED_CSV_RECORD`.
    WrongCount,
    /// A value does not fit its field: `MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION`.
    Mismatch,
    /// More values than `maxColumns`, in any mode: `MALFORMED_CSV_RECORD`.
    TooManyColumns,
    /// A value longer than `maxCharsPerColumn`, in any mode: `MALFORMED_CSV_RECORD`.
    TooManyChars,
    /// A quoted value goes on behind its quote although `unescapedQuoteHandling` is RAISE_ERROR, in any mode.
    UnescapedQuote,
}

impl fmt::Display for CsvFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            CsvFault::WrongCount => {
                "the number of values is not the schema's; set the option mode to PERMISSIVE to get null fields"
            }
            CsvFault::Mismatch => {
                "a value does not fit its field; set the option mode to PERMISSIVE to get null fields"
            }
            CsvFault::TooManyColumns => "it has more values than the option maxColumns allows",
            CsvFault::TooManyChars => "a value is longer than the option maxCharsPerColumn allows",
            CsvFault::UnescapedQuote => {
                "a quoted value goes on behind its quote; set unescapedQuoteHandling to STOP_AT_DELIMITER"
            }
        })
    }
}
