//! Offsets are found whatever happens to leaders and answers.

use millstream_broker::Act;
use millstream_client::{Isolation, OffsetSpec, TopicPartition};
use millstream_protocol::ids::ApiKey;

use crate::records::fill;
use crate::setup::Cluster;

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_moves_is_asked_again() {
    let cluster = Cluster::start(3);
    let kafka = cluster.connect().await;
    fill(&kafka, "t", 3, 30).await;
    let tp = |partition| TopicPartition::new("t", partition);
    let latest = |p| vec![(tp(p), OffsetSpec::Latest)];
    kafka.list_offsets(latest(0), Isolation::ReadUncommitted).await.unwrap();
    let (leader, _) = cluster.broker.leader("t", 0).unwrap();
    cluster.broker.move_leader("t", 0, leader % 3 + 1).unwrap();
    let found = kafka.list_offsets(latest(0), Isolation::ReadUncommitted).await.unwrap();
    assert_eq!(found[&tp(0)].offset, Some(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_answers_to_lookups_are_asked_for_again() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, "t", 1, 10).await;
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
