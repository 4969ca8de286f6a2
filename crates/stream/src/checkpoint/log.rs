//! A directory of numbered entries, one for each batch: `offsets/` and `commits/`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::files::{Folder, PutError, explain};
use super::sync::{Durable, Syncer};
use crate::error::{Error, Result};

/// The entries of one log. The numbers are known from the start, so that no batch lists the directory.
#[derive(Debug)]
pub(crate) struct BatchLog {
    folder: Folder,
    numbers: BTreeSet<i64>,
}

impl BatchLog {
    pub(crate) fn open(path: PathBuf, tmp: PathBuf) -> Result<Self> {
        let folder = Folder::open(path, tmp)?;
        let numbers = folder.numbered()?.into_iter().collect();
        Ok(Self { folder, numbers })
    }

    pub(crate) fn latest(&self) -> Option<i64> {
        self.numbers.last().copied()
    }

    pub(crate) fn path_of(&self, batch: i64) -> PathBuf {
        self.folder.path().join(batch.to_string())
    }

    /// The text of an entry; none when there is no such entry.
    pub(crate) fn read(&self, batch: i64) -> Result<Option<String>> {
        let Some(bytes) = self.folder.get(&batch.to_string())? else { return Ok(None) };
        let text = String::from_utf8(bytes);
        text.map(Some).map_err(|_| damaged(&self.path_of(batch), "is not text"))
    }

    /// Makes an entry. One that is there already means a second writer.
    pub(crate) fn write(&mut self, batch: i64, text: &str, syncer: &Syncer) -> Result<Durable> {
        match self.folder.put_behind(&batch.to_string(), text.as_bytes(), syncer) {
            Ok(durable) => {
                self.numbers.insert(batch);
                Ok(durable)
            }
            Err(PutError::Io(error)) => Err(explain(&self.path_of(batch), "cannot be written", &error)),
            Err(PutError::Exists) => Err(Error::Checkpoint {
                path: self.path_of(batch),
                what: "was written by someone else while this query ran".into(),
                advice: "another query uses this checkpointLocation: stop one of them, or give it its own"
                    .into(),
            }),
        }
    }

    /// Removes the entries before `first`.
    pub(crate) fn purge(&mut self, first: i64) -> Result<()> {
        while let Some(&oldest) = self.numbers.first()
            && oldest < first
        {
            self.folder.remove(&oldest.to_string())?;
            self.numbers.remove(&oldest);
        }
        Ok(())
    }

    /// Removes one entry.
    pub(crate) fn remove(&mut self, batch: i64) -> Result<()> {
        self.folder.remove(&batch.to_string())?;
        self.numbers.remove(&batch);
        Ok(())
    }
}

/// The error of an entry that cannot be understood.
pub(crate) fn damaged(path: &Path, what: &str) -> Error {
    Error::Checkpoint {
        path: path.to_owned(),
        what: what.to_owned(),
        advice:
            "restore it from a backup; or remove this entry and all with higher numbers from offsets/ and \
                 commits/, which goes back to the batch before it and runs the later ones again"
                .into(),
    }
}

/// Takes the version line off an entry and checks it.
pub(crate) fn after_version<'a>(path: &Path, text: &'a str, known: &[&str]) -> Result<&'a str> {
    if text.trim().is_empty() {
        return Err(damaged(path, "is empty"));
    }
    let (version, rest) = text.split_once('\n').unwrap_or((text, ""));
    if known.contains(&version.trim_end()) {
        return Ok(rest);
    }
    let is_version = version.strip_prefix('v').is_some_and(|number| number.parse::<u32>().is_ok());
    if !is_version {
        return Err(damaged(path, &format!("begins with '{}' and not with a version", shorten(version))));
    }
    Err(Error::Checkpoint {
        path: path.to_owned(),
        what: format!("is of version {version}, and {} is the newest known here", known.join(" or ")),
        advice:
            "it was written by a newer engine or with settings that are not supported: go on with that engine"
                .into(),
    })
}

/// Enough of a text to recognise it.
fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}
