//! The tables against `kafka-protocol`: bytes made from a table must mean the same there.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as kp;
use kafka_protocol::protocol::{Decodable, Encodable, Request};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::field::{Field, Kind, Schema};
use super::*;

/// Runs a generic function with the request type of every schema.
macro_rules! with_every_request {
    ($run:ident) => {
        $run::<kp::ProduceRequest>();
        $run::<kp::FetchRequest>();
        $run::<kp::ListOffsetsRequest>();
        $run::<kp::OffsetForLeaderEpochRequest>();
        $run::<kp::DeleteRecordsRequest>();
        $run::<kp::ApiVersionsRequest>();
        $run::<kp::MetadataRequest>();
        $run::<kp::DescribeClusterRequest>();
        $run::<kp::FindCoordinatorRequest>();
        $run::<kp::CreateTopicsRequest>();
        $run::<kp::DeleteTopicsRequest>();
        $run::<kp::CreatePartitionsRequest>();
        $run::<kp::ListPartitionReassignmentsRequest>();
        $run::<kp::DescribeConfigsRequest>();
        $run::<kp::AlterConfigsRequest>();
        $run::<kp::IncrementalAlterConfigsRequest>();
        $run::<kp::JoinGroupRequest>();
        $run::<kp::SyncGroupRequest>();
        $run::<kp::HeartbeatRequest>();
        $run::<kp::LeaveGroupRequest>();
        $run::<kp::ListGroupsRequest>();
        $run::<kp::DescribeGroupsRequest>();
        $run::<kp::DeleteGroupsRequest>();
        $run::<kp::OffsetCommitRequest>();
        $run::<kp::OffsetFetchRequest>();
        $run::<kp::OffsetDeleteRequest>();
        $run::<kp::InitProducerIdRequest>();
        $run::<kp::AddPartitionsToTxnRequest>();
        $run::<kp::AddOffsetsToTxnRequest>();
        $run::<kp::EndTxnRequest>();
        $run::<kp::WriteTxnMarkersRequest>();
        $run::<kp::TxnOffsetCommitRequest>();
        $run::<kp::DescribeTopicPartitionsRequest>();
        $run::<kp::DescribeLogDirsRequest>();
        $run::<kp::ElectLeadersRequest>();
        $run::<kp::ListConfigResourcesRequest>();
        $run::<kp::ConsumerGroupDescribeRequest>();
        $run::<kp::ListTransactionsRequest>();
        $run::<kp::DescribeTransactionsRequest>();
        $run::<kp::DescribeProducersRequest>();
    };
}

#[test]
fn kafka_protocol_reads_and_writes_what_the_tables_say_and_cut_messages_are_errors() {
    fn one<R: Request>() {
        let schema = schema(ApiKey(R::KEY)).unwrap();
        for version in schema.versions.0..=schema.versions.1 {
            for seed in 0..12 {
                agree::<R>(schema, version, Direction::Request, seed);
                agree::<R::Response>(schema, version, Direction::Response, seed);
            }
        }
    }
    with_every_request!(one);
    assert_eq!(FAMILIES.iter().map(|family| family.len()).sum::<usize>(), 40);
}

#[test]
fn bytes_that_pass_the_walk_never_make_kafka_protocol_panic() {
    fn one<R: Request>() {
        let schema = schema(ApiKey(R::KEY)).unwrap();
        for version in [schema.versions.0, schema.versions.1] {
            mutate::<R>(schema, version, Direction::Request);
            mutate::<R::Response>(schema, version, Direction::Response);
        }
    }
    with_every_request!(one);
}

#[test]
fn cases_7_to_12_counts_nulls_lengths_tags_and_text_are_checked() {
    let limits = Limits::default();
    let response = |version, body: &[u8]| walk(ApiKey::METADATA, version, Direction::Response, body, &limits);
    // Version 1: brokers, controller, topics.
    assert_eq!(response(1, &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]), Ok(()));
    assert!(response(1, &[0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0]).is_err(), "case 7, classic");
    assert!(response(1, &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 0]).is_err(), "case 8, null brokers");
    assert!(response(1, &[0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 1, 0, 0, 0, 0]).is_err(), "case 8, -2 brokers");
    assert!(response(1, &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 9]).is_err(), "case 6, a byte left over");
    // Version 9: throttle, brokers, cluster id, controller, topics, operations, tags.
    let compact = |tags: &[u8]| [&[0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0][..], tags].concat();
    assert_eq!(response(9, &compact(&[0])), Ok(()));
    assert_eq!(response(9, &compact(&[2, 5, 1, 77, 6, 0])), Ok(()), "unknown tags are passed over");
    assert!(response(9, &[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f]).is_err(), "case 7, compact");
    assert!(response(9, &[0, 0, 0, 0, 0x81, 0x80, 0x80, 0x80, 0x80, 0]).is_err(), "case 10, overlong");
    assert!(response(9, &compact(&[0xff, 0xff, 0xff, 0xff, 0x0f])).is_err(), "case 11, 2^32 tags");
    assert!(response(9, &compact(&[1, 5, 9, 0])).is_err(), "case 11, a tag longer than the message");
    assert!(response(9, &compact(&[2, 5, 0, 5, 0])).is_err(), "case 11, a tag twice");
    assert!(response(9, &compact(&[2, 5, 0, 4, 0])).is_err(), "case 11, tags out of order");
    let tag = |highest: u8| response(9, &compact(&[1, 0xff, 0xff, 0xff, 0xff, highest, 0]));
    assert_eq!(tag(0x07), Ok(()), "the highest tag of an int");
    assert!(tag(0x08).unwrap_err().to_string().contains("above 2147483647"), "a tag of more than an int");
    let tagged_epoch = |size: u8, bytes: &[u8]| {
        let body = [&[1, 0, 0, 0, 0, 1, 0, size][..], bytes, &[0]].concat();
        walk(ApiKey::API_VERSIONS, 3, Direction::Response, &[&[0, 0][..], &body].concat(), &limits)
    };
    assert!(tagged_epoch(200, &[]).is_err(), "case 11, a known tag of another size");
    // A topic whose name is not UTF-8, version 0 of the request.
    let request = |name: &[u8]| {
        let body = [&[0, 0, 0, 1, 0, name.len() as u8][..], name].concat();
        walk(ApiKey::METADATA, 0, Direction::Request, &body, &limits)
    };
    assert_eq!(request(b"topic"), Ok(()));
    assert!(request(&[0xff, 0xfe]).unwrap_err().to_string().contains("UTF-8"), "case 12");
    assert!(walk(ApiKey(-7), 0, Direction::Request, &[], &limits).is_err());
    assert!(walk(ApiKey::METADATA, 99, Direction::Request, &[], &limits).is_err());
}

#[test]
fn limits_on_text_structures_and_tags_hold() {
    let limits = Limits { string_bytes: 3, array_elements: 2, tagged_fields: 1, ..Limits::default() };
    let request = |version, body: &[u8]| walk(ApiKey::METADATA, version, Direction::Request, body, &limits);
    assert!(request(0, &[0, 0, 0, 1, 0, 4, b'a', b'b', b'c', b'd']).is_err());
    assert!(request(0, &[0, 0, 0, 3, 0, 1, b'a', 0, 1, b'b', 0, 1, b'c']).is_err());
    assert_eq!(request(0, &[0, 0, 0, 2, 0, 1, b'a', 0, 1, b'b']), Ok(()));
    assert!(request(9, &[1, 0, 0, 0, 2, 5, 0, 6, 0]).is_err());
    // Texts of two lists, one byte each: three in all.
    let limits = Limits { array_elements: 2, ..Limits::default() };
    let states = |first: u8, second: u8| {
        let list = |count: u8| [&[count + 1][..], &vec![1; usize::from(count)]].concat();
        let body = [list(first), list(second), vec![0]].concat();
        walk(ApiKey::LIST_GROUPS, 5, Direction::Request, &body, &limits)
    };
    assert_eq!(states(1, 1), Ok(()));
    assert!(states(2, 1).is_err());
}

/// Table to bytes, to struct, to bytes again.
fn agree<M: Encodable + Decodable>(schema: &Schema, version: i16, direction: Direction, seed: u64) {
    let what = format!("{} v{version} {direction:?} seed {seed}", schema.api);
    let bytes = sample(schema, version, direction, seed);
    let limits = Limits::default();
    walk(schema.api, version, direction, &bytes, &limits).unwrap_or_else(|error| panic!("{what}: {error}"));
    let mut rest = Bytes::from(bytes.clone());
    let message = M::decode(&mut rest, version).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(rest.is_empty(), "{what}: {} bytes are left over", rest.len());
    let mut written = BytesMut::new();
    message.encode(&mut written, version).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(written.as_ref(), bytes, "{what}");
    for cut in 0..bytes.len() {
        let error = walk(schema.api, version, direction, &bytes[..cut], &limits);
        assert!(error.is_err(), "{what}: cut at {cut} of {}", bytes.len());
    }
}

fn mutate<M: Encodable + Decodable>(schema: &Schema, version: i16, direction: Direction) {
    let mut random = StdRng::seed_from_u64(version as u64);
    let limits = Limits::default();
    for seed in 0..40 {
        let mut bytes = sample(schema, version, direction, seed);
        for _ in 0..20 {
            if bytes.is_empty() {
                break;
            }
            let at = random.random_range(0..bytes.len());
            bytes[at] = *[0, 1, 0x7f, 0x80, 0xff, random.random()].get(random.random_range(0..6)).unwrap();
            if walk(schema.api, version, direction, &bytes, &limits).is_ok() {
                let mut rest = Bytes::from(bytes.clone());
                let outcome = catch_unwind(AssertUnwindSafe(|| M::decode(&mut rest, version).map(|_| ())));
                let what = format!("{} v{version} {direction:?} {bytes:02x?}", schema.api);
                // It refuses tags that it knows from later versions; that is an error, not a panic.
                assert!(outcome.is_ok(), "{what}");
                assert!(rest.is_empty() || matches!(outcome, Ok(Err(_))), "{what}");
            }
        }
    }
}

/// Random bytes that follow the table.
fn sample(schema: &Schema, version: i16, direction: Direction, seed: u64) -> Vec<u8> {
    let mut maker =
        Maker { random: StdRng::seed_from_u64(seed), version, flexible: version >= schema.flexible };
    let mut out = Vec::new();
    let fields = if direction == Direction::Request { schema.request } else { schema.response };
    maker.structure(fields, &mut out);
    out
}

struct Maker {
    random: StdRng,
    version: i16,
    flexible: bool,
}

impl Maker {
    fn structure(&mut self, fields: &[Field], out: &mut Vec<u8>) {
        let present = fields.iter().filter(|field| field.is_present(self.version));
        let (tagged, plain): (Vec<&Field>, Vec<&Field>) = present.partition(|field| field.tag.is_some());
        for field in plain {
            self.field(field, out);
        }
        if !self.flexible {
            return;
        }
        let mut tags = Vec::new();
        for field in tagged {
            let mut bytes = Vec::new();
            self.field(field, &mut bytes);
            tags.push((field.tag.unwrap(), bytes));
        }
        tags.sort();
        if self.random.random_bool(0.3) {
            tags.push((40, vec![1, 2, 3]));
        }
        out.push(tags.len() as u8);
        for (tag, bytes) in tags {
            out.push(tag as u8);
            crate::varint::write_u32(out, bytes.len() as u32);
            out.extend_from_slice(&bytes);
        }
    }

    fn field(&mut self, field: &Field, out: &mut Vec<u8>) {
        // Null is the default of some tagged fields, and defaults are left out of what is written.
        let null = field.tag.is_none() && field.is_nullable(self.version) && self.random.random_bool(0.3);
        match field.kind {
            Kind::Struct(_) if field.is_nullable(self.version) && null => out.push(0xff),
            Kind::Struct(fields) => {
                if field.is_nullable(self.version) {
                    out.push(1);
                }
                self.structure(fields, out);
            }
            kind => self.value(&kind, null, out),
        }
    }

    fn value(&mut self, kind: &Kind, null: bool, out: &mut Vec<u8>) {
        match kind {
            Kind::Bool => out.push(1),
            Kind::I8 => out.push(self.random.random_range(1..100)),
            Kind::I16 => out.extend(self.random.random_range(1..1000i16).to_be_bytes()),
            Kind::I32 => out.extend(self.random.random_range(1..1_000_000i32).to_be_bytes()),
            Kind::I64 => out.extend(self.random.random_range(1..1_000_000_000_000i64).to_be_bytes()),
            Kind::Uuid => out.extend((0..16).map(|_| self.random.random_range(1..=255u8))),
            Kind::Struct(fields) => self.structure(fields, out),
            Kind::Text | Kind::Bytes => {
                let length = self.random.random_range(1..6);
                self.length(*kind, (!null).then_some(length), out);
                let length = if null { 0 } else { length };
                out.extend((0..length).map(|_| self.random.random_range(b'a'..=b'z')));
            }
            Kind::Array(element) => {
                let count = self.random.random_range(1..3);
                self.length(*kind, (!null).then_some(count), out);
                (0..if null { 0 } else { count }).for_each(|_| self.value(element, false, out));
            }
            Kind::List(fields) => {
                let count = self.random.random_range(1..3);
                self.length(*kind, (!null).then_some(count), out);
                (0..if null { 0 } else { count }).for_each(|_| self.structure(fields, out));
            }
        }
    }

    fn length(&mut self, kind: Kind, length: Option<usize>, out: &mut Vec<u8>) {
        let signed = length.map_or(-1, |length| length as i32);
        match kind {
            _ if self.flexible => crate::varint::write_u32(out, (signed + 1) as u32),
            Kind::Text => out.extend((signed as i16).to_be_bytes()),
            _ => out.extend(signed.to_be_bytes()),
        }
    }
}
