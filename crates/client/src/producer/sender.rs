//! The one task of a producer that sends: it never waits for one thing while another could go on.
//!
//! Connecting, answers, producer ids and metadata are futures in one set; whenever one of them is done, a
//! caller has news or a time has come, everything that can be sent is sent.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use indexmap::IndexMap;
use kafka_protocol::messages::{InitProducerIdRequest, ProduceResponse};
use millstream_protocol::ids::{ApiKey, ErrorCode, TopicPartition};
use millstream_protocol::messages;
use millstream_protocol::produce::{ProduceRequest, TOPIC_IDS_FROM, TopicBatches};
use parking_lot::Mutex;
use tokio::time::sleep_until;

use super::answer::{SentBatch, Verdict, judge};
use super::buffer::Shared;
use crate::brokers::Link;
use crate::connection::Connection;
use crate::core::backoff::Backoff;
use crate::core::cluster::Node;
use crate::core::outbox::{Fate, Identity, Outbox};
use crate::error::{Error, Result};
use crate::kafka::Kafka;
use crate::options::Acks;

/// Something that was waited for.
enum Event {
    Connected { node: i32, outcome: Result<Connection> },
    Answered { node: i32, batches: Vec<SentBatch>, outcome: Result<ProduceResponse> },
    Identity(Result<Identity>),
    Refreshed(Result<()>),
}

#[derive(Debug)]
struct Broker {
    link: Arc<Link>,
    connection: Option<Connection>,
    is_connecting: bool,
    in_flight: usize,
}

/// A batch that could go out now.
struct Ready {
    partition: TopicPartition,
    outbox: Arc<Mutex<Outbox>>,
}

struct Sender {
    shared: Arc<Shared>,
    brokers: HashMap<i32, Broker>,
    events: FuturesUnordered<BoxFuture<'static, Event>>,
    identity: Option<Identity>,
    is_asking_identity: bool,
    is_refreshing: bool,
    refresh_backoff: Backoff,
    /// The last failure of each partition that is being tried again.
    troubles: HashMap<TopicPartition, Error>,
}

/// Sends until the producer is closed.
pub(super) async fn run(shared: Arc<Shared>) {
    let backoff = Backoff::new(shared.options.retry_backoff, shared.options.retry_backoff_max);
    let mut sender = Sender {
        shared: shared.clone(),
        brokers: HashMap::new(),
        events: FuturesUnordered::new(),
        identity: None,
        is_asking_identity: false,
        is_refreshing: false,
        refresh_backoff: backoff,
        troubles: HashMap::new(),
    };
    while !shared.closed.load(Ordering::Acquire) {
        let due = sender.pump(Instant::now());
        tokio::select! {
            Some(event) = sender.events.next(), if !sender.events.is_empty() => sender.handle(event),
            () = shared.work.notified() => {}
            () = sleep_until(due.unwrap_or_else(Instant::now).into()), if due.is_some() => {}
        }
    }
}

impl Sender {
    /// Sends all that can be sent. Returns when to look again if nothing happens before.
    fn pump(&mut self, now: Instant) -> Option<Instant> {
        let (ready, due) = self.collect(now);
        for (node, mut ready) in ready {
            let Some(connection) = self.connection(node) else { continue };
            while self.brokers[&node].in_flight < self.shared.options.most_in_flight() {
                if !self.send_one(node, &connection, &mut ready, now) {
                    break;
                }
            }
        }
        if self.shared.kafka.metadata().is_stale() {
            self.refresh();
        }
        due.filter(|due| *due > now)
    }

    /// Finds what is ready, by leader.
    fn collect(&mut self, now: Instant) -> (HashMap<i32, Vec<Ready>>, Option<Instant>) {
        let options = &self.shared.options;
        let linger = match self.shared.hurry.load(Ordering::Acquire) {
            0 => options.linger,
            _ => std::time::Duration::ZERO,
        };
        let delivery = options.delivery_timeout;
        let is_numbered = options.is_numbered();
        let mut by_leader: HashMap<i32, Vec<Ready>> = HashMap::new();
        let mut due: Option<Instant> = None;
        let (mut lacks_identity, mut lacks_leader) = (false, false);
        for topic in self.shared.topics() {
            for (number, outbox) in topic.outboxes.read().iter().enumerate() {
                let mut state = outbox.lock();
                if let Err(error) = state.seal_after(now, linger) {
                    tracing::error!(%error, "a batch could not be built");
                }
                let expired = state.expire(now, delivery);
                let next = state.next_due(linger, delivery).filter(|next| *next > now);
                due = [due, next].into_iter().flatten().min();
                let sendable = state.sendable(now).is_some();
                let lacks = is_numbered && state.lacks(self.identity);
                drop(state);
                if !expired.failed.is_empty() {
                    let partition = topic.partition(number);
                    let cause = late(self.troubles.get(&partition), delivery);
                    self.shared.account(&partition, expired, Some(&cause));
                }
                if !sendable {
                    continue;
                }
                let partition = topic.partition(number);
                match self.leader(&partition) {
                    _ if lacks => lacks_identity = true,
                    None => lacks_leader = true,
                    // What is in flight to the leader before is awaited first.
                    Some(node) if !outbox.lock().may_go_to(node) => {}
                    Some(node) => {
                        by_leader.entry(node).or_default().push(Ready { partition, outbox: outbox.clone() });
                    }
                }
            }
        }
        if lacks_identity {
            self.ask_identity();
        }
        if lacks_leader {
            self.refresh();
        }
        (by_leader, due)
    }

    fn leader(&self, partition: &TopicPartition) -> Option<i32> {
        let metadata = self.shared.kafka.metadata();
        metadata.view(|cluster| cluster.leader(&partition.topic, partition.partition)).and_then(|l| l.node)
    }

    /// The live connection to a broker; starts to connect where there is none.
    fn connection(&mut self, node: i32) -> Option<Connection> {
        let kafka = &self.shared.kafka;
        let broker = self.brokers.entry(node).or_insert_with(|| Broker {
            link: Arc::new(Link::new(kafka.shared_options().clone(), kafka.runtime().clone())),
            connection: None,
            is_connecting: false,
            in_flight: 0,
        });
        broker.connection = broker.connection.take().filter(|connection| !connection.is_closed());
        if broker.connection.is_none() && !broker.is_connecting {
            broker.is_connecting = true;
            let (link, kafka) = (broker.link.clone(), kafka.clone());
            self.events.push(Box::pin(async move {
                let outcome = connect(&link, &kafka, node).await;
                Event::Connected { node, outcome }
            }));
        }
        self.brokers[&node].connection.clone()
    }

    /// Fills one request, at most one batch a partition, and sends it. False when there is nothing to send.
    fn send_one(&mut self, node: i32, connection: &Connection, ready: &mut Vec<Ready>, now: Instant) -> bool {
        let most = self.shared.options.max_request_bytes;
        let mut bytes = 0;
        let mut batches = Vec::new();
        let mut contents: IndexMap<Arc<str>, Vec<(i32, Bytes)>> = IndexMap::new();
        ready.retain(|Ready { partition, outbox }| {
            let mut state = outbox.lock();
            let Some(size) = state.sendable(now) else { return false };
            let lacks = self.shared.options.is_numbered() && state.lacks(self.identity);
            if lacks || !state.may_go_to(node) {
                return false;
            }
            if bytes > 0 && bytes + size > most {
                return true;
            }
            let Some(sending) = state.send(self.identity, node, now) else { return false };
            bytes += sending.bytes.len();
            let topic = contents.entry(partition.topic.clone()).or_default();
            topic.push((partition.partition, sending.bytes));
            batches.push(SentBatch {
                partition: partition.clone(),
                outbox: outbox.clone(),
                topic_id: None,
                key: sending.key,
                attempts: sending.attempts,
            });
            true
        });
        // Who was left out this time comes first the next time.
        let turn = batches.len().min(ready.len());
        ready.rotate_left(turn);
        if batches.is_empty() {
            return false;
        }
        self.start(node, connection, batches, contents);
        true
    }

    fn start(
        &mut self,
        node: i32,
        connection: &Connection,
        mut batches: Vec<SentBatch>,
        contents: IndexMap<Arc<str>, Vec<(i32, Bytes)>>,
    ) {
        let options = &self.shared.options;
        let timeout_ms = i32::try_from(options.request_timeout.as_millis()).unwrap_or(i32::MAX);
        let acks = match options.acks {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        };
        let topics: Vec<_> = contents.iter().map(|(topic, batches)| self.topic(topic, batches)).collect();
        let by_name = topics.iter().any(|topic| topic.id.is_nil());
        let most = if by_name { TOPIC_IDS_FROM - 1 } else { i16::MAX };
        let version = connection.version_up_to(ApiKey::PRODUCE, most);
        if version.as_ref().is_ok_and(|version| *version >= TOPIC_IDS_FROM) {
            for batch in &mut batches {
                batch.topic_id = topics.iter().find(|t| *t.name == *batch.partition.topic).map(|t| t.id);
            }
        }
        let request = ProduceRequest { acks, timeout_ms, transactional_id: None, topics };
        let client_id = connection.client_id();
        let encode = |version| move |correlation| request.encode(correlation, Some(client_id), version);
        if options.acks == Acks::None {
            let sent = version.and_then(|v| connection.send_unanswered(ApiKey::PRODUCE, encode(v)));
            let outcome = sent.map(|()| accepted(&batches));
            self.events.push(Box::pin(async move { Event::Answered { node, batches, outcome } }));
        } else {
            let connection = connection.clone();
            let within = options.request_timeout;
            let sent = version
                .and_then(|v| connection.send(ApiKey::PRODUCE, within, encode(v)).map(|answer| (v, answer)));
            let connection = connection.clone();
            self.events.push(Box::pin(async move {
                let outcome = match sent {
                    Ok((version, answer)) => decode(&connection, version, answer.frame().await),
                    Err(error) => Err(error),
                };
                Event::Answered { node, batches, outcome }
            }));
        }
        if let Some(broker) = self.brokers.get_mut(&node) {
            broker.in_flight += 1;
        }
    }

    /// A topic of a request, with its id where the metadata tell one.
    fn topic<'a>(&self, name: &'a str, partitions: &[(i32, Bytes)]) -> TopicBatches<'a> {
        let id = self.shared.kafka.metadata().view(|cluster| cluster.topic(name).map(|topic| topic.id));
        TopicBatches { name, id: id.unwrap_or_default(), partitions: partitions.to_vec() }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Connected { node, outcome } => self.connected(node, outcome),
            Event::Answered { node, batches, outcome } => {
                if let Some(broker) = self.brokers.get_mut(&node) {
                    broker.in_flight -= 1;
                }
                let verdicts = judge(&self.shared.kafka, &self.shared.options, &batches, outcome);
                for (batch, verdict) in batches.into_iter().zip(verdicts) {
                    self.settle(&batch, verdict);
                }
            }
            Event::Identity(outcome) => {
                self.is_asking_identity = false;
                match outcome {
                    Ok(identity) => self.identity = Some(identity),
                    Err(error) if error.is_retriable() => tracing::debug!(%error, "no producer id yet"),
                    Err(error) => self.shared.abandon(&error),
                }
            }
            Event::Refreshed(outcome) => {
                self.is_refreshing = false;
                match outcome {
                    Ok(()) => {
                        self.shared.topics().iter().for_each(|topic| self.shared.learn_topic(&topic.name))
                    }
                    Err(error) => tracing::debug!(%error, "refreshing metadata failed"),
                }
            }
        }
    }

    fn connected(&mut self, node: i32, outcome: Result<Connection>) {
        if let Some(broker) = self.brokers.get_mut(&node) {
            broker.is_connecting = false;
        }
        match (outcome, self.brokers.get_mut(&node)) {
            (Ok(connection), Some(broker)) => {
                broker.connection = Some(connection);
                self.refresh_backoff.succeed();
            }
            (Err(error), _) => {
                tracing::debug!(node, %error, "connecting to produce failed");
                for topic in self.shared.topics() {
                    for number in 0..topic.outboxes.read().len() {
                        let partition = topic.partition(number);
                        if self.leader(&partition) == Some(node) {
                            self.troubles.insert(partition, error.clone());
                        }
                    }
                }
                self.refresh();
            }
            (Ok(_), None) => {}
        }
    }

    fn settle(&mut self, batch: &SentBatch, verdict: Verdict) {
        let settled = batch.outbox.lock().settle(batch.key, verdict.fate);
        if verdict.fate == Fate::Acknowledged {
            self.troubles.remove(&batch.partition);
            self.refresh_backoff.succeed();
        }
        if let Some(error) = &verdict.error {
            tracing::debug!(partition = %batch.partition, %error, fate = ?verdict.fate, "a batch was not taken");
            self.troubles.insert(batch.partition.clone(), error.clone());
        }
        self.shared.account(&batch.partition, settled, verdict.error.as_ref());
        if verdict.refresh {
            self.refresh();
        }
    }

    fn refresh(&mut self) {
        if std::mem::replace(&mut self.is_refreshing, true) {
            return;
        }
        let metadata = self.shared.kafka.metadata().clone();
        let seen = metadata.version();
        let pause = self.refresh_backoff.fail(&mut rand::rng());
        let pause = if self.refresh_backoff.failures() == 1 { std::time::Duration::ZERO } else { pause };
        self.events.push(Box::pin(async move {
            tokio::time::sleep(pause).await;
            Event::Refreshed(metadata.refresh(seen).await)
        }));
    }

    fn ask_identity(&mut self) {
        if std::mem::replace(&mut self.is_asking_identity, true) {
            return;
        }
        let kafka = self.shared.kafka.clone();
        let within = self.shared.options.delivery_timeout;
        self.events.push(Box::pin(async move {
            let mut retry = kafka.retry_within(within);
            loop {
                let error = match retry.attempt("a producer id", new_identity(&kafka)).await {
                    Ok(identity) => return Event::Identity(Ok(identity)),
                    Err(error) => error,
                };
                if let Err(error) = retry.pause(error).await {
                    return Event::Identity(Err(error));
                }
            }
        }));
    }
}

async fn connect(link: &Link, kafka: &Kafka, node: i32) -> Result<Connection> {
    let address = kafka.metadata().view(|cluster| cluster.node(node).map(Node::address));
    match address {
        Some(address) => link.connection(&address).await,
        None => Err(Error::api("Metadata", ErrorCode::LEADER_NOT_AVAILABLE)),
    }
}

fn decode(connection: &Connection, version: i16, frame: Result<Bytes>) -> Result<ProduceResponse> {
    messages::decode_response(ApiKey::PRODUCE, version, frame?, connection.limits())
        .map(|(_, response)| response)
        .map_err(|e| connection.malformed(e))
}

/// What acks=0 takes for an answer.
fn accepted(batches: &[SentBatch]) -> ProduceResponse {
    use kafka_protocol::messages::TopicName;
    use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
    use kafka_protocol::protocol::StrBytes;
    let one = |batch: &SentBatch| {
        let name = if batch.topic_id.is_some() { "" } else { &batch.partition.topic };
        TopicProduceResponse::default()
            .with_name(TopicName(StrBytes::from_string(name.to_owned())))
            .with_topic_id(batch.topic_id.unwrap_or_default())
            .with_partition_responses(vec![
                PartitionProduceResponse::default().with_index(batch.partition.partition),
            ])
    };
    ProduceResponse::default().with_responses(batches.iter().map(one).collect())
}

fn late(trouble: Option<&Error>, after: std::time::Duration) -> Error {
    let what = match trouble {
        Some(trouble) => format!("delivery.timeout.ms passed; the last failure: {trouble}"),
        None => "delivery.timeout.ms passed".into(),
    };
    Error::Timeout { what, after }
}

async fn new_identity(kafka: &Kafka) -> Result<Identity> {
    let request = &InitProducerIdRequest::default()
        .with_transactional_id(None)
        .with_transaction_timeout_ms(i32::MAX)
        .with_producer_id((-1).into())
        .with_producer_epoch(-1);
    let metadata = kafka.metadata();
    let answer = metadata.with_any_broker(|connection| async move { connection.call(request).await }).await?;
    match ErrorCode(answer.error_code) {
        ErrorCode::NONE => Ok(Identity { id: answer.producer_id.0, epoch: answer.producer_epoch }),
        code => Err(Error::api("InitProducerId", code)),
    }
}
