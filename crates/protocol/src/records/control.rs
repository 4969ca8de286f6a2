//! Transaction markers: batches that the coordinator writes and readers never show.
//!
//! The key is two 16-bit numbers, version 0 and the kind; the value is a 16-bit version 0 and the
//! coordinator's 32-bit epoch. Source: KIP-98.

use bytes::Bytes;

use super::builder::{BatchBuilder, BatchOptions};
use crate::{Compression, Result};

/// What a control record says about its producer's transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlKind {
    /// It was aborted: its records are not to be shown (0).
    Abort,
    /// It was committed (1).
    Commit,
    /// Something newer, or a key too short to say: to be passed over.
    Other,
}

impl ControlKind {
    /// Reads the key of a control record.
    pub fn from_key(key: Option<&[u8]>) -> Self {
        match key {
            Some([_, _, 0, 0, ..]) => Self::Abort,
            Some([_, _, 0, 1, ..]) => Self::Commit,
            _ => Self::Other,
        }
    }
}

/// A batch of one marker at base offset 0, ready for a log.
pub fn control_batch(
    commit: bool,
    producer_id: i64,
    producer_epoch: i16,
    coordinator_epoch: i32,
    timestamp: i64,
) -> Result<Bytes> {
    let key = [0, 0, 0, u8::from(commit)];
    let mut value = [0; 6];
    value[2..].copy_from_slice(&coordinator_epoch.to_be_bytes());
    let options = BatchOptions {
        compression: Compression::None,
        is_transactional: true,
        is_control: true,
        ..BatchOptions::default()
    };
    let mut builder = BatchBuilder::new(options);
    builder.append(timestamp, Some(&key), Some(&value), &[])?;
    let mut batch = builder.finish()?;
    batch.stamp(producer_id, producer_epoch, -1);
    Ok(batch.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Batches;

    #[test]
    fn a_marker_reads_back_as_what_was_written_and_other_keys_are_passed_over() {
        for commit in [false, true] {
            let bytes = control_batch(commit, 77, 3, 1, 1234).unwrap();
            let batch = Batches::new(&bytes).next().unwrap().unwrap();
            batch.verify_crc().unwrap();
            assert!(batch.header.is_control() && batch.header.is_transactional());
            assert_eq!((batch.header.producer_id, batch.header.producer_epoch), (77, 3));
            let mut scratch = Vec::new();
            let record = batch.records(0, &mut scratch).unwrap().next().unwrap().unwrap();
            let expected = if commit { ControlKind::Commit } else { ControlKind::Abort };
            assert_eq!(ControlKind::from_key(record.key), expected);
        }
        for key in
            [None, Some(&[][..]), Some(&[0, 0, 0][..]), Some(&[0, 0, 0, 2][..]), Some(&[0, 0, 1, 0][..])]
        {
            assert_eq!(ControlKind::from_key(key), ControlKind::Other);
        }
    }
}
