//! What a data directory keeps over restarts.

use std::path::Path;

use kafka_protocol::messages::delete_records_request::{DeleteRecordsPartition, DeleteRecordsTopic};
use kafka_protocol::messages::{
    DeleteRecordsRequest, InitProducerIdRequest, InitProducerIdResponse, TopicName,
};
use millstream_protocol::ErrorCode;

use crate::api::text;
use crate::testing::*;
use crate::{Broker, BrokerOptions};

fn open(folder: &Path) -> Broker {
    broker(BrokerOptions { nodes: 2, data_dir: Some(folder.to_owned()), ..BrokerOptions::default() })
}

fn delete_records(client: &TestClient, topic: &str, offset: i64) -> i64 {
    let wanted = DeleteRecordsPartition::default().with_offset(offset);
    let topic = DeleteRecordsTopic::default().with_name(TopicName(text(topic))).with_partitions(vec![wanted]);
    let answer = client.call(2, &DeleteRecordsRequest::default().with_topics(vec![topic]));
    answer.topics[0].partitions[0].low_watermark
}

fn new_producer(client: &TestClient) -> InitProducerIdResponse {
    let request = InitProducerIdRequest::default().with_transactional_id(None).with_producer_id((-1).into());
    client.call(4, &request.with_producer_epoch(-1))
}

#[test]
fn topics_records_starts_leaders_and_producers_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let send = |client: &TestClient, sequence| {
        let mut encoded = batch(&["a", "b"]);
        encoded.stamp(3, 0, sequence);
        client.produce("t", 0, encoded.into_bytes())
    };
    let id = {
        let broker = open(folder.path());
        broker.create_topic("t", 2, &[("retention.ms", "77")]).unwrap();
        let client = TestClient::of(&broker, 1);
        assert_eq!(send(&client, 0).base_offset, 0);
        assert_eq!(send(&client, 2).base_offset, 2);
        assert_eq!(delete_records(&client, "t", 2), 2);
        broker.move_leader("t", 1, 1).unwrap();
        new_producer(&client).producer_id
    };
    let broker = open(folder.path());
    let client = TestClient::of(&broker, 1);
    assert_eq!(broker.offsets("t", 0).unwrap(), (2, 4));
    assert_eq!(broker.leader("t", 1).unwrap(), (1, 1));
    assert_eq!(rows(client.fetch("t", 0, 2).records.as_deref().unwrap()), [(2, "a".into()), (3, "b".into())]);
    assert_eq!(client.fetch("t", 0, 1).error_code, ErrorCode::OFFSET_OUT_OF_RANGE.0);
    assert_eq!(send(&client, 2).base_offset, 2, "a repeated batch is still known");
    assert_eq!(send(&client, 6).error_code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER.0);
    let next = new_producer(&client);
    assert_eq!(
        (next.error_code, next.producer_id.0, id.0),
        (0, 1000, 0),
        "a producer id is never given out twice"
    );
}

#[test]
fn a_deleted_topic_leaves_nothing_for_one_of_the_same_name() {
    let folder = tempfile::tempdir().unwrap();
    let broker = open(folder.path());
    broker.create_topic("t", 1, &[]).unwrap();
    TestClient::of(&broker, 1).produce("t", 0, batch(&["old"]).into_bytes());
    assert!(broker.delete_topic("t").unwrap() && !broker.delete_topic("t").unwrap());
    broker.create_topic("t", 1, &[]).unwrap();
    assert_eq!(broker.offsets("t", 0).unwrap(), (0, 0));
    drop(broker);
    assert_eq!(open(folder.path()).offsets("t", 0).unwrap(), (0, 0));
}

#[test]
fn a_truncated_log_gives_its_offsets_again_in_a_new_epoch() {
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    for value in ["a", "b", "c"] {
        client.produce("t", 0, batch(&[value]).into_bytes());
    }
    assert_eq!(client.broker.truncate_log("t", 0, 1).unwrap(), 1);
    assert_eq!(client.fetch("t", 0, 3).error_code, ErrorCode::OFFSET_OUT_OF_RANGE.0);
    assert_eq!(client.produce("t", 0, batch(&["d"]).into_bytes()).base_offset, 1);
    let mut request = fetch_request("t", 0, 2);
    request.topics[0].partitions[0].last_fetched_epoch = 0;
    let part = client.call(12, &request).responses[0].partitions[0].clone();
    assert_eq!((part.diverging_epoch.epoch, part.diverging_epoch.end_offset), (0, 1));
}

#[test]
fn a_new_leader_and_a_truncated_log_know_each_producers_numbers() {
    let broker = broker(BrokerOptions { nodes: 2, ..BrokerOptions::default() });
    broker.create_topic("t", 1, &[]).unwrap();
    let send = |producer: i64, sequence: i32| {
        let mut encoded = batch(&["a"]);
        encoded.stamp(producer, 0, sequence);
        let (leader, _) = broker.leader("t", 0).unwrap();
        let answer = TestClient::of(&broker, leader).produce("t", 0, encoded.into_bytes());
        (ErrorCode(answer.error_code), answer.base_offset)
    };
    for sequence in 0..8 {
        assert_eq!(send(3, sequence), (ErrorCode::NONE, i64::from(sequence)));
    }
    let (leader, _) = broker.leader("t", 0).unwrap();
    broker.move_leader("t", 0, leader % 2 + 1).unwrap();
    assert_eq!(send(3, 9).0, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, "8 is missing");
    assert_eq!(send(3, 6), (ErrorCode::NONE, 6), "a repetition");
    assert_eq!(send(4, 5), (ErrorCode::NONE, 8), "who is not known may begin anywhere");
    assert_eq!(send(4, 7).0, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);

    broker.truncate_log("t", 0, 2).unwrap();
    assert_eq!(send(3, 8).0, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER, "the log ends with 1");
    assert_eq!(send(3, 1), (ErrorCode::NONE, 1));
    assert_eq!(send(3, 2), (ErrorCode::NONE, 2));
    assert_eq!(send(4, 6), (ErrorCode::NONE, 3), "of this one nothing is left");
}
