//! Trying again until a deadline, with pauses: for calls that any broker or a new leader can answer.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use crate::core::backoff::Backoff;
use crate::error::{Error, Result};
use crate::options::ClientOptions;

/// The deadline and the pauses of one call.
#[derive(Debug)]
pub(crate) struct Retry {
    within: Duration,
    deadline: Instant,
    backoff: Backoff,
}

impl Retry {
    /// A call that may take `within`, from now.
    pub(crate) fn new(options: &ClientOptions, within: Duration) -> Self {
        let backoff = Backoff::new(options.retry_backoff, options.retry_backoff_max);
        Self { within, deadline: Instant::now() + within, backoff }
    }

    /// How many attempts have failed.
    pub(crate) fn failures(&self) -> u32 {
        self.backoff.failures()
    }

    /// Waits before the next attempt. Gives the error back when it is final or the deadline is too near.
    pub(crate) async fn pause(&mut self, error: Error) -> Result<()> {
        let pause = self.backoff.fail(&mut rand::rng());
        if !error.is_retriable() || Instant::now() + pause >= self.deadline {
            return Err(error);
        }
        sleep(pause).await;
        Ok(())
    }

    /// One attempt, cut off at the deadline.
    pub(crate) async fn attempt<T>(&self, what: &str, call: impl Future<Output = Result<T>>) -> Result<T> {
        match timeout_at(self.deadline, call).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Error::Timeout { what: what.into(), after: self.within }),
        }
    }
}
