//! `sources/<i>/<n>`: what a source keeps for itself, such as where it started.

use std::path::PathBuf;

use super::files::{Folder, PutError, explain};
use crate::error::{Error, Result};
use crate::source::SourceLog;

/// The private files of one source. Always synced: they are few, and a start position must not move.
#[derive(Debug)]
pub struct SourceFiles {
    folder: Folder,
}

impl SourceFiles {
    pub(crate) fn open(path: PathBuf, tmp: PathBuf) -> Result<Self> {
        Ok(Self { folder: Folder::open(path, tmp)? })
    }
}

impl SourceLog for SourceFiles {
    fn get(&self, n: u64) -> Result<Option<Vec<u8>>> {
        self.folder.get(&n.to_string())
    }

    fn put(&self, n: u64, content: &[u8]) -> Result<()> {
        let path = self.folder.path().join(n.to_string());
        match self.folder.put(&n.to_string(), content) {
            Ok(()) => Ok(()),
            Err(PutError::Io(error)) => Err(explain(&path, "cannot be written", &error)),
            Err(PutError::Exists) => Err(Error::Checkpoint {
                path,
                what: "is there already".into(),
                advice: "another query uses this checkpointLocation: stop one of them, or give it its own"
                    .into(),
            }),
        }
    }
}
