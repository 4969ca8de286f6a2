//! What a reader's tasks and callers share.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use millstream_protocol::ids::TopicPartition;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{Watermarks, lane, supervisor};
use crate::core::budget::Budget;
use crate::core::cursor::{Cursor, End};
use crate::frames::Frames;
use crate::kafka::Kafka;
use crate::options::FetchOptions;

/// Names a cursor for its whole life. A seek makes a new cursor, so that answers meant for the old one fall
/// away.
pub(super) type CursorId = u64;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(super) kafka: Kafka,
    pub(super) options: FetchOptions,
    pub(super) budget: Budget,
    pub(super) frames: Frames,
    pub(super) state: Mutex<State>,
    /// Wakes lanes: a partition wants data, or bytes of the budget are free.
    pub(super) work: Notify,
    /// Wakes the supervisor.
    pub(super) care: Notify,
    /// Wakes those who wait for news.
    pub(super) changed: Notify,
    /// Grows with every piece of news.
    pub(super) version: AtomicU64,
    pub(super) closed: AtomicBool,
    pub(super) close: Notify,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) cursors: HashMap<CursorId, Entry>,
    next_id: CursorId,
    pub(super) next_turn: u64,
    /// Brokers that have lanes.
    pub(super) lanes: HashSet<i32>,
    /// Brokers whose first lane has a fetch in flight.
    pub(super) first_lane_busy: HashSet<i32>,
    is_supervised: bool,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) cursor: Cursor,
    /// Wakes the one caller who reads this cursor.
    pub(super) ready: Arc<Notify>,
}

impl Shared {
    pub(super) fn new(kafka: Kafka, options: FetchOptions) -> Self {
        let budget = Budget::new(options.budget_bytes);
        let frames = Frames::new(options.budget_bytes);
        Self {
            kafka,
            options,
            budget,
            frames,
            state: Mutex::default(),
            work: Notify::new(),
            care: Notify::new(),
            changed: Notify::new(),
            version: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            close: Notify::new(),
        }
    }

    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.close.notify_waiters();
        self.work.notify_waiters();
        self.care.notify_one();
        self.state.lock().cursors.clear();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Resolves once the reader is closed.
    pub(super) async fn until_closed(&self) {
        let mut notified = std::pin::pin!(self.close.notified());
        notified.as_mut().enable();
        if !self.is_closed() {
            notified.await;
        }
    }

    /// Tells everybody who waits for news.
    pub(super) fn announce(&self) {
        self.version.fetch_add(1, Ordering::AcqRel);
        self.changed.notify_waiters();
    }

    pub(super) fn follow(self: &Arc<Self>, partitions: impl Iterator<Item = (TopicPartition, i64)>) {
        let mut state = self.state.lock();
        for (partition, from) in partitions {
            state.follow(partition, from);
        }
        drop(state);
        self.start_caring();
    }

    pub(super) fn unfollow(&self, partition: &TopicPartition) {
        let mut state = self.state.lock();
        state.cursors.retain(|_, entry| entry.cursor.is_attached || entry.cursor.partition != *partition);
        for entry in state.cursors.values_mut().filter(|e| e.cursor.partition == *partition) {
            // Its reader says how far it goes when it next asks.
            entry.cursor.end = End::At(entry.cursor.position());
        }
    }

    /// Finds or makes the cursor for a range, and marks it as being read.
    pub(super) fn attach(
        self: &Arc<Self>,
        partition: &TopicPartition,
        from: i64,
        until: i64,
    ) -> (CursorId, Arc<Notify>) {
        let mut state = self.state.lock();
        let id = state.attach(partition, from, until);
        let entry = state.cursors.get_mut(&id).expect("attach returns the id of a cursor in the map");
        entry.cursor.is_attached = true;
        let ready = entry.ready.clone();
        drop(state);
        self.start_caring();
        (id, ready)
    }

    /// A range is no longer read. What is left of a finished one is kept for the next range.
    pub(super) fn detach(&self, id: CursorId, finished: bool) {
        let mut state = self.state.lock();
        let Some(entry) = state.cursors.get_mut(&id) else { return };
        entry.cursor.is_attached = false;
        entry.cursor.is_waited_for = false;
        let keep = entry.cursor.end == End::Never || finished;
        if !keep || entry.cursor.has_failed() {
            state.cursors.remove(&id);
        }
    }

    pub(super) fn watermarks(&self) -> HashMap<TopicPartition, Watermarks> {
        let mut newest: HashMap<TopicPartition, Watermarks> = HashMap::new();
        for entry in self.state.lock().cursors.values() {
            let Some(told) = entry.cursor.watermarks else { continue };
            let known = newest.entry(entry.cursor.partition.clone()).or_insert(told);
            if told.high_watermark > known.high_watermark {
                *known = told;
            }
        }
        newest
    }

    /// Wakes lanes and supervisor after cursors have changed; starts the supervisor at the first call.
    pub(super) fn start_caring(self: &Arc<Self>) {
        let first = !std::mem::replace(&mut self.state.lock().is_supervised, true);
        if first {
            self.kafka.runtime().spawn(supervisor::run(self.clone()));
        }
        self.work.notify_waiters();
        self.care.notify_one();
    }

    /// Starts the lanes of a broker that has none.
    pub(super) fn start_lanes(self: &Arc<Self>, node: i32) {
        if self.state.lock().lanes.insert(node) {
            for number in 0..lane::LANES {
                self.kafka.runtime().spawn(lane::run(self.clone(), node, number));
            }
        }
    }
}

impl State {
    fn follow(&mut self, partition: TopicPartition, from: i64) {
        let mut same = self.cursors.iter_mut().filter(|(_, entry)| entry.cursor.partition == partition);
        let follows = |c: &Cursor| c.is_attached && c.end == End::Never;
        let usable = |c: &Cursor| !c.has_failed() && (c.covers(from) || follows(c));
        if let Some((_, entry)) = same.find(|(_, entry)| usable(&entry.cursor)) {
            entry.cursor.end = End::Never;
            return;
        }
        self.cursors.retain(|_, entry| entry.cursor.is_attached || entry.cursor.partition != partition);
        self.insert(Cursor::new(partition, from, End::Never));
    }

    fn attach(&mut self, partition: &TopicPartition, from: i64, until: i64) -> CursorId {
        let free = |c: &Cursor| c.partition == *partition && !c.is_attached;
        let covering = self.cursors.iter_mut().find(|(_, e)| free(&e.cursor) && e.cursor.covers(from));
        if let Some((id, entry)) = covering {
            if entry.cursor.end != End::Never {
                entry.cursor.end = End::At(until);
            }
            return *id;
        }
        // A seek: what follows the partition follows it from the new place.
        let mut end = End::At(until);
        self.cursors.retain(|_, entry| {
            let goes = free(&entry.cursor);
            if goes && entry.cursor.end == End::Never {
                end = End::Never;
            }
            !goes
        });
        self.insert(Cursor::new(partition.clone(), from, end))
    }

    fn insert(&mut self, cursor: Cursor) -> CursorId {
        self.next_id += 1;
        self.cursors.insert(self.next_id, Entry { cursor, ready: Arc::new(Notify::new()) });
        self.next_id
    }
}
