//! The Kafka connections of a session: one client for each set of client properties, shared by reads and writes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use millstream_client::{ClientOptions, FetchOptions, Kafka, Producer, ProducerOptions, Reader};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::error::{Error, Result};

/// The clients of a session. Found in the `TaskContext` as an extension of the session config.
#[derive(Debug)]
pub struct KafkaClients {
    io: Handle,
    connected: Mutex<HashMap<BTreeMap<String, String>, Slot>>,
}

/// Holders of one slot wait for the same connection, not for those of others.
type Slot = Arc<Mutex<Option<Kafka>>>;

impl KafkaClients {
    /// No connections yet; they will live on this runtime.
    pub fn new(io: Handle) -> Self {
        Self { io, connected: Mutex::default() }
    }

    /// The client for these properties (names without prefix), connected.
    ///
    /// # Errors
    /// No broker answers within the connect timeout.
    pub async fn connect(&self, properties: Vec<(String, String)>, options: ClientOptions) -> Result<Kafka> {
        let key: BTreeMap<String, String> = properties.into_iter().collect();
        let slot = self.connected.lock().await.entry(key).or_default().clone();
        let mut slot = slot.lock().await;
        if let Some(kafka) = &*slot {
            return Ok(kafka.clone());
        }
        let kafka = self.on_io(async move { Ok(Kafka::connect(options).await?) }).await?;
        Ok(slot.insert(kafka).clone())
    }

    /// A reader whose background work runs on the runtime for sockets.
    pub fn reader(&self, kafka: &Kafka, options: FetchOptions) -> Reader {
        let _entered = self.io.enter();
        kafka.reader(options)
    }

    /// A producer whose background work runs on the runtime for sockets.
    pub fn producer(&self, kafka: &Kafka, options: ProducerOptions) -> Producer {
        let _entered = self.io.enter();
        kafka.producer(options)
    }

    /// The runtime for sockets.
    pub fn io(&self) -> &Handle {
        &self.io
    }

    async fn on_io<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        match self.io.spawn(work).await {
            Ok(result) => result,
            Err(stopped) => Err(Error::Misuse(format!("the session was closed while connecting: {stopped}"))),
        }
    }
}
