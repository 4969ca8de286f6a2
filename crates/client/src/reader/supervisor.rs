//! The one task of a reader that looks after cursors which no lane can serve: it finds leaders, starts lanes,
//! and has leaders asked about offsets that are out of range.
//!
//! It refreshes metadata for those whose leader is unknown, with pauses that grow with their failures. Cursors
//! that come meanwhile do not wait for that: whom the metadata at hand can serve is given a leader at once, and
//! who has failed less often shortens the pause.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use millstream_protocol::ids::ErrorCode;
use tokio::time::sleep;
use uuid::Uuid;

use super::bounds::{self, Unplaced};
use super::state::{Entry, Shared};
use crate::core::backoff::Backoff;
use crate::core::cluster::{Cluster, same_topic};
use crate::core::cursor::{Cursor, Lead};
use crate::error::{Error, Loss};
use crate::offsets::ATTEMPTS_FOR_UNKNOWN_TOPIC;
use crate::options::OnDataLoss;

/// What needs looking after, at one moment.
#[derive(Debug, Default)]
struct Cares {
    any: bool,
    /// Metadata have to be newer than this version.
    newer_than: Option<u64>,
    /// Failures in a row of who has the fewest.
    failures: u32,
}

/// Which cursors in need are given a leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whom {
    /// Those that have not failed.
    Fresh,
    All,
}

/// Looks after cursors until the reader is closed.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        if shared.is_closed() {
            return;
        }
        shared.assign(Whom::Fresh);
        let cares = shared.cares();
        tokio::select! {
            () = shared.until_closed() => return,
            () = shared.care.notified(), if !cares.any => {}
            () = shared.look_after(&cares), if cares.any => {}
        }
    }
}

impl Shared {
    fn cares(&self) -> Cares {
        let mut cares = Cares::default();
        let state = self.state.lock();
        for Entry { cursor, .. } in state.cursors.values().filter(|e| e.cursor.needs_care()) {
            let failures = cursor.failures.max(cursor.unknown);
            cares.failures = if cares.any { cares.failures.min(failures) } else { failures };
            cares.any = true;
            if let Lead::Lost { version } = cursor.lead {
                cares.newer_than = cares.newer_than.max(Some(version));
            }
        }
        cares
    }

    async fn look_after(self: &Arc<Self>, cares: &Cares) {
        // The first failure is followed up at once; it is most often a leader that moved.
        if cares.failures > 1 {
            let options = self.kafka.options();
            let (first, max) = (options.retry_backoff, options.retry_backoff_max);
            let pause = Backoff::after(first, max, cares.failures - 2, &mut rand::rng());
            let mut pause = pin!(sleep(pause));
            loop {
                tokio::select! {
                    () = &mut pause => break,
                    () = self.care.notified() => {}
                }
                self.assign(Whom::Fresh);
                let now = self.cares();
                if !now.any || now.failures < cares.failures {
                    return;
                }
            }
        }
        if let Some(version) = cares.newer_than {
            self.refresh(version).await;
        }
        let unknown = self.assign(Whom::All);
        if unknown && cares.newer_than.is_none() {
            let version = self.kafka.metadata().version();
            self.refresh(version).await;
            self.assign(Whom::All);
        }
    }

    /// Has the metadata refreshed. Cursors that come meanwhile and need nothing new are served.
    async fn refresh(self: &Arc<Self>, seen: u64) {
        let mut refreshed = pin!(self.refresh_metadata(seen));
        loop {
            tokio::select! {
                () = &mut refreshed => return,
                () = self.care.notified() => {}
            }
            self.assign(Whom::Fresh);
        }
    }

    async fn refresh_metadata(&self, seen: u64) {
        for entry in self.state.lock().cursors.values() {
            self.kafka.metadata().use_topic(&entry.cursor.partition.topic);
        }
        if let Err(error) = self.kafka.metadata().refresh(seen).await {
            tracing::debug!(%error, "refreshing metadata failed");
            let mut state = self.state.lock();
            for Entry { cursor, .. } in state.cursors.values_mut().filter(|e| e.cursor.needs_care()) {
                cursor.failures = cursor.failures.saturating_add(1);
                cursor.trouble = Some(error.clone());
            }
        }
    }

    /// Gives cursors in need the leader that the metadata name, or has it asked where the log begins and ends.
    /// Whether some topic was not in them at all.
    fn assign(self: &Arc<Self>, whom: Whom) -> bool {
        let metadata = self.kafka.metadata();
        let version = metadata.version();
        let (mut unknown, mut failed, mut nodes) = (false, false, Vec::new());
        let mut unplaced: BTreeMap<i32, Vec<Unplaced>> = BTreeMap::new();
        {
            let mut state = self.state.lock();
            for (id, Entry { cursor, ready }) in &mut state.cursors {
                let is_meant = whom == Whom::All || cursor.failures.max(cursor.unknown) == 0;
                let is_known_bad = matches!(cursor.lead, Lead::Lost { version: bad } if version <= bad);
                if !cursor.needs_care() || !is_meant || is_known_bad {
                    continue;
                }
                match metadata.view(|cluster| found(cluster, cursor)) {
                    Found::Leader { node, epoch, topic_id } => {
                        cursor.topic_id = topic_id;
                        cursor.unknown = 0;
                        if cursor.lead == Lead::OutOfRange {
                            cursor.lead = Lead::Asked;
                            let (partition, position) = (cursor.partition.clone(), cursor.position());
                            unplaced.entry(node).or_default().push(Unplaced { id: *id, partition, position });
                            continue;
                        }
                        cursor.lead = Lead::At { node, epoch };
                        nodes.push(node);
                    }
                    Found::NotAsked => {
                        unknown = true;
                        continue;
                    }
                    Found::NoLeader => self.no_leader(cursor, version, ErrorCode::LEADER_NOT_AVAILABLE),
                    Found::Recreated(now) => self.recreated(cursor, now),
                    Found::Failed(code) => self.no_leader(cursor, version, code),
                }
                if cursor.has_failed() {
                    failed = true;
                    ready.notify_one();
                }
            }
        }
        nodes.sort_unstable();
        nodes.dedup();
        for node in nodes {
            self.start_lanes(node);
        }
        for (node, cursors) in unplaced {
            self.kafka.runtime().spawn(bounds::check(self.clone(), node, cursors));
        }
        self.work.notify_waiters();
        if failed {
            self.announce();
        }
        unknown
    }

    /// The metadata have no leader for a partition, or do not know it.
    fn no_leader(&self, cursor: &mut Cursor, version: u64, code: ErrorCode) {
        let error = Error::on_partition("Metadata", code, &cursor.partition);
        cursor.lead = Lead::Lost { version };
        cursor.failures = cursor.failures.saturating_add(1);
        if code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION {
            cursor.unknown += 1;
            if cursor.unknown >= ATTEMPTS_FOR_UNKNOWN_TOPIC {
                self.gone(cursor, error);
                return;
            }
        } else if !code.is_retriable() && !code.refreshes_metadata() {
            cursor.fail(error);
            return;
        }
        cursor.trouble = Some(error);
    }

    fn gone(&self, cursor: &mut Cursor, error: Error) {
        if cursor.topic_id.is_nil() {
            cursor.fail(error);
            return;
        }
        cursor.fail(Error::loss(cursor.partition.clone(), cursor.position(), Loss::Deleted));
    }

    fn recreated(&self, cursor: &mut Cursor, now: Uuid) {
        let was = cursor.topic_id;
        if self.options.on_data_loss == OnDataLoss::Continue {
            tracing::warn!(partition = %cursor.partition, %was, %now, "the topic was created anew; reading goes on");
            cursor.topic_id = now;
            cursor.lead = Lead::OutOfRange;
            return;
        }
        cursor.fail(Error::loss(cursor.partition.clone(), cursor.position(), Loss::Recreated { was, now }));
    }
}

/// What the metadata say about a cursor's partition.
enum Found {
    Leader { node: i32, epoch: i32, topic_id: Uuid },
    NoLeader,
    NotAsked,
    Recreated(Uuid),
    Failed(ErrorCode),
}

fn found(cluster: &Cluster, cursor: &Cursor) -> Found {
    let Some(topic) = cluster.topic(&cursor.partition.topic) else {
        return Found::NotAsked;
    };
    if !topic.error.is_ok() {
        return Found::Failed(topic.error);
    }
    if !same_topic(cursor.topic_id, topic.id) {
        return Found::Recreated(topic.id);
    }
    match cluster.leader(&cursor.partition.topic, cursor.partition.partition) {
        None => Found::Failed(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
        Some(leader) => match leader.node {
            None => Found::NoLeader,
            Some(node) => Found::Leader { node, epoch: leader.epoch, topic_id: topic.id },
        },
    }
}
