//! Where a read starts and ends, as its options say it.
//!
//! Of the three forms the first that is given counts: one timestamp for all partitions, timestamps for each partition,
//! offsets (a word or JSON).

use std::collections::BTreeSet;

use millstream_plan::tree::Options;
use millstream_protocol::ids::TopicPartition;

use super::offsets::{self, EARLIEST, LATEST, PartitionOffsets};
use crate::error::{Error, Result, spark_error};

/// What to do where no record is as late as the wanted time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnNoMatch {
    /// Fail, naming the partition.
    Fail,
    /// Take the end of the partition.
    Latest,
}

/// A place in every partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// The first records that exist.
    Earliest,
    /// The end.
    Latest,
    /// These offsets; -1 is latest and -2 earliest.
    Offsets(PartitionOffsets),
    /// The first records at or after this time, in milliseconds.
    Timestamp(i64, OnNoMatch),
    /// The first records at or after these times.
    Timestamps(PartitionOffsets, OnNoMatch),
}

/// Names of the options of one end of a read.
struct Names {
    timestamp: &'static str,
    by_timestamp: &'static str,
    offsets: &'static str,
}

const START: Names = Names {
    timestamp: "startingTimestamp",
    by_timestamp: "startingOffsetsByTimestamp",
    offsets: "startingOffsets",
};

const END: Names = Names {
    timestamp: "endingTimestamp",
    by_timestamp: "endingOffsetsByTimestamp",
    offsets: "endingOffsets",
};

const STRATEGY: &str = "startingOffsetsByTimestampStrategy";

impl Position {
    /// Where to start; `default` when no option says so.
    pub fn start(options: &Options, default: Position) -> Result<Self> {
        let on_no_match = match options.get(STRATEGY).map(str::trim) {
            None => OnNoMatch::Fail,
            Some(word) if word.eq_ignore_ascii_case("error") => OnNoMatch::Fail,
            Some(word) if word.eq_ignore_ascii_case("latest") => OnNoMatch::Latest,
            Some(word) => {
                let text = format!("Unknown value '{word}' of option '{STRATEGY}'; use 'error' or 'latest'");
                return Err(Error::option(STRATEGY, text));
            }
        };
        Self::from_options(options, &START, on_no_match, default)
    }

    /// Where to end: latest when no option says otherwise. A time after all records means latest.
    pub fn end(options: &Options) -> Result<Self> {
        Self::from_options(options, &END, OnNoMatch::Latest, Position::Latest)
    }

    /// The ending options that are given and that a stream refuses; `endingTimestamp` it passes over.
    pub fn ending_options(options: &Options) -> Vec<&'static str> {
        let names = [END.by_timestamp, END.offsets];
        names.into_iter().filter(|name| options.contains(name)).collect()
    }

    fn from_options(
        options: &Options,
        names: &Names,
        on_no_match: OnNoMatch,
        default: Position,
    ) -> Result<Self> {
        if let Some(text) = options.get(names.timestamp).map(str::trim) {
            let time = text.parse().map_err(|_| {
                Error::option(names.timestamp, format!("Expected a single long value, got {text}"))
            })?;
            return Ok(Position::Timestamp(time, on_no_match));
        }
        if let Some(text) = options.get(names.by_timestamp).map(str::trim) {
            let times = offsets::parse_timestamps(names.by_timestamp, text)?;
            return Ok(Position::Timestamps(times, on_no_match));
        }
        match options.get(names.offsets).map(str::trim) {
            None => Ok(default),
            Some(word) if word.eq_ignore_ascii_case("latest") => Ok(Position::Latest),
            Some(word) if word.eq_ignore_ascii_case("earliest") => Ok(Position::Earliest),
            Some(text) => Ok(Position::Offsets(offsets::parse_offsets(names.offsets, text)?)),
        }
    }
}

/// Refuses ends that a batch cannot have: a start at the end, an end at the start, and ranges that run backwards.
pub fn check_batch(start: &Position, end: &Position) -> Result<()> {
    match start {
        Position::Latest => {
            let text = "starting offset can't be latest for batch queries on Kafka";
            return Err(Error::option(START.offsets, text));
        }
        Position::Offsets(given) => refuse_word(START.offsets, "starting", given, LATEST, "latest")?,
        _ => {}
    }
    match end {
        Position::Earliest => {
            let text = "ending offset can't be earliest for batch queries on Kafka";
            return Err(Error::option(END.offsets, text));
        }
        Position::Offsets(given) => refuse_word(END.offsets, "ending", given, EARLIEST, "earliest")?,
        _ => {}
    }
    match (start, end) {
        (Position::Offsets(start), Position::Offsets(end)) => check_order(start, end, "offset"),
        (Position::Timestamps(start, _), Position::Timestamps(end, _)) => {
            check_order(start, end, "timestamp")
        }
        // One timestamp for all is compared only where offsets have come of it.
        _ => Ok(()),
    }
}

fn refuse_word(option: &str, which: &str, given: &PartitionOffsets, word: i64, name: &str) -> Result<()> {
    match given.iter().find(|(_, offset)| **offset == word) {
        None => Ok(()),
        Some((tp, _)) => {
            let text = format!("{which} offset for {tp} can't be {name} for batch queries on Kafka");
            Err(Error::option(option, text))
        }
    }
}

fn check_order(start: &PartitionOffsets, end: &PartitionOffsets, kind: &str) -> Result<()> {
    if !start.keys().eq(end.keys()) {
        let (at_start, at_end) = (offsets::list(start.keys()), offsets::list(end.keys()));
        let text = format!(
            "The specified start {kind} and end {kind} should have the same topic-partitions.\n\
             Topic-partitions for start {kind}: {at_start}, topic-partitions for end {kind}: {at_end}."
        );
        return Err(spark_error(
            "MISMATCHED_TOPIC_PARTITIONS_BETWEEN_START_OFFSET_AND_END_OFFSET",
            None,
            [("tpsForStartOffset", at_start), ("tpsForEndOffset", at_end)],
            text,
        ));
    }
    for ((tp, &from), &until) in start.iter().zip(end.values()) {
        if from > until && from >= 0 && until >= 0 {
            return Err(backwards("UNRESOLVED_START_OFFSET_GREATER_THAN_END_OFFSET", tp, from, until, kind));
        }
    }
    Ok(())
}

/// A start behind its end, found before (UNRESOLVED) or after (RESOLVED) the brokers were asked.
pub fn backwards(condition: &str, tp: &TopicPartition, from: i64, until: i64, kind: &str) -> Error {
    let when = if condition.starts_with("RESOLVED") { "resolved" } else { "specified" };
    let text = format!(
        "The {when} start {kind} {from} is greater than the end {kind} {until} for topic {} partition {}.",
        tp.topic, tp.partition
    );
    let parameters = [
        ("offsetType", kind.to_owned()),
        ("startOffset", from.to_string()),
        ("endOffset", until.to_string()),
        ("topic", tp.topic.to_string()),
        ("partition", tp.partition.to_string()),
    ];
    spark_error(condition, None, parameters, text)
}

/// Whose positions are resolved: Spark words some errors by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadKind {
    /// A batch read.
    Batch,
    /// A stream.
    Stream,
}

/// Refuses offsets below the words, and those that name other partitions than are read.
pub fn check_named_offsets(
    given: &PartitionOffsets,
    assigned: &BTreeSet<TopicPartition>,
    kind: ReadKind,
) -> Result<()> {
    if given.keys().eq(assigned) {
        return check_words(given);
    }
    let (specified, assigned) = (offsets::list(given.keys()), offsets::list(assigned));
    if kind == ReadKind::Batch {
        let (specified, assigned) = (format!("Set({specified})"), format!("Set({assigned})"));
        let text = format!(
            "Partitions specified for Kafka start offsets don't match what are assigned. Maybe topic partitions are \
             created \nor deleted while the query is running. Use -1 for latest, -2 for earliest.\n\
             Specified: {specified} Assigned: {assigned}"
        );
        let parameters = [("specifiedPartitions", specified), ("assignedPartitions", assigned)];
        return Err(spark_error("KAFKA_START_OFFSET_DOES_NOT_MATCH_ASSIGNED", None, parameters, text));
    }
    Err(Error::option(
        START.offsets,
        format!(
            "If startingOffsets contains specific offsets, you must specify all TopicPartitions.\n\
             Use -1 for latest, -2 for earliest, if you don't care.\n\
             Specified: Set({specified}) Assigned: Set({assigned})"
        ),
    ))
}

fn check_words(given: &PartitionOffsets) -> Result<()> {
    match given.iter().find(|(_, offset)| **offset < EARLIEST) {
        None => Ok(()),
        Some((tp, offset)) => {
            let text = format!(
                "{tp}: offset {offset} is none; use 0 or more, {LATEST} for latest or {EARLIEST} for earliest"
            );
            Err(Error::option(START.offsets, text))
        }
    }
}

/// Refuses timestamps that name other partitions than those that are read. `position` is start or end.
pub fn check_named_timestamps(
    given: &PartitionOffsets,
    assigned: &BTreeSet<TopicPartition>,
    position: &str,
) -> Result<()> {
    if given.keys().eq(assigned) {
        return Ok(());
    }
    let specified = format!("Set({})", offsets::list(given.keys()));
    let assigned = format!("Set({})", offsets::list(assigned));
    let text = format!(
        "Partitions specified for Kafka timestamp based {position} offsets don't match what are assigned. Maybe topic \
         partitions are created \nor deleted while the query is running, or you didn't specify all the partitions.\n\
         Specified: {specified} Assigned: {assigned}"
    );
    let parameters = [
        ("position", position.to_owned()),
        ("specifiedPartitions", specified),
        ("assignedPartitions", assigned),
    ];
    Err(spark_error("KAFKA_TIMESTAMP_OFFSET_DOES_NOT_MATCH_ASSIGNED", None, parameters, text))
}
