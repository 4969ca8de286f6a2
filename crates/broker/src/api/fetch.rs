//! Fetch (1). Versions 4-18.
//!
//! Kept: long poll by min_bytes and max_wait; bounds per partition and in all, with at least one whole batch
//! (KIP-74); topic ids (13+); isolation levels with last stable offset and aborted transactions; log start;
//! OFFSET_OUT_OF_RANGE; leader epochs (FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH) and diverging epochs (12+);
//! hints to the right leader (16+). Left out: sessions (every answer has session id 0, so clients send full
//! requests), followers and racks, quotas.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::{
    AbortedTransaction, EpochEndOffset, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint, PartitionData,
};
use kafka_protocol::messages::{BrokerId, FetchRequest, FetchResponse, ProducerId};
use millstream_protocol::ids::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, text};
use crate::log::ReadBound;
use crate::partition::Partition;

pub(super) struct Fetch;

/// First version that names topics by id.
const TOPIC_IDS: i16 = 13;

impl Handler for Fetch {
    const KEY: ApiKey = ApiKey::FETCH;
    const VERSIONS: (i16, i16) = (4, 18);
    type Request = FetchRequest;
    type Response = FetchResponse;

    fn handle(call: &mut Call<'_>, request: FetchRequest) -> Step<Self> {
        let max_wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
        let until = call.parked_until.unwrap_or(call.now.elapsed + max_wait);
        if call.now.elapsed >= until || ready(call, &request) {
            stop_waiting(call, &request);
            return Step::Reply(read(call, &request));
        }
        wait(call, &request);
        Step::Wait { request, until }
    }

    fn refuse(_call: &Call<'_>, request: FetchRequest, error: ErrorCode) -> FetchResponse {
        let refused = |topic: FetchTopic| {
            let parts = topic.partitions.iter().map(|part| failed(part.partition, error));
            FetchableTopicResponse::default()
                .with_topic(topic.topic)
                .with_topic_id(topic.topic_id)
                .with_partitions(parts.collect())
        };
        FetchResponse::default().with_responses(request.topics.into_iter().map(refused).collect())
    }
}

fn topic_name(call: &Call<'_>, topic: &FetchTopic) -> Option<Arc<str>> {
    if call.version >= TOPIC_IDS {
        return call.state.topic_name(topic.topic_id);
    }
    call.state.topics.get(topic.topic.as_str()).map(|found| found.name.clone())
}

/// Whether the answer can leave now: enough bytes, or something to tell at once.
fn ready(call: &Call<'_>, request: &FetchRequest) -> bool {
    let committed_only = request.isolation_level == 1;
    let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0);
    let mut total = 0;
    for topic in &request.topics {
        let Some(name) = topic_name(call, topic) else { return true };
        for wanted in &topic.partitions {
            let Some(partition) = call.state.partition(&name, wanted.partition) else { return true };
            if check(call, partition, wanted).is_err() || diverging(partition, wanted).is_some() {
                return true;
            }
            let below = partition.readable_end(committed_only);
            total += partition.log.available(wanted.fetch_offset, below, min_bytes.saturating_sub(total));
        }
    }
    total >= min_bytes
}

fn wait(call: &mut Call<'_>, request: &FetchRequest) {
    for_each(call, request, |partition, id, waker| partition.waiters.add(id, waker));
}

fn stop_waiting(call: &mut Call<'_>, request: &FetchRequest) {
    if call.parked_until.is_some() {
        for_each(call, request, |partition, id, _| partition.waiters.remove(id));
    }
}

fn for_each(call: &mut Call<'_>, request: &FetchRequest, visit: fn(&mut Partition, u64, &Waker)) {
    for topic in &request.topics {
        let Some(name) = topic_name(call, topic) else { continue };
        for wanted in &topic.partitions {
            if let Some(partition) = call.state.partition_mut(&name, wanted.partition) {
                visit(partition, call.connection.id, call.waker);
            }
        }
    }
}

/// Leadership, epoch and range.
fn check(call: &Call<'_>, partition: &Partition, wanted: &FetchPartition) -> Result<(), ErrorCode> {
    super::check_leader(partition, call.connection.node, wanted.current_leader_epoch)?;
    let range = partition.log.start()..=partition.high_watermark();
    if range.contains(&wanted.fetch_offset) { Ok(()) } else { Err(ErrorCode::OFFSET_OUT_OF_RANGE) }
}

/// KIP-595: where the reader's history leaves ours.
fn diverging(partition: &Partition, wanted: &FetchPartition) -> Option<EpochEndOffset> {
    if wanted.last_fetched_epoch < 0 {
        return None;
    }
    let (epoch, end) = partition.epoch_end(wanted.last_fetched_epoch)?;
    let same = epoch == wanted.last_fetched_epoch && end >= wanted.fetch_offset;
    (!same).then(|| EpochEndOffset::default().with_epoch(epoch).with_end_offset(end))
}

fn read(call: &mut Call<'_>, request: &FetchRequest) -> FetchResponse {
    let mut room = usize::try_from(request.max_bytes).unwrap_or(0).min(call.state.options.fetch_max_bytes);
    let mut first = true;
    let mut response = FetchResponse::default();
    for topic in &request.topics {
        let name = topic_name(call, topic);
        let mut answer =
            FetchableTopicResponse::default().with_topic(topic.topic.clone()).with_topic_id(topic.topic_id);
        for wanted in &topic.partitions {
            let mut part =
                read_partition(call, name.as_deref(), wanted, request.isolation_level == 1, room, first);
            let size = part.records.as_ref().map_or(0, Bytes::len);
            first &= size == 0;
            room = room.saturating_sub(size);
            if part.error_code == ErrorCode::NOT_LEADER_OR_FOLLOWER.0
                || part.error_code == ErrorCode::FENCED_LEADER_EPOCH.0
            {
                hint(call, name.as_deref().unwrap_or_default(), &mut part, &mut response.node_endpoints);
            }
            answer.partitions.push(part);
        }
        response.responses.push(answer);
    }
    response
}

fn read_partition(
    call: &Call<'_>,
    topic: Option<&str>,
    wanted: &FetchPartition,
    committed_only: bool,
    room: usize,
    first_whole: bool,
) -> PartitionData {
    let Some(topic) = topic else {
        let by_id = call.version >= TOPIC_IDS;
        let error = if by_id { ErrorCode::UNKNOWN_TOPIC_ID } else { ErrorCode::UNKNOWN_TOPIC_OR_PARTITION };
        return failed(wanted.partition, error);
    };
    let Some(partition) = call.state.partition(topic, wanted.partition) else {
        return failed(wanted.partition, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    };
    if let Err(error) = check(call, partition, wanted) {
        return failed(wanted.partition, error);
    }
    let part = PartitionData::default()
        .with_partition_index(wanted.partition)
        .with_high_watermark(partition.high_watermark())
        .with_last_stable_offset(partition.last_stable_offset())
        .with_log_start_offset(partition.log.start())
        .with_preferred_read_replica(BrokerId(-1))
        .with_aborted_transactions(committed_only.then(Vec::new))
        .with_records(Some(Bytes::new()));
    if let Some(epoch) = diverging(partition, wanted) {
        return part.with_diverging_epoch(epoch);
    }
    let below = partition.readable_end(committed_only);
    let bytes = usize::try_from(wanted.partition_max_bytes).unwrap_or(0).min(room);
    let records = match partition.log.read(wanted.fetch_offset, ReadBound { below, bytes, first_whole }) {
        Ok(records) => records,
        Err(error) => {
            tracing::error!(%error, topic, partition = wanted.partition, "read failed");
            return failed(wanted.partition, error.code());
        }
    };
    let aborted = committed_only.then(|| aborted(partition, wanted.fetch_offset, below));
    part.with_aborted_transactions(aborted).with_records(Some(records))
}

fn aborted(partition: &Partition, from: i64, below: i64) -> Vec<AbortedTransaction> {
    let found = partition.producers.aborted_between(from, below).into_iter();
    let entry = |aborted: crate::producers::Aborted| {
        AbortedTransaction::default()
            .with_producer_id(ProducerId(aborted.producer_id))
            .with_first_offset(aborted.first_offset)
    };
    found.map(entry).collect()
}

fn failed(partition: i32, error: ErrorCode) -> PartitionData {
    PartitionData::default()
        .with_partition_index(partition)
        .with_error_code(error.0)
        .with_high_watermark(-1)
        .with_last_stable_offset(-1)
        .with_log_start_offset(-1)
        .with_preferred_read_replica(BrokerId(-1))
        .with_aborted_transactions(None)
        .with_records(Some(Bytes::new()))
}

/// KIP-951: who leads instead, and where it listens.
fn hint(call: &Call<'_>, topic: &str, part: &mut PartitionData, nodes: &mut Vec<NodeEndpoint>) {
    let Some(partition) = call.state.partition(topic, part.partition_index) else { return };
    part.current_leader = LeaderIdAndEpoch::default()
        .with_leader_id(BrokerId(partition.leader))
        .with_leader_epoch(partition.leader_epoch);
    if nodes.iter().any(|node| node.node_id.0 == partition.leader) {
        return;
    }
    let address = call.state.nodes().find(|(id, _)| *id == partition.leader);
    if let Some((id, (host, port))) = address {
        let node = NodeEndpoint::default().with_node_id(BrokerId(id)).with_host(text(host.as_str()));
        nodes.push(node.with_port(i32::from(*port)));
    }
}
