//! What became of an offset that the leader does not have: the leader is asked where the log begins and ends, and
//! the cursor fails, goes on elsewhere, or is tried again.
//!
//! Each leader is asked by a task of its own, once: a leader that does not answer holds up nobody else's cursors.
//! What cannot be learned counts as a failed attempt, after which the supervisor looks for the leader anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use millstream_protocol::ids::TopicPartition;

use super::settle::setback;
use super::state::{CursorId, Entry, Shared};
use crate::core::cursor::{Cursor, Lead};
use crate::error::{Error, Loss, Result};
use crate::offsets::{self, FoundOffset, OffsetSpec};
use crate::options::{Isolation, OnDataLoss};

/// A cursor whose leader does not have its position.
#[derive(Debug)]
pub(super) struct Unplaced {
    pub(super) id: CursorId,
    pub(super) partition: TopicPartition,
    pub(super) position: i64,
}

/// Where logs begin and end, and what kept others from being known.
#[derive(Debug, Default)]
struct Bounds {
    starts: BTreeMap<TopicPartition, FoundOffset>,
    ends: BTreeMap<TopicPartition, FoundOffset>,
    failures: Vec<Error>,
}

/// Asks a leader about cursors that are marked [`Lead::Asked`], and settles them.
pub(super) async fn check(shared: Arc<Shared>, node: i32, cursors: Vec<Unplaced>) {
    let version = shared.kafka.metadata().version();
    let outcome = tokio::select! {
        outcome = ask(&shared, node, &cursors) => outcome,
        () = shared.until_closed() => return,
    };
    let bounds = outcome.unwrap_or_else(|error| Bounds { failures: vec![error], ..Bounds::default() });
    {
        let mut state = shared.state.lock();
        for unplaced in &cursors {
            let Some(Entry { cursor, ready }) = state.cursors.get_mut(&unplaced.id) else { continue };
            if cursor.lead != Lead::Asked {
                continue;
            }
            if cursor.is_open() {
                shared.place(cursor, unplaced, &bounds, version);
                ready.notify_one();
            } else {
                // Nobody wants more of it for now; who does later asks again.
                cursor.lead = Lead::OutOfRange;
            }
        }
    }
    shared.announce();
    shared.care.notify_one();
}

async fn ask(shared: &Shared, node: i32, cursors: &[Unplaced]) -> Result<Bounds> {
    let bounds = async |spec| {
        let wanted = cursors.iter().map(|unplaced| (unplaced.partition.clone(), spec)).collect();
        offsets::ask_one(&shared.kafka, node, &wanted, Isolation::ReadUncommitted).await
    };
    let (starts, mut failures) = bounds(OffsetSpec::Earliest).await?;
    let (ends, more) = bounds(OffsetSpec::Latest).await?;
    failures.extend(more);
    Ok(Bounds { starts, ends, failures })
}

impl Shared {
    fn place(&self, cursor: &mut Cursor, unplaced: &Unplaced, bounds: &Bounds, version: u64) {
        let offset = |found: &BTreeMap<TopicPartition, FoundOffset>| {
            found.get(&unplaced.partition).map(|found| found.offset.unwrap_or(0))
        };
        if let (Some(start), Some(end)) = (offset(&bounds.starts), offset(&bounds.ends)) {
            return self.out_of_range(cursor, unplaced.position, start, end);
        }
        let own = &unplaced.partition;
        let is_about_it = |e: &&Error| matches!(e, Error::Broker { partition: Some(p), .. } if p == own);
        let error = bounds.failures.iter().find(is_about_it).or(bounds.failures.first());
        let error = error.cloned().unwrap_or_else(|| Error::Disconnected {
            broker: format!("the leader of {}", unplaced.partition),
            why: "it did not say where the log begins and ends".into(),
        });
        tracing::debug!(partition = %unplaced.partition, %error, "looking up the bounds of a log failed");
        setback(cursor, version, error);
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
}
