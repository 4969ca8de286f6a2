//! The native walker of fetch responses against `kafka-protocol` behind the schema walk: both refuse, or both
//! read the same.
//!
//! Input: version (1 byte), the frame.

use bytes::Bytes;
use millstream_protocol::fetch::{FetchResponse, FetchedPartition};
use millstream_protocol::messages::kp;
use millstream_protocol::{ApiKey, Limits, messages};

use crate::input::Input;

/// See the module.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let (lowest, highest) = messages::supported_versions(ApiKey::FETCH).expect("it has a schema");
    let version = lowest + i16::from(input.byte()) % (highest - lowest + 1);
    let frame = Bytes::copy_from_slice(input.rest());
    let limits = Limits::default();
    let ours = FetchResponse::decode(frame.clone(), version, &limits);
    let theirs =
        messages::decode_response::<kp::FetchResponse>(ApiKey::FETCH, version, frame.clone(), &limits);
    let (ours, (correlation, theirs)) = match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => (ours, theirs),
        // The walk knows fields that the native walker passes over: it may refuse more, never less.
        (Ok(_), Err(_)) | (Err(_), Err(_)) => return,
        (Err(error), Ok(theirs)) => panic!("refused: {error}, but it is {theirs:?}"),
    };
    assert_eq!((ours.correlation_id, ours.throttle_ms), (correlation, theirs.throttle_time_ms));
    assert_eq!((ours.error.0, ours.session_id), (theirs.error_code, theirs.session_id));
    assert_eq!(ours.topics.len(), theirs.responses.len());
    assert_eq!(ours.node_endpoints.len(), theirs.node_endpoints.len());
    for (ours, theirs) in ours.topics.iter().zip(&theirs.responses) {
        assert_eq!(ours.name.as_deref().unwrap_or_default(), theirs.topic.as_str());
        assert_eq!(ours.id, theirs.topic_id);
        assert_eq!(ours.partitions.len(), theirs.partitions.len());
        for (ours, theirs) in ours.partitions.iter().zip(&theirs.partitions) {
            same_partition(ours, theirs, &frame);
        }
    }
}

fn same_partition(ours: &FetchedPartition, theirs: &kp::fetch_response::PartitionData, frame: &Bytes) {
    assert_eq!((ours.partition, ours.error.0), (theirs.partition_index, theirs.error_code));
    assert_eq!(ours.high_watermark, theirs.high_watermark);
    assert_eq!(ours.last_stable_offset.unwrap_or(-1), theirs.last_stable_offset.max(-1));
    assert_eq!(ours.log_start_offset.unwrap_or(-1), theirs.log_start_offset.max(-1));
    let aborted = theirs.aborted_transactions.as_deref().unwrap_or_default();
    assert_eq!(ours.aborted.len(), aborted.len());
    for (ours, theirs) in ours.aborted.iter().zip(aborted) {
        assert_eq!((ours.first_offset, ours.producer_id), (theirs.first_offset, theirs.producer_id.0));
    }
    assert_eq!(ours.preferred_read_replica.unwrap_or(-1), theirs.preferred_read_replica.0.max(-1));
    assert_eq!(ours.records, theirs.records.clone().unwrap_or_default());
    let range = frame.as_ptr_range();
    assert!(
        ours.records.is_empty() || range.contains(&ours.records.as_ptr()),
        "records are a slice of the frame"
    );
}
