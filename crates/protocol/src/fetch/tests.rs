//! The walker against responses that `kafka-protocol` wrote, cut and damaged.

use bytes::Bytes;
use kafka_protocol::messages::fetch_response as kp;
use kafka_protocol::messages::{BrokerId, FetchResponse as KpResponse, ProducerId, TopicName};
use kafka_protocol::protocol::StrBytes;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::{messages, schema};

fn text(text: &'static str) -> StrBytes {
    StrBytes::from_static_str(text)
}

/// A frame without its length, as a broker would send it in this version.
fn response(version: i16) -> Bytes {
    let partition = |index: i32| {
        let mut data = kp::PartitionData::default()
            .with_partition_index(index)
            .with_error_code(if index == 2 { 6 } else { 0 })
            .with_high_watermark(100)
            .with_last_stable_offset(if index == 1 { -1 } else { 90 })
            .with_records(if index == 1 { None } else { Some(Bytes::from(vec![index as u8; 40])) });
        let aborted = kp::AbortedTransaction::default().with_producer_id(ProducerId(9)).with_first_offset(55);
        data = data.with_aborted_transactions(if index == 1 { None } else { Some(vec![aborted]) });
        if version >= 5 {
            data = data.with_log_start_offset(7);
        }
        if version >= 11 && index == 2 {
            data = data.with_preferred_read_replica(BrokerId(4));
        }
        if version >= 12 && index == 2 {
            data.current_leader.leader_id = BrokerId(3);
            data.current_leader.leader_epoch = 12;
            data.diverging_epoch.epoch = 5;
            data.diverging_epoch.end_offset = 44;
        }
        data
    };
    let mut topic = kp::FetchableTopicResponse::default().with_partitions((0..3).map(partition).collect());
    match version {
        13.. => topic.topic_id = Uuid::from_u128(7),
        _ => topic.topic = TopicName(text("orders")),
    }
    let mut body = KpResponse::default().with_throttle_time_ms(20).with_responses(vec![topic]);
    if version >= 7 {
        body = body.with_session_id(77);
    }
    if version >= 16 {
        let node = kp::NodeEndpoint::default().with_node_id(BrokerId(3)).with_host(text("h")).with_port(9092);
        body = body.with_node_endpoints(vec![node.with_rack(Some(text("r")))]);
    }
    messages::encode_response(1234, ApiKey::FETCH, version, &body).unwrap().slice(4..)
}

#[test]
fn every_version_is_read_as_it_was_written_and_the_records_are_slices_of_the_frame() {
    for version in 4..=18 {
        let frame = response(version);
        let read = FetchResponse::decode(frame.clone(), version, &Limits::default()).unwrap();
        assert_eq!((read.correlation_id, read.throttle_ms, read.error), (1234, 20, ErrorCode::NONE));
        assert_eq!(read.session_id, if version >= 7 { 77 } else { 0 });
        let topic = &read.topics[0];
        assert_eq!(topic.name.as_deref(), (version < 13).then_some("orders"));
        assert_eq!(topic.id, Uuid::from_u128(if version < 13 { 0 } else { 7 }));
        let first = &topic.partitions[0];
        assert_eq!((first.partition, first.high_watermark, first.last_stable_offset), (0, 100, Some(90)));
        assert_eq!(first.log_start_offset, (version >= 5).then_some(7));
        assert_eq!(first.aborted, [AbortedTransaction { first_offset: 55, producer_id: 9 }]);
        assert_eq!(&first.records[..], &[0; 40]);
        assert!(frame.as_ptr_range().contains(&first.records.as_ptr()), "v{version} copied the records");
        let second = &topic.partitions[1];
        assert!(
            second.records.is_empty() && second.aborted.is_empty() && second.last_stable_offset.is_none()
        );
        let third = &topic.partitions[2];
        assert_eq!(third.error, ErrorCode::NOT_LEADER_OR_FOLLOWER);
        assert_eq!(third.preferred_read_replica, (version >= 11).then_some(4));
        let leader = LeaderAndEpoch { leader: 3, epoch: 12 };
        assert_eq!(third.current_leader, (version >= 12).then_some(leader));
        let diverging = EpochEndOffset { epoch: 5, end_offset: 44 };
        assert_eq!(third.diverging_epoch, (version >= 12).then_some(diverging));
        assert_eq!(read.node_endpoints.len(), usize::from(version >= 16));
        assert!(read.node_endpoints.iter().all(|node| (node.host.as_str(), node.port) == ("h", 9092)));
    }
    for version in [3, 19, -1] {
        let error = FetchResponse::decode(Bytes::new(), version, &Limits::default()).unwrap_err();
        assert_eq!(error, Error::UnsupportedApi { api: ApiKey::FETCH, version });
    }
}

#[test]
fn a_response_cut_anywhere_is_an_error_that_names_message_and_place() {
    for version in 4..=18 {
        let frame = response(version);
        for cut in 0..frame.len() {
            let error = FetchResponse::decode(frame.slice(..cut), version, &Limits::default()).unwrap_err();
            assert!(
                error.poisons_connection() && error.to_string().contains("Fetch v"),
                "v{version} {cut}: {error}"
            );
        }
        let more = [&frame[..], &[0]].concat();
        assert!(
            FetchResponse::decode(more.into(), version, &Limits::default()).is_err(),
            "case 6, v{version}"
        );
    }
}

#[test]
fn damaged_responses_never_panic_and_agree_with_the_table() {
    let mut random = StdRng::seed_from_u64(1);
    let limits = Limits::default();
    let mut good = 0;
    for version in 4..=18 {
        let frame = response(version);
        for _ in 0..400 {
            let mut bytes = frame.to_vec();
            let at = random.random_range(4..bytes.len());
            bytes[at] = [0, 1, 0x7f, 0x80, 0xff, random.random()][random.random_range(0..6)];
            let header = 4 + usize::from(version >= FLEXIBLE);
            let walk =
                schema::walk(ApiKey::FETCH, version, schema::Direction::Response, &bytes[header..], &limits);
            let decoded = FetchResponse::decode(bytes.into(), version, &limits);
            // The header's own tags are not in the table, and the walker passes over the snapshot id.
            if at >= header && walk.is_ok() {
                assert!(decoded.is_ok(), "v{version} byte {at}: {decoded:?}");
                good += 1;
            }
        }
    }
    assert!(good > 1000);
}

#[test]
fn cases_7_and_12_a_huge_count_and_a_name_that_is_not_text_are_errors() {
    let limits = Limits::default();
    let classic = [&[0; 4][..], &[0; 4], &i32::MAX.to_be_bytes()].concat();
    assert!(FetchResponse::decode(classic.into(), 4, &limits).is_err());
    let compact = [&[0; 4][..], &[0], &[0; 4], &[0; 2], &[0; 4], &[0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
    assert!(FetchResponse::decode(compact.into(), 12, &limits).is_err());
    let name = [&[0; 8][..], &[0, 0, 0, 1], &[0, 2, 0xc3, 0x28], &[0; 4]].concat();
    assert!(FetchResponse::decode(name.into(), 4, &limits).unwrap_err().to_string().contains("UTF-8"));
}
