//! SIGINT and SIGTERM for programs that wait for queries.
//!
//! One thread of the process listens, from the first wait on. It outlives every session, because a process
//! that has once taken over a signal must go on answering it. The first signal asks the queries of all
//! waiting sessions to end; the second, or one that finds no query, ends the process with the status that the
//! signal would have given (128 + n).

use std::sync::{Arc, Weak};
use std::thread;

use parking_lot::Mutex;

use super::ManagerShared;

static LISTENING: Mutex<Listening> = Mutex::new(Listening { managers: Vec::new(), started: false });

struct Listening {
    managers: Vec<Weak<ManagerShared>>,
    started: bool,
}

/// Adds a session to those whose queries end at a signal.
pub(crate) fn install(manager: &Arc<ManagerShared>) {
    let mut listening = LISTENING.lock();
    listening.managers.retain(|known| known.strong_count() > 0);
    if !listening.managers.iter().any(|known| known.as_ptr() == Arc::as_ptr(manager)) {
        listening.managers.push(Arc::downgrade(manager));
    }
    if listening.started {
        return;
    }
    match thread::Builder::new().name("signals".into()).spawn(listen) {
        Ok(_) => listening.started = true,
        Err(error) => {
            tracing::warn!(%error, "signals will end the process without finishing the running batches")
        }
    }
}

fn listen() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let outcome = runtime.and_then(|runtime| runtime.block_on(answer_signals()));
    if let Err(error) = outcome {
        tracing::warn!(%error, "signals will end the process without finishing the running batches");
    }
}

#[cfg(unix)]
async fn answer_signals() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut stopping = false;
    loop {
        let number = tokio::select! {
            _ = interrupt.recv() => SignalKind::interrupt(),
            _ = terminate.recv() => SignalKind::terminate(),
        };
        if stopping || !request_stop() {
            std::process::exit(128 + number.as_raw_value());
        }
        tracing::info!(
            "signal received: the running batches are finished first; a second signal exits at once"
        );
        stopping = true;
    }
}

#[cfg(not(unix))]
async fn answer_signals() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await?;
    if !request_stop() {
        std::process::exit(130);
    }
    tokio::signal::ctrl_c().await?;
    std::process::exit(130)
}

fn request_stop() -> bool {
    let managers: Vec<_> = LISTENING.lock().managers.iter().filter_map(Weak::upgrade).collect();
    managers.iter().fold(false, |any, manager| manager.request_stop() | any)
}
