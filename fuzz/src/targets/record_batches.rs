//! The batch reader, all formats and codecs, against the slow one; and the same records packed by each codec.
//!
//! Input: a codec to pack with (1 byte), the bytes of a log.

use millstream_protocol::Compression;
use millstream_protocol::records::{
    Batch, BatchBuilder, BatchOptions, Batches, ControlKind, Header, Record, batch_sizes, set_base_offset,
    set_log_append_time,
};

use crate::input::Input;
use crate::slow_batches::{self, Row};

/// Most bytes that a batch may unpack to here.
const UNPACKED: usize = 1 << 20;

/// See the module.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let compression = Compression::ALL[input.below(5)];
    let bytes = input.rest();
    let slow = slow_batches::read(bytes, UNPACKED);
    let mut batches = Batches::new(bytes);
    let (mut read, mut failed) = (0, false);
    for batch in batches.by_ref() {
        let Ok(batch) = batch else {
            failed = true;
            break;
        };
        assert!(batch.header.next_offset() > batch.header.last_offset());
        assert_eq!(batch.header.total_bytes(), batch.bytes.len());
        let _ = batch.verify_crc();
        let rows = rows(&batch);
        if let Some(slow) = slow.batches.get(read) {
            assert_eq!(
                (batch.header.base_offset, batch.header.last_offset()),
                (slow.base_offset, slow.last_offset)
            );
            assert_eq!(rows, slow.rows);
        } else {
            assert!(slow.old_format, "more batches than the slow reader found");
        }
        if let Some(rows) = rows {
            packed_again(&rows, compression);
        }
        read += 1;
    }
    assert!(batches.position() <= bytes.len());
    if !slow.old_format {
        assert_eq!((read, failed), (slow.batches.len(), slow.bad_header));
    }
    in_a_log(bytes);
}

fn rows(batch: &Batch<'_>) -> Option<Vec<Row>> {
    let mut scratch = Vec::new();
    let records = batch.records(UNPACKED, &mut scratch).ok()?;
    let rows = records.map(|record| record.map(row)).collect::<Result<Vec<Row>, _>>();
    assert!(scratch.len() <= UNPACKED);
    rows.ok()
}

fn row(record: Record<'_>) -> Row {
    let _ = ControlKind::from_key(record.key);
    let headers: Vec<_> =
        record.headers.iter().map(|(key, value)| (key.to_vec(), value.map(<[u8]>::to_vec))).collect();
    assert_eq!(headers.len(), record.headers.len());
    Row {
        offset: record.offset,
        timestamp: record.timestamp,
        key: record.key.map(<[u8]>::to_vec),
        value: record.value.map(<[u8]>::to_vec),
        headers,
    }
}

/// What our builder makes of these rows reads back as the same rows, offsets counted anew.
fn packed_again(rows: &[Row], compression: Compression) {
    let mut builder = BatchBuilder::new(BatchOptions { compression, ..BatchOptions::default() });
    let mut taken = Vec::new();
    for row in rows {
        let headers: Vec<Header<'_>> =
            row.headers.iter().map(|(key, value)| (key.as_slice(), value.as_deref())).collect();
        // A timestamp too far from the first one is refused.
        if let Ok(true) = builder.append(row.timestamp, row.key.as_deref(), row.value.as_deref(), &headers) {
            taken.push(Row { offset: taken.len() as i64, ..row.clone() });
        }
    }
    let Ok(batch) = builder.finish() else { return };
    let bytes = batch.into_bytes();
    let batch = Batches::new(&bytes).next().expect("there is a batch").expect("our batch is good");
    batch.verify_crc().expect("our checksum is right");
    let mut scratch = Vec::new();
    let records = batch.records(64 << 20, &mut scratch).expect("our batch unpacks");
    let back: Vec<Row> = records.map(|record| row(record.expect("our record is good"))).collect();
    assert_eq!(back, taken);
}

/// What a broker does with batches that it appends.
fn in_a_log(bytes: &[u8]) {
    let Ok(sizes) = batch_sizes(bytes) else { return };
    assert_eq!(sizes.iter().sum::<usize>(), bytes.len());
    let mut log = bytes.to_vec();
    let mut rest = log.as_mut_slice();
    for size in sizes {
        let (batch, behind) = rest.split_at_mut(size);
        if set_base_offset(batch, 7, 1).is_ok() {
            set_log_append_time(batch, 1234).expect("the header is there");
            let placed = Batches::new(batch).next().expect("there is a batch");
            // Moving it may make its offsets overflow no more, never less.
            placed.expect("a batch at offset 7 is as good as before").verify_crc().expect("it is made anew");
        }
        rest = behind;
    }
}
