//! What a response, or its absence, does to the cursors that were in flight.

use std::sync::Arc;
use std::time::Duration;

use millstream_protocol::fetch::{FetchResponse, FetchedPartition};
use millstream_protocol::ids::ErrorCode;

use super::Watermarks;
use super::lane::{Answer, Item, NO_RECORDS, Plan};
use super::state::Shared;
use crate::core::budget::Permit;
use crate::core::cluster::Node;
use crate::core::cursor::{Chunk, Cursor, Extent, Lead, extent};
use crate::error::{Error, Loss, Result};

/// Bytes that cannot be read are asked for this often before a partition is given up.
const ATTEMPTS_AT_BAD_BYTES: u32 = 3;

/// Applies the outcome of a fetch, wakes whom it concerns, and returns for how long the broker wants no
/// request.
pub(super) fn settle(
    shared: &Arc<Shared>,
    node: i32,
    number: usize,
    plan: Plan,
    outcome: Result<Answer>,
) -> Duration {
    let version = shared.kafka.metadata().version();
    let mut news = false;
    let mut throttle = Duration::ZERO;
    match outcome {
        Ok(answer) => {
            throttle = Duration::from_millis(u64::try_from(answer.response.throttle_ms).unwrap_or(0));
            learn_nodes(shared, &answer.response);
            news = take_in(shared, plan, answer, version);
        }
        Err(error) => {
            tracing::debug!(node, %error, "fetch failed");
            let mut state = shared.state.lock();
            for item in &plan.items {
                let Some(entry) = state.cursors.get_mut(&item.id) else { continue };
                entry.cursor.in_flight = false;
                news |= setback(&mut entry.cursor, version, error.clone());
                entry.ready.notify_one();
            }
        }
    }
    if number == 0 {
        shared.state.lock().first_lane_busy.remove(&node);
    }
    if news {
        shared.announce();
    }
    shared.care.notify_one();
    throttle
}

/// Takes in a response; whether it brought records, moved a watermark or failed a partition.
fn take_in(shared: &Shared, plan: Plan, answer: Answer, version: u64) -> bool {
    let mut permit = plan.permit;
    permit.resize(answer.frame_bytes);
    let permit = Arc::new(permit);
    // Headers are walked before the lock is taken.
    let walked: Vec<_> = answer
        .partitions
        .into_iter()
        .zip(&plan.items)
        .map(|(partition, item)| {
            let partition = partition?;
            let extent = extent(&partition.records, item.position);
            Some((partition, extent))
        })
        .collect();
    let mut news = false;
    let mut state = shared.state.lock();
    for (item, walked) in plan.items.iter().zip(walked) {
        let Some(entry) = state.cursors.get_mut(&item.id) else { continue };
        let cursor = &mut entry.cursor;
        cursor.in_flight = false;
        let changed = match walked {
            Some((partition, extent)) if partition.error.is_ok() && partition.diverging_epoch.is_none() => {
                records_arrived(cursor, partition, extent, &permit, version)
            }
            Some((partition, _)) => refused(shared, cursor, item, &partition, version),
            // An answer that leaves out what was asked for.
            None => setback(cursor, version, Error::api("Fetch", ErrorCode::UNKNOWN_SERVER_ERROR)),
        };
        if changed {
            entry.ready.notify_one();
        }
        news |= changed;
    }
    news
}

fn records_arrived(
    cursor: &mut Cursor,
    partition: FetchedPartition,
    extent: Result<Extent, millstream_protocol::Error>,
    permit: &Arc<Permit>,
    version: u64,
) -> bool {
    let extent = match extent {
        Ok(extent) => extent,
        Err(source) => {
            let broker = format!("of {} (fetched from offset {})", cursor.partition, cursor.position());
            return setback(cursor, version, Error::Malformed { broker, source: Arc::new(source) });
        }
    };
    let watermarks = Watermarks {
        high_watermark: partition.high_watermark,
        last_stable_offset: partition.last_stable_offset.unwrap_or(partition.high_watermark),
        log_start_offset: partition.log_start_offset.unwrap_or(0),
    };
    let changed = extent.bytes > 0 || cursor.watermarks != Some(watermarks);
    let records = if extent.bytes > 0 { partition.records } else { NO_RECORDS };
    let (from, next) = (cursor.position(), extent.next);
    let aborted = partition.aborted.into();
    let chunk = Chunk { records, from, next, aborted, watermarks, permit: permit.clone() };
    cursor.accept(chunk, extent);
    changed
}

/// A partition's error. Whether its reader has to be told.
fn refused(
    shared: &Shared,
    cursor: &mut Cursor,
    item: &Item,
    partition: &FetchedPartition,
    version: u64,
) -> bool {
    if let Some(fork) = partition.diverging_epoch {
        let loss = Loss::Truncated { epoch: fork.epoch, log_end: fork.end_offset };
        cursor.fail(Error::loss(cursor.partition.clone(), cursor.position(), loss));
        return true;
    }
    let code = partition.error;
    let error = Error::Broker {
        code,
        api: "Fetch",
        topic: None,
        partition: Some(item.partition.clone()),
        offset: Some(item.position),
        message: None,
    };
    if code == ErrorCode::OFFSET_OUT_OF_RANGE {
        cursor.lead = Lead::OutOfRange;
        cursor.trouble = Some(error);
        return false;
    }
    let hint = partition.current_leader.is_some_and(|hint| {
        let tp = &item.partition;
        shared.kafka.metadata().learn(|c| c.hint_leader(&tp.topic, tp.partition, hint.leader, hint.epoch))
    });
    let failed = setback(cursor, version, error);
    if hint && !failed {
        cursor.lead = Lead::Wanted;
        cursor.failures = 0;
    }
    failed
}

/// Counts a failed attempt: the leader is looked for anew, or the partition fails when that cannot help.
pub(super) fn setback(cursor: &mut Cursor, version: u64, error: Error) -> bool {
    cursor.failures = cursor.failures.saturating_add(1);
    let bad_bytes = matches!(error, Error::Malformed { .. });
    let hopeless = match &error {
        Error::Malformed { .. } => cursor.failures >= ATTEMPTS_AT_BAD_BYTES,
        Error::Broker { code, .. } => {
            !code.is_retriable() && !code.refreshes_metadata() && *code != ErrorCode::UNKNOWN_SERVER_ERROR
        }
        error => !error.is_retriable(),
    };
    if hopeless {
        cursor.fail(error);
        return true;
    }
    if bad_bytes {
        tracing::warn!(partition = %cursor.partition, %error, "fetching again");
    }
    cursor.lead = Lead::Lost { version };
    cursor.trouble = Some(error);
    false
}

/// Addresses of new leaders come with the response (KIP-951).
fn learn_nodes(shared: &Shared, response: &FetchResponse) {
    for endpoint in &response.node_endpoints {
        let Ok(port) = u16::try_from(endpoint.port) else { continue };
        let node = Node { id: endpoint.node, host: endpoint.host.clone(), port, rack: endpoint.rack.clone() };
        shared.kafka.metadata().learn(|cluster| cluster.hint_node(node));
    }
}
