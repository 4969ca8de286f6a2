//! From the rows of a batch into the producer, without a copy or an allocation for a row.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, BinaryViewArray, Int32Array, ListArray, RecordBatch, StringViewArray};
use millstream_client::{Producer, RecordRef, Sent};

use super::columns::RecordColumns;
use crate::error::{Error, Result, spark_error};

/// Sends the rows of batches.
#[derive(Debug)]
pub struct RecordSender {
    producer: Producer,
    columns: RecordColumns,
    topic: Option<Arc<str>>,
    /// One name for all records of a topic that a column gives.
    topics: HashMap<Box<str>, Arc<str>>,
}

type Header<'a> = (&'a [u8], Option<&'a [u8]>);

impl RecordSender {
    /// `topic` is the option's, which wins over the column.
    pub fn new(producer: Producer, columns: RecordColumns, topic: Option<Arc<str>>) -> Self {
        Self { producer, columns, topic, topics: HashMap::new() }
    }

    /// Sends all rows; waits only where the producer's buffer is full or a topic is new.
    pub async fn send(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = Rows::of(batch, self.columns);
        let mut headers = Vec::new();
        for row in 0..batch.num_rows() {
            let topic = self.topic(&rows, row)?;
            let partition = rows.partition(row)?;
            headers.clear();
            rows.headers(row, &mut headers)?;
            let (key, value) = (rows.key.as_ref().and_then(|key| key.get(row)), rows.value.get(row));
            let record = RecordRef { timestamp: None, key, value, headers: &headers };
            match self.producer.try_send(&topic, partition, record)? {
                Sent::Ok => {}
                Sent::Full | Sent::NeedsMetadata => self.producer.send(&topic, partition, record).await?,
            }
        }
        Ok(())
    }

    /// Waits until everything that was sent is acknowledged.
    pub async fn flush(&self) -> Result<()> {
        Ok(self.producer.flush().await?)
    }

    fn topic(&mut self, rows: &Rows<'_>, row: usize) -> Result<Arc<str>> {
        if let Some(topic) = &self.topic {
            return Ok(topic.clone());
        }
        let column = rows.topic.filter(|topics| topics.is_valid(row)).ok_or_else(null_topic)?;
        let name = column.value(row);
        if let Some(topic) = self.topics.get(name) {
            return Ok(topic.clone());
        }
        let topic: Arc<str> = name.into();
        self.topics.insert(name.into(), topic.clone());
        Ok(topic)
    }
}

/// A column of bytes or text.
enum Bytes<'a> {
    Binary(&'a BinaryViewArray),
    Text(&'a StringViewArray),
}

impl<'a> Bytes<'a> {
    fn of(column: &'a dyn Array) -> Self {
        match column.as_binary_view_opt() {
            Some(binary) => Bytes::Binary(binary),
            None => Bytes::Text(column.as_string_view()),
        }
    }

    fn get(&self, row: usize) -> Option<&'a [u8]> {
        match *self {
            Bytes::Binary(column) => column.is_valid(row).then(|| column.value(row)),
            Bytes::Text(column) => column.is_valid(row).then(|| column.value(row).as_bytes()),
        }
    }
}

struct Rows<'a> {
    topic: Option<&'a StringViewArray>,
    key: Option<Bytes<'a>>,
    value: Bytes<'a>,
    headers: Option<Headers<'a>>,
    partition: Option<&'a Int32Array>,
}

struct Headers<'a> {
    list: &'a ListArray,
    keys: &'a StringViewArray,
    values: Bytes<'a>,
}

impl<'a> Rows<'a> {
    /// The columns were checked, so their types are what they are taken for.
    fn of(batch: &'a RecordBatch, columns: RecordColumns) -> Self {
        let headers = |index: usize| {
            let list = batch.column(index).as_list::<i32>();
            let entries = list.values().as_struct();
            let (keys, values) = (entries.column(0).as_string_view(), Bytes::of(entries.column(1).as_ref()));
            Headers { list, keys, values }
        };
        Self {
            topic: columns.topic.map(|index| batch.column(index).as_string_view()),
            key: columns.key.map(|index| Bytes::of(batch.column(index).as_ref())),
            value: Bytes::of(batch.column(columns.value).as_ref()),
            headers: columns.headers.map(headers),
            partition: columns.partition.map(|index| batch.column(index).as_primitive::<Int32Type>()),
        }
    }

    fn partition(&self, row: usize) -> Result<Option<i32>> {
        let Some(column) = self.partition.filter(|column| column.is_valid(row)) else { return Ok(None) };
        match column.value(row) {
            partition if partition < 0 => Err(Error::Sink {
                sink: "kafka".into(),
                what: format!(
                    "Invalid partition: {partition}. Partition number should always be non-negative or null."
                ),
            }),
            partition => Ok(Some(partition)),
        }
    }

    fn headers(&self, row: usize, into: &mut Vec<Header<'a>>) -> Result<()> {
        let Some(headers) = self.headers.as_ref().filter(|headers| headers.list.is_valid(row)) else {
            return Ok(());
        };
        let offsets = headers.list.value_offsets();
        for entry in offsets[row]..offsets[row + 1] {
            // Offsets of a list array are never negative.
            let entry = entry.unsigned_abs() as usize;
            if headers.keys.is_null(entry) {
                return Err(Error::Sink {
                    sink: "kafka".into(),
                    what: "a header's key is null, which Kafka does not take".into(),
                });
            }
            into.push((headers.keys.value(entry).as_bytes(), headers.values.get(entry)));
        }
        Ok(())
    }
}

fn null_topic() -> Error {
    let none: [(&'static str, &str); 0] = [];
    spark_error(
        "KAFKA_NULL_TOPIC_IN_DATA",
        None,
        none,
        "The Kafka message data sent to the producer contains a null topic. Use the `topic` option for setting a \
         default topic.",
    )
}
