//! DeleteRecords (21). Versions 0-2.
//!
//! Kept: the log start moves to the offset, -1 means the high watermark; whole batches below it are
//! forgotten. Left out: the timeout; the disk space of a file-backed log is not given back.

use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, check_leader};
use crate::store::Change;

pub(super) struct DeleteRecords;

impl Handler for DeleteRecords {
    const KEY: ApiKey = ApiKey::DELETE_RECORDS;
    const VERSIONS: (i16, i16) = (0, 2);
    type Request = DeleteRecordsRequest;
    type Response = DeleteRecordsResponse;

    fn handle(call: &mut Call<'_>, request: DeleteRecordsRequest) -> Step<Self> {
        let answer = |topic: DeleteRecordsTopic| {
            let parts =
                topic.partitions.iter().map(|wanted| result(wanted, delete(call, &topic.name, wanted)));
            let parts = parts.collect();
            DeleteRecordsTopicResult::default().with_name(topic.name).with_partitions(parts)
        };
        let topics = request.topics.into_iter().map(answer).collect();
        Step::Reply(DeleteRecordsResponse::default().with_topics(topics))
    }

    fn refuse(_call: &Call<'_>, request: DeleteRecordsRequest, error: ErrorCode) -> DeleteRecordsResponse {
        let refused = |topic: DeleteRecordsTopic| {
            let parts = topic.partitions.iter().map(|wanted| result(wanted, Err(error))).collect();
            DeleteRecordsTopicResult::default().with_name(topic.name).with_partitions(parts)
        };
        DeleteRecordsResponse::default().with_topics(request.topics.into_iter().map(refused).collect())
    }
}

fn result(wanted: &DeleteRecordsPartition, outcome: Result<i64, ErrorCode>) -> DeleteRecordsPartitionResult {
    let part = DeleteRecordsPartitionResult::default().with_partition_index(wanted.partition_index);
    match outcome {
        Ok(low_watermark) => part.with_low_watermark(low_watermark),
        Err(error) => part.with_low_watermark(-1).with_error_code(error.0),
    }
}

fn delete(call: &mut Call<'_>, topic: &str, wanted: &DeleteRecordsPartition) -> Result<i64, ErrorCode> {
    const HIGH_WATERMARK: i64 = -1;
    let node = call.connection.node;
    let found = call.state.topics.get_mut(topic).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    let id = found.id;
    let partition =
        found.partition_mut(wanted.partition_index).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    check_leader(partition, node, -1)?;
    let end = partition.high_watermark();
    let offset = if wanted.offset == HIGH_WATERMARK { end } else { wanted.offset };
    if !(0..=end).contains(&offset) {
        return Err(ErrorCode::OFFSET_OUT_OF_RANGE);
    }
    partition.log.delete_below(offset);
    let start = partition.log.start();
    let change = Change::LogStart { topic: id, partition: wanted.partition_index, offset: start };
    call.state.note(&change).map_err(|error| error.code())?;
    Ok(start)
}
