//! Reads a whole topic as fast as it comes and says how fast that was:
//! `cargo run --release -p millstream-client --example read_topic -- localhost:9092 orders
//! [KIB_PER_PARTITION]`
//!
//! Only batch headers are looked at, so this is the speed of the fetch path without any decoding.

use std::time::Instant;

use futures::future::try_join_all;
use millstream_client::{ClientOptions, FetchOptions, Isolation, Kafka, OffsetSpec, Result, TopicPartition};
use millstream_protocol::records::Batches;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(bootstrap), Some(topic)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: read_topic BOOTSTRAP TOPIC [KIB_PER_PARTITION]");
        std::process::exit(2);
    };
    let mut options = FetchOptions::default();
    if let Some(kib) = arguments.next().and_then(|kib| kib.parse::<i32>().ok()) {
        options.max_partition_bytes = kib << 10;
    }
    let kafka = Kafka::connect(ClientOptions::new(&bootstrap)).await?;
    let described = kafka.describe_topics(&[topic]).await?.remove(0);
    let partitions: Vec<_> = described
        .partitions
        .iter()
        .map(|p| TopicPartition::new(described.name.clone(), p.partition))
        .collect();
    let bounds = async |spec| {
        let wanted = partitions.iter().map(|tp| (tp.clone(), spec)).collect();
        kafka.list_offsets(wanted, Isolation::ReadUncommitted).await
    };
    let (starts, ends) = (bounds(OffsetSpec::Earliest).await?, bounds(OffsetSpec::Latest).await?);

    let started = Instant::now();
    let reader = kafka.reader(options);
    let scans = partitions.iter().map(|tp| {
        let (from, until) = (starts[tp].offset.unwrap_or(0), ends[tp].offset.unwrap_or(0));
        let mut range = reader.read(tp, from, until);
        async move {
            let (mut records, mut bytes) = (0u64, 0u64);
            while let Some(fetched) = range.next().await? {
                bytes += fetched.records.len() as u64;
                for batch in Batches::new(&fetched.records).flatten() {
                    records += batch.header.records_count.unsigned_abs() as u64;
                }
            }
            Ok((records, bytes))
        }
    });
    let read: Vec<(u64, u64)> = try_join_all(scans).await?;
    let seconds = started.elapsed().as_secs_f64();
    let records: u64 = read.iter().map(|(records, _)| records).sum();
    let mib = read.iter().map(|(_, bytes)| bytes).sum::<u64>() as f64 / f64::from(1 << 20);
    println!(
        "{records} records, {mib:.0} MiB in {seconds:.3} s: {:.1} M records/s, {:.0} MiB/s",
        records as f64 / seconds / 1e6,
        mib / seconds
    );
    Ok(())
}
