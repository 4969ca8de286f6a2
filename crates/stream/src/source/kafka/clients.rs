//! The Kafka connections of a session: one client for each set of client properties, shared by reads and writes; and
//! the batch reads that its plans name by their ids.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Weak};

use millstream_client::{ClientOptions, FetchOptions, Kafka, Producer, ProducerOptions, Reader};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

use super::options::KafkaRead;
use crate::error::{Error, Result};

/// The clients of a session. Found in the `TaskContext` as an extension of the session config.
#[derive(Debug)]
pub struct KafkaClients {
    io: Handle,
    connected: Mutex<HashMap<BTreeMap<String, String>, Slot>>,
    reads: KafkaReads,
}

/// The batch reads of a session by id. A read is known as long as a plan or a frame over it lives.
#[derive(Debug, Default)]
pub struct KafkaReads(parking_lot::Mutex<HashMap<u64, Weak<KafkaRead>>>);

impl KafkaReads {
    /// Makes a read known. One that is known already is returned in its place.
    ///
    /// # Errors
    /// Another read has this id.
    pub fn register(&self, read: &Arc<KafkaRead>) -> Result<Arc<KafkaRead>> {
        let mut reads = self.0.lock();
        if let Some(known) = reads.get(&read.id).and_then(Weak::upgrade) {
            if known.options != read.options {
                let text = format!("two different Kafka reads have the id {}: give each its own", read.id);
                return Err(Error::Misuse(text));
            }
            return Ok(known);
        }
        reads.retain(|_, read| read.strong_count() > 0);
        reads.insert(read.id, Arc::downgrade(read));
        Ok(read.clone())
    }

    /// The read with this id.
    ///
    /// # Errors
    /// The session does not know it.
    pub fn get(&self, id: u64) -> Result<Arc<KafkaRead>> {
        self.0.lock().get(&id).and_then(Weak::upgrade).ok_or_else(|| {
            Error::Misuse(format!(
                "this session has no Kafka read {id}: run the plan in the session that made it, and keep a frame over it"
            ))
        })
    }
}

/// Holders of one slot wait for the same connection, not for those of others.
type Slot = Arc<Mutex<Option<Kafka>>>;

impl KafkaClients {
    /// No connections yet; they will live on this runtime.
    pub fn new(io: Handle) -> Self {
        Self { io, connected: Mutex::default(), reads: KafkaReads::default() }
    }

    /// The batch reads of the session.
    pub fn reads(&self) -> &KafkaReads {
        &self.reads
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
