//! Streaming queries as their users hold them: the handle on one, and the manager of all of a session.

mod exception;
mod manager;
mod output_mode;
mod signals;
mod spec;
mod start;
mod state;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use uuid::Uuid;

pub use exception::StreamingQueryException;
pub use manager::StreamingQueryManager;
pub use output_mode::{OutputMode, check_output_mode};
pub use spec::QuerySpec;
pub use state::StreamingQueryStatus;

pub(crate) use manager::ManagerShared;
pub(crate) use state::QueryState;

use crate::error::{Error, Result};
use crate::progress::StreamingQueryProgress;

/// A handle on a running or ended query. Cheap to clone; dropping it changes nothing.
#[derive(Clone)]
pub struct StreamingQuery {
    pub(crate) state: Arc<QueryState>,
    pub(crate) manager: Arc<ManagerShared>,
}

impl StreamingQuery {
    /// The query's id, the same over restarts from one checkpoint.
    pub fn id(&self) -> Uuid {
        self.state.id
    }

    /// The id of this run.
    pub fn run_id(&self) -> Uuid {
        self.state.run_id
    }

    /// The name given by `query_name`.
    pub fn name(&self) -> Option<&str> {
        self.state.name.as_deref()
    }

    /// Whether it runs.
    pub fn is_active(&self) -> bool {
        self.state.is_active()
    }

    /// What it is doing.
    pub fn status(&self) -> StreamingQueryStatus {
        self.state.status()
    }

    /// The report on the last batch.
    pub fn last_progress(&self) -> Option<StreamingQueryProgress> {
        self.state.last()
    }

    /// The reports on the last batches, oldest first; 100 unless
    /// `spark.sql.streaming.numRecentProgressUpdates` says otherwise.
    pub fn recent_progress(&self) -> Vec<StreamingQueryProgress> {
        self.state.recent()
    }

    /// Why it ended; none while it runs and when it was stopped.
    pub fn exception(&self) -> Option<StreamingQueryException> {
        self.state.exception().cloned()
    }

    /// Waits for the query to end. From now on SIGINT and SIGTERM end the session's queries gracefully; see
    /// [`StreamingQueryManager::stop_on_signals`].
    ///
    /// # Errors
    /// The query's exception.
    pub async fn await_termination(&self) -> Result<()> {
        signals::install(&self.manager);
        self.ended().await;
        self.manager.stopped().await;
        self.outcome()
    }

    /// Waits for the query to end, but no longer than this. Tells whether it has ended.
    ///
    /// # Errors
    /// The query's exception.
    pub async fn await_termination_timeout(&self, at_most: Duration) -> Result<bool> {
        signals::install(&self.manager);
        if tokio::time::timeout(at_most, self.ended()).await.is_err() {
            return Ok(false);
        }
        self.outcome().map(|()| true)
    }

    /// Waits until everything that the sources held when this was called has been processed and committed.
    /// Meant for tests: with data arriving without end it still returns, after what was there at the call.
    ///
    /// # Errors
    /// The query's exception.
    pub async fn process_all_available(&self) -> Result<()> {
        let number = self.state.request_all();
        let mut served = self.state.served();
        tokio::select! {
            _ = served.wait_for(|served| *served >= number) => {}
            () = self.ended() => {}
        }
        self.outcome()
    }

    /// Ends the query: the running batch is finished and committed, then everything is released. Returns when
    /// that is done. A query that has ended stays as it is.
    ///
    /// # Errors
    /// None today; what ended the query by itself is [`StreamingQuery::exception`].
    pub async fn stop(&self) -> Result<()> {
        self.state.request_stop();
        self.ended().await;
        Ok(())
    }

    /// The plan that every batch runs, as text.
    pub fn explain_string(&self) -> String {
        let plan = self.state.plan();
        let plan = plan.unwrap_or_else(|| "No physical plan. Waiting for data.".to_owned());
        format!("== Physical Plan ==\n{plan}")
    }

    /// Prints the plan that every batch runs.
    pub fn explain(&self) {
        println!("{}", self.explain_string());
    }

    async fn ended(&self) {
        wait_true(self.state.terminated()).await;
    }

    fn outcome(&self) -> Result<()> {
        match self.state.exception() {
            Some(exception) => Err(Error::Query(exception.clone())),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for StreamingQuery {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name().unwrap_or("[no name]");
        write!(out, "Streaming Query {name} [id = {}, runId = {}]", self.id(), self.run_id())
    }
}

/// Waits for a flag that is never taken back. A flag whose owner is gone will not change, which counts as
/// set.
async fn wait_true(mut flag: watch::Receiver<bool>) {
    let _ = flag.wait_for(|set| *set).await;
}

#[cfg(test)]
mod tests;
