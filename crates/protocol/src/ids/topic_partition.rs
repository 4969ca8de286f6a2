//! A partition of a topic, the unit of order in Kafka.

use std::fmt;
use std::sync::Arc;

/// A topic and one of its partitions. Cloning shares the name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// Topic name: 1 to 249 characters of `[a-zA-Z0-9._-]`.
    pub topic: Arc<str>,
    /// Partition number from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// The partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> Self {
        Self { topic: topic.into(), partition }
    }
}

/// `topic-partition`, as Kafka's own logs write it.
impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_by_topic_then_partition_and_prints_like_kafka() {
        let mut all =
            [TopicPartition::new("b", 0), TopicPartition::new("a", 10), TopicPartition::new("a", 9)];
        all.sort();
        assert_eq!(all.map(|tp| tp.to_string()), ["a-9", "a-10", "b-0"]);
    }
}
