//! What is flushed is in the log once, in order, whatever is lost on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use millstream_broker::{Act, BrokerOptions};
use millstream_client::{Error, ErrorCode, ProducerOptions, RecordRef, Sent};
use millstream_protocol::ids::ApiKey;

use crate::records::{assert_exact, producer_options, write, write_unflushed};
use crate::setup::Cluster;

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_and_lost_requests_make_no_duplicates_and_no_gaps() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    cluster.broker.create_topic("t", 2, &[]).unwrap();
    let count = AtomicU64::new(0);
    let rule =
        cluster.broker.on(ApiKey::PRODUCE, move |_| match count.fetch_add(1, Ordering::Relaxed) % 11 {
            2 => Act::DropReply,
            5 => Act::Drop,
            7 => Act::Error(ErrorCode::NOT_ENOUGH_REPLICAS),
            9 => Act::CloseAfter(5),
            _ => Act::Pass,
        });
    let producer = kafka.producer(producer_options());
    write(&producer, "t", 2, 0..10_000).await;
    assert!(rule.hits() > 5, "{} faults", rule.hits());
    assert_exact(&kafka, "t", 2, 10_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaders_that_move_in_mid_write_are_followed() {
    let cluster = Cluster::start(3);
    let kafka = cluster.connect().await;
    cluster.broker.create_topic("t", 3, &[]).unwrap();
    let count = AtomicU64::new(0);
    let broker = cluster.broker.clone();
    let rule = cluster.broker.on(ApiKey::PRODUCE, move |_| {
        let n = count.fetch_add(1, Ordering::Relaxed);
        if n % 5 != 4 {
            return Act::Pass;
        }
        let partition = i32::try_from(n % 3).unwrap();
        let (leader, _) = broker.leader("t", partition).unwrap();
        Act::MoveLeader { topic: "t".into(), partition, to: leader % 3 + 1 }
    });
    let producer = kafka.producer(producer_options());
    write(&producer, "t", 3, 0..9000).await;
    assert!(rule.hits() > 5, "leaders moved {} times", rule.hits());
    rule.remove();
    assert_exact(&kafka, "t", 3, 9000).await;
}

/// A broker that knows nothing of a producer takes any first number: the second batch must not be there yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_first_batch_that_is_refused_is_not_overtaken() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    cluster.broker.create_topic("t", 2, &[]).unwrap();
    let count = AtomicU64::new(0);
    let rule = cluster.broker.on(ApiKey::PRODUCE, move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => Act::Error(ErrorCode::NOT_ENOUGH_REPLICAS),
        _ => Act::Pass,
    });
    write(&kafka.producer(producer_options()), "t", 2, 0..3000).await;
    assert_eq!(rule.hits(), 1);
    assert_exact(&kafka, "t", 2, 3000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_leader_gets_nothing_while_the_old_one_has_not_answered() {
    let cluster = Cluster::start(2);
    let kafka = cluster.connect().await;
    cluster.broker.create_topic("t", 1, &[]).unwrap();
    let (count, broker) = (AtomicU64::new(0), cluster.broker.clone());
    let rule = cluster.broker.on(ApiKey::PRODUCE, move |_| {
        if count.fetch_add(1, Ordering::Relaxed) > 0 {
            return Act::Pass;
        }
        let (leader, _) = broker.leader("t", 0).unwrap();
        broker.move_leader("t", 0, leader % 2 + 1).unwrap();
        Act::Delay(Duration::from_millis(300))
    });
    let producer = kafka.producer(producer_options());
    write_unflushed(&producer, "t", 1, 0..100).await;
    let first = producer.clone();
    let first = tokio::spawn(async move { first.flush().await });
    while rule.seen() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // Now the metadata name the new leader, and the old one's refusal is still to come.
    kafka.describe_topics(&["t".to_owned()]).await.unwrap();
    write(&producer, "t", 1, 100..2000).await;
    first.await.unwrap().unwrap();
    assert_exact(&kafka, "t", 1, 2000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_and_restarted_in_mid_write_has_every_record_once() {
    let mut cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    cluster.broker.create_topic("t", 2, &[]).unwrap();
    let producer = kafka.producer(producer_options());
    let writing = {
        let producer = producer.clone();
        tokio::spawn(async move {
            for start in (0..6000).step_by(100) {
                write(&producer, "t", 2, start..start + 100).await;
            }
        })
    };
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(40)).await;
        cluster.kill();
        tokio::time::sleep(Duration::from_millis(60)).await;
        cluster.restart();
    }
    writing.await.unwrap();
    assert_exact(&kafka, "t", 2, 6000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_topic_that_may_not_be_created_is_reported_after_max_block() {
    let strict = Cluster::with(BrokerOptions { auto_create_topics: false, ..BrokerOptions::default() });
    let kafka = strict.connect().await;
    let producer =
        kafka.producer(ProducerOptions { max_block: Duration::from_millis(500), ..producer_options() });
    let error = producer.send(&"t".into(), None, RecordRef::default()).await.unwrap_err();
    assert_eq!(error.to_string(), "Topic t not present in metadata after 500 ms.");
    assert_eq!(producer.try_send("t", None, RecordRef::default()).unwrap(), Sent::NeedsMetadata);
}

#[tokio::test(flavor = "multi_thread")]
async fn delivery_ends_at_its_timeout_and_says_what_may_have_been_written() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    cluster.broker.create_topic("t", 1, &[]).unwrap();
    let options = ProducerOptions {
        delivery_timeout: Duration::from_millis(800),
        request_timeout: Duration::from_millis(300),
        ..producer_options()
    };
    let producer = kafka.producer(options);
    let rule = cluster.broker.on(ApiKey::PRODUCE, |_| Act::Delay(Duration::from_secs(60)));
    let topic: Arc<str> = "t".into();
    producer.send(&topic, None, RecordRef { value: Some(b"v"), ..RecordRef::default() }).await.unwrap();
    let started = std::time::Instant::now();
    let error = producer.flush().await.unwrap_err();
    assert!(error.possibly_written(), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    rule.remove();
    producer.flush().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_clone_is_told_of_a_failure_once() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    cluster.broker.create_topic("t", 1, &[]).unwrap();
    let _rule = cluster.broker.on(ApiKey::PRODUCE, |_| Act::Error(ErrorCode::TOPIC_AUTHORIZATION_FAILED));
    let producer = kafka.producer(producer_options());
    let record = RecordRef { value: Some(b"w"), ..RecordRef::default() };
    producer.send(&"t".into(), None, record).await.unwrap();
    let other = producer.clone();
    let error = producer.flush().await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::TOPIC_AUTHORIZATION_FAILED));
    assert!(!error.possibly_written());
    assert!(other.flush().await.is_err(), "a clone is told as well");
    assert!(other.flush().await.is_ok(), "but once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_buffer_waits_for_acknowledgements_up_to_max_block() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    cluster.broker.create_topic("t", 1, &[]).unwrap();
    let options = ProducerOptions {
        buffer_bytes: 5000,
        max_block: Duration::from_millis(400),
        linger: Duration::from_secs(100),
        ..producer_options()
    };
    let producer = kafka.producer(options);
    let _rule = cluster.broker.on(ApiKey::PRODUCE, |_| Act::Delay(Duration::from_secs(60)));
    let topic: Arc<str> = "t".into();
    let value = [b'x'; 500];
    let record = RecordRef { value: Some(&value), ..RecordRef::default() };
    let error = loop {
        if let Err(error) = producer.send(&topic, None, record).await {
            break error;
        }
    };
    assert!(matches!(error, Error::Timeout { .. }) && error.to_string().contains("buffer.memory"), "{error}");
}
