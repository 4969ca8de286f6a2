//! Ranges are exact, whatever happens to leaders, connections and logs meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use millstream_broker::{Act, RuleHandle};
use millstream_client::{ClientOptions, ErrorCode, FetchOptions, Kafka, Loss, TopicPartition};
use millstream_protocol::ids::ApiKey;

use crate::records::{PATIENCE, decode, drain, fill, numbers};
use crate::setup::Cluster;

fn small() -> FetchOptions {
    FetchOptions {
        max_partition_bytes: 4000,
        progress_timeout: Duration::from_secs(20),
        ..FetchOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consecutive_ranges_continue_without_fetching_twice() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, "t", 1, 3000).await;
    let fetches = cluster.broker.on(ApiKey::FETCH, |_| Act::Pass);
    // At the end one long poll is open, however long the ranges take.
    let options = FetchOptions { max_wait: Duration::from_secs(60), ..FetchOptions::default() };
    let reader = kafka.reader(options);
    let tp = TopicPartition::new("t", 0);
    reader.follow(&tp, 0);
    for start in (0..3000).step_by(7) {
        let rows = drain(reader.read(&tp, start, (start + 7).min(3000))).await.unwrap();
        assert_eq!(rows.first().unwrap().0, start);
        assert_eq!(rows.len() as i64, (start + 7).min(3000) - start);
    }
    assert!(fetches.seen() <= 5, "{} fetches", fetches.seen());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_follow_nothing_is_fetched_from_beyond_the_end() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, "t", 1, 1000).await;
    let fetches = cluster.broker.on(ApiKey::FETCH, |_| Act::Pass);
    let reader = kafka.reader(FetchOptions::default());
    drain(reader.read(&TopicPartition::new("t", 0), 0, 1000)).await.unwrap();
    let seen = fetches.seen();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(fetches.seen(), seen);
    assert_eq!(seen, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_moves_in_mid_read_is_followed() {
    let cluster = Cluster::start(3);
    let kafka = cluster.connect().await;
    fill(&kafka, "t", 3, 9000).await;
    let count = AtomicU64::new(0);
    let broker = cluster.broker.clone();
    let rule = cluster.broker.on(ApiKey::FETCH, move |_| {
        let n = count.fetch_add(1, Ordering::Relaxed);
        if n % 3 != 2 {
            return Act::Pass;
        }
        let partition = i32::try_from(n % 3).unwrap();
        let (leader, _) = broker.leader("t", partition).unwrap();
        Act::MoveLeader { topic: "t".into(), partition, to: leader % 3 + 1 }
    });
    let reader = kafka.reader(small());
    for partition in 0..3 {
        let rows = drain(reader.read(&TopicPartition::new("t", partition), 0, 3000)).await.unwrap();
        let values: Vec<_> = rows.into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, numbers(u64::try_from(partition).unwrap(), 3, 9000));
    }
    assert!(rule.hits() > 3, "leaders moved {} times", rule.hits());
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_cut_in_mid_frame_and_damaged_frames_cost_nothing() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, "t", 1, 5000).await;
    let count = AtomicU64::new(0);
    let rule = cluster.broker.on(ApiKey::FETCH, move |_| match count.fetch_add(1, Ordering::Relaxed) % 8 {
        1 => Act::CloseAfter(2),
        3 => Act::CloseAfter(1000),
        5 => Act::Drop,
        7 => Act::Error(ErrorCode::UNKNOWN_LEADER_EPOCH),
        _ => Act::Pass,
    });
    let reader = kafka.reader(small());
    let rows = drain(reader.read(&TopicPartition::new("t", 0), 0, 5000)).await.unwrap();
    assert_eq!(rows.len(), 5000);
    assert!(rule.hits() >= 3, "{} faults", rule.hits());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_killed_and_restarted_in_mid_read_loses_and_repeats_nothing() {
    let mut cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, "t", 1, 5000).await;
    // Nothing is prefetched, so that what follows a kill is fetched after it.
    let reader = kafka.reader(FetchOptions { budget_bytes: 1, ..small() });
    let mut range = reader.read(&TopicPartition::new("t", 0), 0, 5000);
    let mut rows = Vec::new();
    let mut kills = 0;
    while let Some(fetched) = range.next().await.unwrap() {
        rows.extend(decode(&fetched));
        if rows.len() / 1500 > kills {
            kills += 1;
            cluster.kill();
            tokio::time::sleep(Duration::from_millis(100)).await;
            cluster.restart();
        }
    }
    assert_eq!(kills, 3);
    let expected: Vec<_> = (0..5000).map(|n| (n, n.to_string())).collect();
    assert!(rows == expected, "{} rows", rows.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_truncated_under_a_follower_is_a_data_loss_told_by_the_next_range() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, "t", 1, 1000).await;
    let tp = TopicPartition::new("t", 0);
    let reader = kafka.reader(small());
    reader.follow(&tp, 0);
    assert_eq!(drain(reader.read(&tp, 0, 1000)).await.unwrap().len(), 1000);
    let end = cluster.broker.truncate_log("t", 0, 500).unwrap();
    assert!(end <= 500);
    let error = drain(reader.read(&tp, 1000, 1001)).await.unwrap_err();
    let loss = error.data_loss().expect("a data loss").loss;
    let ends = match loss {
        Loss::OutOfRange { log_end, .. } | Loss::Truncated { log_end, .. } => log_end,
        other => panic!("{other:?}"),
    };
    assert_eq!(ends, end);
}

/// Resolves once a rule has struck so often.
async fn until_hit(rule: &RuleHandle, times: u64) {
    while rule.hits() < times {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// While `stuck` gets nowhere, another partition is read to its end.
async fn the_other_is_read(kafka: &Kafka, fault: &RuleHandle, hits: u64, from: i64) {
    let reader = kafka.reader(FetchOptions { progress_timeout: Duration::from_secs(3600), ..small() });
    let mut stuck = reader.read(&TopicPartition::new("stuck", 0), from, from + 1);
    let others = async {
        until_hit(fault, hits).await;
        drain(reader.read(&TopicPartition::new("other", 0), 0, 100)).await.unwrap().len()
    };
    let read = tokio::select! {
        early = stuck.next() => panic!("nothing could be known of it: {early:?}"),
        rows = tokio::time::timeout(PATIENCE, others) => rows.expect("it waits for the other partition"),
    };
    assert_eq!(read, 100);
    fault.remove();
}

/// No deadline or pause of these ends within a test.
fn patient(options: ClientOptions) -> ClientOptions {
    let hour = Duration::from_secs(3600);
    ClientOptions { metadata_timeout: hour, request_timeout: hour, ..options }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_whose_bounds_nobody_tells_holds_up_no_other_partition() {
    let faults =
        [Act::Error(ErrorCode::LEADER_NOT_AVAILABLE), Act::Delay(Duration::from_secs(3600)), Act::Drop];
    for fault in faults {
        let cluster = Cluster::start(1);
        fill(&cluster.connect().await, "stuck", 1, 100).await;
        let kafka = Kafka::connect(patient(cluster.options())).await.unwrap();
        fill(&kafka, "other", 1, 100).await;
        let act = fault.clone();
        let rule = cluster.broker.on(ApiKey::LIST_OFFSETS, move |request| {
            if request.mentions("stuck") { act.clone() } else { Act::Pass }
        });
        the_other_is_read(&kafka, &rule, 1, 5000).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offset_out_of_range_is_told_once_its_leader_says_so() {
    let cluster = Cluster::start(3);
    let kafka = cluster.connect().await;
    fill(&kafka, "t", 3, 300).await;
    let count = AtomicU64::new(0);
    let rule =
        cluster.broker.on(ApiKey::LIST_OFFSETS, move |_| match count.fetch_add(1, Ordering::Relaxed) {
            0 => Act::Error(ErrorCode::NOT_LEADER_OR_FOLLOWER),
            1 => Act::Drop,
            _ => Act::Pass,
        });
    let reader = kafka.reader(small());
    for partition in 0..3 {
        let tp = TopicPartition::new("t", partition);
        let error = drain(reader.read(&tp, 5000, 5001)).await.unwrap_err();
        let loss = error.data_loss().expect("a data loss").loss;
        assert_eq!(loss, Loss::OutOfRange { log_start: 0, log_end: 100 });
    }
    assert_eq!(rule.hits(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_fails_again_and_again_holds_up_no_other() {
    let cluster = Cluster::start(1);
    fill(&cluster.connect().await, "stuck", 1, 100).await;
    let hour = Duration::from_secs(3600);
    let options = ClientOptions { retry_backoff: hour, retry_backoff_max: hour, ..cluster.options() };
    let kafka = Kafka::connect(options).await.unwrap();
    fill(&kafka, "other", 1, 100).await;
    let stuck = kafka.describe_topics(&["stuck".to_owned()]).await.unwrap()[0].id;
    let rule = cluster.broker.on(ApiKey::FETCH, move |request| {
        let is_stuck = request.body.windows(16).any(|bytes| bytes == stuck.as_bytes());
        if is_stuck { Act::Error(ErrorCode::NOT_LEADER_OR_FOLLOWER) } else { Act::Pass }
    });
    the_other_is_read(&kafka, &rule, 2, 0).await;
}
