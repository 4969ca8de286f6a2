//! From the rows of a batch into the producer, without a copy or an allocation for a row.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, BinaryViewArray, Int32Array, ListArray, RecordBatch, StringViewArray};
use millstream_client::{Producer, RecordRef, Route, Sent};

use super::columns::RecordColumns;
use crate::error::{Error, Result, spark_error};

/// Sends the rows of batches.
#[derive(Debug)]
pub struct RecordSender {
    producer: Producer,
    columns: RecordColumns,
    /// Whether the topic is the option's, which wins over the column.
    has_one_topic: bool,
    /// The topics so far, and where their names stand.
    targets: Vec<Target>,
    by_name: HashMap<Arc<str>, usize>,
    /// The target of the last row.
    last: usize,
}

/// A topic that is written to.
#[derive(Debug)]
struct Target {
    name: Arc<str>,
    /// Known once a record was sent.
    route: Option<Route>,
}

type Header<'a> = (&'a [u8], Option<&'a [u8]>);

impl RecordSender {
    /// `topic` is the option's, which wins over the column.
    pub fn new(producer: Producer, columns: RecordColumns, topic: Option<Arc<str>>) -> Self {
        let targets: Vec<Target> = topic.into_iter().map(|name| Target { name, route: None }).collect();
        let has_one_topic = !targets.is_empty();
        Self { producer, columns, has_one_topic, targets, by_name: HashMap::new(), last: 0 }
    }

    /// Sends all rows; waits only where the producer's buffer is full or a topic is new.
    ///
    /// Rows have the time at which they, or rows up to one batch or one wait before them, are sent.
    pub async fn send(&mut self, batch: &RecordBatch) -> Result<()> {
        let rows = Rows::of(batch, self.columns);
        let mut headers = Vec::new();
        let mut now = now_millis();
        for row in 0..batch.num_rows() {
            if !self.has_one_topic {
                self.last = self.target(&rows, row)?;
            }
            let partition = rows.partition(row)?;
            headers.clear();
            rows.headers(row, &mut headers)?;
            let (key, value) = (rows.key.as_ref().and_then(|key| key.get(row)), rows.value.get(row));
            let record = RecordRef { timestamp: Some(now), key, value, headers: &headers };
            let target = &mut self.targets[self.last];
            let sent = match &target.route {
                Some(route) => self.producer.try_send_on(route, partition, record)?,
                None => Sent::NeedsMetadata,
            };
            if sent != Sent::Ok {
                self.producer.send(&target.name, partition, record).await?;
                target.route = self.producer.route(&target.name);
                now = now_millis();
            }
        }
        Ok(())
    }

    /// Waits until everything that was sent is acknowledged.
    pub async fn flush(&self) -> Result<()> {
        Ok(self.producer.flush().await?)
    }

    /// Which target a row's topic is; most rows have that of the row before.
    fn target(&mut self, rows: &Rows<'_>, row: usize) -> Result<usize> {
        let column = rows.topic.filter(|topics| topics.is_valid(row)).ok_or_else(null_topic)?;
        let name = column.value(row);
        if self.targets.get(self.last).is_some_and(|target| *target.name == *name) {
            return Ok(self.last);
        }
        if let Some(target) = self.by_name.get(name) {
            return Ok(*target);
        }
        let name: Arc<str> = name.into();
        self.by_name.insert(name.clone(), self.targets.len());
        self.targets.push(Target { name, route: None });
        Ok(self.targets.len() - 1)
    }
}

fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
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
