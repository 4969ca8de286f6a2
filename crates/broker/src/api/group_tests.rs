//! The group APIs over the sans-io core.

use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    DeleteGroupsRequest, GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    ListGroupsRequest, OffsetCommitRequest, OffsetFetchRequest, SyncGroupRequest, TopicName,
};
use kafka_protocol::protocol::StrBytes;
use millstream_protocol::ErrorCode;

use super::text;
use crate::testing::*;
use crate::{Answer, BrokerOptions};

fn group() -> GroupId {
    GroupId(text("g"))
}

fn join_request(member: &StrBytes) -> JoinGroupRequest {
    let protocol =
        JoinGroupRequestProtocol::default().with_name(text("range")).with_metadata(Bytes::from("m"));
    JoinGroupRequest::default()
        .with_group_id(group())
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(60_000)
        .with_member_id(member.clone())
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
}

/// The two steps of KIP-394.
fn join(client: &TestClient) -> (StrBytes, Answer) {
    let first = client.call(9, &join_request(&StrBytes::new()));
    assert_eq!(first.error_code, ErrorCode::MEMBER_ID_REQUIRED.0);
    (first.member_id.clone(), client.send(9, &join_request(&first.member_id)))
}

fn joined(answer: Answer) -> JoinGroupResponse {
    decode::<JoinGroupRequest>(9, answer)
}

fn sync_request(
    member: &StrBytes,
    generation: i32,
    assignments: &[(&StrBytes, &'static str)],
) -> SyncGroupRequest {
    let entry = |(id, data): &(&StrBytes, &'static str)| {
        SyncGroupRequestAssignment::default()
            .with_member_id((*id).clone())
            .with_assignment(Bytes::from(*data))
    };
    SyncGroupRequest::default()
        .with_group_id(group())
        .with_generation_id(generation)
        .with_member_id(member.clone())
        .with_assignments(assignments.iter().map(entry).collect())
}

fn heartbeat(client: &TestClient, member: &StrBytes, generation: i32) -> ErrorCode {
    let request = HeartbeatRequest::default()
        .with_group_id(group())
        .with_generation_id(generation)
        .with_member_id(member.clone());
    ErrorCode(client.call(4, &request).error_code)
}

#[test]
fn two_members_share_a_group_through_a_rebalance() {
    let first = TestClient::new();
    let second = TestClient::of(&first.broker, 1);
    let (a, answer) = join(&first);
    let alone = joined(answer);
    assert_eq!((alone.generation_id, alone.leader.clone(), alone.members.len()), (1, a.clone(), 1));
    let synced = first.call(5, &sync_request(&a, 1, &[(&a, "all")]));
    assert_eq!(synced.assignment, "all");
    assert_eq!(heartbeat(&first, &a, 1), ErrorCode::NONE);

    let (b, answer) = join(&second);
    let waiting_join = parked(answer);
    assert_eq!(heartbeat(&first, &a, 1), ErrorCode::REBALANCE_IN_PROGRESS);
    let again = joined(first.send(9, &join_request(&a)));
    assert_eq!((again.generation_id, again.members.len()), (2, 2));
    assert!(second.was_woken());
    let follower = joined(second.resume(waiting_join));
    assert_eq!((follower.leader.clone(), follower.members.len()), (a.clone(), 0));

    let waiting_sync = parked(second.send(5, &sync_request(&b, 2, &[])));
    first.call(5, &sync_request(&a, 2, &[(&a, "left"), (&b, "right")]));
    let synced = decode::<SyncGroupRequest>(5, second.resume(waiting_sync));
    assert_eq!(synced.assignment, "right");

    let left = LeaveGroupRequest::default().with_group_id(group()).with_member_id(b.clone());
    assert_eq!(first.call(2, &left).error_code, 0);
    assert_eq!(heartbeat(&first, &a, 2), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(heartbeat(&second, &b, 2), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_member_that_falls_silent_is_removed_while_another_waits() {
    let mut client = TestClient::new();
    let (a, answer) = join(&client);
    joined(answer);
    client.call(5, &sync_request(&a, 1, &[]));
    client.pass(1_000);
    let (_, answer) = join(&client);
    let waiting = parked(answer);
    let due = waiting.deadline();
    client.now.elapsed = due;
    let answer = joined(client.resume(waiting));
    assert_eq!((answer.generation_id, answer.members.len()), (2, 1));
}

#[test]
fn offsets_are_kept_over_restarts_and_go_with_the_group() {
    let folder = tempfile::tempdir().unwrap();
    let open = || {
        let options = BrokerOptions { data_dir: Some(folder.path().to_owned()), ..BrokerOptions::default() };
        TestClient::of(&broker(options), 1)
    };
    let commit = |client: &TestClient, topic: &str, offset| {
        let part = OffsetCommitRequestPartition::default()
            .with_committed_offset(offset)
            .with_committed_metadata(Some(text("note")));
        let topic =
            OffsetCommitRequestTopic::default().with_name(TopicName(text(topic))).with_partitions(vec![part]);
        let request = OffsetCommitRequest::default()
            .with_group_id(group())
            .with_generation_id_or_member_epoch(-1)
            .with_topics(vec![topic]);
        ErrorCode(client.call(8, &request).topics[0].partitions[0].error_code)
    };
    let fetch = |client: &TestClient| {
        let wanted = OffsetFetchRequestGroup::default().with_group_id(group()).with_topics(None);
        let answer = client.call(8, &OffsetFetchRequest::default().with_groups(vec![wanted]));
        let all = answer.groups[0].topics.iter().flat_map(|topic| &topic.partitions);
        all.map(|part| part.committed_offset).collect::<Vec<_>>()
    };
    {
        let client = open();
        client.broker.create_topic("t", 1, &[]).unwrap();
        assert_eq!(commit(&client, "t", 5), ErrorCode::NONE);
        assert_eq!(commit(&client, "t", 7), ErrorCode::NONE);
        assert_eq!(commit(&client, "nope", 7), ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    }
    {
        let client = open();
        assert_eq!(fetch(&client), [7]);
        assert_eq!(client.call(4, &ListGroupsRequest::default()).groups[0].group_state.as_str(), "Empty");
        let answer = client.call(2, &DeleteGroupsRequest::default().with_groups_names(vec![group()]));
        assert_eq!(answer.results[0].error_code, 0);
    }
    assert!(fetch(&open()).is_empty());
}

#[test]
fn a_group_lives_at_one_node_only() {
    let broker = broker(BrokerOptions { nodes: 3, ..BrokerOptions::default() });
    let codes: Vec<ErrorCode> = (1..=3)
        .map(|node| {
            ErrorCode(TestClient::of(&broker, node).call(9, &join_request(&StrBytes::new())).error_code)
        })
        .collect();
    assert_eq!(codes.iter().filter(|code| **code == ErrorCode::MEMBER_ID_REQUIRED).count(), 1);
    assert_eq!(codes.iter().filter(|code| **code == ErrorCode::NOT_COORDINATOR).count(), 2);
}
