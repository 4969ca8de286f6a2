//! Calls that change or describe the cluster: topics, partitions, records, configs.

use std::collections::BTreeMap;
use std::time::Duration;

use millstream_protocol::ids::TopicPartition;

use crate::error::{Error, Result};
use crate::kafka::Kafka;

/// The admin role of a [`Kafka`] handle.
#[derive(Debug, Clone)]
pub struct Admin {
    kafka: Kafka,
}

/// A topic to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// Its name: 1 to 249 of `[a-zA-Z0-9._-]`.
    pub name: String,
    /// How many partitions; -1 takes the cluster's default.
    pub partitions: i32,
    /// How many replicas of each; -1 takes the cluster's default.
    pub replication: i16,
    /// Topic configs such as `cleanup.policy`.
    pub configs: BTreeMap<String, String>,
}

impl NewTopic {
    /// A topic with the cluster's default replication and no configs.
    #[must_use]
    pub fn new(name: impl Into<String>, partitions: i32) -> Self {
        Self { name: name.into(), partitions, replication: -1, configs: BTreeMap::new() }
    }
}

/// One broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerNode {
    /// Its node id.
    pub id: i32,
    /// Its advertised host.
    pub host: String,
    /// Its advertised port.
    pub port: u16,
    /// Its rack, if it has one.
    pub rack: Option<String>,
}

/// The cluster at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterDescription {
    /// The cluster's id.
    pub cluster_id: Option<String>,
    /// Node id of the controller, if there is one now.
    pub controller: Option<i32>,
    /// All brokers, by id.
    pub brokers: Vec<BrokerNode>,
}

/// One config of a topic or broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigEntry {
    /// Its name, such as `retention.ms`.
    pub name: String,
    /// Its value; `None` for sensitive ones.
    pub value: Option<String>,
    /// True when nobody has set it.
    pub is_default: bool,
    /// True when it cannot be changed.
    pub read_only: bool,
    /// True when its value is hidden.
    pub sensitive: bool,
}

impl Admin {
    pub(crate) fn new(kafka: Kafka) -> Self {
        Self { kafka }
    }

    /// Creates topics and waits, at most `timeout`, until every broker knows them.
    ///
    /// # Errors
    /// [`Error::Broker`] for the first topic that could not be created (`TOPIC_ALREADY_EXISTS`, ...).
    pub async fn create_topics(&self, topics: &[NewTopic], timeout: Duration) -> Result<()> {
        let _ = (topics, timeout, &self.kafka);
        Err(Error::unsupported("create_topics"))
    }

    /// Deletes topics.
    ///
    /// # Errors
    /// [`Error::Broker`] for the first topic that could not be deleted.
    pub async fn delete_topics(&self, names: &[String], timeout: Duration) -> Result<()> {
        let _ = (names, timeout);
        Err(Error::unsupported("delete_topics"))
    }

    /// Raises a topic's partition count to `total`.
    ///
    /// # Errors
    /// [`Error::Broker`], such as `INVALID_PARTITIONS` when `total` is not above the present count.
    pub async fn create_partitions(&self, topic: &str, total: i32, timeout: Duration) -> Result<()> {
        let _ = (topic, total, timeout);
        Err(Error::unsupported("create_partitions"))
    }

    /// Deletes the records below the given offsets (-1: all up to the high watermark) and returns the new log
    /// start offsets.
    ///
    /// # Errors
    /// [`Error::Broker`] for the first partition that refused.
    pub async fn delete_records(
        &self,
        before: &[(TopicPartition, i64)],
        timeout: Duration,
    ) -> Result<BTreeMap<TopicPartition, i64>> {
        let _ = (before, timeout);
        Err(Error::unsupported("delete_records"))
    }

    /// The cluster's id, controller and brokers.
    ///
    /// # Errors
    /// When no broker answers within `metadata_timeout`.
    pub async fn describe_cluster(&self) -> Result<ClusterDescription> {
        Err(Error::unsupported("describe_cluster"))
    }

    /// All configs of a topic, by name.
    ///
    /// # Errors
    /// [`Error::Broker`], such as `UNKNOWN_TOPIC_OR_PARTITION`.
    pub async fn describe_topic_configs(&self, topic: &str) -> Result<Vec<ConfigEntry>> {
        let _ = topic;
        Err(Error::unsupported("describe_configs"))
    }
}
