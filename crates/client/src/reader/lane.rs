//! A lane: one connection to one broker with one fetch in flight, again and again.
//!
//! When a response's frame is complete its batch headers are walked, positions move, those who wait are
//! woken, and the next fetch is on its way before anybody decodes a record. Partitions take turns: who was
//! served longest ago comes first in the request, because brokers fill a response in the order of the
//! request.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use indexmap::IndexMap;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{BrokerId, FetchRequest, TopicName};
use kafka_protocol::protocol::StrBytes;
use millstream_protocol::fetch::{FetchResponse, FetchedPartition};
use millstream_protocol::ids::{ApiKey, TopicPartition};
use millstream_protocol::messages;
use tokio::time::sleep;
use uuid::Uuid;

use super::settle;
use super::state::{CursorId, Entry, Shared, State};
use crate::brokers::Link;
use crate::core::budget::Permit;
use crate::core::cluster::Node;
use crate::core::cursor::{Cursor, Lead};
use crate::error::{Error, Result};

/// Lanes of a broker.
pub(super) const LANES: usize = 2;

/// Topic ids replace names from this version on.
const TOPIC_IDS_FROM: i16 = 13;

/// A partition is asked for at least this much, however many share the budget.
const LEAST_PARTITION_BYTES: usize = 64 << 10;

/// A broker may ask for a pause (KIP-219); a longer one is not honoured.
const LONGEST_THROTTLE: Duration = Duration::from_secs(30);

/// One fetch to be sent.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) items: Vec<Item>,
    pub(super) permit: Permit,
    partition_bytes: usize,
}

/// One partition of a fetch.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: CursorId,
    pub(super) partition: TopicPartition,
    pub(super) topic_id: Uuid,
    pub(super) position: i64,
    epoch: i32,
    last_epoch: i32,
}

/// A response, with its partitions found again by their place in the plan.
pub(super) struct Answer {
    pub(super) frame_bytes: usize,
    pub(super) response: FetchResponse,
    pub(super) partitions: Vec<Option<FetchedPartition>>,
}

/// Fetches from one broker until the reader is closed.
pub(super) async fn run(shared: Arc<Shared>, node: i32, number: usize) {
    let (options, runtime) = (shared.kafka.shared_options().clone(), shared.kafka.runtime().clone());
    let link = Link::with_frames(options, runtime, shared.frames.clone());
    loop {
        let mut notified = std::pin::pin!(shared.work.notified());
        notified.as_mut().enable();
        if shared.is_closed() {
            return;
        }
        let Some(plan) = shared.plan(node, number) else {
            notified.await;
            continue;
        };
        let outcome = tokio::select! {
            biased;
            outcome = fetch(&shared, &link, node, &plan) => outcome,
            () = shared.until_closed() => return,
        };
        let throttle = settle::settle(&shared, node, number, plan, outcome);
        if !throttle.is_zero() {
            tokio::select! {
                () = sleep(throttle.min(LONGEST_THROTTLE)) => {}
                () = shared.until_closed() => return,
            }
        }
    }
}

impl Shared {
    /// What to fetch next from a broker; nothing when no partition wants data or no budget is left.
    fn plan(&self, node: i32, number: usize) -> Option<Plan> {
        let mut state = self.state.lock();
        let is_first = number == 0;
        if !is_first && !state.first_lane_busy.contains(&node) {
            return None;
        }
        let open = state.cursors.values().filter(|entry| entry.cursor.is_open()).count().max(1);
        let share = self.budget.limit() / 2 / open;
        let most = usize::try_from(self.options.max_partition_bytes).unwrap_or(LEAST_PARTITION_BYTES);
        let partition_bytes = share.clamp(LEAST_PARTITION_BYTES.min(most), most);
        let mut wanting = wanting(&state, node, share);
        let want = wanting.len().saturating_mul(partition_bytes);
        let want = want.min(usize::try_from(self.options.max_bytes).unwrap_or(most));
        if wanting.is_empty() {
            return None;
        }
        let permit = match self.budget.take(want, want.min(partition_bytes)) {
            Some(permit) => permit,
            None => {
                wanting.retain(|id| state.cursors[id].cursor.is_waited_for);
                if wanting.is_empty() {
                    return None;
                }
                self.budget.overdraw(partition_bytes)
            }
        };
        if is_first {
            state.first_lane_busy.insert(node);
        }
        Some(Plan { items: state.start(&wanting), permit, partition_bytes })
    }
}

/// The cursors that a broker can serve, who was served longest ago first; one for each partition.
fn wanting(state: &State, node: i32, share: usize) -> Vec<CursorId> {
    let is_here = |c: &Cursor| matches!(c.lead, Lead::At { node: leader, .. } if leader == node);
    let mut wanting: Vec<(u64, CursorId, &TopicPartition)> = state
        .cursors
        .iter()
        .filter(|(_, Entry { cursor, .. })| is_here(cursor) && cursor.wants_fetch(share))
        .map(|(id, entry)| (entry.cursor.turn, *id, &entry.cursor.partition))
        .collect();
    wanting.sort_unstable_by_key(|(turn, id, _)| (*turn, *id));
    let mut seen = std::collections::HashSet::new();
    wanting.retain(|(_, _, partition)| seen.insert(*partition));
    wanting.into_iter().map(|(_, id, _)| id).collect()
}

impl State {
    /// Marks cursors as in flight.
    fn start(&mut self, ids: &[CursorId]) -> Vec<Item> {
        let mut items = Vec::with_capacity(ids.len());
        for id in ids {
            self.next_turn += 1;
            let Some(Entry { cursor, .. }) = self.cursors.get_mut(id) else { continue };
            let Lead::At { epoch, .. } = cursor.lead else { continue };
            cursor.in_flight = true;
            cursor.turn = self.next_turn;
            items.push(Item {
                id: *id,
                partition: cursor.partition.clone(),
                topic_id: cursor.topic_id,
                position: cursor.position(),
                epoch,
                last_epoch: cursor.last_epoch,
            });
        }
        items
    }
}

async fn fetch(shared: &Shared, link: &Link, node: i32, plan: &Plan) -> Result<Answer> {
    let address = shared.kafka.metadata().view(|cluster| cluster.node(node).map(Node::address));
    let Some(address) = address else {
        return Err(Error::Disconnected {
            broker: format!("node {node}"),
            why: "it is no longer in the metadata".into(),
        });
    };
    let connection = link.connection(&address).await?;
    let by_name = plan.items.iter().any(|item| item.topic_id.is_nil());
    let most = if by_name { TOPIC_IDS_FROM - 1 } else { i16::MAX };
    let version = connection.version_up_to(ApiKey::FETCH, most)?;
    let request = request(shared, plan, version);
    let patience = shared.options.max_wait + shared.kafka.options().request_timeout;
    let client_id = connection.client_id();
    let answer = connection.send(ApiKey::FETCH, patience, |correlation| {
        messages::encode_request(correlation, Some(client_id), version, &request).map(|frame| vec![frame])
    })?;
    let frame = answer.frame().await?;
    let frame_bytes = frame.len();
    let limits = connection.limits();
    let response = FetchResponse::decode(frame, version, limits).map_err(|e| connection.malformed(e))?;
    if !response.error.is_ok() {
        return Err(Error::api("Fetch", response.error));
    }
    Ok(sort(plan, response, frame_bytes))
}

/// Brings the partitions of a response into the plan's order. What was not asked for is ignored.
fn sort(plan: &Plan, mut response: FetchResponse, frame_bytes: usize) -> Answer {
    let mut places: HashMap<(Uuid, &str, i32), usize> = HashMap::with_capacity(plan.items.len());
    for (place, item) in plan.items.iter().enumerate() {
        places.insert((item.topic_id, &item.partition.topic, item.partition.partition), place);
        places.insert((item.topic_id, "", item.partition.partition), place);
        places.insert((Uuid::nil(), &item.partition.topic, item.partition.partition), place);
    }
    let mut partitions: Vec<Option<FetchedPartition>> = Vec::new();
    partitions.resize_with(plan.items.len(), || None);
    for topic in std::mem::take(&mut response.topics) {
        let name = topic.name.as_deref().unwrap_or("");
        for partition in topic.partitions {
            if let Some(place) = places.get(&(topic.id, name, partition.partition)) {
                partitions[*place] = Some(partition);
            }
        }
    }
    Answer { frame_bytes, response, partitions }
}

fn request(shared: &Shared, plan: &Plan, version: i16) -> FetchRequest {
    // Topics in the order of their first partition, which is the order of turns.
    let mut topics: IndexMap<(Uuid, &Arc<str>), Vec<FetchPartition>> = IndexMap::new();
    for item in &plan.items {
        let mut partition = FetchPartition::default()
            .with_partition(item.partition.partition)
            .with_current_leader_epoch(item.epoch)
            .with_fetch_offset(item.position)
            .with_log_start_offset(-1)
            .with_partition_max_bytes(i32::try_from(plan.partition_bytes).unwrap_or(i32::MAX));
        if version >= LAST_EPOCH_FROM {
            partition.last_fetched_epoch = item.last_epoch;
        }
        topics.entry((item.topic_id, &item.partition.topic)).or_default().push(partition);
    }
    let topic = |((id, name), partitions): ((Uuid, &Arc<str>), Vec<FetchPartition>)| {
        let topic = FetchTopic::default().with_partitions(partitions);
        if version >= TOPIC_IDS_FROM {
            return topic.with_topic_id(id);
        }
        topic.with_topic(TopicName(StrBytes::from_string(name.to_string())))
    };
    FetchRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_max_wait_ms(i32::try_from(shared.options.max_wait.as_millis()).unwrap_or(i32::MAX))
        .with_min_bytes(shared.options.min_bytes)
        .with_max_bytes(i32::try_from(plan.permit.bytes()).unwrap_or(i32::MAX))
        .with_isolation_level(shared.options.isolation.wire())
        .with_session_epoch(-1)
        .with_topics(topics.into_iter().map(topic).collect())
}

/// The epoch of the last batch is sent, and truncation noticed, from this version on (KIP-595).
const LAST_EPOCH_FROM: i16 = 12;

/// An empty slice of a frame, for partitions without records.
pub(super) const NO_RECORDS: Bytes = Bytes::new();
