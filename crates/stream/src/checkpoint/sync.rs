//! When a checkpoint's files reach the disk: option `checkpoint.sync`.
//!
//! | value | what happens | what is at risk |
//! |---|---|---|
//! | `always` (default) | every file and its directory entry are synced before the batch goes on | nothing |
//! | `interval` | a thread syncs what was written every 200 ms (option `checkpoint.syncInterval`) | see below |
//! | `never` | the operating system writes when it likes, mostly within 30 s | see below |
//!
//! A crash or kill of the process loses nothing under any of them: the operating system has the files. Only when the
//! *machine* stops (power, kernel) may the log entries of the unsynced time be gone. The query then goes back to the
//! last entry that survived and runs those batches again, with ends that may differ from the first time; so a sink that
//! is idempotent by batch id can no longer tell what it has seen, and rows of that time may appear twice. Nothing is
//! skipped, since a source is read on from the offsets that survived.

use std::fs::File;
use std::io;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// How soon a checkpoint's files are made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SyncPolicy {
    /// Before the batch goes on.
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

/// Carries out a policy for one checkpoint.
#[derive(Debug)]
pub(crate) struct Syncer {
    policy: SyncPolicy,
    background: Option<Background>,
}

#[derive(Debug)]
struct Background {
    written: Option<Sender<Written>>,
    failure: Arc<Mutex<Option<io::Error>>>,
    thread: Option<JoinHandle<()>>,
}

/// A file and the directory that names it, waiting to be synced.
struct Written {
    file: File,
    folder: File,
}

impl Syncer {
    pub(crate) fn new(policy: SyncPolicy) -> io::Result<Self> {
        let SyncPolicy::Interval(every) = policy else {
            return Ok(Self { policy, background: None });
        };
        let (sender, receiver) = channel();
        let failure = Arc::new(Mutex::new(None));
        let noted = Arc::clone(&failure);
        let thread = std::thread::Builder::new()
            .name("checkpoint-sync".into())
            .spawn(move || sync_every(every, &receiver, &noted))?;
        let background = Background { written: Some(sender), failure, thread: Some(thread) };
        Ok(Self { policy, background: Some(background) })
    }

    pub(crate) fn policy(&self) -> SyncPolicy {
        self.policy
    }

    /// Called with a complete file that has no name yet.
    pub(crate) fn before_publish(&self, file: &File) -> io::Result<()> {
        match self.policy {
            SyncPolicy::Always => file.sync_all(),
            _ => Ok(()),
        }
    }

    /// Called when the file has its name. Under `interval`, an earlier failure of the thread is told here.
    pub(crate) fn after_publish(&self, file: File, folder: &File) -> io::Result<()> {
        match &self.background {
            None if self.policy == SyncPolicy::Always => folder.sync_all(),
            None => Ok(()),
            Some(background) => {
                if let Some(error) = background.failure.lock().take() {
                    return Err(error);
                }
                let written = Written { file, folder: folder.try_clone()? };
                let gone = || io::Error::other("the thread that syncs the checkpoint has ended");
                background.written.as_ref().ok_or_else(gone)?.send(written).map_err(|_| gone())
            }
        }
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

fn sync_every(every: Duration, written: &Receiver<Written>, failure: &Mutex<Option<io::Error>>) {
    loop {
        let Ok(first) = written.recv() else { return };
        let mut waiting = vec![first];
        let until = Instant::now() + every;
        let ended = loop {
            match written.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(next) => waiting.push(next),
                Err(RecvTimeoutError::Timeout) => break false,
                Err(RecvTimeoutError::Disconnected) => break true,
            }
        };
        if let Err(error) = sync_all(&waiting) {
            tracing::error!(%error, "syncing the checkpoint failed");
            *failure.lock() = Some(error);
        }
        if ended {
            return;
        }
    }
}

/// Syncs files in the order in which they were made, so that what survives is a beginning of the log.
fn sync_all(waiting: &[Written]) -> io::Result<()> {
    for written in waiting {
        written.file.sync_all()?;
        written.folder.sync_all()?;
    }
    Ok(())
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
        let syncer = Syncer::new(SyncPolicy::Interval(Duration::from_secs(3600))).unwrap();
        let folder = File::open(dir.path()).unwrap();
        let file = File::create(dir.path().join("0")).unwrap();
        syncer.before_publish(&file).unwrap();
        syncer.after_publish(file, &folder).unwrap();
        let begun = Instant::now();
        drop(syncer);
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
}
