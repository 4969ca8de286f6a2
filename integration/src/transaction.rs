//! A transactional producer of the smallest kind, for the cases that need open, committed and aborted transactions.
//!
//! The client crate has no transactions yet; this one speaks the five requests over one blocking socket to one
//! broker, which leads every partition and coordinates every transaction (a single-node cluster).

use bytes::Bytes;
use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{
    AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, BrokerId, EndTxnRequest, EndTxnResponse,
    InitProducerIdRequest, InitProducerIdResponse, ListOffsetsRequest, ListOffsetsResponse, ProduceResponse,
    ProducerId, TopicName, TransactionalId,
};
use kafka_protocol::protocol::{Decodable, HeaderVersion, Message, Request, StrBytes};
use millstream_protocol::ids::ApiKey;
use millstream_protocol::produce::{ProduceRequest, TopicBatches};
use millstream_protocol::records::{BatchBuilder, BatchOptions};
use millstream_protocol::{Limits, messages};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Versions that 3.9.1, 4.3.1 and the embedded broker all serve: transactions before KIP-890, which add partitions
/// explicitly.
const INIT_PRODUCER_ID: i16 = 4;
const ADD_PARTITIONS: i16 = 3;
const END: i16 = 3;
const PRODUCE: i16 = 9;
const LIST_OFFSETS: i16 = 6;

const COORDINATOR_DEADLINE: Duration = Duration::from_secs(30);

/// One record to send.
pub struct Record {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its timestamp in milliseconds.
    pub timestamp: i64,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
}

/// A producer with a transactional id.
pub struct TransactionalProducer {
    socket: TcpStream,
    id: String,
    producer_id: i64,
    epoch: i16,
    sequences: HashMap<(String, i32), i32>,
    added: Vec<(String, i32)>,
    correlation: i32,
}

impl TransactionalProducer {
    /// Connects and takes the id over, which aborts what an earlier producer of that id left open.
    pub fn start(bootstrap: &str, id: &str) -> Result<Self, String> {
        let socket = TcpStream::connect(bootstrap).map_err(|error| format!("{bootstrap}: {error}"))?;
        let _ = socket.set_read_timeout(Some(COORDINATOR_DEADLINE));
        let (sequences, added) = (HashMap::new(), Vec::new());
        let mut producer =
            Self { socket, id: id.into(), producer_id: -1, epoch: -1, sequences, added, correlation: 0 };
        let start = Instant::now();
        loop {
            let request = InitProducerIdRequest::default()
                .with_transactional_id(Some(producer.transactional_id()))
                .with_transaction_timeout_ms(60_000);
            let answer: InitProducerIdResponse =
                producer.ask(ApiKey::INIT_PRODUCER_ID, INIT_PRODUCER_ID, &request)?;
            if answer.error_code == 0 {
                (producer.producer_id, producer.epoch) = (answer.producer_id.0, answer.producer_epoch);
                return Ok(producer);
            }
            // The coordinator of a fresh cluster is not there at once (codes 14, 15, 16, 51 are retriable).
            if start.elapsed() > COORDINATOR_DEADLINE {
                return Err(format!("no producer id for {id}: error {}", answer.error_code));
            }
            producer.find_coordinator()?;
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Sends records in the open transaction, which the first of them opens.
    pub fn produce(&mut self, records: &[Record]) -> Result<(), String> {
        for record in records {
            self.add_partition(&record.topic, record.partition)?;
            let mut builder =
                BatchBuilder::new(BatchOptions { is_transactional: true, ..BatchOptions::default() });
            builder
                .append(record.timestamp, record.key.as_deref(), record.value.as_deref(), &[])
                .map_err(|error| error.to_string())?;
            let mut batch = builder.finish().map_err(|error| error.to_string())?;
            let sequence = self.sequences.entry((record.topic.clone(), record.partition)).or_default();
            batch.stamp(self.producer_id, self.epoch, *sequence);
            *sequence += 1;
            self.send(&record.topic, record.partition, batch.into_bytes())?;
        }
        Ok(())
    }

    /// Ends the open transaction.
    pub fn end(&mut self, commit: bool) -> Result<(), String> {
        let request = EndTxnRequest::default()
            .with_transactional_id(self.transactional_id())
            .with_producer_id(ProducerId(self.producer_id))
            .with_producer_epoch(self.epoch)
            .with_committed(commit);
        let touched = std::mem::take(&mut self.added);
        let ends = touched.iter().map(|place| self.log_end(place)).collect::<Result<Vec<_>, _>>()?;
        self.retry("EndTxn", |producer| {
            let answer: EndTxnResponse = producer.ask(ApiKey::END_TXN, END, &request)?;
            Ok(answer.error_code)
        })?;
        // The coordinator answers before the markers are in the logs; a reader sees the end only with them.
        let start = Instant::now();
        for (place, end) in touched.iter().zip(ends) {
            while self.log_end(place)? <= end {
                if start.elapsed() > COORDINATOR_DEADLINE {
                    return Err(format!("no marker of {} in {}-{}", self.id, place.0, place.1));
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        Ok(())
    }

    /// The offset behind the last record of a partition, markers included.
    fn log_end(&mut self, place: &(String, i32)) -> Result<i64, String> {
        const LATEST: i64 = -1;
        let partition = ListOffsetsPartition::default().with_partition_index(place.1).with_timestamp(LATEST);
        let topic = ListOffsetsTopic::default()
            .with_name(TopicName(StrBytes::from_string(place.0.clone())))
            .with_partitions(vec![partition]);
        let request = ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(vec![topic]);
        let answer: ListOffsetsResponse = self.ask(ApiKey::LIST_OFFSETS, LIST_OFFSETS, &request)?;
        let found = answer.topics.iter().flat_map(|topic| &topic.partitions).next();
        found.map(|found| found.offset).ok_or_else(|| format!("no end of {}-{}", place.0, place.1))
    }

    fn transactional_id(&self) -> TransactionalId {
        TransactionalId(StrBytes::from_string(self.id.clone()))
    }

    fn find_coordinator(&mut self) -> Result<(), String> {
        let request = kafka_protocol::messages::FindCoordinatorRequest::default()
            .with_key_type(1)
            .with_key(StrBytes::from_string(self.id.clone()));
        let _: kafka_protocol::messages::FindCoordinatorResponse =
            self.ask(ApiKey::FIND_COORDINATOR, 3, &request)?;
        Ok(())
    }

    fn add_partition(&mut self, topic: &str, partition: i32) -> Result<(), String> {
        if self.added.iter().any(|(name, number)| name == topic && *number == partition) {
            return Ok(());
        }
        let named = AddPartitionsToTxnTopic::default()
            .with_name(TopicName(StrBytes::from_string(topic.into())))
            .with_partitions(vec![partition]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(self.transactional_id())
            .with_v3_and_below_producer_id(ProducerId(self.producer_id))
            .with_v3_and_below_producer_epoch(self.epoch)
            .with_v3_and_below_topics(vec![named]);
        self.retry("AddPartitionsToTxn", |producer| {
            let answer: AddPartitionsToTxnResponse =
                producer.ask(ApiKey::ADD_PARTITIONS_TO_TXN, ADD_PARTITIONS, &request)?;
            let results =
                answer.results_by_topic_v3_and_below.iter().flat_map(|topic| &topic.results_by_partition);
            Ok(results.map(|result| result.partition_error_code).find(|code| *code != 0).unwrap_or_default())
        })?;
        self.added.push((topic.into(), partition));
        Ok(())
    }

    /// CONCURRENT_TRANSACTIONS (51) and a loading coordinator (14) pass by waiting.
    fn retry(
        &mut self,
        what: &str,
        mut ask: impl FnMut(&mut Self) -> Result<i16, String>,
    ) -> Result<(), String> {
        let start = Instant::now();
        loop {
            match ask(self)? {
                0 => return Ok(()),
                14 | 51 if start.elapsed() < COORDINATOR_DEADLINE => {
                    std::thread::sleep(Duration::from_millis(20))
                }
                code => return Err(format!("{what} of {}: error {code}", self.id)),
            }
        }
    }

    fn send(&mut self, topic: &str, partition: i32, batch: Bytes) -> Result<(), String> {
        let id = self.id.clone();
        let topics =
            vec![TopicBatches { name: topic, id: Uuid::nil(), partitions: vec![(partition, batch)] }];
        let request = ProduceRequest { acks: -1, timeout_ms: 30_000, transactional_id: Some(&id), topics };
        self.correlation += 1;
        let frames = request.encode(self.correlation, None, PRODUCE).map_err(|error| error.to_string())?;
        for part in frames {
            self.socket.write_all(&part).map_err(|error| format!("Produce: {error}"))?;
        }
        let answer: ProduceResponse = self.answer(ApiKey::PRODUCE, PRODUCE)?;
        let mut results = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
        match results.find(|result| result.error_code != 0) {
            None => Ok(()),
            Some(result) => Err(format!("Produce to {topic}-{partition}: error {}", result.error_code)),
        }
    }

    fn ask<Q, A>(&mut self, api: ApiKey, version: i16, request: &Q) -> Result<A, String>
    where
        Q: Request,
        A: Decodable + HeaderVersion + Message,
    {
        self.correlation += 1;
        let frame =
            messages::encode_request(self.correlation, None, version, request).map_err(|e| e.to_string())?;
        self.socket.write_all(&frame).map_err(|error| format!("{api}: {error}"))?;
        self.answer(api, version)
    }

    fn answer<A: Decodable + HeaderVersion + Message>(
        &mut self,
        api: ApiKey,
        version: i16,
    ) -> Result<A, String> {
        let mut length = [0; 4];
        self.socket.read_exact(&mut length).map_err(|error| format!("{api}: {error}"))?;
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        self.socket.read_exact(&mut frame).map_err(|error| format!("{api}: {error}"))?;
        let decoded = messages::decode_response(api, version, Bytes::from(frame), &Limits::default());
        decoded.map(|(_, answer)| answer).map_err(|error| format!("{api}: {error}"))
    }
}
