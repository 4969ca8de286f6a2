//! One partition being written: batches in their order, from the open one to those in flight.
//!
//! ```text
//!   append -> [ open ] -seal-> [ ready ] -send-> [ in flight ] -acknowledged-> done
//!                                  ^------ retry ------|
//! ```
//!
//! Facts: an idempotent producer numbers the records of each partition without gaps; a broker takes a batch
//! only if its first number is the next one, and answers a repeated one as a duplicate, which is a success
//! (KIP-98). So after a failure nothing more is sent until everything in flight has been answered, and then
//! the batches go out again in their order with their old numbers. A batch that fails for good leaves a gap:
//! the partition goes on under a new producer id with numbers from 0. A batch that may have been written is
//! never renumbered, because that could write it twice: it fails and says so.
//!
//! A broker that does not know the producer takes *any* first number (KIP-360). So the second of two batches
//! in flight would become the first in the log when the first one is refused: by a leader that has just moved
//! away, or for want of replicas. Therefore one batch at a time is in flight until one of them has been
//! acknowledged under the present id, and again after a long silence, because brokers forget a producer in
//! time. All in flight go to one broker: of two brokers the later one may answer first.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use millstream_protocol::records::{BatchBuilder, BatchOptions, Batches, EncodedBatch};

/// A producer id and its epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

/// A closed batch.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// When it was opened among all batches of the producer. Parts of a split batch share it.
    pub(crate) ticket: u64,
    /// The place of its first record in the batch that was opened; above 0 only after a split.
    first: i32,
    encoded: EncodedBatch,
    /// Bytes of the producer's buffer that it holds.
    pub(crate) buffered: usize,
    created: Instant,
    pub(crate) attempts: u32,
    /// Its first record's number, once it has one.
    sequence: Option<i32>,
    sent: Option<Instant>,
    /// A request that held it went out and no answer came.
    pub(crate) possibly_written: bool,
}

/// A batch that has just been put in flight.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) key: BatchKey,
    pub(crate) bytes: Bytes,
    /// Attempts so far, this one included.
    pub(crate) attempts: u32,
}

/// Names a batch of a partition while it is in flight.
pub(crate) type BatchKey = (u64, i32);

/// The batch that takes records.
#[derive(Debug)]
struct Open {
    builder: BatchBuilder,
    ticket: u64,
    created: Instant,
    buffered: usize,
}

/// What became of a batch in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// In the log.
    Acknowledged,
    /// To be sent again after a pause; `in_doubt` when it may be in the log.
    Retry { in_doubt: bool, not_before: Instant },
    /// Larger than the topic allows: to be sent in two.
    TooLarge,
    /// The broker's numbering does not go on with this batch.
    OutOfOrder,
    /// No attempt will succeed; `in_doubt` when it may be in the log nevertheless.
    Refused { in_doubt: bool },
}

/// What the producer has to account for after a fate.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) done: Option<Batch>,
    pub(crate) failed: Vec<Batch>,
    /// A batch became two: one more is under way.
    pub(crate) split: Option<u64>,
}

/// The batches of one partition.
#[derive(Debug)]
pub(crate) struct Outbox {
    open: Option<Open>,
    ready: VecDeque<Batch>,
    in_flight: VecDeque<Batch>,
    identity: Option<Identity>,
    next_sequence: i32,
    /// When the last batch that was acknowledged under the present identity had been sent: since then the
    /// leader, whoever it is, knows the numbering.
    known_at: Option<Instant>,
    /// The newest batch that is in the log.
    newest_written: Option<BatchKey>,
    /// The broker that has what is in flight.
    route: Option<i32>,
    /// A batch failed: nothing is sent until all in flight are settled.
    is_recovering: bool,
    /// The numbering has a gap: a new identity is needed before anything is sent.
    needs_identity: bool,
    not_before: Option<Instant>,
    batch: BatchOptions,
    retries: u32,
}

impl Outbox {
    pub(crate) fn new(batch: BatchOptions, retries: u32) -> Self {
        Self {
            open: None,
            ready: VecDeque::new(),
            in_flight: VecDeque::new(),
            identity: None,
            next_sequence: 0,
            known_at: None,
            newest_written: None,
            route: None,
            is_recovering: false,
            needs_identity: false,
            not_before: None,
            batch,
            retries,
        }
    }

    /// Adds a record, after `seal` has made room when the open batch is full. `size` is what it holds of the
    /// buffer; `opened` gives ticket and time when a batch is opened. Returns whether the sender has news.
    pub(crate) fn append(
        &mut self,
        record: &crate::RecordRef<'_>,
        timestamp: i64,
        size: usize,
        opened: impl FnOnce() -> (u64, Instant),
    ) -> Result<bool, millstream_protocol::Error> {
        let mut sealed = false;
        if let Some(open) = &mut self.open {
            if open.builder.append(timestamp, record.key, record.value, record.headers)? {
                open.buffered += size;
                return Ok(false);
            }
            self.seal()?;
            sealed = true;
        }
        let mut builder = BatchBuilder::new(self.batch);
        builder.append(timestamp, record.key, record.value, record.headers)?;
        let (ticket, created) = opened();
        self.open = Some(Open { builder, ticket, created, buffered: size });
        Ok(sealed || self.in_flight.is_empty())
    }

    /// Closes the open batch; this is where it is compressed.
    pub(crate) fn seal(&mut self) -> Result<(), millstream_protocol::Error> {
        let Some(mut open) = self.open.take() else { return Ok(()) };
        let encoded = open.builder.finish()?;
        self.ready.push_back(Batch {
            ticket: open.ticket,
            first: 0,
            encoded,
            buffered: open.buffered,
            created: open.created,
            attempts: 0,
            sequence: None,
            sent: None,
            possibly_written: false,
        });
        Ok(())
    }

    /// Closes the open batch if it is older than `linger`.
    pub(crate) fn seal_after(
        &mut self,
        now: Instant,
        linger: Duration,
    ) -> Result<(), millstream_protocol::Error> {
        match &self.open {
            Some(open) if now >= open.created + linger => self.seal(),
            _ => Ok(()),
        }
    }

    /// When something will be due that is not due now.
    pub(crate) fn next_due(&self, linger: Duration, delivery: Duration) -> Option<Instant> {
        let lingering = self.open.as_ref().map(|open| open.created + linger);
        let paused = self.not_before.filter(|_| !self.ready.is_empty());
        let expiry = self.ready.iter().map(|batch| batch.created + delivery).min();
        [lingering, paused, expiry].into_iter().flatten().min()
    }

    /// Size of the batch that could be sent now, to the broker where [`may_go_to`](Self::may_go_to) allows it.
    pub(crate) fn sendable(&self, now: Instant) -> Option<usize> {
        let one_at_a_time = self.is_recovering || self.needs_identity || !self.is_numbering_known(now);
        let waits = one_at_a_time && !self.in_flight.is_empty();
        let paused = self.not_before.is_some_and(|at| now < at);
        if waits || paused {
            return None;
        }
        self.ready.front().map(|batch| batch.encoded.len())
    }

    /// Whether nothing is in flight to any other broker.
    pub(crate) fn may_go_to(&self, node: i32) -> bool {
        self.in_flight.is_empty() || self.route == Some(node)
    }

    /// Whether the leader would refuse a number that is not the next one. Without numbers it never does.
    fn is_numbering_known(&self, now: Instant) -> bool {
        self.identity.is_none()
            || self.known_at.is_some_and(|at| now.saturating_duration_since(at) < NUMBERING_KEPT)
    }

    /// Whether it cannot go on with the producer's present identity.
    pub(crate) fn lacks(&self, present: Option<Identity>) -> bool {
        match present {
            None => self.wants_identity(),
            Some(present) => self.needs_identity && self.identity == Some(present),
        }
    }

    fn wants_identity(&self) -> bool {
        self.identity.is_none() || self.needs_identity
    }

    /// Puts the next batch in flight to a broker. `identity` is used if one is needed; `None` sends unnumbered
    /// batches.
    pub(crate) fn send(&mut self, identity: Option<Identity>, node: i32, now: Instant) -> Option<Sending> {
        if let Some(identity) = identity
            && self.wants_identity()
        {
            self.adopt(identity);
        }
        let mut batch = self.ready.pop_front()?;
        self.is_recovering = false;
        self.not_before = None;
        if let (Some(identity), None) = (self.identity, batch.sequence) {
            batch.sequence = Some(self.next_sequence);
            batch.encoded.stamp(identity.id, identity.epoch, self.next_sequence);
            self.next_sequence = advance(self.next_sequence, batch.encoded.records);
        }
        batch.attempts += 1;
        batch.sent = Some(now);
        self.route = Some(node);
        let sending = Sending {
            key: (batch.ticket, batch.first),
            bytes: batch.encoded.bytes(),
            attempts: batch.attempts,
        };
        self.in_flight.push_back(batch);
        Some(sending)
    }

    /// Settles a batch in flight.
    pub(crate) fn settle(&mut self, key: BatchKey, fate: Fate) -> Settled {
        let mut settled = Settled::default();
        let Some(place) = self.in_flight.iter().position(|batch| (batch.ticket, batch.first) == key) else {
            return settled;
        };
        let is_oldest =
            place == 0 && self.ready.front().is_none_or(|front| (front.ticket, front.first) > key);
        let Some(mut batch) = self.in_flight.remove(place) else { return settled };
        match fate {
            Fate::Acknowledged => {
                self.known_at = self.known_at.max(batch.sent);
                self.newest_written = self.newest_written.max(Some(key));
                settled.done = Some(batch);
            }
            Fate::Retry { in_doubt, not_before } => {
                batch.possibly_written |= in_doubt;
                if batch.attempts > self.retries {
                    self.needs_identity |= batch.sequence.is_some();
                    settled.failed.push(batch);
                    self.give_up_what_is_in_doubt(&mut settled);
                    return settled;
                }
                self.not_before = self.not_before.max(Some(not_before));
                self.put_back(batch);
            }
            Fate::OutOfOrder if !is_oldest => self.put_back(batch),
            // The broker had forgotten the producer and took a later one first: the order is lost, say so.
            Fate::OutOfOrder if self.newest_written > Some(key) => {
                self.needs_identity = true;
                settled.failed.push(batch);
            }
            Fate::OutOfOrder => {
                self.needs_identity = true;
                self.put_back(batch);
            }
            Fate::TooLarge => match self.split(&batch) {
                Some((front, back)) => {
                    settled.split = Some(batch.ticket);
                    self.put_back(back);
                    self.put_back(front);
                }
                None => {
                    self.needs_identity |= batch.sequence.is_some();
                    settled.failed.push(batch);
                }
            },
            Fate::Refused { in_doubt } => {
                batch.possibly_written |= in_doubt;
                self.needs_identity |= batch.sequence.is_some();
                settled.failed.push(batch);
            }
        }
        self.give_up_what_is_in_doubt(&mut settled);
        settled
    }

    /// Fails the batches that have waited for longer than the delivery timeout.
    pub(crate) fn expire(&mut self, now: Instant, delivery: Duration) -> Settled {
        let mut settled = Settled::default();
        while let Some(batch) = self.ready.pop_front_if(|batch| now >= batch.created + delivery) {
            self.needs_identity |= batch.sequence.is_some();
            settled.failed.push(batch);
        }
        self.give_up_what_is_in_doubt(&mut settled);
        settled
    }

    /// Fails everything that is not in flight.
    pub(crate) fn abandon(&mut self) -> Settled {
        let _ = self.seal();
        Settled { failed: self.ready.drain(..).collect(), ..Settled::default() }
    }

    /// Before the numbering starts anew, batches that may be in the log under their old numbers are given up.
    fn give_up_what_is_in_doubt(&mut self, settled: &mut Settled) {
        if !self.needs_identity || !self.in_flight.is_empty() {
            return;
        }
        let (doubtful, rest) =
            self.ready.drain(..).partition::<VecDeque<_>, _>(|batch| batch.possibly_written);
        settled.failed.extend(doubtful);
        self.ready = rest;
    }

    fn adopt(&mut self, identity: Identity) {
        self.identity = Some(identity);
        self.needs_identity = false;
        self.next_sequence = 0;
        self.known_at = None;
        for batch in &mut self.ready {
            batch.sequence = None;
        }
    }

    fn put_back(&mut self, batch: Batch) {
        self.is_recovering = true;
        let key = (batch.ticket, batch.first);
        let place = self.ready.iter().position(|other| (other.ticket, other.first) > key);
        self.ready.insert(place.unwrap_or(self.ready.len()), batch);
    }

    /// Two batches of half the records each, with the numbers of the one.
    fn split(&self, batch: &Batch) -> Option<(Batch, Batch)> {
        let records = batch.encoded.records;
        if records < 2 {
            return None;
        }
        let half = records / 2;
        let front = self.part(batch, 0, half)?;
        let back = self.part(batch, half, records)?;
        let rest = batch.buffered - front.buffered;
        Some((front, Batch { buffered: rest, ..back }))
    }

    fn part(&self, batch: &Batch, from: i32, to: i32) -> Option<Batch> {
        let bytes = batch.encoded.bytes();
        let whole = Batches::new(&bytes).next()?.ok()?;
        let mut scratch = Vec::new();
        let records = whole.records(usize::MAX, &mut scratch).ok()?;
        let mut builder = BatchBuilder::new(BatchOptions { max_bytes: usize::MAX, ..self.batch });
        let skip = usize::try_from(from).ok()?;
        let count = usize::try_from(to - from).ok()?;
        for record in records.skip(skip).take(count) {
            let record = record.ok()?;
            let headers: Vec<_> = record.headers.iter().collect();
            builder.append(record.timestamp, record.key, record.value, &headers).ok()?;
        }
        let mut encoded = builder.finish().ok()?;
        let sequence = batch.sequence.map(|sequence| advance(sequence, from));
        if let (Some(identity), Some(sequence)) = (self.identity, sequence) {
            encoded.stamp(identity.id, identity.epoch, sequence);
        }
        Some(Batch {
            encoded,
            first: batch.first + from,
            sequence,
            buffered: batch.buffered / 2,
            ..batch.clone()
        })
    }
}

impl Batch {
    /// How many records it holds.
    pub(crate) fn records(&self) -> i32 {
        self.encoded.records
    }
}

/// How long after an acknowledgement a broker is relied on to know the numbering. Kafka's default for
/// `producer.id.expiration.ms` is a day; clusters with very many producers set it to less.
const NUMBERING_KEPT: Duration = Duration::from_secs(300);

/// Numbers run from 0 to 2^31 - 1 and start over.
fn advance(sequence: i32, records: i32) -> i32 {
    let next = (i64::from(sequence) + i64::from(records)) & i64::from(i32::MAX);
    i32::try_from(next).expect("masked to 31 bits")
}

#[cfg(test)]
mod tests;
