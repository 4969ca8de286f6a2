//! The sources of a running query: their positions, and what they have for the next batch.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use futures::future::{select_all, try_join_all};

use super::compile::StreamingRead;
use crate::batch_context::SourceBatch;
use crate::checkpoint::{Checkpoint, OffsetEntry, SourceFiles};
use crate::error::Result;
use crate::source::{Freshness, Offset, QueryIdentity, ReadLimit, Source};

/// The sources in the order of the plan, which is the order of the lines in offsets/N.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    all: Vec<RunningSource>,
}

#[derive(Debug)]
struct RunningSource {
    read_id: u64,
    partitions: usize,
    source: Arc<dyn Source>,
    files: SourceFiles,
    /// The end of the last batch that is done; none before the first.
    done: Option<Offset>,
    /// Where it begins when nothing is done.
    start: Option<Offset>,
}

/// Where a batch begins and ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range {
    /// The end of the batch before it; none in batch 0.
    pub(crate) before: Option<Offset>,
    /// Its first position; none while the source has never had anything.
    pub(crate) from: Option<Offset>,
    /// Its end; none while the source has never had anything.
    pub(crate) end: Option<Offset>,
    /// What there was when it was planned; none when it is run again.
    pub(crate) latest: Option<Offset>,
}

/// What the sources have.
#[derive(Debug)]
pub(crate) struct Outlook {
    pub(crate) ranges: Vec<Range>,
    /// Whether any range is new: in batch 0 also an empty one, so that the start is on record.
    pub(crate) news: bool,
    /// Rows wait for a smallest batch size: look again after this time.
    pub(crate) retry_after: Option<Duration>,
}

impl Sources {
    /// Opens every source.
    pub(crate) async fn open(
        reads: Vec<StreamingRead>,
        identity: &QueryIdentity,
        checkpoint: &Checkpoint,
    ) -> Result<Self> {
        let mut all = Vec::with_capacity(reads.len());
        for (index, read) in reads.into_iter().enumerate() {
            let source = read.factory.create(identity).await?;
            let files = checkpoint.source_files(index)?;
            let StreamingRead { read_id, partitions, .. } = read;
            all.push(RunningSource { read_id, partitions, source, files, done: None, start: None });
        }
        Ok(Self { all })
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn descriptions(&self) -> impl Iterator<Item = String> {
        self.all.iter().map(|source| source.source.description())
    }

    /// Goes on behind a batch that the checkpoint holds.
    pub(crate) fn resume_behind(&mut self, entry: &OffsetEntry) -> Result<()> {
        for (running, logged) in self.all.iter_mut().zip(&entry.sources) {
            running.done = match logged {
                Some(json) => Some(running.source.parse_offset(json)?),
                None => None,
            };
        }
        Ok(())
    }

    /// The ranges of a batch that was planned before.
    pub(crate) async fn planned_again(&mut self, entry: &OffsetEntry) -> Result<Vec<Range>> {
        let mut ranges = Vec::with_capacity(self.all.len());
        for (running, logged) in self.all.iter_mut().zip(&entry.sources) {
            let end = match logged {
                Some(json) => Some(running.source.parse_offset(json)?),
                None => None,
            };
            let from = match &end {
                Some(_) => Some(running.position().await?),
                None => None,
            };
            ranges.push(Range { before: running.done.clone(), from, end, latest: None });
        }
        Ok(ranges)
    }

    /// Asks all sources, side by side.
    pub(crate) async fn look(&mut self, limit: ReadLimit, fresh: Freshness) -> Result<Outlook> {
        let looks = try_join_all(self.all.iter_mut().map(|source| source.look(limit, fresh))).await?;
        let mut outlook = Outlook { ranges: Vec::with_capacity(looks.len()), news: false, retry_after: None };
        for (range, retry_after) in looks {
            outlook.news |= range.end.is_some() && range.end != range.before;
            outlook.retry_after = [outlook.retry_after, retry_after].into_iter().flatten().min();
            outlook.ranges.push(range);
        }
        Ok(outlook)
    }

    /// From here on no batch goes beyond what is there now.
    pub(crate) async fn prepare_available_now(&self) -> Result<()> {
        for running in &self.all {
            running.source.prepare_available_now().await?;
        }
        Ok(())
    }

    /// Resolves when a source may have something new.
    pub(crate) async fn changed(&self) {
        if self.all.is_empty() {
            return std::future::pending().await;
        }
        select_all(self.all.iter().map(|running| running.source.changed())).await;
    }

    /// The pieces of a batch, for its operators.
    pub(crate) async fn splits(&self, ranges: &[Range]) -> Result<HashMap<u64, Arc<SourceBatch>>> {
        let mut batch = HashMap::with_capacity(self.all.len());
        for (running, range) in self.all.iter().zip(ranges) {
            let source = Arc::clone(&running.source);
            let splits = match (&range.from, &range.end) {
                (Some(from), Some(end)) if from != end => {
                    source.splits(from, end, running.partitions).await?
                }
                _ => vec![Vec::new(); running.partitions],
            };
            batch.insert(running.read_id, Arc::new(SourceBatch::new(source, splits)));
        }
        Ok(batch)
    }

    /// Rows that a batch read, by source.
    pub(crate) fn rows_read(&self, batch: &HashMap<u64, Arc<SourceBatch>>) -> Vec<u64> {
        let rows = |running: &RunningSource| batch.get(&running.read_id).map_or(0, |batch| batch.rows_read());
        self.all.iter().map(rows).collect()
    }

    /// A batch is done and on record.
    pub(crate) async fn committed(&mut self, ranges: &[Range]) -> Result<()> {
        for (running, range) in self.all.iter_mut().zip(ranges) {
            if let Some(end) = &range.end {
                running.done = Some(end.clone());
                running.source.committed(end).await?;
            }
        }
        Ok(())
    }

    /// Each source's own figures. None for a batch that is run again, where nothing was asked.
    pub(crate) fn metrics(&self, ranges: &[Range]) -> Vec<BTreeMap<String, String>> {
        let figures = |(running, range): (&RunningSource, &Range)| match (&range.end, &range.latest) {
            (Some(end), Some(latest)) => running.source.metrics(end, Some(latest)),
            _ => BTreeMap::new(),
        };
        self.all.iter().zip(ranges).map(figures).collect()
    }

    pub(crate) async fn stop(&self) {
        for running in &self.all {
            running.source.stop().await;
        }
    }
}

impl RunningSource {
    /// Where the next batch begins. Before the first batch the source decides and records it.
    async fn position(&mut self) -> Result<Offset> {
        if let Some(done) = &self.done {
            return Ok(done.clone());
        }
        if let Some(start) = &self.start {
            return Ok(start.clone());
        }
        let start = self.source.start(&self.files).await?;
        self.start = Some(start.clone());
        Ok(start)
    }

    async fn look(&mut self, limit: ReadLimit, fresh: Freshness) -> Result<(Range, Option<Duration>)> {
        let from = self.position().await?;
        let before = self.done.clone();
        let Some(available) = self.source.latest(&from, limit, fresh).await? else {
            let range = Range { end: before.clone(), before, from: Some(from), latest: None };
            return Ok((range, None));
        };
        let end = Some(available.end);
        Ok((Range { before, from: Some(from), end, latest: available.latest }, available.retry_after))
    }
}
