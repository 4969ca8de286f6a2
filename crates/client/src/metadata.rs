//! The cluster's metadata, asked from any broker and merged into one view.
//!
//! Any broker will do: the known ones in turn, then the bootstrap list again, whose names are resolved anew,
//! so a cluster that moved to other addresses is found (KIP-899). One refresh runs at a time; who comes while
//! one runs waits for its result. Only topics in use are asked for.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{MetadataResponse, MetadataResponseTopic};
use kafka_protocol::messages::{MetadataRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use millstream_protocol::ids::{ApiKey, ErrorCode};
use parking_lot::{Mutex, RwLock};
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::brokers::{Links, collect_attempts};
use crate::connection::Connection;
use crate::core::cluster::{Cluster, Node, Snapshot};
use crate::error::{Error, Result};
use crate::options::ClientOptions;
use crate::topics::{PartitionMetadata, TopicMetadata};

/// Which topics a request asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask<'a> {
    All,
    These(&'a [Arc<str>]),
    /// May create the topics, where the brokers allow it. Only producers do this.
    OrCreate(&'a [Arc<str>]),
}

/// The view of the cluster, and how it is refreshed.
#[derive(Debug)]
pub(crate) struct Metadata {
    options: Arc<ClientOptions>,
    links: Links,
    cluster: RwLock<Cluster>,
    /// Grows with every answer.
    version: AtomicU64,
    refreshed: Mutex<Option<Instant>>,
    refreshing: tokio::sync::Mutex<()>,
    in_use: Mutex<HashSet<Arc<str>>>,
    turn: AtomicUsize,
}

impl Metadata {
    pub(crate) fn new(options: Arc<ClientOptions>, runtime: Handle) -> Self {
        Self {
            links: Links::new(options.clone(), runtime),
            options,
            cluster: RwLock::default(),
            version: AtomicU64::new(0),
            refreshed: Mutex::new(None),
            refreshing: tokio::sync::Mutex::new(()),
            in_use: Mutex::default(),
            turn: AtomicUsize::new(0),
        }
    }

    /// Looks at the view. Nothing may wait inside.
    pub(crate) fn view<T>(&self, look: impl FnOnce(&Cluster) -> T) -> T {
        look(&self.cluster.read())
    }

    /// Changes the view by what another answer told.
    pub(crate) fn learn<T>(&self, change: impl FnOnce(&mut Cluster) -> T) -> T {
        change(&mut self.cluster.write())
    }

    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Whether the view is older than `metadata_max_age`.
    pub(crate) fn is_stale(&self) -> bool {
        self.refreshed.lock().is_none_or(|at| at.elapsed() >= self.options.metadata_max_age)
    }

    /// Keeps a topic in every later refresh.
    pub(crate) fn use_topic(&self, topic: &Arc<str>) {
        let mut in_use = self.in_use.lock();
        if !in_use.contains(topic) {
            in_use.insert(topic.clone());
        }
    }

    /// Refreshes the topics in use, unless somebody did since version `seen`.
    pub(crate) async fn refresh(&self, seen: u64) -> Result<()> {
        let _one_at_a_time = self.refreshing.lock().await;
        if self.version() > seen {
            return Ok(());
        }
        let topics: Vec<_> = self.in_use.lock().iter().cloned().collect();
        self.ask(Ask::These(&topics)).await?;
        *self.refreshed.lock() = Some(Instant::now());
        Ok(())
    }

    /// Asks one broker after another until one answers; each is tried once.
    ///
    /// # Errors
    /// [`Error::Connect`] with every address tried.
    pub(crate) async fn ask(&self, ask: Ask<'_>) -> Result<Snapshot> {
        let snapshot = self.with_any_broker(|connection| ask_one(connection, ask)).await?;
        self.cluster.write().merge(&snapshot);
        self.version.fetch_add(1, Ordering::AcqRel);
        Ok(snapshot)
    }

    /// Runs a call on some broker, on another one where the connection fails.
    pub(crate) async fn with_any_broker<T, F>(&self, call: impl Fn(Connection) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let started = Instant::now();
        let mut tried = Vec::new();
        for address in self.addresses() {
            let outcome = match self.links.connection(&address).await {
                Ok(connection) => call(connection).await,
                Err(error) => Err(error),
            };
            match outcome {
                Err(
                    error @ (Error::Connect { .. }
                    | Error::Disconnected { .. }
                    | Error::Timeout { .. }
                    | Error::Malformed { .. }),
                ) => {
                    collect_attempts(&mut tried, &address, error);
                    // The next call begins with another broker.
                    self.turn.fetch_add(1, Ordering::Relaxed);
                }
                outcome => return outcome,
            }
        }
        Err(Error::Connect { tried, after: started.elapsed() })
    }

    /// A connection for a call that must go to one broker.
    pub(crate) async fn connection_to(&self, node: i32) -> Result<Connection> {
        let address = self.view(|cluster| cluster.node(node).map(Node::address));
        let Some(address) = address else {
            return Err(Error::Connect { tried: Vec::new(), after: std::time::Duration::ZERO });
        };
        self.links.connection(&address).await
    }

    /// Connected brokers, other known ones in turn, then the bootstrap list, without repeats.
    fn addresses(&self) -> Vec<String> {
        let mut addresses: Vec<String> = self.view(|cluster| cluster.nodes().map(Node::address).collect());
        if !addresses.is_empty() {
            let turn = self.turn.load(Ordering::Relaxed) % addresses.len();
            addresses.rotate_left(turn);
            // A broker that is down may take a whole timeout to say so.
            addresses.sort_by_key(|address| !self.links.is_live(address));
        }
        for bootstrap in &self.options.bootstrap {
            let bootstrap = with_port(bootstrap);
            if !addresses.contains(&bootstrap) {
                addresses.push(bootstrap);
            }
        }
        addresses
    }
}

/// Kafka's port, where an address names none.
fn with_port(address: &str) -> String {
    let has_port = address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if has_port { address.to_owned() } else { format!("{address}:9092") }
}

async fn ask_one(connection: Connection, ask: Ask<'_>) -> Result<Snapshot> {
    let (names, create) = match ask {
        Ask::All => (None, false),
        Ask::These(names) => (Some(names), false),
        Ask::OrCreate(names) => (Some(names), true),
    };
    // Before v1 there is no way to ask for no topic, before v4 none to forbid creation.
    if connection.version(ApiKey::METADATA)? < 4 {
        return Err(Error::unsupported("brokers before Kafka 0.11 (Metadata v4)"));
    }
    let topic = |name: &Arc<str>| {
        MetadataRequestTopic::default().with_name(Some(TopicName(StrBytes::from_string(name.to_string()))))
    };
    let request = MetadataRequest::default()
        .with_topics(names.map(|names| names.iter().map(topic).collect()))
        .with_allow_auto_topic_creation(create);
    connection.call(&request).await.map(|answer| snapshot(&answer))
}

fn snapshot(answer: &MetadataResponse) -> Snapshot {
    let node = |b: &kafka_protocol::messages::metadata_response::MetadataResponseBroker| {
        let port = u16::try_from(b.port).ok().filter(|port| *port != 0)?;
        let usable = b.node_id.0 >= 0 && !b.host.is_empty();
        let rack = b.rack.as_ref().map(ToString::to_string);
        usable.then(|| Node { id: b.node_id.0, host: b.host.to_string(), port, rack })
    };
    Snapshot {
        cluster_id: answer.cluster_id.as_ref().map(ToString::to_string),
        controller: Some(answer.controller_id.0).filter(|id| *id >= 0),
        nodes: answer.brokers.iter().filter_map(node).collect(),
        topics: answer.topics.iter().filter_map(topic_metadata).collect(),
    }
}

fn topic_metadata(topic: &MetadataResponseTopic) -> Option<TopicMetadata> {
    let mut partitions: Vec<_> = topic
        .partitions
        .iter()
        .map(|p| PartitionMetadata {
            partition: p.partition_index,
            leader: Some(p.leader_id.0).filter(|id| *id >= 0),
            epoch: p.leader_epoch,
            replicas: p.replica_nodes.iter().map(|node| node.0).collect(),
            isr: p.isr_nodes.iter().map(|node| node.0).collect(),
            error: ErrorCode(p.error_code),
        })
        .collect();
    partitions.sort_by_key(|p| p.partition);
    Some(TopicMetadata {
        name: topic.name.as_ref()?.0.as_str().into(),
        id: topic.topic_id,
        is_internal: topic.is_internal,
        error: ErrorCode(topic.error_code),
        partitions,
    })
}
