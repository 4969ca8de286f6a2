//! The columns of a Kafka record: which ones a frame must have, and of what types.
//!
//! | column | type | |
//! |---|---|---|
//! | topic | string | needed unless the option `topic` is given, which wins |
//! | key | string or binary | |
//! | value | string or binary | needed |
//! | headers | array<struct<key:string,value:binary>> | |
//! | partition | int | wins over the key |
//!
//! Names are matched exactly; other columns are ignored.

use arrow_schema::{DataType, Schema};
use millstream_columnar::records::headers_type;
use millstream_plan::types::SparkType;

use crate::error::{Error, Result, spark_error};

/// Where the parts of a record stand among the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordColumns {
    /// None when the option gives the topic.
    pub topic: Option<usize>,
    /// The key.
    pub key: Option<usize>,
    /// The value.
    pub value: usize,
    /// The headers.
    pub headers: Option<usize>,
    /// The partition.
    pub partition: Option<usize>,
}

impl RecordColumns {
    /// Finds and checks the columns; `topic_given` says that the option `topic` is set.
    pub fn of(schema: &Schema, topic_given: bool) -> Result<Self> {
        let text = [DataType::Utf8View];
        let bytes = [DataType::Utf8View, DataType::BinaryView];
        let topic = match (topic_given, find(schema, "topic", &text, "string")?) {
            (true, _) => None,
            (false, Some(topic)) => Some(topic),
            (false, None) => {
                return Err(refused(
                    "topic option required when no 'topic' attribute is present. Use the topic option for setting a \
                     topic.",
                ));
            }
        };
        let key = find(schema, "key", &bytes, "string or binary")?;
        let value = find(schema, "value", &bytes, "string or binary")?
            .ok_or_else(|| refused("Required attribute 'value' not found"))?;
        let headers = find(schema, "headers", &[headers_type()], "array<struct<key:string,value:binary>>")?;
        let partition = find(schema, "partition", &[DataType::Int32], "int")?;
        Ok(Self { topic, key, value, headers, partition })
    }
}

fn find(schema: &Schema, name: &str, types: &[DataType], wanted: &str) -> Result<Option<usize>> {
    let Ok(index) = schema.index_of(name) else { return Ok(None) };
    let found = schema.field(index).data_type();
    if types.iter().any(|known| same_type(known, found)) {
        return Ok(Some(index));
    }
    let found =
        SparkType::from_arrow(found).map_or_else(|_| found.to_string(), |known| known.simple_string());
    Err(refused(&format!("{name} attribute unsupported type {found}. {name} must be a(n) {wanted}")))
}

/// Whether the types are the same but for which of their parts may be null.
fn same_type(left: &DataType, right: &DataType) -> bool {
    match (left, right) {
        (DataType::List(left), DataType::List(right)) => same_type(left.data_type(), right.data_type()),
        (DataType::Struct(left), DataType::Struct(right)) => {
            left.len() == right.len()
                && left.iter().zip(right).all(|(left, right)| {
                    left.name() == right.name() && same_type(left.data_type(), right.data_type())
                })
        }
        _ => left == right,
    }
}

fn refused(text: &str) -> Error {
    spark_error("_LEGACY_ERROR_TEMP_3080", None, [("msg", text)], text)
}

#[cfg(test)]
mod tests {
    use arrow_schema::Field;

    use super::*;

    fn columns(fields: &[(&str, DataType)], topic_given: bool) -> Result<RecordColumns> {
        let fields: Vec<Field> = fields.iter().map(|(n, t)| Field::new(*n, t.clone(), true)).collect();
        RecordColumns::of(&Schema::new(fields), topic_given)
    }

    fn message(fields: &[(&str, DataType)], topic_given: bool) -> String {
        let error = columns(fields, topic_given).unwrap_err();
        assert_eq!(error.spark().unwrap().condition.as_deref(), Some("_LEGACY_ERROR_TEMP_3080"));
        error.to_string()
    }

    #[test]
    fn what_is_missing_or_of_another_type_is_named() {
        let value = ("value", DataType::Utf8View);
        assert!(
            message(std::slice::from_ref(&value), false).starts_with("topic option required when no 'topic'")
        );
        assert_eq!(message(&[("key", DataType::Utf8View)], true), "Required attribute 'value' not found");
        assert_eq!(message(&[("Value", DataType::Utf8View)], true), "Required attribute 'value' not found");
        assert_eq!(
            message(&[("value", DataType::Int64)], true),
            "value attribute unsupported type bigint. value must be a(n) string or binary"
        );
        assert_eq!(
            message(&[("topic", DataType::Int32), value], false),
            "topic attribute unsupported type int. topic must be a(n) string"
        );
    }

    #[test]
    fn the_option_wins_over_the_column_and_other_columns_are_ignored() {
        let fields = [
            ("other", DataType::Int32),
            ("headers", headers_type()),
            ("topic", DataType::Utf8View),
            ("value", DataType::BinaryView),
            ("partition", DataType::Int32),
        ];
        let found = columns(&fields, true).unwrap();
        let expected =
            RecordColumns { topic: None, key: None, value: 3, headers: Some(1), partition: Some(4) };
        assert_eq!(found, expected);
        assert_eq!(columns(&fields, false).unwrap().topic, Some(2));
    }
}
