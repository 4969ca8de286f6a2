//! `offsets/N`: where batch N ends, written before the batch runs.
//!
//! ```text
//! v1
//! {"batchWatermarkMs":0,"batchTimestampMs":1735689600000,"conf":{...}}
//! {"topic":{"0":5,"1":9}}        one line for each source, "-" for one that has nothing yet
//! ```
//!
//! The same as Spark's, byte for byte: no line end after the last line, the settings in the order of
//! [`super::conf`]. Fields and settings that are not known here are passed over.

use std::path::Path;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::log::{BatchLog, after_version, damaged};
use super::sync::{Durable, Syncer};
use crate::error::Result;

const VERSION: &str = "v1";
const NOTHING: &str = "-";

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetEntry {
    /// The watermark of the batch, ms since the epoch; 0 without one.
    pub watermark_ms: i64,
    /// The batch's time, ms since the epoch.
    pub timestamp_ms: i64,
    /// The settings that a query keeps over restarts.
    pub conf: IndexMap<String, String>,
    /// The end of the batch for each source.
    pub sources: Vec<Option<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    #[serde(default)]
    batch_watermark_ms: i64,
    #[serde(default)]
    batch_timestamp_ms: i64,
    #[serde(default)]
    conf: IndexMap<String, String>,
}

impl OffsetEntry {
    /// The text of the file.
    pub fn to_text(&self) -> String {
        let metadata = Metadata {
            batch_watermark_ms: self.watermark_ms,
            batch_timestamp_ms: self.timestamp_ms,
            conf: self.conf.clone(),
        };
        let json = serde_json::to_string(&metadata).expect("numbers and strings always have a JSON form");
        let mut text = format!("{VERSION}\n{json}");
        for source in &self.sources {
            text.push('\n');
            text.push_str(source.as_deref().unwrap_or(NOTHING));
        }
        text
    }

    /// Reads the text of the file at `path`.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let mut lines = after_version(path, text, &[VERSION])?.lines();
        let metadata = match lines.next() {
            None => return Err(damaged(path, "ends before its metadata: it is truncated")),
            Some(line) => serde_json::from_str::<Metadata>(line)
                .map_err(|error| damaged(path, &format!("has metadata that are not JSON ({error})")))?,
        };
        let mut sources = Vec::new();
        for line in lines {
            sources.push(match line {
                NOTHING => None,
                json => Some(checked(path, json)?.to_owned()),
            });
        }
        if sources.is_empty() {
            return Err(damaged(path, "names no source: it is truncated"));
        }
        let Metadata { batch_watermark_ms, batch_timestamp_ms, conf } = metadata;
        Ok(Self { watermark_ms: batch_watermark_ms, timestamp_ms: batch_timestamp_ms, conf, sources })
    }
}

/// A source's line must be JSON of some kind: a torn line is told from a whole one here, its meaning by the
/// source.
fn checked<'a>(path: &Path, json: &'a str) -> Result<&'a str> {
    match serde_json::from_str::<serde::de::IgnoredAny>(json) {
        Ok(_) => Ok(json),
        Err(error) => Err(damaged(path, &format!("has an offset that is not JSON ({error}): {json}"))),
    }
}

/// The log `offsets/`.
#[derive(Debug)]
pub(crate) struct OffsetLog(pub(super) BatchLog);

impl OffsetLog {
    pub(crate) fn latest(&self) -> Option<i64> {
        self.0.latest()
    }

    pub(crate) fn get(&self, batch: i64) -> Result<Option<OffsetEntry>> {
        let Some(text) = self.0.read(batch)? else { return Ok(None) };
        OffsetEntry::parse(&self.0.path_of(batch), &text).map(Some)
    }

    pub(crate) fn put(&mut self, batch: i64, entry: &OffsetEntry, syncer: &Syncer) -> Result<Durable> {
        self.0.write(batch, &entry.to_text(), syncer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<OffsetEntry> {
        OffsetEntry::parse(Path::new("offsets/3"), text)
    }

    #[test]
    fn an_entry_of_spark_is_read_and_written_back_byte_for_byte() {
        let text = concat!(
            "v1\n{\"batchWatermarkMs\":5,\"batchTimestampMs\":1735689600000,",
            "\"conf\":{\"spark.sql.shuffle.partitions\":\"2\",\"b\":\"x\"}}\n",
            "{\"a\":{\"0\":2,\"1\":1}}\n-"
        );
        let entry = parse(text).unwrap();
        assert_eq!(entry.watermark_ms, 5);
        assert_eq!(entry.sources, [Some("{\"a\":{\"0\":2,\"1\":1}}".to_owned()), None]);
        assert_eq!(entry.to_text(), text);
    }

    #[test]
    fn fields_that_are_not_known_and_fields_that_lack_are_tolerated() {
        let entry = parse("v1\n{\"batchTimestampMs\":7,\"new\":[1]}\n{\"a\":{}}\n").unwrap();
        assert_eq!((entry.timestamp_ms, entry.watermark_ms), (7, 0));
        assert!(entry.conf.is_empty());
    }

    #[test]
    fn a_file_cut_at_any_byte_is_never_taken_for_a_whole_one() {
        let text = "v1\n{\"batchWatermarkMs\":0,\"batchTimestampMs\":7,\"conf\":{}}\n{\"a\":{\"0\":12}}";
        for cut in 0..text.len() {
            let error = parse(&text[..cut]).unwrap_err().to_string();
            assert!(error.contains("offsets/3"), "{cut}: {error}");
        }
    }

    #[test]
    fn a_newer_version_is_named() {
        let error = parse("v2\n{}\n{}").unwrap_err().to_string();
        assert!(error.contains("version v2") && error.contains("v1 is the newest"), "{error}");
        assert!(parse("{\"x\":1}").unwrap_err().to_string().contains("not with a version"));
    }
}
