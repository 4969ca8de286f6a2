//! What a producer's callers and its sender share: the topics' outboxes, the buffer's bytes, and who waits
//! for what.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use millstream_protocol::ids::TopicPartition;
use millstream_protocol::partitioner::{StickyPartitioner, partition_for_key};
use millstream_protocol::records::BatchOptions;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::size::upper_bound;
use super::{RecordRef, Sent};
use crate::core::outbox::{Outbox, Settled};
use crate::error::{Error, Result};
use crate::kafka::Kafka;
use crate::options::ProducerOptions;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) kafka: Kafka,
    pub(super) options: ProducerOptions,
    topics: RwLock<HashMap<Arc<str>, Arc<Topic>>>,
    buffered: AtomicUsize,
    next_ticket: AtomicU64,
    /// Batches under way: how many parts each ticket has.
    under_way: Mutex<BTreeMap<u64, usize>>,
    failures: Mutex<Failures>,
    /// How many callers wait for the buffer or for a flush: no batch lingers meanwhile.
    pub(super) hurry: AtomicUsize,
    /// Wakes the sender.
    pub(super) work: Notify,
    /// Wakes callers: bytes are free, or batches are done.
    pub(super) progress: Notify,
    pub(super) started: AtomicBool,
    pub(super) closed: AtomicBool,
}

/// Failures so far. The first ones are kept until every clone has been told; more than that are only counted.
#[derive(Debug, Default)]
struct Failures {
    count: u64,
    kept: Vec<(u64, Error)>,
}

/// Failures kept for clones that have not flushed since.
const MOST_FAILURES_KEPT: usize = 64;

#[derive(Debug)]
pub(super) struct Topic {
    pub(super) name: Arc<str>,
    pub(super) outboxes: RwLock<Vec<Arc<Mutex<Outbox>>>>,
    sticky: Mutex<StickyPartitioner>,
}

impl Shared {
    pub(super) fn new(kafka: Kafka, options: ProducerOptions) -> Self {
        Self {
            kafka,
            options,
            topics: RwLock::default(),
            buffered: AtomicUsize::new(0),
            next_ticket: AtomicU64::new(0),
            under_way: Mutex::default(),
            failures: Mutex::default(),
            hurry: AtomicUsize::new(0),
            work: Notify::new(),
            progress: Notify::new(),
            started: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    /// The topic, if its partitions are known.
    pub(super) fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.topics.read().get(name).cloned()
    }

    /// Puts a record into the open batch of its partition, if there is room.
    pub(super) fn try_send(
        &self,
        topic: &Topic,
        partition: Option<i32>,
        record: RecordRef<'_>,
    ) -> Result<Sent> {
        let size = upper_bound(&record);
        self.check_size(size)?;
        let outboxes = topic.outboxes.read();
        let number = topic.choose(partition, &record, size, outboxes.len());
        let Some(outbox) = number.and_then(|number| outboxes.get(number)) else {
            return Ok(Sent::NeedsMetadata);
        };
        if !self.take_room(size) {
            return Ok(Sent::Full);
        }
        let timestamp = record.timestamp.unwrap_or_else(now_millis);
        let opened = || (self.open_ticket(), Instant::now());
        let appended = outbox.lock().append(&record, timestamp, size, opened);
        match appended {
            Ok(news) => {
                if news {
                    self.work.notify_one();
                }
                Ok(Sent::Ok)
            }
            Err(error) => {
                self.buffered.fetch_sub(size, Ordering::AcqRel);
                Err(Error::Misuse { what: error.to_string() })
            }
        }
    }

    /// Refuses a record that has no place in any request or not in the buffer.
    pub(super) fn check_record(&self, record: &RecordRef<'_>) -> Result<()> {
        self.check_size(upper_bound(record))
    }

    /// How many partitions a topic is known to have.
    pub(super) fn known_partitions(&self, topic: &str) -> Option<i32> {
        let count = self.topics.read().get(topic)?.outboxes.read().len();
        i32::try_from(count).ok().filter(|count| *count > 0)
    }

    /// Takes over the partitions that the metadata know. Partitions are only ever added.
    pub(super) fn learn_topic(&self, topic: &Arc<str>) {
        let count = self.kafka.metadata().view(|cluster| cluster.topic(topic).map(|t| t.leaders.len()));
        let Some(count) = count.filter(|count| *count > 0) else { return };
        let known = self.topic(topic).unwrap_or_else(|| {
            let make = || Arc::new(Topic::new(topic.clone(), self.options.batch_bytes));
            self.topics.write().entry(topic.clone()).or_insert_with(make).clone()
        });
        let mut outboxes = known.outboxes.write();
        while outboxes.len() < count {
            outboxes.push(Arc::new(Mutex::new(self.new_outbox())));
        }
    }

    pub(super) fn topics(&self) -> Vec<Arc<Topic>> {
        self.topics.read().values().cloned().collect()
    }

    /// Accounts for batches that are done, failed or split.
    pub(super) fn account(&self, partition: &TopicPartition, settled: Settled, cause: Option<&Error>) {
        if let Some(ticket) = settled.split {
            *self.under_way.lock().entry(ticket).or_insert(0) += 1;
        }
        for batch in settled.failed {
            let source = cause.cloned().unwrap_or_else(|| Error::Timeout {
                what: "delivery of a batch".into(),
                after: self.options.delivery_timeout,
            });
            self.fail(Error::Delivery {
                partition: partition.clone(),
                records: batch.records(),
                possibly_written: batch.possibly_written,
                source: Arc::new(source),
            });
            self.finish(batch.ticket, batch.buffered);
        }
        if let Some(batch) = settled.done {
            self.finish(batch.ticket, batch.buffered);
        }
        self.progress.notify_waiters();
    }

    /// The last ticket given out, for a flush to wait for.
    pub(super) fn last_ticket(&self) -> u64 {
        self.next_ticket.load(Ordering::Acquire)
    }

    /// Whether a batch up to this ticket is still under way.
    pub(super) fn is_under_way(&self, ticket: u64) -> bool {
        self.under_way.lock().first_key_value().is_some_and(|(first, _)| *first <= ticket)
    }

    /// The first failure after the first `seen`, and how many there are by now.
    pub(super) fn failure_since(&self, seen: u64) -> (Option<Error>, u64) {
        let failures = self.failures.lock();
        let found = failures.kept.iter().find(|(number, _)| *number >= seen).map(|(_, error)| error.clone());
        (found, failures.count)
    }

    /// Compresses and closes every open batch, on the caller's thread.
    pub(super) fn seal_all(&self) -> Result<()> {
        for topic in self.topics() {
            for outbox in topic.outboxes.read().iter() {
                outbox.lock().seal().map_err(|e| Error::Misuse { what: e.to_string() })?;
            }
        }
        Ok(())
    }

    /// A producer can do nothing more: everything not in flight fails for the same reason.
    pub(super) fn abandon(&self, cause: &Error) {
        for topic in self.topics() {
            for (number, outbox) in topic.outboxes.read().iter().enumerate() {
                let settled = outbox.lock().abandon();
                self.account(&topic.partition(number), settled, Some(cause));
            }
        }
    }

    pub(super) fn has_room(&self, size: usize) -> bool {
        self.buffered.load(Ordering::Acquire) + size <= self.options.buffer_bytes
    }

    fn check_size(&self, size: usize) -> Result<()> {
        let options = &self.options;
        for (limit, setting) in
            [(options.max_request_bytes, "max.request.size"), (options.buffer_bytes, "buffer.memory")]
        {
            if size > limit {
                return Err(Error::RecordTooLarge { size, limit, setting });
            }
        }
        Ok(())
    }

    fn take_room(&self, size: usize) -> bool {
        let before = self.buffered.fetch_add(size, Ordering::AcqRel);
        if before + size > self.options.buffer_bytes {
            self.buffered.fetch_sub(size, Ordering::AcqRel);
            return false;
        }
        true
    }

    fn open_ticket(&self) -> u64 {
        // Under the lock, so that a flush never sees a ticket given out and not yet under way.
        let mut under_way = self.under_way.lock();
        let ticket = self.next_ticket.fetch_add(1, Ordering::AcqRel) + 1;
        under_way.insert(ticket, 1);
        ticket
    }

    fn finish(&self, ticket: u64, buffered: usize) {
        let mut under_way = self.under_way.lock();
        if let Some(parts) = under_way.get_mut(&ticket) {
            *parts -= 1;
            if *parts == 0 {
                under_way.remove(&ticket);
            }
        }
        self.buffered.fetch_sub(buffered, Ordering::AcqRel);
    }

    fn fail(&self, error: Error) {
        tracing::warn!(%error, "records were not delivered");
        let mut failures = self.failures.lock();
        let number = failures.count;
        failures.count += 1;
        if failures.kept.len() == MOST_FAILURES_KEPT {
            // The older half has been told, or nobody is there to be told.
            failures.kept.drain(..MOST_FAILURES_KEPT / 2);
        }
        failures.kept.push((number, error));
    }

    fn new_outbox(&self) -> Outbox {
        let batch = BatchOptions {
            compression: self.options.compression,
            level: self.options.compression_level,
            max_bytes: self.options.batch_bytes,
            ..BatchOptions::default()
        };
        Outbox::new(batch, u32::try_from(self.options.retries).unwrap_or(0))
    }
}

impl Topic {
    fn new(name: Arc<str>, batch_bytes: usize) -> Self {
        Self { name, outboxes: RwLock::default(), sticky: Mutex::new(StickyPartitioner::new(batch_bytes)) }
    }

    pub(super) fn partition(&self, number: usize) -> TopicPartition {
        TopicPartition { topic: self.name.clone(), partition: i32::try_from(number).unwrap_or(i32::MAX) }
    }

    /// The number of the partition for a record, of `count`; it may be given and not exist.
    fn choose(
        &self,
        partition: Option<i32>,
        record: &RecordRef<'_>,
        size: usize,
        count: usize,
    ) -> Option<usize> {
        let count = i32::try_from(count).ok()?;
        let number = match (partition, record.key) {
            (Some(partition), _) => partition,
            (None, Some(key)) => partition_for_key(key, count),
            (None, None) => self.sticky.lock().choose(count, size, rand::random),
        };
        usize::try_from(number).ok()
    }
}

fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
