//! The source schema (Spark's Kafka source row) and which of its columns are wanted.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};

use crate::types;

/// The columns of the Kafka source in Spark's order: key, value (binary), topic (string), partition (int),
/// offset (bigint), timestamp (timestamp), timestampType (int) and, with `include_headers`, headers. All are
/// nullable, as in Spark.
pub fn source_schema(include_headers: bool) -> SchemaRef {
    let mut fields = vec![
        Field::new("key", DataType::BinaryView, true),
        Field::new("value", DataType::BinaryView, true),
        Field::new("topic", DataType::Utf8View, true),
        Field::new("partition", DataType::Int32, true),
        Field::new("offset", DataType::Int64, true),
        Field::new("timestamp", types::timestamp(), true),
        Field::new("timestampType", DataType::Int32, true),
    ];
    if include_headers {
        fields.push(Field::new("headers", headers_type(), true));
    }
    Arc::new(Schema::new(fields))
}

/// Type of the `headers` column: `array<struct<key: string, value: binary>>`. A record without headers has
/// null here.
pub fn headers_type() -> DataType {
    let entry = Fields::from(vec![
        Field::new("key", DataType::Utf8View, true),
        Field::new("value", DataType::BinaryView, true),
    ]);
    types::list(DataType::Struct(entry), true)
}

/// Which columns of [`source_schema`] a scan needs. Columns left out are skipped in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each field is the column of that name")]
pub struct Projection {
    pub key: bool,
    pub value: bool,
    pub topic: bool,
    pub partition: bool,
    pub offset: bool,
    pub timestamp: bool,
    pub timestamp_type: bool,
    pub headers: bool,
}

impl Projection {
    /// All columns, headers among them.
    pub const fn all() -> Self {
        Self::from_flags([true; 8])
    }

    /// No column: batches carry only their row count.
    pub const fn none() -> Self {
        Self::from_flags([false; 8])
    }

    /// The columns at `indices` of `source_schema(true)`; indices beyond it are ignored.
    pub fn from_indices(indices: impl IntoIterator<Item = usize>) -> Self {
        let mut flags = [false; 8];
        for index in indices {
            if let Some(flag) = flags.get_mut(index) {
                *flag = true;
            }
        }
        Self::from_flags(flags)
    }

    /// Ascending indices into `source_schema(true)`.
    pub fn indices(&self) -> Vec<usize> {
        self.flags().iter().enumerate().filter(|(_, wanted)| **wanted).map(|(index, _)| index).collect()
    }

    /// Schema of the batches that a decoder with this projection makes: the wanted columns in the source's
    /// order.
    pub fn schema(&self) -> SchemaRef {
        let projected = source_schema(true).project(&self.indices());
        Arc::new(projected.expect("indices come from the same eight columns"))
    }

    const fn flags(&self) -> [bool; 8] {
        [
            self.key,
            self.value,
            self.topic,
            self.partition,
            self.offset,
            self.timestamp,
            self.timestamp_type,
            self.headers,
        ]
    }

    const fn from_flags(f: [bool; 8]) -> Self {
        Self {
            key: f[0],
            value: f[1],
            topic: f[2],
            partition: f[3],
            offset: f[4],
            timestamp: f[5],
            timestamp_type: f[6],
            headers: f[7],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_and_schema_agree() {
        let projection = Projection::from_indices([5, 1, 99]);
        assert_eq!(projection.indices(), [1, 5]);
        let names: Vec<_> = projection.schema().fields().iter().map(|f| f.name().clone()).collect();
        assert_eq!(names, ["value", "timestamp"]);
        assert_eq!(Projection::all().schema(), source_schema(true));
    }
}
