//! A query stopped at every step, and started again: nothing is lost, and nothing is there twice in a sink
//! that knows batch ids.

use super::*;
use crate::micro_batch::crash::{CRASH_POINT, POINTS};

/// Runs until the crash point fires, then again without it. Returns what the sink shows and which batches it
/// committed.
fn stopped_at(point: &str, occurrence: u32) -> (Vec<i64>, Vec<i64>, bool) {
    let dir = tempfile::tempdir().unwrap();
    let stream = MemoryStream::with_max_blocks(schema(), 1);
    for block in 0..3 {
        stream.add_data(rows(block * 10..block * 10 + 4)).unwrap();
    }
    let query = Query::new(&stream, Trigger::AvailableNow);
    query.session.conf().set(CRASH_POINT, format!("{point}:{occurrence}:fail"));
    let stopped = query.run(dir.path()).is_err();
    query.session.conf().unset(CRASH_POINT);
    // What comes after the crash must not change the batch that is run again.
    stream.add_data(rows(30..34)).unwrap();
    query.run(dir.path()).unwrap();
    for (batch, values) in query.shelf.batches() {
        let expected: Vec<i64> = (batch * 10..batch * 10 + 4).collect();
        assert_eq!(values, expected, "batch {batch} after a stop at {point}:{occurrence}");
    }
    (query.shelf.values(), query.shelf.commits(), stopped)
}

#[test]
fn a_stop_at_any_point_of_any_batch_loses_nothing_and_doubles_nothing() {
    let expected: Vec<i64> = (0..4).flat_map(|block| block * 10..block * 10 + 4).collect();
    for point in POINTS {
        let mut stops = 0;
        for occurrence in 1..=7 {
            let (values, _, stopped) = stopped_at(point, occurrence);
            assert_eq!(values, expected, "{point}:{occurrence}");
            stops += u32::from(stopped);
        }
        assert!(stops >= 3, "{point} was passed {stops} times only");
    }
}

#[test]
fn a_batch_whose_commit_was_not_recorded_is_committed_again_under_its_id() {
    let (_, commits, stopped) = stopped_at("after-sink-commit", 2);
    assert!(stopped);
    assert_eq!(commits, [0, 1, 1, 2, 3]);
    let (_, commits, _) = stopped_at("after-commits", 2);
    assert_eq!(commits, [0, 1, 2, 3]);
}

#[test]
fn the_ranges_of_a_planned_batch_do_not_grow() {
    let dir = tempfile::tempdir().unwrap();
    let stream = MemoryStream::new(schema());
    stream.add_data(rows(0..2)).unwrap();
    let query = Query::new(&stream, Trigger::AvailableNow);
    query.session.conf().set(CRASH_POINT, "after-offsets:1:fail");
    query.run(dir.path()).unwrap_err();
    query.session.conf().unset(CRASH_POINT);
    stream.add_data(rows(2..5)).unwrap();
    let progress = query.run(dir.path()).unwrap();
    assert_eq!(query.shelf.batches(), BTreeMap::from([(0, vec![0, 1]), (1, vec![2, 3, 4])]));
    // A batch that is run again asked nobody for offsets and wrote none.
    let again = &progress[0];
    assert_eq!(again.sources[0].latest_offset, None);
    assert!(!again.duration_ms.contains_key("walCommit") && !again.duration_ms.contains_key("latestOffset"));
    assert!(progress[1].duration_ms.contains_key("walCommit"));
}

#[test]
fn a_failing_sink_is_told_to_clean_up_and_the_batch_stays_unfinished() {
    let dir = tempfile::tempdir().unwrap();
    let stream = MemoryStream::new(schema());
    stream.add_data(rows(0..3)).unwrap();
    let query = Query::new(&stream, Trigger::AvailableNow);
    query.shelf.fail_next_write();
    let error = query.run(dir.path()).unwrap_err().to_string();
    assert!(error.contains("asked to fail"), "{error}");
    assert!(query.shelf.was_aborted());
    assert!(dir.path().join("offsets/0").exists() && !dir.path().join("commits/0").exists());
    query.run(dir.path()).unwrap();
    assert_eq!(query.shelf.values(), [0, 1, 2]);
}

#[test]
fn a_checkpoint_with_another_count_of_sources_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (MemoryStream::new(schema()), MemoryStream::new(schema()));
    Query::new(&one, Trigger::AvailableNow).run(dir.path()).unwrap();
    let both = analyzed(&one, |scan| {
        let other = LogicalPlanBuilder::scan("t", provider_as_source(two.table(2)), None).unwrap();
        scan.union(other.build().unwrap()).unwrap()
    });
    let query = Query::with(session(&[]), both, Trigger::AvailableNow);
    let error = query.run(dir.path()).unwrap_err().to_string();
    assert!(
        error.contains("There are [1] sources in the checkpoint offsets and now there are [2]"),
        "{error}"
    );
}
