//! Calls that change or describe the cluster: topics, partitions, records, configs.
//!
//! Changes go to the controller that metadata name; a KRaft broker that is named forwards them. A change is
//! sent again only when the controller has moved, never after a lost connection, where it may have taken
//! effect.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResult;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, DeleteRecordsRequest, DeleteTopicsRequest,
    DescribeConfigsRequest, TopicName,
};
use kafka_protocol::protocol::{Request, StrBytes};
use millstream_protocol::ids::{ApiKey, ErrorCode, TopicPartition};
use tokio::time::{Instant, sleep};

use crate::error::{Error, Result};
use crate::kafka::Kafka;
use crate::metadata::Ask;

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

    /// Creates topics and waits, at most `timeout` in all, until their partitions have leaders.
    ///
    /// # Errors
    /// [`Error::Broker`] for the first topic that could not be created (`TOPIC_ALREADY_EXISTS`, ...).
    pub async fn create_topics(&self, topics: &[NewTopic], timeout: Duration) -> Result<()> {
        let started = Instant::now();
        let request = |_| {
            CreateTopicsRequest::default()
                .with_timeout_ms(millis(timeout))
                .with_topics(topics.iter().map(creatable).collect())
        };
        let check = |answer: &<CreateTopicsRequest as Request>::Response| {
            first_failure(answer.topics.iter().map(|topic| {
                let message = topic.error_message.as_ref().map(ToString::to_string);
                ("CreateTopics", topic.error_code, topic.name.0.to_string(), message)
            }))
        };
        self.at_controller(request, timeout, check).await?;
        let names: Vec<Arc<str>> = topics.iter().map(|topic| topic.name.as_str().into()).collect();
        while started.elapsed() < timeout && !self.have_leaders(&names).await? {
            sleep(LEADER_CHECK).await;
        }
        Ok(())
    }

    /// Deletes topics. Brokers forget them a moment after this returns.
    ///
    /// # Errors
    /// [`Error::Broker`] for the first topic that could not be deleted.
    pub async fn delete_topics(&self, names: &[String], timeout: Duration) -> Result<()> {
        let names: Vec<_> = names.iter().map(|name| topic_name(name)).collect();
        let request = |version: i16| {
            let request = DeleteTopicsRequest::default().with_timeout_ms(millis(timeout));
            if version < DELETE_BY_STATE_FROM {
                return request.with_topic_names(names.clone());
            }
            let state = |name: &TopicName| DeleteTopicState::default().with_name(Some(name.clone()));
            request.with_topics(names.iter().map(state).collect())
        };
        let check = |answer: &<DeleteTopicsRequest as Request>::Response| {
            first_failure(answer.responses.iter().map(|topic| {
                let message = topic.error_message.as_ref().map(ToString::to_string);
                let name = topic.name.as_ref().map(|name| name.0.to_string()).unwrap_or_default();
                ("DeleteTopics", topic.error_code, name, message)
            }))
        };
        self.at_controller(request, timeout, check).await
    }

    /// Raises a topic's partition count to `total` and waits, at most `timeout` in all, for their leaders.
    ///
    /// # Errors
    /// [`Error::Broker`], such as `INVALID_PARTITIONS` when `total` is not above the present count.
    pub async fn create_partitions(&self, topic: &str, total: i32, timeout: Duration) -> Result<()> {
        let started = Instant::now();
        let request = |_| {
            let wanted = CreatePartitionsTopic::default()
                .with_name(topic_name(topic))
                .with_count(total)
                .with_assignments(None);
            CreatePartitionsRequest::default().with_timeout_ms(millis(timeout)).with_topics(vec![wanted])
        };
        let check = |answer: &<CreatePartitionsRequest as Request>::Response| {
            first_failure(answer.results.iter().map(|topic| {
                let message = topic.error_message.as_ref().map(ToString::to_string);
                ("CreatePartitions", topic.error_code, topic.name.0.to_string(), message)
            }))
        };
        self.at_controller(request, timeout, check).await?;
        let last = TopicPartition::new(topic, total - 1);
        while started.elapsed() < timeout {
            self.kafka.metadata().ask(Ask::These(std::slice::from_ref(&last.topic))).await?;
            if self.leader(&last).is_some() {
                break;
            }
            sleep(LEADER_CHECK).await;
        }
        Ok(())
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
        let mut retry = self.kafka.retry();
        let mut open: BTreeMap<TopicPartition, i64> = before.iter().cloned().collect();
        let mut done = BTreeMap::new();
        while !open.is_empty() {
            match self.delete_some_records(&open, timeout, &mut done).await {
                Ok(()) => open.retain(|tp, _| !done.contains_key(tp)),
                Err(error) => {
                    open.retain(|tp, _| !done.contains_key(tp));
                    retry.pause(error).await?;
                }
            }
        }
        Ok(done)
    }

    /// The cluster's id, controller and brokers.
    ///
    /// # Errors
    /// When no broker answers.
    pub async fn describe_cluster(&self) -> Result<ClusterDescription> {
        let answer = self.kafka.metadata().ask(Ask::These(&[])).await?;
        let brokers = answer.nodes.into_iter();
        let mut brokers: Vec<_> = brokers
            .map(|node| BrokerNode { id: node.id, host: node.host, port: node.port, rack: node.rack })
            .collect();
        brokers.sort_by_key(|broker| broker.id);
        Ok(ClusterDescription { cluster_id: answer.cluster_id, controller: answer.controller, brokers })
    }

    /// All configs of a topic, by name.
    ///
    /// # Errors
    /// [`Error::Broker`], such as `UNKNOWN_TOPIC_OR_PARTITION`.
    pub async fn describe_topic_configs(&self, topic: &str) -> Result<Vec<ConfigEntry>> {
        let resource = DescribeConfigsResource::default()
            .with_resource_type(TOPIC_RESOURCE)
            .with_resource_name(StrBytes::from_string(topic.to_owned()))
            .with_configuration_keys(None);
        let request = &DescribeConfigsRequest::default().with_resources(vec![resource]);
        let metadata = self.kafka.metadata();
        let answer =
            metadata.with_any_broker(|connection| async move { connection.call(request).await }).await?;
        let Some(result) = answer.results.first() else {
            return Err(Error::on_topic("DescribeConfigs", ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, topic));
        };
        let code = ErrorCode(result.error_code);
        if code != ErrorCode::NONE {
            return Err(Error::Broker {
                code,
                api: "DescribeConfigs",
                topic: Some(topic.into()),
                partition: None,
                offset: None,
                message: result.error_message.as_ref().map(ToString::to_string),
            });
        }
        Ok(entries(result))
    }

    /// Sends a change to the controller, to the new one if it has moved.
    async fn at_controller<R: Request>(
        &self,
        request: impl Fn(i16) -> R,
        timeout: Duration,
        check: impl Fn(&R::Response) -> Result<()>,
    ) -> Result<()> {
        let mut retry = self.kafka.retry();
        loop {
            let controller = self.kafka.metadata().ask(Ask::These(&[])).await?.controller;
            let error = match controller {
                None => Error::api("Metadata", ErrorCode::NOT_CONTROLLER),
                Some(node) => {
                    let connection = self.kafka.metadata().connection_to(node).await?;
                    let request = request(connection.version(ApiKey(R::KEY))?);
                    match check(&connection.call_slow(&request, timeout).await?) {
                        Err(error) if error.code() == Some(ErrorCode::NOT_CONTROLLER) => error,
                        outcome => return outcome,
                    }
                }
            };
            retry.pause(error).await?;
        }
    }

    async fn delete_some_records(
        &self,
        open: &BTreeMap<TopicPartition, i64>,
        timeout: Duration,
        done: &mut BTreeMap<TopicPartition, i64>,
    ) -> Result<()> {
        let topics: Vec<Arc<str>> = open.keys().map(|tp| tp.topic.clone()).collect();
        self.kafka.metadata().ask(Ask::These(&topics)).await?;
        for (tp, before) in open {
            let Some(node) = self.leader(tp) else {
                return Err(Error::on_partition("Metadata", ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, tp));
            };
            let partition =
                DeleteRecordsPartition::default().with_partition_index(tp.partition).with_offset(*before);
            let topic = DeleteRecordsTopic::default()
                .with_name(topic_name(&tp.topic))
                .with_partitions(vec![partition]);
            let request =
                DeleteRecordsRequest::default().with_timeout_ms(millis(timeout)).with_topics(vec![topic]);
            let connection = self.kafka.metadata().connection_to(node).await?;
            let answer = connection.call_slow(&request, timeout).await?;
            let result = answer.topics.first().and_then(|topic| topic.partitions.first());
            let code = result.map_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, |r| ErrorCode(r.error_code));
            if code != ErrorCode::NONE {
                return Err(Error::on_partition("DeleteRecords", code, tp));
            }
            done.insert(tp.clone(), result.map_or(-1, |r| r.low_watermark));
        }
        Ok(())
    }

    fn leader(&self, tp: &TopicPartition) -> Option<i32> {
        let leader = self.kafka.metadata().view(|cluster| cluster.leader(&tp.topic, tp.partition));
        leader.and_then(|leader| leader.node)
    }

    async fn have_leaders(&self, names: &[Arc<str>]) -> Result<bool> {
        let answer = self.kafka.metadata().ask(Ask::These(names)).await?;
        Ok(answer.topics.iter().all(|topic| {
            topic.error == ErrorCode::NONE && topic.partitions.iter().all(|p| p.leader.is_some())
        }))
    }
}

/// DeleteTopics has a list of names before this version, a list of states from it on.
const DELETE_BY_STATE_FROM: i16 = 6;

/// Pause between looks at the metadata of a new topic.
const LEADER_CHECK: Duration = Duration::from_millis(20);

/// The number of topics among config resources.
const TOPIC_RESOURCE: i8 = 2;

fn millis(timeout: Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}

fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}

fn creatable(topic: &NewTopic) -> CreatableTopic {
    let text = |text: &String| StrBytes::from_string(text.clone());
    let config = |(name, value): (&String, &String)| {
        CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
    };
    CreatableTopic::default()
        .with_name(topic_name(&topic.name))
        .with_num_partitions(topic.partitions)
        .with_replication_factor(topic.replication)
        .with_configs(topic.configs.iter().map(config).collect())
}

fn first_failure(results: impl Iterator<Item = (&'static str, i16, String, Option<String>)>) -> Result<()> {
    for (api, code, topic, message) in results {
        let code = ErrorCode(code);
        if code != ErrorCode::NONE {
            return Err(Error::Broker {
                code,
                api,
                topic: Some(topic),
                partition: None,
                offset: None,
                message,
            });
        }
    }
    Ok(())
}

fn entries(result: &DescribeConfigsResult) -> Vec<ConfigEntry> {
    /// Kafka's own default: neither the topic nor a broker sets it.
    const DEFAULT_SOURCE: i8 = 5;
    let mut entries: Vec<_> = result
        .configs
        .iter()
        .map(|config| ConfigEntry {
            name: config.name.to_string(),
            value: config.value.as_ref().map(ToString::to_string),
            is_default: config.config_source == DEFAULT_SOURCE,
            read_only: config.read_only,
            sensitive: config.is_sensitive,
        })
        .collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}
