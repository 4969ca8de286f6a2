//! Links to brokers: a link is one connection that is made anew when it breaks, with pauses in between.
//!
//! A role owns its links, so that a long fetch never stands in the way of a produce request or of metadata.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep_until};

use crate::connection::Connection;
use crate::core::backoff::Backoff;
use crate::error::{Attempt, Error, Result};
use crate::frames::Frames;
use crate::options::ClientOptions;

/// One connection to one broker, for one purpose.
#[derive(Debug)]
pub(crate) struct Link {
    options: Arc<ClientOptions>,
    /// Sockets live on this runtime, whichever one a caller runs on.
    runtime: Handle,
    frames: Frames,
    state: tokio::sync::Mutex<LinkState>,
}

#[derive(Debug)]
struct LinkState {
    connection: Option<Connection>,
    backoff: Backoff,
    not_before: Option<Instant>,
}

impl Link {
    pub(crate) fn new(options: Arc<ClientOptions>, runtime: Handle) -> Self {
        Self::with_frames(options, runtime, Frames::new(0))
    }

    /// A link whose large frames come from shared buffers.
    pub(crate) fn with_frames(options: Arc<ClientOptions>, runtime: Handle, frames: Frames) -> Self {
        let backoff = Backoff::new(options.reconnect_backoff, options.reconnect_backoff_max);
        let state = LinkState { connection: None, backoff, not_before: None };
        Self { options, runtime, frames, state: tokio::sync::Mutex::new(state) }
    }

    /// The live connection to `address`, made now if need be. After failures it first waits the pause out.
    /// Several callers share one attempt.
    ///
    /// # Errors
    /// [`Error::Connect`] with the one address and its cause.
    pub(crate) async fn connection(&self, address: &str) -> Result<Connection> {
        let mut state = self.state.lock().await;
        if let Some(connection) = &state.connection
            && !connection.is_closed()
            && connection.address() == address
        {
            return Ok(connection.clone());
        }
        state.connection = None;
        if let Some(not_before) = state.not_before.take() {
            sleep_until(not_before).await;
        }
        let started = Instant::now();
        let (options, target) = (self.options.clone(), address.to_owned());
        let frames = self.frames.clone();
        let opening = self.runtime.spawn(async move { Connection::open(&target, &options, frames).await });
        match opening.await.map_err(|_| Error::Closed)? {
            Ok(connection) => {
                state.backoff.succeed();
                state.connection = Some(connection.clone());
                Ok(connection)
            }
            Err(why) => {
                let pause = state.backoff.fail(&mut rand::rng());
                state.not_before = Some(Instant::now() + pause);
                tracing::debug!(%address, %why, ?pause, "connecting failed");
                let tried = vec![Attempt { address: address.into(), why }];
                Err(Error::Connect { tried, after: started.elapsed() })
            }
        }
    }
}

impl Link {
    /// Whether there is a connection now, as far as can be told without waiting.
    fn is_live(&self) -> bool {
        let state = self.state.try_lock();
        state.is_ok_and(|state| state.connection.as_ref().is_some_and(|connection| !connection.is_closed()))
    }
}

/// Links by address, for calls that may go to any broker: metadata, offsets, admin.
#[derive(Debug)]
pub(crate) struct Links {
    options: Arc<ClientOptions>,
    runtime: Handle,
    links: Mutex<HashMap<String, Arc<Link>>>,
}

impl Links {
    pub(crate) fn new(options: Arc<ClientOptions>, runtime: Handle) -> Self {
        Self { options, runtime, links: Mutex::default() }
    }

    /// Whether an address has a connection now.
    pub(crate) fn is_live(&self, address: &str) -> bool {
        self.links.lock().get(address).is_some_and(|link| link.is_live())
    }

    pub(crate) async fn connection(&self, address: &str) -> Result<Connection> {
        let link = {
            let mut links = self.links.lock();
            let make = || Arc::new(Link::new(self.options.clone(), self.runtime.clone()));
            links.entry(address.to_owned()).or_insert_with(make).clone()
        };
        link.connection(address).await
    }
}

/// Adds the failed attempts of one error to a list.
pub(crate) fn collect_attempts(tried: &mut Vec<Attempt>, address: &str, error: Error) -> Duration {
    match error {
        Error::Connect { tried: more, after } => {
            tried.extend(more);
            after
        }
        other => {
            tried.push(Attempt { address: address.into(), why: other.to_string() });
            Duration::ZERO
        }
    }
}
