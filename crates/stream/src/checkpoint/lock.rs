//! One writer at a time: `millstream/lock`.
//!
//! The lock is flock(2), so it ends with the process however that ends. The file says who holds it. Where the
//! file system knows no locks the query runs with a warning; two writers are then found out by the first file
//! that both want to make, since none is ever overwritten.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::files::explain;
use crate::error::{Error, Result};

/// Held as long as a query writes to the checkpoint.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of the checkpoint at `root`, or says who has it. Never waits.
    pub(crate) fn take(root: &Path, path: PathBuf) -> Result<Self> {
        let io = |error: std::io::Error| explain(&path, "cannot be written", &error);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(in_use(root, &mut file)),
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "this file system has no locks: \
                    nothing stops a second query from starting on this checkpoint");
            }
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(io)?;
        writeln!(file, "{}", std::process::id()).map_err(io)?;
        Ok(Self { _file: file })
    }
}

fn in_use(root: &Path, file: &mut File) -> Error {
    let mut holder = String::new();
    let read = file.take(64).read_to_string(&mut holder);
    let holder = match read {
        Ok(_) if !holder.trim().is_empty() => format!("process {}", holder.trim()),
        _ => "another process".into(),
    };
    Error::Checkpoint {
        path: root.to_owned(),
        what: format!("is in use by {holder}"),
        advice: "stop that query first, or give this one another checkpointLocation".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_writer_is_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Lock::take(dir.path(), path.clone()).unwrap();
        let error = Lock::take(dir.path(), path.clone()).unwrap_err().to_string();
        assert!(error.contains(&format!("in use by process {}", std::process::id())), "{error}");
        drop(first);
        Lock::take(dir.path(), path).unwrap();
    }
}
