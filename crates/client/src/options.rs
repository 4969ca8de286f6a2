//! The options of the client, its readers and its producers, typed and with their units.
//!
//! Java's dotted names end in [`ClientOptions::from_properties`]; inside the crate there are no strings.

use std::time::Duration;

use millstream_protocol::{Compression, Limits};

use crate::error::Result;
use crate::kafka_names;

/// What a transaction that has not committed looks like to a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Isolation {
    /// Every record is read, also those of open and aborted transactions; the end is the high watermark.
    #[default]
    ReadUncommitted,
    /// Only committed records; the end is the last stable offset.
    ReadCommitted,
}

impl Isolation {
    pub(crate) fn wire(self) -> i8 {
        match self {
            Isolation::ReadUncommitted => 0,
            Isolation::ReadCommitted => 1,
        }
    }
}

/// What a reader does when the offset it wants no longer exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum OnDataLoss {
    /// Fail with [`Error::DataLoss`](crate::Error::DataLoss).
    #[default]
    Fail,
    /// Log a warning and go on at the first offset that exists; a range that has vanished altogether ends.
    Continue,
}

/// Who must have a batch before the broker acknowledges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Acks {
    /// Nobody: the request is sent and counted as done.
    None,
    /// The partition's leader.
    Leader,
    /// All replicas in sync. Required by idempotence.
    #[default]
    All,
}

/// How to reach and talk to a cluster.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// `host:port` of the brokers to ask first; port 9092 where none is given.
    pub bootstrap: Vec<String>,
    /// The name brokers log and meter this client under. Default `millstream`.
    pub client_id: String,
    /// Time for one TCP connection to be made, and for ApiVersions on it. Default 10 s.
    pub connect_timeout: Duration,
    /// Time between a request's last byte sent and its whole answer. Default 30 s.
    pub request_timeout: Duration,
    /// Time for a call that needs metadata or offsets, over all its retries. Default 60 s.
    pub metadata_timeout: Duration,
    /// Age after which metadata is fetched again although nothing failed. Default 5 min.
    pub metadata_max_age: Duration,
    /// First pause after a failed connection attempt. Default 50 ms, doubling, with 20 % jitter.
    pub reconnect_backoff: Duration,
    /// Longest pause between connection attempts. Default 1 s.
    pub reconnect_backoff_max: Duration,
    /// First pause before a request is repeated. Default 100 ms, doubling, with 20 % jitter.
    pub retry_backoff: Duration,
    /// Longest pause before a request is repeated. Default 1 s.
    pub retry_backoff_max: Duration,
    /// A connection unused for this long is closed. Default 9 min, below the brokers' 10 min.
    pub connections_max_idle: Duration,
    /// Bounds on everything a broker can send.
    pub limits: Limits,
    /// The fetch options that `from_properties` found; the default for
    /// [`Kafka::reader`](crate::Kafka::reader).
    pub fetch: FetchOptions,
}

impl ClientOptions {
    /// Defaults for a comma-separated list of `host:port`.
    #[must_use]
    pub fn new(bootstrap: &str) -> Self {
        Self {
            bootstrap: split_list(bootstrap),
            client_id: "millstream".into(),
            connect_timeout: Duration::from_secs(10),
            request_timeout: Duration::from_secs(30),
            metadata_timeout: Duration::from_secs(60),
            metadata_max_age: Duration::from_secs(300),
            reconnect_backoff: Duration::from_millis(50),
            reconnect_backoff_max: Duration::from_secs(1),
            retry_backoff: Duration::from_millis(100),
            retry_backoff_max: Duration::from_secs(1),
            connections_max_idle: Duration::from_secs(540),
            limits: Limits::default(),
            fetch: FetchOptions::default(),
        }
    }

    /// Options from the Java clients' property names.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) names the property, the value and what is wrong with it;
    /// [`Error::Unsupported`](crate::Error::Unsupported) a value for a feature that is not there yet. Names
    /// that no Kafka client knows are not errors: they come back in [`ParsedProperties::unknown`].
    pub fn from_properties<I, K, V>(properties: I) -> Result<ParsedProperties>
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<str>,
        V: AsRef<str>,
    {
        kafka_names::parse(properties)
    }
}

/// What [`ClientOptions::from_properties`] made of a property map.
#[derive(Debug, Clone)]
pub struct ParsedProperties {
    /// Connections, metadata and fetching.
    pub client: ClientOptions,
    /// Producing.
    pub producer: ProducerOptions,
    /// Names that are no Kafka client property, each with the nearest valid name if there is one.
    pub unknown: Vec<(String, Option<String>)>,
    /// Known names that have no effect here, such as `max.poll.records`.
    pub without_effect: Vec<String>,
}

/// How a [`Reader`](crate::Reader) fetches.
#[derive(Debug, Clone)]
pub struct FetchOptions {
    /// Which records may be seen. Default `ReadUncommitted`, as in Java and Spark.
    pub isolation: Isolation,
    /// How long a broker may hold a fetch that has fewer than `min_bytes`. Default 500 ms.
    pub max_wait: Duration,
    /// Default 1: answer as soon as there is anything.
    pub min_bytes: i32,
    /// Most bytes of one response. Default 64 MiB.
    pub max_bytes: i32,
    /// Most bytes of one partition in a response; its first batch always comes whole (KIP-74). Default 8 MiB.
    pub max_partition_bytes: i32,
    /// Bytes in flight plus fetched and not dropped by the caller, over all brokers. Default 64 MiB. One
    /// fetch a broker is always allowed, so a single larger batch makes progress.
    pub budget_bytes: usize,
    /// Whether batches' checksums are verified by whoever decodes them. Default true.
    pub check_crcs: bool,
    /// Default `Fail`.
    pub on_data_loss: OnDataLoss,
    /// How long [`RangeRead::next`](crate::RangeRead::next) waits without any progress of its partition
    /// before it fails with a timeout. Default 120 s.
    pub progress_timeout: Duration,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self {
            isolation: Isolation::ReadUncommitted,
            max_wait: Duration::from_millis(500),
            min_bytes: 1,
            max_bytes: 64 << 20,
            max_partition_bytes: 8 << 20,
            budget_bytes: 64 << 20,
            check_crcs: true,
            on_data_loss: OnDataLoss::Fail,
            progress_timeout: Duration::from_secs(120),
        }
    }
}

/// How a [`Producer`](crate::Producer) batches and delivers.
#[derive(Debug, Clone)]
pub struct ProducerOptions {
    /// Default `All`.
    pub acks: Acks,
    /// Retries write no record twice and keep the order, while the process lives. Default true; without effect
    /// unless `acks` is `All`.
    pub idempotence: bool,
    /// How long an unfilled batch waits for more records. Default 5 ms.
    pub linger: Duration,
    /// Size at which a batch is closed, before compression. Default 512 KiB; a larger record gets its own
    /// batch.
    pub batch_bytes: usize,
    /// Default none.
    pub compression: Compression,
    /// Level for codecs that have one; `None` is the codec's default.
    pub compression_level: Option<i32>,
    /// Time for a broker to answer a produce request. Default 30 s.
    pub request_timeout: Duration,
    /// Time from a record being accepted to its acknowledgement, over all retries. Default 120 s.
    pub delivery_timeout: Duration,
    /// Largest record and largest request. Default 1 MiB (1,048,576 bytes), Java's `max.request.size`.
    pub max_request_bytes: usize,
    /// Bytes accepted and not yet acknowledged. Default 32 MiB.
    pub buffer_bytes: usize,
    /// How long a send waits for metadata or buffer space. Default 60 s.
    pub max_block: Duration,
    /// Requests in flight per broker. Default and maximum under idempotence: 5.
    pub max_in_flight: usize,
    /// How often a batch is tried again within `delivery_timeout`. Default 2,147,483,647.
    pub retries: i32,
    /// First pause before a batch is tried again. Default 100 ms, doubling to 1 s.
    pub retry_backoff: Duration,
    /// Longest pause before a batch is tried again. Default 1 s.
    pub retry_backoff_max: Duration,
}

impl Default for ProducerOptions {
    fn default() -> Self {
        Self {
            acks: Acks::All,
            idempotence: true,
            linger: Duration::from_millis(5),
            batch_bytes: 512 << 10,
            compression: Compression::None,
            compression_level: None,
            request_timeout: Duration::from_secs(30),
            delivery_timeout: Duration::from_secs(120),
            max_request_bytes: 1 << 20,
            buffer_bytes: 32 << 20,
            max_block: Duration::from_secs(60),
            max_in_flight: 5,
            retries: i32::MAX,
            retry_backoff: Duration::from_millis(100),
            retry_backoff_max: Duration::from_secs(1),
        }
    }
}

impl ProducerOptions {
    /// Whether batches carry a producer id and sequence numbers: without all replicas' acknowledgement they
    /// would promise what nobody keeps.
    pub(crate) fn is_numbered(&self) -> bool {
        self.idempotence && self.acks == Acks::All
    }

    /// Requests in flight per broker. Brokers know a producer's last five batches as duplicates, not more.
    pub(crate) fn most_in_flight(&self) -> usize {
        let most = if self.is_numbered() { BATCHES_KNOWN_TO_BROKERS } else { usize::MAX };
        self.max_in_flight.clamp(1, most)
    }
}

const BATCHES_KNOWN_TO_BROKERS: usize = 5;

/// The items of a comma-separated list, without blanks around them and without empty ones.
pub(crate) fn split_list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(String::from).collect()
}
