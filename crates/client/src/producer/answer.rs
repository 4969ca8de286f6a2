//! What a produce response, or its absence, means for the batches of the request.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka_protocol::messages::ProduceResponse;
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use millstream_protocol::ids::{ErrorCode, TopicPartition};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::core::backoff::Backoff;
use crate::core::cluster::Node;
use crate::core::outbox::{BatchKey, Fate, Outbox};
use crate::error::{Error, Result};
use crate::kafka::Kafka;
use crate::options::ProducerOptions;

/// A batch in flight, and where it came from.
#[derive(Debug)]
pub(super) struct SentBatch {
    pub(super) partition: TopicPartition,
    /// The topic's id where the request names it so; the answer then does as well.
    pub(super) topic_id: Option<Uuid>,
    pub(super) outbox: Arc<Mutex<Outbox>>,
    pub(super) key: BatchKey,
    pub(super) attempts: u32,
}

/// The verdict on one batch.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) fate: Fate,
    pub(super) error: Option<Error>,
    /// The leader has to be looked for.
    pub(super) refresh: bool,
}

/// Judges every batch of a request by its response.
pub(super) fn judge(
    kafka: &Kafka,
    options: &ProducerOptions,
    batches: &[SentBatch],
    outcome: Result<ProduceResponse>,
) -> Vec<Verdict> {
    let response = match outcome {
        Ok(response) => response,
        Err(error) => return batches.iter().map(|batch| unanswered(options, batch, &error)).collect(),
    };
    learn_nodes(kafka, &response);
    let mut results: HashMap<(&str, Uuid, i32), &PartitionProduceResponse> = HashMap::new();
    for topic in &response.responses {
        for partition in &topic.partition_responses {
            results.insert((topic.name.0.as_str(), topic.topic_id, partition.index), partition);
        }
    }
    let result = |batch: &SentBatch| {
        let named = match batch.topic_id {
            Some(id) => ("", id),
            None => (&*batch.partition.topic, Uuid::nil()),
        };
        results.get(&(named.0, named.1, batch.partition.partition)).copied()
    };
    batches
        .iter()
        .map(|batch| match result(batch) {
            Some(result) => judge_one(kafka, options, batch, result),
            None => unanswered(options, batch, &Error::api("Produce", ErrorCode::UNKNOWN_SERVER_ERROR)),
        })
        .collect()
}

fn judge_one(
    kafka: &Kafka,
    options: &ProducerOptions,
    batch: &SentBatch,
    result: &PartitionProduceResponse,
) -> Verdict {
    let code = ErrorCode(result.error_code);
    let fate = match code {
        ErrorCode::NONE | ErrorCode::DUPLICATE_SEQUENCE_NUMBER => Fate::Acknowledged,
        ErrorCode::MESSAGE_TOO_LARGE | ErrorCode::RECORD_LIST_TOO_LARGE => Fate::TooLarge,
        ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER | ErrorCode::UNKNOWN_PRODUCER_ID => Fate::OutOfOrder,
        ErrorCode::REQUEST_TIMED_OUT
        | ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND
        | ErrorCode::KAFKA_STORAGE_ERROR => {
            Fate::Retry { in_doubt: true, not_before: pause(options, batch.attempts) }
        }
        code if code.is_retriable() || code.refreshes_metadata() => {
            Fate::Retry { in_doubt: false, not_before: pause(options, batch.attempts) }
        }
        ErrorCode::UNKNOWN_SERVER_ERROR => Fate::Refused { in_doubt: true },
        _ => Fate::Refused { in_doubt: false },
    };
    if fate == Fate::Acknowledged {
        return Verdict { fate, error: None, refresh: false };
    }
    let message = result.error_message.as_ref().map(ToString::to_string);
    let error = Error::Broker {
        code,
        api: "Produce",
        topic: None,
        partition: Some(batch.partition.clone()),
        offset: None,
        message,
    };
    let hinted = code.refreshes_metadata() && learn_leader(kafka, batch, result);
    match fate {
        Fate::Retry { in_doubt, .. } if hinted => {
            let fate = Fate::Retry { in_doubt, not_before: Instant::now() };
            Verdict { fate, error: Some(error), refresh: false }
        }
        fate => Verdict { fate, error: Some(error), refresh: code.refreshes_metadata() },
    }
}

/// The connection broke or nothing was said about the batch: it may be in the log.
fn unanswered(options: &ProducerOptions, batch: &SentBatch, error: &Error) -> Verdict {
    let fate = match error {
        Error::Unsupported { .. } | Error::Misuse { .. } => Fate::Refused { in_doubt: false },
        _ => Fate::Retry { in_doubt: true, not_before: pause(options, batch.attempts) },
    };
    Verdict { fate, error: Some(error.clone()), refresh: true }
}

fn pause(options: &ProducerOptions, attempts: u32) -> Instant {
    let (first, max) = (options.retry_backoff, options.retry_backoff_max);
    let pause = match attempts {
        // A leader that moved is the usual reason, and the new one is often known at once.
        0 | 1 if first > QUICK_RETRY => QUICK_RETRY,
        attempts => Backoff::after(first, max, attempts.saturating_sub(2), &mut rand::rng()),
    };
    Instant::now() + pause
}

/// The pause before the first repetition.
const QUICK_RETRY: Duration = Duration::from_millis(20);

fn learn_leader(kafka: &Kafka, batch: &SentBatch, result: &PartitionProduceResponse) -> bool {
    let (node, epoch) = (result.current_leader.leader_id.0, result.current_leader.leader_epoch);
    let tp = &batch.partition;
    node >= 0 && kafka.metadata().learn(|cluster| cluster.hint_leader(&tp.topic, tp.partition, node, epoch))
}

/// Addresses of new leaders come with the response (KIP-951).
fn learn_nodes(kafka: &Kafka, response: &ProduceResponse) {
    for endpoint in &response.node_endpoints {
        let Ok(port) = u16::try_from(endpoint.port) else { continue };
        let rack = endpoint.rack.as_ref().map(ToString::to_string);
        let node = Node { id: endpoint.node_id.0, host: endpoint.host.to_string(), port, rack };
        kafka.metadata().learn(|cluster| cluster.hint_node(node));
    }
}
