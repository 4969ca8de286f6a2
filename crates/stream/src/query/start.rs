//! From a specification to a running query: checks, checkpoint, thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use super::spec::CheckpointPlace;
use super::{ManagerShared, QuerySpec, QueryState, StreamingQuery};
use crate::checkpoint::{Checkpoint, SyncPolicy, stored_query_id};
use crate::error::{Error, Result};
use crate::micro_batch::{Driver, Work};
use crate::session::Session;
use crate::unsupported;

/// Reports that a query remembers when the session does not say.
const RECENT_PROGRESS: usize = 100;

/// Starts a query. The caller holds the lock that makes starts follow one another.
pub(super) async fn start(manager: &Arc<ManagerShared>, spec: QuerySpec) -> Result<StreamingQuery> {
    let mode = spec.check()?;
    unsupported::check_streaming(&spec.frame, mode)?;
    let session = spec.frame.session().clone();
    let place = spec.place(mode)?;
    let policy = match place.temporary {
        true => SyncPolicy::Never,
        false => spec.sync_policy()?,
    };
    stop_other_run(manager, &session, &place.path).await?;
    let checkpoint = open(&session, &place, policy).await?;
    let keep = number(&session, "spark.sql.streaming.numRecentProgressUpdates", RECENT_PROGRESS)?;
    let state = QueryState::new(checkpoint.query_id(), spec.name.clone(), keep);
    let query = StreamingQuery { state: Arc::clone(&state), manager: Arc::clone(manager) };
    let work = Work {
        session,
        analyzed: Arc::clone(spec.frame.analyzed()),
        output: spec.output,
        trigger: spec.trigger,
        checkpoint,
        state,
    };
    let driver = Driver::new(work)?;
    manager.add(query.clone());
    if let Err(error) = spawn(driver, query.clone(), place) {
        manager.end(&query, None);
        return Err(error);
    }
    Ok(query)
}

/// Each query has a thread of its own: it waits for disks, and it runs the first partition of its batches.
fn spawn(driver: Driver, query: StreamingQuery, place: CheckpointPlace) -> Result<()> {
    let runtime = driver.runtime();
    let name = format!("query-{}", query.name().map_or_else(|| query.id().to_string(), str::to_owned));
    let run = move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(driver.run())));
        let outcome = outcome.unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
        if let Err(error) = &outcome {
            tracing::error!(query = ?query, %error, "the query failed");
        } else if place.temporary
            && let Err(error) = std::fs::remove_dir_all(&place.path)
        {
            tracing::warn!(path = %place.path.display(), %error, "the temporary checkpoint stays behind");
        }
        query.manager.end(&query, outcome.err());
    };
    thread::Builder::new().name(name).spawn(run).map(|_| ()).map_err(|error| {
        Error::Misuse(format!("the query's thread cannot be started ({error}): raise the limit"))
    })
}

/// A query that already runs from this checkpoint is stopped first, as Spark does unless told otherwise.
async fn stop_other_run(manager: &ManagerShared, session: &Session, path: &Path) -> Result<()> {
    let Some(id) = stored_query_id(path)? else { return Ok(()) };
    let Some(other) = manager.find(id) else { return Ok(()) };
    if !session.conf().is_true("spark.sql.streaming.stopActiveRunOnRestart", true) {
        return Err(Error::Misuse(format!(
            "Cannot start query with id {id} as another query with same id is already active. Perhaps you are \
             attempting to restart a query from checkpoint that is already active. You may stop the old query by \
             setting the SQL configuration: spark.conf.set(\"spark.sql.streaming.stopActiveRunOnRestart\", true) \
             and retry."
        )));
    }
    tracing::warn!(query = ?other, "stopping this run, because the query is started again from its checkpoint");
    other.stop().await
}

async fn open(session: &Session, place: &CheckpointPlace, policy: SyncPolicy) -> Result<Checkpoint> {
    let path = place.path.clone();
    let opening = session.cpu_runtime().spawn_blocking(move || Checkpoint::open(&path, policy));
    let mut checkpoint = opening.await.unwrap_or_else(|error| Err(Error::Misuse(error.to_string())))?;
    let retain = number(
        session,
        "spark.sql.streaming.minBatchesToRetain",
        usize::try_from(crate::checkpoint::BATCHES_TO_RETAIN).unwrap_or(usize::MAX),
    )?;
    checkpoint.retain(i64::try_from(retain).unwrap_or(i64::MAX));
    Ok(checkpoint)
}

/// A setting that is a positive number.
fn number(session: &Session, name: &str, default: usize) -> Result<usize> {
    let Some(text) = session.conf().get(name) else { return Ok(default) };
    text.trim()
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| Error::option(name, format!("{name} must be a positive number, got '{text}'")))
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    Error::Misuse(format!("the query's thread panicked: {text}; please report this"))
}
