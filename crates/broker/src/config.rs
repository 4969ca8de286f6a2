//! Topic configurations: the names Kafka 4.3 knows, their types, defaults and checks.
//!
//! Every name is accepted, kept and described; only those marked `acted on` change what this broker does.
//! Retention and compaction never run here, so data stays until it is deleted on request.

use std::collections::BTreeMap;

/// What a value must look like; the discriminant is Kafka's `ConfigType` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean = 1,
    Str = 2,
    Int = 3,
    Long = 5,
    Double = 6,
    List = 7,
}

/// One configuration.
pub(crate) struct ConfigKey {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) default: &'static str,
    /// The broker-level name shown as its synonym.
    pub(crate) broker_name: &'static str,
    min: f64,
    values: &'static [&'static str],
}

const fn number(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    min: f64,
    broker: &'static str,
) -> ConfigKey {
    ConfigKey { name, kind, default, broker_name: broker, min, values: &[] }
}

const fn words(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    values: &'static [&'static str],
    broker: &'static str,
) -> ConfigKey {
    ConfigKey { name, kind, default, broker_name: broker, min: f64::MIN, values }
}

const BOOL: &[&str] = &["true", "false"];
const LONG_MAX: &str = "9223372036854775807";

/// The table, in alphabetical order.
pub(crate) const TOPIC_CONFIGS: &[ConfigKey] = &[
    words("cleanup.policy", Kind::List, "delete", &["compact", "delete", ""], "log.cleanup.policy"),
    number("compression.gzip.level", Kind::Int, "-1", -1.0, "compression.gzip.level"),
    number("compression.lz4.level", Kind::Int, "9", 1.0, "compression.lz4.level"),
    words(
        "compression.type",
        Kind::Str,
        "producer",
        &["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"],
        "compression.type",
    ),
    number("compression.zstd.level", Kind::Int, "3", -131_072.0, "compression.zstd.level"),
    number("delete.retention.ms", Kind::Long, "86400000", 0.0, "log.cleaner.delete.retention.ms"),
    number("file.delete.delay.ms", Kind::Long, "60000", 0.0, "log.segment.delete.delay.ms"),
    number("flush.messages", Kind::Long, LONG_MAX, 1.0, "log.flush.interval.messages"),
    number("flush.ms", Kind::Long, LONG_MAX, 0.0, "log.flush.interval.ms"),
    words(
        "follower.replication.throttled.replicas",
        Kind::List,
        "",
        &[],
        "follower.replication.throttled.replicas",
    ),
    number("index.interval.bytes", Kind::Int, "4096", 0.0, "log.index.interval.bytes"),
    words(
        "leader.replication.throttled.replicas",
        Kind::List,
        "",
        &[],
        "leader.replication.throttled.replicas",
    ),
    number("local.retention.bytes", Kind::Long, "-2", -2.0, "log.local.retention.bytes"),
    number("local.retention.ms", Kind::Long, "-2", -2.0, "log.local.retention.ms"),
    number("max.compaction.lag.ms", Kind::Long, LONG_MAX, 1.0, "log.cleaner.max.compaction.lag.ms"),
    // Acted on: largest batch taken.
    number("max.message.bytes", Kind::Int, "1048588", 0.0, "message.max.bytes"),
    // Acted on: how far in the future a record's time may lie.
    number(
        "message.timestamp.after.max.ms",
        Kind::Long,
        "3600000",
        0.0,
        "log.message.timestamp.after.max.ms",
    ),
    // Acted on: how far in the past a record's time may lie.
    number(
        "message.timestamp.before.max.ms",
        Kind::Long,
        LONG_MAX,
        0.0,
        "log.message.timestamp.before.max.ms",
    ),
    // Acted on: whose clock stamps records.
    words(
        "message.timestamp.type",
        Kind::Str,
        "CreateTime",
        &["CreateTime", "LogAppendTime"],
        "log.message.timestamp.type",
    ),
    number("min.cleanable.dirty.ratio", Kind::Double, "0.5", 0.0, "log.cleaner.min.cleanable.ratio"),
    number("min.compaction.lag.ms", Kind::Long, "0", 0.0, "log.cleaner.min.compaction.lag.ms"),
    number("min.insync.replicas", Kind::Int, "1", 1.0, "min.insync.replicas"),
    words("preallocate", Kind::Boolean, "false", BOOL, "log.preallocate"),
    words("remote.log.copy.disable", Kind::Boolean, "false", BOOL, "remote.log.copy.disable"),
    words("remote.log.delete.on.disable", Kind::Boolean, "false", BOOL, "remote.log.delete.on.disable"),
    words("remote.storage.enable", Kind::Boolean, "false", BOOL, "remote.storage.enable"),
    number("retention.bytes", Kind::Long, "-1", -1.0, "log.retention.bytes"),
    number("retention.ms", Kind::Long, "604800000", -1.0, "log.retention.ms"),
    number("segment.bytes", Kind::Int, "1073741824", 14.0, "log.segment.bytes"),
    number("segment.index.bytes", Kind::Int, "10485760", 4.0, "log.index.size.max.bytes"),
    number("segment.jitter.ms", Kind::Long, "0", 0.0, "log.roll.jitter.ms"),
    number("segment.ms", Kind::Long, "604800000", 1.0, "log.roll.ms"),
    words("unclean.leader.election.enable", Kind::Boolean, "false", BOOL, "unclean.leader.election.enable"),
];

/// A topic's own settings; whatever is not set has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TopicConfig {
    pub(crate) set: BTreeMap<String, String>,
}

impl TopicConfig {
    /// Sets one value after checking it; the error is the text for INVALID_CONFIG.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        check(name, value)?;
        self.set.insert(name.to_owned(), value.trim().to_owned());
        Ok(())
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.set.get(name).map(String::as_str)
    }

    fn long(&self, name: &str, default: i64) -> i64 {
        self.value(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    }

    pub(crate) fn log_append_time(&self) -> bool {
        self.value("message.timestamp.type") == Some("LogAppendTime")
    }

    pub(crate) fn max_message_bytes(&self, broker_default: i32) -> i64 {
        self.long("max.message.bytes", i64::from(broker_default))
    }

    /// The span of record times that the topic takes at wall time `now_ms`.
    pub(crate) fn timestamp_bounds(&self, now_ms: i64) -> std::ops::RangeInclusive<i64> {
        let before = self.long("message.timestamp.before.max.ms", i64::MAX);
        let after = self.long("message.timestamp.after.max.ms", 3_600_000);
        now_ms.saturating_sub(before)..=now_ms.saturating_add(after)
    }

    pub(crate) fn is_compacted(&self) -> bool {
        self.value("cleanup.policy")
            .is_some_and(|policy| policy.split(',').any(|word| word.trim() == "compact"))
    }
}

/// The table's entry of a name.
pub(crate) fn find(name: &str) -> Option<&'static ConfigKey> {
    TOPIC_CONFIGS.iter().find(|key| key.name == name)
}

fn check(name: &str, value: &str) -> Result<(), String> {
    let Some(key) = find(name) else {
        return Err(format!("Unknown topic config name: {name}"));
    };
    let value = value.trim();
    let bad = |why: String| Err(format!("Invalid value {value} for configuration {name}: {why}"));
    match key.kind {
        Kind::Int | Kind::Long | Kind::Double => {
            let number = match key.kind {
                Kind::Int => value.parse::<i32>().ok().map(f64::from),
                Kind::Long => value.parse::<i64>().ok().map(|number| number as f64),
                _ => value.parse::<f64>().ok(),
            };
            match number {
                None => bad(format!("Not a number of type {}", type_name(key.kind))),
                Some(number) if number < key.min => bad(format!("Value must be at least {}", key.min)),
                Some(_) => Ok(()),
            }
        }
        Kind::Boolean | Kind::Str | Kind::List => {
            let words: Vec<&str> =
                if key.kind == Kind::List { value.split(',').map(str::trim).collect() } else { vec![value] };
            let known = |word: &&str| key.values.is_empty() || key.values.contains(word);
            match words.iter().find(|word| !known(word)) {
                Some(_) => bad(format!("String must be one of: {}", key.values.join(", "))),
                None => Ok(()),
            }
        }
    }
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "BOOLEAN",
        Kind::Str => "STRING",
        Kind::Int => "INT",
        Kind::Long => "LONG",
        Kind::Double => "DOUBLE",
        Kind::List => "LIST",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_passes_its_own_check() {
        for key in TOPIC_CONFIGS {
            if !key.default.is_empty() {
                assert_eq!(check(key.name, key.default), Ok(()));
            }
        }
    }

    #[test]
    fn unknown_names_and_bad_values_are_named() {
        let mut config = TopicConfig::default();
        assert!(config.set("retention.mss", "1").unwrap_err().contains("retention.mss"));
        assert!(config.set("retention.ms", "soon").unwrap_err().contains("soon"));
        assert!(config.set("message.timestamp.type", "Never").unwrap_err().contains("CreateTime"));
        assert!(config.set.is_empty());
    }

    #[test]
    fn settings_change_what_the_topic_takes() {
        let mut config = TopicConfig::default();
        config.set("message.timestamp.type", "LogAppendTime").unwrap();
        config.set("max.message.bytes", "100").unwrap();
        config.set("cleanup.policy", "compact,delete").unwrap();
        assert!(config.log_append_time() && config.is_compacted());
        assert_eq!(config.max_message_bytes(1), 100);
        assert_eq!(config.timestamp_bounds(0), -i64::MAX..=3_600_000);
    }
}
