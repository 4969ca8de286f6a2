//! Transactions as a client sees them: stable offsets, aborted lists, fencing, restarts.

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::offset_fetch_request::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{AddOffsetsToTxnRequest, GroupId, OffsetFetchRequest, TxnOffsetCommitRequest};
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, EndTxnRequest, InitProducerIdRequest, ProducerId, TopicName, TransactionalId,
};
use millstream_protocol::ErrorCode;
use millstream_protocol::records::BatchOptions;

use crate::api::text;
use crate::testing::*;
use crate::{Broker, BrokerOptions};

struct Producer<'a> {
    client: &'a TestClient,
    id: i64,
    epoch: i16,
    sequence: i32,
}

impl<'a> Producer<'a> {
    fn start(client: &'a TestClient) -> Self {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(Some(TransactionalId(text("tx"))))
            .with_transaction_timeout_ms(10_000)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        let answer = client.call(4, &request);
        assert_eq!(answer.error_code, 0);
        Self { client, id: answer.producer_id.0, epoch: answer.producer_epoch, sequence: 0 }
    }

    fn add(&self) -> ErrorCode {
        let topic =
            AddPartitionsToTxnTopic::default().with_name(TopicName(text("t"))).with_partitions(vec![0]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(TransactionalId(text("tx")))
            .with_v3_and_below_producer_id(ProducerId(self.id))
            .with_v3_and_below_producer_epoch(self.epoch)
            .with_v3_and_below_topics(vec![topic]);
        let answer = self.client.call(3, &request);
        let results = &answer.results_by_topic_v3_and_below[0].results_by_partition;
        ErrorCode(results[0].partition_error_code)
    }

    fn write(&mut self, value: &str) -> ErrorCode {
        let options = BatchOptions { is_transactional: true, ..BatchOptions::default() };
        let mut encoded = batch_with(&[value], options, 1000);
        encoded.stamp(self.id, self.epoch, self.sequence);
        let mut request = produce_request("t", 0, encoded.into_bytes());
        request.transactional_id = Some(TransactionalId(text("tx")));
        let answer = self.client.call(9, &request);
        let error = ErrorCode(answer.responses[0].partition_responses[0].error_code);
        self.sequence += i32::from(error.is_ok());
        error
    }

    fn end(&self, commit: bool) -> ErrorCode {
        let request = EndTxnRequest::default()
            .with_transactional_id(TransactionalId(text("tx")))
            .with_producer_id(ProducerId(self.id))
            .with_producer_epoch(self.epoch)
            .with_committed(commit);
        ErrorCode(self.client.call(3, &request).error_code)
    }
}

fn committed(client: &TestClient) -> (Vec<(i64, String)>, Vec<i64>, i64) {
    let request = fetch_request("t", 0, 0).with_isolation_level(1);
    let part = client.call(12, &request).responses[0].partitions[0].clone();
    let aborted =
        part.aborted_transactions.unwrap_or_default().iter().map(|entry| entry.first_offset).collect();
    (rows(&part.records.unwrap_or_default()), aborted, part.last_stable_offset)
}

fn values(rows: &[(i64, String)]) -> Vec<&str> {
    rows.iter().map(|(_, value)| value.as_str()).collect()
}

#[test]
fn committed_data_shows_up_to_the_last_stable_offset_and_aborted_spans_are_listed() {
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    let mut producer = Producer::start(&client);
    assert_eq!(producer.write("early"), ErrorCode::INVALID_TXN_STATE);
    assert_eq!(producer.add(), ErrorCode::NONE);
    assert_eq!(producer.write("a"), ErrorCode::NONE);
    client.produce("t", 0, batch(&["plain"]).into_bytes());
    let (seen, aborted, stable) = committed(&client);
    assert_eq!((seen.len(), aborted.len(), stable), (0, 0, 0));

    assert_eq!(producer.end(true), ErrorCode::NONE);
    assert_eq!(producer.end(true), ErrorCode::NONE, "a repeated commit is fine");
    assert_eq!(producer.end(false), ErrorCode::INVALID_TXN_STATE);
    let (seen, aborted, stable) = committed(&client);
    assert_eq!((values(&seen), aborted.len(), stable), (vec!["a", "plain"], 0, 3));

    producer.add();
    assert_eq!(producer.write("b"), ErrorCode::NONE);
    assert_eq!(producer.end(false), ErrorCode::NONE);
    let (seen, aborted, stable) = committed(&client);
    assert_eq!((values(&seen), aborted, stable), (vec!["a", "plain", "b"], vec![3], 5));
    assert_eq!(client.broker.log_len("t", 0).unwrap(), 5);
}

#[test]
fn a_second_producer_fences_the_first_and_aborts_what_it_left_open() {
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    let mut first = Producer::start(&client);
    first.add();
    first.write("lost");
    let mut second = Producer::start(&client);
    assert_eq!((second.id, second.epoch), (first.id, first.epoch + 1));
    assert_eq!(committed(&client).1, [0]);
    assert_eq!(first.add(), ErrorCode::PRODUCER_FENCED);
    assert_eq!(first.write("zombie"), ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(first.end(true), ErrorCode::PRODUCER_FENCED);
    second.add();
    assert_eq!(second.write("kept"), ErrorCode::NONE);
    assert_eq!(second.end(true), ErrorCode::NONE);
}

#[test]
fn offsets_in_a_transaction_become_the_groups_on_commit_only() {
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    let producer = Producer::start(&client);
    let group = GroupId(text("g"));
    let send = |offset| {
        let add = AddOffsetsToTxnRequest::default()
            .with_transactional_id(TransactionalId(text("tx")))
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_group_id(group.clone());
        assert_eq!(client.call(3, &add).error_code, 0);
        let part = TxnOffsetCommitRequestPartition::default().with_committed_offset(offset);
        let topic = TxnOffsetCommitRequestTopic::default()
            .with_name(TopicName(text("t")))
            .with_partitions(vec![part]);
        let commit = TxnOffsetCommitRequest::default()
            .with_transactional_id(TransactionalId(text("tx")))
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_group_id(group.clone())
            .with_generation_id(-1)
            .with_topics(vec![topic]);
        assert_eq!(client.call(3, &commit).topics[0].partitions[0].error_code, 0);
    };
    let fetch = |stable| {
        let topic = OffsetFetchRequestTopics::default()
            .with_name(TopicName(text("t")))
            .with_partition_indexes(vec![0]);
        let wanted =
            OffsetFetchRequestGroup::default().with_group_id(group.clone()).with_topics(Some(vec![topic]));
        let request = OffsetFetchRequest::default().with_groups(vec![wanted]).with_require_stable(stable);
        let part = client.call(8, &request).groups[0].topics[0].partitions[0].clone();
        (part.committed_offset, ErrorCode(part.error_code))
    };
    send(5);
    assert_eq!(fetch(false), (-1, ErrorCode::NONE));
    assert_eq!(fetch(true), (-1, ErrorCode::UNSTABLE_OFFSET_COMMIT));
    assert_eq!(producer.end(false), ErrorCode::NONE);
    assert_eq!(fetch(true), (-1, ErrorCode::NONE));
    send(6);
    assert_eq!(producer.end(true), ErrorCode::NONE);
    assert_eq!(fetch(true), (6, ErrorCode::NONE));
}

#[test]
fn an_overdue_transaction_is_aborted() {
    let mut client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    let mut producer = Producer::start(&client);
    producer.add();
    producer.write("slow");
    client.pass(9_999);
    assert_eq!(committed(&client).2, 0);
    client.pass(1);
    assert_eq!((committed(&client).1, committed(&client).2), (vec![0], 2));
}

#[test]
fn an_open_transaction_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = || -> Broker {
        broker(BrokerOptions { data_dir: Some(folder.path().to_owned()), ..BrokerOptions::default() })
    };
    let (id, epoch) = {
        let broker = open();
        broker.create_topic("t", 1, &[]).unwrap();
        let client = TestClient::of(&broker, 1);
        let mut producer = Producer::start(&client);
        producer.add();
        producer.write("a");
        (producer.id, producer.epoch)
    };
    let broker = open();
    let client = TestClient::of(&broker, 1);
    assert_eq!(committed(&client).2, 0);
    let mut producer = Producer { client: &client, id, epoch, sequence: 1 };
    assert_eq!(producer.write("b"), ErrorCode::NONE);
    assert_eq!(producer.end(true), ErrorCode::NONE);
    assert_eq!(values(&committed(&client).0), ["a", "b"]);
    drop((client, broker));
    let client = TestClient::of(&open(), 1);
    assert_eq!(values(&committed(&client).0), ["a", "b"]);
}
