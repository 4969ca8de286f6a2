//! Ranges are exact, whatever happens to leaders, connections and logs meanwhile.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use millstream_broker::Act;
use millstream_client::{
    Error, ErrorCode, FetchOptions, Isolation, Loss, OffsetSpec, OnDataLoss, TopicPartition,
};
use millstream_protocol::ids::ApiKey;

use crate::setup::{Cluster, decode, drain, everything, fill, numbers, producer_options, write};

fn small() -> FetchOptions {
    FetchOptions {
        max_partition_bytes: 4000,
        progress_timeout: Duration::from_secs(20),
        ..FetchOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_exact_at_both_ends_and_ends_by_position() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, &cluster.broker, "t", 2, 5000).await;
    let reader = kafka.reader(small());
    for (from, until) in [(0, 2500), (0, 1), (7, 8), (100, 1777), (2499, 2500), (5, 5)] {
        let rows = drain(reader.read(&TopicPartition::new("t", 1), from, until)).await.unwrap();
        let expected: Vec<_> = (from..until).map(|offset| (offset, (offset * 2 + 1).to_string())).collect();
        assert_eq!(rows, expected, "{from}..{until}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn consecutive_ranges_continue_without_fetching_twice() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, &cluster.broker, "t", 1, 3000).await;
    let fetches = cluster.broker.on(ApiKey::FETCH, |_| Act::Pass);
    let reader = kafka.reader(FetchOptions::default());
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
    fill(&kafka, &cluster.broker, "t", 1, 1000).await;
    let fetches = cluster.broker.on(ApiKey::FETCH, |_| Act::Pass);
    let reader = kafka.reader(FetchOptions::default());
    drain(reader.read(&TopicPartition::new("t", 0), 0, 1000)).await.unwrap();
    let seen = fetches.seen();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(fetches.seen(), seen);
    assert_eq!(seen, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_of_one_partition_can_be_read_side_by_side() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, &cluster.broker, "t", 1, 4000).await;
    let reader = kafka.reader(small());
    let tp = TopicPartition::new("t", 0);
    let ranges = (0..4).map(|i| drain(reader.read(&tp, i * 1000, (i + 1) * 1000)));
    for (i, rows) in futures::future::join_all(ranges).await.into_iter().enumerate() {
        assert_eq!(rows.unwrap().len(), 1000, "range {i}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_moves_in_mid_read_is_followed() {
    let cluster = Cluster::start(3);
    let kafka = cluster.connect().await;
    fill(&kafka, &cluster.broker, "t", 3, 9000).await;
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
    fill(&kafka, &cluster.broker, "t", 1, 5000).await;
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
    fill(&kafka, &cluster.broker, "t", 1, 5000).await;
    let reader = kafka.reader(small());
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
async fn an_offset_out_of_range_is_a_data_loss_with_the_logs_bounds() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, &cluster.broker, "t", 1, 1000).await;
    let tp = TopicPartition::new("t", 0);
    let deleted = kafka.admin().delete_records(&[(tp.clone(), 400)], Duration::from_secs(5)).await.unwrap();
    assert_eq!(deleted[&tp], 400);
    let error = drain(kafka.reader(small()).read(&tp, 100, 500)).await.unwrap_err();
    let loss = error.data_loss().expect("a data loss");
    assert_eq!(loss.loss, Loss::OutOfRange { log_start: 400, log_end: 1000 });
    assert_eq!(loss.position, 100);
    assert!(drain(kafka.reader(small()).read(&tp, 2000, 2001)).await.unwrap_err().data_loss().is_some());

    let lenient = FetchOptions { on_data_loss: OnDataLoss::Continue, ..small() };
    let rows = drain(kafka.reader(lenient.clone()).read(&tp, 100, 500)).await.unwrap();
    assert_eq!((rows[0].0, rows.len()), (400, 100));
    assert!(drain(kafka.reader(lenient.clone()).read(&tp, 100, 300)).await.unwrap().is_empty());
    assert!(drain(kafka.reader(lenient).read(&tp, 2000, 2001)).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_truncated_under_a_follower_is_a_data_loss_told_by_the_next_range() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, &cluster.broker, "t", 1, 1000).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_recreated_topic_is_not_read_on_and_a_deleted_one_says_so() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, &cluster.broker, "t", 1, 1000).await;
    let tp = TopicPartition::new("t", 0);
    let reader = kafka.reader(small());
    reader.follow(&tp, 0);
    assert_eq!(drain(reader.read(&tp, 0, 1000)).await.unwrap().len(), 1000);
    cluster.broker.delete_topic("t").unwrap();
    fill(&kafka, &cluster.broker, "t", 1, 2000).await;
    let error = drain(reader.read(&tp, 1000, 1500)).await.unwrap_err();
    assert!(matches!(error.data_loss().unwrap().loss, Loss::Recreated { .. }), "{error}");

    let reader = kafka.reader(small());
    assert_eq!(drain(reader.read(&tp, 0, 10)).await.unwrap().len(), 10);
    cluster.broker.delete_topic("t").unwrap();
    let error = drain(reader.read(&tp, 1500, 2000)).await.unwrap_err();
    let unknown = error.code() == Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert!(unknown || error.data_loss().is_some_and(|loss| loss.loss == Loss::Deleted), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_topic_is_an_error_and_is_not_created() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    let error =
        drain(kafka.reader(small()).read(&TopicPartition::new("nowhere", 0), 0, 1)).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    assert!(error.to_string().contains("nowhere"), "{error}");
    assert!(kafka.list_topics().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_are_woken_within_milliseconds() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, &cluster.broker, "t", 4, 4).await;
    let reader = kafka.reader(FetchOptions::default());
    reader.follow_all((0..4).map(|p| (TopicPartition::new("t", p), 1)));
    let producer = kafka.producer(producer_options());
    let tp = TopicPartition::new("t", 2);
    let mut worst = Duration::ZERO;
    while reader.watermarks().len() < 4 {
        reader.changed().await;
    }
    for round in 0..20 {
        tokio::time::sleep(Duration::from_millis(3)).await;
        let started = Instant::now();
        let number = 4 + round * 4 + 2;
        write(&producer, "t", 4, number..number + 1).await;
        let end = i64::try_from(round).unwrap() + 2;
        while reader.watermarks()[&tp].high_watermark < end {
            reader.changed().await;
        }
        assert_eq!(drain(reader.read(&tp, end - 1, end)).await.unwrap().len(), 1);
        worst = worst.max(started.elapsed());
    }
    // Generous for a busy machine; a long poll that is waited out would take 500 ms.
    assert!(worst < Duration::from_millis(250), "{worst:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_budget_slows_down_but_never_stops() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, &cluster.broker, "t", 4, 20_000).await;
    let options = FetchOptions { budget_bytes: 1, ..small() };
    let reader = kafka.reader(options);
    for partition in 0..4 {
        reader.follow(&TopicPartition::new("t", partition), 0);
    }
    let mut held = Vec::new();
    for partition in 0..4 {
        let mut range = reader.read(&TopicPartition::new("t", partition), 0, 5000);
        let mut rows = 0;
        while let Some(fetched) = range.next().await.unwrap() {
            rows += decode(&fetched).len();
            held.push(fetched);
        }
        assert_eq!(rows, 5000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_beyond_the_end_waits_for_records_and_times_out_saying_why() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, &cluster.broker, "t", 1, 10).await;
    let tp = TopicPartition::new("t", 0);
    let options = FetchOptions { progress_timeout: Duration::from_millis(700), ..small() };
    let error = drain(kafka.reader(options).read(&tp, 0, 20)).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }));
    assert!(error.to_string().contains("the partition at 10"), "{error}");

    let reader = kafka.reader(small());
    let waiting = tokio::spawn(drain(reader.read(&tp, 0, 20)));
    write(&kafka.producer(producer_options()), "t", 1, 10..20).await;
    assert_eq!(waiting.await.unwrap().unwrap().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_calls_lose_nothing() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, &cluster.broker, "t", 1, 3000).await;
    cluster.broker.on(ApiKey::FETCH, |_| Act::Delay(Duration::from_millis(3)));
    let reader = kafka.reader(small());
    let mut range = reader.read(&TopicPartition::new("t", 0), 0, 3000);
    let mut rows = Vec::new();
    loop {
        match tokio::time::timeout(Duration::from_millis(1), range.next()).await {
            Ok(Ok(Some(fetched))) => rows.extend(decode(&fetched)),
            Ok(Ok(None)) => break,
            Ok(Err(error)) => panic!("{error}"),
            Err(_) => {}
        }
    }
    assert_eq!(rows.len(), 3000);
}

#[tokio::test(flavor = "multi_thread")]
async fn read_committed_ends_at_the_last_stable_offset() {
    let cluster = Cluster::start(1);
    let kafka = cluster.connect().await;
    fill(&kafka, &cluster.broker, "t", 1, 100).await;
    let tp = TopicPartition::new("t", 0);
    let options = FetchOptions { isolation: Isolation::ReadCommitted, ..small() };
    let found = kafka.list_offsets(vec![(tp.clone(), OffsetSpec::Latest)], options.isolation).await.unwrap();
    assert_eq!(found[&tp].offset, Some(100));
    let reader = kafka.reader(options);
    assert_eq!(drain(reader.read(&tp, 0, 100)).await.unwrap().len(), 100);
    assert_eq!(reader.watermarks()[&tp].last_stable_offset, 100);
    assert_eq!(everything(&kafka, &cluster.broker, "t").await[&0].len(), 100);
}
