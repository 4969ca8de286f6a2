//! The fast reader against a slow, obvious one, and against `kafka-protocol`.

use bytes::Bytes;
use kafka_protocol::records as kp;
use rand::{Rng, SeedableRng};

use super::*;

/// Reads a payload one byte at a time, as the table in the reader's documentation says. `None` for any fault.
struct Slow<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Slow<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn number(&mut self, bits: u32) -> Option<i64> {
        let mut raw = 0u128;
        for index in 0..bits.div_ceil(7) {
            let byte = self.byte()?;
            raw |= u128::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                let half = i64::try_from(raw >> 1).ok()?;
                return (raw < 1 << bits).then_some(if raw & 1 == 1 { -half - 1 } else { half });
            }
        }
        None
    }

    fn bytes(&mut self) -> Option<Option<Vec<u8>>> {
        match self.number(32)? {
            -1 => Some(None),
            length if length < 0 => None,
            length => (0..length).map(|_| self.byte()).collect::<Option<Vec<u8>>>().map(Some),
        }
    }

    fn record(&mut self, header: &BatchHeader, lowest: i64) -> Option<Owned> {
        let length = usize::try_from(self.number(32)?).ok()?;
        let end = self.at + length;
        if end > self.bytes.len() {
            return None;
        }
        let mut inner = Slow { bytes: &self.bytes[..end], at: self.at };
        inner.byte()?;
        let timestamp = i128::from(header.base_timestamp) + i128::from(inner.number(64)?);
        let delta = inner.number(32)?;
        let (key, value) = (inner.bytes()?, inner.bytes()?);
        let count = inner.number(32)?;
        let mut headers = Vec::new();
        for _ in 0..u32::try_from(count).ok()? {
            headers.push((inner.bytes()??, inner.bytes()?));
        }
        let in_order = delta >= lowest && delta <= i64::from(header.last_offset_delta);
        if inner.at != end || !in_order {
            return None;
        }
        self.at = end;
        let timestamp = match header.timestamp_type() {
            TimestampType::LogAppendTime => header.max_timestamp,
            _ => i64::try_from(timestamp).ok()?,
        };
        Some(Owned { offset: header.base_offset + delta, timestamp, key, value, headers })
    }

    fn all(payload: &[u8], header: &BatchHeader) -> Option<Vec<Owned>> {
        let mut slow = Slow { bytes: payload, at: 0 };
        let mut records: Vec<Owned> = Vec::new();
        for _ in 0..header.records_count {
            let lowest = records.last().map_or(0, |last| last.offset - header.base_offset + 1);
            records.push(slow.record(header, lowest)?);
        }
        (slow.at == payload.len()).then_some(records)
    }
}

#[test]
fn fast_and_slow_reader_agree_on_good_and_on_damaged_bytes() {
    let mut random = StdRng::seed_from_u64(8);
    let (mut good, mut bad) = (0, 0);
    for round in 0..600 {
        let (batch, _) = random_batch(&mut random, BatchOptions::default());
        let mut bytes = batch.into_bytes().to_vec();
        for _ in 0..round % 4 {
            // Half of the damage where the structure is dense: right after the header.
            let end = if random.random() { bytes.len() } else { bytes.len().min(HEADER_BYTES + 12) };
            let at = random.random_range(17..end);
            bytes[at] = match random.random_range(0..4) {
                0 => bytes[at].wrapping_add(1),
                1 => bytes[at] ^ 0x80,
                2 => 1,
                _ => random.random(),
            };
        }
        let Some(Ok(batch)) = Batches::new(&bytes).next() else { continue };
        let slow = Slow::all(batch.payload, &batch.header);
        let fast: crate::Result<Vec<Owned>> =
            Records::new(batch.payload, &batch.header).map(|record| record.map(Owned::from)).collect();
        assert_eq!(slow.is_some(), fast.is_ok(), "round {round}: {fast:?}");
        if let (Some(slow), Ok(fast)) = (slow, fast) {
            assert_eq!(slow, fast, "round {round}");
            good += 1;
        } else {
            bad += 1;
        }
    }
    assert!(good > 100 && bad > 40, "{good} good, {bad} bad");
}

#[test]
fn cut_batches_never_panic_and_never_give_other_records() {
    let mut random = StdRng::seed_from_u64(9);
    let (batch, expected) = random_batch(&mut random, BatchOptions::default());
    let bytes = batch.into_bytes();
    let whole = Batches::new(&bytes).next().unwrap().unwrap();
    for cut in 0..whole.payload.len() {
        let read: Vec<crate::Result<Owned>> = Records::new(&whole.payload[..cut], &whole.header)
            .map(|record| record.map(Owned::from))
            .collect();
        assert!(read.last().unwrap().is_err(), "cut {cut}");
        for (read, expected) in read.iter().zip(&expected) {
            assert!(read.is_err() || read.as_ref() == Ok(expected), "cut {cut}");
        }
    }
}

#[test]
fn kafka_protocol_reads_our_batches() {
    let mut random = StdRng::seed_from_u64(10);
    for compression in Compression::ALL {
        let options = BatchOptions { compression, ..BatchOptions::default() };
        let (batch, expected) = random_batch(&mut random, options);
        let unpack = |packed: &mut Bytes, _: kp::Compression| {
            let mut out = Vec::new();
            crate::codec::decompress(compression, packed, 1 << 22, &mut out)?;
            Ok(Bytes::from(out))
        };
        let set =
            kp::RecordBatchDecoder::decode_with_custom_compression(&mut batch.bytes(), Some(unpack)).unwrap();
        assert_eq!(set.records.len(), expected.len());
        for (theirs, ours) in set.records.iter().zip(&expected) {
            assert_eq!((theirs.offset, theirs.timestamp), (ours.offset, ours.timestamp));
            assert_eq!(theirs.key.as_deref(), ours.key.as_deref());
            assert_eq!(theirs.value.as_deref(), ours.value.as_deref());
        }
    }
}

#[test]
fn we_read_the_batches_of_kafka_protocol() {
    let mut random = StdRng::seed_from_u64(12);
    let mut records = Vec::new();
    for offset in 0..50i64 {
        let headers = (0..offset % 3).map(|index| {
            let key = kafka_protocol::protocol::StrBytes::from_string(format!("h{index}"));
            (key, (index == 0).then(|| Bytes::from_static(b"v")))
        });
        records.push(kp::Record {
            transactional: false,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: 7,
            producer_id: 5,
            producer_epoch: 1,
            timestamp_type: kp::TimestampType::Creation,
            offset: 1000 + offset,
            sequence: 30 + offset as i32,
            timestamp: 1_000_000 + random.random_range(-500..500i64),
            key: (offset % 4 != 0).then(|| Bytes::from(vec![b'k'; offset as usize])),
            value: (offset % 5 != 0).then(|| Bytes::from(vec![b'v'; offset as usize * 10])),
            headers: headers.collect(),
        });
    }
    let mut bytes = bytes::BytesMut::new();
    let options = kp::RecordEncodeOptions { version: 2, compression: kp::Compression::None };
    kp::RecordBatchEncoder::encode(&mut bytes, &records, &options).unwrap();
    let mut read = 0;
    for batch in Batches::new(&bytes) {
        let batch = batch.unwrap();
        batch.verify_crc().unwrap();
        assert_eq!((batch.header.producer_id, batch.header.leader_epoch), (5, 7));
        let mut scratch = Vec::new();
        for ours in batch.records(0, &mut scratch).unwrap() {
            let (ours, theirs) = (Owned::from(ours.unwrap()), &records[read]);
            assert_eq!((ours.offset, ours.timestamp), (theirs.offset, theirs.timestamp));
            assert_eq!(ours.key.as_deref(), theirs.key.as_deref());
            assert_eq!(ours.value.as_deref(), theirs.value.as_deref());
            let headers: Vec<_> = theirs
                .headers
                .iter()
                .map(|(key, value)| (key.as_bytes().to_vec(), value.as_ref().map(|value| value.to_vec())))
                .collect();
            assert_eq!(ours.headers, headers);
            read += 1;
        }
    }
    assert_eq!(read, 50);
}
