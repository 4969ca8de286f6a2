use std::sync::Arc;

use arrow_array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::physical_plan::{ExecutionPlan, collect};

use super::{Cluster, positions, values};
use crate::error::{Error, Result};
use crate::source::kafka::batch_scan::{KafkaScanExec, KafkaTable};

async fn plan(
    cluster: &Cluster,
    options: &[(&str, &str)],
    columns: Option<Vec<usize>>,
) -> Arc<dyn ExecutionPlan> {
    let table = KafkaTable::new(Arc::new(cluster.read(false, options)));
    let state = cluster.session.state().unwrap();
    table.scan(&state, columns.as_ref(), &[], None).await.unwrap()
}

async fn run(cluster: &Cluster, plan: Arc<dyn ExecutionPlan>) -> Result<Vec<RecordBatch>> {
    let task = cluster.session.state()?.task_ctx();
    cluster.session.run(async move { collect(plan, task).await.map_err(Error::from) }).await
}

async fn read(cluster: &Cluster, options: &[(&str, &str)]) -> Result<Vec<RecordBatch>> {
    let plan = plan(cluster, options, None).await;
    run(cluster, plan).await
}

async fn two_topics() -> Cluster {
    let cluster = Cluster::with(&[("t", 2), ("u", 1), ("other", 1)]);
    cluster.produce("t", &[(0, Some("k"), Some("a")), (0, None, Some("b")), (1, None, None)]).await;
    cluster.produce("u", &[(0, None, Some("c"))]).await;
    cluster.produce("other", &[(0, None, Some("z"))]).await;
    cluster
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_by_name_by_pattern_and_by_partition() {
    let cluster = two_topics().await;
    let all = read(&cluster, &[("subscribe", "t, u")]).await.unwrap();
    assert_eq!(values(&all), ["NULL", "a", "b", "c"]);
    let found = read(&cluster, &[("subscribePattern", "^[tu]$")]).await.unwrap();
    assert_eq!(positions(&found), positions(&all));
    let one = read(&cluster, &[("assign", r#"{"t":[0,7]}"#)]).await.unwrap();
    assert_eq!(values(&one), ["a", "b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn concrete_offsets_stay_and_open_ends_move_when_the_plan_runs_again() {
    let cluster = two_topics().await;
    let options = [
        ("subscribe", "t,u"),
        ("startingOffsets", r#"{"t":{"0":1,"1":-2},"u":{"0":-2}}"#),
        ("endingOffsets", r#"{"t":{"0":2,"1":-1},"u":{"0":-1}}"#),
    ];
    let plan = plan(&cluster, &options, None).await;
    assert_eq!(values(&run(&cluster, plan.clone()).await.unwrap()), ["NULL", "b", "c"]);
    cluster.produce("t", &[(0, None, Some("d")), (1, None, Some("e"))]).await;
    let again = plan.reset_state().unwrap();
    assert_eq!(values(&run(&cluster, again).await.unwrap()), ["NULL", "b", "c", "e"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leaf_survives_the_journey_as_bytes_without_the_reads_options() {
    let cluster = two_topics().await;
    let here = plan(&cluster, &[("subscribe", "t,u")], Some(vec![4, 1])).await;
    let bytes = (here.as_ref() as &dyn std::any::Any).downcast_ref::<KafkaScanExec>().unwrap().encode();
    assert!(!String::from_utf8(bytes.clone()).unwrap().contains("subscribe"));
    let table = KafkaTable::new(Arc::new(cluster.read(false, &[("subscribe", "t,u")])));
    let there: Arc<dyn ExecutionPlan> = Arc::new(KafkaScanExec::decode(&bytes, &table.schema()).unwrap());
    assert_eq!(there.schema(), here.schema());
    let sorted = |batches: Vec<RecordBatch>| {
        let mut rows: Vec<String> = batches.iter().map(|batch| format!("{:?}", batch.columns())).collect();
        rows.sort();
        rows
    };
    let (first, second) =
        (run(&cluster, here.clone()).await.unwrap(), run(&cluster, there.clone()).await.unwrap());
    assert_eq!(sorted(second), sorted(first));
    drop(here);
    let error = run(&cluster, there.reset_state().unwrap()).await.unwrap_err().to_string();
    assert!(error.contains("no Kafka read") && error.contains("keep a frame over it"), "{error}");
    assert!(KafkaScanExec::decode(b"{}", &table.schema()).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_those_asked_for_in_the_order_asked_for() {
    let cluster = two_topics().await;
    let plan = plan(&cluster, &[("subscribe", "t")], Some(vec![4, 1])).await;
    let batches = run(&cluster, plan).await.unwrap();
    let names: Vec<String> = batches[0].schema().fields().iter().map(|f| f.name().clone()).collect();
    assert_eq!(names, ["offset", "value"]);
    let plan = self::plan(&cluster, &[("subscribe", "t")], Some(vec![])).await;
    let rows: usize = run(&cluster, plan).await.unwrap().iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn small_pieces_give_every_row_once() {
    let cluster = Cluster::with(&[("t", 1)]);
    let rows: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
    let records: Vec<_> = rows.iter().map(|value| (0, None, Some(value.as_str()))).collect();
    cluster.produce("t", &records).await;
    for options in [("minPartitions", "7"), ("maxRecordsPerPartition", "9")] {
        assert_eq!(values(&read(&cluster, &[("subscribe", "t"), options]).await.unwrap()), rows);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_cluster_lacks_is_named_and_no_topic_is_made() {
    let cluster = two_topics().await;
    let missing = read(&cluster, &[("subscribe", "nowhere")]).await.unwrap_err();
    let text = missing.to_string();
    assert!(text.contains("nowhere") && text.contains("does not host this topic-partition"), "{text}");
    assert!(!cluster.broker.broker().topics().contains(&"nowhere".to_owned()));
    let few = [("subscribe", "t"), ("startingOffsets", r#"{"t":{"0":0}}"#)];
    let text = read(&cluster, &few).await.unwrap_err().to_string();
    assert!(text.contains("Specified: Set(t-0) Assigned: Set(t-0, t-1)"), "{text}");
    let late = [("subscribe", "u"), ("startingOffsets", r#"{"u":{"0":9}}"#)];
    let error = read(&cluster, &late).await.unwrap_err();
    let condition = error.spark().unwrap().condition.clone().unwrap();
    assert_eq!(condition, "RESOLVED_START_OFFSET_GREATER_THAN_END_OFFSET");
}

#[tokio::test(flavor = "multi_thread")]
async fn times_without_a_match_end_the_read_or_fail_it() {
    let cluster = two_topics().await;
    let future = "99999999999999";
    let all = read(&cluster, &[("subscribe", "t"), ("endingTimestamp", future)]).await.unwrap();
    assert_eq!(values(&all).len(), 3);
    let error = read(&cluster, &[("subscribe", "u"), ("startingTimestamp", future)]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("No offset matched from request of topic-partition u-0 and timestamp {future}.")
    );
    let latest =
        [("subscribe", "u"), ("startingTimestamp", future), ("startingOffsetsByTimestampStrategy", "latest")];
    assert!(values(&read(&cluster, &latest).await.unwrap()).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn conditions_on_offset_and_timestamp_narrow_what_is_read_and_change_no_row() {
    let cluster = Cluster::with(&[("t", 1)]);
    let values: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
    let records: Vec<_> = values.iter().map(|value| (0, None, Some(value.as_str()))).collect();
    cluster.produce("t", &records).await;
    let read = cluster.session.read().format("kafka");
    let read = read.option("kafka.bootstrap.servers", cluster.broker.bootstrap()).option("subscribe", "t");
    let frame = read.load().unwrap();
    for (condition, bounds, expected) in [
        ("offset >= 7 AND offset < 9", Some("bounds=[offset >= 7, offset <= 8]"), 2),
        ("offset + 1 > 99", None, 1),
        ("offset BETWEEN 10 AND 12", Some("bounds=[offset >= 10, offset <= 12]"), 3),
        ("3 > offset", Some("bounds=[offset <= 2]"), 3),
        ("offset > 3 AND offset < 3", Some("bounds=[offset >= 4, offset <= 2]"), 0),
        ("timestamp > TIMESTAMP '2001-01-01 00:00:00'", Some("bounds=[timestamp >= "), 100),
        ("timestamp < TIMESTAMP '2001-01-01 00:00:00'", Some("bounds=[timestamp <= "), 0),
        ("offset < 5 OR offset > 97", None, 7),
    ] {
        let found = frame.filter(condition).unwrap();
        let plan = found.explain_string().await.unwrap();
        assert_eq!(plan.contains("bounds="), bounds.is_some(), "{condition}: {plan}");
        assert!(bounds.is_none_or(|bounds| plan.contains(bounds)), "{condition}: {plan}");
        assert_eq!(found.count().await.unwrap(), expected, "{condition}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_that_never_fills_is_lost_data_and_not_a_mere_timeout() {
    let cluster = two_topics().await;
    let options =
        [("subscribe", "u"), ("endingOffsets", r#"{"u":{"0":99}}"#), ("kafkaConsumer.pollTimeoutMs", "200")];
    let error = read(&cluster, &options).await.unwrap_err();
    let spark = error.spark().unwrap();
    assert_eq!(spark.condition.as_deref(), Some("KAFKA_DATA_LOSS.COULD_NOT_READ_OFFSET_RANGE"));
    assert_eq!((&*spark.parameters["startOffset"], &*spark.parameters["endOffset"]), ("1", "99"));
    assert!(spark.parameters["groupId"].ends_with("-executor"));
    let allowed = [options[0], options[1], options[2], ("failOnDataLoss", "false")];
    assert_eq!(values(&read(&cluster, &allowed).await.unwrap()), ["c"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_names_the_partitions_that_its_offsets_leave_out() {
    let cluster = two_topics().await;
    let options = [("subscribe", "t"), ("startingOffsets", r#"{"t":{"0":0}}"#)];
    let error = read(&cluster, &options).await.unwrap_err();
    let spark = error.spark().unwrap();
    assert_eq!(spark.condition.as_deref(), Some("KAFKA_START_OFFSET_DOES_NOT_MATCH_ASSIGNED"));
    assert_eq!(spark.parameters["assignedPartitions"], "Set(t-0, t-1)");
    let below = [("subscribe", "u"), ("startingOffsets", r#"{"u":{"0":-3}}"#)];
    let text = read(&cluster, &below).await.unwrap_err().to_string();
    assert!(text.contains("-3") && text.contains("-2 for earliest"), "{text}");
}
