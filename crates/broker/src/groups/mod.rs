//! The group coordinator.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::broker::Now;
use crate::cluster::State;
use crate::error::Result;
use crate::store::{Change, CommittedOffset};

/// All groups, by id.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    by_id: BTreeMap<String, Group>,
}

/// One group.
#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) offsets: BTreeMap<(Arc<str>, i32), CommittedOffset>,
}

impl Groups {
    pub(crate) fn restore_offset(
        &mut self,
        group: &str,
        topic: &str,
        partition: i32,
        committed: CommittedOffset,
    ) {
        self.by_id.entry(group.to_owned()).or_default().offsets.insert((topic.into(), partition), committed);
    }

    pub(crate) fn wake_all(&mut self) {}
}

impl State {
    /// Stores a group's offset.
    pub(crate) fn commit_offset(
        &mut self,
        group: &str,
        topic: &str,
        partition: i32,
        committed: CommittedOffset,
    ) -> Result<()> {
        self.note(&Change::Offset {
            group: group.to_owned(),
            topic: topic.to_owned(),
            partition,
            committed: Some(committed.clone()),
        })?;
        self.groups.restore_offset(group, topic, partition, committed);
        Ok(())
    }

    /// Lets time pass: members and transactions whose time is up go.
    pub(crate) fn expire(&mut self, now: Now) {
        self.expire_transactions(now);
    }
}
