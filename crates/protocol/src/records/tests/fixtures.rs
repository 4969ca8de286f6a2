//! Batches that Apache Kafka's own classes wrote (fixtures/batches), whole, cut and damaged.

use rand::{Rng, SeedableRng};

use super::*;

const NOW: i64 = 1_700_000_000_000;

fn fixtures() -> Vec<(String, Vec<u8>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/batches");
    let mut found: Vec<(String, Vec<u8>)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bin"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap()))
        .collect();
    found.sort();
    assert_eq!(found.len(), 22);
    found
}

/// What was written, as the batch named `name` has to show it.
fn expected(name: &str) -> Vec<Owned> {
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    let some = vec![(b"trace".to_vec(), bytes("1")), (b"trace".to_vec(), None), (vec![], bytes(""))];
    let rows = [
        (0, bytes("key-0"), bytes("value-0"), true),
        (5, None, bytes("value-1"), false),
        (-1000, bytes("key-2"), None, false),
        (100, bytes(""), bytes(""), true),
        (200, bytes("key-4"), Some(vec![b'x'; 300]), false),
    ];
    let row = |(offset, (delta, key, value, has_headers)): (usize, (i64, _, _, bool))| Owned {
        offset: 1000 + offset as i64,
        timestamp: match name {
            _ if name.starts_with("v0") => -1,
            _ if name.ends_with("append-time") => NOW + 9999,
            _ => NOW + delta,
        },
        key,
        value,
        headers: if has_headers && name.starts_with("v2") { some.clone() } else { vec![] },
    };
    rows.into_iter().enumerate().map(row).collect()
}

fn read_all(bytes: &[u8]) -> crate::Result<Vec<Owned>> {
    let mut found = Vec::new();
    for batch in Batches::new(bytes) {
        let batch = batch?;
        batch.verify_crc()?;
        let mut scratch = Vec::new();
        for record in batch.records(1 << 20, &mut scratch)? {
            found.push(Owned::from(record?));
        }
    }
    Ok(found)
}

#[test]
fn every_format_codec_and_timestamp_type_of_kafka_is_read() {
    for (name, bytes) in fixtures() {
        let read = read_all(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let header = Batches::new(&bytes).last().unwrap().unwrap().header;
        if name == "v2-abort-marker" {
            assert_eq!(ControlKind::from_key(read[0].key.as_deref()), ControlKind::Abort);
            assert_eq!((header.base_offset, header.producer_id, header.is_control()), (2000, 4711, true));
            continue;
        }
        assert_eq!(read, expected(&name), "{name}");
        assert_eq!(header.next_offset(), 1005, "{name}");
        assert_eq!(header.timestamp_type() == TimestampType::LogAppendTime, name.ends_with("append-time"));
        let producer = if name == "v2-transactional" { (4711, 3, 17, true) } else { (-1, -1, -1, false) };
        let found =
            (header.producer_id, header.producer_epoch, header.base_sequence, header.is_transactional());
        assert_eq!(found, producer, "{name}");
    }
}

#[test]
fn our_uncompressed_batch_is_the_same_bytes_as_kafkas() {
    let (_, theirs) = fixtures().into_iter().find(|(name, _)| name == "v2-transactional").unwrap();
    let options = BatchOptions { is_transactional: true, ..BatchOptions::default() };
    let mut builder = BatchBuilder::new(options);
    for record in expected("v2-transactional") {
        let headers: Vec<Header<'_>> =
            record.headers.iter().map(|(key, value)| (&key[..], value.as_deref())).collect();
        builder.append(record.timestamp, record.key.as_deref(), record.value.as_deref(), &headers).unwrap();
    }
    let mut batch = builder.finish().unwrap();
    batch.stamp(4711, 3, 17);
    let mut ours = batch.into_bytes().to_vec();
    set_base_offset(&mut ours, 1000, 5).unwrap();
    assert_eq!(ours, theirs);
}

#[test]
fn cut_or_damaged_they_are_errors_or_tails_and_never_other_records() {
    let mut random = StdRng::seed_from_u64(2);
    for (name, bytes) in fixtures() {
        let whole = read_all(&bytes).unwrap();
        for cut in 0..bytes.len() {
            let mut batches = Batches::new(&bytes[..cut]);
            assert!(batches.by_ref().all(|batch| batch.is_ok()), "{name} cut at {cut}");
            assert!(batches.truncated_tail() || batches.position() == cut);
            assert!(whole.starts_with(&read_all(&bytes[..cut]).unwrap()), "{name} cut at {cut}");
        }
        for _ in 0..300 {
            let mut damaged = bytes.clone();
            let at = random.random_range(17..damaged.len());
            damaged[at] = damaged[at].wrapping_add(random.random_range(1..=255));
            let read = read_all(&damaged);
            // Single messages of the old formats have offsets and lengths that no checksum covers.
            let is_covered = name.starts_with("v2") || !name.contains("none");
            assert!(read.is_err() || !is_covered, "{name} byte {at}");
            let Some(Ok(batch)) = Batches::new(&damaged).next() else { continue };
            let mut scratch = Vec::new();
            if let Ok(records) = batch.records(1 << 20, &mut scratch) {
                assert!(records.filter(Result::is_err).count() <= 1, "an error ends the records");
            }
        }
    }
}
