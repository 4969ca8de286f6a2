//! Writing: records are batched per partition and delivered in order.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::kafka::Kafka;
use crate::options::ProducerOptions;

/// One record, borrowed from wherever it lies; its bytes are copied once, into the batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecordRef<'a> {
    /// Milliseconds since 1970; `None` is now.
    pub timestamp: Option<i64>,
    /// The key; records of one key go to one partition unless a partition is given.
    pub key: Option<&'a [u8]>,
    /// The value.
    pub value: Option<&'a [u8]>,
    /// Headers in order; names may repeat.
    pub headers: &'a [(&'a [u8], Option<&'a [u8]>)],
}

/// What became of a [`Producer::try_send`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The record is in a batch.
    Ok,
    /// The buffer is full: use [`Producer::send`], which waits.
    Full,
    /// The topic's partitions are not known yet: use [`Producer::send`] or [`Producer::partitions`].
    NeedsMetadata,
}

/// A producer. Clones share the buffer and the producer id.
#[derive(Debug, Clone)]
pub struct Producer {
    kafka: Kafka,
    options: Arc<ProducerOptions>,
}

impl Producer {
    pub(crate) fn new(kafka: Kafka, options: ProducerOptions) -> Self {
        Self { kafka, options: Arc::new(options) }
    }

    /// The options this producer was made with.
    #[must_use]
    pub fn options(&self) -> &ProducerOptions {
        &self.options
    }

    /// How many partitions a topic has. Asks the cluster when they are not known, which may create the topic if
    /// the brokers allow that, as Java's producer does.
    ///
    /// # Errors
    /// [`Error::TopicNotPresent`] after `max_block`.
    pub async fn partitions(&self, topic: &str) -> Result<i32> {
        let _ = (topic, &self.kafka);
        Err(Error::unsupported("producing"))
    }

    /// Accepts a record for delivery; waits only while metadata are missing or the buffer is full.
    ///
    /// The partition is `partition` if given, else by the key's murmur2 hash, else the sticky one.
    ///
    /// # Errors
    /// [`Error::RecordTooLarge`] at once; [`Error::TopicNotPresent`] or [`Error::Timeout`] after `max_block`; a
    /// partition that does not exist is [`Error::Misuse`].
    pub async fn send(&self, topic: &Arc<str>, partition: Option<i32>, record: RecordRef<'_>) -> Result<()> {
        let _ = (topic, partition, record);
        Err(Error::unsupported("producing"))
    }

    /// As [`send`](Self::send) without waiting: the hot path.
    ///
    /// # Errors
    /// As [`send`](Self::send), apart from the timeouts.
    pub fn try_send(&self, topic: &Arc<str>, partition: Option<i32>, record: RecordRef<'_>) -> Result<Sent> {
        let _ = (topic, partition, record);
        Err(Error::unsupported("producing"))
    }

    /// Sends everything accepted so far without lingering, and waits until all of it is acknowledged.
    ///
    /// # Errors
    /// The first failure since the last flush, told once; [`Error::Delivery`] says whether the records may have
    /// been written nevertheless.
    pub async fn flush(&self) -> Result<()> {
        Err(Error::unsupported("producing"))
    }
}
