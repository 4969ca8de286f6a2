//! The main APIs over the sans-io core.

use bytes::Bytes;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{
    ApiVersionsRequest, CreateTopicsRequest, ListOffsetsRequest, MetadataRequest, TopicName,
};
use millstream_protocol::records::BatchOptions;
use millstream_protocol::{ApiKey, Compression, ErrorCode, messages};

use super::text;
use crate::testing::*;
use crate::{Act, Answer, BrokerOptions};

fn wanted(name: &str) -> MetadataRequestTopic {
    MetadataRequestTopic::default().with_name(Some(TopicName(text(name))))
}

fn list(client: &TestClient, topic: &str, timestamp: i64) -> (i64, i64, i16) {
    let wanted = ListOffsetsPartition::default().with_timestamp(timestamp).with_current_leader_epoch(-1);
    let topic = ListOffsetsTopic::default().with_name(TopicName(text(topic))).with_partitions(vec![wanted]);
    let answer = client.call(7, &ListOffsetsRequest::default().with_topics(vec![topic]));
    let part = &answer.topics[0].partitions[0];
    (part.offset, part.timestamp, part.error_code)
}

#[test]
fn every_api_in_the_table_has_a_schema_for_its_versions() {
    for api in super::APIS {
        let (min, max) = messages::supported_versions(api.key).unwrap_or_else(|| panic!("{}", api.key));
        assert!(min <= api.versions.0 && api.versions.1 <= max, "{} {:?} {min}-{max}", api.key, api.versions);
    }
}

pub(super) fn empty_request<H: super::Handler>(version: i16) -> Bytes {
    messages::encode_request(1, None, version, &H::Request::default()).unwrap().slice(4..)
}

#[test]
fn every_api_answers_in_every_version_both_a_request_and_an_error() {
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    for api in super::APIS {
        for version in api.versions.0..=api.versions.1 {
            let ask = || {
                let waker = std::task::Waker::noop();
                client.broker.handle(&client.connection, (api.empty_request)(version), client.now, waker)
            };
            let what = format!("{} {version}", api.key);
            // Silence is right for a produce request with acks=0, which the empty one is.
            let silent = matches!(ask(), Answer::Silent) && api.key == ApiKey::PRODUCE;
            assert!(silent || matches!(ask(), Answer::Reply(_)), "{what}");
            let rule = client.broker.on(api.key, |_| Act::Error(ErrorCode::UNKNOWN_SERVER_ERROR));
            assert!(matches!(ask(), Answer::Reply(_)), "{what} refused");
            rule.remove();
        }
    }
}

#[test]
fn damaged_requests_never_panic() {
    use rand::{Rng, SeedableRng};
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    let mut random = rand::rngs::StdRng::seed_from_u64(11);
    let mut frames: Vec<Bytes> = Vec::new();
    for api in super::APIS {
        frames.extend((api.versions.0..=api.versions.1).map(|version| (api.empty_request)(version)));
    }
    let fetch = messages::encode_request(1, None, 12, &fetch_request("t", 0, 0)).unwrap();
    let produce = produce_request("t", 0, batch(&["x", "y"]).into_bytes());
    frames.extend([fetch.slice(4..), messages::encode_request(1, None, 9, &produce).unwrap().slice(4..)]);
    for frame in frames {
        for _ in 0..60 {
            let mut damaged = frame.to_vec();
            for _ in 0..random.random_range(1..4) {
                let at = random.random_range(2..damaged.len());
                damaged[at] = random.random();
            }
            damaged.truncate(random.random_range(2..=damaged.len() * 2).max(8));
            client.broker.handle(&client.connection, damaged.into(), client.now, std::task::Waker::noop());
        }
    }
    assert_eq!(client.fetch("t", 0, 0).error_code, 0);
}

#[test]
fn data_flows_in_every_version() {
    for version in 3..=13 {
        let client = TestClient::new();
        client.broker.create_topic("t", 1, &[]).unwrap();
        let id = client.call(12, &MetadataRequest::default().with_topics(None)).topics[0].topic_id;
        let produce = |bytes: Bytes| {
            let mut request = produce_request("t", 0, bytes);
            if version >= 13 {
                request.topic_data[0].name = TopicName::default();
                request.topic_data[0].topic_id = id;
            }
            client.call(version, &request).responses[0].partition_responses[0].error_code
        };
        assert_eq!(produce(batch(&["x"]).into_bytes()), 0);
        assert_ne!(produce(Bytes::new()), 0);
    }
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    client.produce("t", 0, batch(&["x"]).into_bytes());
    let id = client.call(12, &MetadataRequest::default().with_topics(None)).topics[0].topic_id;
    for version in 4..=18 {
        let mut request = fetch_request("t", 0, 0);
        if version >= 13 {
            request.topics[0].topic = TopicName::default();
            request.topics[0].topic_id = id;
        }
        let part = &client.call(version, &request).responses[0].partitions[0];
        assert_eq!((part.error_code, rows(part.records.as_deref().unwrap()).len()), (0, 1));
    }
    for version in 1..=10 {
        for timestamp in [-1, -2, -3, 0, 1 << 60] {
            let wanted =
                ListOffsetsPartition::default().with_timestamp(timestamp).with_current_leader_epoch(-1);
            let topic =
                ListOffsetsTopic::default().with_name(TopicName(text("t"))).with_partitions(vec![wanted]);
            let answer = client.call(version, &ListOffsetsRequest::default().with_topics(vec![topic]));
            assert_eq!(answer.topics[0].partitions[0].error_code, 0);
        }
    }
}

#[test]
fn api_versions_lists_the_table_and_answers_a_newer_client_in_version_zero() {
    let client = TestClient::new();
    let answer = client.call(4, &ApiVersionsRequest::default());
    assert_eq!(answer.api_keys.len(), super::APIS.len());
    let mut frame = messages::encode_request(9, None, 4, &ApiVersionsRequest::default()).unwrap().to_vec();
    frame[7] = 99;
    let waker = std::task::Waker::noop();
    let answer = client.broker.handle(&client.connection, Bytes::from(frame).slice(4..), client.now, waker);
    let answer = decode::<ApiVersionsRequest>(0, answer);
    assert_eq!(answer.error_code, ErrorCode::UNSUPPORTED_VERSION.0);
    assert!(!answer.api_keys.is_empty());
}

#[test]
fn metadata_makes_topics_only_when_asked() {
    let client = TestClient::new();
    let ask = |create| {
        let request = MetadataRequest::default()
            .with_topics(Some(vec![wanted("t")]))
            .with_allow_auto_topic_creation(create);
        let answer = client.call(12, &request);
        (answer.topics[0].error_code, answer.topics[0].partitions.len())
    };
    assert_eq!(ask(false), (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0, 0));
    assert_eq!(ask(true), (0, 1));
    assert_eq!(ask(false), (0, 1));
    let all = client.call(12, &MetadataRequest::default().with_topics(None));
    assert_eq!(all.topics.len(), 1);
    let bad = client.call(12, &MetadataRequest::default().with_topics(Some(vec![wanted("a b")])));
    assert_eq!(bad.topics[0].error_code, ErrorCode::INVALID_TOPIC_EXCEPTION.0);
}

#[test]
fn what_is_produced_is_fetched_with_its_offsets_in_every_codec() {
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    let codecs =
        [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];
    for (at, compression) in (0..).zip(codecs) {
        let options = BatchOptions { compression, ..BatchOptions::default() };
        let answer = client.produce("t", 0, batch_with(&["a", "b"], options, 1000).into_bytes());
        assert_eq!((answer.error_code, answer.base_offset), (0, at * 2));
    }
    let part = client.fetch("t", 0, 3);
    assert_eq!((part.error_code, part.high_watermark, part.last_stable_offset), (0, 10, 10));
    // The batch that holds offset 3 begins at 2; readers trim.
    let got = rows(part.records.as_deref().unwrap());
    assert_eq!(got.first(), Some(&(2, "a".to_owned())));
    assert_eq!(got.last(), Some(&(9, "b".to_owned())));
    assert_eq!(client.fetch("t", 0, 11).error_code, ErrorCode::OFFSET_OUT_OF_RANGE.0);
    assert_eq!(client.fetch("t", 1, 0).error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0);
    assert_eq!(client.fetch("u", 0, 0).error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0);
}

#[test]
fn a_first_batch_above_the_bound_comes_whole_and_later_ones_are_cut() {
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    for _ in 0..3 {
        client.produce("t", 0, batch(&["0123456789"]).into_bytes());
    }
    let size = batch(&["0123456789"]).len();
    let sizes = |max| {
        let mut request = fetch_request("t", 0, 0);
        request.topics[0].partitions[0].partition_max_bytes = max;
        client.call(12, &request).responses[0].partitions[0].records.as_ref().unwrap().len()
    };
    assert_eq!(sizes(1), size);
    assert_eq!(sizes(i32::try_from(size).unwrap() + 5), size + 5);
    assert_eq!(sizes(1 << 20), 3 * size);
}

#[test]
fn a_fetch_waits_for_bytes_or_time() {
    let mut client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    let request = fetch_request("t", 0, 0).with_min_bytes(1).with_max_wait_ms(500);
    let waiting = parked(client.send(12, &request));
    client.produce("t", 0, batch(&["x"]).into_bytes());
    assert!(client.was_woken());
    let answer = decode::<kafka_protocol::messages::FetchRequest>(12, client.resume(waiting));
    assert_eq!(rows(answer.responses[0].partitions[0].records.as_deref().unwrap()).len(), 1);

    let request = fetch_request("t", 0, 1).with_min_bytes(1).with_max_wait_ms(500);
    let waiting = parked(client.send(12, &request));
    assert_eq!(waiting.deadline(), client.now.elapsed + std::time::Duration::from_millis(500));
    client.pass(499);
    let waiting = parked(client.resume(waiting));
    client.pass(1);
    let answer = decode::<kafka_protocol::messages::FetchRequest>(12, client.resume(waiting));
    assert_eq!(answer.responses[0].partitions[0].records.as_ref().unwrap().len(), 0);
}

#[test]
fn offsets_are_found_by_time_record_by_record() {
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    client.produce("t", 0, batch_with(&["a", "b", "c"], BatchOptions::default(), 1000).into_bytes());
    client.produce("t", 0, batch_with(&["d", "e"], BatchOptions::default(), 500).into_bytes());
    assert_eq!(list(&client, "t", -2), (0, -1, 0));
    assert_eq!(list(&client, "t", -1), (5, -1, 0));
    assert_eq!(list(&client, "t", -3), (2, 1002, 0));
    assert_eq!(list(&client, "t", 1001), (1, 1001, 0));
    assert_eq!(list(&client, "t", 0), (0, 1000, 0));
    assert_eq!(list(&client, "t", 2000), (-1, -1, 0));
    assert_eq!(list(&client, "u", -1).2, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0);
}

#[test]
fn bad_batches_are_refused_with_kafkas_codes() {
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[("max.message.bytes", "200")]).unwrap();
    let produce = |bytes: Vec<u8>| ErrorCode(client.produce("t", 0, bytes.into()).error_code);
    let good = batch(&["x"]).into_bytes().to_vec();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(produce(flipped), ErrorCode::CORRUPT_MESSAGE);
    assert_eq!(produce([good.clone(), good.clone()].concat()), ErrorCode::INVALID_RECORD);
    assert_eq!(produce(Vec::new()), ErrorCode::INVALID_RECORD);
    assert_eq!(
        produce(batch(&["x".repeat(300).as_str()]).into_bytes().to_vec()),
        ErrorCode::MESSAGE_TOO_LARGE
    );
    let future = batch_with(&["x"], BatchOptions::default(), TODAY_MS + 7_200_000);
    assert_eq!(produce(future.into_bytes().to_vec()), ErrorCode::INVALID_TIMESTAMP);
    assert_eq!(produce(good), ErrorCode::NONE);
    assert_eq!(client.broker.offsets("t", 0).unwrap(), (0, 1));
}

#[test]
fn repeated_batches_are_answered_and_gaps_refused() {
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    let send = |sequence: i32, epoch: i16| {
        let mut encoded = batch(&["x", "y"]);
        encoded.stamp(40, epoch, sequence);
        let answer = client.produce("t", 0, encoded.into_bytes());
        (answer.error_code, answer.base_offset)
    };
    assert_eq!(send(0, 0), (0, 0));
    assert_eq!(send(2, 0), (0, 2));
    assert_eq!(send(0, 0), (0, 0));
    assert_eq!(send(6, 0), (ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER.0, -1));
    assert_eq!(send(3, 1), (ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER.0, -1));
    assert_eq!(send(0, 1), (0, 4));
    assert_eq!(send(4, 0), (ErrorCode::INVALID_PRODUCER_EPOCH.0, -1));
    assert_eq!(client.broker.offsets("t", 0).unwrap().1, 6);
}

#[test]
fn log_append_time_replaces_the_producers_time() {
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[("message.timestamp.type", "LogAppendTime")]).unwrap();
    assert_eq!(client.produce("t", 0, batch(&["x"]).into_bytes()).log_append_time_ms, TODAY_MS);
    assert_eq!(list(&client, "t", 5000), (0, TODAY_MS, 0));
}

#[test]
fn acks_zero_is_silent_and_closes_on_refusal() {
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    let request = produce_request("t", 0, batch(&["x"]).into_bytes()).with_acks(0);
    assert!(matches!(client.send(9, &request), Answer::Silent));
    let request = produce_request("u", 0, batch(&["x"]).into_bytes()).with_acks(0);
    assert!(matches!(client.send(9, &request), Answer::Close));
}

#[test]
fn the_wrong_node_names_the_right_one() {
    let broker = broker(BrokerOptions { nodes: 3, ..BrokerOptions::default() });
    broker.create_topic("t", 3, &[]).unwrap();
    assert_eq!((0..3).map(|p| broker.leader("t", p).unwrap().0).collect::<Vec<_>>(), [1, 2, 3]);
    let (first, second) = (TestClient::of(&broker, 1), TestClient::of(&broker, 2));
    assert_eq!(first.produce("t", 0, batch(&["x"]).into_bytes()).error_code, 0);
    broker.move_leader("t", 0, 2).unwrap();
    let answer = first.call(10, &produce_request("t", 0, batch(&["x"]).into_bytes()));
    let part = &answer.responses[0].partition_responses[0];
    assert_eq!(part.error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER.0);
    assert_eq!((part.current_leader.leader_id.0, part.current_leader.leader_epoch), (2, 1));
    assert_eq!(answer.node_endpoints[0].node_id.0, 2);
    assert_eq!(second.produce("t", 0, batch(&["x"]).into_bytes()).base_offset, 1);
    let mut stale = fetch_request("t", 0, 0);
    stale.topics[0].partitions[0].current_leader_epoch = 0;
    let answer = second.call(12, &stale);
    assert_eq!(answer.responses[0].partitions[0].error_code, ErrorCode::FENCED_LEADER_EPOCH.0);
}

#[test]
fn topics_are_checked_before_they_are_made() {
    let client = TestClient::new();
    let create = |name: &str, partitions: i32, replication: i16, config: Option<(&str, &str)>| {
        let entry = |(name, value): (&str, &str)| {
            CreatableTopicConfig::default().with_name(text(name)).with_value(Some(text(value)))
        };
        let topic = CreatableTopic::default()
            .with_name(TopicName(text(name)))
            .with_num_partitions(partitions)
            .with_replication_factor(replication)
            .with_configs(config.map(entry).into_iter().collect());
        let answer = client.call(7, &CreateTopicsRequest::default().with_topics(vec![topic]));
        ErrorCode(answer.topics[0].error_code)
    };
    assert_eq!(create("t", 2, 1, Some(("retention.ms", "1000"))), ErrorCode::NONE);
    assert_eq!(create("t", 2, 1, None), ErrorCode::TOPIC_ALREADY_EXISTS);
    assert_eq!(create("u", 0, 1, None), ErrorCode::INVALID_PARTITIONS);
    assert_eq!(create("u", 1, 2, None), ErrorCode::INVALID_REPLICATION_FACTOR);
    assert_eq!(create("u", 1, 1, Some(("retention", "1"))), ErrorCode::INVALID_CONFIG);
    assert_eq!(create("u/v", 1, 1, None), ErrorCode::INVALID_TOPIC_EXCEPTION);
}

#[test]
fn faults_answer_drop_and_damage() {
    let client = TestClient::new();
    client.broker.create_topic("t", 1, &[]).unwrap();
    let rule = client.broker.on(ApiKey::FETCH, |_| Act::Error(ErrorCode::NOT_LEADER_OR_FOLLOWER));
    assert_eq!(client.fetch("t", 0, 0).error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER.0);
    rule.remove();
    client.broker.on(ApiKey::METADATA, |_| Act::Drop);
    assert!(matches!(client.send(12, &MetadataRequest::default()), Answer::Close));
    let cut = client.broker.on(ApiKey::API_VERSIONS, |_| Act::CloseAfter(3));
    match client.send(3, &ApiVersionsRequest::default()) {
        Answer::Reply(reply) => assert_eq!((reply.bytes.len(), reply.close), (3, true)),
        _ => panic!("no reply"),
    }
    assert_eq!((rule.hits(), cut.hits()), (1, 1));
    client.produce("t", 0, batch(&["x"]).into_bytes());
    assert!(client.broker.damage_batch("t", 0, 0).unwrap());
    let part = client.fetch("t", 0, 0);
    let found = millstream_protocol::records::Batches::new(part.records.as_deref().unwrap()).next();
    assert!(found.unwrap().unwrap().verify_crc().is_err());
}

#[test]
fn what_is_asked_for_many_times_in_one_request_is_looked_up_once() {
    let client = TestClient::new();
    client.broker.create_topic("t", 100, &[]).unwrap();
    let request = MetadataRequest::default().with_topics(Some(vec![wanted("t"); 1000]));
    assert_eq!(client.call(9, &request).topics.len(), 1);
    let partition = ListOffsetsPartition::default().with_timestamp(0).with_current_leader_epoch(-1);
    let topic = ListOffsetsTopic::default().with_name(TopicName(text("t"))).with_partitions(vec![
        partition.clone(),
        partition.clone().with_partition_index(1),
        partition,
    ]);
    let answer = client.call(7, &ListOffsetsRequest::default().with_topics(vec![topic]));
    let codes: Vec<i16> = answer.topics[0].partitions.iter().map(|part| part.error_code).collect();
    assert_eq!(codes, [0, 0, ErrorCode::INVALID_REQUEST.0]);
}

#[test]
fn all_topics_together_have_a_bounded_number_of_partitions() {
    let client = TestClient::new();
    let topic = |number: i32| {
        let name = TopicName(text(format!("t{number}")));
        CreatableTopic::default().with_name(name).with_num_partitions(10_000).with_replication_factor(-1)
    };
    let request = CreateTopicsRequest::default().with_topics((0..12).map(topic).collect());
    let answer = client.call(7, &request);
    let codes: Vec<i16> = answer.topics.iter().map(|topic| topic.error_code).collect();
    assert_eq!((&codes[..10], &codes[10..]), (&[0; 10][..], &[ErrorCode::POLICY_VIOLATION.0; 2][..]));
    assert!(answer.topics[11].error_message.as_ref().unwrap().contains("delete topics first"));
    client.broker.delete_topic("t0").unwrap();
    client.broker.create_topic("again", 10_000, &[]).unwrap();
}
