//! Records that are gone before they were read: what is said, and whether the query goes on.
//!
//! With `failOnDataLoss` (the default) the query fails with a condition under `KAFKA_DATA_LOSS`; without it a warning
//! is logged and reading goes on with what is left. No record is ever returned twice.

use millstream_protocol::ids::TopicPartition;

use super::offsets;
use crate::error::{Error, Result, spark_error};

/// What to do about a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LossPolicy {
    /// `failOnDataLoss`.
    pub fail: bool,
}

/// A loss.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// A partition that came while the query ran has lost its first records already.
    NewPartitionStartsLate(TopicPartition, i64),
    /// Partitions that came while the query ran were gone before their first offset was known.
    NewPartitionsVanished(Vec<TopicPartition>),
    /// Partitions that were being read are gone. With a group id of the user's.
    Deleted(Vec<TopicPartition>, Option<String>),
    /// A partition ends before the position that was reached.
    OffsetChanged(TopicPartition, i64, i64),
    /// A range is not there any more.
    CouldNotRead {
        /// The partition.
        partition: TopicPartition,
        /// The first offset that was wanted.
        from: i64,
        /// The end of the range.
        until: i64,
        /// The group's name.
        group: String,
    },
}

impl LossPolicy {
    /// Fails, or logs a warning and goes on.
    pub fn report(self, loss: &Loss) -> Result<()> {
        if self.fail {
            return Err(loss.error(true));
        }
        tracing::warn!(loss = %loss.error(false), "data may have been lost; the query goes on");
        Ok(())
    }
}

const FAILED: &str = "Some data may have been lost because they are not available in Kafka any more;\n\
     either the data was aged out by Kafka or the topic may have been deleted before all the data in the\n\
     topic was processed.\n\
     If you don't want your streaming query to fail on such cases, set the source option failOnDataLoss to false.";

const WENT_ON: &str = "Some data may have been lost because they are not available in Kafka any more.";

impl Loss {
    fn error(&self, failed: bool) -> Error {
        let (condition, parameters, reason) = self.parts();
        let head = if failed { FAILED } else { WENT_ON };
        let condition = format!("KAFKA_DATA_LOSS.{condition}");
        spark_error(&condition, Some("22000"), parameters, format!("{head}\nReason: {reason}"))
    }

    fn parts(&self) -> (&'static str, Vec<(&'static str, String)>, String) {
        match self {
            Loss::NewPartitionStartsLate(tp, offset) => (
                "ADDED_PARTITION_DOES_NOT_START_FROM_OFFSET_ZERO",
                vec![("topicPartition", tp.to_string()), ("startOffset", offset.to_string())],
                format!("Added partition {tp} starts from {offset} instead of 0."),
            ),
            Loss::NewPartitionsVanished(partitions) => {
                let names = format!("Set({})", offsets::list(partitions));
                (
                    "INITIAL_OFFSET_NOT_FOUND_FOR_PARTITIONS",
                    vec![("partitions", names.clone())],
                    format!(
                        "Cannot find initial offsets for partitions {names}. They may have been deleted."
                    ),
                )
            }
            Loss::Deleted(partitions, group) => {
                let names = format!("Set({})", offsets::list(partitions));
                let said = format!("Partitions {names} have been deleted.");
                match group {
                    None => ("PARTITIONS_DELETED", vec![("partitions", names)], said),
                    Some(group) => (
                        "PARTITIONS_DELETED_AND_GROUP_ID_CONFIG_PRESENT",
                        vec![("partitions", names), ("groupIdConfigName", "kafka.group.id".into())],
                        format!("{said} The group '{group}' was given as 'kafka.group.id'."),
                    ),
                }
            }
            Loss::OffsetChanged(tp, before, now) => (
                "PARTITION_OFFSET_CHANGED",
                vec![
                    ("topicPartition", tp.to_string()),
                    ("prevOffset", before.to_string()),
                    ("newOffset", now.to_string()),
                ],
                format!(
                    "Partition {tp} offset was changed from {before} to {now}.\nEither the start offset was set \
                     beyond the available offsets when the query was started, or the topic was deleted and created \
                     again."
                ),
            ),
            Loss::CouldNotRead { partition, from, until, group } => (
                "COULD_NOT_READ_OFFSET_RANGE",
                vec![
                    ("topicPartition", partition.to_string()),
                    ("startOffset", from.to_string()),
                    ("endOffset", until.to_string()),
                    ("groupId", group.clone()),
                ],
                format!(
                    "Could not read records in offset [{from}, {until}) for topic partition {partition}\nwith \
                     consumer group {group}."
                ),
            ),
        }
    }
}

/// What is left of a range after a part of it was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Nothing of it exists.
    Nothing,
    /// Everything from this offset on.
    From(i64),
}

/// Judges a range against the offsets `log_start..log_end` that exist.
pub fn rest(position: i64, until: i64, log_start: i64, log_end: i64) -> Rest {
    if position >= log_end || until <= log_start {
        Rest::Nothing
    } else {
        Rest::From(position.max(log_start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_range_goes_on_at_the_first_offset_that_exists() {
        assert_eq!(rest(3, 10, 6, 10), Rest::From(6));
        assert_eq!(rest(7, 10, 6, 10), Rest::From(7));
        assert_eq!(rest(3, 6, 6, 10), Rest::Nothing);
        assert_eq!(rest(12, 20, 6, 10), Rest::Nothing);
    }

    #[test]
    fn a_loss_fails_with_its_condition_unless_it_is_allowed() {
        let tp = TopicPartition { topic: "t".into(), partition: 0 };
        let loss = Loss::OffsetChanged(tp, 9, 3);
        let error = LossPolicy { fail: true }.report(&loss).unwrap_err();
        let spark = error.spark().unwrap();
        assert_eq!(spark.condition.as_deref(), Some("KAFKA_DATA_LOSS.PARTITION_OFFSET_CHANGED"));
        assert_eq!(spark.sqlstate.as_deref(), Some("22000"));
        assert_eq!(spark.parameters["prevOffset"], "9");
        LossPolicy { fail: false }.report(&loss).unwrap();
    }
}
