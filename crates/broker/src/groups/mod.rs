//! The group coordinator: which groups there are, their committed offsets, and time passing for all of them.
//!
//! The classic protocol (JoinGroup, SyncGroup, Heartbeat, LeaveGroup) is in [`group`]. Left out: the protocol
//! of KIP-848 (clients fall back to the classic one, because it is not advertised), offset expiry.

mod group;

use std::collections::BTreeMap;
use std::sync::Arc;

use millstream_protocol::ErrorCode;

pub(crate) use group::{Group, Joining, Phase};

use crate::broker::Now;
use crate::cluster::State;
use crate::error::Result;
use crate::store::{Change, CommittedOffset};

/// All groups, by id.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    by_id: BTreeMap<String, Group>,
}

impl Groups {
    pub(crate) fn get(&self, id: &str) -> Option<&Group> {
        self.by_id.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Group> {
        self.by_id.get_mut(id)
    }

    pub(crate) fn get_or_make(&mut self, id: &str) -> &mut Group {
        self.by_id.entry(id.to_owned()).or_default()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Group)> {
        self.by_id.iter().map(|(id, group)| (id.as_str(), group))
    }

    pub(crate) fn restore_offset(
        &mut self,
        group: &str,
        topic: &str,
        partition: i32,
        committed: CommittedOffset,
    ) {
        self.get_or_make(group).offsets.insert((topic.into(), partition), committed);
    }
}

impl State {
    /// The node that coordinates a group or transactional id.
    pub(crate) fn coordinator_of(&self, key: &str) -> i32 {
        // Java's String.hashCode over the bytes, so that the same key stays at the same node from run to run.
        let hash = key.bytes().fold(0_i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(byte)));
        let nodes = i32::try_from(self.addresses.len()).expect("at most 100 nodes");
        (hash & i32::MAX) % nodes + 1
    }

    /// Whether this node coordinates the group, and whether its id can be one.
    pub(crate) fn check_coordinator(&self, group: &str, node: i32) -> Result<(), ErrorCode> {
        if self.coordinator_of(group) == node { Ok(()) } else { Err(ErrorCode::NOT_COORDINATOR) }
    }

    /// Stores a group's offset.
    pub(crate) fn commit_offset(
        &mut self,
        group: &str,
        topic: &str,
        partition: i32,
        committed: CommittedOffset,
    ) -> Result<()> {
        self.note_offset(group, topic, partition, Some(&committed))?;
        self.groups.restore_offset(group, topic, partition, committed);
        Ok(())
    }

    fn note_offset(
        &mut self,
        group: &str,
        topic: &str,
        partition: i32,
        committed: Option<&CommittedOffset>,
    ) -> Result<()> {
        let (group, topic, committed) = (group.to_owned(), topic.to_owned(), committed.cloned());
        self.note(&Change::Offset { group, topic, partition, committed })
    }

    /// Forgets those of a group's offsets that `which` picks.
    pub(crate) fn forget_offsets(&mut self, group: &str, which: impl Fn(&str, i32) -> bool) -> Result<()> {
        let Some(found) = self.groups.get_mut(group) else { return Ok(()) };
        let picked: Vec<(Arc<str>, i32)> =
            found.offsets.keys().filter(|(topic, partition)| which(topic, *partition)).cloned().collect();
        for key in &picked {
            found.offsets.remove(key);
        }
        for (topic, partition) in picked {
            self.note_offset(group, &topic, partition, None)?;
        }
        Ok(())
    }

    /// Forgets a deleted topic's offsets in all groups, as Kafka does.
    pub(crate) fn forget_topic_offsets(&mut self, topic: &str) -> Result<()> {
        let groups: Vec<String> = self.groups.by_id.keys().cloned().collect();
        for group in groups {
            self.forget_offsets(&group, |name, _| name == topic)?;
        }
        Ok(())
    }

    /// Removes a group without members.
    pub(crate) fn delete_group(&mut self, id: &str) -> Result<(), ErrorCode> {
        let Some(group) = self.groups.get(id) else { return Err(ErrorCode::GROUP_ID_NOT_FOUND) };
        if group.has_members() {
            return Err(ErrorCode::NON_EMPTY_GROUP);
        }
        self.forget_offsets(id, |_, _| true).map_err(|error| error.code())?;
        self.groups.by_id.remove(id);
        Ok(())
    }

    /// Lets time pass: members and transactions whose time is up go.
    pub(crate) fn expire(&mut self, now: Now) {
        for group in self.groups.by_id.values_mut() {
            group.expire(now.elapsed);
        }
        self.expire_transactions(now);
    }
}
