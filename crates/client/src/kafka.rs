//! The one handle: connections and metadata of a cluster, from which every role is built.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use millstream_protocol::ids::{ErrorCode, TopicPartition};
use tokio::runtime::Handle;
use uuid::Uuid;

use crate::admin::Admin;
use crate::error::{Error, Result};
use crate::metadata::{Ask, Metadata};
use crate::offsets::{self, FoundOffset, OffsetSpec};
use crate::options::{ClientOptions, FetchOptions, Isolation, ProducerOptions};
use crate::producer::Producer;
use crate::reader::Reader;
use crate::retry::Retry;
use crate::topics::TopicMetadata;

/// A connected cluster. Cheap to clone; clones share connections and metadata. All calls are cancel-safe.
#[derive(Debug, Clone)]
pub struct Kafka {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    options: Arc<ClientOptions>,
    metadata: Arc<Metadata>,
    runtime: Handle,
}

impl Kafka {
    /// Contacts the bootstrap brokers, in the order given, until one answers.
    ///
    /// Must be called on the tokio runtime that shall carry the connections; other runtimes may use the
    /// handle.
    ///
    /// # Errors
    /// [`Error::Connect`] lists every address tried and why it failed, at the latest after
    /// `connect_timeout` for each; [`Error::Config`] where the options contradict themselves.
    pub async fn connect(options: ClientOptions) -> Result<Kafka> {
        options.limits.validate().map_err(|e| Error::Misuse { what: e.to_string() })?;
        if options.bootstrap.is_empty() {
            return Err(Error::Config {
                option: "bootstrap.servers".into(),
                value: String::new(),
                why: "needs at least one host:port".into(),
                nearest: None,
            });
        }
        let runtime = Handle::try_current()
            .map_err(|_| Error::Misuse { what: "Kafka::connect must be called on a tokio runtime".into() })?;
        let options = Arc::new(options);
        let metadata = Arc::new(Metadata::new(options.clone(), runtime.clone()));
        metadata.ask(Ask::These(&[])).await?;
        Ok(Kafka { inner: Arc::new(Inner { options, metadata, runtime }) })
    }

    /// The options this handle was made with.
    #[must_use]
    pub fn options(&self) -> &ClientOptions {
        &self.inner.options
    }

    /// All topics, freshly asked, by name.
    ///
    /// # Errors
    /// [`Error::Timeout`] or [`Error::Connect`] when no broker answers within `metadata_timeout`.
    pub async fn list_topics(&self) -> Result<Vec<TopicMetadata>> {
        let mut topics = self.ask(Ask::All).await?;
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    /// The named topics, freshly asked, in the order given. Never creates a topic: one that is missing comes
    /// back with the error `UNKNOWN_TOPIC_OR_PARTITION`.
    ///
    /// # Errors
    /// As [`list_topics`](Self::list_topics).
    pub async fn describe_topics(&self, names: &[String]) -> Result<Vec<TopicMetadata>> {
        let names: Vec<Arc<str>> = names.iter().map(|name| name.as_str().into()).collect();
        let found = self.ask(Ask::These(&names)).await?;
        let describe = |name: &Arc<str>| {
            found.iter().find(|topic| topic.name == *name).cloned().unwrap_or_else(|| missing(name))
        };
        Ok(names.iter().map(describe).collect())
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
        offsets::list(self, wanted, isolation).await
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

    pub(crate) fn metadata(&self) -> &Arc<Metadata> {
        &self.inner.metadata
    }

    pub(crate) fn shared_options(&self) -> &Arc<ClientOptions> {
        &self.inner.options
    }

    pub(crate) fn runtime(&self) -> &Handle {
        &self.inner.runtime
    }

    pub(crate) fn retry(&self) -> Retry {
        self.retry_within(self.inner.options.metadata_timeout)
    }

    pub(crate) fn retry_within(&self, within: Duration) -> Retry {
        Retry::new(&self.inner.options, within)
    }

    async fn ask(&self, ask: Ask<'_>) -> Result<Vec<TopicMetadata>> {
        let mut retry = self.retry();
        loop {
            match retry.attempt("topic metadata", self.inner.metadata.ask(ask)).await {
                Ok(answer) => return Ok(answer.topics),
                Err(error) => retry.pause(error).await?,
            }
        }
    }
}

fn missing(name: &Arc<str>) -> TopicMetadata {
    TopicMetadata {
        name: name.clone(),
        id: Uuid::nil(),
        is_internal: false,
        error: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        partitions: Vec::new(),
    }
}
