//! Triggers, reports, waking, stopping.

use std::time::Duration;

use super::*;

fn stream_of(blocks: i64, max_blocks: u64) -> MemoryStream {
    let stream = MemoryStream::with_max_blocks(schema(), max_blocks);
    for block in 0..blocks {
        stream.add_data(rows([block])).unwrap();
    }
    stream
}

fn ids(progress: &[StreamingQueryProgress]) -> Vec<(i64, bool)> {
    progress.iter().map(|report| (report.batch_id, report.duration_ms.contains_key("addBatch"))).collect()
}

#[test]
fn available_now_keeps_the_limits_and_the_end_it_saw_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let query = Query::new(&stream_of(5, 2), Trigger::AvailableNow);
    let progress = query.run(dir.path()).unwrap();
    assert_eq!(ids(&progress), [(0, true), (1, true), (2, true)]);
    assert_eq!(query.shelf.values(), [0, 1, 2, 3, 4]);
}

#[test]
fn once_ignores_the_limits_and_runs_one_batch() {
    let dir = tempfile::tempdir().unwrap();
    let query = Query::new(&stream_of(5, 2), Trigger::Once);
    assert_eq!(ids(&query.run(dir.path()).unwrap()), [(0, true)]);
    assert_eq!(query.shelf.values(), [0, 1, 2, 3, 4]);
}

#[test]
fn a_start_with_nothing_to_do_reports_once_without_a_batch() {
    let dir = tempfile::tempdir().unwrap();
    for trigger in [Trigger::AvailableNow, Trigger::Once] {
        let query = Query::new(&stream_of(1, 1), trigger);
        query.run(dir.path()).unwrap();
        assert_eq!(ids(&query.run(dir.path()).unwrap()), [(1, false)]);
    }
}

#[test]
fn batch_0_runs_even_without_rows_so_that_the_start_is_on_record() {
    let dir = tempfile::tempdir().unwrap();
    let query = Query::new(&MemoryStream::new(schema()), Trigger::AvailableNow);
    let progress = query.run(dir.path()).unwrap();
    assert_eq!(ids(&progress), [(0, true)]);
    assert_eq!(progress[0].num_input_rows(), 0);
    assert!(dir.path().join("commits/0").exists());
}

#[test]
fn a_report_tells_rows_offsets_and_phases() {
    let dir = tempfile::tempdir().unwrap();
    let query = Query::new(&stream_of(2, 1), Trigger::AvailableNow);
    let progress = query.run(dir.path()).unwrap();
    let json = progress[1].to_json();
    assert_eq!(json["batchId"], 1);
    assert_eq!(json["numInputRows"], 1);
    assert_eq!(json["sources"][0]["startOffset"], 1);
    assert_eq!(json["sources"][0]["endOffset"], 2);
    assert_eq!(json["sink"]["numOutputRows"], 1);
    let phases: Vec<&str> = json["durationMs"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        phases,
        [
            "addBatch",
            "commitOffsets",
            "getBatch",
            "latestOffset",
            "queryPlanning",
            "triggerExecution",
            "walCommit"
        ]
    );
    assert!(progress[0].to_json()["sources"][0]["startOffset"].is_null());
}

#[test]
fn an_idle_query_is_woken_by_data_and_asks_thoroughly_only_when_promised() {
    let dir = tempfile::tempdir().unwrap();
    let stream = MemoryStream::new(schema());
    let query = Query::new(&stream, Trigger::Default);
    let (driver, state) = query.driver(dir.path()).unwrap();
    let runtime = driver.runtime();
    let running = runtime.spawn(driver.run());
    runtime.block_on(async {
        served(&state).await;
        let lookups = stream.lookups();
        for value in 0..5 {
            stream.add_data(rows([value])).unwrap();
            while query.shelf.values().len() <= usize::try_from(value).unwrap() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        assert_eq!(stream.lookups(), lookups, "data wakes the query, no lookup does");
        served(&state).await;
        assert!(stream.lookups() > lookups);
        state.request_stop();
        running.await.unwrap().unwrap();
    });
    assert_eq!(query.shelf.values(), [0, 1, 2, 3, 4]);
}

#[test]
fn a_polling_delay_gathers_what_comes_together_and_a_request_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let stream = MemoryStream::new(schema());
    let session = session(&[("spark.sql.streaming.pollingDelay", "3600000")]);
    let query = Query::with(session, analyzed(&stream, |scan| scan), Trigger::Default);
    let (driver, state) = query.driver(dir.path()).unwrap();
    let runtime = driver.runtime();
    let running = runtime.spawn(driver.run());
    runtime.block_on(async {
        served(&state).await;
        stream.add_data(rows([1])).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        stream.add_data(rows([2])).unwrap();
        served(&state).await;
        state.request_stop();
        running.await.unwrap().unwrap();
    });
    assert_eq!(query.shelf.batches(), BTreeMap::from([(0, vec![]), (1, vec![1, 2])]));
}

#[test]
fn a_processing_time_trigger_runs_at_once_and_then_at_its_times() {
    let dir = tempfile::tempdir().unwrap();
    let stream = stream_of(1, 10);
    let query = Query::new(&stream, Trigger::ProcessingTime(Duration::from_millis(80)));
    let (driver, state) = query.driver(dir.path()).unwrap();
    let runtime = driver.runtime();
    let running = runtime.spawn(driver.run());
    runtime.block_on(async {
        while query.shelf.values().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stream.add_data(rows([7])).unwrap();
        served(&state).await;
        state.request_stop();
        running.await.unwrap().unwrap();
    });
    let progress = state.recent();
    assert_eq!(query.shelf.values(), [0, 7]);
    let slot =
        |batch: i64| progress.iter().find(|report| report.batch_id == batch).unwrap().timestamp_ms / 80;
    assert!(slot(1) > slot(0), "the second batch did not wait for its time");
}

#[test]
fn every_report_is_a_line_of_the_progress_file() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("progress.jsonl");
    let stream = stream_of(2, 1);
    let session = session(&[("millstream.progress.path", log.to_str().unwrap())]);
    let query = Query::with(session, analyzed(&stream, |scan| scan), Trigger::AvailableNow);
    let progress = query.run(&dir.path().join("check")).unwrap();
    let text = std::fs::read_to_string(log).unwrap();
    let lines: Vec<String> = progress.iter().map(StreamingQueryProgress::json).collect();
    assert_eq!(text.lines().collect::<Vec<_>>(), lines);
}

/// Waits until everything is processed.
async fn served(state: &QueryState) {
    let number = state.request_all();
    state.served().wait_for(|served| *served >= number).await.unwrap();
}
