//! Kafka as the source of a running query.
//!
//! The end of a batch comes from the watermarks that fetch responses bring; the brokers are asked only at the
//! start, after
//! an error, when partitions have come or gone, and where a call promises to have seen everything. A background task
//! looks for new partitions and topics, so that nothing in the path of a batch waits on a timer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use millstream_client::Isolation;
use millstream_columnar::records::DecoderMemory;
use millstream_protocol::ids::TopicPartition;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::clients::KafkaClients;
use super::limits::{self, Hold};
use super::lookup::Lookup;
use super::loss::{Loss, LossPolicy};
use super::offsets::{self, PartitionOffsets};
use super::options::KafkaRead;
use super::pushdown::Bounds;
use super::split_reader::SplitReader;
use super::{available_now, initial, names, ranges};
use crate::error::Result;
use crate::source::{
    Available, Freshness, Offset, QueryIdentity, ReadLimit, ScanProjection, Source, SourceFactory, SourceLog,
    Split,
};

/// How often the background task looks for partitions and topics that came or went.
const DISCOVERY: Duration = Duration::from_secs(1);

/// A streaming read of Kafka, before a query runs it.
#[derive(Debug)]
pub struct KafkaSourceFactory {
    /// The read, checked.
    pub read: Arc<KafkaRead>,
    /// The session's connections.
    pub clients: Arc<KafkaClients>,
}

#[async_trait]
impl SourceFactory for KafkaSourceFactory {
    fn schema(&self) -> SchemaRef {
        super::table_schema(self.read.include_headers)
    }

    async fn create(&self, query: &QueryIdentity) -> Result<Arc<dyn Source>> {
        let settings = self.read.settings()?;
        let (retries, properties) = (self.read.retries()?, self.read.properties(&settings)?);
        let fetch = properties.client.fetch.clone();
        let names = names::client_properties(&self.read.options);
        let kafka = self.clients.connect(names, properties.client).await?;
        let policy = LossPolicy { fail: settings.fail_on_data_loss };
        let group = match self.read.options.get("kafka.group.id") {
            Some(group) => group.to_owned(),
            None => format!(
                "{}-{}-{}-executor",
                settings.group,
                query.run_id,
                java_hash(&query.checkpoint.to_string_lossy())
            ),
        };
        let lookup = Lookup { kafka: kafka.clone(), settings, retries, isolation: fetch.isolation };
        let splits = SplitReader {
            reader: self.clients.reader(&kafka, fetch),
            policy,
            group: group.as_str().into(),
            include_headers: self.read.include_headers,
            bounds: Bounds::default(),
            memory: DecoderMemory::default(),
        };
        let shared = Arc::new(Shared::default());
        let discovery = self.clients.io().spawn(discover(lookup.clone(), shared.clone())).abort_handle();
        Ok(Arc::new(KafkaSource { read: self.read.clone(), lookup, splits, policy, shared, discovery }))
    }
}

/// What the source and its background task share.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    discovered: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The partitions of the last lookup; none before it.
    partitions: Option<BTreeSet<TopicPartition>>,
    /// Partitions may have come or gone since the last lookup.
    stale: bool,
    /// First offsets of partitions that came while the query ran.
    first: PartitionOffsets,
    available_now: AvailableNow,
    last_batch: Option<Instant>,
}

#[derive(Debug, Default, Clone, PartialEq)]
enum AvailableNow {
    #[default]
    Off,
    /// The target is looked up with the first new batch, so that a batch that is run again is not held against it.
    Wanted,
    Until(PartitionOffsets),
}

#[derive(Debug)]
struct KafkaSource {
    read: Arc<KafkaRead>,
    lookup: Lookup,
    splits: SplitReader,
    policy: LossPolicy,
    shared: Arc<Shared>,
    discovery: tokio::task::AbortHandle,
}

impl Drop for KafkaSource {
    fn drop(&mut self) {
        self.discovery.abort();
    }
}

async fn discover(lookup: Lookup, shared: Arc<Shared>) {
    loop {
        tokio::time::sleep(DISCOVERY).await;
        if shared.state.lock().partitions.is_none() {
            continue;
        }
        let found = lookup.settings.subscription.partitions(&lookup.kafka).await;
        let moved = {
            let mut state = shared.state.lock();
            // A topic that is gone is reported by the next lookup of the query itself.
            let moved = found.as_ref().map_or(true, |found| state.partitions.as_ref() != Some(found));
            state.stale |= moved;
            moved
        };
        if moved {
            shared.discovered.notify_one();
        }
    }
}

impl KafkaSource {
    /// The end of every partition; none while there is no partition.
    async fn ends(&self, begin: &PartitionOffsets, fresh: Freshness) -> Result<Option<PartitionOffsets>> {
        if let AvailableNow::Until(target) = &self.shared.state.lock().available_now {
            return Ok(Some(target.clone()));
        }
        let stale = self.shared.state.lock().stale;
        if fresh == Freshness::Known
            && !stale
            && let Some(known) = self.known_ends()
        {
            return Ok(Some(known));
        }
        let partitions = self.lookup.partitions().await?;
        {
            let mut state = self.shared.state.lock();
            state.partitions = Some(partitions.clone());
            state.stale = false;
        }
        if partitions.is_empty() {
            return Ok(None);
        }
        let ends = self.believable(begin, &partitions).await?;
        let mut state = self.shared.state.lock();
        if state.available_now == AvailableNow::Wanted {
            state.available_now = AvailableNow::Until(ends.clone());
        }
        Ok(Some(ends))
    }

    /// A broker that has just become leader may answer with an old end: an end before what was read already is asked
    /// for again before it is believed.
    async fn believable(
        &self,
        begin: &PartitionOffsets,
        partitions: &BTreeSet<TopicPartition>,
    ) -> Result<PartitionOffsets> {
        let mut ends = self.lookup.latest(partitions).await?;
        for _ in 1..self.lookup.retries.attempts {
            if !ends.iter().any(|(tp, end)| begin.get(tp).is_some_and(|from| end < from)) {
                break;
            }
            tokio::time::sleep(self.lookup.retries.pause).await;
            ends = self.lookup.latest(partitions).await?;
        }
        Ok(ends)
    }

    /// The ends that fetch responses told, when they told of every partition.
    fn known_ends(&self) -> Option<PartitionOffsets> {
        let state = self.shared.state.lock();
        let watermarks = self.splits.reader.watermarks();
        let end = |tp: &TopicPartition| {
            let told = watermarks.get(tp)?;
            let end = match self.lookup.isolation {
                Isolation::ReadUncommitted => told.high_watermark,
                Isolation::ReadCommitted => told.last_stable_offset,
            };
            Some((tp.clone(), end))
        };
        state.partitions.as_ref()?.iter().map(end).collect()
    }

    /// The positions at which a batch begins: those of the last batch, and the first offset of each partition that came
    /// since.
    async fn begins(&self, from: &PartitionOffsets, ends: &PartitionOffsets) -> Result<PartitionOffsets> {
        let new: Vec<TopicPartition> = {
            let state = self.shared.state.lock();
            ends.keys()
                .filter(|tp| !from.contains_key(*tp) && !state.first.contains_key(*tp))
                .cloned()
                .collect()
        };
        if !new.is_empty() {
            let found = self.lookup.earliest(&new).await?;
            let vanished: Vec<_> = new.into_iter().filter(|tp| !found.contains_key(tp)).collect();
            if !vanished.is_empty() {
                self.policy.report(&Loss::NewPartitionsVanished(vanished))?;
            }
            for (tp, offset) in found.iter().filter(|(_, offset)| **offset != 0) {
                self.policy.report(&Loss::NewPartitionStartsLate(tp.clone(), *offset))?;
            }
            self.shared.state.lock().first.extend(found);
        }
        let state = self.shared.state.lock();
        let begin = |tp: &TopicPartition| from.get(tp).or_else(|| state.first.get(tp)).copied();
        Ok(ends.keys().filter_map(|tp| Some((tp.clone(), begin(tp)?))).collect())
    }

    fn hold(&self, begin: &PartitionOffsets, ends: &PartitionOffsets) -> Hold {
        let mut state = self.shared.state.lock();
        if state.available_now != AvailableNow::Off {
            return Hold::Run;
        }
        let since_last = state.last_batch.map(|at| at.elapsed());
        let hold = limits::hold(&self.lookup.settings.limits, begin, ends, since_last);
        if hold == Hold::Run {
            state.last_batch = Some(Instant::now());
        }
        hold
    }

    /// Fetching goes on beyond the batch, so that the next one finds its rows here; not where an end is fixed.
    fn follow(&self, begin: &PartitionOffsets) {
        if self.shared.state.lock().available_now == AvailableNow::Off {
            self.splits.reader.follow_all(begin.iter().map(|(tp, offset)| (tp.clone(), *offset)));
        }
    }

    fn report_deleted(&self, from: &PartitionOffsets, until: &PartitionOffsets) -> Result<()> {
        let deleted: Vec<_> = from.keys().filter(|tp| !until.contains_key(*tp)).cloned().collect();
        if deleted.is_empty() {
            return Ok(());
        }
        let group = self.read.options.get("kafka.group.id").map(str::to_owned);
        self.policy.report(&Loss::Deleted(deleted, group))
    }
}

#[async_trait]
impl Source for KafkaSource {
    fn description(&self) -> String {
        format!("KafkaV2[{}]", self.lookup.settings.subscription.description())
    }

    fn parse_offset(&self, json: &str) -> Result<Offset> {
        Ok(offsets::to_offset(&offsets::parse_position(json)?))
    }

    async fn start(&self, log: &dyn SourceLog) -> Result<Offset> {
        if let Some(content) = log.get(0)? {
            return Ok(offsets::to_offset(&initial::decode(&content)?));
        }
        let start = self.lookup.start(&self.lookup.partitions().await?).await?;
        log.put(0, &initial::encode(&start))?;
        Ok(offsets::to_offset(&start))
    }

    async fn latest(&self, from: &Offset, limit: ReadLimit, fresh: Freshness) -> Result<Option<Available>> {
        let from = offsets::parse_position(from.as_str())?;
        let Some(ends) = self.ends(&from, fresh).await? else { return Ok(None) };
        let begin = self.begins(&from, &ends).await?;
        self.follow(&begin);
        let latest = Some(offsets::to_offset(&ends));
        let end = match limit {
            ReadLimit::All => ends,
            ReadLimit::Configured => match self.hold(&begin, &ends) {
                Hold::Wait(wait) => {
                    let end = offsets::to_offset(&from);
                    return Ok(Some(Available { end, latest, retry_after: Some(wait) }));
                }
                Hold::Run => limits::end(&self.lookup.settings.limits, &begin, &ends),
            },
        };
        Ok(Some(Available { end: offsets::to_offset(&end), latest, retry_after: None }))
    }

    async fn prepare_available_now(&self) -> Result<()> {
        self.shared.state.lock().available_now = AvailableNow::Wanted;
        Ok(())
    }

    async fn changed(&self) {
        tokio::select! {
            () = self.splits.reader.changed() => {}
            () = self.shared.discovered.notified() => {}
        }
    }

    async fn splits(&self, from: &Offset, until: &Offset, partitions: usize) -> Result<Vec<Vec<Split>>> {
        let from = offsets::parse_position(from.as_str())?;
        let until = offsets::parse_position(until.as_str())?;
        let target = match &self.shared.state.lock().available_now {
            AvailableNow::Until(target) => Some(target.clone()),
            _ => None,
        };
        if let Some(target) = target {
            let now = self.lookup.latest(&self.lookup.partitions().await?).await?;
            available_now::check(&until, &target, &now)?;
        }
        self.report_deleted(&from, &until)?;
        let begin = self.begins(&from, &until).await?;
        let mut whole = Vec::with_capacity(begin.len());
        for (tp, from) in begin {
            let until = until.get(&tp).copied().unwrap_or(from);
            if until < from {
                self.policy.report(&Loss::OffsetChanged(tp, from, until))?;
                continue;
            }
            whole.push(Split { topic: tp.topic, partition: tp.partition, from, until, task: 0 });
        }
        Ok(ranges::assign(ranges::cut(self.read.cut, whole), partitions))
    }

    fn open(
        &self,
        split: &Split,
        projection: &ScanProjection,
        task: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        Ok(self.splits.open(split, projection, task.session_config().batch_size()))
    }

    fn metrics(&self, end: &Offset, latest: Option<&Offset>) -> BTreeMap<String, String> {
        let parse = |offset: &Offset| offsets::parse_position(offset.as_str()).ok();
        match (parse(end), latest.and_then(parse)) {
            (Some(end), Some(latest)) => behind(&end, &latest),
            _ => BTreeMap::new(),
        }
    }

    async fn stop(&self) {
        self.discovery.abort();
        let partitions = self.shared.state.lock().partitions.clone().unwrap_or_default();
        for tp in &partitions {
            self.splits.reader.unfollow(tp);
        }
    }
}

/// The hash by which Spark tells the groups of checkpoints apart.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// How far the end of a batch is behind the latest offsets, over its partitions.
fn behind(end: &PartitionOffsets, latest: &PartitionOffsets) -> BTreeMap<String, String> {
    let lags: Vec<i64> = latest.iter().filter_map(|(tp, last)| Some((last - end.get(tp)?).max(0))).collect();
    let (Some(min), Some(max)) = (lags.iter().min(), lags.iter().max()) else { return BTreeMap::new() };
    let average = lags.iter().map(|lag| *lag as f64).sum::<f64>() / lags.len() as f64;
    BTreeMap::from([
        ("minOffsetsBehindLatest".into(), min.to_string()),
        ("maxOffsetsBehindLatest".into(), max.to_string()),
        ("avgOffsetsBehindLatest".into(), format!("{average:.1}")),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_checkpoint_is_javas() {
        assert_eq!(java_hash("hello"), 99_162_322);
        assert_eq!(java_hash("/tmp/checkpoint/of/a/query"), java_hash("/tmp/checkpoint/of/a/query"));
    }

    #[test]
    fn lag_is_counted_over_the_partitions_of_the_batch() {
        let position = |text| offsets::parse_position(text).unwrap();
        let end = position(r#"{"t":{"0":14,"1":3,"2":1}}"#);
        let metrics = behind(&end, &position(r#"{"t":{"0":24,"1":6,"2":1}}"#));
        assert_eq!(metrics["minOffsetsBehindLatest"], "0");
        assert_eq!(metrics["maxOffsetsBehindLatest"], "10");
        assert_eq!(metrics["avgOffsetsBehindLatest"], "4.3");
        assert!(behind(&end, &PartitionOffsets::new()).is_empty());
    }
}
