//! `commits/N`: batch N is done, written after the sink's commit.
//!
//! ```text
//! v1
//! {"nextBatchWatermarkMs":0}
//! ```
//!
//! Version 2 (ids of state stores) is read as far as stateless queries need it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::log::{BatchLog, after_version, damaged};
use super::sync::{Durable, Syncer};
use crate::error::Result;

const VERSION: &str = "v1";

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CommitEntry {
    /// The watermark for the batch after this one, ms since the epoch.
    #[serde(rename = "nextBatchWatermarkMs", default)]
    pub next_watermark_ms: i64,
}

impl CommitEntry {
    /// The text of the file.
    pub fn to_text(&self) -> String {
        format!("{VERSION}\n{{\"nextBatchWatermarkMs\":{}}}", self.next_watermark_ms)
    }

    /// Reads the text of the file at `path`.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let json = after_version(path, text, &[VERSION, "v2"])?;
        serde_json::from_str(json)
            .map_err(|error| damaged(path, &format!("is truncated or not a commit entry ({error})")))
    }
}

/// The log `commits/`.
#[derive(Debug)]
pub(crate) struct CommitLog(pub(super) BatchLog);

impl CommitLog {
    pub(crate) fn latest(&self) -> Option<i64> {
        self.0.latest()
    }

    pub(crate) fn get(&self, batch: i64) -> Result<Option<CommitEntry>> {
        let Some(text) = self.0.read(batch)? else { return Ok(None) };
        CommitEntry::parse(&self.0.path_of(batch), &text).map(Some)
    }

    pub(crate) fn put(&mut self, batch: i64, entry: CommitEntry, syncer: &Syncer) -> Result<Durable> {
        self.0.write(batch, &entry.to_text(), syncer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<CommitEntry> {
        CommitEntry::parse(Path::new("commits/1"), text)
    }

    #[test]
    fn the_text_is_sparks() {
        assert_eq!(CommitEntry { next_watermark_ms: 0 }.to_text(), "v1\n{\"nextBatchWatermarkMs\":0}");
        assert_eq!(parse("v1\n{\"nextBatchWatermarkMs\":9}").unwrap().next_watermark_ms, 9);
        assert_eq!(parse("v1\n{}").unwrap(), CommitEntry::default());
        assert_eq!(
            parse("v2\n{\"nextBatchWatermarkMs\":9,\"stateUniqueIds\":{}}").unwrap().next_watermark_ms,
            9
        );
    }

    #[test]
    fn a_file_cut_at_any_byte_is_never_taken_for_a_whole_one() {
        let text = CommitEntry { next_watermark_ms: 12 }.to_text();
        for cut in 0..text.len() {
            assert!(parse(&text[..cut]).is_err(), "{cut}");
        }
    }
}
