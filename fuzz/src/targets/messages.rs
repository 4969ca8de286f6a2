//! Requests and responses of every API: what the schema walk lets through is decoded, written and decoded again
//! to the same message, and never takes much more memory than its bytes.
//!
//! Input: number of the API in the table below and direction (1 byte), version (1 byte), the body.

use std::fmt::Debug;

use bytes::{Bytes, BytesMut};
use millstream_protocol::messages::{Decodable, Encodable, HeaderVersion, Request, kp};
use millstream_protocol::schema::{self, Direction};
use millstream_protocol::{ApiKey, Limits, messages};

use crate::input::Input;

type Check = fn(Direction, i16, &[u8]);

/// Every API that has a schema.
macro_rules! apis {
    ($($request:ident)*) => {
        const APIS: &[(i16, Check)] = &[$((<kp::$request as Request>::KEY, check::<kp::$request>)),*];
        /// Versions of the response headers.
        const HEADERS: &[fn(i16) -> i16] =
            &[$(<<kp::$request as Request>::Response as HeaderVersion>::header_version),*];
    };
}

apis! {
    ProduceRequest FetchRequest ListOffsetsRequest OffsetForLeaderEpochRequest DeleteRecordsRequest
    ApiVersionsRequest MetadataRequest DescribeClusterRequest FindCoordinatorRequest CreateTopicsRequest
    DeleteTopicsRequest CreatePartitionsRequest ListPartitionReassignmentsRequest DescribeConfigsRequest
    AlterConfigsRequest IncrementalAlterConfigsRequest JoinGroupRequest SyncGroupRequest HeartbeatRequest
    LeaveGroupRequest ListGroupsRequest DescribeGroupsRequest DeleteGroupsRequest OffsetCommitRequest
    OffsetFetchRequest OffsetDeleteRequest InitProducerIdRequest AddPartitionsToTxnRequest
    AddOffsetsToTxnRequest EndTxnRequest WriteTxnMarkersRequest TxnOffsetCommitRequest
    DescribeTopicPartitionsRequest DescribeLogDirsRequest ElectLeadersRequest ListConfigResourcesRequest
    ConsumerGroupDescribeRequest ListTransactionsRequest DescribeTransactionsRequest DescribeProducersRequest
}

/// See the module.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let choice = input.byte();
    let direction = if choice & 0x80 == 0 { Direction::Request } else { Direction::Response };
    let (key, check) = APIS[usize::from(choice & 0x7f) % APIS.len()];
    let Some((lowest, highest)) = messages::supported_versions(ApiKey(key)) else {
        panic!("{} has no schema", ApiKey(key));
    };
    let version = lowest + i16::from(input.byte()) % (highest - lowest + 1);
    check(direction, version, input.rest());
}

/// The first two bytes of an input whose body is a message of this API, for seeding; None if it is not in the table.
pub fn head(api: ApiKey, direction: Direction, version: i16) -> Option<[u8; 2]> {
    let place = APIS.iter().position(|(key, _)| *key == api.0)? as u8;
    let (lowest, _) = messages::supported_versions(api)?;
    let bit = if direction == Direction::Request { 0 } else { 0x80 };
    Some([place | bit, u8::try_from(version - lowest).ok()?])
}

/// Asserts that a response frame without its length is one of this API and version.
pub fn walk_response(api: ApiKey, version: i16, frame: &[u8]) {
    let Some((_, header)) = APIS.iter().zip(HEADERS).find(|((key, _), _)| *key == api.0) else { return };
    let at = if header(version) >= 1 { 5 } else { 4 };
    let walked = schema::walk(api, version, Direction::Response, &frame[at..], &Limits::default());
    assert_eq!(walked, Ok(()), "{api} v{version}");
}

fn check<R: Request + PartialEq + Debug>(direction: Direction, version: i16, body: &[u8])
where
    R::Response: PartialEq + Debug,
{
    match direction {
        Direction::Request => round_trip::<R>(R::KEY, direction, version, body),
        Direction::Response => round_trip::<R::Response>(R::KEY, direction, version, body),
    }
}

fn round_trip<M: Encodable + Decodable + PartialEq + Debug>(
    key: i16,
    direction: Direction,
    version: i16,
    body: &[u8],
) {
    let limits = Limits::default();
    if schema::walk(ApiKey(key), version, direction, body, &limits).is_err() {
        return;
    }
    let mut rest = Bytes::copy_from_slice(body);
    // A tag that it knows from later versions is an error of its own; and it takes a structure that may be null for
    // null unless the byte before it is 1, where Kafka takes any byte that is not negative for one that is there.
    // What is left over then is an error too (`messages::decode_response`).
    let Ok(message) = M::decode(&mut rest, version) else { return };
    if !rest.is_empty() {
        return;
    }
    let mut written = BytesMut::new();
    if message.encode(&mut written, version).is_err() {
        return;
    }
    let walked = schema::walk(ApiKey(key), version, direction, &written, &limits);
    assert!(walked.is_ok(), "what was written is refused: {walked:?} {message:?}");
    let again = M::decode(&mut written.freeze(), version);
    assert_eq!(again.ok().as_ref(), Some(&message));
}
