use std::collections::BTreeMap;

use arrow_array::{Int32Array, RecordBatch, StringViewArray};
use arrow_schema::{Field, Schema};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;

use super::*;
use crate::micro_batch::crash::CrashPoints;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Int32, true),
        Field::new("name", DataType::Utf8View, true),
    ]))
}

fn rows(ids: &[i32]) -> SendableRecordBatchStream {
    let names: StringViewArray = ids.iter().map(|id| Some(format!("n{id}"))).collect();
    let columns: Vec<arrow_array::ArrayRef> = vec![Arc::new(Int32Array::from(ids.to_vec())), Arc::new(names)];
    let batch = RecordBatch::try_new(schema(), columns).unwrap();
    Box::pin(RecordBatchStreamAdapter::new(schema(), futures::stream::iter([Ok(batch)])))
}

fn sink(dir: &Path) -> JsonFilesSink {
    let options = [("path", dir.to_str().unwrap())].into_iter().collect();
    JsonFilesSink::new(&options, "UTC", true).unwrap()
}

fn batch(batch_id: i64, attempt: u32, crash: Option<&str>) -> SinkBatch {
    SinkBatch {
        query_id: Uuid::nil(),
        batch_id,
        attempt,
        partitions: 2,
        schema: schema(),
        crash: CrashPoints::configured(crash).unwrap(),
    }
}

async fn run(sink: &JsonFilesSink, batch: &SinkBatch, parts: &[&[i32]]) -> Result<Committed> {
    sink.prepare(batch.query_id, &schema()).await?;
    sink.open(batch).await?;
    let mut written = Vec::new();
    for (partition, ids) in parts.iter().enumerate() {
        written.push(sink.write(batch, partition, rows(ids)).await?);
    }
    sink.commit(batch, written).await
}

/// Lines of the plain directory, and how often each is there.
fn lines(dir: &Path) -> BTreeMap<String, usize> {
    let mut lines = BTreeMap::new();
    for file in list(dir).unwrap().iter().filter(|file| file.extension().is_some_and(|e| e == "json")) {
        for line in fs::read_to_string(file).unwrap().lines() {
            *lines.entry(line.to_owned()).or_default() += 1;
        }
    }
    lines
}

fn once(ids: &[i32]) -> BTreeMap<String, usize> {
    ids.iter().map(|id| (format!("{{\"id\":{id},\"name\":\"n{id}\"}}"), 1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_partition_is_a_file_that_the_log_names() {
    let dir = tempfile::tempdir().unwrap();
    let sink = sink(dir.path());
    run(&sink, &batch(0, 1, None), &[&[1, 2], &[], &[3]]).await.unwrap();
    run(&sink, &batch(1, 1, None), &[&[4]]).await.unwrap();
    assert_eq!(lines(dir.path()), once(&[1, 2, 3, 4]));
    let log = sink.log().unwrap().unwrap();
    assert_eq!(log.files(0).unwrap().len(), 2);
    let logged = log.files(1).unwrap().remove(0);
    let file = dir.path().join(logged.name().unwrap());
    assert_eq!(fs::metadata(file).unwrap().len(), logged.size);
    assert!(list(&dir.path().join(TEMPORARY)).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_logged_is_not_written_again() {
    let dir = tempfile::tempdir().unwrap();
    run(&sink(dir.path()), &batch(0, 1, None), &[&[1], &[2]]).await.unwrap();
    run(&sink(dir.path()), &batch(0, 2, None), &[&[1], &[2]]).await.unwrap();
    assert_eq!(lines(dir.path()), once(&[1, 2]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_two_renames_is_finished_by_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let stopped = batch(0, 1, Some("between-renames:1:fail"));
    run(&sink(dir.path()), &stopped, &[&[1], &[2], &[3]]).await.unwrap_err();
    assert_eq!(lines(dir.path()).len(), 1);
    run(&sink(dir.path()), &batch(0, 2, None), &[&[1], &[2], &[3]]).await.unwrap();
    assert_eq!(lines(dir.path()), once(&[1, 2, 3]));
    assert!(list(&dir.path().join(TEMPORARY)).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_before_the_log_leaves_nothing_to_be_seen() {
    let dir = tempfile::tempdir().unwrap();
    let stopped = batch(0, 1, Some("after-sink-file:2:fail"));
    run(&sink(dir.path()), &stopped, &[&[1], &[2]]).await.unwrap_err();
    assert!(lines(dir.path()).is_empty());
    run(&sink(dir.path()), &batch(0, 2, None), &[&[1], &[2]]).await.unwrap();
    assert_eq!(lines(dir.path()), once(&[1, 2]));
}

#[test]
fn a_missing_path_and_unknown_features_are_refused() {
    let none = Options::new();
    assert!(JsonFilesSink::new(&none, "UTC", true).unwrap_err().to_string().contains("'path'"));
    let compressed = [("path", "/tmp/x"), ("compression", "gzip")].into_iter().collect();
    assert!(JsonFilesSink::new(&compressed, "UTC", true).is_err());
}
