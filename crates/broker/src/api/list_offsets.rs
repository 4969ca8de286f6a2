//! ListOffsets (2). Versions 1-10.
//!
//! Kept: latest (-1; the last stable offset for readers of committed data), earliest (-2), the record with
//! the largest timestamp (-3, from version 7), and by time: the first record at or after it, looked up record
//! by record. Left out: local (-4) and tiered (-5, -6) offsets: -4 answers as earliest, the others as not
//! found.

use std::collections::HashSet;

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};
use millstream_protocol::Limits;
use millstream_protocol::ids::{ApiKey, ErrorCode};
use millstream_protocol::records::Batches;

use super::{Call, Handler, Step, check_leader};
use crate::partition::Partition;

pub(super) struct ListOffsets;

/// First version that tells leader epochs.
const EPOCHS: i16 = 4;
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
// There is no tiered storage here.
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

impl Handler for ListOffsets {
    const KEY: ApiKey = ApiKey::LIST_OFFSETS;
    const VERSIONS: (i16, i16) = (1, 10);
    type Request = ListOffsetsRequest;
    type Response = ListOffsetsResponse;

    fn handle(call: &mut Call<'_>, request: ListOffsetsRequest) -> Step<Self> {
        let committed_only = request.isolation_level == 1;
        let mut seen = HashSet::new();
        let answer = |topic: &ListOffsetsTopic| {
            let parts = topic.partitions.iter().map(|wanted| {
                // Looking a timestamp up may unpack a batch: once for each partition, as in Kafka.
                let found = if seen.insert((topic.name.clone(), wanted.partition_index)) {
                    find(call, &topic.name, wanted, committed_only)
                } else {
                    Err(ErrorCode::INVALID_REQUEST)
                };
                found.unwrap_or_else(|error| failed(wanted.partition_index, error))
            });
            ListOffsetsTopicResponse::default().with_name(topic.name.clone()).with_partitions(parts.collect())
        };
        Step::Reply(ListOffsetsResponse::default().with_topics(request.topics.iter().map(answer).collect()))
    }

    fn refuse(_call: &Call<'_>, request: ListOffsetsRequest, error: ErrorCode) -> ListOffsetsResponse {
        let refused = |topic: ListOffsetsTopic| {
            let parts = topic.partitions.iter().map(|wanted| failed(wanted.partition_index, error));
            ListOffsetsTopicResponse::default().with_name(topic.name).with_partitions(parts.collect())
        };
        ListOffsetsResponse::default().with_topics(request.topics.into_iter().map(refused).collect())
    }
}

fn failed(partition: i32, error: ErrorCode) -> ListOffsetsPartitionResponse {
    ListOffsetsPartitionResponse::default()
        .with_partition_index(partition)
        .with_error_code(error.0)
        .with_timestamp(-1)
        .with_offset(-1)
        .with_leader_epoch(-1)
}

fn find(
    call: &Call<'_>,
    topic: &str,
    wanted: &ListOffsetsPartition,
    committed_only: bool,
) -> Result<ListOffsetsPartitionResponse, ErrorCode> {
    let partition =
        call.state.partition(topic, wanted.partition_index).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    check_leader(partition, call.connection.node, wanted.current_leader_epoch)?;
    let readable_end = partition.readable_end(committed_only);
    let (offset, timestamp) = match wanted.timestamp {
        LATEST => (readable_end, -1),
        EARLIEST | EARLIEST_LOCAL => (partition.log.start(), -1),
        MAX_TIMESTAMP => newest(partition)?.unwrap_or((-1, -1)),
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => (-1, -1),
        time => match first_since(partition, time)? {
            Some((offset, timestamp)) if offset < readable_end => (offset, timestamp),
            _ => (-1, -1),
        },
    };
    Ok(ListOffsetsPartitionResponse::default()
        .with_partition_index(wanted.partition_index)
        .with_offset(offset)
        .with_timestamp(timestamp)
        .with_leader_epoch(if offset < 0 || call.version < EPOCHS {
            -1
        } else {
            epoch_at(partition, offset)
        }))
}

/// The epoch of the record at an offset; at the log's end, the leader's.
fn epoch_at(partition: &Partition, offset: i64) -> i32 {
    if offset >= partition.log.end() {
        return partition.leader_epoch;
    }
    let begun = partition.epochs.iter().rev().find(|(_, start)| *start <= offset);
    begun.map_or(partition.leader_epoch, |(epoch, _)| *epoch)
}

/// Offset and timestamp of the first record at or after `time`.
fn first_since(partition: &Partition, time: i64) -> Result<Option<(i64, i64)>, ErrorCode> {
    let Some(batch) = partition.log.first_batch_since(time).map_err(|error| error.code())? else {
        return Ok(None);
    };
    let start = partition.log.start();
    let mut found = None;
    each_record(&batch, |offset, timestamp| {
        if found.is_none() && timestamp >= time && offset >= start {
            found = Some((offset, timestamp));
        }
    })?;
    Ok(found)
}

/// Offset and timestamp of the first record with the largest timestamp.
fn newest(partition: &Partition) -> Result<Option<(i64, i64)>, ErrorCode> {
    let Some(batch) = partition.log.newest_batch().map_err(|error| error.code())? else { return Ok(None) };
    let mut newest = None;
    each_record(&batch, |offset, timestamp| {
        if newest.is_none_or(|(_, largest)| timestamp > largest) {
            newest = Some((offset, timestamp));
        }
    })?;
    Ok(newest)
}

/// Shows offset and timestamp of every record of a batch.
fn each_record(batch: &[u8], mut show: impl FnMut(i64, i64)) -> Result<(), ErrorCode> {
    let corrupt = |_| ErrorCode::CORRUPT_MESSAGE;
    let Some(batch) = Batches::new(batch).next() else { return Ok(()) };
    let batch = batch.map_err(corrupt)?;
    let mut scratch = Vec::new();
    for record in batch.records(Limits::default().decompressed_bytes, &mut scratch).map_err(corrupt)? {
        let record = record.map_err(corrupt)?;
        show(record.offset, record.timestamp);
    }
    Ok(())
}
