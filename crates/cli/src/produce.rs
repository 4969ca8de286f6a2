//! `millstream produce`: lines of standard input become records.

use crate::Outcome;
use crate::connection::ConnectionArguments;
use clap::Args;
use millstream::client::{Compression, RecordRef};
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, BufReader};

/// Longest line: a record above the producer's own limit is refused by that with its setting's name.
const LINE_BYTES: usize = 64 << 20;

#[derive(Args, Debug)]
pub(crate) struct ProduceArguments {
    #[command(flatten)]
    connection: ConnectionArguments,
    /// Topic to write to.
    #[arg(short = 't', long)]
    topic: String,
    /// Partition to write to; by the key's hash, else spread, when left out.
    #[arg(short = 'p', long)]
    partition: Option<i32>,
    /// What divides a line's key from its payload.
    #[arg(short = 'K', value_name = "DELIMITER")]
    key_delimiter: Option<String>,
    /// A header for every record, as name=value; may be repeated.
    #[arg(short = 'H', value_name = "NAME=VALUE")]
    headers: Vec<String>,
    /// Compression: none, gzip, snappy, lz4 or zstd.
    #[arg(short = 'z', value_name = "CODEC")]
    compression: Option<Compression>,
    /// Send an empty key or payload as null.
    #[arg(short = 'Z')]
    empty_is_null: bool,
}

pub(crate) async fn run(arguments: ProduceArguments) -> Outcome {
    let (kafka, parsed) = arguments.connection.connect().await?;
    let mut options = parsed.producer;
    if let Some(compression) = arguments.compression {
        options.compression = compression;
    }
    let producer = kafka.producer(options);
    let topic: Arc<str> = arguments.topic.as_str().into();
    let headers = arguments
        .headers
        .iter()
        .map(|header| header.split_once('=').ok_or_else(|| format!("-H {header}: write it as NAME=VALUE")))
        .map(|pair| pair.map(|(name, value)| (name.as_bytes(), Some(value.as_bytes()))))
        .collect::<Result<Vec<_>, _>>()?;
    let mut input = BufReader::with_capacity(1 << 16, tokio::io::stdin());
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line).await? == 0 {
            break;
        }
        if line.len() > LINE_BYTES {
            return Err(format!("a line of {} bytes: {LINE_BYTES} at most", line.len()).into());
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let (key, value) = arguments.split(text);
        let value = (!value.is_empty() || !arguments.empty_is_null).then_some(value);
        let record = RecordRef { timestamp: None, key, value, headers: &headers };
        producer.send(&topic, arguments.partition, record).await?;
    }
    Ok(producer.flush().await?)
}

impl ProduceArguments {
    /// A line without the delimiter is all payload.
    fn split<'a>(&self, line: &'a [u8]) -> (Option<&'a [u8]>, &'a [u8]) {
        let delimiter = self.key_delimiter.as_deref().unwrap_or_default().as_bytes();
        if delimiter.is_empty() {
            return (None, line);
        }
        match line.windows(delimiter.len()).position(|window| window == delimiter) {
            Some(at) => {
                let (key, rest) = line.split_at(at);
                let key = (!key.is_empty() || !self.empty_is_null).then_some(key);
                (key, &rest[delimiter.len()..])
            }
            None => (None, line),
        }
    }
}
