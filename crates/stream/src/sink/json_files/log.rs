//! `_spark_metadata`: which files of the directory belong to which batch, in Spark's form.
//!
//! File `N` holds a version line and one JSON object for each file of batch N. Every tenth (9, 19, ...) is `N.compact`
//! and holds all files so far. Entries are never overwritten, so a batch is logged once.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::checkpoint::files::{Folder, PutError, explain, read_bounded};
use crate::error::{Error, Result};

/// The folder's name.
pub const FOLDER: &str = "_spark_metadata";

const VERSION: &str = "v1";

/// Batches between two files that hold everything.
const COMPACT_EVERY: i64 = 10;

/// A file of the log's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LoggedFile {
    /// As a `file://` URI.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Always false.
    pub is_dir: bool,
    /// Milliseconds since the epoch.
    pub modification_time: i64,
    /// A figure of Hadoop's file system.
    pub block_replication: i32,
    /// A figure of Hadoop's file system.
    pub block_size: u64,
    /// Always `add`.
    pub action: String,
}

impl LoggedFile {
    /// A complete file that was added.
    pub fn added(path: &Path, size: u64, modification_time: i64) -> Self {
        Self {
            path: to_uri(path),
            size,
            is_dir: false,
            modification_time,
            block_replication: 1,
            block_size: 32 << 20,
            action: "add".into(),
        }
    }

    /// The file's name.
    pub fn name(&self) -> Option<String> {
        let name = self.path.rsplit('/').next()?;
        (!name.is_empty()).then(|| decode(name))
    }
}

/// The log of one directory.
#[derive(Debug)]
pub struct FileLog {
    folder: Folder,
}

impl FileLog {
    /// Opens or makes the log; `scratch` is a folder on the same file system.
    pub fn open(root: &Path, scratch: &Path) -> Result<Self> {
        Ok(Self { folder: Folder::open(root.join(FOLDER), scratch.to_owned())? })
    }

    /// The last logged batch; none in a new log.
    pub fn last(&self) -> Result<Option<i64>> {
        Ok(self.entries()?.into_iter().map(|(batch, _)| batch).max())
    }

    /// The files of a batch, or of all batches up to it where its entry is a compact one.
    pub fn files(&self, batch: i64) -> Result<Vec<LoggedFile>> {
        let name = if is_compact(batch) { format!("{batch}.compact") } else { batch.to_string() };
        let path = self.folder.path().join(name);
        match read_bounded(&path)? {
            Some(content) => parse(&path, &content),
            None => Ok(Vec::new()),
        }
    }

    /// Logs a batch's files. False when the batch is logged already.
    pub fn add(&self, batch: i64, files: &[LoggedFile]) -> Result<bool> {
        let earlier = if is_compact(batch) { self.before(batch)? } else { Vec::new() };
        let mut content = String::from(VERSION);
        for file in earlier.iter().chain(files) {
            content.push('\n');
            content.push_str(&serde_json::to_string(file).map_err(|error| Error::Misuse(error.to_string()))?);
        }
        let name = if is_compact(batch) { format!("{batch}.compact") } else { batch.to_string() };
        match self.folder.put(&name, content.as_bytes()) {
            Ok(()) => Ok(true),
            Err(PutError::Exists) => Ok(false),
            Err(PutError::Io(error)) => {
                Err(explain(&self.folder.path().join(name), "cannot be written", &error))
            }
        }
    }

    /// All files of the batches before this one.
    fn before(&self, batch: i64) -> Result<Vec<LoggedFile>> {
        let mut entries = self.entries()?;
        entries.retain(|(id, _)| *id < batch);
        entries.sort_unstable();
        let from = entries.iter().rposition(|(_, compact)| *compact).unwrap_or(0);
        let mut files = Vec::new();
        for (id, _) in entries.drain(from..) {
            files.extend(self.files(id)?);
        }
        Ok(files)
    }

    /// Batches with an entry, and whether it is a compact one.
    fn entries(&self) -> Result<Vec<(i64, bool)>> {
        let folder = self.folder.path();
        let listed =
            std::fs::read_dir(folder).map_err(|error| explain(folder, "cannot be listed", &error))?;
        let mut entries = Vec::new();
        for entry in listed {
            let name = entry.map_err(|error| explain(folder, "cannot be listed", &error))?.file_name();
            let name = name.to_string_lossy();
            let (number, compact) = match name.strip_suffix(".compact") {
                Some(number) => (number, true),
                None => (&*name, false),
            };
            if let Ok(batch) = number.parse() {
                entries.push((batch, compact));
            }
        }
        Ok(entries)
    }
}

fn is_compact(batch: i64) -> bool {
    (batch + 1) % COMPACT_EVERY == 0
}

fn parse(path: &Path, content: &[u8]) -> Result<Vec<LoggedFile>> {
    let damaged = |what: String| Error::Checkpoint {
        path: path.to_owned(),
        what,
        advice: "restore the file from a copy, or write to a new directory".into(),
    };
    let text = std::str::from_utf8(content).map_err(|_| damaged("it is not text".into()))?;
    let mut lines = text.lines();
    match lines.next() {
        Some(VERSION) => {}
        other => {
            let found = other.unwrap_or_default();
            return Err(damaged(format!("its first line is {found:?} in place of {VERSION}")));
        }
    }
    let entry = |line: &str| {
        serde_json::from_str(line)
            .map_err(|error| damaged(format!("it has a line that cannot be read: {error}")))
    };
    lines.filter(|line| !line.is_empty()).map(entry).collect()
}

/// The `file://` URI of an absolute path, escaped where a URI must be.
fn to_uri(path: &Path) -> String {
    let mut uri = String::from("file://");
    for c in path.to_string_lossy().chars() {
        match c {
            ' ' | '%' | '"' | '<' | '>' | '^' | '`' | '{' | '|' | '}' | '?' | '#' | '[' | ']' | '\\' => {
                uri.push_str(&format!("%{:02X}", u32::from(c)));
            }
            c if c.is_ascii_control() => uri.push_str(&format!("%{:02X}", u32::from(c))),
            c => uri.push(c),
        }
    }
    uri
}

fn decode(name: &str) -> String {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(dir: &Path) -> FileLog {
        let scratch = dir.join("_temporary");
        std::fs::create_dir_all(&scratch).unwrap();
        FileLog::open(dir, &scratch).unwrap()
    }

    #[test]
    fn an_entry_has_sparks_form_and_reads_back() {
        let dir = tempfile::tempdir().unwrap();
        let log = log(dir.path());
        let file = LoggedFile::added(Path::new("/out put/part-0.json"), 7, 1234);
        assert!(log.add(0, std::slice::from_ref(&file)).unwrap());
        let text = std::fs::read_to_string(dir.path().join("_spark_metadata/0")).unwrap();
        assert_eq!(
            text,
            "v1\n{\"path\":\"file:///out%20put/part-0.json\",\"size\":7,\"isDir\":false,\"modificationTime\":1234,\
             \"blockReplication\":1,\"blockSize\":33554432,\"action\":\"add\"}"
        );
        assert_eq!(log.files(0).unwrap(), [file]);
        assert_eq!(log.last().unwrap(), Some(0));
        assert!(!log.add(0, &[]).unwrap());
    }

    #[test]
    fn every_tenth_entry_holds_all_files_so_far() {
        let dir = tempfile::tempdir().unwrap();
        let log = log(dir.path());
        for batch in 0..20 {
            let name = format!("/o/part-{batch}.json");
            log.add(batch, &[LoggedFile::added(Path::new(&name), 1, 0)]).unwrap();
        }
        assert!(dir.path().join("_spark_metadata/9.compact").exists());
        assert_eq!(log.files(9).unwrap().len(), 10);
        assert_eq!(log.files(19).unwrap().len(), 20);
        assert_eq!(log.files(12).unwrap().len(), 1);
        assert_eq!(log.last().unwrap(), Some(19));
    }

    #[test]
    fn escaped_names_come_back_as_they_were() {
        let file = LoggedFile::added(Path::new("/d/a b%{ü}.json"), 0, 0);
        assert_eq!(file.name().unwrap(), "a b%{ü}.json");
    }
}
