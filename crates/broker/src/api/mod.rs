//! The APIs served: one file each, and the table from which requests are routed and ApiVersions is answered.
//!
//! A request is decoded (walked by the schema first), handled under the state's lock, and its answer encoded.
//! A handler that must wait says until when; it is asked again with the same request.

mod add_offsets_to_txn;
mod add_partitions_to_txn;
mod alter_configs;
mod api_versions;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_producers;
mod describe_topic_partitions;
mod end_txn;
mod fetch;
mod find_coordinator;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_groups;
mod list_offsets;
mod list_partition_reassignments;
mod list_transactions;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod produce;
mod sync_group;
mod txn_offset_commit;

use std::task::Waker;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::{Encodable, HeaderVersion, Message, Request, StrBytes};
use millstream_protocol::Limits;
use millstream_protocol::ids::{ApiKey, ErrorCode};
use millstream_protocol::messages;

use crate::broker::{Connection, Now};
use crate::cluster::State;
use crate::partition::Partition;

/// Everything a handler may know and change.
pub(crate) struct Call<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) connection: &'a Connection,
    pub(crate) version: i16,
    pub(crate) correlation: i32,
    pub(crate) client_id: &'a str,
    pub(crate) now: Now,
    /// Woken when what the handler waits for may have come.
    pub(crate) waker: &'a Waker,
    /// Of a request that was parked before: until when.
    pub(crate) parked_until: Option<Duration>,
}

/// A handler's answer.
pub(crate) enum Step<H: Handler> {
    Reply(H::Response),
    Silent,
    /// Close the connection.
    Close,
    /// Ask again with this request when woken, or at this time at the latest.
    Wait {
        request: H::Request,
        until: Duration,
    },
}

/// One API.
pub(crate) trait Handler: Sized + 'static {
    const KEY: ApiKey;
    /// First and last version served.
    const VERSIONS: (i16, i16);
    type Request: Request + Default + Send;
    type Response: Message + Encodable + HeaderVersion;

    fn handle(call: &mut Call<'_>, request: Self::Request) -> Step<Self>;

    /// The answer that tells this error for everything in the request.
    fn refuse(call: &Call<'_>, request: Self::Request, error: ErrorCode) -> Self::Response;
}

/// What becomes of a request, with its answer encoded.
pub(crate) enum Outcome {
    Reply(Bytes),
    Silent,
    Close,
    Wait { until: Duration, resume: Box<Resume> },
}

pub(crate) type Result<T> = std::result::Result<T, millstream_protocol::Error>;
pub(crate) type Resume = dyn FnOnce(&mut Call<'_>) -> Result<Outcome> + Send;

/// An entry of the table.
pub(crate) struct Api {
    pub(crate) key: ApiKey,
    pub(crate) versions: (i16, i16),
    pub(crate) handle: fn(&mut Call<'_>, Bytes) -> Result<Outcome>,
    pub(crate) refuse: fn(&mut Call<'_>, Bytes, ErrorCode) -> Result<Bytes>,
    /// An answer of a version and correlation id whose body is given.
    pub(crate) raw: fn(i16, i32, &[u8]) -> Bytes,
    #[cfg(test)]
    pub(crate) empty_request: fn(i16) -> Bytes,
}

impl Api {
    const fn of<H: Handler>() -> Self {
        Self {
            key: H::KEY,
            versions: H::VERSIONS,
            handle: handle::<H>,
            refuse: refuse::<H>,
            raw: raw::<H>,
            #[cfg(test)]
            empty_request: tests::empty_request::<H>,
        }
    }

    pub(crate) fn serves(&self, version: i16) -> bool {
        (self.versions.0..=self.versions.1).contains(&version)
    }
}

/// All APIs, by key.
pub(crate) static APIS: &[Api] = &[
    Api::of::<produce::Produce>(),
    Api::of::<fetch::Fetch>(),
    Api::of::<list_offsets::ListOffsets>(),
    Api::of::<metadata::Metadata>(),
    Api::of::<offset_commit::OffsetCommit>(),
    Api::of::<offset_fetch::OffsetFetch>(),
    Api::of::<find_coordinator::FindCoordinator>(),
    Api::of::<join_group::JoinGroup>(),
    Api::of::<heartbeat::Heartbeat>(),
    Api::of::<leave_group::LeaveGroup>(),
    Api::of::<sync_group::SyncGroup>(),
    Api::of::<describe_groups::DescribeGroups>(),
    Api::of::<list_groups::ListGroups>(),
    Api::of::<api_versions::ApiVersions>(),
    Api::of::<create_topics::CreateTopics>(),
    Api::of::<delete_topics::DeleteTopics>(),
    Api::of::<delete_records::DeleteRecords>(),
    Api::of::<init_producer_id::InitProducerId>(),
    Api::of::<offset_for_leader_epoch::OffsetForLeaderEpoch>(),
    Api::of::<add_partitions_to_txn::AddPartitionsToTxn>(),
    Api::of::<add_offsets_to_txn::AddOffsetsToTxn>(),
    Api::of::<end_txn::EndTxn>(),
    Api::of::<txn_offset_commit::TxnOffsetCommit>(),
    Api::of::<describe_configs::DescribeConfigs>(),
    Api::of::<alter_configs::AlterConfigs>(),
    Api::of::<describe_log_dirs::DescribeLogDirs>(),
    Api::of::<create_partitions::CreatePartitions>(),
    Api::of::<delete_groups::DeleteGroups>(),
    Api::of::<incremental_alter_configs::IncrementalAlterConfigs>(),
    Api::of::<list_partition_reassignments::ListPartitionReassignments>(),
    Api::of::<offset_delete::OffsetDelete>(),
    Api::of::<describe_cluster::DescribeCluster>(),
    Api::of::<describe_producers::DescribeProducers>(),
    Api::of::<list_transactions::ListTransactions>(),
    Api::of::<describe_topic_partitions::DescribeTopicPartitions>(),
];

/// The APIs this broker serves, each with its first and last version.
pub fn served_apis() -> impl Iterator<Item = (ApiKey, i16, i16)> {
    APIS.iter().map(|api| (api.key, api.versions.0, api.versions.1))
}

pub(crate) fn find(key: ApiKey) -> Option<&'static Api> {
    APIS.iter().find(|api| api.key == key)
}

fn handle<H: Handler>(call: &mut Call<'_>, body: Bytes) -> Result<Outcome> {
    let request = decode::<H>(call, body)?;
    step::<H>(call, request)
}

fn step<H: Handler>(call: &mut Call<'_>, request: H::Request) -> Result<Outcome> {
    match H::handle(call, request) {
        Step::Reply(response) => encode::<H>(call, &response).map(Outcome::Reply),
        Step::Silent => Ok(Outcome::Silent),
        Step::Close => Ok(Outcome::Close),
        Step::Wait { request, until } => {
            Ok(Outcome::Wait { until, resume: Box::new(move |call| step::<H>(call, request)) })
        }
    }
}

fn refuse<H: Handler>(call: &mut Call<'_>, body: Bytes, error: ErrorCode) -> Result<Bytes> {
    let request = decode::<H>(call, body)?;
    let response = H::refuse(call, request, error);
    encode::<H>(call, &response)
}

fn decode<H: Handler>(call: &Call<'_>, body: Bytes) -> Result<H::Request> {
    messages::decode_request(call.version, body, &Limits::default())
}

fn encode<H: Handler>(call: &Call<'_>, response: &H::Response) -> Result<Bytes> {
    messages::encode_response(call.correlation, H::KEY, call.version, response)
}

fn raw<H: Handler>(version: i16, correlation: i32, body: &[u8]) -> Bytes {
    let tags = usize::from(H::Response::header_version(version) >= 1);
    let length = 4 + tags + body.len();
    let mut frame = BytesMut::with_capacity(4 + length);
    frame.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    frame.put_i32(correlation);
    frame.put_bytes(0, tags);
    frame.put_slice(body);
    frame.freeze()
}

/// KIP-511: the version 0 answer to an ApiVersions request of a version that is not served.
pub(crate) fn unsupported_api_versions(correlation: i32) -> Result<Bytes> {
    let response = api_versions::answer(ErrorCode::UNSUPPORTED_VERSION);
    messages::encode_response(correlation, ApiKey::API_VERSIONS, 0, &response)
}

/// Whether this node leads the partition, in the epoch that the client believes in (-1: it does not say).
pub(crate) fn check_leader(
    partition: &Partition,
    node: i32,
    epoch: i32,
) -> std::result::Result<(), ErrorCode> {
    if epoch >= 0 && epoch < partition.leader_epoch {
        return Err(ErrorCode::FENCED_LEADER_EPOCH);
    }
    if epoch > partition.leader_epoch {
        return Err(ErrorCode::UNKNOWN_LEADER_EPOCH);
    }
    if partition.leader == node { Ok(()) } else { Err(ErrorCode::NOT_LEADER_OR_FOLLOWER) }
}

/// How an older version tells that a newer producer has taken over.
pub(crate) fn writer_error(error: ErrorCode, knows_fenced: bool) -> ErrorCode {
    if error == ErrorCode::PRODUCER_FENCED && !knows_fenced {
        ErrorCode::INVALID_PRODUCER_EPOCH
    } else {
        error
    }
}

/// Text for a response.
pub(crate) fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}

#[cfg(test)]
mod group_tests;
#[cfg(test)]
mod tests;
