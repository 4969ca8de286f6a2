//! The two runtimes of a session: one for Kafka's sockets, one for everything that computes.
//!
//! They are apart so that a long decode or sort never delays a fetch. Work started from a caller's thread always runs
//! here, whatever runtime (or none) the caller is on, so a session is used alike inside and outside tokio.

use std::future::Future;
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};

use crate::error::{Error, Result};

/// Threads for sockets; requests are few and large.
const IO_THREADS: usize = 2;

#[derive(Debug)]
pub(super) struct Runtimes {
    io: Option<Runtime>,
    cpu: Option<Runtime>,
    io_handle: Handle,
    cpu_handle: Handle,
}

impl Runtimes {
    pub(super) fn new(cpu_threads: usize) -> Result<Self> {
        let build = |name: &str, threads: usize| {
            Builder::new_multi_thread()
                .worker_threads(threads)
                .thread_name(name)
                .enable_all()
                .build()
                .map_err(|source| {
                    Error::Misuse(format!("cannot start {threads} threads for {name}: {source}"))
                })
        };
        let io = build("millstream-io", IO_THREADS)?;
        // One thread more than tasks: a call that blocks on one of them leaves another to make progress.
        let cpu = build("millstream-cpu", cpu_threads + 1)?;
        let (io_handle, cpu_handle) = (io.handle().clone(), cpu.handle().clone());
        Ok(Self { io: Some(io), cpu: Some(cpu), io_handle, cpu_handle })
    }

    pub(super) fn io(&self) -> &Handle {
        &self.io_handle
    }

    pub(super) fn cpu(&self) -> &Handle {
        &self.cpu_handle
    }
}

impl Drop for Runtimes {
    /// Never blocks: the last handle may be dropped inside a task of these runtimes.
    fn drop(&mut self) {
        for runtime in [self.cpu.take(), self.io.take()].into_iter().flatten() {
            runtime.shutdown_background();
        }
    }
}

/// Runs a future on a runtime and waits for it; dropping the wait stops the work.
pub(crate) async fn run_on<T, F>(handle: &Handle, future: F) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let mut task = StopOnDrop(handle.spawn(future));
    match (&mut task.0).await {
        Ok(result) => result,
        Err(stopped) => Err(stopped_early(&stopped)),
    }
}

/// [`run_on`] for a caller that has no runtime, or is in the middle of one.
pub(crate) fn block_on<T, F>(handle: &Handle, future: F) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    let (done, result) = std::sync::mpsc::sync_channel(1);
    let task = handle.spawn(async move {
        let _ = done.send(future.await);
    });
    let wait = || {
        result.recv().unwrap_or_else(|_| {
            // The sender is gone without a result: the task panicked or its runtime was shut down.
            while !task.is_finished() {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(Error::Misuse("the work was stopped before it had a result; see the log for a panic".into()))
        })
    };
    match Handle::try_current() {
        Ok(current) if current.runtime_flavor() == RuntimeFlavor::MultiThread => {
            tokio::task::block_in_place(wait)
        }
        _ => wait(),
    }
}

fn stopped_early(stopped: &tokio::task::JoinError) -> Error {
    if stopped.is_panic() {
        Error::Misuse(format!("a task panicked, which is a defect to report: {stopped}"))
    } else {
        Error::Misuse("the session was closed while work was running".into())
    }
}

struct StopOnDrop<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for StopOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocking_works_outside_inside_and_deep_inside_a_runtime() {
        let runtimes = Runtimes::new(1).unwrap();
        let cpu = runtimes.cpu().clone();
        assert_eq!(block_on(&cpu, async { Ok(1) }).unwrap(), 1);
        let nested = cpu.clone();
        assert_eq!(block_on(&cpu, async move { block_on(&nested, async { Ok(2) }) }).unwrap(), 2);
        let single = Builder::new_current_thread().build().unwrap();
        assert_eq!(single.block_on(async { block_on(&cpu, async { Ok(3) }) }).unwrap(), 3);
        assert_eq!(single.block_on(run_on(&cpu, async { Ok(4) })).unwrap(), 4);
    }

    #[test]
    fn a_panic_becomes_an_error() {
        let runtimes = Runtimes::new(1).unwrap();
        let result: Result<()> = block_on(runtimes.cpu(), async { panic!("on purpose") });
        assert!(matches!(result, Err(Error::Misuse(_))));
    }
}
