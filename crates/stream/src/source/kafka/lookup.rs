//! Asking the cluster: which partitions there are, and which offsets words and times mean now.

use std::collections::BTreeSet;

use millstream_client::{ErrorCode, Isolation, Kafka, OffsetSpec};
use millstream_protocol::ids::TopicPartition;

use super::offsets::{EARLIEST, LATEST, PartitionOffsets};
use super::options::{LookupRetries, ReadSettings};
use super::positions::{self, OnNoMatch, Position, ReadKind};
use crate::error::{Error, Result};
use crate::source::Split;

/// The questions of one read to one cluster.
#[derive(Debug, Clone)]
pub struct Lookup {
    /// The cluster.
    pub kafka: Kafka,
    /// The read.
    pub settings: ReadSettings,
    /// How often it asks.
    pub retries: LookupRetries,
    /// Whose end counts as latest.
    pub isolation: Isolation,
}

impl Lookup {
    /// The partitions that exist now.
    pub async fn partitions(&self) -> Result<BTreeSet<TopicPartition>> {
        let mut attempt = 1;
        loop {
            match self.settings.subscription.partitions(&self.kafka).await {
                Err(error) if self.tries_again(&error, attempt) => attempt += 1,
                result => return result,
            }
            tokio::time::sleep(self.retries.pause).await;
        }
    }

    /// The end of each partition.
    pub async fn latest<'a>(
        &self,
        partitions: impl IntoIterator<Item = &'a TopicPartition>,
    ) -> Result<PartitionOffsets> {
        self.offsets(partitions.into_iter().map(|tp| (tp.clone(), OffsetSpec::Latest)).collect()).await
    }

    /// The first offset of each partition.
    pub async fn earliest<'a>(
        &self,
        partitions: impl IntoIterator<Item = &'a TopicPartition>,
    ) -> Result<PartitionOffsets> {
        self.offsets(partitions.into_iter().map(|tp| (tp.clone(), OffsetSpec::Earliest)).collect()).await
    }

    /// Where a stream starts in these partitions.
    pub async fn start(&self, partitions: &BTreeSet<TopicPartition>) -> Result<PartitionOffsets> {
        self.resolve(&self.settings.start, partitions, "start", ReadKind::Stream).await
    }

    /// The ranges that a batch read takes now.
    pub async fn ranges(&self) -> Result<Vec<Split>> {
        let partitions = self.partitions().await?;
        let start = self.resolve(&self.settings.start, &partitions, "start", ReadKind::Batch).await?;
        let end = self.resolve(&self.settings.end, &partitions, "end", ReadKind::Batch).await?;
        let mut ranges = Vec::with_capacity(start.len());
        for (tp, from) in start {
            let until = end.get(&tp).copied().unwrap_or(from);
            if from > until {
                let condition = "RESOLVED_START_OFFSET_GREATER_THAN_END_OFFSET";
                return Err(positions::backwards(condition, &tp, from, until, "offset"));
            }
            ranges.push(Split { topic: tp.topic, partition: tp.partition, from, until, task: 0 });
        }
        Ok(ranges)
    }

    async fn resolve(
        &self,
        position: &Position,
        partitions: &BTreeSet<TopicPartition>,
        which: &str,
        kind: ReadKind,
    ) -> Result<PartitionOffsets> {
        match position {
            Position::Earliest => self.earliest(partitions).await,
            Position::Latest => self.latest(partitions).await,
            Position::Offsets(given) => {
                positions::check_named_offsets(given, partitions, kind)?;
                self.resolve_words(given).await
            }
            Position::Timestamp(time, on_no_match) => {
                let times = partitions.iter().map(|tp| (tp.clone(), *time)).collect();
                self.at_times(&times, *on_no_match).await
            }
            Position::Timestamps(times, on_no_match) => {
                positions::check_named_timestamps(times, partitions, which)?;
                self.at_times(times, *on_no_match).await
            }
        }
    }

    async fn resolve_words(&self, given: &PartitionOffsets) -> Result<PartitionOffsets> {
        let word = |(tp, offset): (&TopicPartition, &i64)| match *offset {
            LATEST => Some((tp.clone(), OffsetSpec::Latest)),
            EARLIEST => Some((tp.clone(), OffsetSpec::Earliest)),
            _ => None,
        };
        let mut resolved = given.clone();
        resolved.extend(self.offsets(given.iter().filter_map(word).collect()).await?);
        Ok(resolved)
    }

    async fn at_times(&self, times: &PartitionOffsets, on_no_match: OnNoMatch) -> Result<PartitionOffsets> {
        let wanted = times.iter().map(|(tp, time)| (tp.clone(), OffsetSpec::Timestamp(*time))).collect();
        let found = self.ask(wanted).await?;
        let mut resolved = PartitionOffsets::new();
        let mut unmatched = Vec::new();
        for (tp, time) in times {
            match found.get(tp).copied().flatten() {
                Some(offset) => {
                    resolved.insert(tp.clone(), offset);
                }
                None if on_no_match == OnNoMatch::Latest => unmatched.push(tp.clone()),
                None => {
                    let text = format!(
                        "No offset matched from request of topic-partition {tp} and timestamp {time}."
                    );
                    return Err(Error::option("startingTimestamp", text));
                }
            }
        }
        resolved.extend(self.latest(&unmatched).await?);
        Ok(resolved)
    }

    async fn offsets(&self, wanted: Vec<(TopicPartition, OffsetSpec)>) -> Result<PartitionOffsets> {
        let found = self.ask(wanted).await?;
        // Earliest and latest exist for every partition that answers.
        Ok(found.into_iter().filter_map(|(tp, offset)| Some((tp, offset?))).collect())
    }

    async fn ask(
        &self,
        wanted: Vec<(TopicPartition, OffsetSpec)>,
    ) -> Result<std::collections::BTreeMap<TopicPartition, Option<i64>>> {
        if wanted.is_empty() {
            return Ok(Default::default());
        }
        let mut attempt = 1;
        loop {
            match self.kafka.list_offsets(wanted.clone(), self.isolation).await.map_err(Error::from) {
                Err(error) if self.tries_again(&error, attempt) => attempt += 1,
                result => return Ok(result?.into_iter().map(|(tp, found)| (tp, found.offset)).collect()),
            }
            tokio::time::sleep(self.retries.pause).await;
        }
    }

    /// A topic that is not there is no passing fault: the user should hear of it at once.
    fn tries_again(&self, error: &Error, attempt: u32) -> bool {
        let Error::Client(client) = error else { return false };
        attempt < self.retries.attempts
            && client.is_retriable()
            && client.code() != Some(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
    }
}
