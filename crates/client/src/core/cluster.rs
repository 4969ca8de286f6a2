//! What is known about the cluster: brokers, topics, and who leads which partition since when.
//!
//! Facts: a leader is believed only if its epoch is not older than the known one (KIP-320), because metadata
//! come from any broker and may be stale. A topic whose id changed is another topic (KIP-516): its epochs
//! start anew. Fetch and Produce responses carry the new leader with the error (KIP-951), which saves the
//! metadata call.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use millstream_protocol::ids::ErrorCode;
use uuid::Uuid;

use crate::topics::{PartitionMetadata, TopicMetadata};

/// A broker's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) id: i32,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) rack: Option<String>,
}

impl Node {
    pub(crate) fn address(&self) -> String {
        if self.host.contains(':') {
            return format!("[{}]:{}", self.host, self.port);
        }
        format!("{}:{}", self.host, self.port)
    }
}

/// A partition's leader as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leader {
    /// `None` during an election.
    pub(crate) node: Option<i32>,
    /// -1 where the broker tells none.
    pub(crate) epoch: i32,
}

/// One topic that exists, or the error that stands in its place.
#[derive(Debug, Clone)]
pub(crate) struct Topic {
    pub(crate) id: Uuid,
    pub(crate) error: ErrorCode,
    pub(crate) leaders: Vec<Leader>,
}

/// A metadata answer in our own terms.
#[derive(Debug, Clone, Default)]
pub(crate) struct Snapshot {
    pub(crate) cluster_id: Option<String>,
    pub(crate) controller: Option<i32>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) topics: Vec<TopicMetadata>,
}

/// The merged view of all answers so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cluster {
    pub(crate) id: Option<String>,
    pub(crate) controller: Option<i32>,
    nodes: BTreeMap<i32, Node>,
    topics: HashMap<Arc<str>, Topic>,
}

impl Cluster {
    /// Merges an answer: brokers are replaced, topics updated where the answer is not older.
    pub(crate) fn merge(&mut self, answer: &Snapshot) {
        self.id = answer.cluster_id.clone().or(self.id.take());
        self.controller = answer.controller;
        if !answer.nodes.is_empty() {
            self.nodes = answer.nodes.iter().map(|node| (node.id, node.clone())).collect();
        }
        for topic in &answer.topics {
            self.merge_topic(topic);
        }
    }

    fn merge_topic(&mut self, answer: &TopicMetadata) {
        let known = self.topics.get(&answer.name);
        if answer.error != ErrorCode::NONE {
            // What was known stays usable through a hiccup; only "no such topic" is news worth keeping.
            let gone = answer.error == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
            if known.is_none() || gone {
                let topic = Topic { id: Uuid::nil(), error: answer.error, leaders: Vec::new() };
                self.topics.insert(answer.name.clone(), topic);
            }
            return;
        }
        let same = known.filter(|k| k.error == ErrorCode::NONE && same_topic(k.id, answer.id));
        let mut leaders = Vec::new();
        // Partitions are numbered without gaps. A number far beyond their count would size the allocation.
        let most = 2 * answer.partitions.len() + 16;
        for partition in &answer.partitions {
            let Some(index) = usize::try_from(partition.partition).ok().filter(|index| *index < most) else {
                continue;
            };
            if leaders.len() <= index {
                leaders.resize(index + 1, Leader { node: None, epoch: -1 });
            }
            leaders[index] = newer(same.and_then(|k| k.leaders.get(index)), partition);
        }
        let topic = Topic { id: answer.id, error: ErrorCode::NONE, leaders };
        self.topics.insert(answer.name.clone(), topic);
    }

    /// Takes a leader hint from a Fetch or Produce answer. Returns whether it is news.
    pub(crate) fn hint_leader(&mut self, topic: &str, partition: i32, node: i32, epoch: i32) -> bool {
        let leader =
            self.topics.get_mut(topic).and_then(|t| t.leaders.get_mut(usize::try_from(partition).ok()?));
        match leader {
            Some(leader) if epoch > leader.epoch && self.nodes.contains_key(&node) => {
                *leader = Leader { node: Some(node), epoch };
                true
            }
            _ => false,
        }
    }

    /// Takes a broker's address that came with a leader hint.
    pub(crate) fn hint_node(&mut self, node: Node) {
        self.nodes.insert(node.id, node);
    }

    pub(crate) fn topic(&self, name: &str) -> Option<&Topic> {
        self.topics.get(name)
    }

    pub(crate) fn leader(&self, topic: &str, partition: i32) -> Option<Leader> {
        self.topics.get(topic)?.leaders.get(usize::try_from(partition).ok()?).copied()
    }

    pub(crate) fn node(&self, id: i32) -> Option<&Node> {
        self.nodes.get(&id)
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }
}

/// Ids are compared only where both are told.
pub(crate) fn same_topic(known: Uuid, told: Uuid) -> bool {
    known == told || known.is_nil() || told.is_nil()
}

fn newer(known: Option<&Leader>, told: &PartitionMetadata) -> Leader {
    match known {
        Some(known) if told.epoch >= 0 && told.epoch < known.epoch => *known,
        _ => Leader { node: told.leader, epoch: told.epoch },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str, id: u128, leaders: &[(i32, i32)]) -> TopicMetadata {
        let partitions = leaders.iter().enumerate().map(|(i, &(leader, epoch))| PartitionMetadata {
            partition: i32::try_from(i).expect("few partitions"),
            leader: Some(leader),
            epoch,
            replicas: vec![leader],
            isr: vec![leader],
            error: ErrorCode::NONE,
        });
        TopicMetadata {
            name: name.into(),
            id: Uuid::from_u128(id),
            is_internal: false,
            error: ErrorCode::NONE,
            partitions: partitions.collect(),
        }
    }

    fn answer(topics: Vec<TopicMetadata>) -> Snapshot {
        let node = |id| Node { id, host: format!("h{id}"), port: 9092, rack: None };
        Snapshot { nodes: vec![node(1), node(2)], topics, ..Snapshot::default() }
    }

    #[test]
    fn an_older_epoch_does_not_move_a_leader_back() {
        let mut cluster = Cluster::default();
        cluster.merge(&answer(vec![topic("t", 1, &[(2, 5)])]));
        cluster.merge(&answer(vec![topic("t", 1, &[(1, 4)])]));
        assert_eq!(cluster.leader("t", 0), Some(Leader { node: Some(2), epoch: 5 }));
    }

    #[test]
    fn a_recreated_topic_starts_its_epochs_anew() {
        let mut cluster = Cluster::default();
        cluster.merge(&answer(vec![topic("t", 1, &[(2, 5)])]));
        cluster.merge(&answer(vec![topic("t", 9, &[(1, 0)])]));
        assert_eq!(cluster.leader("t", 0), Some(Leader { node: Some(1), epoch: 0 }));
        assert_eq!(cluster.topic("t").map(|t| t.id), Some(Uuid::from_u128(9)));
    }

    #[test]
    fn hints_count_only_when_newer_and_known() {
        let mut cluster = Cluster::default();
        cluster.merge(&answer(vec![topic("t", 1, &[(1, 3)])]));
        assert!(!cluster.hint_leader("t", 0, 2, 3));
        assert!(!cluster.hint_leader("t", 0, 7, 4), "address unknown");
        assert!(cluster.hint_leader("t", 0, 2, 4));
        assert!(!cluster.hint_leader("t", 5, 2, 9), "no such partition");
    }

    #[test]
    fn a_partition_number_beyond_all_count_takes_no_memory() {
        let mut cluster = Cluster::default();
        let mut odd = topic("t", 1, &[(1, 0), (2, 0), (1, 0)]);
        odd.partitions[1].partition = i32::MAX;
        odd.partitions[2].partition = -5;
        cluster.merge(&answer(vec![odd]));
        assert_eq!(cluster.topic("t").map(|topic| topic.leaders.len()), Some(1));
        let mut gap = topic("u", 2, &[(1, 0), (2, 0)]);
        gap.partitions[1].partition = 2;
        cluster.merge(&answer(vec![gap]));
        assert_eq!(cluster.leader("u", 1), Some(Leader { node: None, epoch: -1 }));
        assert_eq!(cluster.leader("u", 2), Some(Leader { node: Some(2), epoch: 0 }));
    }

    #[test]
    fn a_deleted_topic_is_forgotten_but_a_hiccup_is_not() {
        let mut cluster = Cluster::default();
        cluster.merge(&answer(vec![topic("t", 1, &[(1, 3)])]));
        let mut failed = topic("t", 0, &[]);
        failed.error = ErrorCode::LEADER_NOT_AVAILABLE;
        cluster.merge(&answer(vec![failed.clone()]));
        assert!(cluster.leader("t", 0).is_some());
        failed.error = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
        cluster.merge(&answer(vec![failed]));
        assert!(cluster.leader("t", 0).is_none());
    }
}
