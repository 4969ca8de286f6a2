//! Offsets by position and time, and calls that change the cluster.

use millstream::client::{
    ErrorCode, Isolation, NewTopic, OffsetSpec, RecordRef, TopicMetadata, TopicPartition,
};

use super::cluster::{Cluster, described, is_gone};
use super::records::{PATIENCE, create, fill, producer_options};

pub async fn offsets_are_found_by_position_and_by_time(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    create(&kafka, cluster.name, 3, &[]).await;
    let producer = kafka.producer(producer_options());
    for n in 0..30 {
        let record = RecordRef { timestamp: Some(1000 + n * 10), value: Some(b"v"), ..RecordRef::default() };
        producer.send(&cluster.name.into(), Some(i32::try_from(n % 3).unwrap()), record).await.unwrap();
    }
    producer.flush().await.unwrap();
    let tp = |partition| TopicPartition::new(cluster.name, partition);
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

pub async fn an_unknown_partition_is_named(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    fill(&kafka, cluster.name, 3, 30).await;
    let wanted = vec![(TopicPartition::new(cluster.name, 7), OffsetSpec::Latest)];
    let error = kafka.list_offsets(wanted, Isolation::ReadUncommitted).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    assert!(error.to_string().contains(&format!("{}-7", cluster.name)), "{error}");
}

pub async fn topics_are_created_grown_described_and_deleted(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    let admin = kafka.admin();
    let name = cluster.name.to_owned();
    let mut topic = NewTopic::new(&name, 2);
    topic.configs.insert("cleanup.policy".into(), "compact".into());
    admin.create_topics(std::slice::from_ref(&topic), PATIENCE).await.unwrap();
    let error = admin.create_topics(&[topic], PATIENCE).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::TOPIC_ALREADY_EXISTS));
    admin.create_partitions(&name, 5, PATIENCE).await.unwrap();
    let grown = |described: &[TopicMetadata]| described[0].partitions.len() == 5;
    let found = described(&kafka, &name, grown).await;
    assert_eq!(found[1].error, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    let configs = admin.describe_topic_configs(&name).await.unwrap();
    let policy = configs.iter().find(|config| config.name == "cleanup.policy").unwrap();
    assert_eq!((policy.value.as_deref(), policy.is_default), (Some("compact"), false));
    let is_listed = async || kafka.list_topics().await.unwrap().iter().any(|topic| *topic.name == *name);
    assert!(is_listed().await);
    admin.delete_topics(std::slice::from_ref(&name), PATIENCE).await.unwrap();
    described(&kafka, &name, is_gone).await;
    assert!(!is_listed().await);
}
