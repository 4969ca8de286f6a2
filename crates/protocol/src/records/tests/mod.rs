//! The reader and builder of batches: bad input, round trips, and twins.

mod cases;
mod fixtures;
mod legacy;
mod twins;

use rand::Rng;
use rand::rngs::StdRng;

use super::*;
use crate::Compression;

/// Bytes that own what a record borrows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Owned {
    pub(super) offset: i64,
    pub(super) timestamp: i64,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl From<Record<'_>> for Owned {
    fn from(record: Record<'_>) -> Self {
        let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
        Self {
            offset: record.offset,
            timestamp: record.timestamp,
            key: owned(record.key),
            value: owned(record.value),
            headers: record.headers.iter().map(|(key, value)| (key.to_vec(), owned(value))).collect(),
        }
    }
}

/// Reads the first batch of `bytes`.
pub(super) fn read_first(bytes: &[u8]) -> crate::Result<Vec<Owned>> {
    let batch = Batches::new(bytes).next().expect("there is a batch")?;
    let mut scratch = Vec::new();
    batch.records(1 << 20, &mut scratch)?.map(|record| record.map(Owned::from)).collect()
}

/// A batch with random records and what they are.
pub(super) fn random_batch(random: &mut StdRng, options: BatchOptions) -> (EncodedBatch, Vec<Owned>) {
    let mut builder = BatchBuilder::new(options);
    let mut expected = Vec::new();
    for offset in 0..random.random_range(1..60) {
        let mut record = Owned {
            offset,
            timestamp: 1_700_000_000_000 + random.random_range(-5_000_000_000i64..5_000_000_000),
            key: random_bytes(random),
            value: random_bytes(random),
            headers: Vec::new(),
        };
        for _ in 0..[0, 0, 1, 4][random.random_range(0..4)] {
            let key = random_bytes(random).unwrap_or_default();
            record.headers.push((key, random_bytes(random)));
        }
        let headers: Vec<Header<'_>> =
            record.headers.iter().map(|(key, value)| (&key[..], value.as_deref())).collect();
        let added = builder
            .append(record.timestamp, record.key.as_deref(), record.value.as_deref(), &headers)
            .unwrap();
        assert!(added);
        expected.push(record);
    }
    (builder.finish().unwrap(), expected)
}

fn random_bytes(random: &mut StdRng) -> Option<Vec<u8>> {
    let length = [0, 1, 20, 63, 64, 127, 128, 300, 9000][random.random_range(0..9)];
    let byte: u8 = random.random_range(b'a'..=b'p');
    random.random_bool(0.8).then(|| (0..length).map(|index| byte + (index % 7) as u8).collect())
}

#[test]
fn what_the_builder_writes_the_reader_reads_with_every_codec() {
    use rand::SeedableRng;
    let mut random = StdRng::seed_from_u64(3);
    for compression in Compression::ALL {
        for _ in 0..40 {
            let options = BatchOptions { compression, is_transactional: true, ..BatchOptions::default() };
            let (mut batch, expected) = random_batch(&mut random, options);
            batch.stamp(4711, 3, 100);
            let before = batch.bytes();
            batch.stamp(4712, 4, 200);
            assert_eq!(read_first(&before).unwrap(), expected);
            let bytes = batch.into_bytes();
            let mut batches = Batches::new(&bytes);
            let batch = batches.next().unwrap().unwrap();
            batch.verify_crc().unwrap();
            assert_eq!(batches.position(), bytes.len());
            assert!(batches.next().is_none() && !batches.truncated_tail());
            let header = batch.header;
            assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (4712, 4, 200));
            assert_eq!(header.records_count as usize, expected.len());
            assert!(header.is_gapless() && header.is_transactional() && !header.is_control());
            assert_eq!(header.max_timestamp, expected.iter().map(|record| record.timestamp).max().unwrap());
            assert_eq!(header.compression(), Ok(compression));
            assert_eq!(read_first(&bytes).unwrap(), expected);
        }
    }
}

#[test]
fn a_full_batch_takes_no_more_but_takes_any_first_record_and_the_builder_starts_anew() {
    let mut builder = BatchBuilder::new(BatchOptions { max_bytes: 1000, ..BatchOptions::default() });
    assert!(builder.finish().is_err(), "an empty batch is not sent");
    assert!(builder.append(0, None, Some(&[0; 5000]), &[]).unwrap());
    assert!(!builder.append(0, None, Some(b"more"), &[]).unwrap());
    let batch = builder.finish().unwrap();
    assert_eq!((batch.records, batch.len()), (1, 61 + 5000 + 9));
    assert_eq!((builder.count(), builder.size()), (0, 0));
    for value in 0..20u8 {
        assert!(builder.append(i64::from(value), None, Some(&[value]), &[]).unwrap());
    }
    let batch = builder.finish().unwrap();
    assert!(batch.len() <= 1000);
    let offsets: Vec<i64> = read_first(&batch.bytes()).unwrap().iter().map(|record| record.offset).collect();
    assert_eq!(offsets, (0..20).collect::<Vec<i64>>());
    assert!(builder.append(i64::MIN, None, None, &[]).unwrap());
    assert!(builder.append(i64::MAX, None, None, &[]).is_err());
}
