//! The data directory: what lies where, and how it comes back at start.
//!
//! ```text
//! lock                 held while a broker runs here
//! topics.json          cluster id; each topic's id, settings, leaders, epochs. Replaced by rename, synced.
//! journal.jsonl        group offsets, transactional ids, producer ids, log starts: one JSON line a change,
//!                      the last counts. Appended, not synced, before the answer; rewritten when long.
//! logs/TOPIC-N/        one partition: an append file of record batches (`log::file`)
//! ```
//! All of it survives the death of the process. A torn last line of the journal is dropped: its answer never
//! left.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::{Error, Result};

#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    journal: File,
    journal_bytes: u64,
    /// Length at which the journal is made short again.
    shorten_at: u64,
    /// Held for its lock.
    _lock: File,
}

/// Contents of `topics.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct TopicsFile {
    pub(crate) cluster_id: String,
    pub(crate) topics: Vec<StoredTopic>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredTopic {
    pub(crate) name: String,
    pub(crate) id: Uuid,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) partitions: Vec<StoredPartition>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StoredPartition {
    pub(crate) leader: i32,
    pub(crate) leader_epoch: i32,
    pub(crate) replicas: Vec<i32>,
}

/// A committed offset of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CommittedOffset {
    pub(crate) offset: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) metadata: String,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// A group's offset; none forgets it.
    Offset { group: String, topic: String, partition: i32, committed: Option<CommittedOffset> },
    /// Producer ids below this may have been given out.
    ProducerIds { below: i64 },
    /// A transactional id's state; partitions are those of its open transaction.
    Transaction { id: String, producer_id: i64, epoch: i16, timeout_ms: i32, partitions: Vec<(String, i32)> },
    /// First readable offset of a partition.
    LogStart { topic: Uuid, partition: i32, offset: i64 },
}

impl Change {
    /// What a later change must share with this one to replace it.
    fn key(&self) -> String {
        match self {
            Change::Offset { group, topic, partition, .. } => format!("o {group} {topic} {partition}"),
            Change::ProducerIds { .. } => "p".to_owned(),
            Change::Transaction { id, .. } => format!("t {id}"),
            Change::LogStart { topic, partition, .. } => format!("l {topic} {partition}"),
        }
    }
}

impl Store {
    /// Opens or makes the directory and locks it.
    pub(crate) fn open(folder: &Path) -> Result<(Self, Option<TopicsFile>, Vec<Change>)> {
        let logs = folder.join("logs");
        fs::create_dir_all(&logs).map_err(Error::io("create", &logs))?;
        let lock = lock(folder)?;
        let topics = read_topics(&folder.join(TOPICS))?;
        let changes = read_journal(&folder.join(JOURNAL))?;
        let (journal, journal_bytes) = rewrite_journal(folder, &changes)?;
        let shorten_at = shorten_at(journal_bytes);
        let store = Self { folder: folder.to_owned(), journal, journal_bytes, shorten_at, _lock: lock };
        Ok((store, topics, changes))
    }

    /// The folder of a partition's log.
    pub(crate) fn log_folder(&self, topic: &str, partition: i32) -> PathBuf {
        self.folder.join("logs").join(format!("{topic}-{partition}"))
    }

    /// Replaces `topics.json`.
    pub(crate) fn save_topics(&self, topics: &TopicsFile) -> Result<()> {
        let text = serde_json::to_vec_pretty(topics).expect("strings and numbers always become JSON");
        replace(&self.folder.join(TOPICS), &text)
    }

    /// Appends one change; on failure (such as a full disk) nothing of it stays.
    pub(crate) fn note(&mut self, change: &Change) -> Result<()> {
        let mut line = serde_json::to_vec(change).expect("strings and numbers always become JSON");
        line.push(b'\n');
        if let Err(source) = self.journal.write_all(&line) {
            // A torn line in the middle could not be told from damage.
            let _ = self.journal.set_len(self.journal_bytes);
            return Err(Error::io("append to", self.folder.join(JOURNAL))(source));
        }
        self.journal_bytes += line.len() as u64;
        if self.journal_bytes > self.shorten_at {
            self.shorten_journal()?;
        }
        Ok(())
    }

    fn shorten_journal(&mut self) -> Result<()> {
        let changes = read_journal(&self.folder.join(JOURNAL))?;
        (self.journal, self.journal_bytes) = rewrite_journal(&self.folder, &changes)?;
        self.shorten_at = shorten_at(self.journal_bytes);
        Ok(())
    }

    /// Removes a partition's folder, if there is one.
    pub(crate) fn remove_log(&self, topic: &str, partition: i32) -> Result<()> {
        let folder = self.log_folder(topic, partition);
        match fs::remove_dir_all(&folder) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", folder)(source))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn sync(&self) -> Result<()> {
        self.journal.sync_data().map_err(Error::io("sync", self.folder.join(JOURNAL)))
    }
}

/// A journal is rewritten when it has grown fourfold, but not for less than this.
const SHORTEN_MIN_BYTES: u64 = 1 << 20;

fn shorten_at(bytes: u64) -> u64 {
    (bytes * 4).max(SHORTEN_MIN_BYTES)
}

const TOPICS: &str = "topics.json";
const JOURNAL: &str = "journal.jsonl";

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(Error::io("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::InUse { path: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(Error::io("lock", &path)(source)),
    }
}

fn read_topics(path: &Path) -> Result<Option<TopicsFile>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::io("read", path)(source)),
    };
    let damaged =
        |error: serde_json::Error| Error::Damaged { path: path.to_owned(), what: error.to_string() };
    serde_json::from_slice(&text).map(Some).map_err(damaged)
}

/// The last change of each key, in the order of their first appearance.
fn read_journal(path: &Path) -> Result<Vec<Change>> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(Error::io("read", path)(source)),
    };
    let mut latest: BTreeMap<String, Change> = BTreeMap::new();
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    for (number, line) in text[..whole].split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let change: Change = serde_json::from_slice(line).map_err(|error| Error::Damaged {
            path: path.to_owned(),
            what: format!("line {}: {error}", number + 1),
        })?;
        latest.insert(change.key(), change);
    }
    Ok(latest.into_values().collect())
}

fn rewrite_journal(folder: &Path, changes: &[Change]) -> Result<(File, u64)> {
    let path = folder.join(JOURNAL);
    let mut text = Vec::new();
    for change in changes {
        text.extend(serde_json::to_vec(change).expect("strings and numbers always become JSON"));
        text.push(b'\n');
    }
    replace(&path, &text)?;
    let file = OpenOptions::new().append(true).open(&path).map_err(Error::io("open", &path))?;
    Ok((file, text.len() as u64))
}

/// Writes a file beside the old one, syncs it and renames it into place.
fn replace(path: &Path, text: &[u8]) -> Result<()> {
    let fresh = path.with_extension("new");
    let write = || {
        let mut file = File::create(&fresh)?;
        file.write_all(text)?;
        file.sync_data()?;
        fs::rename(&fresh, path)
    };
    write().map_err(Error::io("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(below: i64) -> Change {
        Change::ProducerIds { below }
    }

    #[test]
    fn the_last_change_of_a_key_counts_and_a_torn_line_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        {
            let (mut store, topics, changes) = Store::open(folder.path()).unwrap();
            assert!(topics.is_none() && changes.is_empty());
            store.note(&ids(1)).unwrap();
            store.note(&ids(2)).unwrap();
        }
        let journal = folder.path().join(JOURNAL);
        let mut text = fs::read(&journal).unwrap();
        text.extend(b"{\"producer_ids\":{\"bel");
        fs::write(&journal, text).unwrap();
        let (_store, _, changes) = Store::open(folder.path()).unwrap();
        assert_eq!(changes, [ids(2)]);
        assert_eq!(fs::read_to_string(&journal).unwrap().lines().count(), 1);
    }

    #[test]
    fn a_long_journal_is_rewritten_with_the_last_changes_only() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, ..) = Store::open(folder.path()).unwrap();
        for below in 0..60_000 {
            store.note(&ids(below)).unwrap();
        }
        assert!(fs::metadata(folder.path().join(JOURNAL)).unwrap().len() < SHORTEN_MIN_BYTES);
        drop(store);
        assert_eq!(Store::open(folder.path()).unwrap().2, [ids(59_999)]);
    }

    #[test]
    fn a_second_broker_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let _held = Store::open(folder.path()).unwrap();
        assert!(matches!(Store::open(folder.path()), Err(Error::InUse { .. })));
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(TOPICS), "{").unwrap();
        let error = Store::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("topics.json"), "{error}");
    }
}
