//! All streaming queries of a session.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use uuid::Uuid;

use super::{QuerySpec, StreamingQuery, signals, start};
use crate::error::{Error, Result};

/// What manages a session's queries. Cheap to clone.
#[derive(Clone, Default)]
pub struct StreamingQueryManager {
    shared: Arc<ManagerShared>,
}

/// The manager's state; queries hold it to tell of their end.
pub(crate) struct ManagerShared {
    active: Mutex<HashMap<Uuid, StreamingQuery>>,
    /// One start at a time, so that names and checkpoints are checked against those that really run.
    starting: tokio::sync::Mutex<()>,
    /// The first query that ended since the last reset, or the last that failed.
    ended: watch::Sender<Option<StreamingQuery>>,
    /// A signal has asked all queries to end.
    stopping: AtomicBool,
}

impl Default for ManagerShared {
    fn default() -> Self {
        let (active, starting) = (Mutex::default(), tokio::sync::Mutex::default());
        Self { active, starting, ended: watch::Sender::new(None), stopping: AtomicBool::new(false) }
    }
}

impl fmt::Debug for StreamingQueryManager {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.active()).finish()
    }
}

impl StreamingQueryManager {
    /// A manager without queries; a session makes one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The queries that run.
    pub fn active(&self) -> Vec<StreamingQuery> {
        // A query that has just ended may still be in the map for a moment; its handle already says so.
        self.shared.active.lock().values().filter(|query| query.is_active()).cloned().collect()
    }

    /// The running query with this id.
    pub fn get(&self, id: Uuid) -> Option<StreamingQuery> {
        self.shared.active.lock().get(&id).filter(|query| query.is_active()).cloned()
    }

    /// Starts a query. What is wrong with the query itself is told here; what goes wrong while it runs, its
    /// sources and its plan included, ends it and is told by [`StreamingQuery::exception`].
    ///
    /// # Errors
    /// A name that is taken, an output mode or an operation that streams cannot have, a checkpoint that
    /// cannot be used.
    pub async fn start(&self, spec: QuerySpec) -> Result<StreamingQuery> {
        let _one_at_a_time = self.shared.starting.lock().await;
        if let Some(name) = &spec.name
            && self.active().iter().any(|query| query.name() == Some(name))
        {
            return Err(Error::Misuse(format!(
                "Cannot start query with name {name} as a query with that name is already active in this SparkSession"
            )));
        }
        start::start(&self.shared, spec).await
    }

    /// Waits until any query of the session ends, or returns at once when one has since the session began or
    /// since [`StreamingQueryManager::reset_terminated`]. From now on SIGINT and SIGTERM end the session's
    /// queries gracefully; see [`StreamingQueryManager::stop_on_signals`].
    ///
    /// # Errors
    /// The exception of the query that ended.
    pub async fn await_any_termination(&self) -> Result<()> {
        signals::install(&self.shared);
        let mut ended = self.shared.ended.subscribe();
        let outcome = match ended.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(query)) => query.outcome(),
            _ => Ok(()),
        };
        self.shared.stopped().await;
        outcome
    }

    /// As [`StreamingQueryManager::await_any_termination`], but no longer than this. Tells whether one has
    /// ended.
    ///
    /// # Errors
    /// The exception of the query that ended.
    pub async fn await_any_termination_timeout(&self, at_most: Duration) -> Result<bool> {
        match tokio::time::timeout(at_most, self.await_any_termination()).await {
            Ok(outcome) => outcome.map(|()| true),
            Err(_) => Ok(false),
        }
    }

    /// Forgets the queries that have ended, so that the next wait is for one that still runs.
    pub fn reset_terminated(&self) {
        self.shared.ended.send_replace(None);
    }

    /// Ends all queries, each after its running batch, and waits for them.
    pub async fn stop_all(&self) {
        let active = self.active();
        for query in &active {
            query.state.request_stop();
        }
        for query in &active {
            query.ended().await;
        }
    }

    /// Makes SIGINT and SIGTERM end the session's queries gracefully: at the first signal each finishes and
    /// commits its running batch, and what waits for them returns `Ok`; a second signal ends the process at
    /// once. A signal that comes when no query runs ends the process as it would without this. Waiting for a
    /// query switches it on.
    pub fn stop_on_signals(&self) {
        signals::install(&self.shared);
    }
}

impl ManagerShared {
    /// The running query of a checkpoint's id.
    pub(crate) fn find(&self, id: Uuid) -> Option<StreamingQuery> {
        self.active.lock().get(&id).cloned()
    }

    pub(crate) fn add(&self, query: StreamingQuery) {
        self.active.lock().insert(query.id(), query);
    }

    /// A query ends: it is no longer active, then it is terminated, then those are told who wait for any. So
    /// who was told finds its name and its checkpoint free.
    pub(crate) fn end(&self, query: &StreamingQuery, error: Option<Error>) {
        let mut active = self.active.lock();
        if active.get(&query.id()).is_some_and(|other| other.run_id() == query.run_id()) {
            active.remove(&query.id());
        }
        drop(active);
        query.state.terminate(error);
        self.ended.send_if_modified(|ended| {
            let tell = ended.is_none() || query.exception().is_some();
            if tell {
                *ended = Some(query.clone());
            }
            tell
        });
    }

    /// Asks all queries to end; false when none runs.
    pub(crate) fn request_stop(&self) -> bool {
        self.stopping.store(true, Ordering::SeqCst);
        let active = self.active.lock();
        active.values().for_each(|query| query.state.request_stop());
        !active.is_empty()
    }

    /// After a signal, waits for all queries: a program that waited for one ends its process next, and the running
    /// batches of the others are to be finished first.
    pub(crate) async fn stopped(&self) {
        if !self.stopping.load(Ordering::SeqCst) {
            return;
        }
        let active: Vec<StreamingQuery> = self.active.lock().values().cloned().collect();
        for query in active {
            query.ended().await;
        }
    }
}
