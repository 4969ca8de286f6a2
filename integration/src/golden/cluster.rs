//! What the steps of a case do to the cluster, through our own client.

use super::case::{Topic, setting};
use super::cell;
use crate::transaction::{Record, TransactionalProducer};
use millstream_client::{
    ClientOptions, ErrorCode, FetchOptions, Isolation, Kafka, NewTopic, OffsetSpec, Producer,
    ProducerOptions, RecordRef, TopicPartition,
};
use millstream_protocol::records::{Batches, Header};
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_secs(30);
const RECORD_BYTES: usize = 64 << 20;

/// A cluster that a case works on.
pub struct Cluster {
    /// Its address.
    pub bootstrap: String,
    kafka: Kafka,
    producer: Producer,
    transactions: HashMap<String, TransactionalProducer>,
    scope: String,
}

impl Cluster {
    /// Connects; `scope` keeps the names that one case takes apart from another's.
    pub async fn connect(bootstrap: &str, scope: &str) -> Result<Self, String> {
        let kafka = Kafka::connect(ClientOptions::new(bootstrap)).await.map_err(|error| error.to_string())?;
        let options = ProducerOptions { max_request_bytes: 8 << 20, ..ProducerOptions::default() };
        let producer = kafka.producer(options);
        let (transactions, scope) = (HashMap::new(), scope.into());
        Ok(Self { bootstrap: bootstrap.into(), kafka, producer, transactions, scope })
    }

    /// Deletes what an earlier run left of these topics, then makes those of `topics`.
    pub async fn prepare(&self, topics: &[Topic], others: &[String]) -> Result<(), String> {
        let names: Vec<String> =
            topics.iter().map(|topic| topic.name.clone()).chain(others.iter().cloned()).collect();
        let described = self.kafka.describe_topics(&names).await.map_err(|error| error.to_string())?;
        let left: Vec<String> = described
            .into_iter()
            .filter(|topic| topic.error == ErrorCode::NONE)
            .map(|topic| topic.name.to_string())
            .collect();
        if !left.is_empty() {
            self.kafka.admin().delete_topics(&left, DEADLINE).await.map_err(|error| error.to_string())?;
        }
        self.create(topics).await
    }

    async fn create(&self, topics: &[Topic]) -> Result<(), String> {
        if topics.is_empty() {
            return Ok(());
        }
        let topics: Vec<NewTopic> = topics
            .iter()
            .map(|topic| {
                let mut new = NewTopic::new(&topic.name, topic.partitions);
                new.configs.insert("retention.ms".into(), "-1".into());
                new.configs.extend(topic.config.iter().map(|(name, value)| (name.clone(), setting(value))));
                new
            })
            .collect();
        self.kafka.admin().create_topics(&topics, DEADLINE).await.map_err(|error| error.to_string())
    }

    /// The step `create_topics`.
    pub async fn create_topics(&self, topics: &Value) -> Result<(), String> {
        let topics: Vec<Topic> = serde_json::from_value(topics.clone()).map_err(|error| error.to_string())?;
        self.create(&topics).await
    }

    /// The step `add_partitions`: `count` is the new total.
    pub async fn add_partitions(&self, step: &Value) -> Result<(), String> {
        let (topic, count) = (text(step, "topic")?, number(step, "count")?);
        let count = i32::try_from(count).map_err(|error| error.to_string())?;
        self.kafka.admin().create_partitions(&topic, count, DEADLINE).await.map_err(|error| error.to_string())
    }

    /// The step `delete_topic`.
    pub async fn delete_topic(&self, topic: &str) -> Result<(), String> {
        self.kafka
            .admin()
            .delete_topics(&[topic.to_owned()], DEADLINE)
            .await
            .map_err(|error| error.to_string())
    }

    /// The step `delete_records`.
    pub async fn delete_records(&self, step: &Value) -> Result<(), String> {
        let partition = partition_of(step)?;
        let before = [(partition, number(step, "before")?)];
        let deleted = self.kafka.admin().delete_records(&before, DEADLINE).await;
        deleted.map(|_| ()).map_err(|error| error.to_string())
    }

    /// The step `produce`: every record is acknowledged before it returns.
    pub async fn produce(&self, records: &Value) -> Result<(), String> {
        for record in records.as_array().ok_or("produce without a list")? {
            let topic: Arc<str> = text(record, "topic")?.into();
            let partition = record["partition"].as_i64().map(|partition| partition as i32);
            let (key, value) = (cell::bytes(&record["key"])?, cell::bytes(&record["value"])?);
            let headers = headers_of(record)?;
            let headers: Vec<Header<'_>> =
                headers.iter().map(|(key, value)| (key.as_bytes(), value.as_deref())).collect();
            let record = RecordRef {
                timestamp: record["timestamp_ms"].as_i64(),
                key: key.as_deref(),
                value: value.as_deref(),
                headers: &headers,
            };
            self.producer.send(&topic, partition, record).await.map_err(|error| error.to_string())?;
        }
        self.producer.flush().await.map_err(|error| error.to_string())
    }

    /// The step `txn`: one transactional producer per id; a step may begin, produce and end.
    pub fn transaction(&mut self, step: &Value) -> Result<(), String> {
        // Cases run side by side: the ids of one must not fence those of another.
        let id = format!("{}-{}", self.scope, text(step, "id")?);
        if !self.transactions.contains_key(&id) {
            let started = TransactionalProducer::start(&self.bootstrap, &id)?;
            self.transactions.insert(id.clone(), started);
        }
        let producer = self.transactions.get_mut(&id).ok_or("a producer that was just started")?;
        let mut records = Vec::new();
        for record in step["produce"].as_array().into_iter().flatten() {
            let TopicPartition { topic, partition } = partition_of(record)?;
            records.push(Record {
                topic: topic.to_string(),
                partition,
                timestamp: record["timestamp_ms"].as_i64().unwrap_or_default(),
                key: cell::bytes(&record["key"])?,
                value: cell::bytes(&record["value"])?,
            });
        }
        producer.produce(&records)?;
        match step["end"].as_str() {
            Some("commit") => producer.end(true),
            Some("abort") => producer.end(false),
            _ => Ok(()),
        }
    }

    /// The end of every partition of a topic.
    pub async fn ends(&self, topic: &str) -> Result<Vec<(i32, i64)>, String> {
        let partitions = self.partitions(topic).await?;
        let wanted = partitions.iter().map(|partition| (partition.clone(), OffsetSpec::Latest)).collect();
        let found = self.kafka.list_offsets(wanted, Isolation::ReadUncommitted).await;
        let found = found.map_err(|error| error.to_string())?;
        Ok(found
            .into_iter()
            .map(|(place, found)| (place.partition, found.offset.unwrap_or_default()))
            .collect())
    }

    async fn partitions(&self, topic: &str) -> Result<Vec<TopicPartition>, String> {
        let described =
            self.kafka.describe_topics(&[topic.to_owned()]).await.map_err(|error| error.to_string())?;
        let partitions = described.into_iter().next().map(|topic| topic.partitions).unwrap_or_default();
        let place = |partition: i32| TopicPartition { topic: topic.into(), partition };
        Ok(partitions.iter().map(|partition| place(partition.partition)).collect())
    }

    /// The step `read_topic`: every committed record in the golden form.
    pub async fn read_topic(&self, topic: &str) -> Result<Vec<Value>, String> {
        let described =
            self.kafka.describe_topics(&[topic.to_owned()]).await.map_err(|error| error.to_string())?;
        let partitions = described.into_iter().next().map(|topic| topic.partitions).unwrap_or_default();
        let partitions: Vec<TopicPartition> = partitions
            .iter()
            .map(|partition| TopicPartition { topic: topic.into(), partition: partition.partition })
            .collect();
        let ends = partitions.iter().map(|partition| (partition.clone(), OffsetSpec::Latest)).collect();
        let ends =
            self.kafka.list_offsets(ends, Isolation::ReadUncommitted).await.map_err(|e| e.to_string())?;
        let reader = self.kafka.reader(FetchOptions::default());
        let mut records = Vec::new();
        for partition in partitions {
            let end = ends.get(&partition).and_then(|found| found.offset).unwrap_or_default();
            let mut range = reader.read(&partition, 0, end);
            while let Some(fetched) = range.next().await.map_err(|error| error.to_string())? {
                collect(partition.partition, &fetched.records, (fetched.from, fetched.until), &mut records)?;
            }
        }
        Ok(records)
    }
}

fn collect(partition: i32, bytes: &[u8], range: (i64, i64), records: &mut Vec<Value>) -> Result<(), String> {
    let mut scratch = Vec::new();
    for batch in Batches::new(bytes) {
        let batch = batch.map_err(|error| error.to_string())?;
        if batch.header.is_control() {
            continue;
        }
        for record in batch.records(RECORD_BYTES, &mut scratch).map_err(|error| error.to_string())? {
            let record = record.map_err(|error| error.to_string())?;
            if !(range.0..range.1).contains(&record.offset) {
                continue;
            }
            let headers: Vec<Value> = record
                .headers
                .iter()
                .map(|(key, value)| {
                    json!([String::from_utf8_lossy(key), value.map_or(Value::Null, cell::binary)])
                })
                .collect();
            records.push(json!({
                "partition": partition,
                "key": record.key.map_or(Value::Null, cell::binary),
                "value": record.value.map_or(Value::Null, cell::binary),
                "headers": if headers.is_empty() { Value::Null } else { Value::Array(headers) },
            }));
        }
    }
    Ok(())
}

type NamedBytes = (String, Option<Vec<u8>>);

fn headers_of(record: &Value) -> Result<Vec<NamedBytes>, String> {
    let pair = |pair: &Value| {
        let name = pair[0].as_str().ok_or("a header without a name")?;
        Ok((name.to_owned(), cell::bytes(&pair[1])?))
    };
    record["headers"].as_array().into_iter().flatten().map(pair).collect()
}

fn partition_of(step: &Value) -> Result<TopicPartition, String> {
    let partition = i32::try_from(number(step, "partition")?).map_err(|error| error.to_string())?;
    Ok(TopicPartition { topic: text(step, "topic")?.into(), partition })
}

fn text(step: &Value, key: &str) -> Result<String, String> {
    step[key].as_str().map(str::to_owned).ok_or_else(|| format!("a step without {key}: {step}"))
}

fn number(step: &Value, key: &str) -> Result<i64, String> {
    step[key].as_i64().ok_or_else(|| format!("a step without {key}: {step}"))
}

/// Whether an object holds anything under `key` but null.
pub fn has(step: &Map<String, Value>, key: &str) -> bool {
    step.get(key).is_some_and(|value| !value.is_null())
}
