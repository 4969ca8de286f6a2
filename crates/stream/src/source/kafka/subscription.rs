//! Which partitions a read takes: fixed ones, topics by name, or topics by pattern.
//!
//! A pattern is a Java regular expression that need only be found in the name, and never matches the cluster's own
//! topics. Fixed partitions that do not exist are left out.

use std::collections::BTreeSet;

use millstream_client::{ErrorCode, Kafka};
use millstream_plan::tree::Options;
use millstream_protocol::ids::TopicPartition;
use regex::Regex;

use super::offsets;
use crate::error::{Error, Result};

/// What is read.
#[derive(Debug, Clone)]
pub enum Subscription {
    /// These partitions.
    Assign(Vec<TopicPartition>),
    /// These topics, as given, perhaps repeated.
    Topics(Vec<String>),
    /// The topics whose names hold a match.
    Pattern(String),
}

impl Subscription {
    /// What is wrong with the option's value at first sight. `option` is in lower case.
    pub fn check(option: &str, value: &str) -> Result<()> {
        let text = match option {
            "assign" if !value.trim().starts_with('{') => {
                format!("No topicpartitions to assign as specified value for option 'assign' is '{value}'")
            }
            "subscribe" if topic_list(value).is_empty() => {
                format!("No topics to subscribe to as specified value for option 'subscribe' is '{value}'")
            }
            "subscribepattern" if value.trim().is_empty() => {
                format!(
                    "Pattern to subscribe is empty as specified value for option 'subscribePattern' is '{value}'"
                )
            }
            _ => return Ok(()),
        };
        Err(Error::option(option, text))
    }

    /// The subscription that the options hold.
    pub fn parse(options: &Options) -> Result<Self> {
        if let Some(text) = options.get("assign") {
            return Ok(Subscription::Assign(offsets::parse_partitions("assign", text)?));
        }
        if let Some(list) = options.get("subscribe") {
            return Ok(Subscription::Topics(topic_list(list)));
        }
        let pattern = options.get("subscribePattern").unwrap_or_default().trim();
        compile(pattern)?;
        Ok(Subscription::Pattern(pattern.to_owned()))
    }

    /// As the progress shows it.
    pub fn description(&self) -> String {
        match self {
            Subscription::Assign(partitions) => format!("Assign[{}]", offsets::list(partitions)),
            Subscription::Topics(topics) => format!("Subscribe[{}]", topics.join(", ")),
            Subscription::Pattern(pattern) => format!("SubscribePattern[{pattern}]"),
        }
    }

    /// Asks the cluster for the partitions that exist now. Never creates a topic.
    pub async fn partitions(&self, kafka: &Kafka) -> Result<BTreeSet<TopicPartition>> {
        let topics = match self {
            Subscription::Topics(names) => {
                let mut names = names.clone();
                names.sort();
                names.dedup();
                kafka.describe_topics(&names).await?
            }
            Subscription::Assign(partitions) => {
                let mut names: Vec<String> = partitions.iter().map(|tp| tp.topic.to_string()).collect();
                names.dedup();
                kafka.describe_topics(&names).await?
            }
            Subscription::Pattern(pattern) => {
                let pattern = compile(pattern)?;
                let mut topics = kafka.list_topics().await?;
                // A topic in the middle of being made or deleted is found, or gone, the next time.
                topics.retain(|topic| {
                    topic.error == ErrorCode::NONE && !topic.is_internal && pattern.is_match(&topic.name)
                });
                topics
            }
        };
        let mut found = BTreeSet::new();
        for topic in topics {
            if topic.error != ErrorCode::NONE {
                return Err(missing(&topic.name, topic.error));
            }
            for partition in &topic.partitions {
                found.insert(TopicPartition { topic: topic.name.clone(), partition: partition.partition });
            }
        }
        if let Subscription::Assign(wanted) = self {
            found.retain(|tp| wanted.contains(tp));
        }
        Ok(found)
    }
}

fn missing(topic: &str, code: ErrorCode) -> Error {
    // Kafka's own words, which users know from every other client.
    const UNKNOWN: &str = "This server does not host this topic-partition.";
    millstream_client::Error::Broker {
        code,
        api: "Metadata",
        topic: Some(topic.to_owned()),
        partition: None,
        offset: None,
        message: (code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION).then(|| UNKNOWN.to_owned()),
    }
    .into()
}

fn compile(pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|error| {
        let text = format!("option 'subscribePattern': '{pattern}' is no regular expression: {error}");
        Error::option("subscribePattern", text)
    })
}

fn topic_list(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|topic| !topic.is_empty()).map(str::to_owned).collect()
}
