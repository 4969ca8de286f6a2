//! A client for tests: encodes a request, hands it to the broker on virtual time, decodes the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::PartitionProduceResponse;
use kafka_protocol::messages::{FetchRequest, ProduceRequest, TopicName};
use kafka_protocol::protocol::Request;
use millstream_protocol::messages;
use millstream_protocol::records::{BatchBuilder, BatchOptions, Batches, EncodedBatch};
use millstream_protocol::{ApiKey, Limits};

use crate::api::text;
use crate::{Answer, Broker, BrokerOptions, Connection, Now, Parked};

/// A waker that remembers whether it was woken.
#[derive(Default)]
pub(crate) struct Bell(AtomicBool);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

pub(crate) struct TestClient {
    pub(crate) broker: Broker,
    pub(crate) connection: Connection,
    pub(crate) now: Now,
    pub(crate) bell: Arc<Bell>,
}

/// 2026-11-21.
pub(crate) const TODAY_MS: i64 = 1_795_219_200_000;

pub(crate) fn broker(options: BrokerOptions) -> Broker {
    Broker::new(BrokerOptions { seed: Some(7), ..options }).unwrap()
}

impl TestClient {
    /// A client of a fresh broker in memory.
    pub(crate) fn new() -> Self {
        Self::of(&broker(BrokerOptions::default()), 1)
    }

    pub(crate) fn of(broker: &Broker, node: i32) -> Self {
        let now = Now { elapsed: Duration::from_secs(1), unix_ms: TODAY_MS };
        Self { broker: broker.clone(), connection: broker.connect(node, "/test"), now, bell: Arc::default() }
    }

    pub(crate) fn pass(&mut self, millis: u64) {
        self.now.elapsed += Duration::from_millis(millis);
        self.now.unix_ms += i64::try_from(millis).unwrap();
    }

    pub(crate) fn was_woken(&self) -> bool {
        self.bell.0.swap(false, Ordering::SeqCst)
    }

    pub(crate) fn send<R: Request>(&self, version: i16, request: &R) -> Answer {
        let frame = messages::encode_request(5, Some("test"), version, request).unwrap();
        let waker = Waker::from(self.bell.clone());
        self.broker.handle(&self.connection, frame.slice(4..), self.now, &waker)
    }

    pub(crate) fn resume(&self, parked: Parked) -> Answer {
        self.broker.resume(parked, &self.connection, self.now, &Waker::from(self.bell.clone()))
    }

    /// Sends a request that is answered at once.
    pub(crate) fn call<R: Request>(&self, version: i16, request: &R) -> R::Response {
        decode::<R>(version, self.send(version, request))
    }

    pub(crate) fn produce(&self, topic: &str, partition: i32, batch: Bytes) -> PartitionProduceResponse {
        let response = self.call(9, &produce_request(topic, partition, batch));
        response.responses[0].partition_responses[0].clone()
    }

    pub(crate) fn fetch(&self, topic: &str, partition: i32, offset: i64) -> PartitionData {
        self.call(12, &fetch_request(topic, partition, offset)).responses[0].partitions[0].clone()
    }
}

/// The response in a reply.
pub(crate) fn decode<R: Request>(version: i16, answer: Answer) -> R::Response {
    match answer {
        Answer::Reply(reply) => {
            let frame = reply.bytes.slice(4..);
            messages::decode_response(ApiKey(R::KEY), version, frame, &Limits::default()).unwrap().1
        }
        Answer::Silent => panic!("silence"),
        Answer::Parked(_) => panic!("parked"),
        Answer::Close => panic!("closed"),
    }
}

/// What waits.
pub(crate) fn parked(answer: Answer) -> Parked {
    match answer {
        Answer::Parked(parked) => parked,
        _ => panic!("not parked"),
    }
}

/// A batch with these values, timestamps 1000, 1001, ...
pub(crate) fn batch(values: &[&str]) -> EncodedBatch {
    batch_with(values, BatchOptions::default(), 1000)
}

pub(crate) fn batch_with(values: &[&str], options: BatchOptions, first_timestamp: i64) -> EncodedBatch {
    let mut builder = BatchBuilder::new(options);
    for (at, value) in (first_timestamp..).zip(values) {
        builder.append(at, None, Some(value.as_bytes()), &[]).unwrap();
    }
    builder.finish().unwrap()
}

pub(crate) fn produce_request(topic: &str, partition: i32, batch: Bytes) -> ProduceRequest {
    let data = PartitionProduceData::default().with_index(partition).with_records(Some(batch));
    let topic = TopicProduceData::default().with_name(TopicName(text(topic))).with_partition_data(vec![data]);
    ProduceRequest::default().with_acks(-1).with_timeout_ms(1000).with_topic_data(vec![topic])
}

pub(crate) fn fetch_request(topic: &str, partition: i32, offset: i64) -> FetchRequest {
    let wanted = FetchPartition::default()
        .with_partition(partition)
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_topic(TopicName(text(topic))).with_partitions(vec![wanted]);
    FetchRequest::default().with_max_bytes(1 << 24).with_topics(vec![topic])
}

/// Offset and value of every record that is not a marker.
pub(crate) fn rows(records: &[u8]) -> Vec<(i64, String)> {
    let mut rows = Vec::new();
    for batch in Batches::new(records) {
        let batch = batch.unwrap();
        batch.verify_crc().unwrap();
        let mut scratch = Vec::new();
        for record in batch.records(1 << 20, &mut scratch).unwrap() {
            let record = record.unwrap();
            if !batch.header.is_control() {
                let value = String::from_utf8(record.value.unwrap_or_default().to_vec()).unwrap();
                rows.push((record.offset, value));
            }
        }
    }
    rows
}
