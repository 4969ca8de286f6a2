//! `millstream cat`: the records of a topic on standard output, in the order in which they arrive.

use crate::Outcome;
use crate::connection::ConnectionArguments;
use crate::format::{Format, Place};
use crate::positions::{self, Position};
use clap::Args;
use millstream::client::{ErrorCode, FetchedRecords, Kafka, Reader, TopicPartition};
use millstream::protocol::records::{AbortedFilter, Batches};
use std::io::{BufWriter, Write};
use std::time::Duration;
use tokio::sync::mpsc;

/// A topic may rest for as long as it likes while it is followed.
const PATIENCE: Duration = Duration::from_secs(365 * 24 * 3600);

#[derive(Args, Debug)]
pub(crate) struct CatArguments {
    #[command(flatten)]
    connection: ConnectionArguments,
    /// Topic to read.
    #[arg(short = 't', long)]
    topic: String,
    /// Partition to read; all of them when left out.
    #[arg(short = 'p', long)]
    partition: Option<i32>,
    /// Where to begin (beginning, end, <offset>, -<n>, s@<ms>) and, as a second one, to end (e@<ms>).
    #[arg(short = 'o', long = "offset", allow_hyphen_values = true)]
    offsets: Vec<Position>,
    /// Stop after this many records.
    #[arg(short = 'c', long)]
    count: Option<u64>,
    /// Stop at the end of the topic instead of waiting for more.
    #[arg(short = 'e', long)]
    exit: bool,
    /// How to print a record: %k key, %s payload, %K %S their lengths, %T timestamp, %h headers, %t %p %o place.
    #[arg(short = 'f', long)]
    format: Option<String>,
    /// Print the key and this delimiter before the payload.
    #[arg(short = 'K', value_name = "DELIMITER")]
    key_delimiter: Option<String>,
    /// Print a JSON envelope a line.
    #[arg(short = 'J', long, conflicts_with_all = ["format", "key_delimiter"])]
    json: bool,
}

pub(crate) async fn run(arguments: CatArguments) -> Outcome {
    let format = arguments.format()?;
    let (kafka, parsed) = arguments.connection.connect().await?;
    let partitions = partitions(&kafka, &arguments.topic, arguments.partition).await?;
    let mut options = parsed.client.fetch.clone();
    let ends =
        arguments.exit || arguments.offsets.iter().any(|offset| matches!(offset, Position::EndTime(_)));
    if !ends {
        options.progress_timeout = PATIENCE;
    }
    let isolation = options.isolation;
    let limit = kafka.options().limits.decompressed_bytes;
    let ranges =
        positions::ranges(&kafka, &partitions, &arguments.offsets, arguments.exit, isolation).await?;
    let mut fetched = fetch(&kafka.reader(options), ranges);
    let mut out = BufWriter::with_capacity(1 << 16, std::io::stdout().lock());
    let mut left = arguments.count.unwrap_or(u64::MAX);
    while left > 0 {
        let Some(records) = fetched.recv().await else { break };
        print(&mut out, &format, &records?, &mut left, limit)?;
        if fetched.is_empty() {
            out.flush()?;
        }
    }
    out.flush()?;
    Ok(())
}

impl CatArguments {
    fn format(&self) -> Result<Format, String> {
        match (&self.format, &self.key_delimiter) {
            (Some(format), _) => Format::parse(format),
            (None, Some(delimiter)) => Format::parse(&format!("%k{delimiter}%s\\n")),
            (None, None) if self.json => Ok(Format::Json),
            (None, None) => Format::parse("%s\\n"),
        }
    }
}

async fn partitions(
    kafka: &Kafka,
    topic: &str,
    only: Option<i32>,
) -> Result<Vec<TopicPartition>, Box<dyn std::error::Error + Send + Sync>> {
    let described = kafka.describe_topics(&[topic.to_owned()]).await?;
    let found = described.into_iter().next().filter(|found| found.error == ErrorCode::NONE);
    let Some(found) = found else {
        return Err(format!("topic '{topic}' does not exist; `millstream topics` lists those that do").into());
    };
    let partitions: Vec<TopicPartition> = found
        .partitions
        .iter()
        .filter(|partition| only.is_none_or(|only| only == partition.partition))
        .map(|partition| TopicPartition { topic: topic.into(), partition: partition.partition })
        .collect();
    if partitions.is_empty() {
        let count = found.partitions.len();
        return Err(
            format!("topic '{topic}' has no partition {}: it has {count}", only.unwrap_or_default()).into()
        );
    }
    Ok(partitions)
}

/// Every partition is read by a task of its own; what they fetch meets in one bounded channel.
fn fetch(
    reader: &Reader,
    ranges: Vec<(TopicPartition, i64, Option<i64>)>,
) -> mpsc::Receiver<millstream::client::Result<FetchedRecords>> {
    let (sender, receiver) = mpsc::channel(1);
    let followed = ranges.iter().filter(|range| range.2.is_none());
    reader.follow_all(followed.map(|(partition, from, _)| (partition.clone(), *from)));
    for (partition, from, until) in ranges {
        let (reader, sender) = (reader.clone(), sender.clone());
        tokio::spawn(async move {
            let mut range = reader.read(&partition, from, until.unwrap_or(i64::MAX));
            while let Some(next) = range.next().await.transpose() {
                let failed = next.is_err();
                if sender.send(next).await.is_err() || failed {
                    break;
                }
            }
        });
    }
    receiver
}

fn print(
    out: &mut impl Write,
    format: &Format,
    fetched: &FetchedRecords,
    left: &mut u64,
    limit: usize,
) -> Outcome {
    let mut scratch = Vec::new();
    let place = &fetched.partition;
    let mut aborted = AbortedFilter::new(&fetched.aborted);
    for batch in Batches::new(&fetched.records) {
        let batch = batch?;
        let is_hidden = aborted.hides(&batch.header);
        if batch.header.is_control() {
            aborted.marker(&batch)?;
        }
        if batch.header.is_control() || is_hidden {
            continue;
        }
        batch.verify_crc().map_err(|error| format!("{place}: {error}"))?;
        let timestamp_type = batch.header.timestamp_type();
        let place = Place { topic: &place.topic, partition: place.partition, timestamp_type };
        for record in batch.records(limit, &mut scratch)? {
            let record = record?;
            if *left == 0 {
                return Ok(());
            }
            if (fetched.from..fetched.until).contains(&record.offset) {
                format.write(out, place, &record)?;
                *left -= 1;
            }
        }
    }
    Ok(())
}
