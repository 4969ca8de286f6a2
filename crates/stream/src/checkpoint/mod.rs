//! The checkpoint directory: what a query knows after a crash.
//!
//! The layout is Spark's, so that a stateless query can move between the two by pointing at the same
//! directory:
//!
//! | path | content | written |
//! |---|---|---|
//! | `metadata` | the query's id | once |
//! | `offsets/N` | where batch N ends, its time, the frozen settings | before batch N runs |
//! | `commits/N` | batch N is done | after the sink's commit |
//! | `sources/i/0` | where source i started | before batch 0 |
//! | `millstream/` | ours: `lock`, `attempts` (starts so far), `sync` or `sync.failed` (last run), `tmp/` | |
//!
//! Files are complete, synced as `checkpoint.sync` says, and never overwritten. What the two logs mean
//! together is in `micro_batch/recovery.rs`.

mod commits;
mod conf;
mod durability;
pub(crate) mod files;
mod location;
mod lock;
mod log;
mod metadata;
mod offsets;
mod source_log;
pub(crate) mod sync;

use std::fs;
use std::path::{Path, PathBuf};

use uuid::Uuid;

pub use commits::CommitEntry;
pub use location::resolve;
pub use offsets::OffsetEntry;
pub use source_log::SourceFiles;
pub use sync::{DEFAULT_INTERVAL, SyncPolicy};

pub(crate) use conf::freeze;

use crate::error::Result;
use commits::CommitLog;
use durability::LastRun;
use files::{Folder, explain};
use lock::Lock;
use log::BatchLog;
use offsets::OffsetLog;
pub(crate) use sync::Durable;
use sync::Syncer;

/// Entries of each log that are kept: `spark.sql.streaming.minBatchesToRetain`.
pub const BATCHES_TO_RETAIN: i64 = 100;

/// A query's checkpoint, locked for this process until it is dropped.
#[derive(Debug)]
pub struct Checkpoint {
    root: PathBuf,
    tmp: PathBuf,
    query_id: Uuid,
    attempt: u32,
    offsets: OffsetLog,
    commits: CommitLog,
    syncer: Syncer,
    retain: i64,
    // Released last: what the fields above write on drop is still under the lock.
    _lock: Lock,
}

impl Checkpoint {
    /// Opens the checkpoint at `root`, or makes a new one.
    ///
    /// # Errors
    /// `Checkpoint` when it is in use, not writable or damaged; Spark's
    /// STREAMING_CHECKPOINT_MISSING_METADATA_FILE when there are logs but no id.
    pub fn open(root: &Path, policy: SyncPolicy) -> Result<Self> {
        let ours = root.join("millstream");
        let tmp = ours.join("tmp");
        fs::create_dir_all(&tmp).map_err(|error| explain(root, "cannot be made", &error))?;
        let lock = Lock::take(root, ours.join("lock"))?;
        clear(&tmp)?;
        let mut offsets = OffsetLog(BatchLog::open(root.join("offsets"), tmp.clone())?);
        let mut commits = CommitLog(BatchLog::open(root.join("commits"), tmp.clone())?);
        let folder = Folder::open(root.to_owned(), tmp.clone())?;
        let query_id = match metadata::load(root)? {
            Some(id) => id,
            None if offsets.latest().is_some() || commits.latest().is_some() => {
                return Err(metadata::missing(root));
            }
            None => metadata::create(&folder)?,
        };
        if LastRun::read(&ours)?.is_some_and(|last| last.may_have_lost()) {
            durability::drop_torn_entries(&mut offsets, &mut commits)?;
        }
        LastRun::note(&ours, &tmp, policy)?;
        let attempt = count_start(&ours, &tmp)?;
        let syncer =
            Syncer::new(policy, &ours).map_err(|error| explain(root, "cannot be written", &error))?;
        let root = root.to_owned();
        let retain = BATCHES_TO_RETAIN;
        Ok(Self { root, tmp, query_id, attempt, offsets, commits, syncer, retain, _lock: lock })
    }

    /// Keeps so many batches instead of 100 (at least 1).
    pub fn retain(&mut self, batches: i64) {
        self.retain = batches.max(1);
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The query's id, the same for as long as the checkpoint lives.
    pub fn query_id(&self) -> Uuid {
        self.query_id
    }

    /// How often a query was started from this checkpoint, this time included.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// The policy in force.
    pub fn sync_policy(&self) -> SyncPolicy {
        self.syncer.policy()
    }

    /// The last batch that was planned.
    pub fn last_planned(&self) -> Option<i64> {
        self.offsets.latest()
    }

    /// The last batch that was done.
    pub fn last_committed(&self) -> Option<i64> {
        self.commits.latest()
    }

    /// `offsets/N`.
    pub fn planned(&self, batch: i64) -> Result<Option<OffsetEntry>> {
        self.offsets.get(batch)
    }

    /// `commits/N`.
    pub fn committed(&self, batch: i64) -> Result<Option<CommitEntry>> {
        self.commits.get(batch)
    }

    /// Writes `offsets/N`; fails when it is there. Nothing of the batch may be published before the file is
    /// durable.
    pub(crate) fn plan(&mut self, batch: i64, entry: &OffsetEntry) -> Result<Durable> {
        self.offsets.put(batch, entry, &self.syncer)
    }

    /// Writes `commits/N`; fails when it is there. Nothing of the next batch may be published before the file
    /// is durable.
    pub(crate) fn commit(&mut self, batch: i64, entry: CommitEntry) -> Result<Durable> {
        self.commits.put(batch, entry, &self.syncer)
    }

    /// Waits for a file of this checkpoint to be durable.
    pub(crate) async fn reached(&self, durable: Durable) -> Result<()> {
        durable.reached().await.map_err(|error| explain(&self.root, "cannot be synced", &error))
    }

    /// Removes log entries that no recovery will ask for, given that `batch` is planned.
    pub fn purge(&mut self, batch: i64) -> Result<()> {
        let first = batch - self.retain;
        self.offsets.0.purge(first)?;
        self.commits.0.purge(first)
    }

    /// The private files of a source, by its place in the plan.
    pub fn source_files(&self, index: usize) -> Result<SourceFiles> {
        SourceFiles::open(self.root.join("sources").join(index.to_string()), self.tmp.clone())
    }

    /// The path of `offsets/`, for messages.
    pub fn offsets_path(&self) -> PathBuf {
        self.root.join("offsets")
    }
}

/// The id of the query whose checkpoint lies at `root`, without opening it.
pub fn stored_query_id(root: &Path) -> Result<Option<Uuid>> {
    metadata::load(root)
}

/// Throws away what writers left that were killed between making a file and naming it.
fn clear(tmp: &Path) -> Result<()> {
    let failed = |error: std::io::Error| explain(tmp, "cannot be cleared", &error);
    for entry in fs::read_dir(tmp).map_err(failed)? {
        fs::remove_file(entry.map_err(failed)?.path()).map_err(failed)?;
    }
    Ok(())
}

/// `millstream/attempts`: a count that tells two runs of the same batch apart.
fn count_start(ours: &Path, tmp: &Path) -> Result<u32> {
    let path = ours.join("attempts");
    let text = files::read_bounded(&path)?.unwrap_or_default();
    let before: u32 = String::from_utf8_lossy(&text).trim().parse().unwrap_or(0);
    let attempt = before.saturating_add(1);
    files::replace(&path, tmp, attempt.to_string().as_bytes())?;
    Ok(attempt)
}

#[cfg(test)]
mod tests;
