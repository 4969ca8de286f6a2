//! What a broker changes in batches that it appends to a log, in place.
//!
//! The checksum does not cover the first 21 bytes, so assigning offsets costs nothing; the append time
//! lies under it and costs a pass over the bytes.

use super::batches::Batches;
use super::header::{ATTRIBUTES_AT, Attributes, CRC_AT, HEADER_BYTES, MAGIC_AT, MAX_TIMESTAMP_AT};
use crate::{Error, Result};

/// Gives a format 2 batch its place in the log: offset of its first record and the leader's epoch.
pub fn set_base_offset(batch: &mut [u8], base_offset: i64, leader_epoch: i32) -> Result<()> {
    let header = header_of(batch)?;
    header[..8].copy_from_slice(&base_offset.to_be_bytes());
    header[12..MAGIC_AT].copy_from_slice(&leader_epoch.to_be_bytes());
    Ok(())
}

/// Marks a format 2 batch as stamped by the broker at `time` (ms since 1970) and renews its checksum.
pub fn set_log_append_time(batch: &mut [u8], time: i64) -> Result<()> {
    let header = header_of(batch)?;
    let flags = i16::from_be_bytes([header[ATTRIBUTES_AT], header[ATTRIBUTES_AT + 1]]);
    let flags = Attributes(flags).with_log_append_time();
    header[ATTRIBUTES_AT..ATTRIBUTES_AT + 2].copy_from_slice(&flags.0.to_be_bytes());
    header[MAX_TIMESTAMP_AT..MAX_TIMESTAMP_AT + 8].copy_from_slice(&time.to_be_bytes());
    let crc = crc32c::crc32c(&batch[ATTRIBUTES_AT..]);
    batch[CRC_AT..ATTRIBUTES_AT].copy_from_slice(&crc.to_be_bytes());
    Ok(())
}

/// Sizes of the batches in `bytes`, which must be whole; what a broker checks before it appends.
pub fn batch_sizes(bytes: &[u8]) -> Result<Vec<usize>> {
    let mut batches = Batches::new(bytes);
    let sizes = batches.by_ref().map(|batch| batch.map(|batch| batch.bytes.len())).collect::<Result<_>>()?;
    if batches.truncated_tail() {
        return Err(Error::corrupt(-1, "the bytes end in the middle of a batch"));
    }
    Ok(sizes)
}

fn header_of(batch: &mut [u8]) -> Result<&mut [u8; HEADER_BYTES]> {
    match batch.first_chunk_mut::<HEADER_BYTES>() {
        Some(header) if header[MAGIC_AT] == 2 => Ok(header),
        _ => Err(Error::Misuse { what: "only whole batches of format 2 can be placed in a log".into() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{BatchBuilder, BatchOptions, TimestampType};

    #[test]
    fn a_placed_batch_keeps_its_checksum_and_an_append_time_reaches_every_record() {
        let mut builder = BatchBuilder::new(BatchOptions::default());
        for timestamp in [5, 6, 7] {
            builder.append(timestamp, None, Some(b"v"), &[]).unwrap();
        }
        let mut bytes = builder.finish().unwrap().into_bytes().to_vec();
        set_base_offset(&mut bytes, 1 << 33, 9).unwrap();
        let batch = Batches::new(&bytes).next().unwrap().unwrap();
        batch.verify_crc().unwrap();
        assert_eq!((batch.header.base_offset, batch.header.leader_epoch), (1 << 33, 9));
        set_log_append_time(&mut bytes, 99).unwrap();
        let batch = Batches::new(&bytes).next().unwrap().unwrap();
        batch.verify_crc().unwrap();
        assert_eq!(batch.header.timestamp_type(), TimestampType::LogAppendTime);
        let mut scratch = Vec::new();
        let stamps: Vec<i64> =
            batch.records(0, &mut scratch).unwrap().map(|record| record.unwrap().timestamp).collect();
        assert_eq!(stamps, [99, 99, 99]);
        assert_eq!(batch_sizes(&bytes), Ok(vec![bytes.len()]));
        assert!(batch_sizes(&bytes[..bytes.len() - 1]).is_err());
        assert!(set_base_offset(&mut bytes[..60], 0, 0).is_err());
    }
}
