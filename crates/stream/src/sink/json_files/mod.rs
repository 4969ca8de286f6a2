//! JSON files in a directory: each row once, for readers of the plain directory and for readers of Spark's log.
//!
//! ```text
//! write   _temporary/<batch>-<attempt>/part-00000-<uuid>-c000.json   complete and synced, not visible
//! commit  _spark_metadata/<batch>      names the files; never overwritten: this is the decision
//!         <file> renamed into place    repeated by the next start if the process dies in between
//! ```
//! A batch that is in the log is not written again.

mod log;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use arrow_schema::{DataType, SchemaRef};
use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use millstream_columnar::json::{JsonWriteOptions, JsonWriter};
use millstream_plan::tree::Options;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Committable, Committed, Guarantee, Sink, SinkBatch};
use crate::error::{Error, Result};
use log::{FileLog, LoggedFile};

const TEMPORARY: &str = "_temporary";

/// Bytes that are gathered before a write to the file.
const WRITE_BYTES: usize = 1 << 20;

/// Writes each partition of a batch as one file of JSON lines.
#[derive(Debug)]
pub struct JsonFilesSink {
    root: PathBuf,
    options: JsonWriteOptions,
    /// A batch frame's rows go into the directory without a log.
    logged: bool,
    log: Mutex<Option<Arc<FileLog>>>,
    /// The batch at hand, and whether it is in the log already.
    current: Mutex<Option<(i64, bool)>>,
}

/// What a partition leaves for the commit.
#[derive(Debug, Serialize, Deserialize)]
struct WrittenFile {
    name: String,
    size: u64,
    modification_time: i64,
}

impl JsonFilesSink {
    /// The option `path`, and the options of Spark's JSON writer.
    ///
    /// # Errors
    /// No path, or an option that cannot be used.
    pub fn new(options: &Options, time_zone: &str, logged: bool) -> Result<Self> {
        let path = options.get("path").ok_or_else(|| Error::option("path", "'path' is not specified"))?;
        let root = crate::checkpoint::resolve(path)?;
        for unsupported in ["partitionBy", "compression"] {
            if options.get(unsupported).is_some_and(|value| !value.eq_ignore_ascii_case("none")) {
                return Err(Error::unsupported(format!("option {unsupported} of the json sink")));
            }
        }
        let json = write_options(options, time_zone)?;
        Ok(Self { root, options: json, logged, log: Mutex::default(), current: Mutex::default() })
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn temporary(&self) -> PathBuf {
        self.root.join(TEMPORARY)
    }

    fn folder(&self, batch: &SinkBatch) -> PathBuf {
        self.temporary().join(format!("{}-{}", batch.batch_id, batch.attempt))
    }

    /// The log, opened once a run; what the last run left undone is finished then.
    fn log(&self) -> Result<Option<Arc<FileLog>>> {
        if !self.logged {
            return Ok(None);
        }
        let mut opened = self.log.lock();
        if let Some(log) = &*opened {
            return Ok(Some(log.clone()));
        }
        let temporary = self.temporary();
        make_dir(&temporary)?;
        let log = Arc::new(FileLog::open(&self.root, &temporary)?);
        if let Some(last) = log.last()? {
            self.finish_renames(&log, last)?;
        }
        Ok(Some(opened.insert(log).clone()))
    }

    /// Files of the last logged batch that are still in its temporary folder get their places.
    fn finish_renames(&self, log: &FileLog, last: i64) -> Result<()> {
        let left: Vec<PathBuf> =
            list(&self.temporary())?.into_iter().filter(|folder| batch_of(folder) == Some(last)).collect();
        let mut moved = false;
        for name in log.files(last)?.iter().filter_map(LoggedFile::name) {
            let place = self.root.join(&name);
            if place.exists() {
                continue;
            }
            match left.iter().map(|folder| folder.join(&name)).find(|file| file.exists()) {
                Some(file) => {
                    rename(&file, &place)?;
                    moved = true;
                }
                None => tracing::warn!(file = %place.display(), "a logged file is gone from the directory"),
            }
        }
        if moved { sync_dir(&self.root) } else { Ok(()) }
    }

    fn is_logged(&self, batch_id: i64) -> bool {
        matches!(*self.current.lock(), Some((current, true)) if current == batch_id)
    }

    fn publish(&self, batch: &SinkBatch, files: &[WrittenFile]) -> Result<()> {
        let entries: Vec<LoggedFile> = files
            .iter()
            .map(|file| LoggedFile::added(&self.root.join(&file.name), file.size, file.modification_time))
            .collect();
        if let Some(log) = self.log()?
            && !log.add(batch.batch_id, &entries)?
        {
            return Err(Error::Sink {
                sink: "json".into(),
                what: format!(
                    "batch {} of {} was logged by another query while this one ran; give each query a directory of its \
                     own",
                    batch.batch_id,
                    self.root.display()
                ),
            });
        }
        let folder = self.folder(batch);
        for (number, file) in files.iter().enumerate() {
            rename(&folder.join(&file.name), &self.root.join(&file.name))?;
            if number + 1 < files.len() {
                batch.crash.reach("between-renames")?;
            }
        }
        sync_dir(&self.root)?;
        remove_dir(&folder);
        Ok(())
    }
}

#[async_trait]
impl Sink for JsonFilesSink {
    fn description(&self) -> String {
        format!("FileSink[{}]", self.root.display())
    }

    fn guarantee(&self) -> Guarantee {
        Guarantee::IdempotentByBatchId
    }

    async fn prepare(&self, _query_id: Uuid, schema: &SchemaRef) -> Result<()> {
        JsonWriter::new(&DataType::Struct(schema.fields().clone()), self.options.clone())?;
        tokio::task::block_in_place(|| {
            make_dir(&self.root)?;
            self.log().map(|_| ())
        })
    }

    async fn open(&self, batch: &SinkBatch) -> Result<()> {
        tokio::task::block_in_place(|| {
            make_dir(&self.root)?;
            let logged = match self.log()? {
                Some(log) => log.last()?.is_some_and(|last| batch.batch_id <= last),
                None => false,
            };
            *self.current.lock() = Some((batch.batch_id, logged));
            let own = self.folder(batch);
            // What earlier attempts left is of no use: the log did not take it.
            for folder in list(&self.temporary())? {
                if folder != own && batch_of(&folder).is_some() && self.logged {
                    remove_dir(&folder);
                }
            }
            make_dir(&own)
        })
    }

    async fn write(
        &self,
        batch: &SinkBatch,
        partition: usize,
        mut rows: SendableRecordBatchStream,
    ) -> Result<Committable> {
        if self.is_logged(batch.batch_id) {
            return Ok(Committable::default());
        }
        let writer = JsonWriter::new(&DataType::Struct(batch.schema.fields().clone()), self.options.clone())?;
        let mut file: Option<(String, PathBuf, File)> = None;
        let (mut lines, mut count) = (Vec::with_capacity(WRITE_BYTES / 8), 0);
        while let Some(rows) = rows.next().await.transpose()? {
            if rows.num_rows() == 0 {
                continue;
            }
            count += rows.num_rows() as u64;
            writer.write_lines(&rows, &mut lines)?;
            let (_, path, file) = match &mut file {
                Some(file) => file,
                None => file.insert(create(&self.folder(batch), partition)?),
            };
            if lines.len() >= WRITE_BYTES {
                file.write_all(&lines).map_err(|error| failed(path, error))?;
                lines.clear();
            }
        }
        let Some((name, path, mut file)) = file else { return Ok(Committable::default()) };
        let written = tokio::task::block_in_place(|| {
            file.write_all(&lines).and_then(|()| file.sync_all()).and_then(|()| file.metadata())
        });
        let metadata = written.map_err(|error| failed(&path, error))?;
        batch.crash.reach("after-sink-file")?;
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modification_time = modified.map_or(0, |time| i64::try_from(time.as_millis()).unwrap_or(0));
        let written = WrittenFile { name, size: metadata.len(), modification_time };
        let payload = serde_json::to_vec(&written).map_err(|error| Error::Misuse(error.to_string()))?;
        Ok(Committable { rows: count, payload: payload.into() })
    }

    async fn commit(&self, batch: &SinkBatch, written: Vec<Committable>) -> Result<Committed> {
        if self.is_logged(batch.batch_id) {
            remove_dir(&self.folder(batch));
            return Ok(Committed { output_rows: None });
        }
        let files: Vec<WrittenFile> = written
            .iter()
            .filter(|part| !part.payload.is_empty())
            .map(|part| serde_json::from_slice(&part.payload))
            .collect::<Result<_, _>>()
            .map_err(|error| Error::Misuse(format!("a file's commit message is damaged: {error}")))?;
        tokio::task::block_in_place(|| self.publish(batch, &files))?;
        Ok(Committed { output_rows: None })
    }

    async fn abort(&self, batch: &SinkBatch, _written: Vec<Committable>) -> Result<()> {
        remove_dir(&self.folder(batch));
        Ok(())
    }
}

fn write_options(options: &Options, time_zone: &str) -> Result<JsonWriteOptions> {
    let mut json = JsonWriteOptions::default();
    let set = |json: &mut JsonWriteOptions, name: &str, value: &str| {
        json.set(name, value)
            .map(|_| ())
            .map_err(|error| Error::option(name, format!("option '{name}' of the json sink: {error}")))
    };
    set(&mut json, "timeZone", time_zone)?;
    for (name, value) in options.iter() {
        set(&mut json, name, value)?;
    }
    Ok(json)
}

fn create(folder: &Path, partition: usize) -> Result<(String, PathBuf, File)> {
    let name = format!("part-{partition:05}-{}-c000.json", Uuid::new_v4());
    let path = folder.join(&name);
    let file = File::create_new(&path).map_err(|error| failed(&path, error))?;
    Ok((name, path, file))
}

fn failed(path: &Path, error: std::io::Error) -> Error {
    Error::Io { path: path.to_owned(), source: error }
}

fn make_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| failed(path, error))
}

/// Leftovers take room and nothing else, so a folder that cannot be removed is no failure.
fn remove_dir(path: &Path) {
    if let Err(error) = fs::remove_dir_all(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(folder = %path.display(), %error, "a temporary folder could not be removed");
    }
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| failed(to, error))
}

fn sync_dir(path: &Path) -> Result<()> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(|error| failed(path, error))
}

fn list(path: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(path) {
        Ok(entries) => {
            entries.map(|entry| entry.map(|e| e.path()).map_err(|error| failed(path, error))).collect()
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(path, error)),
    }
}

/// The batch of a temporary folder `<batch>-<attempt>`.
fn batch_of(folder: &Path) -> Option<i64> {
    folder.file_name()?.to_str()?.split_once('-')?.0.parse().ok()
}

#[cfg(test)]
mod tests;
