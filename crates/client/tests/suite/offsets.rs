//! Offsets by time, and calls that change the cluster.

use std::time::Duration;

use millstream_broker::Act;
use millstream_client::{ErrorCode, Isolation, NewTopic, OffsetSpec, RecordRef, TopicPartition};
use millstream_protocol::ids::ApiKey;

use crate::setup::{Cluster, fill, producer_options};

const SOON: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn offsets_are_found_by_position_and_by_time() {
    let cluster = Cluster::start(3);
    let kafka = cluster.connect().await;
    cluster.broker.create_topic("t", 3, &[]).unwrap();
    let producer = kafka.producer(producer_options());
    for n in 0..30 {
        let record = RecordRef { timestamp: Some(1000 + n * 10), value: Some(b"v"), ..RecordRef::default() };
        producer.send(&"t".into(), Some(i32::try_from(n % 3).unwrap()), record).await.unwrap();
    }
    producer.flush().await.unwrap();
    let tp = |partition| TopicPartition::new("t", partition);
    let ask =
        |specs: Vec<(TopicPartition, OffsetSpec)>| kafka.list_offsets(specs, Isolation::ReadUncommitted);
    let found = ask((0..3).map(|p| (tp(p), OffsetSpec::Latest)).collect()).await.unwrap();
    assert!(found.values().all(|found| found.offset == Some(10)));
    let specs = vec![
        (tp(0), OffsetSpec::Earliest),
        (tp(1), OffsetSpec::Timestamp(1041)),
        (tp(2), OffsetSpec::Timestamp(99_999)),
    ];
    let found = ask(specs).await.unwrap();
    assert_eq!(found[&tp(0)].offset, Some(0));
    assert_eq!((found[&tp(1)].offset, found[&tp(1)].timestamp), (Some(2), Some(1070)));
    assert_eq!(found[&tp(2)].offset, None);
    let found = ask(vec![(tp(1), OffsetSpec::MaxTimestamp)]).await.unwrap();
    assert_eq!((found[&tp(1)].offset, found[&tp(1)].timestamp), (Some(9), Some(1280)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_moves_is_asked_again_and_an_unknown_partition_is_an_error() {
    let cluster = Cluster::start(3);
    let kafka = cluster.connect().await;
    fill(&kafka, &cluster.broker, "t", 3, 30).await;
    let tp = |partition| TopicPartition::new("t", partition);
    let latest = |p| vec![(tp(p), OffsetSpec::Latest)];
    kafka.list_offsets(latest(0), Isolation::ReadUncommitted).await.unwrap();
    let (leader, _) = cluster.broker.leader("t", 0).unwrap();
    cluster.broker.move_leader("t", 0, leader % 3 + 1).unwrap();
    let found = kafka.list_offsets(latest(0), Isolation::ReadUncommitted).await.unwrap();
    assert_eq!(found[&tp(0)].offset, Some(10));
    let error = kafka.list_offsets(latest(7), Isolation::ReadUncommitted).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    assert!(error.to_string().contains("t-7"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_created_grown_described_and_deleted() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    let admin = kafka.admin();
    let mut topic = NewTopic::new("t", 2);
    topic.configs.insert("cleanup.policy".into(), "compact".into());
    admin.create_topics(std::slice::from_ref(&topic), SOON).await.unwrap();
    let error = admin.create_topics(&[topic], SOON).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::TOPIC_ALREADY_EXISTS));
    admin.create_partitions("t", 5, SOON).await.unwrap();
    let described = kafka.describe_topics(&["t".into(), "missing".into()]).await.unwrap();
    assert_eq!(described[0].partitions.len(), 5);
    assert_eq!(described[1].error, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let configs = admin.describe_topic_configs("t").await.unwrap();
    let policy = configs.iter().find(|config| config.name == "cleanup.policy").unwrap();
    assert_eq!((policy.value.as_deref(), policy.is_default), (Some("compact"), false));
    assert_eq!(kafka.list_topics().await.unwrap().len(), 1);
    admin.delete_topics(&["t".into()], SOON).await.unwrap();
    assert!(kafka.list_topics().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_to_lookups_are_asked_for_again() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, &cluster.broker, "t", 1, 10).await;
    let count = std::sync::atomic::AtomicU64::new(0);
    let rule = cluster.broker.on(ApiKey::LIST_OFFSETS, move |_| {
        let n = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if n < 2 { Act::DropReply } else { Act::Pass }
    });
    let tp = TopicPartition::new("t", 0);
    let found = kafka.list_offsets(vec![(tp.clone(), OffsetSpec::Latest)], Isolation::ReadUncommitted).await;
    assert_eq!(found.unwrap()[&tp].offset, Some(10));
    assert_eq!(rule.hits(), 2);
}
