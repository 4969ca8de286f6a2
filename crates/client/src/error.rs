//! What can go wrong, split by whose fault it is, with enough context to act on.
//!
//! Errors are `Clone`: a failure that ends a connection or a producer is stored once and told to every
//! waiter.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use millstream_protocol::ids::{ErrorCode, TopicPartition};
use uuid::Uuid;

/// The result of every call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One address that was tried, and why it did not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// `host:port` as configured or as the cluster advertised it.
    pub address: String,
    /// The cause in words: refused, timed out, not resolvable, not a Kafka port.
    pub why: String,
}

/// Records that were asked for and no longer exist, or exist under another identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataLoss {
    /// Where it happened.
    pub partition: TopicPartition,
    /// The offset that was to be read next.
    pub position: i64,
    /// What happened to it.
    pub loss: Loss,
}

/// The ways in which a partition loses records under a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The position lies before the log's first or after its last offset: expired, deleted or truncated
    /// records.
    OutOfRange {
        /// The first offset that still exists.
        log_start: i64,
        /// The offset after the last record (the high watermark).
        log_end: i64,
    },
    /// A topic of the same name was created anew: its offsets are not those of the topic that was being read.
    Recreated {
        /// The id of the topic whose offsets were being read.
        was: Uuid,
        /// The id that the name has now.
        now: Uuid,
    },
    /// The leader's log parts from what was read before the position: records were read that are no longer
    /// there, as after an unclean election.
    Truncated {
        /// The last leader epoch that both have.
        epoch: i32,
        /// Where that epoch ends in the leader's log.
        log_end: i64,
    },
    /// The topic was deleted while it was being read.
    Deleted,
}

/// Everything this crate reports.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option has a value that cannot be used, or a name that does not exist.
    #[error("option '{option}' = '{value}': {why}{}", did_you_mean(.nearest))]
    Config {
        /// The option's name as it was given.
        option: String,
        /// The value as it was given.
        value: String,
        /// What is wrong with it.
        why: String,
        /// The valid name that looks most like it.
        nearest: Option<String>,
    },
    /// No broker could be reached.
    #[error("no broker answered within {} ms: {}", .after.as_millis(), attempts(.tried))]
    Connect {
        /// Every address tried, each with its cause.
        tried: Vec<Attempt>,
        /// How long it was tried.
        after: Duration,
    },
    /// A connection broke; whatever was in flight on it has no answer.
    #[error("connection to broker {broker} lost: {why}")]
    Disconnected {
        /// The broker's address.
        broker: String,
        /// The cause.
        why: String,
    },
    /// A deadline passed.
    #[error("timed out after {} ms: {what}", .after.as_millis())]
    Timeout {
        /// What was waited for.
        what: String,
        /// The time allowed.
        after: Duration,
    },
    /// A topic did not appear in the cluster's metadata in time. The wording is the Java client's.
    #[error("Topic {topic} not present in metadata after {} ms.", .after.as_millis())]
    TopicNotPresent {
        /// The topic.
        topic: String,
        /// `max.block.ms`.
        after: Duration,
    },
    /// A broker answered with an error code.
    #[error("{}", broker_said(.code, .api, .partition.as_ref(), .topic.as_deref(), *.offset, .message.as_deref()))]
    Broker {
        /// The code.
        code: ErrorCode,
        /// The API that was called, such as `Fetch`.
        api: &'static str,
        /// The topic that it concerns, when it concerns a whole topic.
        topic: Option<String>,
        /// The partition that it concerns.
        partition: Option<TopicPartition>,
        /// The offset that was asked for.
        offset: Option<i64>,
        /// The broker's own words.
        message: Option<String>,
    },
    /// A broker sent bytes that are not the protocol.
    #[error("broker {broker} sent a malformed answer: {source}")]
    Malformed {
        /// The broker's address.
        broker: String,
        /// What is wrong with the bytes.
        source: Arc<millstream_protocol::Error>,
    },
    /// Records that were asked for are gone.
    #[error("{0}")]
    DataLoss(Box<DataLoss>),
    /// A record is larger than a limit of the producer. The wording is the Java client's.
    #[error("The message is {size} bytes when serialized which is larger than {}", too_large(*.limit, .setting))]
    RecordTooLarge {
        /// The upper bound of the record's size in a batch of its own, as the Java client computes it.
        size: usize,
        /// The limit.
        limit: usize,
        /// `max.request.size` or `buffer.memory`.
        setting: &'static str,
    },
    /// Records could not be delivered.
    #[error("{records} records for {partition} were not acknowledged{}: {source}", written_hint(*.possibly_written))]
    Delivery {
        /// The partition.
        partition: TopicPartition,
        /// How many records the batch held.
        records: i32,
        /// True when a request that held them went out and no answer came: they may be in the log.
        possibly_written: bool,
        /// The last failure.
        source: Arc<Error>,
    },
    /// A feature that is not there yet, or that this cluster lacks.
    #[error("not supported: {feature}")]
    Unsupported {
        /// The feature, and what to use instead where there is something.
        feature: String,
    },
    /// The caller broke a rule of the API.
    #[error("misuse of the client: {what}")]
    Misuse {
        /// The rule.
        what: String,
    },
    /// The client, reader or producer was closed.
    #[error("the client is closed")]
    Closed,
}

impl Error {
    /// True when the same call may succeed later without anything being changed by the user.
    #[must_use]
    pub fn is_retriable(&self) -> bool {
        match self {
            Error::Connect { .. } | Error::Disconnected { .. } | Error::Timeout { .. } => true,
            Error::Broker { code, .. } => code.is_retriable(),
            Error::Delivery { source, .. } => source.is_retriable(),
            _ => false,
        }
    }

    /// The broker's error code, where a broker answered with one.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Error::Broker { code, .. } => Some(*code),
            Error::Delivery { source, .. } => source.code(),
            _ => None,
        }
    }

    /// The data loss, where this is one.
    #[must_use]
    pub fn data_loss(&self) -> Option<&DataLoss> {
        match self {
            Error::DataLoss(loss) => Some(loss),
            _ => None,
        }
    }

    /// True when records that this error reports as undelivered may nevertheless be in the log.
    #[must_use]
    pub fn possibly_written(&self) -> bool {
        matches!(self, Error::Delivery { possibly_written: true, .. })
    }

    pub(crate) fn api(api: &'static str, code: ErrorCode) -> Self {
        Error::Broker { code, api, topic: None, partition: None, offset: None, message: None }
    }

    pub(crate) fn on_topic(api: &'static str, code: ErrorCode, topic: &str) -> Self {
        Error::Broker { code, api, topic: Some(topic.into()), partition: None, offset: None, message: None }
    }

    pub(crate) fn on_partition(api: &'static str, code: ErrorCode, partition: &TopicPartition) -> Self {
        let partition = Some(partition.clone());
        Error::Broker { code, api, topic: None, partition, offset: None, message: None }
    }

    pub(crate) fn unsupported(feature: impl Into<String>) -> Self {
        Error::Unsupported { feature: feature.into() }
    }

    pub(crate) fn loss(partition: TopicPartition, position: i64, loss: Loss) -> Self {
        Error::DataLoss(Box::new(DataLoss { partition, position, loss }))
    }
}

impl fmt::Display for DataLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DataLoss { partition, position, loss } = self;
        match loss {
            Loss::OutOfRange { log_start, log_end } => write!(
                f,
                "offset {position} of {partition} does not exist: the log holds offsets {log_start} to \
                 {log_end} (exclusive); records were deleted or the log was truncated. Start from an offset \
                 in that range, or allow data loss"
            ),
            Loss::Recreated { was, now } => write!(
                f,
                "topic {} was deleted and created anew (id {was}, now {now}): offset {position} of partition {} \
                 belongs to the old topic. Start anew from the earliest offset",
                partition.topic, partition.partition
            ),
            Loss::Truncated { epoch, log_end } => write!(
                f,
                "the log of {partition} was truncated: offsets {log_end} to {position} (exclusive) were read and \
                 no longer exist (leader epoch {epoch} ends at {log_end})"
            ),
            Loss::Deleted => write!(
                f,
                "topic {} was deleted while partition {} was being read at offset {position}",
                partition.topic, partition.partition
            ),
        }
    }
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|name| format!("; did you mean '{name}'?")).unwrap_or_default()
}

fn attempts(tried: &[Attempt]) -> String {
    if tried.is_empty() {
        return "no address is known; check bootstrap.servers".into();
    }
    let each: Vec<_> = tried.iter().map(|a| format!("{} ({})", a.address, a.why)).collect();
    format!("{}. Check bootstrap.servers and the network", each.join(", "))
}

fn written_hint(possibly: bool) -> &'static str {
    if possibly { " (possibly written)" } else { "" }
}

fn too_large(limit: usize, setting: &str) -> String {
    match setting {
        "buffer.memory" => format!(
            "the total memory buffer you have configured with the buffer.memory configuration ({limit} bytes)."
        ),
        _ => format!("{limit}, which is the value of the {setting} configuration."),
    }
}

fn broker_said(
    code: &ErrorCode,
    api: &str,
    partition: Option<&TopicPartition>,
    topic: Option<&str>,
    offset: Option<i64>,
    message: Option<&str>,
) -> String {
    let mut text = format!("{api} answered {code}");
    if let Some(partition) = partition {
        text.push_str(&format!(" for {partition}"));
    } else if let Some(topic) = topic {
        text.push_str(&format!(" for topic {topic}"));
    }
    if let Some(offset) = offset {
        text.push_str(&format!(" at offset {offset}"));
    }
    text.push_str(": ");
    text.push_str(message.unwrap_or_else(|| code.message()));
    text
}
