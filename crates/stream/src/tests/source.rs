use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use millstream_client::ClientOptions;
use millstream_protocol::ids::TopicPartition;
use parking_lot::Mutex;
use uuid::Uuid;

use super::{Cluster, values};
use crate::error::Result;
use crate::source::kafka::stream::KafkaSourceFactory;
use crate::source::{
    Freshness, Offset, QueryIdentity, ReadLimit, ScanProjection, Source, SourceFactory, SourceLog,
};

#[derive(Default)]
struct MemoryLog(Mutex<HashMap<u64, Vec<u8>>>);

impl SourceLog for MemoryLog {
    fn get(&self, n: u64) -> Result<Option<Vec<u8>>> {
        Ok(self.0.lock().get(&n).cloned())
    }

    fn put(&self, n: u64, content: &[u8]) -> Result<()> {
        self.0.lock().insert(n, content.to_vec());
        Ok(())
    }
}

async fn open(cluster: &Cluster, options: &[(&str, &str)]) -> Result<Arc<dyn Source>> {
    let read = Arc::new(cluster.read(true, options));
    let factory = KafkaSourceFactory { read, clients: cluster.session.kafka().clone() };
    let identity =
        QueryIdentity { query_id: Uuid::nil(), run_id: Uuid::new_v4(), checkpoint: "unused".into() };
    factory.create(&identity).await
}

async fn end(source: &dyn Source, from: &Offset, limit: ReadLimit) -> Offset {
    source.latest(from, limit, Freshness::Lookup).await.unwrap().unwrap().end
}

async fn rows(cluster: &Cluster, source: &dyn Source, from: &Offset, until: &Offset) -> Vec<String> {
    let schema = millstream_columnar::records::source_schema(false);
    let projection = ScanProjection { columns: (0..7).collect(), schema };
    let task = cluster.session.state().unwrap().task_ctx();
    let mut batches = Vec::new();
    for split in source.splits(from, until, 2).await.unwrap().into_iter().flatten() {
        let rows = source.open(&split, &projection, task.clone()).unwrap();
        batches.extend(rows.try_collect::<Vec<_>>().await.unwrap());
    }
    values(&batches)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_starts_at_latest_and_keeps_its_start_over_restarts() {
    let cluster = Cluster::with(&[("t", 1)]);
    cluster.produce("t", &[(0, None, Some("old"))]).await;
    let log = MemoryLog::default();
    let source = open(&cluster, &[("subscribe", "t")]).await.unwrap();
    assert_eq!(source.description(), "KafkaV2[Subscribe[t]]");
    let start = source.start(&log).await.unwrap();
    assert_eq!(start.as_str(), r#"{"t":{"0":1}}"#);
    cluster.produce("t", &[(0, None, Some("new"))]).await;
    let restarted = open(&cluster, &[("subscribe", "t"), ("startingOffsets", "earliest")]).await.unwrap();
    assert_eq!(restarted.start(&log).await.unwrap(), start);
    let end = end(&*restarted, &start, ReadLimit::Configured).await;
    assert_eq!(rows(&cluster, &*restarted, &start, &end).await, ["new"]);
    // The same range again gives the same rows.
    assert_eq!(rows(&cluster, &*restarted, &start, &end).await, ["new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_rows_wake_the_source_and_are_known_without_asking() {
    let cluster = Cluster::with(&[("t", 1)]);
    let source = open(&cluster, &[("subscribe", "t")]).await.unwrap();
    let start = source.start(&MemoryLog::default()).await.unwrap();
    assert_eq!(end(&*source, &start, ReadLimit::Configured).await, start);
    cluster.produce("t", &[(0, None, Some("a")), (0, None, Some("b"))]).await;
    let woken = async {
        loop {
            source.changed().await;
            let known = source.latest(&start, ReadLimit::Configured, Freshness::Known).await.unwrap();
            let end = known.unwrap().end;
            if end != start {
                return end;
            }
        }
    };
    let end = tokio::time::timeout(Duration::from_secs(20), woken).await.unwrap();
    assert_eq!(rows(&cluster, &*source, &start, &end).await, ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_cut_batches_and_a_run_to_a_target_stops_there() {
    let cluster = Cluster::with(&[("t", 1)]);
    let records: Vec<_> = (0..10).map(|_| (0, None, Some("x"))).collect();
    cluster.produce("t", &records).await;
    let options = [("subscribe", "t"), ("startingOffsets", "earliest"), ("maxOffsetsPerTrigger", "4")];
    let source = open(&cluster, &options).await.unwrap();
    let start = source.start(&MemoryLog::default()).await.unwrap();
    source.prepare_available_now().await.unwrap();
    let first = end(&*source, &start, ReadLimit::Configured).await;
    assert_eq!(first.as_str(), r#"{"t":{"0":4}}"#);
    cluster.produce("t", &[(0, None, Some("late"))]).await;
    let all = end(&*source, &first, ReadLimit::All).await;
    assert_eq!(all.as_str(), r#"{"t":{"0":10}}"#);
    let metrics = source.metrics(&first, Some(&all));
    assert_eq!(metrics["maxOffsetsBehindLatest"], "6");
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_that_come_later_are_read_from_their_beginning() {
    let cluster = Cluster::with(&[("p_one", 1)]);
    cluster.produce("p_one", &[(0, None, Some("old"))]).await;
    let source = open(&cluster, &[("subscribePattern", "p_.*")]).await.unwrap();
    let start = source.start(&MemoryLog::default()).await.unwrap();
    end(&*source, &start, ReadLimit::Configured).await;
    cluster.broker.broker().create_topic("p_two", 1, &[]).unwrap();
    cluster.produce("p_two", &[(0, None, Some("new"))]).await;
    let found = async {
        loop {
            source.changed().await;
            let known = source.latest(&start, ReadLimit::Configured, Freshness::Known).await.unwrap();
            let end = known.unwrap().end;
            if end != start {
                return end;
            }
        }
    };
    let end = tokio::time::timeout(Duration::from_secs(20), found).await.unwrap();
    assert_eq!(end.as_str(), r#"{"p_one":{"0":1},"p_two":{"0":1}}"#);
    assert_eq!(rows(&cluster, &*source, &start, &end).await, ["new"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_beyond_the_end_and_deleted_records_are_losses() {
    let cluster = Cluster::with(&[("t", 1)]);
    let records: Vec<_> = (0..10).map(|_| (0, None, Some("x"))).collect();
    cluster.produce("t", &records).await;
    let beyond =
        [("subscribe", "t"), ("startingOffsets", r#"{"t":{"0":19}}"#), ("fetchOffset.retryIntervalMs", "1")];
    let source = open(&cluster, &beyond).await.unwrap();
    let start = source.start(&MemoryLog::default()).await.unwrap();
    let end = end(&*source, &start, ReadLimit::Configured).await;
    let error = source.splits(&start, &end, 2).await.unwrap_err();
    let spark = error.spark().unwrap();
    assert_eq!(spark.condition.as_deref(), Some("KAFKA_DATA_LOSS.PARTITION_OFFSET_CHANGED"));
    assert_eq!((&*spark.parameters["prevOffset"], &*spark.parameters["newOffset"]), ("19", "10"));
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_records_fail_the_read_or_are_passed_over() {
    let cluster = Cluster::with(&[("t", 1)]);
    let records: Vec<_> = (0..10).map(|_| (0, None, Some("x"))).collect();
    cluster.produce("t", &records).await;
    let options = ClientOptions::new(&cluster.broker.bootstrap());
    let kafka = cluster.session.kafka().connect(Vec::new(), options).await.unwrap();
    let before = [(TopicPartition { topic: "t".into(), partition: 0 }, 6)];
    kafka.admin().delete_records(&before, Duration::from_secs(20)).await.unwrap();
    let (from, until) = (Offset::new(r#"{"t":{"0":3}}"#), Offset::new(r#"{"t":{"0":10}}"#));
    let schema = millstream_columnar::records::source_schema(false);
    let projection = ScanProjection { columns: (0..7).collect(), schema };
    let task = cluster.session.state().unwrap().task_ctx();
    let strict = open(&cluster, &[("subscribe", "t")]).await.unwrap();
    let split = strict.splits(&from, &until, 1).await.unwrap().remove(0).remove(0);
    let failed = strict.open(&split, &projection, task).unwrap().try_collect::<Vec<_>>().await.unwrap_err();
    let error = crate::Error::from(failed);
    let spark = error.spark().unwrap();
    assert_eq!(spark.condition.as_deref(), Some("KAFKA_DATA_LOSS.COULD_NOT_READ_OFFSET_RANGE"));
    assert_eq!((&*spark.parameters["startOffset"], &*spark.parameters["endOffset"]), ("3", "10"));
    let lenient = open(&cluster, &[("subscribe", "t"), ("failOnDataLoss", "false")]).await.unwrap();
    assert_eq!(rows(&cluster, &*lenient, &from, &until).await.len(), 4);
}
