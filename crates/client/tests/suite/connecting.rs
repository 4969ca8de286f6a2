//! Addresses that do not answer, or answer something else.

use std::time::{Duration, Instant};

use millstream_client::{ClientOptions, Error, Kafka};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::setup::Cluster;

async fn refused(address: &str) -> (Error, Duration) {
    let started = Instant::now();
    let options =
        ClientOptions { connect_timeout: Duration::from_millis(400), ..ClientOptions::new(address) };
    let error = Kafka::connect(options).await.expect_err("nothing to connect to");
    (error, started.elapsed())
}

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
    let (error, took) = refused("127.0.0.1:1,no-such-host.invalid:9092").await;
    let text = error.to_string();
    assert!(text.contains("127.0.0.1:1 (") && text.contains("refused"), "{text}");
    assert!(text.contains("no-such-host.invalid:9092 ("), "{text}");
    assert!(matches!(&error, Error::Connect { tried, .. } if tried.len() == 2));
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test]
async fn a_port_that_never_answers_ends_at_the_timeout() {
    let (error, took) = refused(&answering(b"").await).await;
    assert!(error.to_string().contains("did not answer within 400 ms"), "{error}");
    assert!((Duration::from_millis(400)..Duration::from_secs(3)).contains(&took), "{took:?}");
}

#[tokio::test]
async fn tls_and_http_ports_are_recognised() {
    let (error, _) = refused(&answering(b"HTTP/1.1 400 Bad Request\r\n\r\n").await).await;
    assert!(error.to_string().contains("HTTP"), "{error}");
    let (error, _) = refused(&answering(&[0x15, 3, 3, 0, 2, 2, 40]).await).await;
    assert!(error.to_string().contains("TLS"), "{error}");
    let (error, _) = refused(&answering(b"\xff\xff\xff\xff").await).await;
    assert!(error.to_string().contains("negative length"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_address_beside_a_live_one_does_not_matter() {
    let cluster = Cluster::start(1);
    let options = ClientOptions::new(&format!("127.0.0.1:1,{}", cluster.broker.bootstrap()));
    let kafka = Kafka::connect(options).await.unwrap();
    let description = kafka.admin().describe_cluster().await.unwrap();
    assert_eq!(description.brokers.len(), 1);
    assert!(description.cluster_id.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_wait_for_a_broker_to_come_back_and_end_at_their_deadline() {
    let mut cluster = Cluster::start(1);
    let options = ClientOptions { metadata_timeout: Duration::from_millis(1500), ..cluster.options() };
    let kafka = Kafka::connect(options).await.unwrap();
    cluster.kill();
    let started = Instant::now();
    let error = kafka.list_topics().await.unwrap_err();
    assert!(error.is_retriable(), "{error}");
    assert!(started.elapsed() < Duration::from_secs(3));
    let waiting = tokio::spawn(async move { kafka.list_topics().await });
    tokio::time::sleep(Duration::from_millis(200)).await;
    cluster.restart();
    waiting.await.unwrap().unwrap();
}
