//! The one task of a reader that looks after cursors which no lane can serve: it finds leaders, starts lanes,
//! and finds out what became of an offset that is out of range.

use std::collections::BTreeMap;
use std::sync::Arc;

use millstream_protocol::ids::{ErrorCode, TopicPartition};
use tokio::time::sleep;
use uuid::Uuid;

use super::state::{CursorId, Entry, Shared};
use crate::core::backoff::Backoff;
use crate::core::cluster::{Cluster, same_topic};
use crate::core::cursor::{Cursor, Lead};
use crate::error::{Error, Loss};
use crate::offsets::{ATTEMPTS_FOR_UNKNOWN_TOPIC, OffsetSpec};
use crate::options::{Isolation, OnDataLoss};

/// What needs looking after, at one moment.
#[derive(Debug, Default)]
struct Cares {
    any: bool,
    /// Metadata have to be newer than this version.
    newer_than: Option<u64>,
    /// Failures in a row of the worst case.
    failures: u32,
    out_of_range: Vec<(CursorId, TopicPartition, i64)>,
}

/// Looks after cursors until the reader is closed.
pub(super) async fn run(shared: Arc<Shared>) {
    loop {
        if shared.is_closed() {
            return;
        }
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
        for (id, Entry { cursor, .. }) in state.cursors.iter().filter(|(_, e)| e.cursor.needs_care()) {
            cares.any = true;
            cares.failures = cares.failures.max(cursor.failures).max(cursor.unknown);
            match cursor.lead {
                Lead::Lost { version } => cares.newer_than = cares.newer_than.max(Some(version)),
                Lead::OutOfRange => {
                    cares.out_of_range.push((*id, cursor.partition.clone(), cursor.position()));
                }
                Lead::Wanted | Lead::At { .. } => {}
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
            sleep(pause).await;
        }
        if !cares.out_of_range.is_empty() {
            self.check_range(&cares.out_of_range).await;
        }
        if let Some(version) = cares.newer_than {
            self.refresh(version).await;
        }
        let unknown = self.assign();
        if unknown && cares.newer_than.is_none() {
            let version = self.kafka.metadata().version();
            self.refresh(version).await;
            self.assign();
        }
    }

    async fn refresh(&self, seen: u64) {
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

    /// Gives every cursor in need the leader that the metadata name. Whether some topic was not in them at
    /// all.
    fn assign(self: &Arc<Self>) -> bool {
        let metadata = self.kafka.metadata();
        let version = metadata.version();
        let (mut unknown, mut failed, mut nodes) = (false, false, Vec::new());
        {
            let mut state = self.state.lock();
            for Entry { cursor, ready } in state.cursors.values_mut().filter(|e| e.cursor.needs_care()) {
                match cursor.lead {
                    Lead::Lost { version: bad } if version <= bad => continue,
                    Lead::OutOfRange | Lead::At { .. } => continue,
                    Lead::Lost { .. } | Lead::Wanted => {}
                }
                match metadata.view(|cluster| found(cluster, cursor)) {
                    Found::Leader { node, epoch, topic_id } => {
                        cursor.topic_id = topic_id;
                        cursor.lead = Lead::At { node, epoch };
                        cursor.unknown = 0;
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

    /// Asks where the logs begin and end, and fails or moves the cursors accordingly.
    async fn check_range(self: &Arc<Self>, cursors: &[(CursorId, TopicPartition, i64)]) {
        let bounds = async |spec| {
            let wanted = cursors.iter().map(|(_, tp, _)| (tp.clone(), spec)).collect();
            self.kafka.list_offsets(wanted, Isolation::ReadUncommitted).await
        };
        let (starts, ends) = match (bounds(OffsetSpec::Earliest).await, bounds(OffsetSpec::Latest).await) {
            (Ok(starts), Ok(ends)) => (starts, ends),
            (Err(error), _) | (_, Err(error)) => return self.range_unknown(cursors, &error),
        };
        let offset = |found: &BTreeMap<TopicPartition, _>, tp| {
            found.get(tp).and_then(|f: &crate::FoundOffset| f.offset).unwrap_or(0)
        };
        let mut state = self.state.lock();
        for (id, tp, position) in cursors {
            let Some(Entry { cursor, ready }) = state.cursors.get_mut(id) else { continue };
            self.out_of_range(cursor, *position, offset(&starts, tp), offset(&ends, tp));
            ready.notify_one();
        }
        drop(state);
        self.announce();
    }

    fn out_of_range(&self, cursor: &mut Cursor, position: i64, log_start: i64, log_end: i64) {
        if (log_start..=log_end).contains(&position) {
            // The leader saw it otherwise a moment ago, or could not place the epoch that was sent along.
            cursor.failures = cursor.failures.saturating_add(1);
            cursor.skip_to(position);
            return;
        }
        if self.options.on_data_loss == OnDataLoss::Continue {
            let next = position.clamp(log_start, log_end.max(log_start));
            tracing::warn!(partition = %cursor.partition, position, next, "offsets are lost; reading goes on");
            cursor.skip_to(next);
            if position > log_end {
                // The range that is being read lies in the part of the log that is lost.
                cursor.vanish();
            }
            return;
        }
        let loss = Loss::OutOfRange { log_start, log_end };
        cursor.fail(Error::loss(cursor.partition.clone(), position, loss));
    }

    fn range_unknown(&self, cursors: &[(CursorId, TopicPartition, i64)], error: &Error) {
        tracing::debug!(%error, "looking up the bounds of logs failed");
        let mut state = self.state.lock();
        for (id, ..) in cursors {
            let Some(Entry { cursor, ready }) = state.cursors.get_mut(id) else { continue };
            cursor.failures = cursor.failures.saturating_add(1);
            cursor.trouble = Some(error.clone());
            if !error.is_retriable() || error.code() == Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION) {
                self.gone(cursor, error.clone());
                ready.notify_one();
            }
        }
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
