//! Whole files or none: how the checkpoint writes.
//!
//! A file is written under a temporary name in `millstream/tmp` and then given its real name by a call that
//! fails when the name is taken (renameat2 with NOREPLACE, else link and unlink). So a reader sees whole
//! files only, a crash leaves at most a temporary file, and the second of two writers is the one that fails.
//! It is synced before it gets its name ([`Folder::put`]), or by the [`Syncer`] while the batch goes on
//! ([`Folder::put_behind`]).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::sync::{Durable, Syncer};
use crate::error::{Error, Result};

/// Nothing in a checkpoint is near this size; more is not read into memory.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Why a file was not made.
#[derive(Debug)]
pub(crate) enum PutError {
    /// A file of that name is there already.
    Exists,
    /// The operating system refused.
    Io(io::Error),
}

/// A directory of the checkpoint in which files are made.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    tmp: PathBuf,
    handle: File,
}

impl Folder {
    /// Makes the directory if needed. `tmp` must be on the same file system.
    pub(crate) fn open(path: PathBuf, tmp: PathBuf) -> Result<Self> {
        fs::create_dir_all(&path).map_err(|error| explain(&path, "cannot be made", &error))?;
        let handle = File::open(&path).map_err(|error| explain(&path, "cannot be opened", &error))?;
        Ok(Self { path, tmp, handle })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a file that must not exist yet, complete and on the disk.
    pub(crate) fn put(&self, name: &str, content: &[u8]) -> Result<(), PutError> {
        self.make(name, content, true)?;
        self.handle.sync_all().map_err(PutError::Io)
    }

    /// Makes a file that must not exist yet, complete; the answer tells when it is as durable as the policy
    /// says.
    pub(crate) fn put_behind(
        &self,
        name: &str,
        content: &[u8],
        syncer: &Syncer,
    ) -> Result<Durable, PutError> {
        let file = self.make(name, content, false)?;
        syncer.take(file, &self.handle).map_err(PutError::Io)
    }

    /// The checksum that Hadoop's file system may have left for an older file of that name would make Spark
    /// refuse the new one, so it goes first.
    fn make(&self, name: &str, content: &[u8], sync: bool) -> Result<File, PutError> {
        remove_if_there(&self.checksum(name)).map_err(PutError::Io)?;
        let (tmp, file) = write_temporary(&self.tmp, name, content).map_err(PutError::Io)?;
        let synced = if sync { file.sync_all() } else { Ok(()) };
        let made = synced.map_err(PutError::Io).and_then(|()| publish(&tmp, &self.path.join(name)));
        if made.is_err() {
            // Best effort: the start of the next run clears the directory of temporary files.
            let _ = fs::remove_file(&tmp);
        }
        made.map(|()| file)
    }

    /// The content of a file; none when it is not there.
    pub(crate) fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        read_bounded(&self.path.join(name))
    }

    /// Removes a file and its checksum; not synced, since an old file that comes back does no harm.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        for path in [self.checksum(name), self.path.join(name)] {
            remove_if_there(&path).map_err(|error| explain(&path, "cannot be removed", &error))?;
        }
        Ok(())
    }

    /// The files whose names are numbers, ascending.
    pub(crate) fn numbered(&self) -> Result<Vec<i64>> {
        let unreadable = |error: io::Error| explain(&self.path, "cannot be listed", &error);
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(unreadable)? {
            let name = entry.map_err(unreadable)?.file_name();
            let number = name.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
            numbers.extend(number.and_then(|name| name.parse::<i64>().ok()));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn checksum(&self, name: &str) -> PathBuf {
        self.path.join(format!(".{name}.crc"))
    }
}

/// Replaces a file of ours at once; readers see the old or the new content.
pub(crate) fn replace(path: &Path, tmp: &Path, content: &[u8]) -> Result<()> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or("file");
    let written = write_temporary(tmp, name, content)
        .and_then(|(tmp, file)| file.sync_all().map(|()| tmp))
        .and_then(|tmp| fs::rename(tmp, path))
        .and_then(|()| path.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all()));
    written.map_err(|error| explain(path, "cannot be written", &error))
}

/// Reads a file whole; none when it is not there.
pub(crate) fn read_bounded(path: &Path) -> Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(explain(path, "cannot be read", &error)),
    };
    let mut content = Vec::new();
    file.take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut content)
        .map_err(|error| explain(path, "cannot be read", &error))?;
    if content.len() as u64 > MAX_FILE_BYTES {
        return Err(Error::Checkpoint {
            path: path.to_owned(),
            what: format!("is larger than {MAX_FILE_BYTES} bytes, which no file of a checkpoint is"),
            advice: "check that checkpointLocation names a checkpoint".into(),
        });
    }
    Ok(Some(content))
}

/// The error of a file operation, with what the user can do about it.
pub(crate) fn explain(path: &Path, what: &str, error: &io::Error) -> Error {
    let advice = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "the disk is full: free some space and start the query again, it goes on with the same batch"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "give this user the right to write there, or choose another checkpointLocation"
        }
        io::ErrorKind::NotADirectory => "checkpointLocation must name a directory, not a file",
        io::ErrorKind::NotFound => "something removed it while the query ran: start the query again",
        _ => "check the file system, then start the query again from the same checkpointLocation",
    };
    Error::Checkpoint { path: path.to_owned(), what: format!("{what}: {error}"), advice: advice.into() }
}

fn write_temporary(folder: &Path, name: &str, content: &[u8]) -> io::Result<(PathBuf, File)> {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!("{name}.{}.{number}", std::process::id()));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    match file.write_all(content) {
        Ok(()) => Ok((path, file)),
        Err(error) => {
            let _ = fs::remove_file(&path);
            Err(error)
        }
    }
}

/// Gives a temporary file its real name, unless that is taken.
fn publish(tmp: &Path, target: &Path) -> Result<(), PutError> {
    match rename_without_replacing(tmp, target) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(PutError::Exists),
        other => other.map_err(PutError::Io),
    }
}

#[cfg(target_os = "linux")]
fn rename_without_replacing(tmp: &Path, target: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, tmp, CWD, target, RenameFlags::NOREPLACE) {
        // Some file systems know no flags; link is refused for a taken name everywhere.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => link_and_unlink(tmp, target),
        other => other.map_err(io::Error::from),
    }
}

#[cfg(not(target_os = "linux"))]
fn rename_without_replacing(tmp: &Path, target: &Path) -> io::Result<()> {
    link_and_unlink(tmp, target)
}

fn link_and_unlink(tmp: &Path, target: &Path) -> io::Result<()> {
    fs::hard_link(tmp, target)?;
    fs::remove_file(tmp)
}

pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().unwrap();
        let tmp = dir.path().join("tmp");
        fs::create_dir(&tmp).unwrap();
        let folder = Folder::open(dir.path().join("offsets"), tmp).unwrap();
        (dir, folder)
    }

    #[test]
    fn a_file_is_made_once_and_never_overwritten() {
        let (dir, folder) = folder();
        folder.put("0", b"first").unwrap();
        assert!(matches!(folder.put("0", b"second"), Err(PutError::Exists)));
        assert_eq!(folder.get("0").unwrap().unwrap(), b"first");
        assert_eq!(fs::read_dir(dir.path().join("tmp")).unwrap().count(), 0);
    }

    #[test]
    fn linking_refuses_a_taken_name_too() {
        let (dir, folder) = folder();
        let tmp = dir.path().join("tmp/x");
        fs::write(&tmp, "second").unwrap();
        fs::write(folder.path().join("0"), "first").unwrap();
        let error = link_and_unlink(&tmp, &folder.path().join("0")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn an_old_checksum_goes_when_a_file_is_made_and_when_it_is_removed() {
        let (_dir, folder) = folder();
        let checksum = folder.path().join(".3.crc");
        fs::write(&checksum, "stale").unwrap();
        folder.put("3", b"x").unwrap();
        assert!(!checksum.exists());
        fs::write(&checksum, "of spark").unwrap();
        folder.remove("3").unwrap();
        assert!(!checksum.exists() && folder.get("3").unwrap().is_none());
    }

    #[test]
    fn only_whole_numbers_count_as_batches() {
        let (_dir, folder) = folder();
        for name in ["10", "9", ".9.crc", "9.tmp", ".10.0b1c.tmp", "x"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(folder.numbered().unwrap(), [9, 10]);
    }
}
