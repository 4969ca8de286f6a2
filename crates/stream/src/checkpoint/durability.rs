//! `millstream/sync`: which policy the last run wrote under, and on which boot of the machine.
//!
//! A power cut can leave the newest log entries empty or torn: under `interval` and `never` those of the
//! unsynced time, under `always` the one entry on which nothing depended yet. They are removed at the next
//! start only when that can have happened, that is, when the machine has booted since the last run. Otherwise
//! a torn entry is an error, for then something else has damaged it.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::commits::CommitLog;
use super::files::{read_bounded, replace};
use super::offsets::OffsetLog;
use super::sync::SyncPolicy;
use crate::error::Result;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct LastRun {
    policy: String,
    boot: Option<String>,
}

impl LastRun {
    /// Notes this run's policy, before its first entry is written.
    pub(crate) fn note(ours: &Path, tmp: &Path, policy: SyncPolicy) -> Result<()> {
        let run = Self { policy: policy.name().to_owned(), boot: boot_id() };
        let json = serde_json::to_vec(&run).expect("strings always have a JSON form");
        replace(&ours.join("sync"), tmp, &json)
    }

    /// What the run before this one noted. A note that cannot be read counts as none.
    pub(crate) fn read(ours: &Path) -> Result<Option<Self>> {
        let bytes = read_bounded(&ours.join("sync"))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Whether entries that were written may be missing or torn.
    pub(crate) fn may_have_lost(&self) -> bool {
        self.boot.is_none() || self.boot != boot_id()
    }
}

/// Removes torn entries from the end of both logs, and commits of batches that have no offsets any more.
pub(crate) fn drop_torn_entries(offsets: &mut OffsetLog, commits: &mut CommitLog) -> Result<()> {
    while let Some(last) = offsets.latest()
        && let Err(error) = offsets.get(last)
    {
        tracing::warn!(%error, "the machine stopped before this entry was on the disk; going back by one batch");
        offsets.0.remove(last)?;
    }
    let ends = offsets.latest();
    while let Some(last) = commits.latest()
        && (Some(last) > ends || commits.get(last).is_err())
    {
        tracing::warn!(batch = last, "the machine stopped before this batch was on the disk; it runs again");
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
