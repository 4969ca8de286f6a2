//! AddPartitionsToTxn (24). Versions 0-3.
//!
//! Kept: all partitions or none (the others are told OPERATION_NOT_ATTEMPTED). Left out: versions 4 and 5,
//! which brokers use among themselves.

use std::sync::Arc;

use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::{AddPartitionsToTxnRequest, AddPartitionsToTxnResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, writer_error};
use crate::transactions::Writer;

pub(super) struct AddPartitionsToTxn;

/// First version that knows PRODUCER_FENCED.
const FENCED: i16 = 2;

impl Handler for AddPartitionsToTxn {
    const KEY: ApiKey = ApiKey::ADD_PARTITIONS_TO_TXN;
    const VERSIONS: (i16, i16) = (0, 3);
    type Request = AddPartitionsToTxnRequest;
    type Response = AddPartitionsToTxnResponse;

    fn handle(call: &mut Call<'_>, request: AddPartitionsToTxnRequest) -> Step<Self> {
        let exists = |topic: &str, index: i32| call.state.partition(topic, index).is_some();
        let topics = &request.v3_and_below_topics;
        let all_exist =
            topics.iter().all(|topic| topic.partitions.iter().all(|index| exists(&topic.name, *index)));
        if !all_exist {
            return Step::Reply(answer(&request, |topic, index| match exists(topic, index) {
                true => ErrorCode::OPERATION_NOT_ATTEMPTED,
                false => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            }));
        }
        let added = add(call, &request).err().unwrap_or(ErrorCode::NONE);
        Step::Reply(Self::refuse(call, request, writer_error(added, call.version >= FENCED)))
    }

    fn refuse(
        _call: &Call<'_>,
        request: AddPartitionsToTxnRequest,
        error: ErrorCode,
    ) -> AddPartitionsToTxnResponse {
        answer(&request, |_, _| error)
    }
}

fn add(call: &mut Call<'_>, request: &AddPartitionsToTxnRequest) -> Result<(), ErrorCode> {
    let id = &request.v3_and_below_transactional_id;
    call.state.check_coordinator(id, call.connection.node)?;
    let writer = Writer {
        id,
        producer_id: request.v3_and_below_producer_id.0,
        epoch: request.v3_and_below_producer_epoch,
    };
    let partitions = request.v3_and_below_topics.iter().flat_map(|topic| {
        let name: Arc<str> = topic.name.as_str().into();
        topic.partitions.iter().map(move |index| (name.clone(), *index))
    });
    call.state.add_to_transaction(writer, partitions, call.now)
}

fn answer(
    request: &AddPartitionsToTxnRequest,
    error: impl Fn(&str, i32) -> ErrorCode,
) -> AddPartitionsToTxnResponse {
    let topics = request.v3_and_below_topics.iter().map(|topic| {
        let parts = topic.partitions.iter().map(|index| {
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(*index)
                .with_partition_error_code(error(&topic.name, *index).0)
        });
        AddPartitionsToTxnTopicResult::default()
            .with_name(topic.name.clone())
            .with_results_by_partition(parts.collect())
    });
    AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(topics.collect())
}
