//! The embedded broker's core: any sequence of requests gets answers, silence or a closed connection; answers are
//! good messages, parked requests end by their deadlines, and memory stays within what was sent.
//!
//! Input: requests, each a length (2 bytes), a number of milliseconds that pass before it (1 byte, times 100), and a
//! frame without its length prefix.

use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;
use millstream_broker::{Answer, Broker, BrokerOptions, Connection, Now};
use millstream_protocol::{ApiKey, Limits, messages};

use crate::input::Input;

/// Requests of one input; more are cut off.
const MOST: usize = 32;

/// See the module.
pub fn run(data: &[u8]) {
    let broker = Broker::new(BrokerOptions {
        nodes: 2,
        seed: Some(7),
        cluster_id: Some("fuzz".to_owned()),
        ..BrokerOptions::default()
    });
    let broker = broker.expect("the options are good");
    broker.create_topic("t", 2, &[]).expect("the topic is new");
    let connections = [broker.connect(1, "/fuzz"), broker.connect(2, "/fuzz")];
    let mut now = Now { elapsed: Duration::from_secs(1), unix_ms: 1_795_219_200_000 };
    let mut parked = Vec::new();
    let mut input = Input(data);
    for _ in 0..MOST {
        if input.0.is_empty() {
            break;
        }
        let length = usize::from(input.u16());
        let millis = u64::from(input.byte()) * 100;
        now.elapsed += Duration::from_millis(millis);
        now.unix_ms += millis as i64;
        let connection = &connections[length & 1];
        let frame = Bytes::copy_from_slice(input.take(length));
        let answer = broker.handle(connection, frame.clone(), now, Waker::noop());
        match answer {
            Answer::Parked(waiting) => parked.push((waiting, frame, connection)),
            other => check(&frame, &other),
        }
    }
    for (waiting, frame, connection) in parked {
        end(&broker, waiting, &frame, connection, now);
    }
}

/// A parked request is answered once its deadline has passed, perhaps after it was parked a few times more.
fn end(
    broker: &Broker,
    mut waiting: millstream_broker::Parked,
    frame: &Bytes,
    connection: &Connection,
    mut now: Now,
) {
    for _ in 0..4 {
        now.elapsed = now.elapsed.max(waiting.deadline()) + Duration::from_millis(1);
        match broker.resume(waiting, connection, now, Waker::noop()) {
            Answer::Parked(again) => waiting = again,
            other => return check(frame, &other),
        }
    }
    panic!("a request is still parked after its deadline: {frame:?}");
}

/// An answer is a frame that says its length and repeats the correlation id, and a body of its schema.
fn check(frame: &Bytes, answer: &Answer) {
    let Answer::Reply(reply) = answer else { return };
    let head =
        messages::decode_request_header(frame.clone(), &Limits::default()).expect("it was read before");
    let (length, body) = reply.bytes.split_at(4);
    assert_eq!(length, (body.len() as u32).to_be_bytes());
    assert_eq!(messages::peek_correlation(body), Ok(head.correlation));
    // An ApiVersions request of a version that is not known is answered in version 0.
    let known = messages::supported_versions(head.api)
        .is_some_and(|(lowest, highest)| (lowest..=highest).contains(&head.version));
    if known && head.api != ApiKey::API_VERSIONS {
        crate::targets::messages::walk_response(head.api, head.version, body);
    }
}
