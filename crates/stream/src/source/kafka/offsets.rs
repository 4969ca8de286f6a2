//! Offsets of partitions and their JSON, as it stands in options, checkpoints and progress.
//!
//! `{"topicA":{"0":23,"1":-1},"topicB":{"0":-2}}`: topics by name, partitions by number, both sorted when printed. An
//! offset is the next one to read. In options -1 stands for latest and -2 for earliest.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use millstream_protocol::ids::TopicPartition;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::source::Offset;

/// In an option: the end of the partition at the moment of resolving.
pub const LATEST: i64 = -1;
/// In an option: the first record that still exists at the moment of resolving.
pub const EARLIEST: i64 = -2;

/// One offset (or timestamp) for each partition, sorted by topic and partition.
pub type PartitionOffsets = BTreeMap<TopicPartition, i64>;

/// Reads the offsets of an option; its value is quoted back when it has another form.
pub fn parse_offsets(option: &str, text: &str) -> Result<PartitionOffsets> {
    nested(text).ok_or_else(|| {
        Error::option(
            option,
            format!(r#"Expected e.g. {{"topicA":{{"0":23,"1":-1}},"topicB":{{"0":-2}}}}, got {text}"#),
        )
    })
}

/// Reads the timestamps, in milliseconds, of an option.
pub fn parse_timestamps(option: &str, text: &str) -> Result<PartitionOffsets> {
    nested(text).ok_or_else(|| {
        Error::option(
            option,
            format!(
                "Expected e.g. {{\"topicA\": {{\"0\": 123456789, \"1\": 123456789}}, \"topicB\": {{\"0\": 123456789, \
                 \"1\": 123456789}}}}, got {text}"
            ),
        )
    })
}

/// Reads `{"topicA":[0,1],"topicB":[2]}`.
pub fn parse_partitions(option: &str, text: &str) -> Result<Vec<TopicPartition>> {
    let parse = || -> Option<Vec<TopicPartition>> {
        let Value::Object(topics) = serde_json::from_str(text).ok()? else { return None };
        let mut found = Vec::new();
        for (topic, partitions) in topics {
            let topic: Arc<str> = topic.into();
            for partition in partitions.as_array()? {
                let partition = partition_number(partition.as_i64()?)?;
                found.push(TopicPartition { topic: topic.clone(), partition });
            }
        }
        found.sort();
        found.dedup();
        Some(found)
    };
    parse().ok_or_else(|| {
        Error::option(option, format!(r#"Expected e.g. {{"topicA":[0,1],"topicB":[0,1]}}, got {text}"#))
    })
}

/// Reads a position from a checkpoint or from [`print_offsets`].
pub fn parse_position(json: &str) -> Result<PartitionOffsets> {
    parse_offsets("offset", json)
}

/// The canonical text.
pub fn print_offsets(offsets: &PartitionOffsets) -> String {
    let mut text = String::from("{");
    let mut topic: Option<&Arc<str>> = None;
    for (tp, offset) in offsets {
        if topic == Some(&tp.topic) {
            text.push(',');
        } else {
            text.push_str(if topic.is_some() { "}," } else { "" });
            text.push_str(&Value::String(tp.topic.to_string()).to_string());
            text.push_str(":{");
            topic = Some(&tp.topic);
        }
        let _ = write!(text, "\"{}\":{offset}", tp.partition);
    }
    text.push_str(if topic.is_some() { "}}" } else { "}" });
    text
}

/// The canonical text as a position.
pub fn to_offset(offsets: &PartitionOffsets) -> Offset {
    Offset::new(print_offsets(offsets))
}

/// `t-0, t-1`, as the messages list partitions.
pub fn list<'a>(partitions: impl IntoIterator<Item = &'a TopicPartition>) -> String {
    let names: Vec<String> = partitions.into_iter().map(ToString::to_string).collect();
    names.join(", ")
}

fn nested(text: &str) -> Option<PartitionOffsets> {
    let Value::Object(topics) = serde_json::from_str(text).ok()? else { return None };
    let mut offsets = PartitionOffsets::new();
    for (topic, partitions) in topics {
        let topic: Arc<str> = topic.into();
        for (partition, offset) in partitions.as_object()? {
            let partition = partition_number(partition.parse().ok()?)?;
            offsets.insert(TopicPartition { topic: topic.clone(), partition }, long(offset)?);
        }
    }
    Some(offsets)
}

/// A whole number; a fraction is cut off, as Spark's reader does.
fn long(number: &Value) -> Option<i64> {
    number.as_i64().or_else(|| number.as_f64().map(|number| number as i64))
}

fn partition_number(number: i64) -> Option<i32> {
    i32::try_from(number).ok().filter(|&partition| partition >= 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(error: Error) -> String {
        error.to_string()
    }

    #[test]
    fn offsets_are_printed_sorted_by_topic_and_partition_number() {
        let text = r#"{"u":{"10":1,"2":-2,"0":-1},"t":{"0":23}}"#;
        let offsets = parse_offsets("startingOffsets", text).unwrap();
        assert_eq!(print_offsets(&offsets), r#"{"t":{"0":23},"u":{"0":-1,"2":-2,"10":1}}"#);
        assert_eq!(parse_position(&print_offsets(&offsets)).unwrap(), offsets);
        assert_eq!(print_offsets(&PartitionOffsets::new()), "{}");
    }

    #[test]
    fn fractions_are_cut_off_as_in_spark() {
        let offsets = parse_offsets("startingOffsets", r#"{"t":{"0":1.5,"1":-2.9}}"#).unwrap();
        assert_eq!(print_offsets(&offsets), r#"{"t":{"0":1,"1":-2}}"#);
    }

    #[test]
    fn malformed_offsets_are_quoted_back() {
        for text in [
            "b09_in:0:1",
            r#"{"t":"newest"}"#,
            r#"{"t":[0]}"#,
            r#"{"t":{"a":1}}"#,
            r#"{"t":{"-1":1}}"#,
            "[]",
            r#""t""#,
            r#"{"t":{"0":1}"#,
        ] {
            let error = parse_offsets("startingOffsets", text).unwrap_err();
            assert!(matches!(&error, Error::Option { option, .. } if option == "startingOffsets"));
            assert!(message(error).ends_with(&format!("got {text}")), "{text}");
        }
    }

    #[test]
    fn partitions_are_sorted_and_named_once() {
        let partitions = parse_partitions("assign", r#"{"u":[2,0,2],"t":[1]}"#).unwrap();
        assert_eq!(list(&partitions), "t-1, u-0, u-2");
        for text in [r#"{"t":1}"#, r#"{"t":[-1]}"#, r#"{"t":["0"]}"#, "{t:[0]}"] {
            assert!(message(parse_partitions("assign", text).unwrap_err()).ends_with(text));
        }
    }
}
