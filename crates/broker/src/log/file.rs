//! The append file of one partition: record batches back to back, as they go over the wire.
//!
//! Durability: a batch is handed to the operating system before it is acknowledged, so it survives the death
//! of the process (SIGKILL too). It is synced to the disk when the broker is dropped, not on each append:
//! like Kafka's default, a power cut may lose the newest batches. At start the file is walked: each batch's
//! length, magic and CRC are checked and everything from the first unsound batch on is cut off.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use millstream_protocol::records::{BatchHeader, Batches};

use crate::error::{Error, Result};

#[derive(Debug)]
pub(super) struct BatchFile {
    file: File,
    path: PathBuf,
    len: u64,
}

/// Name of the file in a partition's folder.
const FILE_NAME: &str = "00000000000000000000.log";

impl BatchFile {
    /// Opens or makes the file and shows every sound batch with its position.
    pub(super) fn open(folder: &Path, seen: impl FnMut(&BatchHeader, &[u8], u64)) -> Result<Self> {
        fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
        let path = folder.join(FILE_NAME);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(Error::io("open", &path))?;
        let mut opened = Self { file, path, len: 0 };
        let found = opened.file.metadata().map_err(Error::io("look at", &opened.path))?.len();
        opened.len = opened.walk(found, seen)?;
        if opened.len < found {
            let cut = found - opened.len;
            tracing::warn!(file = %opened.path.display(), cut, "cut a torn tail off the log");
            opened.truncate(opened.len)?;
        }
        Ok(opened)
    }

    /// Reads the file in pieces; returns where the last sound batch ends.
    fn walk(&mut self, found: u64, mut seen: impl FnMut(&BatchHeader, &[u8], u64)) -> Result<u64> {
        let mut position = 0;
        let mut piece = WALK_BYTES;
        while position < found {
            let want = piece.min(found - position);
            let bytes = self.read(position, usize::try_from(want).unwrap_or(usize::MAX))?;
            let mut used = 0;
            let mut unsound = false;
            for batch in Batches::new(&bytes) {
                let Ok(batch) = batch else {
                    unsound = true;
                    break;
                };
                if batch.header.magic != 2 || batch.verify_crc().is_err() {
                    unsound = true;
                    break;
                }
                seen(&batch.header, batch.bytes, position + used as u64);
                used += batch.bytes.len();
            }
            position += used as u64;
            if unsound || (used == 0 && want == found - position) {
                break;
            }
            // A batch larger than the piece: take a larger piece.
            piece = if used == 0 { piece * 2 } else { WALK_BYTES };
        }
        Ok(position)
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Appends; on failure (such as a full disk) nothing of the batch stays.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.seek(SeekFrom::Start(self.len)).and_then(|_| self.file.write_all(bytes));
        if let Err(source) = written {
            // The next append writes over whatever was left; cutting it is only for a tidy file.
            let _ = self.file.set_len(self.len);
            return Err(Error::io("append to", &self.path)(source));
        }
        self.len += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn read(&self, position: u64, size: usize) -> Result<Bytes> {
        let mut bytes = BytesMut::zeroed(size);
        let mut file = &self.file;
        file.seek(SeekFrom::Start(position))
            .and_then(|_| file.read_exact(&mut bytes))
            .map_err(Error::io("read", &self.path))?;
        Ok(bytes.freeze())
    }

    pub(super) fn overwrite(&mut self, position: u64, bytes: &[u8]) -> Result<()> {
        self.file
            .seek(SeekFrom::Start(position))
            .and_then(|_| self.file.write_all(bytes))
            .map_err(Error::io("write to", &self.path))
    }

    pub(super) fn truncate(&mut self, len: u64) -> Result<()> {
        self.file.set_len(len).map_err(Error::io("truncate", &self.path))?;
        self.len = len;
        Ok(())
    }

    pub(super) fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(Error::io("sync", &self.path))
    }
}

/// How much of a file is walked at a time.
const WALK_BYTES: u64 = 4 << 20;
