//! The checkpoint as a whole: layout, ids, second writers, damage, retention.

use std::fs;
use std::path::Path;

use super::*;
use crate::source::SourceLog;

fn open(root: &Path) -> Checkpoint {
    Checkpoint::open(root, SyncPolicy::Always).unwrap()
}

fn entry(end: i64) -> OffsetEntry {
    OffsetEntry {
        watermark_ms: 0,
        timestamp_ms: 7,
        conf: freeze(None, |_| None),
        sources: vec![Some(format!("{{\"t\":{{\"0\":{end}}}}}"))],
    }
}

fn files(root: &Path) -> Vec<String> {
    fn walk(root: &Path, folder: &Path, out: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => walk(root, &path, out),
                false => out.push(path.strip_prefix(root).unwrap().display().to_string()),
            }
        }
    }
    let mut out = Vec::new();
    walk(root, root, &mut out);
    out.sort();
    out
}

#[test]
fn the_layout_is_sparks_and_ours_lies_apart() {
    let dir = tempfile::tempdir().unwrap();
    let mut checkpoint = open(dir.path());
    checkpoint.source_files(0).unwrap().put(0, b"\0v1\n{}").unwrap();
    let _ = checkpoint.plan(0, &entry(2)).unwrap();
    let _ = checkpoint.commit(0, CommitEntry::default()).unwrap();
    assert_eq!(
        files(dir.path()),
        [
            "commits/0",
            "metadata",
            "millstream/attempts",
            "millstream/lock",
            "millstream/sync",
            "offsets/0",
            "sources/0/0"
        ]
    );
    let metadata = fs::read_to_string(dir.path().join("metadata")).unwrap();
    assert_eq!(metadata, format!("{{\"id\":\"{}\"}}", checkpoint.query_id()));
    assert_eq!(fs::read_to_string(dir.path().join("commits/0")).unwrap(), "v1\n{\"nextBatchWatermarkMs\":0}");
}

#[test]
fn the_id_stays_and_the_attempt_counts_over_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    let (id, attempt) = (first.query_id(), first.attempt());
    drop(first);
    let second = open(dir.path());
    assert_eq!((second.query_id(), second.attempt()), (id, attempt + 1));
}

#[test]
fn a_checkpoint_is_open_once() {
    let dir = tempfile::tempdir().unwrap();
    let _first = open(dir.path());
    let error = Checkpoint::open(dir.path(), SyncPolicy::Always).unwrap_err().to_string();
    assert!(error.contains("in use by process") && error.contains("stop that query"), "{error}");
}

#[test]
fn an_entry_that_appears_behind_our_back_stops_the_query() {
    let dir = tempfile::tempdir().unwrap();
    let mut checkpoint = open(dir.path());
    fs::write(dir.path().join("offsets/0"), "of another").unwrap();
    let error = checkpoint.plan(0, &entry(1)).unwrap_err().to_string();
    assert!(error.contains("offsets/0") && error.contains("written by someone else"), "{error}");
    assert_eq!(fs::read_to_string(dir.path().join("offsets/0")).unwrap(), "of another");
}

#[test]
fn logs_without_metadata_give_sparks_condition() {
    let dir = tempfile::tempdir().unwrap();
    let mut checkpoint = open(dir.path());
    let _ = checkpoint.plan(0, &entry(1)).unwrap();
    drop(checkpoint);
    fs::remove_file(dir.path().join("metadata")).unwrap();
    let error = Checkpoint::open(dir.path(), SyncPolicy::Always).unwrap_err();
    let spark = error.spark().unwrap();
    assert_eq!(spark.condition.as_deref(), Some("STREAMING_CHECKPOINT_MISSING_METADATA_FILE"));
    assert_eq!(spark.sqlstate.as_deref(), Some("42K03"));
    assert_eq!(spark.parameters["checkpointLocation"], dir.path().display().to_string());
}

#[test]
fn a_directory_that_cannot_be_made_is_named_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Checkpoint::open(&file.join("check"), SyncPolicy::Always).unwrap_err().to_string();
    assert!(error.contains("file/check") && error.contains("must name a directory"), "{error}");
}

#[test]
fn a_torn_entry_is_an_error_unless_it_may_not_have_reached_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let mut checkpoint = open(dir.path());
    for batch in 0..3 {
        let _ = checkpoint.plan(batch, &entry(batch)).unwrap();
        let _ = checkpoint.commit(batch, CommitEntry::default()).unwrap();
    }
    drop(checkpoint);
    fs::write(dir.path().join("offsets/2"), "").unwrap();
    let checkpoint = open(dir.path());
    let error = checkpoint.planned(2).unwrap_err().to_string();
    assert!(error.contains("offsets/2") && error.contains("is empty"), "{error}");
    drop(checkpoint);
    fs::write(dir.path().join("millstream/sync"), "{\"policy\":\"interval\",\"boot\":\"another\"}").unwrap();
    let checkpoint = open(dir.path());
    assert_eq!((checkpoint.last_planned(), checkpoint.last_committed()), (Some(1), Some(1)));
    drop(checkpoint);
    fs::write(dir.path().join("offsets/1"), "v1\n{\"ba").unwrap();
    durability::LastRun::note_failed_sync(&dir.path().join("millstream")).unwrap();
    let checkpoint = open(dir.path());
    assert_eq!((checkpoint.last_planned(), checkpoint.last_committed()), (Some(0), Some(0)));
    assert!(!dir.path().join("millstream/sync.failed").exists());
}

#[test]
fn the_last_hundred_batches_are_kept_with_their_checksums() {
    let dir = tempfile::tempdir().unwrap();
    let mut checkpoint = Checkpoint::open(dir.path(), SyncPolicy::Never).unwrap();
    for batch in 0..103 {
        let _ = checkpoint.plan(batch, &entry(batch)).unwrap();
        fs::write(dir.path().join(format!("offsets/.{batch}.crc")), "").unwrap();
        checkpoint.purge(batch).unwrap();
        let _ = checkpoint.commit(batch, CommitEntry::default()).unwrap();
    }
    let first = |log: &str| {
        let names = fs::read_dir(dir.path().join(log)).unwrap();
        let numbers = names.filter_map(|name| name.unwrap().file_name().to_str()?.parse::<i64>().ok());
        numbers.min().unwrap()
    };
    assert_eq!((first("offsets"), first("commits")), (2, 2));
    assert!(!dir.path().join("offsets/.1.crc").exists() && dir.path().join("offsets/.2.crc").exists());
}

#[test]
fn what_a_killed_writer_left_is_cleared_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    fs::write(dir.path().join("millstream/tmp/7.123.0"), "v1").unwrap();
    drop(open(dir.path()));
    assert_eq!(fs::read_dir(dir.path().join("millstream/tmp")).unwrap().count(), 0);
}

#[test]
fn a_source_file_is_written_once() {
    let dir = tempfile::tempdir().unwrap();
    let checkpoint = open(dir.path());
    let files = checkpoint.source_files(0).unwrap();
    assert_eq!(files.get(0).unwrap(), None);
    files.put(0, b"x").unwrap();
    assert!(files.put(0, b"y").unwrap_err().to_string().contains("sources/0/0"));
    assert_eq!(files.get(0).unwrap().unwrap(), b"x");
}
