//! One consumer group under the classic protocol (KIP-62, KIP-345, KIP-394).
//!
//! ```text
//!            first join                all members have joined,          leader has synced
//!   Empty ----------------> Preparing ------------------------> Completing ----------------> Stable
//!     ^                      ^  ^      or the deadline has come    |                            |
//!     |   no member is left  |  +------- join, leave, expiry ------+----------------------------+
//!     +----------------------+
//! ```
//! Joins wait while Preparing, syncs while Completing; whoever waits is woken on every change and looks
//! again. Static members (group.instance.id) keep their place until their session ends; a new one under the
//! same id takes over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use millstream_protocol::ErrorCode;

use crate::store::CommittedOffset;
use crate::waiting::Waiters;

/// Where the group stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    #[default]
    Empty,
    /// Members are to join again until the deadline. A first rebalance waits for it even when all have
    /// joined.
    Preparing {
        deadline: Duration,
        first: bool,
    },
    /// The leader is to hand in the assignment.
    Completing,
    Stable,
}

impl Phase {
    /// Kafka's name of it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Phase::Empty => "Empty",
            Phase::Preparing { .. } => "PreparingRebalance",
            Phase::Completing => "CompletingRebalance",
            Phase::Stable => "Stable",
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Group {
    pub(crate) phase: Phase,
    pub(crate) generation: i32,
    pub(crate) protocol_type: String,
    pub(crate) protocol: Option<String>,
    pub(crate) leader: Option<String>,
    pub(crate) members: BTreeMap<String, Member>,
    /// Ids given out by KIP-394 that have not joined yet, with the time until which they are good.
    pending: BTreeMap<String, Duration>,
    pub(crate) offsets: BTreeMap<(Arc<str>, i32), CommittedOffset>,
    pub(crate) waiters: Waiters,
}

#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    session_timeout: Duration,
    rebalance_timeout: Duration,
    /// Name and metadata, the favourite first.
    pub(crate) protocols: Vec<(String, Bytes)>,
    pub(crate) assignment: Bytes,
    heard: Duration,
    joining: bool,
    syncing: bool,
}

impl Member {
    /// What the member said under the group's protocol.
    pub(crate) fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols
            .iter()
            .find(|(name, _)| name == protocol)
            .map(|(_, data)| data.clone())
            .unwrap_or_default()
    }

    fn expires(&self) -> Option<Duration> {
        (!self.joining && !self.syncing).then(|| self.heard + self.session_timeout)
    }
}

/// What a member says when it joins.
#[derive(Debug)]
pub(crate) struct Joining {
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) protocol_type: String,
    pub(crate) protocols: Vec<(String, Bytes)>,
    /// How long the first rebalance of an empty group waits for more members.
    pub(crate) initial_delay: Duration,
}

impl Group {
    pub(crate) fn has_members(&self) -> bool {
        !self.members.is_empty()
    }

    /// Remembers an id that a client is told to join with.
    pub(crate) fn expect(&mut self, member_id: &str, until: Duration) {
        self.pending.insert(member_id.to_owned(), until);
    }

    /// The current member behind a static id.
    pub(crate) fn static_member(&self, instance_id: &str) -> Option<&str> {
        let same = |member: &Member| member.instance_id.as_deref() == Some(instance_id);
        self.members.iter().find(|(_, member)| same(member)).map(|(id, _)| id.as_str())
    }

    /// A member joins or joins again; whether it has to wait is asked by [`Group::is_joining`].
    pub(crate) fn join(&mut self, joining: Joining, now: Duration) -> Result<(), ErrorCode> {
        self.check_protocols(&joining)?;
        let known = self.members.contains_key(&joining.member_id);
        let expected = self.pending.remove(&joining.member_id).is_some();
        if known && !self.wants_rebalance(&joining) {
            return self.touch(&joining.member_id, now);
        }
        if let Some(replaced) = joining.instance_id.as_deref().and_then(|id| self.static_member(id)) {
            let replaced = replaced.to_owned();
            if replaced != joining.member_id {
                self.remove(&replaced);
            }
        } else if !known && !expected && joining.instance_id.is_some() && !joining.member_id.is_empty() {
            tracing::debug!(member = joining.member_id, "a new static member joins");
        }
        self.protocol_type = joining.protocol_type;
        let member = Member {
            instance_id: joining.instance_id,
            client_id: joining.client_id,
            client_host: joining.client_host,
            session_timeout: joining.session_timeout,
            rebalance_timeout: joining.rebalance_timeout,
            protocols: joining.protocols,
            assignment: Bytes::new(),
            heard: now,
            joining: true,
            syncing: false,
        };
        self.members.insert(joining.member_id, member);
        if !matches!(self.phase, Phase::Preparing { .. }) {
            self.prepare(now, joining.initial_delay);
        }
        self.complete_join(now);
        Ok(())
    }

    /// Whether a known member's join starts a rebalance: not when it only repeats what the group knows.
    fn wants_rebalance(&self, joining: &Joining) -> bool {
        let Some(member) = self.members.get(&joining.member_id) else { return true };
        let changed = member.protocols != joining.protocols;
        match self.phase {
            Phase::Preparing { .. } | Phase::Empty => true,
            Phase::Completing => changed,
            Phase::Stable => changed || self.leader.as_deref() == Some(&joining.member_id),
        }
    }

    fn check_protocols(&self, joining: &Joining) -> Result<(), ErrorCode> {
        let others =
            || self.members.iter().filter(|(id, _)| **id != joining.member_id).map(|(_, member)| member);
        let shared =
            |name: &str| others().all(|member| member.protocols.iter().any(|(other, _)| other == name));
        let empty = joining.protocol_type.is_empty() || joining.protocols.is_empty();
        let other_type = others().next().is_some() && self.protocol_type != joining.protocol_type;
        if empty || other_type || !joining.protocols.iter().any(|(name, _)| shared(name)) {
            return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
        }
        Ok(())
    }

    /// Whether an id was given out by this group, to a member or to one that is about to join.
    pub(crate) fn knows(&self, member_id: &str) -> bool {
        self.members.contains_key(member_id) || self.pending.contains_key(member_id)
    }

    /// Whether the member still waits for the join to complete.
    pub(crate) fn is_joining(&self, member_id: &str) -> Result<bool, ErrorCode> {
        self.members.get(member_id).map(|member| member.joining).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)
    }

    fn prepare(&mut self, now: Duration, initial_delay: Duration) {
        let timeout = self.members.values().map(|member| member.rebalance_timeout).max().unwrap_or_default();
        let first = self.phase == Phase::Empty && !initial_delay.is_zero();
        let wait = if first { initial_delay.min(timeout) } else { timeout };
        self.phase = Phase::Preparing { deadline: now + wait, first };
        for member in self.members.values_mut() {
            member.syncing = false;
        }
        self.waiters.wake();
    }

    fn complete_join(&mut self, now: Duration) {
        let Phase::Preparing { deadline, first } = self.phase else { return };
        let all = self.members.values().all(|member| member.joining) && self.pending.is_empty();
        if now < deadline && (first || !all) {
            return;
        }
        self.members.retain(|_, member| member.joining || member.instance_id.is_some());
        self.generation += 1;
        self.waiters.wake();
        if self.members.is_empty() {
            (self.phase, self.protocol, self.leader) = (Phase::Empty, None, None);
            return;
        }
        self.protocol = self.vote();
        if !self.leader.as_ref().is_some_and(|leader| self.members.contains_key(leader)) {
            self.leader = self.members.keys().next().cloned();
        }
        for member in self.members.values_mut() {
            (member.joining, member.heard, member.assignment) = (false, now, Bytes::new());
        }
        self.phase = Phase::Completing;
    }

    /// The protocol that all know and most prefer.
    fn vote(&self) -> Option<String> {
        let by_all = |name: &String| {
            self.members.values().all(|member| member.protocols.iter().any(|(other, _)| other == name))
        };
        let mut votes: BTreeMap<&String, usize> = BTreeMap::new();
        for member in self.members.values() {
            if let Some((name, _)) = member.protocols.iter().find(|(name, _)| by_all(name)) {
                *votes.entry(name).or_default() += 1;
            }
        }
        votes.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name.clone())
    }

    /// The leader hands in assignments; everyone else only says that it waits.
    pub(crate) fn sync(&mut self, member_id: &str, assignments: Vec<(String, Bytes)>, now: Duration) {
        if self.phase == Phase::Completing && self.leader.as_deref() == Some(member_id) {
            for (id, assignment) in assignments {
                if let Some(member) = self.members.get_mut(&id) {
                    member.assignment = assignment;
                }
            }
            for member in self.members.values_mut() {
                (member.syncing, member.heard) = (false, now);
            }
            self.phase = Phase::Stable;
            self.waiters.wake();
        } else if let Some(member) = self.members.get_mut(member_id) {
            member.syncing = self.phase == Phase::Completing;
        }
    }

    /// Whether the member belongs to this generation.
    pub(crate) fn check_member(
        &self,
        member_id: &str,
        instance: Option<&str>,
        generation: i32,
    ) -> Result<(), ErrorCode> {
        if let Some(current) = instance.and_then(|instance| self.static_member(instance))
            && current != member_id
        {
            return Err(ErrorCode::FENCED_INSTANCE_ID);
        }
        if !self.members.contains_key(member_id) {
            return Err(ErrorCode::UNKNOWN_MEMBER_ID);
        }
        if generation == self.generation { Ok(()) } else { Err(ErrorCode::ILLEGAL_GENERATION) }
    }

    /// A sign of life.
    pub(crate) fn touch(&mut self, member_id: &str, now: Duration) -> Result<(), ErrorCode> {
        let member = self.members.get_mut(member_id).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
        member.heard = now;
        Ok(())
    }

    /// A member leaves; the others are to join again.
    pub(crate) fn leave(&mut self, member_id: &str, now: Duration) -> Result<(), ErrorCode> {
        if self.pending.remove(member_id).is_some() {
            self.complete_join(now);
            return Ok(());
        }
        if !self.remove(member_id) {
            return Err(ErrorCode::UNKNOWN_MEMBER_ID);
        }
        self.after_loss(now);
        Ok(())
    }

    fn remove(&mut self, member_id: &str) -> bool {
        let removed = self.members.remove(member_id).is_some();
        if self.leader.as_deref() == Some(member_id) {
            self.leader = None;
        }
        removed
    }

    fn after_loss(&mut self, now: Duration) {
        match self.phase {
            Phase::Empty => {}
            Phase::Preparing { .. } => self.complete_join(now),
            Phase::Completing | Phase::Stable if self.members.is_empty() => {
                self.generation += 1;
                (self.phase, self.protocol, self.leader) = (Phase::Empty, None, None);
                self.waiters.wake();
            }
            Phase::Completing | Phase::Stable => self.prepare(now, Duration::ZERO),
        }
    }

    /// Lets members go that have not been heard of in their session timeout, and ends rebalances that are
    /// due.
    pub(crate) fn expire(&mut self, now: Duration) {
        let late = |member: &Member| member.expires().is_some_and(|at| at <= now);
        let gone: Vec<String> =
            self.members.iter().filter(|(_, member)| late(member)).map(|(id, _)| id.clone()).collect();
        let pending = self.pending.len();
        self.pending.retain(|_, until| *until > now);
        for id in &gone {
            self.remove(id);
        }
        if !gone.is_empty() {
            self.after_loss(now);
        }
        let due = matches!(self.phase, Phase::Preparing { deadline, .. } if deadline <= now);
        if due || self.pending.len() != pending {
            self.complete_join(now);
        }
    }

    /// When [`Group::expire`] next has something to do.
    pub(crate) fn next_event(&self) -> Option<Duration> {
        let deadline = match self.phase {
            Phase::Preparing { deadline, .. } => Some(deadline),
            _ => None,
        };
        let members = self.members.values().filter_map(Member::expires);
        members.chain(self.pending.values().copied()).chain(deadline).min()
    }
}

#[cfg(test)]
mod tests;
