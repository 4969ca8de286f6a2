use tokio::net::TcpListener;

use super::*;

const SOON: Duration = Duration::from_secs(10);

/// A connection, and the other end of it.
async fn pair(max_idle: Duration) -> (Wire, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (theirs, _) = listener.accept().await.unwrap();
    let limits = Limits { frame_bytes: 1000, ..Limits::default() };
    (Wire::start(ours, "broker:9092".into(), limits, max_idle, Frames::new(0)), theirs)
}

fn send(wire: &Wire, within: Duration) -> Result<Answer> {
    wire.send("Fetch", within, |correlation| {
        let frame = [&4i32.to_be_bytes()[..], &correlation.to_be_bytes()].concat();
        Ok(vec![frame.slice(0, 3), frame.slice(3, 8)])
    })
}

trait Slice {
    fn slice(&self, from: usize, to: usize) -> Bytes;
}

impl Slice for Vec<u8> {
    fn slice(&self, from: usize, to: usize) -> Bytes {
        Bytes::copy_from_slice(&self[from..to])
    }
}

fn frame(correlation: i32, body: &[u8]) -> Vec<u8> {
    let length = i32::try_from(4 + body.len()).unwrap();
    [&length.to_be_bytes()[..], &correlation.to_be_bytes(), body].concat()
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_even_if_one_is_given_up() {
    let (wire, mut broker) = pair(SOON).await;
    let answers: Vec<_> = (0..3).map(|_| send(&wire, SOON).unwrap()).collect();
    let mut requests = [0; 24];
    broker.read_exact(&mut requests).await.unwrap();
    assert_eq!(requests[16..], [0, 0, 0, 4, 0, 0, 0, 2], "pieces are put together");
    let [first, given_up, third] = <[Answer; 3]>::try_from(answers).unwrap();
    drop(given_up);
    let all = [frame(0, b"a"), frame(1, b"b"), frame(2, b"c")].concat();
    for byte in all {
        broker.write_all(&[byte]).await.unwrap();
    }
    assert_eq!(&first.frame().await.unwrap()[4..], b"a");
    assert_eq!(&third.frame().await.unwrap()[4..], b"c");
}

#[tokio::test]
async fn a_wrong_correlation_id_ends_the_connection_for_everybody() {
    let (wire, mut broker) = pair(SOON).await;
    let (first, second) = (send(&wire, SOON).unwrap(), send(&wire, SOON).unwrap());
    broker.write_all(&frame(7, b"")).await.unwrap();
    let failures = [first.frame().await.unwrap_err(), second.frame().await.unwrap_err()];
    for failure in failures.iter().chain(&[send(&wire, SOON).unwrap_err()]) {
        assert!(failure.to_string().contains("correlation id 7, not 0"), "{failure}");
    }
}

#[tokio::test]
async fn frames_cut_short_too_long_or_unasked_for_end_the_connection() {
    for (bytes, expected) in [
        (frame(0, b"abc")[..9].to_vec(), "inside an answer"),
        (vec![0, 0], "inside an answer"),
        (vec![], "closed the connection"),
        (2000i32.to_be_bytes().to_vec(), "frame_bytes"),
        ([frame(0, b""), frame(1, b"")].concat(), "to no request"),
    ] {
        let (wire, mut broker) = pair(SOON).await;
        let answer = send(&wire, SOON).unwrap();
        broker.write_all(&bytes).await.unwrap();
        broker.shutdown().await.unwrap();
        let _ = answer.frame().await;
        while wire.failure().is_none() {
            tokio::task::yield_now().await;
        }
        let failure = wire.failure().unwrap().to_string();
        assert!(failure.contains(expected), "{failure}");
    }
}

#[tokio::test]
async fn a_broker_that_sends_byte_by_byte_does_not_outlive_the_deadline() {
    let (wire, mut broker) = pair(SOON).await;
    let answer = send(&wire, Duration::from_millis(100)).unwrap();
    let dripping = tokio::spawn(async move {
        for byte in frame(0, &[0; 500]) {
            if broker.write_all(&[byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let failure = answer.frame().await.unwrap_err();
    assert!(matches!(failure, Error::Timeout { .. }), "{failure}");
    assert!(failure.to_string().contains("broker:9092 did not answer Fetch"), "{failure}");
    dripping.abort();
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_dropped_one_too() {
    let (wire, mut broker) = pair(Duration::from_millis(20)).await;
    assert_eq!(broker.read(&mut [0]).await.unwrap(), 0);
    assert!(send(&wire, SOON).unwrap_err().to_string().contains("idle"));
    let (wire, mut broker) = pair(SOON).await;
    drop(wire);
    assert_eq!(broker.read(&mut [0]).await.unwrap(), 0);
}
