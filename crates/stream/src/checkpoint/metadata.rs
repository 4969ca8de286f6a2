//! `metadata`: the query's id, one JSON object, written once.

use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::files::{Folder, PutError, explain, read_bounded};
use crate::error::{Error, Result, spark_error};

const NAME: &str = "metadata";

#[derive(Serialize, Deserialize)]
struct Metadata {
    id: Uuid,
}

/// The id of the query in this checkpoint; none when the checkpoint is new.
pub(crate) fn load(root: &Path) -> Result<Option<Uuid>> {
    let Some(bytes) = read_bounded(&root.join(NAME))? else { return Ok(None) };
    serde_json::from_slice::<Metadata>(&bytes).map(|metadata| Some(metadata.id)).map_err(|error| {
        Error::Checkpoint {
            path: root.join(NAME),
            what: format!("is truncated or not the metadata of a query ({error})"),
            advice: "restore it from a backup, or start over with a new checkpointLocation".into(),
        }
    })
}

/// Gives a new checkpoint its id. Synced under every policy: the id must not change.
pub(crate) fn create(root: &Folder) -> Result<Uuid> {
    let path = root.path().join(NAME);
    let id = Uuid::new_v4();
    let json = serde_json::to_vec(&Metadata { id }).expect("a string always has a JSON form");
    match root.put(NAME, &json) {
        Ok(()) => Ok(id),
        Err(PutError::Exists) => load(root.path())?.ok_or_else(|| missing(root.path())),
        Err(PutError::Io(error)) => Err(explain(&path, "cannot be written", &error)),
    }
}

/// Logs without an id: Spark's error.
pub(crate) fn missing(root: &Path) -> Error {
    let root = root.display().to_string();
    let text = format!(
        "Checkpoint location {root} is in an inconsistent state: the metadata file is missing but offset and/or \
         commit logs contain data. Please restore the metadata file or create a new checkpoint directory."
    );
    spark_error(
        "STREAMING_CHECKPOINT_MISSING_METADATA_FILE",
        Some("42K03"),
        [("checkpointLocation", root)],
        text,
    )
}
