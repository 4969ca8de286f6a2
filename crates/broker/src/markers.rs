//! Transaction markers: control batches that end a transaction in a partition's log (KIP-98).
//!
//! One record: key = version i16 (0), type i16 (0 abort, 1 commit); value = version i16 (0), coordinator epoch i32.

use bytes::{BufMut, Bytes, BytesMut};

/// What a marker says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Marker {
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) committed: bool,
}

impl Marker {
    /// The batch as it lies in the log.
    pub(crate) fn encode(self, base_offset: i64, leader_epoch: i32, timestamp: i64) -> Bytes {
        let mut record = BytesMut::new();
        record.put_u8(0); // attributes
        record.put_u8(0); // timestamp delta
        record.put_u8(0); // offset delta
        record.put_u8(zigzag(4));
        record.put_i16(0);
        record.put_i16(i16::from(self.committed));
        record.put_u8(zigzag(6));
        record.put_i16(0);
        record.put_i32(0);
        record.put_u8(0); // headers

        let mut body = BytesMut::new();
        body.put_i16(TRANSACTIONAL | CONTROL);
        body.put_i32(0); // last offset delta
        body.put_i64(timestamp);
        body.put_i64(timestamp);
        body.put_i64(self.producer_id);
        body.put_i16(self.producer_epoch);
        body.put_i32(-1); // base sequence
        body.put_i32(1); // records
        body.put_u8(zigzag(i8::try_from(record.len()).expect("a marker's record is 18 bytes")));
        body.put_slice(&record);

        let mut batch = BytesMut::with_capacity(body.len() + HEAD);
        batch.put_i64(base_offset);
        batch.put_i32(i32::try_from(body.len() + HEAD - LENGTH_COUNTS_FROM).expect("a marker is 78 bytes"));
        batch.put_i32(leader_epoch);
        batch.put_i8(2);
        batch.put_u32(crc32c::crc32c(&body));
        batch.put_slice(&body);
        batch.freeze()
    }
}

const TRANSACTIONAL: i16 = 0x10;
const CONTROL: i16 = 0x20;
/// Bytes before the part that the CRC covers.
const HEAD: usize = 21;
/// The length field counts what follows it.
const LENGTH_COUNTS_FROM: usize = 12;

/// A small number as a one-byte signed varint.
const fn zigzag(number: i8) -> u8 {
    ((number << 1) ^ (number >> 7)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use millstream_protocol::records::Batches;

    #[test]
    fn a_marker_is_a_sound_control_batch() {
        let marker = Marker { producer_id: 7, producer_epoch: 3, committed: true };
        let bytes = marker.encode(42, 5, 1_000);
        let batch = Batches::new(&bytes).next().unwrap().unwrap();
        batch.verify_crc().unwrap();
        assert!(batch.header.is_control() && batch.header.is_transactional());
        assert_eq!((batch.header.base_offset, batch.header.producer_id), (42, 7));
        assert_eq!((batch.header.records_count, batch.bytes.len()), (1, bytes.len()));
    }
}
