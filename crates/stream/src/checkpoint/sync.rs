//! When a checkpoint's files reach the disk: option `checkpoint.sync`.
//!
//! | value | what happens |
//! |---|---|
//! | `always` (default) | a thread syncs every file and its directory entry at once, beside the batch |
//! | `interval` | the thread syncs what was written every 200 ms (option `checkpoint.syncInterval`) |
//! | `never` | the operating system writes when it likes, mostly within 30 s |
//!
//! Under `always` the sink's commit of batch N, and a user's function, wait for offsets/N and commits/N-1. What is
//! at risk when the machine stops: one batch may run again, with the same rows. A sink that is at least once writes
//! before it commits and may then show the rows of the batch in flight twice.
//!
//! A crash or kill of the process loses nothing under any of them: the operating system has the files. When
//! the machine stops under `interval` or `never`, the log entries of the unsynced time may be gone. The query
//! then goes back to the last entry that survived and runs those batches again, with ends that may differ
//! from the first time; so a sink that is idempotent by batch id can no longer tell what it has seen, and
//! rows of that time may appear twice. Nothing is skipped, since a source is read on from the offsets that
//! survived.

use std::fs::File;
use std::io;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::durability::LastRun;

/// How soon a checkpoint's files are made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncPolicy {
    /// Before anything that depends on them can be seen.
    #[default]
    Always,
    /// By a thread, this often.
    Interval(Duration),
    /// When the operating system likes.
    Never,
}

/// The time between two syncs under `interval`.
pub const DEFAULT_INTERVAL: Duration = Duration::from_millis(200);

impl FromStr for SyncPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().to_ascii_lowercase().as_str() {
            "always" => Ok(Self::Always),
            "interval" => Ok(Self::Interval(DEFAULT_INTERVAL)),
            "never" => Ok(Self::Never),
            _ => Err(format!("checkpoint.sync must be always, interval or never, got '{text}'")),
        }
    }
}

impl SyncPolicy {
    /// The option's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Interval(_) => "interval",
            Self::Never => "never",
        }
    }
}

/// A file on its way to the disk.
#[derive(Debug)]
#[must_use = "what depends on the file must wait for it"]
pub(crate) struct Durable(Option<oneshot::Receiver<io::Result<()>>>);

impl Durable {
    /// Nothing to wait for.
    pub(crate) fn now() -> Self {
        Self(None)
    }

    /// Waits until the file is as durable as the policy says.
    pub(crate) async fn reached(self) -> io::Result<()> {
        match self.0 {
            None => Ok(()),
            Some(synced) => synced.await.unwrap_or_else(|_| Err(thread_gone())),
        }
    }
}

/// Carries out a policy for one checkpoint.
#[derive(Debug)]
pub(crate) struct Syncer {
    policy: SyncPolicy,
    background: Option<Background>,
}

#[derive(Debug)]
struct Background {
    written: Option<Sender<Written>>,
    /// What went wrong under `interval`, told with the next file.
    failure: Arc<Mutex<Option<io::Error>>>,
    thread: Option<JoinHandle<()>>,
}

/// A file and the directory that names it, waiting to be synced; someone may wait for it.
struct Written {
    file: File,
    folder: File,
    waiting: Option<oneshot::Sender<io::Result<()>>>,
}

impl Syncer {
    /// `ours` is the folder `millstream/`, where a failed sync is noted.
    pub(crate) fn new(policy: SyncPolicy, ours: &Path) -> io::Result<Self> {
        let every = match policy {
            SyncPolicy::Always => Duration::ZERO,
            SyncPolicy::Interval(every) => every,
            SyncPolicy::Never => return Ok(Self { policy, background: None }),
        };
        let (sender, receiver) = channel();
        let failure = Arc::new(Mutex::new(None));
        let (noted, ours) = (Arc::clone(&failure), ours.to_owned());
        let thread = std::thread::Builder::new()
            .name("checkpoint-sync".into())
            .spawn(move || sync_every(every, &receiver, &noted, &ours))?;
        let background = Background { written: Some(sender), failure, thread: Some(thread) };
        Ok(Self { policy, background: Some(background) })
    }

    pub(crate) fn policy(&self) -> SyncPolicy {
        self.policy
    }

    /// Takes a file that has its name now.
    pub(crate) fn take(&self, file: File, folder: &File) -> io::Result<Durable> {
        let Some(background) = &self.background else { return Ok(Durable::now()) };
        if let Some(error) = background.failure.lock().take() {
            return Err(error);
        }
        let (waiting, durable) = match self.policy {
            SyncPolicy::Always => {
                let (sender, receiver) = oneshot::channel();
                (Some(sender), Durable(Some(receiver)))
            }
            _ => (None, Durable::now()),
        };
        let written = Written { file, folder: folder.try_clone()?, waiting };
        let sender = background.written.as_ref().ok_or_else(thread_gone)?;
        sender.send(written).map(|()| durable).map_err(|_| thread_gone())
    }
}

impl Drop for Background {
    /// Syncs what is left: a stopped query risks nothing.
    fn drop(&mut self) {
        self.written = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that syncs the checkpoint panicked");
        }
    }
}

fn thread_gone() -> io::Error {
    io::Error::other("the thread that syncs the checkpoint has ended")
}

fn sync_every(every: Duration, written: &Receiver<Written>, failure: &Mutex<Option<io::Error>>, ours: &Path) {
    loop {
        let Ok(first) = written.recv() else { return };
        let mut group = vec![first];
        let until = Instant::now() + every;
        let ended = loop {
            match written.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(next) => group.push(next),
                Err(RecvTimeoutError::Timeout) => break false,
                Err(RecvTimeoutError::Disconnected) => break true,
            }
        };
        // In the order in which they were made, so that what survives is a beginning of the log.
        for Written { file, folder, waiting } in group {
            let outcome = file.sync_all().and_then(|()| folder.sync_all());
            if outcome.is_err()
                && let Err(error) = LastRun::note_failed_sync(ours)
            {
                tracing::warn!(%error, "a failed sync could not be noted");
            }
            match (waiting, outcome) {
                // Who no longer waits has failed for another reason.
                (Some(waiting), outcome) => drop(waiting.send(outcome)),
                (None, Ok(())) => {}
                (None, Err(error)) => {
                    tracing::error!(%error, "syncing the checkpoint failed");
                    *failure.lock() = Some(error);
                }
            }
        }
        if ended {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_knows_three_words() {
        assert_eq!("ALWAYS".parse(), Ok(SyncPolicy::Always));
        assert_eq!("interval".parse(), Ok(SyncPolicy::Interval(DEFAULT_INTERVAL)));
        assert_eq!("never".parse(), Ok(SyncPolicy::Never));
        assert!("often".parse::<SyncPolicy>().unwrap_err().contains("'often'"));
    }

    #[test]
    fn dropping_syncs_what_waits() {
        let dir = tempfile::tempdir().unwrap();
        let syncer = Syncer::new(SyncPolicy::Interval(Duration::from_secs(3600)), dir.path()).unwrap();
        let folder = File::open(dir.path()).unwrap();
        let durable = syncer.take(File::create(dir.path().join("0")).unwrap(), &folder).unwrap();
        let begun = Instant::now();
        drop(syncer);
        assert!(begun.elapsed() < Duration::from_secs(60));
        futures::executor::block_on(durable.reached()).unwrap();
    }

    #[test]
    fn always_tells_when_the_file_is_on_the_disk() {
        let dir = tempfile::tempdir().unwrap();
        let syncer = Syncer::new(SyncPolicy::Always, dir.path()).unwrap();
        let folder = File::open(dir.path()).unwrap();
        let durable = syncer.take(File::create(dir.path().join("0")).unwrap(), &folder).unwrap();
        futures::executor::block_on(durable.reached()).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_sync_that_fails_is_told_and_noted_for_the_next_start() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("sync"), "{\"policy\":\"always\",\"boot\":null}").unwrap();
        let syncer = Syncer::new(SyncPolicy::Always, dir.path()).unwrap();
        let folder = File::open(dir.path()).unwrap();
        // The kernel refuses to sync it.
        let durable = syncer.take(File::open("/dev/null").unwrap(), &folder).unwrap();
        futures::executor::block_on(durable.reached()).unwrap_err();
        assert!(LastRun::read(dir.path()).unwrap().unwrap().may_have_lost());
        assert!(dir.path().join("sync.failed").exists() && !dir.path().join("sync").exists());
    }
}
