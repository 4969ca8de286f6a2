//! What the two logs of a checkpoint say about where to go on.
//!
//! | last offsets | last commits | action |
//! |---|---|---|
//! | none | none | batch 0, from where the sources start |
//! | N | N | batch N+1, from the end of N |
//! | N | N-1, older or none | batch N again, with the same ends, time and watermark |
//! | N | beyond N | refused: offsets/ has lost an entry |
//!
//! Running N again needs offsets/N-1, since a batch begins where the one before it ended.

use crate::checkpoint::{Checkpoint, OffsetEntry};
use crate::error::{Error, Result};

/// Where a query goes on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Resume {
    /// The batch to run.
    pub(crate) batch: i64,
    /// The entry of the batch before it, whose ends are its start; none for batch 0.
    pub(crate) before: Option<OffsetEntry>,
    /// Set when the batch was planned before: its ends, time and watermark are not to change.
    pub(crate) planned: Option<OffsetEntry>,
    /// The watermark of a batch that is not planned yet.
    pub(crate) watermark_ms: i64,
}

/// Reads the logs.
pub(crate) fn resume(checkpoint: &Checkpoint) -> Result<Resume> {
    let committed = checkpoint.last_committed();
    let Some(last) = checkpoint.last_planned() else {
        return match committed {
            None => Ok(Resume { batch: 0, before: None, planned: None, watermark_ms: 0 }),
            Some(committed) => Err(lost(checkpoint, committed)),
        };
    };
    if committed > Some(last) {
        return Err(lost(checkpoint, committed.unwrap_or(last)));
    }
    let entry = entry(checkpoint, last)?;
    if committed == Some(last) {
        let next = checkpoint.committed(last)?.unwrap_or_default().next_watermark_ms;
        let watermark_ms = entry.watermark_ms.max(next);
        return Ok(Resume { batch: last + 1, before: Some(entry), planned: None, watermark_ms });
    }
    if committed.unwrap_or(-1) < last - 1 {
        tracing::warn!(
            last_planned = last,
            last_committed = committed,
            "commits/ does not trail offsets/ by one"
        );
    }
    let before = match last {
        0 => None,
        _ => Some(self::entry(checkpoint, last - 1)?),
    };
    let watermark_ms = entry.watermark_ms;
    Ok(Resume { batch: last, before, planned: Some(entry), watermark_ms })
}

/// Checks that an entry is of a query with as many sources as this one.
pub(crate) fn check_sources(
    checkpoint: &Checkpoint,
    batch: i64,
    entry: &OffsetEntry,
    sources: usize,
) -> Result<()> {
    let logged = entry.sources.len();
    if logged == sources {
        return Ok(());
    }
    Err(Error::Checkpoint {
        path: checkpoint.offsets_path().join(batch.to_string()),
        what: format!(
            "There are [{logged}] sources in the checkpoint offsets and now there are [{sources}] sources requested \
             by the query. Cannot continue."
        ),
        advice:
            "the checkpoint is of another query: go back to the old sources, or use a new checkpointLocation"
                .into(),
    })
}

fn entry(checkpoint: &Checkpoint, batch: i64) -> Result<OffsetEntry> {
    checkpoint.planned(batch)?.ok_or_else(|| Error::Checkpoint {
        path: checkpoint.offsets_path().join(batch.to_string()),
        what: format!("batch {batch} doesn't exist, and the batch after it begins where it ended"),
        advice: "restore the file from a backup, or start over with a new checkpointLocation".into(),
    })
}

fn lost(checkpoint: &Checkpoint, committed: i64) -> Error {
    Error::Checkpoint {
        path: checkpoint.offsets_path().join(committed.to_string()),
        what: format!("is missing, although batch {committed} is committed"),
        advice: "restore the file from a backup; or remove from commits/ what is beyond the last file in offsets/, \
                 and its last batches run again"
            .into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{CommitEntry, SyncPolicy, freeze};

    fn checkpoint(offsets: &[i64], commits: &[i64]) -> (tempfile::TempDir, Checkpoint) {
        let dir = tempfile::tempdir().unwrap();
        let mut checkpoint = Checkpoint::open(dir.path(), SyncPolicy::Never).unwrap();
        for &batch in offsets {
            let _ = checkpoint.plan(batch, &planned(batch)).unwrap();
        }
        for &batch in commits {
            let _ = checkpoint.commit(batch, CommitEntry { next_watermark_ms: 50 }).unwrap();
        }
        (dir, checkpoint)
    }

    fn planned(batch: i64) -> OffsetEntry {
        OffsetEntry {
            watermark_ms: batch * 10,
            timestamp_ms: batch,
            conf: freeze(None, |_| None),
            sources: vec![Some(batch.to_string())],
        }
    }

    #[test]
    fn an_empty_checkpoint_begins_with_batch_0() {
        let (_dir, checkpoint) = checkpoint(&[], &[]);
        let expected = Resume { batch: 0, before: None, planned: None, watermark_ms: 0 };
        assert_eq!(resume(&checkpoint).unwrap(), expected);
    }

    #[test]
    fn after_a_committed_batch_comes_the_next() {
        let (_dir, checkpoint) = checkpoint(&[0, 1], &[0, 1]);
        let expected = Resume { batch: 2, before: Some(planned(1)), planned: None, watermark_ms: 50 };
        assert_eq!(resume(&checkpoint).unwrap(), expected);
    }

    #[test]
    fn a_planned_batch_runs_again_as_it_was_planned() {
        let (_dir, first) = checkpoint(&[0], &[]);
        let expected = Resume { batch: 0, before: None, planned: Some(planned(0)), watermark_ms: 0 };
        assert_eq!(resume(&first).unwrap(), expected);
        let (_dir, later) = checkpoint(&[6, 7], &[6]);
        let expected =
            Resume { batch: 7, before: Some(planned(6)), planned: Some(planned(7)), watermark_ms: 70 };
        assert_eq!(resume(&later).unwrap(), expected);
    }

    #[test]
    fn a_batch_without_its_predecessor_cannot_begin() {
        let (_dir, checkpoint) = checkpoint(&[7], &[]);
        let error = resume(&checkpoint).unwrap_err().to_string();
        assert!(error.contains("offsets/6") && error.contains("doesn't exist"), "{error}");
    }

    #[test]
    fn a_commit_without_offsets_is_refused() {
        for offsets in [&[][..], &[0, 1]] {
            let (_dir, checkpoint) = checkpoint(offsets, &[0, 1, 2]);
            let error = resume(&checkpoint).unwrap_err().to_string();
            assert!(error.contains("offsets/2") && error.contains("is missing"), "{error}");
        }
    }

    #[test]
    fn another_count_of_sources_is_told_in_sparks_words() {
        let (_dir, checkpoint) = checkpoint(&[0], &[0]);
        let error = check_sources(&checkpoint, 0, &planned(0), 2).unwrap_err().to_string();
        assert!(
            error.contains("There are [1] sources in the checkpoint offsets and now there are [2] sources")
        );
    }
}
