//! The one handle: connections and metadata of a cluster, from which every role is built.

use std::collections::BTreeMap;
use std::sync::Arc;

use millstream_protocol::ids::TopicPartition;

use crate::admin::Admin;
use crate::error::{Error, Result};
use crate::offsets::{FoundOffset, OffsetSpec};
use crate::options::{ClientOptions, FetchOptions, Isolation, ProducerOptions};
use crate::producer::Producer;
use crate::reader::Reader;
use crate::topics::TopicMetadata;

/// A connected cluster. Cheap to clone; clones share connections and metadata. All calls are cancel-safe.
#[derive(Debug, Clone)]
pub struct Kafka {
    options: Arc<ClientOptions>,
}

impl Kafka {
    /// Contacts the bootstrap brokers, in the order given, until one answers.
    ///
    /// Must be called on the tokio runtime that shall carry the connections.
    ///
    /// # Errors
    /// [`Error::Connect`] lists every address tried and why it failed, at the latest after
    /// `connect_timeout` for each.
    pub async fn connect(options: ClientOptions) -> Result<Kafka> {
        let _ = Kafka { options: Arc::new(options) };
        Err(Error::unsupported("connecting"))
    }

    /// The options this handle was made with.
    #[must_use]
    pub fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// All topics, freshly asked.
    ///
    /// # Errors
    /// [`Error::Timeout`] or [`Error::Connect`] when no broker answers within `metadata_timeout`.
    pub async fn list_topics(&self) -> Result<Vec<TopicMetadata>> {
        Err(Error::unsupported("list_topics"))
    }

    /// The named topics, freshly asked, in the order given. Never creates a topic: one that is missing comes back
    /// with the error `UNKNOWN_TOPIC_OR_PARTITION`.
    ///
    /// # Errors
    /// As [`list_topics`](Self::list_topics).
    pub async fn describe_topics(&self, names: &[String]) -> Result<Vec<TopicMetadata>> {
        let _ = names;
        Err(Error::unsupported("describe_topics"))
    }

    /// Looks up one offset for each partition, batched by leader; leader changes are followed within
    /// `metadata_timeout`.
    ///
    /// # Errors
    /// [`Error::Broker`] for a topic or partition that does not exist, [`Error::Timeout`] at the deadline.
    pub async fn list_offsets(
        &self,
        wanted: Vec<(TopicPartition, OffsetSpec)>,
        isolation: Isolation,
    ) -> Result<BTreeMap<TopicPartition, FoundOffset>> {
        let _ = (wanted, isolation);
        Err(Error::unsupported("list_offsets"))
    }

    /// A prefetching reader of any partitions. Starts nothing until the first `read` or `follow`.
    #[must_use]
    pub fn reader(&self, options: FetchOptions) -> Reader {
        Reader::new(self.clone(), options)
    }

    /// A producer with its own buffer and, under idempotence, its own producer id.
    #[must_use]
    pub fn producer(&self, options: ProducerOptions) -> Producer {
        Producer::new(self.clone(), options)
    }

    /// Calls that change the cluster.
    #[must_use]
    pub fn admin(&self) -> Admin {
        Admin::new(self.clone())
    }
}
