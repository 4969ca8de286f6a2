//! Writing: records are batched per partition and delivered in order.
//!
//! ```text
//!   try_send -> [ outbox of a partition ] --sender--> one request a broker, up to five in flight
//!                     ^------- retry, split ---------'
//! ```
//!
//! A record is copied once, into its batch. Batches are compressed by whoever fills or flushes them.

mod answer;
mod buffer;
mod sender;
mod size;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use millstream_protocol::ids::ErrorCode;
use tokio::time::{Instant, timeout_at};

use crate::error::{Error, Result};
use crate::kafka::Kafka;
use crate::metadata::Ask;
use crate::options::ProducerOptions;
use buffer::{Shared, Topic};

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

/// A topic as one producer knows it, so that it is not looked up for each record. It learns new partitions, and serves
/// as long as the producer does.
#[derive(Debug, Clone)]
pub struct Route {
    topic: Arc<Topic>,
}

/// A producer. Clones share the buffer and the producer id. When the last clone is dropped, what has not been
/// delivered is abandoned: [`flush`](Self::flush) first.
#[derive(Debug)]
pub struct Producer {
    handle: Arc<Handle>,
    /// How many failures this clone has been told of.
    told: AtomicU64,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        self.shared.work.notify_one();
    }
}

impl Clone for Producer {
    fn clone(&self) -> Self {
        Self { handle: self.handle.clone(), told: AtomicU64::new(self.told.load(Ordering::Acquire)) }
    }
}

impl Producer {
    pub(crate) fn new(kafka: Kafka, options: ProducerOptions) -> Self {
        let handle = Arc::new(Handle { shared: Arc::new(Shared::new(kafka, options)) });
        Self { handle, told: AtomicU64::new(0) }
    }

    /// The options this producer was made with.
    #[must_use]
    pub fn options(&self) -> &ProducerOptions {
        &self.handle.shared.options
    }

    /// How many partitions a topic has. Asks the cluster when they are not known, which may create the topic
    /// if the brokers allow that, as Java's producer does.
    ///
    /// # Errors
    /// [`Error::TopicNotPresent`] after `max_block`; [`Error::Broker`] at once when the name is not legal or
    /// the topic may not be used.
    pub async fn partitions(&self, topic: &str) -> Result<i32> {
        if let Some(count) = self.handle.shared.known_partitions(topic) {
            return Ok(count);
        }
        self.find_topic(&topic.into(), 0).await
    }

    /// Accepts a record for delivery; waits only while metadata are missing or the buffer is full.
    ///
    /// The partition is `partition` if given, else by the key's murmur2 hash, else the sticky one.
    ///
    /// # Errors
    /// [`Error::RecordTooLarge`] at once; [`Error::TopicNotPresent`] or [`Error::Timeout`] after `max_block`;
    /// a partition that does not exist is [`Error::Misuse`].
    pub async fn send(&self, topic: &Arc<str>, partition: Option<i32>, record: RecordRef<'_>) -> Result<()> {
        loop {
            match self.try_send(topic, partition, record)? {
                Sent::Ok => return Ok(()),
                Sent::Full => self.wait_for_room(topic, partition, record).await?,
                Sent::NeedsMetadata => {
                    let wanted = partition.unwrap_or(0);
                    let count = self.find_topic(topic, wanted).await?;
                    if wanted < 0 || wanted >= count {
                        let what =
                            format!("partition {wanted} of topic {topic} does not exist: it has {count}");
                        return Err(Error::Misuse { what });
                    }
                }
            }
        }
    }

    /// As [`send`](Self::send) without waiting.
    ///
    /// # Errors
    /// As [`send`](Self::send), apart from the timeouts.
    pub fn try_send(&self, topic: &str, partition: Option<i32>, record: RecordRef<'_>) -> Result<Sent> {
        match self.route(topic) {
            Some(route) => self.try_send_on(&route, partition, record),
            None => {
                self.handle.shared.check_record(&record)?;
                Ok(Sent::NeedsMetadata)
            }
        }
    }

    /// The way to a topic, for many records: `None` until its partitions are known.
    #[must_use]
    pub fn route(&self, topic: &str) -> Option<Route> {
        self.handle.shared.topic(topic).map(|topic| Route { topic })
    }

    /// As [`try_send`](Self::try_send) on a route that this producer gave: the hot path.
    ///
    /// # Errors
    /// As [`try_send`](Self::try_send).
    pub fn try_send_on(&self, route: &Route, partition: Option<i32>, record: RecordRef<'_>) -> Result<Sent> {
        self.handle.shared.try_send(&route.topic, partition, record)
    }

    /// Sends everything accepted so far without lingering, and waits until all of it is acknowledged or has
    /// failed, which `delivery_timeout` bounds.
    ///
    /// # Errors
    /// The first failure that this clone has not been told of; [`Error::Delivery`] says whether the records
    /// may have been written nevertheless.
    pub async fn flush(&self) -> Result<()> {
        let shared = &self.handle.shared;
        let _hurry = Hurry::new(shared);
        let last = shared.last_ticket();
        shared.seal_all()?;
        self.start_sending();
        loop {
            let mut progress = std::pin::pin!(shared.progress.notified());
            progress.as_mut().enable();
            if !shared.is_under_way(last) {
                break;
            }
            progress.await;
        }
        let (failure, count) = shared.failure_since(self.told.load(Ordering::Acquire));
        self.told.store(count, Ordering::Release);
        failure.map_or(Ok(()), Err)
    }

    /// Waits until the buffer has room, then leaves it to the caller to try again.
    async fn wait_for_room(
        &self,
        topic: &Arc<str>,
        partition: Option<i32>,
        record: RecordRef<'_>,
    ) -> Result<()> {
        let shared = &self.handle.shared;
        let after = shared.options.max_block;
        let deadline = Instant::now() + after;
        let _hurry = Hurry::new(shared);
        self.start_sending();
        loop {
            let mut progress = std::pin::pin!(shared.progress.notified());
            progress.as_mut().enable();
            if shared.has_room(size::upper_bound(&record)) {
                return Ok(());
            }
            if timeout_at(deadline, progress).await.is_err() {
                let what = format!(
                    "a record for topic {topic}{}: buffer.memory ({} bytes) stayed full; brokers acknowledge \
                     too slowly or not at all",
                    partition.map(|p| format!(" partition {p}")).unwrap_or_default(),
                    shared.options.buffer_bytes
                );
                return Err(Error::Timeout { what, after });
            }
        }
    }

    /// Asks for a topic until it is there, and has partition `wanted` if it can be had. Returns its
    /// partitions.
    async fn find_topic(&self, topic: &Arc<str>, wanted: i32) -> Result<i32> {
        let shared = &self.handle.shared;
        let metadata = shared.kafka.metadata();
        metadata.use_topic(topic);
        let mut retry = shared.kafka.retry_within(shared.options.max_block);
        loop {
            let asked = metadata.ask(Ask::OrCreate(std::slice::from_ref(topic)));
            let error = match retry.attempt("topic metadata", asked).await {
                Ok(answer) => {
                    answer.topics.first().map_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, |t| t.error)
                }
                Err(error) => {
                    retry.pause(error).await.map_err(|error| self.not_present(topic, error))?;
                    continue;
                }
            };
            shared.learn_topic(topic);
            match shared.known_partitions(topic) {
                Some(count) if wanted < count || error.is_ok() => {
                    self.start_sending();
                    return Ok(count);
                }
                _ => {
                    let error = match error {
                        ErrorCode::NONE => ErrorCode::LEADER_NOT_AVAILABLE,
                        error => error,
                    };
                    let error = Error::on_topic("Metadata", error, topic);
                    retry.pause(error).await.map_err(|error| self.not_present(topic, error))?;
                }
            }
        }
    }

    fn not_present(&self, topic: &Arc<str>, error: Error) -> Error {
        let missing = matches!(error, Error::Broker { .. }) && error.is_retriable();
        if missing || matches!(error, Error::Timeout { .. }) {
            return Error::TopicNotPresent { topic: topic.to_string(), after: self.options().max_block };
        }
        error
    }

    fn start_sending(&self) {
        let shared = &self.handle.shared;
        if !shared.started.swap(true, Ordering::AcqRel) {
            shared.kafka.runtime().spawn(sender::run(shared.clone()));
        }
        shared.work.notify_one();
    }
}

/// While one is held, batches do not linger.
struct Hurry<'a>(&'a Shared);

impl<'a> Hurry<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.hurry.fetch_add(1, Ordering::AcqRel);
        Self(shared)
    }
}

impl Drop for Hurry<'_> {
    fn drop(&mut self) {
        self.0.hurry.fetch_sub(1, Ordering::AcqRel);
    }
}
