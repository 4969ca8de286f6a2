//! A Kafka client that reads ranges and writes encoded batches.
//!
//! One [`Kafka`] handle owns the connections and the cluster's metadata; everything else is a role built from
//! it:
//!
//! | role | call | unit of work |
//! |---|---|---|
//! | metadata | [`Kafka::list_topics`], [`Kafka::describe_topics`] | topics and their leaders |
//! | offsets | [`Kafka::list_offsets`] | earliest, latest, by timestamp |
//! | reading | [`Kafka::reader`] -> [`Reader`] | a range of offsets, as raw record batches |
//! | writing | [`Kafka::producer`] -> [`Producer`] | records in, acknowledged batches out |
//! | admin | [`Kafka::admin`] -> [`Admin`] | create, delete, grow, trim topics |
//!
//! The path of a fetched byte: `driver` reads a whole frame into one allocation; `reader` finds
//! the batches of each partition by their headers, sends the next fetch, and only then hands the slices out
//! as [`FetchedRecords`]. No record is looked at in this crate. `core` holds the decisions (backoff, leaders,
//! positions, budget, sequences) as plain state machines to which time and randomness are arguments.

mod admin;
mod brokers;
mod connection;
mod core;
mod driver;
mod error;
mod frames;
mod kafka;
mod kafka_names;
mod metadata;
mod offsets;
mod options;
mod producer;
mod reader;
mod retry;
mod topics;

pub use admin::{Admin, BrokerNode, ClusterDescription, ConfigEntry, NewTopic};
pub use error::{Attempt, DataLoss, Error, Loss, Result};
pub use kafka::Kafka;
pub use millstream_protocol::fetch::AbortedTransaction;
pub use millstream_protocol::ids::{ErrorCode, TopicPartition};
pub use millstream_protocol::{Compression, Limits};
pub use offsets::{FoundOffset, OffsetSpec};
pub use options::{
    Acks, ClientOptions, FetchOptions, Isolation, OnDataLoss, ParsedProperties, ProducerOptions,
};
pub use producer::{Producer, RecordRef, Route, Sent};
pub use reader::{FetchedRecords, RangeRead, Reader, Watermarks};
pub use topics::{PartitionMetadata, TopicMetadata};
