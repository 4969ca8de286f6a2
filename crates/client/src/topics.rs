//! What the cluster says about its topics.

use std::sync::Arc;

use millstream_protocol::ids::ErrorCode;
use uuid::Uuid;

/// A topic as the Metadata API describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicMetadata {
    /// Its name.
    pub name: Arc<str>,
    /// Its id (KIP-516); nil on brokers before 2.8.
    pub id: Uuid,
    /// True for the cluster's own topics such as `__consumer_offsets`.
    pub is_internal: bool,
    /// `NONE`, or why nothing more is known: `UNKNOWN_TOPIC_OR_PARTITION`, `INVALID_TOPIC_EXCEPTION`, ...
    pub error: ErrorCode,
    /// Its partitions in ascending order; empty when `error` is set.
    pub partitions: Vec<PartitionMetadata>,
}

/// One partition of a [`TopicMetadata`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionMetadata {
    /// The partition's number.
    pub partition: i32,
    /// The node id of its leader; `None` while there is none.
    pub leader: Option<i32>,
    /// The leader's epoch, which grows with each election; -1 on brokers before 2.1.
    pub epoch: i32,
    /// Node ids of all replicas, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Node ids of the replicas in sync.
    pub isr: Vec<i32>,
    /// `NONE`, or `LEADER_NOT_AVAILABLE` and the like.
    pub error: ErrorCode,
}
