//! Queries as users hold them: handles, the manager, functions over batches, and what ends a query.

use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{ArrayRef, Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parking_lot::Mutex;

use super::*;
use crate::frame::DataFrame;
use crate::session::Session;
use crate::source::memory::MemoryStream;
use crate::trigger::Trigger;

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("v", DataType::Int64, true)]))
}

fn rows(values: impl IntoIterator<Item = i64>) -> RecordBatch {
    let values: ArrayRef = Arc::new(Int64Array::from_iter_values(values));
    RecordBatch::try_new(schema(), vec![values]).unwrap()
}

fn numbers(batches: &[RecordBatch]) -> Vec<i64> {
    let mut all: Vec<i64> = batches
        .iter()
        .flat_map(|batch| batch.column(0).as_primitive::<Int64Type>().values().to_vec())
        .collect();
    all.sort_unstable();
    all
}

fn session() -> Session {
    Session::builder().config("millstream.parallelism", 2).build().unwrap()
}

/// What a function saw: the id and the rows of each batch.
type Seen = Arc<Mutex<Vec<(i64, Vec<i64>)>>>;

async fn start(frame: DataFrame, checkpoint: &Path, seen: &Seen) -> Result<StreamingQuery> {
    let seen = Arc::clone(seen);
    frame
        .write_stream()
        .option("checkpointLocation", checkpoint.display())
        .foreach_batch(move |batch: DataFrame, id| {
            let seen = Arc::clone(&seen);
            async move {
                let rows = numbers(&batch.collect().await?);
                seen.lock().push((id, rows));
                Ok::<(), Error>(())
            }
        })
        .start()
        .await
}

fn block_on<T>(future: impl std::future::Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn a_watermark_that_no_operation_uses_changes_no_row() {
    let dir = tempfile::tempdir().unwrap();
    let (session, stream) = (session(), MemoryStream::new(schema()));
    let frame = stream.to_frame(&session).unwrap().select_expr(["timestamp_seconds(v) AS t", "v"]).unwrap();
    let frame = frame.with_watermark("t", "1 second").unwrap().select(["v"]).unwrap();
    let seen = Seen::default();
    block_on(async {
        let query = start(frame, dir.path(), &seen).await.unwrap();
        // The second row is far behind the watermark that the first one sets.
        for value in [1000, 1] {
            stream.add_data(rows([value])).unwrap();
            query.process_all_available().await.unwrap();
        }
        query.stop().await.unwrap();
    });
    assert_eq!(*seen.lock(), [(0, vec![1000]), (1, vec![1])]);
}

#[test]
fn a_function_sees_each_batch_with_its_id_and_may_read_it_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (session, stream) = (session(), MemoryStream::new(schema()));
    stream.add_data(rows([1, 2, 3])).unwrap();
    let frame = stream.to_frame(&session).unwrap().where_("v > 1").unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    block_on(async {
        let query = frame
            .write_stream()
            .option("checkpointLocation", dir.path().display())
            .foreach_batch(move |batch: DataFrame, id| {
                let noted = Arc::clone(&noted);
                async move {
                    let largest = batch.where_("v = 3 OR v = 30")?.collect().await?;
                    let count = batch.count().await?;
                    noted.lock().push((id, count, numbers(&largest)));
                    Ok::<(), Error>(())
                }
            })
            .start()
            .await
            .unwrap();
        query.process_all_available().await.unwrap();
        stream.add_data(rows([1, 30])).unwrap();
        query.process_all_available().await.unwrap();
        query.stop().await.unwrap();
        assert_eq!(*seen.lock(), [(0, 2, vec![3]), (1, 1, vec![30])]);
        let last = query.last_progress().unwrap();
        assert_eq!((last.num_input_rows(), last.sink.num_output_rows), (2, -1));
        assert_eq!(last.sink.description, "ForeachBatchSink");
        assert_eq!(query.status().message, "Stopped");
        assert!(!query.is_active() && query.exception().is_none());
    });
}

#[test]
fn a_function_that_fails_ends_the_query_and_gets_the_same_batch_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let (session, stream) = (session(), MemoryStream::new(schema()));
    stream.add_data(rows([1])).unwrap();
    let frame = stream.to_frame(&session).unwrap();
    block_on(async {
        let query = frame
            .write_stream()
            .option("checkpointLocation", dir.path().display())
            .foreach_batch(|_, id| async move { Err::<(), _>(format!("no room for batch {id}")) })
            .start()
            .await
            .unwrap();
        let error = query.process_all_available().await.unwrap_err().to_string();
        assert!(error.contains("[STREAM_FAILED]") && error.contains("no room for batch 0"), "{error}");
        let exception = query.exception().unwrap();
        assert_eq!((exception.id, exception.run_id), (query.id(), query.run_id()));
        assert!(query.await_termination().await.is_err());
        assert!(session.streams().active().is_empty());

        stream.add_data(rows([2])).unwrap();
        let seen = Seen::default();
        let again = start(frame, dir.path(), &seen).await.unwrap();
        assert_eq!(again.id(), query.id());
        assert_ne!(again.run_id(), query.run_id());
        again.process_all_available().await.unwrap();
        assert_eq!(*seen.lock(), [(0, vec![1]), (1, vec![2])]);
        again.stop().await.unwrap();
    });
}

#[test]
fn the_manager_knows_who_runs_and_who_has_ended() {
    let dir = tempfile::tempdir().unwrap();
    let (session, stream) = (session(), MemoryStream::new(schema()));
    let frame = stream.to_frame(&session).unwrap();
    block_on(async {
        let seen = Seen::default();
        let query = start(frame.clone(), dir.path(), &seen).await.unwrap();
        let streams = session.streams();
        assert_eq!(streams.active().len(), 1);
        assert_eq!(streams.get(query.id()).unwrap().run_id(), query.run_id());
        let soon = Duration::from_millis(20);
        assert!(!query.await_termination_timeout(soon).await.unwrap());
        assert!(!streams.await_any_termination_timeout(soon).await.unwrap());
        query.stop().await.unwrap();
        assert!(query.await_termination_timeout(soon).await.unwrap());
        assert!(streams.await_any_termination_timeout(soon).await.unwrap());
        assert!(streams.active().is_empty() && streams.get(query.id()).is_none());
        streams.reset_terminated();
        assert!(!streams.await_any_termination_timeout(soon).await.unwrap());
    });
}

#[test]
fn a_name_is_taken_while_its_query_runs() {
    let dir = tempfile::tempdir().unwrap();
    let (session, stream) = (session(), MemoryStream::new(schema()));
    let named = |folder: &str| {
        let frame = stream.to_frame(&session).unwrap();
        let writer = frame.write_stream().format("noop").query_name("q");
        writer.option("checkpointLocation", dir.path().join(folder).display())
    };
    block_on(async {
        let first = named("a").start().await.unwrap();
        let error = named("b").start().await.unwrap_err().to_string();
        assert!(
            error.contains("Cannot start query with name q as a query with that name is already active"),
            "{error}"
        );
        first.stop().await.unwrap();
        named("b").start().await.unwrap().stop().await.unwrap();
    });
}

#[test]
fn a_second_start_from_a_checkpoint_ends_the_first_run_unless_told_otherwise() {
    let dir = tempfile::tempdir().unwrap();
    let (session, stream) = (session(), MemoryStream::new(schema()));
    let frame = stream.to_frame(&session).unwrap();
    block_on(async {
        let seen = Seen::default();
        let first = start(frame.clone(), dir.path(), &seen).await.unwrap();
        let second = start(frame.clone(), dir.path(), &seen).await.unwrap();
        assert!(!first.is_active() && second.is_active());
        session.conf().set("spark.sql.streaming.stopActiveRunOnRestart", false);
        let error = start(frame.clone(), dir.path(), &seen).await.unwrap_err().to_string();
        assert!(error.contains("another query with same id is already active"), "{error}");
        second.stop().await.unwrap();
    });
}

#[test]
fn another_session_finds_the_checkpoint_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let stream = MemoryStream::new(schema());
    let (one, other) = (session(), session());
    block_on(async {
        let seen = Seen::default();
        let first = start(stream.to_frame(&one).unwrap(), dir.path(), &seen).await.unwrap();
        let error = start(stream.to_frame(&other).unwrap(), dir.path(), &seen).await.unwrap_err().to_string();
        assert!(error.contains("in use by process"), "{error}");
        first.stop().await.unwrap();
    });
}

#[test]
fn what_a_stream_cannot_do_is_told_at_the_start() {
    let (session, stream) = (session(), MemoryStream::new(schema()));
    let frame = stream.to_frame(&session).unwrap();
    block_on(async {
        let complete = frame.write_stream().format("noop").output_mode("complete").start().await.unwrap_err();
        let condition = complete.spark().unwrap().condition.clone();
        assert_eq!(condition.as_deref(), Some("STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION"));
        let continuous = Trigger::Continuous(Duration::from_secs(1));
        let error = frame.write_stream().format("noop").trigger(continuous).start().await.unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        let counted = frame.group_by("v").count().unwrap();
        let error = counted.write_stream().format("noop").output_mode("update").start().await.unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error}");
        assert!(session.streams().active().is_empty());
    });
}

#[test]
fn a_finite_query_ends_by_itself_and_a_temporary_checkpoint_goes_with_it() {
    let (session, stream) = (session(), MemoryStream::new(schema()));
    stream.add_data(rows([1])).unwrap();
    let frame = stream.to_frame(&session).unwrap();
    block_on(async {
        let query = frame.write_stream().format("noop").trigger(Trigger::AvailableNow).start().await.unwrap();
        query.await_termination().await.unwrap();
        assert_eq!(query.last_progress().unwrap().sink.num_output_rows, 1);
        assert!(query.explain_string().contains("StreamScanExec"), "{}", query.explain_string());
    });
}

#[test]
fn the_time_stands_still_within_a_batch() {
    let (session, stream) = (session(), MemoryStream::new(schema()));
    stream.add_data(rows(0..3)).unwrap();
    let frame = stream.to_frame(&session).unwrap();
    let frame = frame.select_expr(["unix_micros(current_timestamp()) AS now"]).unwrap();
    let dir = tempfile::tempdir().unwrap();
    block_on(async {
        let seen = Seen::default();
        let query = start(frame, dir.path(), &seen).await.unwrap();
        query.process_all_available().await.unwrap();
        stream.add_data(rows([1])).unwrap();
        query.process_all_available().await.unwrap();
        query.stop().await.unwrap();
        let entry = std::fs::read_to_string(dir.path().join("offsets/0")).unwrap();
        let seen = seen.lock();
        let (first, second) = (&seen[0].1, &seen[1].1);
        assert!(first.len() == 3 && first.iter().all(|now| now == &first[0]), "{first:?}");
        assert!(entry.contains(&format!("\"batchTimestampMs\":{}", first[0] / 1000)), "{entry}");
        assert!(second[0] > first[0]);
    });
}

#[test]
fn after_a_signal_who_waits_for_one_query_waits_for_the_running_batches_of_all() {
    let dir = tempfile::tempdir().unwrap();
    let (session, stream) = (session(), MemoryStream::new(schema()));
    let frame = stream.to_frame(&session).unwrap();
    block_on(async {
        let quick = frame.write_stream().format("noop").start().await.unwrap();
        let begun = watch::Sender::new(false);
        let mut started = begun.subscribe();
        let slow = frame
            .write_stream()
            .option("checkpointLocation", dir.path().display())
            .foreach_batch(move |_, _| {
                begun.send_replace(true);
                async {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    Ok::<(), Error>(())
                }
            })
            .start()
            .await
            .unwrap();
        let _ = started.wait_for(|begun| *begun).await;
        assert!(quick.manager.request_stop());
        session.streams().await_any_termination().await.unwrap();
        assert!(!quick.is_active() && !slow.is_active());
        assert!(dir.path().join("commits/0").exists());
    });
}
