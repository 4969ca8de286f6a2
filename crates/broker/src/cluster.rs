//! The cluster's state: nodes, topics and what is kept of groups and producers. One mutex guards all of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use millstream_protocol::ids::ErrorCode;
use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};
use uuid::Uuid;

use crate::config::TopicConfig;
use crate::error::{Error, Result};
use crate::groups::Groups;
use crate::log::Log;
use crate::options::{BrokerOptions, MAX_ALL_PARTITIONS, MAX_PARTITIONS};
use crate::partition::{Partition, Refusal};
use crate::store::{Change, Store, StoredPartition, StoredTopic, TopicsFile};
use crate::topic::{Topic, check_name};
use crate::transactions::Transactions;

pub(crate) struct State {
    pub(crate) options: Arc<BrokerOptions>,
    pub(crate) cluster_id: String,
    /// Host and port of node i + 1.
    pub(crate) addresses: Vec<(String, u16)>,
    pub(crate) topics: BTreeMap<Arc<str>, Topic>,
    topic_names: HashMap<Uuid, Arc<str>>,
    pub(crate) groups: Groups,
    pub(crate) transactions: Transactions,
    pub(crate) next_producer_id: i64,
    pub(crate) store: Option<Store>,
    pub(crate) random: StdRng,
    /// Node that leads partition 0 of the next topic.
    first_leader: usize,
}

/// A topic to be made.
pub(crate) struct NewTopic<'a> {
    pub(crate) name: &'a str,
    /// -1 takes the default.
    pub(crate) partitions: i32,
    /// -1 takes the default.
    pub(crate) replication: i16,
    /// Replicas by partition; the first leads. Empty: spread over the nodes.
    pub(crate) assignments: Vec<Vec<i32>>,
    pub(crate) config: TopicConfig,
}

impl State {
    pub(crate) fn open(options: BrokerOptions) -> Result<Self> {
        options.validate()?;
        let host = options.advertised();
        let addresses =
            (0..options.nodes).map(|i| (host.clone(), options.port.saturating_add(i as u16))).collect();
        let mut random = options.seed.map_or_else(StdRng::from_os_rng, StdRng::seed_from_u64);
        let cluster_id = options.cluster_id.clone().unwrap_or_else(|| id_text(random_uuid(&mut random)));
        let opened = options.data_dir.as_deref().map(Store::open).transpose()?;
        let mut state = Self {
            options: Arc::new(options),
            cluster_id,
            addresses,
            topics: BTreeMap::new(),
            topic_names: HashMap::new(),
            groups: Groups::default(),
            transactions: Transactions::default(),
            next_producer_id: 0,
            store: None,
            random,
            first_leader: 0,
        };
        if let Some((store, topics, changes)) = opened {
            state.store = Some(store);
            state.recover(topics, &changes)?;
        }
        Ok(state)
    }

    fn recover(&mut self, topics: Option<TopicsFile>, changes: &[Change]) -> Result<()> {
        let fresh = topics.is_none();
        let topics = topics.unwrap_or_default();
        if !fresh && self.options.cluster_id.is_none() {
            self.cluster_id = topics.cluster_id;
        }
        let starts: HashMap<(Uuid, i32), i64> = changes.iter().filter_map(log_start).collect();
        for stored in topics.topics {
            self.recover_topic(stored, &starts)?;
        }
        for change in changes {
            match change {
                Change::Offset { group, topic, partition, committed: Some(committed) } => {
                    self.groups.restore_offset(group, topic, *partition, committed.clone());
                }
                Change::ProducerIds { below } => self.next_producer_id = *below,
                Change::Transaction { .. } => self.transactions.restore(change),
                Change::Offset { committed: None, .. } | Change::LogStart { .. } => {}
            }
        }
        self.save_topics()
    }

    fn recover_topic(&mut self, stored: StoredTopic, starts: &HashMap<(Uuid, i32), i64>) -> Result<()> {
        let name: Arc<str> = stored.name.into();
        let mut partitions = Vec::with_capacity(stored.partitions.len());
        for (index, kept) in (0..).zip(stored.partitions) {
            let store = self.store.as_ref().expect("only a broker with a data directory recovers");
            let start = starts.get(&(stored.id, index)).copied().unwrap_or(0);
            let mut partition = Partition::new(Log::in_memory(), self.known_node(kept.leader), kept.replicas);
            let log = Log::open(&store.log_folder(&name, index), start, |header, batch| {
                partition.learn(header, batch)
            })?;
            partition.log = log;
            partition.leader_epoch = kept.leader_epoch;
            partitions.push(partition);
        }
        self.topic_names.insert(stored.id, name.clone());
        let config = TopicConfig { set: stored.config };
        self.topics.insert(name.clone(), Topic { name, id: stored.id, config, partitions });
        Ok(())
    }

    /// A stored leader, unless the broker now has fewer nodes.
    fn known_node(&self, node: i32) -> i32 {
        if self.has_node(node) { node } else { 1 }
    }

    pub(crate) fn has_node(&self, node: i32) -> bool {
        usize::try_from(node).is_ok_and(|node| (1..=self.addresses.len()).contains(&node))
    }

    /// Node ids, from 1.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = (i32, &(String, u16))> {
        (1..).zip(&self.addresses)
    }

    pub(crate) fn topic_by_id(&self, id: Uuid) -> Option<&Topic> {
        self.topics.get(self.topic_names.get(&id)?)
    }

    pub(crate) fn topic_name(&self, id: Uuid) -> Option<Arc<str>> {
        self.topic_names.get(&id).cloned()
    }

    pub(crate) fn partition_mut(&mut self, topic: &str, partition: i32) -> Option<&mut Partition> {
        self.topics.get_mut(topic)?.partition_mut(partition)
    }

    pub(crate) fn partition(&self, topic: &str, partition: i32) -> Option<&Partition> {
        self.topics.get(topic)?.partition(partition)
    }

    /// Checks a topic and, unless `validate_only`, makes it. Returns its number of partitions and replicas.
    pub(crate) fn create_topic(
        &mut self,
        new: NewTopic<'_>,
        validate_only: bool,
    ) -> Result<(i32, i16), Refusal> {
        check_name(new.name).map_err(|text| (ErrorCode::INVALID_TOPIC_EXCEPTION, text))?;
        if self.topics.contains_key(new.name) {
            return Err((ErrorCode::TOPIC_ALREADY_EXISTS, format!("Topic '{}' already exists.", new.name)));
        }
        let replicas = self.place(&new)?;
        self.check_room(replicas.len())?;
        let counts = (replicas.len() as i32, replicas.first().map_or(1, |nodes| nodes.len() as i16));
        if validate_only {
            return Ok(counts);
        }
        let name: Arc<str> = new.name.into();
        let partitions = self.open_partitions(&name, 0, replicas).map_err(refusal)?;
        let id = self.random_uuid();
        self.first_leader += 1;
        self.topic_names.insert(id, name.clone());
        self.topics.insert(name.clone(), Topic { name, id, config: new.config, partitions });
        self.save_topics().map_err(refusal)?;
        Ok(counts)
    }

    /// The replicas of each partition of a new topic.
    fn place(&self, new: &NewTopic<'_>) -> Result<Vec<Vec<i32>>, Refusal> {
        if !new.assignments.is_empty() {
            let sound = |nodes: &Vec<i32>| !nodes.is_empty() && nodes.iter().all(|node| self.has_node(*node));
            let few = new.assignments.len() <= MAX_PARTITIONS as usize;
            return if few && new.assignments.iter().all(sound) {
                Ok(new.assignments.clone())
            } else {
                Err((
                    ErrorCode::INVALID_REPLICA_ASSIGNMENT,
                    "The assignment names no nodes, unknown ones, or too many partitions.".to_owned(),
                ))
            };
        }
        let partitions = if new.partitions == -1 { self.options.default_partitions } else { new.partitions };
        if !(1..=MAX_PARTITIONS).contains(&partitions) {
            let text = format!(
                "Number of partitions was set to an invalid value: {partitions}; give 1 to {MAX_PARTITIONS}."
            );
            return Err((ErrorCode::INVALID_PARTITIONS, text));
        }
        let nodes = self.addresses.len();
        let replication = if new.replication == -1 { 1 } else { new.replication };
        if replication < 1 {
            let text = "Replication factor must be larger than 0, or -1 to use the default value.".to_owned();
            return Err((ErrorCode::INVALID_REPLICATION_FACTOR, text));
        }
        let replication = replication as usize;
        if replication > nodes {
            let text = format!(
                "Unable to replicate the partition {replication} time(s): only {nodes} broker(s) exist."
            );
            return Err((ErrorCode::INVALID_REPLICATION_FACTOR, text));
        }
        Ok((0..partitions as usize).map(|at| self.spread(at, replication)).collect())
    }

    /// Whether so many more partitions may be made.
    fn check_room(&self, more: usize) -> Result<(), Refusal> {
        let have: usize = self.topics.values().map(|topic| topic.partitions.len()).sum();
        if have + more <= MAX_ALL_PARTITIONS {
            return Ok(());
        }
        let text = format!(
            "The topics have {have} partitions together and may have {MAX_ALL_PARTITIONS}; delete topics first."
        );
        Err((ErrorCode::POLICY_VIOLATION, text))
    }

    fn spread(&self, at: usize, replication: usize) -> Vec<i32> {
        let nodes = self.addresses.len();
        (0..replication).map(|i| ((self.first_leader + at + i) % nodes) as i32 + 1).collect()
    }

    fn open_partitions(&self, topic: &str, from: i32, replicas: Vec<Vec<i32>>) -> Result<Vec<Partition>> {
        let mut partitions = Vec::with_capacity(replicas.len());
        for (index, nodes) in (from..).zip(replicas) {
            let log = match &self.store {
                None => Log::in_memory(),
                Some(store) => {
                    store.remove_log(topic, index)?;
                    Log::open(&store.log_folder(topic, index), 0, |_, _| {})?
                }
            };
            partitions.push(Partition::new(log, nodes[0], nodes));
        }
        Ok(partitions)
    }

    /// Grows a topic to `count` partitions; `assignments` holds the new ones' replicas, or nothing.
    pub(crate) fn add_partitions(
        &mut self,
        topic: &str,
        count: i32,
        assignments: Option<Vec<Vec<i32>>>,
        validate_only: bool,
    ) -> Result<(), Refusal> {
        let Some(found) = self.topics.get(topic) else {
            return Err((
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                "This server does not host this topic.".to_owned(),
            ));
        };
        let have = found.partitions.len() as i32;
        if count <= have || count > MAX_PARTITIONS {
            let text = format!(
                "The topic '{topic}' currently has {have} partition(s); {count} would not be an increase."
            );
            return Err((ErrorCode::INVALID_PARTITIONS, text));
        }
        self.check_room((count - have) as usize)?;
        let replication = found.partitions.first().map_or(1, |partition| partition.replicas.len());
        let spread = || {
            (have..count).map(|at| self.spread(at as usize, replication.min(self.addresses.len()))).collect()
        };
        let replicas = assignments.unwrap_or_else(spread);
        let sound = |nodes: &Vec<i32>| !nodes.is_empty() && nodes.iter().all(|node| self.has_node(*node));
        if replicas.len() as i32 != count - have || !replicas.iter().all(sound) {
            let text = "The assignment does not fit the new partitions or names unknown nodes.".to_owned();
            return Err((ErrorCode::INVALID_REPLICA_ASSIGNMENT, text));
        }
        if validate_only {
            return Ok(());
        }
        let mut added = self.open_partitions(topic, have, replicas).map_err(refusal)?;
        self.topics.get_mut(topic).expect("looked up above").partitions.append(&mut added);
        self.save_topics().map_err(refusal)
    }

    /// Removes a topic with its data. Returns whether there was one.
    pub(crate) fn delete_topic(&mut self, name: &str) -> Result<bool> {
        let Some(mut topic) = self.topics.remove(name) else { return Ok(false) };
        self.topic_names.remove(&topic.id);
        self.save_topics()?;
        self.forget_topic_offsets(name)?;
        for (index, partition) in (0..).zip(&mut topic.partitions) {
            partition.waiters.wake();
            if let Some(store) = &self.store {
                store.remove_log(name, index)?;
            }
        }
        Ok(true)
    }

    /// Writes `topics.json`, if there is a data directory.
    pub(crate) fn save_topics(&self) -> Result<()> {
        let Some(store) = &self.store else { return Ok(()) };
        let topics = self.topics.values().map(stored_topic).collect();
        store.save_topics(&TopicsFile { cluster_id: self.cluster_id.clone(), topics })
    }

    /// Appends to the journal, if there is a data directory.
    pub(crate) fn note(&mut self, change: &Change) -> Result<()> {
        self.store.as_mut().map_or(Ok(()), |store| store.note(change))
    }

    pub(crate) fn random_uuid(&mut self) -> Uuid {
        random_uuid(&mut self.random)
    }

    /// Makes everything durable; called when the last handle goes.
    pub(crate) fn sync(&self) -> Result<()> {
        let Some(store) = &self.store else { return Ok(()) };
        for partition in self.topics.values().flat_map(|topic| &topic.partitions) {
            partition.log.sync()?;
        }
        store.sync()
    }
}

fn log_start(change: &Change) -> Option<((Uuid, i32), i64)> {
    match change {
        Change::LogStart { topic, partition, offset } => Some(((*topic, *partition), *offset)),
        _ => None,
    }
}

fn stored_topic(topic: &Topic) -> StoredTopic {
    let partitions = topic.partitions.iter().map(|partition| StoredPartition {
        leader: partition.leader,
        leader_epoch: partition.leader_epoch,
        replicas: partition.replicas.clone(),
    });
    StoredTopic {
        name: topic.name.to_string(),
        id: topic.id,
        config: topic.config.set.clone(),
        partitions: partitions.collect(),
    }
}

pub(crate) fn refusal(error: Error) -> Refusal {
    (error.code(), error.to_string())
}

fn random_uuid(random: &mut StdRng) -> Uuid {
    let mut bytes = [0; 16];
    random.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

/// An id as Kafka writes it: 22 characters of URL-safe base64.
pub(crate) fn id_text(id: Uuid) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = id.as_u128();
    // 22 characters of 6 bits hold 132: the last one carries 2 bits and 4 zeros.
    let mut text: Vec<u8> = (0..21).map(|i| ALPHABET[(bits >> (122 - 6 * i)) as usize & 63]).collect();
    text.push(ALPHABET[(bits << 4) as usize & 63]);
    String::from_utf8(text).expect("the alphabet is ASCII")
}

#[cfg(test)]
mod tests;
