//! Over real sockets.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::{ApiVersionsRequest, FetchRequest, MetadataRequest, ProduceRequest};
use kafka_protocol::protocol::Request;
use millstream_protocol::{ApiKey, Limits, messages};

use super::{EmbeddedBroker, start_in_thread};
use crate::testing::{batch, fetch_request, produce_request, rows};
use crate::{Act, BrokerOptions};

struct Socket(TcpStream);

impl Socket {
    fn open(address: &str) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self(socket)
    }

    fn send<R: Request>(&mut self, version: i16, request: &R) {
        self.0.write_all(&messages::encode_request(1, None, version, request).unwrap()).unwrap();
    }

    fn receive<R: Request>(&mut self, version: i16) -> std::io::Result<R::Response> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut frame)?;
        let (_, response) =
            messages::decode_response(ApiKey(R::KEY), version, Bytes::from(frame), &Limits::default())
                .unwrap();
        Ok(response)
    }

    fn call<R: Request>(&mut self, version: i16, request: &R) -> R::Response {
        self.send(version, request);
        self.receive::<R>(version).unwrap()
    }
}

fn start(nodes: usize) -> EmbeddedBroker {
    start_in_thread(BrokerOptions { nodes, ..BrokerOptions::default() }).unwrap()
}

#[test]
fn a_parked_fetch_is_woken_by_a_produce_on_another_connection() {
    let server = start(1);
    server.broker().create_topic("t", 1, &[]).unwrap();
    let (mut reader, mut writer) = (Socket::open(&server.bootstrap()), Socket::open(&server.bootstrap()));
    let started = std::time::Instant::now();
    reader.send(12, &fetch_request("t", 0, 0).with_min_bytes(1).with_max_wait_ms(9_000));
    let produced = writer.call::<ProduceRequest>(9, &produce_request("t", 0, batch(&["x"]).into_bytes()));
    assert_eq!(produced.responses[0].partition_responses[0].error_code, 0);
    let fetched = reader.receive::<FetchRequest>(12).unwrap();
    assert_eq!(rows(fetched.responses[0].partitions[0].records.as_deref().unwrap()), [(0, "x".to_owned())]);
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn every_node_listens_where_the_metadata_says() {
    let server = start(3);
    let bootstrap = server.bootstrap();
    let addresses: Vec<&str> = bootstrap.split(',').collect();
    assert_eq!(addresses.len(), 3);
    for address in &addresses {
        let answer = Socket::open(address).call(12, &MetadataRequest::default());
        let told: Vec<String> =
            answer.brokers.iter().map(|broker| format!("{}:{}", &*broker.host, broker.port)).collect();
        assert_eq!(told, addresses);
    }
}

#[test]
fn a_request_in_pieces_and_two_in_one_piece_are_both_answered() {
    let server = start(1);
    let mut socket = Socket::open(&server.bootstrap());
    let one = messages::encode_request(1, None, 3, &ApiVersionsRequest::default()).unwrap();
    for byte in one.iter() {
        socket.0.write_all(&[*byte]).unwrap();
    }
    socket.receive::<ApiVersionsRequest>(3).unwrap();
    socket.0.write_all(&[&one[..], &one[..]].concat()).unwrap();
    socket.receive::<ApiVersionsRequest>(3).unwrap();
    socket.receive::<ApiVersionsRequest>(3).unwrap();
}

#[test]
fn garbage_and_oversized_frames_close_the_connection() {
    let server = start(1);
    for garbage in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 16], &[0, 0, 0, 2, 0, 1], &[0x7f, 0xff, 0xff, 0xff, 0]]
    {
        let mut socket = Socket::open(&server.bootstrap());
        socket.0.write_all(garbage).unwrap();
        assert_eq!(socket.0.read(&mut [0; 16]).unwrap_or(0), 0);
    }
}

#[test]
fn faults_reach_the_socket() {
    let server = start(1);
    let rule = server.broker().on(ApiKey::API_VERSIONS, |_| Act::CloseAfter(6));
    let mut socket = Socket::open(&server.bootstrap());
    socket.send(3, &ApiVersionsRequest::default());
    let mut got = Vec::new();
    socket.0.read_to_end(&mut got).unwrap();
    assert_eq!((got.len(), rule.hits()), (6, 1));
    rule.remove();
    let mut socket = Socket::open(&server.bootstrap());
    socket.call::<ApiVersionsRequest>(3, &ApiVersionsRequest::default());
}

#[test]
fn stopping_closes_connections_and_frees_the_port() {
    let server = start(1);
    let address = server.bootstrap();
    let mut socket = Socket::open(&address);
    socket.call::<ApiVersionsRequest>(3, &ApiVersionsRequest::default());
    server.stop();
    assert_eq!(socket.0.read(&mut [0; 4]).unwrap_or(0), 0);
    let port = address.rsplit(':').next().unwrap().parse().unwrap();
    start_in_thread(BrokerOptions { port, ..BrokerOptions::default() }).unwrap();
}
