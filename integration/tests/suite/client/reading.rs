//! Ranges are exact, and data losses are told.

use std::time::{Duration, Instant};

use futures::FutureExt;
use millstream::client::{
    Error, ErrorCode, FetchOptions, FetchedRecords, Isolation, Loss, OffsetSpec, OnDataLoss, TopicPartition,
};
use millstream::protocol::records::{AbortedFilter, Batches};
use millstream_integration::transaction::{Record, TransactionalProducer};

use super::cluster::{Cluster, described, is_gone};
use super::records::{PATIENCE, create, decode, drain, everything, fill, producer_options, write};

fn small() -> FetchOptions {
    FetchOptions { max_partition_bytes: 4000, progress_timeout: PATIENCE, ..FetchOptions::default() }
}

pub async fn a_range_is_exact_at_both_ends_and_ends_by_position(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    fill(&kafka, cluster.name, 2, 5000).await;
    let reader = kafka.reader(small());
    for (from, until) in [(0, 2500), (0, 1), (7, 8), (100, 1777), (2499, 2500), (5, 5)] {
        let rows = drain(reader.read(&TopicPartition::new(cluster.name, 1), from, until)).await.unwrap();
        let expected: Vec<_> = (from..until).map(|offset| (offset, (offset * 2 + 1).to_string())).collect();
        assert_eq!(rows, expected, "{from}..{until}");
    }
}

pub async fn consecutive_ranges_are_read_on_from_what_was_prefetched(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    fill(&kafka, cluster.name, 1, 3000).await;
    let reader = kafka.reader(small());
    let tp = TopicPartition::new(cluster.name, 0);
    reader.follow(&tp, 0);
    for start in (0..3000).step_by(7) {
        let end = (start + 7).min(3000);
        let rows = drain(reader.read(&tp, start, end)).await.unwrap();
        assert_eq!(rows, (start..end).map(|offset| (offset, offset.to_string())).collect::<Vec<_>>());
    }
}

pub async fn ranges_of_one_partition_can_be_read_side_by_side(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    fill(&kafka, cluster.name, 1, 4000).await;
    let reader = kafka.reader(small());
    let tp = TopicPartition::new(cluster.name, 0);
    let ranges = (0..4).map(|i| drain(reader.read(&tp, i * 1000, (i + 1) * 1000)));
    for (i, rows) in futures::future::join_all(ranges).await.into_iter().enumerate() {
        assert_eq!(rows.unwrap().len(), 1000, "range {i}");
    }
}

pub async fn an_offset_out_of_range_is_a_data_loss_with_the_logs_bounds(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    fill(&kafka, cluster.name, 1, 1000).await;
    let tp = TopicPartition::new(cluster.name, 0);
    let deleted = kafka.admin().delete_records(&[(tp.clone(), 400)], PATIENCE).await.unwrap();
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

pub async fn a_recreated_topic_is_not_read_on_and_a_deleted_one_says_so(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    let delete = async || {
        kafka.admin().delete_topics(&[cluster.name.to_owned()], PATIENCE).await.unwrap();
        described(&kafka, cluster.name, is_gone).await;
    };
    fill(&kafka, cluster.name, 1, 1000).await;
    let tp = TopicPartition::new(cluster.name, 0);
    let reader = kafka.reader(small());
    reader.follow(&tp, 0);
    assert_eq!(drain(reader.read(&tp, 0, 1000)).await.unwrap().len(), 1000);
    delete().await;
    fill(&kafka, cluster.name, 1, 2000).await;
    let error = drain(reader.read(&tp, 1000, 1500)).await.unwrap_err();
    assert!(matches!(error.data_loss().unwrap().loss, Loss::Recreated { .. }), "{error}");

    let reader = kafka.reader(small());
    assert_eq!(drain(reader.read(&tp, 0, 10)).await.unwrap().len(), 10);
    delete().await;
    let error = drain(reader.read(&tp, 1500, 2000)).await.unwrap_err();
    let unknown = error.code() == Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert!(unknown || error.data_loss().is_some_and(|loss| loss.loss == Loss::Deleted), "{error}");
}

pub async fn an_unknown_topic_is_an_error_and_is_not_created(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    let tp = TopicPartition::new(cluster.name, 0);
    let error = drain(kafka.reader(small()).read(&tp, 0, 1)).await.unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
    assert!(error.to_string().contains(cluster.name), "{error}");
    assert!(kafka.list_topics().await.unwrap().iter().all(|topic| *topic.name != *cluster.name));
}

pub async fn followers_are_woken_without_waiting_a_long_poll_out(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    fill(&kafka, cluster.name, 4, 4).await;
    // A fetch that were waited out for every record would make these rounds take minutes.
    let reader = kafka.reader(FetchOptions { max_wait: Duration::from_secs(10), ..FetchOptions::default() });
    reader.follow_all((0..4).map(|p| (TopicPartition::new(cluster.name, p), 1)));
    let producer = kafka.producer(producer_options());
    let tp = TopicPartition::new(cluster.name, 2);
    let started = Instant::now();
    for round in 0..20 {
        let number = 4 + round * 4 + 2;
        write(&producer, cluster.name, 4, number..number + 1).await;
        let end = i64::try_from(round).unwrap() + 2;
        while reader.watermarks().get(&tp).is_none_or(|marks| marks.high_watermark < end) {
            reader.changed().await;
        }
        assert_eq!(drain(reader.read(&tp, end - 1, end)).await.unwrap().len(), 1);
    }
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}

pub async fn a_small_budget_slows_down_but_never_stops(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    fill(&kafka, cluster.name, 4, 20_000).await;
    let reader = kafka.reader(FetchOptions { budget_bytes: 1, ..small() });
    let partitions: Vec<_> = (0..4).map(|partition| TopicPartition::new(cluster.name, partition)).collect();
    partitions.iter().for_each(|tp| reader.follow(tp, 0));
    let mut held = Vec::new();
    for tp in &partitions {
        let mut range = reader.read(tp, 0, 5000);
        let mut rows = 0;
        while let Some(fetched) = range.next().await.unwrap() {
            rows += decode(&fetched).len();
            held.push(fetched);
        }
        assert_eq!(rows, 5000);
    }
}

pub async fn a_range_beyond_the_end_waits_for_records_and_times_out_saying_why(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    fill(&kafka, cluster.name, 1, 10).await;
    let tp = TopicPartition::new(cluster.name, 0);
    let reader = kafka.reader(small());
    let mut range = reader.read(&tp, 0, 20);
    let mut rows = decode(&range.next().await.unwrap().unwrap());
    while rows.len() < 10 {
        rows.extend(decode(&range.next().await.unwrap().unwrap()));
    }
    let waiting = tokio::spawn(drain(range));
    write(&kafka.producer(producer_options()), cluster.name, 1, 10..20).await;
    assert_eq!(waiting.await.unwrap().unwrap().len(), 10);

    let options = FetchOptions { progress_timeout: Duration::from_millis(700), ..small() };
    let error = drain(kafka.reader(options).read(&tp, 20, 30)).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }));
    assert!(error.to_string().contains("the partition at 20"), "{error}");
}

pub async fn dropped_calls_lose_nothing(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    fill(&kafka, cluster.name, 1, 3000).await;
    let reader = kafka.reader(FetchOptions { budget_bytes: 1, ..small() });
    let mut range = reader.read(&TopicPartition::new(cluster.name, 0), 0, 3000);
    let (mut rows, mut dropped) = (Vec::new(), 0);
    loop {
        // Asked once and dropped where it is not ready.
        match range.next().now_or_never() {
            Some(Ok(Some(fetched))) => rows.extend(decode(&fetched)),
            Some(Ok(None)) => break,
            Some(Err(error)) => panic!("{error}"),
            None => {
                dropped += 1;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
    assert!(dropped > 0, "no call was dropped");
    assert_eq!(rows, (0..3000).map(|offset| (offset, offset.to_string())).collect::<Vec<_>>());
}

pub async fn read_committed_ends_before_an_open_transaction_and_hides_the_aborted_ones(cluster: &Cluster) {
    let kafka = cluster.connect().await;
    create(&kafka, cluster.name, 1, &[]).await;
    // Offsets: 0-1 committed, 2 its marker; 3-4 aborted, 5 its marker; 6 committed, 7 its marker; 8 open.
    let _open = tokio::task::block_in_place(|| transactions(cluster).unwrap());
    let tp = TopicPartition::new(cluster.name, 0);
    let options = FetchOptions { isolation: Isolation::ReadCommitted, ..small() };
    for (isolation, end) in [(Isolation::ReadCommitted, 8), (Isolation::ReadUncommitted, 9)] {
        let found = kafka.list_offsets(vec![(tp.clone(), OffsetSpec::Latest)], isolation).await.unwrap();
        assert_eq!(found[&tp].offset, Some(end));
    }
    assert_eq!(everything(&kafka, cluster.name).await[&0].join(" "), "c1 c2 a1 a2 c3 o1");
    // One response holds all; wherever ranges cut it, the rest knows which transactions are over.
    for cut in 0..=8 {
        let reader = kafka.reader(options.clone());
        reader.follow(&tp, 0);
        let mut rows = Vec::new();
        for (from, until) in [(0, cut), (cut, 8)] {
            let mut range = reader.read(&tp, from, until);
            while let Some(fetched) = range.next().await.unwrap() {
                rows.extend(committed(&fetched));
            }
        }
        assert_eq!(rows.join(" "), "c1 c2 c3", "cut at {cut}");
        assert_eq!(reader.watermarks()[&tp].last_stable_offset, 8);
    }
    let impatient = FetchOptions { progress_timeout: Duration::from_millis(700), ..options };
    let error = drain(kafka.reader(impatient).read(&tp, 8, 9)).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { .. }), "{error}");
}

/// The values of what read_committed shows of a fetch.
fn committed(fetched: &FetchedRecords) -> Vec<String> {
    let mut aborted = AbortedFilter::new(&fetched.aborted);
    let (mut values, mut scratch) = (Vec::new(), Vec::new());
    for batch in Batches::new(&fetched.records) {
        let batch = batch.unwrap();
        let is_hidden = aborted.hides(&batch.header);
        if batch.header.is_control() {
            aborted.marker(&batch).unwrap();
        } else if !is_hidden {
            for record in batch.records(usize::MAX, &mut scratch).unwrap() {
                let record = record.unwrap();
                if (fetched.from..fetched.until).contains(&record.offset) {
                    values.push(String::from_utf8(record.value.unwrap().to_vec()).unwrap());
                }
            }
        }
    }
    values
}

/// A committed, an aborted, another committed and an open transaction. The last one stays open as long as what is
/// returned lives.
fn transactions(cluster: &Cluster) -> Result<TransactionalProducer, String> {
    let record = |value: &str| Record {
        topic: cluster.name.into(),
        partition: 0,
        timestamp: 1_735_689_600_000,
        key: None,
        value: Some(value.into()),
    };
    let mut producer = TransactionalProducer::start(&cluster.bootstrap, cluster.name)?;
    producer.produce(&["c1", "c2"].map(record))?;
    producer.end(true)?;
    producer.produce(&["a1", "a2"].map(record))?;
    producer.end(false)?;
    producer.produce(&["c3"].map(record))?;
    producer.end(true)?;
    producer.produce(&["o1"].map(record))?;
    Ok(producer)
}
