//! librdkafka with its best settings for a scan: big fetches, deep queues, CRC checked, no group, no commits.

use crate::columns::Columns;
use crate::contender::{Tally, Task};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use std::time::Duration;

const STALL: Duration = Duration::from_secs(30);

/// Reads every partition from its beginning until the rows are there.
pub fn read(task: &Task, tally: &mut Tally) -> Result<(), String> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &task.bootstrap)
        .set("group.id", "not-used")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("check.crcs", "true")
        .set("fetch.message.max.bytes", "4194304")
        .set("queued.min.messages", "1000000")
        .set("queued.max.messages.kbytes", "1048576")
        .create()
        .map_err(|error| error.to_string())?;
    let mut assignment = TopicPartitionList::new();
    for partition in 0..task.partitions {
        assignment
            .add_partition_offset(&task.topic, partition, Offset::Beginning)
            .map_err(|error| error.to_string())?;
    }
    consumer.assign(&assignment).map_err(|error| error.to_string())?;
    let mut columns = Columns::new(tally, task.verify);
    while columns.rows() < task.rows {
        match consumer.poll(STALL) {
            Some(Ok(message)) => {
                let timestamp = message.timestamp().to_millis().unwrap_or(-1);
                let numbers = (message.partition(), message.offset(), timestamp);
                columns.append(message.key(), message.payload(), message.topic(), numbers);
            }
            Some(Err(error)) => return Err(error.to_string()),
            None => return Err(format!("no record for {STALL:?} after {} rows", columns.rows())),
        }
    }
    columns.flush();
    Ok(())
}
