//! When the next look at the sources is due: triggers, wake-ups, requests to process everything, and stops.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use tokio::sync::watch;
use tokio::time::sleep;

use super::sources::Sources;
use crate::error::{Error, Result};
use crate::query::QueryState;
use crate::session::SessionConf;
use crate::source::Freshness;
use crate::trigger::Trigger;

/// Setting: how long an idle query that notices new data waits for more, in milliseconds. Default 0.
const POLLING_DELAY: &str = "spark.sql.streaming.pollingDelay";

/// Why a wait is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Woken {
    /// It is time to look.
    Work,
    /// The query is to end.
    Stop,
}

/// Decides when a query looks, and how thoroughly.
#[derive(Debug)]
pub(crate) struct Pace {
    state: Arc<QueryState>,
    stop: watch::Receiver<bool>,
    requested: watch::Receiver<u64>,
    served: u64,
    always_lookup: bool,
    looked: bool,
    polling_delay: Duration,
}

impl Pace {
    pub(crate) fn new(conf: &SessionConf, trigger: Trigger, state: &Arc<QueryState>) -> Result<Self> {
        Ok(Self {
            state: Arc::clone(state),
            stop: state.stop(),
            requested: state.requested(),
            served: 0,
            always_lookup: trigger.is_finite(),
            looked: false,
            polling_delay: polling_delay(conf)?,
        })
    }

    /// How thorough the next look must be, and the last request that it answers when it finds nothing new.
    pub(crate) fn look(&mut self) -> (Freshness, u64) {
        let request = *self.requested.borrow();
        let first = !std::mem::replace(&mut self.looked, true);
        match first || self.always_lookup || request > self.served {
            true => (Freshness::Lookup, request),
            false => (Freshness::Known, request),
        }
    }

    /// A thorough look found nothing new: requests up to this one are answered.
    pub(crate) fn served(&mut self, request: u64) {
        if request > self.served {
            self.served = request;
            self.state.serve(request);
        }
    }

    /// Waits for a moment, ms since the epoch; not at all without one or when it has passed.
    pub(crate) async fn until(&mut self, due_ms: Option<i64>) -> Woken {
        let Some(due_ms) = due_ms else { return Woken::Work };
        let wait_ms = due_ms - Utc::now().timestamp_millis();
        if wait_ms < 0 {
            tracing::warn!(behind_ms = -wait_ms, "the batch took longer than the trigger's interval");
        }
        let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0));
        tokio::select! {
            biased;
            () = set(&mut self.stop) => Woken::Stop,
            () = sleep(wait) => Woken::Work,
        }
    }

    /// Waits for something to do: a source that may have more, rows whose delay has run out, or a request.
    pub(crate) async fn idle(&mut self, sources: &Sources, retry_after: Option<Duration>) -> Woken {
        let served = self.served;
        let mut requested = self.requested.clone();
        let mut asked = std::pin::pin!(above(&mut requested, served));
        tokio::select! {
            biased;
            () = set(&mut self.stop) => return Woken::Stop,
            () = &mut asked => return Woken::Work,
            () = after(retry_after) => return Woken::Work,
            () = sources.changed() => {}
        }
        if self.polling_delay.is_zero() {
            return Woken::Work;
        }
        tokio::select! {
            biased;
            () = set(&mut self.stop) => Woken::Stop,
            () = &mut asked => Woken::Work,
            () = sleep(self.polling_delay) => Woken::Work,
        }
    }
}

/// The state that these watch lives as long as the query, so a closed channel cannot be seen.
async fn set(flag: &mut watch::Receiver<bool>) {
    let _ = flag.wait_for(|set| *set).await;
}

async fn above(number: &mut watch::Receiver<u64>, floor: u64) {
    let _ = number.wait_for(|number| *number > floor).await;
}

async fn after(delay: Option<Duration>) {
    match delay {
        Some(delay) => sleep(delay).await,
        None => std::future::pending().await,
    }
}

fn polling_delay(conf: &SessionConf) -> Result<Duration> {
    let Some(text) = conf.get(POLLING_DELAY) else { return Ok(Duration::ZERO) };
    let digits = text.trim().strip_suffix("ms").unwrap_or(text.trim());
    let millis = digits.trim().parse().map_err(|_| {
        Error::option(
            POLLING_DELAY,
            format!("{POLLING_DELAY} must be a number of milliseconds, got '{text}'"),
        )
    })?;
    Ok(Duration::from_millis(millis))
}
