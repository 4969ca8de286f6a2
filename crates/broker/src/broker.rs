//! The broker's handle: one request in, one answer out, and the calls that tests and demos make directly.
//!
//! ```text
//! frame -> header -> rule (faults) -> api handler -> answer
//!                                        |  wait      ^
//!                                        v            | waker woken, or `Parked::deadline` reached
//!                                      Parked --------+
//! ```
//! A connection's requests are handled one after another, as in Kafka: the next one waits until the answer
//! has left.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use millstream_protocol::Limits;
use millstream_protocol::ids::{ApiKey, ErrorCode};
use millstream_protocol::messages::{self, RequestFrame};
use parking_lot::Mutex;

use crate::api::{self, Api, Call, Outcome};
use crate::cluster::{NewTopic, State};
use crate::config::TopicConfig;
use crate::error::{Error, Result};
use crate::faults::{Act, Aftermath, RequestView, RuleHandle, Rules};
use crate::options::BrokerOptions;

/// A reading of both clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Monotonic time since any fixed moment: for timeouts.
    pub elapsed: Duration,
    /// Wall time in milliseconds since 1970: for record timestamps.
    pub unix_ms: i64,
}

/// A broker of one or more nodes. Clones are handles on the same broker.
#[derive(Clone)]
pub struct Broker {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    rules: Arc<Rules>,
    connections: AtomicU64,
    requests: AtomicU64,
    request_max_bytes: usize,
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Err(error) = self.state.lock().sync() {
            tracing::error!(%error, "could not sync the data directory");
        }
    }
}

/// One client's connection to one node.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Counted from 1 over all nodes.
    pub id: u64,
    /// The node it leads to.
    pub node: i32,
    /// The client's host, as groups show it.
    pub client_host: String,
}

/// What becomes of a request.
pub enum Answer {
    /// Bytes to send.
    Reply(Reply),
    /// Nothing is sent (a produce request with acks=0).
    Silent,
    /// The answer comes later: ask [`Broker::resume`] when the waker was woken or the deadline has come.
    Parked(Parked),
    /// The connection is closed without an answer.
    Close,
}

/// An answer on its way out.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The frame with its length prefix; cut or damaged where a fault says so.
    pub bytes: Bytes,
    /// To be waited before sending.
    pub delay: Duration,
    /// Whether the connection is closed after sending.
    pub close: bool,
}

/// A request that waits for data, for other members, or for time to pass.
pub struct Parked {
    resume: Box<api::Resume>,
    header: RequestFrame,
    aftermath: Aftermath,
    deadline: Duration,
}

impl Parked {
    /// When to ask again at the latest, on the clock of [`Now::elapsed`].
    pub fn deadline(&self) -> Duration {
        self.deadline
    }
}

impl Broker {
    /// Starts a broker: empty, or with what its data directory holds.
    pub fn new(options: BrokerOptions) -> Result<Self> {
        let request_max_bytes = options.request_max_bytes;
        let state = Mutex::new(State::open(options)?);
        let inner = Inner {
            state,
            rules: Arc::new(Rules::default()),
            connections: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            request_max_bytes,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Registers a rule for an API's requests. See [`Act`].
    pub fn on<F>(&self, api: ApiKey, decide: F) -> RuleHandle
    where
        F: Fn(&RequestView) -> Act + Send + Sync + 'static,
    {
        self.inner.rules.add(api, Box::new(decide))
    }

    /// Takes all rules away.
    pub fn clear_rules(&self) {
        self.inner.rules.clear();
    }

    /// A client's new connection to a node.
    pub fn connect(&self, node: i32, client_host: &str) -> Connection {
        let id = self.inner.connections.fetch_add(1, Ordering::Relaxed) + 1;
        Connection { id, node, client_host: client_host.to_owned() }
    }

    /// Tells the broker on which port a node listens, for its metadata.
    pub fn set_port(&self, node: i32, port: u16) {
        let mut state = self.inner.state.lock();
        if let Some(address) = usize::try_from(node - 1).ok().and_then(|at| state.addresses.get_mut(at)) {
            address.1 = port;
        }
    }

    /// `host:port` of every node, joined by commas.
    pub fn bootstrap(&self) -> String {
        let state = self.inner.state.lock();
        let addresses: Vec<String> =
            state.addresses.iter().map(|(host, port)| format!("{host}:{port}")).collect();
        addresses.join(",")
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.inner.state.lock().addresses.len()
    }

    /// Largest frame to take from a client, in bytes.
    pub fn request_max_bytes(&self) -> usize {
        self.inner.request_max_bytes
    }

    /// Requests handled so far, over all nodes.
    pub fn requests(&self) -> u64 {
        self.inner.requests.load(Ordering::Relaxed)
    }

    /// Handles one request frame (without its length prefix). `waker` is woken when a parked request may have
    /// its answer.
    pub fn handle(&self, connection: &Connection, frame: Bytes, now: Now, waker: &Waker) -> Answer {
        let header = match messages::decode_request_header(frame, &Limits::default()) {
            Ok(header) => header,
            Err(error) => {
                tracing::debug!(connection = connection.id, %error, "closed: unreadable request header");
                return Answer::Close;
            }
        };
        self.inner.requests.fetch_add(1, Ordering::Relaxed);
        let act = self.inner.rules.decide(header.api, || view(connection, &header));
        let Some(found) = api::find(header.api) else {
            tracing::debug!(api = %header.api, "closed: the API is not served");
            return Answer::Close;
        };
        let mut aftermath = Aftermath::default();
        match act {
            Act::Drop => return Answer::Close,
            Act::Reply(body) => {
                let bytes = (found.raw)(header.version, header.correlation, &body);
                return self.reply(bytes, &aftermath);
            }
            Act::Error(code) => return self.refuse(found, connection, &header, code),
            Act::Delay(delay) => aftermath.delay = delay,
            Act::DropReply => aftermath.lose = true,
            Act::CloseAfter(bytes) => aftermath.close_after = Some(bytes),
            Act::Corrupt(range) => aftermath.corrupt = Some(range),
            Act::MoveLeader { topic, partition, to } => {
                if let Err(error) = self.move_leader(&topic, partition, to) {
                    tracing::warn!(%error, "a rule could not move a leader");
                }
            }
            Act::Pass => {}
        }
        if !found.serves(header.version) {
            // KIP-511: a client that is too new learns from a version 0 answer what it may use instead.
            if header.api != ApiKey::API_VERSIONS {
                tracing::debug!(api = %header.api, version = header.version, "closed: version not served");
                return Answer::Close;
            }
            let answer = api::unsupported_api_versions(header.correlation);
            return answer.map_or(Answer::Close, |bytes| self.reply(bytes, &aftermath));
        }
        let outcome = {
            let mut state = self.inner.state.lock();
            state.expire(now);
            let mut call = call(&mut state, connection, &header, now, waker);
            (found.handle)(&mut call, header.body.clone())
        };
        match outcome {
            Ok(outcome) => self.answer(outcome, header, aftermath),
            Err(error) => {
                tracing::warn!(%error, connection = connection.id, "closed the connection");
                Answer::Close
            }
        }
    }

    /// Asks a parked request again.
    pub fn resume(&self, parked: Parked, connection: &Connection, now: Now, waker: &Waker) -> Answer {
        let Parked { resume, header, aftermath, deadline } = parked;
        let outcome = {
            let mut state = self.inner.state.lock();
            state.expire(now);
            let mut call = call(&mut state, connection, &header, now, waker);
            call.parked_until = Some(deadline);
            resume(&mut call)
        };
        outcome.map_or(Answer::Close, |outcome| self.answer(outcome, header, aftermath))
    }

    fn answer(&self, outcome: Outcome, header: RequestFrame, aftermath: Aftermath) -> Answer {
        match outcome {
            Outcome::Reply(bytes) => self.reply(bytes, &aftermath),
            Outcome::Silent => Answer::Silent,
            Outcome::Close => Answer::Close,
            Outcome::Wait { until, resume } => {
                // The closure holds the decoded request; the bytes need not be kept.
                let header = RequestFrame { body: Bytes::new(), ..header };
                Answer::Parked(Parked { resume, header, aftermath, deadline: until })
            }
        }
    }

    fn reply(&self, bytes: Bytes, aftermath: &Aftermath) -> Answer {
        let (bytes, close) = aftermath.apply(bytes);
        Answer::Reply(Reply { bytes, delay: aftermath.delay, close })
    }

    fn refuse(&self, found: &Api, connection: &Connection, header: &RequestFrame, code: ErrorCode) -> Answer {
        let mut state = self.inner.state.lock();
        let mut call = call(&mut state, connection, header, Now::default(), Waker::noop());
        let refused = (found.refuse)(&mut call, header.body.clone(), code);
        drop(state);
        refused.map_or(Answer::Close, |bytes| self.reply(bytes, &Aftermath::default()))
    }
}

fn view(connection: &Connection, header: &RequestFrame) -> RequestView {
    RequestView {
        node: connection.node,
        connection: connection.id,
        api: header.api,
        version: header.version,
        client_id: header.client_id.clone(),
        body: header.body.clone(),
    }
}

fn call<'a>(
    state: &'a mut State,
    connection: &'a Connection,
    header: &'a RequestFrame,
    now: Now,
    waker: &'a Waker,
) -> Call<'a> {
    Call {
        state,
        connection,
        version: header.version,
        correlation: header.correlation,
        client_id: header.client_id.as_deref().unwrap_or(""),
        now,
        waker,
        parked_until: None,
    }
}

/// Direct calls, for tests and demos.
impl Broker {
    /// Makes a topic. Partitions -1 takes the default.
    pub fn create_topic(&self, name: &str, partitions: i32, configs: &[(&str, &str)]) -> Result<()> {
        let mut config = TopicConfig::default();
        for (key, value) in configs {
            config.set(key, value).map_err(|text| Error::refused(ErrorCode::INVALID_CONFIG, text))?;
        }
        let new = NewTopic { name, partitions, replication: -1, assignments: Vec::new(), config };
        let made = self.inner.state.lock().create_topic(new, false);
        made.map(|_| ()).map_err(|(code, text)| Error::refused(code, text))
    }

    /// Removes a topic and its data; returns whether there was one.
    pub fn delete_topic(&self, name: &str) -> Result<bool> {
        self.inner.state.lock().delete_topic(name)
    }

    /// Names of all topics.
    pub fn topics(&self) -> Vec<String> {
        self.inner.state.lock().topics.keys().map(|name| name.to_string()).collect()
    }

    /// Makes another node the leader of a partition, in a new epoch.
    pub fn move_leader(&self, topic: &str, partition: i32, to: i32) -> Result<()> {
        let mut state = self.inner.state.lock();
        if !state.has_node(to) {
            return Err(Error::refused(ErrorCode::BROKER_NOT_AVAILABLE, format!("there is no node {to}")));
        }
        let found = state.partition_mut(topic, partition).ok_or_else(|| unknown(topic, partition))?;
        found.move_leader(to);
        state.save_topics()
    }

    /// The node that leads a partition, and its epoch.
    pub fn leader(&self, topic: &str, partition: i32) -> Result<(i32, i32)> {
        let state = self.inner.state.lock();
        let found = state.partition(topic, partition).ok_or_else(|| unknown(topic, partition))?;
        Ok((found.leader, found.leader_epoch))
    }

    /// First readable offset and the offset that the next record gets.
    pub fn offsets(&self, topic: &str, partition: i32) -> Result<(i64, i64)> {
        let state = self.inner.state.lock();
        let found = state.partition(topic, partition).ok_or_else(|| unknown(topic, partition))?;
        Ok((found.log.start(), found.log.end()))
    }

    /// Number of record batches in a partition's log, markers included.
    pub fn log_len(&self, topic: &str, partition: i32) -> Result<usize> {
        let state = self.inner.state.lock();
        let found = state.partition(topic, partition).ok_or_else(|| unknown(topic, partition))?;
        Ok(found.log.batches())
    }

    /// Cuts a partition's log at the batch that holds `offset`, as an unclean election would; returns the new
    /// end.
    pub fn truncate_log(&self, topic: &str, partition: i32, offset: i64) -> Result<i64> {
        let mut state = self.inner.state.lock();
        let found = state.partition_mut(topic, partition).ok_or_else(|| unknown(topic, partition))?;
        let end = found.truncate(offset)?;
        state.save_topics()?;
        Ok(end)
    }

    /// Damages the stored batch that holds `offset`, so that its CRC no longer fits; returns whether there is
    /// one.
    pub fn damage_batch(&self, topic: &str, partition: i32, offset: i64) -> Result<bool> {
        let mut state = self.inner.state.lock();
        let found = state.partition_mut(topic, partition).ok_or_else(|| unknown(topic, partition))?;
        found.log.damage(offset)
    }
}

fn unknown(topic: &str, partition: i32) -> Error {
    Error::refused(
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        format!("there is no partition {topic}-{partition}"),
    )
}
