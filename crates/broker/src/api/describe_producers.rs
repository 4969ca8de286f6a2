//! DescribeProducers (61). Version 0.
//!
//! Kept: producers that a partition knows, with sequences and open transactions. Left out: producers never
//! expire.

use kafka_protocol::messages::describe_producers_request::TopicRequest;
use kafka_protocol::messages::describe_producers_response::{
    PartitionResponse, ProducerState, TopicResponse,
};
use kafka_protocol::messages::{DescribeProducersRequest, DescribeProducersResponse, ProducerId};
use millstream_protocol::{ApiKey, ErrorCode};

use super::{Call, Handler, Step, check_leader};

pub(super) struct DescribeProducers;

impl Handler for DescribeProducers {
    const KEY: ApiKey = ApiKey::DESCRIBE_PRODUCERS;
    const VERSIONS: (i16, i16) = (0, 0);
    type Request = DescribeProducersRequest;
    type Response = DescribeProducersResponse;

    fn handle(call: &mut Call<'_>, request: DescribeProducersRequest) -> Step<Self> {
        Step::Reply(answer(request, |topic, index| producers(call, topic, index)))
    }

    fn refuse(
        _call: &Call<'_>,
        request: DescribeProducersRequest,
        error: ErrorCode,
    ) -> DescribeProducersResponse {
        answer(request, |_, _| Err(error))
    }
}

fn answer(
    request: DescribeProducersRequest,
    find: impl Fn(&str, i32) -> Result<Vec<ProducerState>, ErrorCode>,
) -> DescribeProducersResponse {
    let topic = |topic: TopicRequest| {
        let parts = topic.partition_indexes.iter().map(|index| {
            let part = PartitionResponse::default().with_partition_index(*index);
            match find(&topic.name, *index) {
                Ok(producers) => part.with_active_producers(producers),
                Err(error) => part.with_error_code(error.0),
            }
        });
        let parts = parts.collect();
        TopicResponse::default().with_name(topic.name).with_partitions(parts)
    };
    DescribeProducersResponse::default().with_topics(request.topics.into_iter().map(topic).collect())
}

fn producers(call: &Call<'_>, topic: &str, index: i32) -> Result<Vec<ProducerState>, ErrorCode> {
    let partition = call.state.partition(topic, index).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    check_leader(partition, call.connection.node, -1)?;
    let describe = |(id, producer): (i64, &crate::producers::Producer)| {
        ProducerState::default()
            .with_producer_id(ProducerId(id))
            .with_producer_epoch(i32::from(producer.epoch))
            .with_last_sequence(producer.last_sequence())
            .with_last_timestamp(producer.last_timestamp())
            .with_coordinator_epoch(0)
            .with_current_txn_start_offset(producer.transaction_start.unwrap_or(-1))
    };
    Ok(partition.producers.iter().map(describe).collect())
}
