//! `millstream/sync`: which policy the last run wrote under, and on which boot of the machine.
//!
//! A power cut can leave the newest log entries empty or torn: under `interval` and `never` those of the
//! unsynced time, under `always` the one entry on which nothing depended yet. They are removed at the next
//! start only when that can have happened: when the machine has booted since the last run, or when a sync has
//! failed (a full disk that is noticed late), for which `millstream/sync` is renamed `sync.failed`, since a rename
//! needs no space. Otherwise a torn entry is an error, for then something else has damaged it.

use std::path::Path;
use std::{fs, io};

use serde::{Deserialize, Serialize};

use super::commits::CommitLog;
use super::files::{explain, read_bounded, remove_if_there, replace};
use super::offsets::OffsetLog;
use super::sync::SyncPolicy;
use crate::error::Result;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LastRun {
    policy: String,
    boot: Option<String>,
    /// A sync failed: what was written may not be what will be read.
    #[serde(skip)]
    sync_failed: bool,
}

const NOTE: &str = "sync";
const FAILED: &str = "sync.failed";

impl LastRun {
    /// Notes this run's policy, before its first entry is written.
    pub(crate) fn note(ours: &Path, tmp: &Path, policy: SyncPolicy) -> Result<()> {
        let run = Self { policy: policy.name().to_owned(), boot: boot_id(), sync_failed: false };
        let json = serde_json::to_vec(&run).expect("strings always have a JSON form");
        replace(&ours.join(NOTE), tmp, &json)?;
        remove_if_there(&ours.join(FAILED))
            .map_err(|error| explain(&ours.join(FAILED), "cannot be removed", &error))
    }

    /// Notes that a sync failed.
    pub(crate) fn note_failed_sync(ours: &Path) -> io::Result<()> {
        match fs::rename(ours.join(NOTE), ours.join(FAILED)) {
            // Noted by an earlier failure.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        }
    }

    /// What the run before this one noted. A note that cannot be read counts as none.
    pub(crate) fn read(ours: &Path) -> Result<Option<Self>> {
        let parse =
            |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        if let Some(run) = parse(read_bounded(&ours.join(FAILED))?) {
            return Ok(Some(Self { sync_failed: true, ..run }));
        }
        Ok(parse(read_bounded(&ours.join(NOTE))?))
    }

    /// Whether entries that were written may be missing or torn.
    pub(crate) fn may_have_lost(&self) -> bool {
        self.sync_failed || self.boot.is_none() || self.boot != boot_id()
    }
}

/// Removes torn entries from the end of both logs, and commits of batches that have no offsets any more.
pub(crate) fn drop_torn_entries(offsets: &mut OffsetLog, commits: &mut CommitLog) -> Result<()> {
    while let Some(last) = offsets.latest()
        && let Err(error) = offsets.get(last)
    {
        tracing::warn!(%error, "this entry did not reach the disk whole; going back by one batch");
        offsets.0.remove(last)?;
    }
    let ends = offsets.latest();
    while let Some(last) = commits.latest()
        && (Some(last) > ends || commits.get(last).is_err())
    {
        tracing::warn!(batch = last, "this batch did not reach the disk; it runs again");
        commits.0.remove(last)?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn boot_id() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").ok().map(|id| id.trim().to_owned())
}

#[cfg(not(target_os = "linux"))]
fn boot_id() -> Option<String> {
    None
}
