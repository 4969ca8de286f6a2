//! Rows into Kafka: at least once.
//!
//! Rows go straight from the columns into the producer while they are computed; the end of a partition waits
//! until all of
//! them are acknowledged. A batch that is run again after a crash is produced again, so consumers that must not see a
//! record twice need a key in the payload.

mod columns;
mod records;

use std::sync::Arc;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use millstream_client::{ClientOptions, Producer};
use millstream_plan::tree::Options;
use tokio::sync::OnceCell;
use uuid::Uuid;

pub use columns::RecordColumns;
use records::RecordSender;

use super::{Committable, Committed, Guarantee, Sink, SinkBatch};
use crate::error::{Error, Result, spark_error};
use crate::source::kafka::{KafkaClients, names};

/// The columns that become bytes.
pub const BYTE_COLUMNS: [&str; 2] = ["key", "value"];

/// Client properties that a write cannot have.
const FORBIDDEN: [(&str, &str); 2] = [
    ("key.serializer", "as keys are serialized with ByteArraySerializer."),
    ("value.serializer", "as value are serialized with ByteArraySerializer."),
];

/// Most producers of a sink. A broker works off the requests of one connection one after the other, so a single one
/// would keep no more than a core of it busy; the rows of one task have one producer and stay in order.
const MOST_PRODUCERS: usize = 4;

/// Produces the rows of batches.
#[derive(Debug)]
pub struct KafkaSink {
    options: Options,
    topic: Option<Arc<str>>,
    clients: Arc<KafkaClients>,
    /// One for each task that writes side by side, up to a limit.
    producers: [OnceCell<Producer>; MOST_PRODUCERS],
}

impl KafkaSink {
    /// A sink with these options. Nothing is connected before the first batch.
    pub fn new(options: Options, clients: Arc<KafkaClients>) -> Self {
        let topic = options.get("topic").map(|topic| topic.trim().into());
        Self { options, topic, clients, producers: Default::default() }
    }

    /// Refuses forbidden properties and a write without brokers; a stream finds them when it runs, as in Spark.
    fn check(&self) -> Result<()> {
        let options = &self.options;
        for (name, why) in FORBIDDEN {
            let option = format!("{}{name}", names::CLIENT_PREFIX);
            if options.contains(&option) {
                let text = format!("Kafka option '{name}' is not supported {why}");
                return Err(Error::option(option, text));
            }
        }
        if options.contains("kafka.bootstrap.servers") {
            return Ok(());
        }
        let text = "Kafka option bootstrap.servers is not set: give 'kafka.bootstrap.servers', for example localhost:9092";
        Err(spark_error("MISSING_KAFKA_OPTION", None, [("option", "bootstrap.servers".to_owned())], text))
    }

    /// The producer of a task.
    async fn producer(&self, partition: usize) -> Result<&Producer> {
        let connect = || async {
            let names = names::client_properties(&self.options);
            let properties = ClientOptions::from_properties(names.iter().cloned())?;
            let kafka = self.clients.connect(names, properties.client).await?;
            Ok::<_, Error>(self.clients.producer(&kafka, properties.producer))
        };
        self.producers[partition % MOST_PRODUCERS].get_or_try_init(connect).await
    }
}

#[async_trait]
impl Sink for KafkaSink {
    fn description(&self) -> String {
        match &self.topic {
            Some(topic) => format!("KafkaSink[{topic}]"),
            None => "KafkaSink".into(),
        }
    }

    fn guarantee(&self) -> Guarantee {
        Guarantee::AtLeastOnce
    }

    async fn prepare(&self, _query_id: Uuid, schema: &SchemaRef) -> Result<()> {
        self.check()?;
        RecordColumns::of(schema, self.topic.is_some()).map(|_| ())
    }

    async fn open(&self, _batch: &SinkBatch) -> Result<()> {
        Ok(())
    }

    async fn write(
        &self,
        batch: &SinkBatch,
        partition: usize,
        mut rows: SendableRecordBatchStream,
    ) -> Result<Committable> {
        let columns = RecordColumns::of(&batch.schema, self.topic.is_some())?;
        let mut sender = None;
        let mut count = 0;
        while let Some(rows) = rows.next().await.transpose()? {
            if rows.num_rows() == 0 {
                continue;
            }
            let sender = match &mut sender {
                Some(sender) => sender,
                None => {
                    let producer = self.producer(partition).await?.clone();
                    sender.insert(RecordSender::new(producer, columns, self.topic.clone()))
                }
            };
            sender.send(&rows).await?;
            count += rows.num_rows() as u64;
        }
        if let Some(sender) = sender {
            sender.flush().await?;
        }
        Ok(Committable { rows: count, ..Committable::default() })
    }

    async fn commit(&self, _batch: &SinkBatch, written: Vec<Committable>) -> Result<Committed> {
        Ok(Committed { output_rows: Some(written.iter().map(|part| part.rows).sum()) })
    }

    async fn abort(&self, _batch: &SinkBatch, _written: Vec<Committable>) -> Result<()> {
        Ok(())
    }
}
