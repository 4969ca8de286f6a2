//! The crate against the embedded broker: what is written is read, as a batch and as a stream.

mod batch_reads;
mod sink;
mod source;

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{ArrayRef, BinaryViewArray, Int32Array, RecordBatch, StringViewArray};
use arrow_schema::{DataType, Field, Schema};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use millstream_broker::BrokerOptions;
use millstream_broker::net::{EmbeddedBroker, start_in_thread};
use millstream_plan::tree::{Options, Read};
use uuid::Uuid;

use crate::micro_batch::crash::CrashPoints;
use crate::session::Session;
use crate::sink::kafka::KafkaSink;
use crate::sink::{Sink, SinkBatch};
use crate::source::kafka::KafkaRead;

/// A broker and a session that computes on two threads.
struct Cluster {
    broker: EmbeddedBroker,
    session: Session,
}

impl Cluster {
    /// Topics by name and number of partitions.
    fn with(topics: &[(&str, i32)]) -> Self {
        let broker = start_in_thread(BrokerOptions::default()).unwrap();
        for (topic, partitions) in topics {
            broker.broker().create_topic(topic, *partitions, &[]).unwrap();
        }
        let session = Session::builder().config("millstream.parallelism", 2).build().unwrap();
        Self { broker, session }
    }

    fn options(&self, more: &[(&str, &str)]) -> Options {
        let mut options: Options = more.iter().copied().collect();
        options.set("kafka.bootstrap.servers", self.broker.bootstrap());
        options
    }

    fn read(&self, streaming: bool, options: &[(&str, &str)]) -> KafkaRead {
        let mut read = Read::new("kafka", streaming);
        read.options = self.options(options);
        KafkaRead::check(&read).unwrap()
    }

    /// Produces rows of (partition, key, value) to a topic.
    async fn produce(&self, topic: &str, rows: &[(i32, Option<&str>, Option<&str>)]) {
        let schema = Arc::new(Schema::new(vec![
            Field::new("partition", DataType::Int32, true),
            Field::new("key", DataType::Utf8View, true),
            Field::new("value", DataType::BinaryView, true),
        ]));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.0))),
            Arc::new(StringViewArray::from_iter(rows.iter().map(|row| row.1))),
            Arc::new(BinaryViewArray::from_iter(rows.iter().map(|row| row.2.map(str::as_bytes)))),
        ];
        let batch = RecordBatch::try_new(schema, columns).unwrap();
        self.write(&[("topic", topic)], batch).await.unwrap();
    }

    /// Writes a batch through the Kafka sink; the number of rows written.
    async fn write(&self, options: &[(&str, &str)], batch: RecordBatch) -> crate::Result<Option<u64>> {
        let sink = KafkaSink::new(self.options(options), self.session.kafka().clone());
        let at = SinkBatch {
            query_id: Uuid::nil(),
            batch_id: 0,
            attempt: 1,
            partitions: 1,
            schema: batch.schema(),
            crash: CrashPoints::default(),
        };
        sink.prepare(at.query_id, &at.schema).await?;
        sink.open(&at).await?;
        let written = sink.write(&at, 0, stream_of(batch)).await?;
        Ok(sink.commit(&at, vec![written]).await?.output_rows)
    }
}

fn stream_of(batch: RecordBatch) -> SendableRecordBatchStream {
    Box::pin(RecordBatchStreamAdapter::new(batch.schema(), futures::stream::iter([Ok(batch)])))
}

/// (topic, partition, offset, value) of every row, sorted.
fn positions(batches: &[RecordBatch]) -> Vec<(String, i32, i64, Option<String>)> {
    let mut rows = Vec::new();
    for batch in batches {
        let column = |name: &str| batch.column_by_name(name).unwrap();
        let values = column("value").as_binary_view();
        for (row, value) in values.iter().enumerate() {
            rows.push((
                column("topic").as_string_view().value(row).to_owned(),
                column("partition").as_primitive::<Int32Type>().value(row),
                column("offset").as_primitive::<Int64Type>().value(row),
                value.map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            ));
        }
    }
    rows.sort();
    rows
}

/// The values of every row, sorted.
fn values(batches: &[RecordBatch]) -> Vec<String> {
    let mut values: Vec<String> =
        positions(batches).into_iter().map(|row| row.3.unwrap_or_else(|| "NULL".into())).collect();
    values.sort();
    values
}
