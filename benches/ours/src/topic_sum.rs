//! What a topic holds, as a number of records and a checksum: two sinks' topics are compared by it.

use millstream::client::{ClientOptions, FetchOptions, Isolation, Kafka, OffsetSpec, Result, TopicPartition};
use millstream::protocol::records::Batches;
use std::ops::Range;

const RECORD_BYTES: usize = 1 << 24;

/// Records and the wrapping sum of the hashes of their keys and values, so that neither the order nor the partition
/// of a record matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicSum {
    /// Records up to the high watermarks.
    pub rows: u64,
    /// Their checksum.
    pub checksum: u64,
}

/// Reads a topic of so many partitions whole.
pub async fn topic_sum(bootstrap: &str, topic: &str, partitions: i32) -> Result<TopicSum, String> {
    let kafka = Kafka::connect(ClientOptions::new(bootstrap)).await.map_err(|error| error.to_string())?;
    let places = (0..partitions).map(|partition| TopicPartition { topic: topic.into(), partition });
    let wanted = places.map(|place| (place, OffsetSpec::Latest)).collect();
    let ends =
        kafka.list_offsets(wanted, Isolation::ReadUncommitted).await.map_err(|error| error.to_string())?;
    let reader = kafka.reader(FetchOptions::default());
    let mut sum = TopicSum { rows: 0, checksum: 0 };
    for (place, end) in ends {
        let mut range = reader.read(&place, 0, end.offset.unwrap_or_default());
        while let Some(fetched) = range.next().await.map_err(|error| error.to_string())? {
            add(&mut sum, &fetched.records, fetched.from..fetched.until)
                .map_err(|error| format!("{topic}: {error}"))?;
        }
    }
    Ok(sum)
}

fn add(sum: &mut TopicSum, records: &[u8], offsets: Range<i64>) -> millstream::protocol::Result<()> {
    let mut scratch = Vec::new();
    for batch in Batches::new(records) {
        for record in batch?.records(RECORD_BYTES, &mut scratch)? {
            let record = record?;
            if offsets.contains(&record.offset) {
                sum.rows += 1;
                sum.checksum = sum.checksum.wrapping_add(hash(record.key, record.value));
            }
        }
    }
    Ok(())
}

fn hash(key: Option<&[u8]>, value: Option<&[u8]>) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in [key, value] {
        for byte in part.unwrap_or(b"<null>") {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        hash = hash.rotate_left(17);
    }
    hash
}
