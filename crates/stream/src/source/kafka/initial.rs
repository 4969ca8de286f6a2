//! The first file of a Kafka source in a checkpoint: the offsets at which the query began.
//!
//! ```text
//! \0            so that Spark 2.1.0 refuses the file
//! v1\n          the version of the form
//! {"t":{"0":5}} the offsets
//! ```
//! Spark 2.1.0 itself wrote the bare JSON, which is still read.

use super::offsets::{self, PartitionOffsets};
use crate::error::{Error, Result};

const VERSION: u32 = 1;

/// The content of the file.
pub fn encode(offsets: &PartitionOffsets) -> Vec<u8> {
    format!("\0v{VERSION}\n{}", offsets::print_offsets(offsets)).into_bytes()
}

/// Reads the content of the file.
pub fn decode(content: &[u8]) -> Result<PartitionOffsets> {
    let text = std::str::from_utf8(content).map_err(|_| damaged("it is not text"))?;
    let Some(text) = text.strip_prefix('\0') else { return offsets::parse_position(text.trim()) };
    let (version, json) = text.split_once('\n').ok_or_else(|| damaged("it has no version line"))?;
    match version.strip_prefix('v').and_then(|version| version.parse::<u32>().ok()) {
        Some(VERSION) => offsets::parse_position(json.trim()),
        Some(newer) => Err(damaged(&format!(
            "its version is v{newer} and the newest known is v{VERSION}; use the newer engine that wrote it"
        ))),
        None => Err(damaged(&format!("its first line is {version:?} in place of v{VERSION}"))),
    }
}

fn damaged(what: &str) -> Error {
    Error::Checkpoint {
        path: "sources/<n>/0".into(),
        what: format!("the start of the Kafka source cannot be read: {what}"),
        advice: "restore the file, or begin a new checkpoint".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_its_nul_byte_and_version_and_reads_back() {
        let start = offsets::parse_position(r#"{"a40_in":{"0":0,"1":0}}"#).unwrap();
        let content = encode(&start);
        assert_eq!(content, b"\0v1\n{\"a40_in\":{\"0\":0,\"1\":0}}");
        assert_eq!(decode(&content).unwrap(), start);
        assert_eq!(decode(b"{\"a40_in\":{\"0\":0,\"1\":0}}").unwrap(), start);
    }

    #[test]
    fn a_newer_or_damaged_file_is_refused() {
        let newer = decode(b"\0v99999\n{}").unwrap_err().to_string();
        assert!(newer.contains("v99999"), "{newer}");
        for content in [&b"\0v1"[..], b"\0x1\n{}", b"\xff", b"\0v1\nnonsense"] {
            assert!(decode(content).is_err());
        }
    }
}
