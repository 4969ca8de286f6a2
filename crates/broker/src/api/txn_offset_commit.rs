//! TxnOffsetCommit (28). Versions 0-4.
//!
//! Kept: offsets wait in the transaction and become the group's on commit; from version 3 the generation is
//! checked when the group has members. Left out: the group must be coordinated by any node (all share the
//! state); offsets pending at a restart of the broker are lost with their transaction's abort.

use std::sync::Arc;

use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{TxnOffsetCommitRequest, TxnOffsetCommitResponse};
use millstream_protocol::{ApiKey, ErrorCode};

use super::offset_commit::METADATA_MAX_BYTES;
use super::{Call, Handler, Step, writer_error};
use crate::store::CommittedOffset;
use crate::transactions::{PendingOffset, Writer};

pub(super) struct TxnOffsetCommit;

impl Handler for TxnOffsetCommit {
    const KEY: ApiKey = ApiKey::TXN_OFFSET_COMMIT;
    const VERSIONS: (i16, i16) = (0, 4);
    type Request = TxnOffsetCommitRequest;
    type Response = TxnOffsetCommitResponse;

    fn handle(call: &mut Call<'_>, request: TxnOffsetCommitRequest) -> Step<Self> {
        let added = add(call, &request).err().unwrap_or(ErrorCode::NONE);
        // No version of this request knows PRODUCER_FENCED.
        Step::Reply(Self::refuse(call, request, writer_error(added, false)))
    }

    fn refuse(
        _call: &Call<'_>,
        request: TxnOffsetCommitRequest,
        error: ErrorCode,
    ) -> TxnOffsetCommitResponse {
        let topics = request.topics.into_iter().map(|topic| {
            let parts = topic.partitions.iter().map(|part| {
                TxnOffsetCommitResponsePartition::default()
                    .with_partition_index(part.partition_index)
                    .with_error_code(error.0)
            });
            let parts = parts.collect();
            TxnOffsetCommitResponseTopic::default().with_name(topic.name).with_partitions(parts)
        });
        TxnOffsetCommitResponse::default().with_topics(topics.collect())
    }
}

fn add(call: &mut Call<'_>, request: &TxnOffsetCommitRequest) -> Result<(), ErrorCode> {
    call.state.check_coordinator(&request.group_id, call.connection.node)?;
    let group = call.state.groups.get_or_make(&request.group_id);
    if group.has_members() && !request.member_id.is_empty() {
        let instance = request.group_instance_id.as_deref();
        group.check_member(&request.member_id, instance, request.generation_id)?;
    }
    let mut offsets = Vec::new();
    for topic in &request.topics {
        let name: Arc<str> = topic.name.as_str().into();
        for part in &topic.partitions {
            let metadata = part.committed_metadata.as_deref().unwrap_or_default().to_owned();
            if call.state.partition(&name, part.partition_index).is_none() {
                return Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
            }
            if metadata.len() > METADATA_MAX_BYTES {
                return Err(ErrorCode::OFFSET_METADATA_TOO_LARGE);
            }
            let (offset, leader_epoch) = (part.committed_offset, part.committed_leader_epoch);
            offsets.push(PendingOffset {
                group: request.group_id.to_string(),
                topic: name.clone(),
                partition: part.partition_index,
                committed: CommittedOffset { offset, leader_epoch, metadata },
            });
        }
    }
    let id = &request.transactional_id;
    let writer = Writer { id, producer_id: request.producer_id.0, epoch: request.producer_epoch };
    call.state.add_offsets_to_transaction(writer, offsets)
}
