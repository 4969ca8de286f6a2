//! The same behaviours in memory and on disk.

use bytes::Bytes;
use millstream_protocol::records::{Batches, set_base_offset};

use super::*;
use crate::testing::batch;

fn fill(log: &mut Log, batches: usize) {
    for _ in 0..batches {
        let mut bytes = BytesMut::from(batch(&["a", "b"]).into_bytes());
        set_base_offset(&mut bytes, log.end(), 0).unwrap();
        let header = Batches::new(&bytes).next().unwrap().unwrap().header;
        log.append(&header, bytes.freeze()).unwrap();
    }
}

fn bases(bytes: &Bytes) -> Vec<i64> {
    Batches::new(bytes).map(|batch| batch.unwrap().header.base_offset).collect()
}

fn everything() -> ReadBound {
    ReadBound { below: i64::MAX, bytes: usize::MAX, first_whole: true }
}

fn both(check: impl Fn(Log)) {
    check(Log::in_memory());
    let folder = tempfile::tempdir().unwrap();
    check(Log::open(folder.path(), 0, |_, _| {}).unwrap());
}

#[test]
fn reads_begin_at_the_batch_of_the_offset_and_end_at_the_bounds() {
    both(|mut log| {
        fill(&mut log, 4);
        assert_eq!((log.start(), log.end(), log.batches()), (0, 8, 4));
        assert_eq!(bases(&log.read(3, everything()).unwrap()), [2, 4, 6]);
        assert_eq!(bases(&log.read(0, ReadBound { below: 4, ..everything() }).unwrap()), [0, 2]);
        let one = usize::try_from(log.size()).unwrap() / 4;
        let tight = ReadBound { bytes: one - 1, ..everything() };
        assert_eq!(log.read(0, tight).unwrap().len(), one);
        assert_eq!(log.read(0, ReadBound { first_whole: false, ..tight }).unwrap().len(), 0);
        assert_eq!(log.read(8, everything()).unwrap().len(), 0);
        assert_eq!(log.available(4, i64::MAX, usize::MAX), 2 * one);
    });
}

#[test]
fn deleting_forgets_whole_batches_and_truncating_gives_offsets_again() {
    both(|mut log| {
        fill(&mut log, 4);
        log.delete_below(3);
        assert_eq!((log.start(), log.batches()), (3, 3));
        assert_eq!(bases(&log.read(3, everything()).unwrap()), [2, 4, 6]);
        assert_eq!(log.truncate(5).unwrap(), 4);
        fill(&mut log, 1);
        assert_eq!(bases(&log.read(3, everything()).unwrap()), [2, 4]);
    });
}

#[test]
fn a_torn_or_damaged_tail_is_cut_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("00000000000000000000.log");
    fill(&mut Log::open(folder.path(), 0, |_, _| {}).unwrap(), 3);
    let whole = std::fs::read(&path).unwrap();
    for keep in 0..whole.len() {
        std::fs::write(&path, &whole[..keep]).unwrap();
        let mut seen = 0;
        let log = Log::open(folder.path(), 0, |_, _| seen += 1).unwrap();
        assert_eq!((log.batches(), seen), (keep / (whole.len() / 3), keep / (whole.len() / 3)));
    }
    let mut damaged = whole.clone();
    damaged[whole.len() / 3 * 2 - 1] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    let mut log = Log::open(folder.path(), 0, |_, _| {}).unwrap();
    assert_eq!((log.batches(), log.end()), (1, 2));
    fill(&mut log, 2);
    drop(log);
    assert_eq!(Log::open(folder.path(), 0, |_, _| {}).unwrap().end(), 6);
}

#[test]
fn a_start_that_was_moved_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    fill(&mut Log::open(folder.path(), 0, |_, _| {}).unwrap(), 3);
    let log = Log::open(folder.path(), 4, |_, _| {}).unwrap();
    assert_eq!((log.start(), log.end(), log.batches()), (4, 6, 1));
}
