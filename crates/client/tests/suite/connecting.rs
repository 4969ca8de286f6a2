//! Addresses that do not answer, or answer something else.

use std::time::{Duration, Instant};

use millstream_client::{ClientOptions, Error, Kafka};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::setup::Cluster;

async fn refused(address: &str, connect_timeout: Duration) -> (Error, Duration) {
    let started = Instant::now();
    let options = ClientOptions { connect_timeout, ..ClientOptions::new(address) };
    let error = Kafka::connect(options).await.expect_err("nothing to connect to");
    (error, started.elapsed())
}

const SHORT: Duration = Duration::from_millis(400);
/// Passes for never, and is not reached on a busy machine by what takes the short time.
const LONG: Duration = Duration::from_secs(10);

/// Accepts connections and answers each with `bytes` once something was sent.
async fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = [0; 64];
                let _ = socket.read(&mut request).await;
                let _ = socket.write_all(bytes).await;
                if bytes.is_empty() {
                    tokio::time::sleep(Duration::from_secs(60)).await;
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn an_unreachable_bootstrap_names_every_address_and_its_cause() {
    let (error, took) = refused("127.0.0.1:1,no-such-host.invalid:9092", SHORT).await;
    let text = error.to_string();
    assert!(text.contains("127.0.0.1:1 (") && text.contains("refused"), "{text}");
    assert!(text.contains("no-such-host.invalid:9092 ("), "{text}");
    assert!(matches!(&error, Error::Connect { tried, .. } if tried.len() == 2));
    assert!(took < LONG, "{took:?}");
}

#[tokio::test]
async fn a_port_that_never_answers_ends_at_the_timeout() {
    let (error, took) = refused(&answering(b"").await, SHORT).await;
    assert!(error.to_string().contains("did not answer within 400 ms"), "{error}");
    assert!((SHORT..LONG).contains(&took), "{took:?}");
}

#[tokio::test]
async fn tls_and_http_ports_are_recognised() {
    let (error, _) = refused(&answering(b"HTTP/1.1 400 Bad Request\r\n\r\n").await, LONG).await;
    assert!(error.to_string().contains("HTTP"), "{error}");
    let (error, _) = refused(&answering(&[0x15, 3, 3, 0, 2, 2, 40]).await, LONG).await;
    assert!(error.to_string().contains("TLS"), "{error}");
    let (error, _) = refused(&answering(b"\xff\xff\xff\xff").await, LONG).await;
    assert!(error.to_string().contains("negative length"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_wait_for_a_broker_to_come_back_and_end_at_their_deadline() {
    let mut cluster = Cluster::start(1);
    let hasty = ClientOptions { metadata_timeout: Duration::from_millis(500), ..cluster.options() };
    let hasty = Kafka::connect(hasty).await.unwrap();
    let patient = cluster.connect().await;
    cluster.kill();
    let started = Instant::now();
    let error = hasty.list_topics().await.unwrap_err();
    assert!(error.is_retriable(), "{error}");
    assert!(started.elapsed() < LONG);
    let waiting = tokio::spawn(async move { patient.list_topics().await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    cluster.restart();
    waiting.await.unwrap().unwrap();
}
