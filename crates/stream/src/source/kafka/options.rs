//! The options of a Kafka read: those that are wrong when the frame is made, and those that are wrong when it runs.
//!
//! Spark reports the first kind at `load()` and the second only in the running query of a stream; programs rely on
//! that, so [`KafkaRead::check`] and [`KafkaRead::settings`] are two steps. A batch read reports both at `load()`,
//! but for the client's own properties.

use std::time::Duration;

use millstream_client::{ClientOptions, OnDataLoss, ParsedProperties};
use millstream_plan::tree::{Options, Read};

use super::limits::RateLimits;
use super::names;
use super::positions::{self, Position};
use super::ranges::CutRules;
use super::subscription::Subscription;
use crate::error::{Error, Result};

const STRATEGIES: [&str; 3] = ["subscribe", "subscribepattern", "assign"];

const DECIDED_BY_OFFSETS: &str = "Instead set the source option 'startingoffsets' to 'earliest' or 'latest'\n\
     to specify where to start: a streaming query keeps its own positions in its checkpoint, so that no data is\n\
     missed when topics or partitions are added. 'startingoffsets' counts only when a new query is started;\n\
     a restarted one goes on where it left off.";

/// Client properties that a read cannot have, and why.
const FORBIDDEN: [(&str, &str); 5] = [
    ("auto.offset.reset", DECIDED_BY_OFFSETS),
    (
        "key.deserializer",
        "as keys are deserialized as byte arrays with ByteArrayDeserializer. Use DataFrame operations to explicitly \
         deserialize the keys.",
    ),
    (
        "value.deserializer",
        "as values are deserialized as byte arrays with ByteArrayDeserializer. Use DataFrame operations to \
         explicitly deserialize the values.",
    ),
    ("enable.auto.commit", "Positions are kept in the checkpoint of the query."),
    ("interceptor.classes", "Interceptors may change records; use DataFrame operations."),
];

/// A Kafka read whose options have passed the checks of `load()`.
#[derive(Debug, Clone)]
pub struct KafkaRead {
    /// Id of the read in the tree.
    pub id: u64,
    /// As given.
    pub options: Options,
    /// Stream or batch.
    pub streaming: bool,
    /// `includeHeaders`.
    pub include_headers: bool,
    /// `minPartitions` and `maxRecordsPerPartition`.
    pub cut: CutRules,
}

/// What the options mean once the read runs.
#[derive(Debug, Clone)]
pub struct ReadSettings {
    /// What is read.
    pub subscription: Subscription,
    /// Where it starts.
    pub start: Position,
    /// Where it ends; latest for a stream.
    pub end: Position,
    /// How much a batch of a stream takes.
    pub limits: RateLimits,
    /// `failOnDataLoss`, default true.
    pub fail_on_data_loss: bool,
    /// Time without any answer after which a fetch fails, in ms: `kafkaConsumer.pollTimeoutMs`.
    pub poll_timeout_ms: Option<i64>,
    /// The group's name in messages: `kafka.group.id`, else the prefix of the names that are generated.
    pub group: String,
}

/// How often offsets are looked up before an error counts.
#[derive(Debug, Clone, Copy)]
pub struct LookupRetries {
    /// `fetchOffset.numRetries`, default 3.
    pub attempts: u32,
    /// Pause between two: `fetchOffset.retryIntervalMs`, default 1 s.
    pub pause: Duration,
}

impl KafkaRead {
    /// Checks what Spark checks at `load()`.
    pub fn check(read: &Read) -> Result<Self> {
        if read.schema.is_some() {
            return Err(Error::Misuse(
                "requirement failed: Kafka source has a fixed schema and cannot be set with a custom one"
                    .into(),
            ));
        }
        let options = &read.options;
        if read.streaming {
            if let Some(name) = Position::ending_options(options).first() {
                let kind = if *name == "endingOffsets" { "offset" } else { "timestamp" };
                return Err(Error::option(*name, format!("ending {kind} not valid in streaming queries")));
            }
        } else {
            positions::check_batch(&Position::start(options, Position::Earliest)?, &Position::end(options)?)?;
        }
        check_strategy(options)?;
        let cut = CutRules {
            min_partitions: min_partitions(options)?,
            max_records: positive(options, "maxRecordsPerPartition", "maxrecordsperpartition")?,
        };
        check_forbidden(options)?;
        check_limits(options)?;
        let include_headers = boolean(options, "includeHeaders", false)?;
        let checked =
            Self { id: read.id, options: options.clone(), streaming: read.streaming, include_headers, cut };
        if !read.streaming {
            checked.settings()?;
        }
        Ok(checked)
    }

    /// What is worth a warning at `load()`.
    pub fn warnings(&self, strict: bool) -> Result<Vec<String>> {
        let mut warnings = names::check(&self.options, names::READ, strict)?;
        if self.options.contains("kafka.group.id") {
            warnings.push(
                "option 'kafka.group.id' is set: positions are kept in the checkpoint, the group is used only in \
                 messages, and 'groupIdPrefix' has no effect beside it"
                    .into(),
            );
        }
        if !self.streaming {
            for name in
                ["maxOffsetsPerTrigger", "minOffsetsPerTrigger", "maxTriggerDelay", "maxRatePerPartition"]
            {
                if self.options.contains(name) {
                    warnings.push(format!("option '{name}' has no effect on a batch read"));
                }
            }
        }
        Ok(warnings)
    }

    /// What Spark finds only in the running query.
    pub fn settings(&self) -> Result<ReadSettings> {
        let options = &self.options;
        let default_start = if self.streaming { Position::Latest } else { Position::Earliest };
        let limits = if self.streaming { rate_limits(options)? } else { RateLimits::default() };
        let prefix = if self.streaming { "spark-kafka-source" } else { "spark-kafka-relation" };
        let group = options.get("kafka.group.id").or(options.get("groupIdPrefix")).unwrap_or(prefix);
        Ok(ReadSettings {
            subscription: Subscription::parse(options)?,
            start: Position::start(options, default_start)?,
            end: if self.streaming { Position::Latest } else { Position::end(options)? },
            limits,
            fail_on_data_loss: boolean(options, "failOnDataLoss", true)?,
            poll_timeout_ms: number(options, "kafkaConsumer.pollTimeoutMs")?,
            group: group.to_owned(),
        })
    }

    /// How offsets are looked up. Also of a batch found wrong only when it runs, as in Spark.
    pub fn retries(&self) -> Result<LookupRetries> {
        let attempts = number(&self.options, "fetchOffset.numRetries")?.unwrap_or(3);
        let pause = number(&self.options, "fetchOffset.retryIntervalMs")?.unwrap_or(1000);
        Ok(LookupRetries {
            attempts: u32::try_from(attempts).unwrap_or(3).max(1),
            pause: Duration::from_millis(pause.max(0).unsigned_abs()),
        })
    }

    /// The client's options.
    pub fn properties(&self, settings: &ReadSettings) -> Result<ParsedProperties> {
        let mut properties = ClientOptions::from_properties(names::client_properties(&self.options))
            .map_err(|error| isolation_level(&self.options).unwrap_or_else(|| error.into()))?;
        let fetch = &mut properties.client.fetch;
        fetch.on_data_loss = OnDataLoss::Fail;
        if let Some(timeout) = settings.poll_timeout_ms {
            const NAME: &str = "kafkaConsumer.pollTimeoutMs";
            let timeout = u64::try_from(timeout).map_err(|_| {
                Error::option(NAME, format!("option '{NAME}': Invalid negative timeout {timeout}"))
            })?;
            fetch.progress_timeout = Duration::from_millis(timeout);
        }
        Ok(properties)
    }
}

fn isolation_level(options: &Options) -> Option<Error> {
    const NAME: &str = "kafka.isolation.level";
    let given = options.get(NAME)?;
    let known = ["read_uncommitted", "read_committed"];
    (!known.contains(&given.to_lowercase().as_str())).then(|| {
        let text = format!(
            "No isolation level {} (option '{NAME}' is '{given}'); use read_uncommitted or read_committed",
            given.to_uppercase()
        );
        Error::option(NAME, text)
    })
}

fn check_strategy(options: &Options) -> Result<()> {
    let given: Vec<&str> = STRATEGIES.into_iter().filter(|name| options.contains(name)).collect();
    let all = STRATEGIES.join(", ");
    match given.as_slice() {
        [] => Err(Error::Misuse(format!(
            "One of the following options must be specified for Kafka source: {all}. See the docs for more details."
        ))),
        [one] => Subscription::check(one, options.get(one).unwrap_or_default()),
        [second, ..] => Err(Error::option(
            *second,
            format!(
                "Only one of the following options can be specified for Kafka source: {all}. See the docs for more \
                 details."
            ),
        )),
    }
}

fn check_forbidden(options: &Options) -> Result<()> {
    for (name, why) in FORBIDDEN {
        let option = format!("{}{name}", names::CLIENT_PREFIX);
        if options.contains(&option) {
            let between = if why.starts_with("as ") { " " } else { ".\n" };
            let text = format!("Kafka option '{name}' is not supported{between}{why}");
            return Err(Error::option(option, text));
        }
    }
    if options.contains("kafka.bootstrap.servers") {
        return Ok(());
    }
    Err(Error::option(
        "kafka.bootstrap.servers",
        "Option 'kafka.bootstrap.servers' must be specified for configuring Kafka consumer",
    ))
}

fn check_limits(options: &Options) -> Result<()> {
    if !(options.contains("minOffsetsPerTrigger") && options.contains("maxOffsetsPerTrigger")) {
        return Ok(());
    }
    match (number(options, "minOffsetsPerTrigger")?, number(options, "maxOffsetsPerTrigger")?) {
        (Some(min), Some(max)) if min > max => Err(Error::option(
            "minOffsetsPerTrigger",
            format!(
                "The value of minOffsetPerTrigger({min}) is higher than the maxOffsetsPerTrigger({max})."
            ),
        )),
        _ => Ok(()),
    }
}

fn rate_limits(options: &Options) -> Result<RateLimits> {
    let default = RateLimits::default();
    Ok(RateLimits {
        max_offsets: number(options, "maxOffsetsPerTrigger")?,
        min_offsets: number(options, "minOffsetsPerTrigger")?,
        max_delay: duration(options, "maxTriggerDelay")?.unwrap_or(default.max_delay),
        max_per_partition: positive(options, "maxRatePerPartition", "maxRatePerPartition")?,
    })
}

fn min_partitions(options: &Options) -> Result<Option<usize>> {
    const NAME: &str = "minPartitions";
    // An int in Spark, where the other numbers are longs.
    let number = positive(options, NAME, NAME)?;
    let number = number.map(|number| i32::try_from(number).map_err(|_| no_number(NAME, &number.to_string())));
    Ok(number.transpose()?.and_then(|number| usize::try_from(number).ok()))
}

fn number(options: &Options, name: &str) -> Result<Option<i64>> {
    let Some(text) = options.get(name) else { return Ok(None) };
    match text.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(no_number(name, text)),
    }
}

fn no_number(name: &str, text: &str) -> Error {
    Error::option(name, format!("option '{name}': For input string: \"{text}\""))
}

fn positive(options: &Options, name: &str, shown: &str) -> Result<Option<i64>> {
    match number(options, name)? {
        Some(number) if number <= 0 => Err(Error::option(name, format!("{shown} must be positive"))),
        number => Ok(number),
    }
}

fn boolean(options: &Options, name: &str, default: bool) -> Result<bool> {
    match options.get(name) {
        None => Ok(default),
        Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Some(text) => Err(no_number(name, text)),
    }
}

/// Spark's durations, nothing below zero: a number with `us`, `ms`, `s`, `m`, `min`, `h` or `d`; milliseconds without a
/// unit.
fn duration(options: &Options, name: &str) -> Result<Option<Duration>> {
    let Some(text) = options.get(name) else { return Ok(None) };
    let text = text.trim().to_lowercase();
    let (negative, text) = text.strip_prefix('-').map_or((false, text.as_str()), |text| (true, text));
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let micros: Option<u64> = match &text[digits..] {
        "us" => Some(1),
        "" | "ms" => Some(1_000),
        "s" => Some(1_000_000),
        "m" | "min" => Some(60_000_000),
        "h" => Some(3_600_000_000),
        "d" => Some(86_400_000_000),
        _ => None,
    };
    let parsed = micros.and_then(|unit| text[..digits].parse::<u64>().ok()?.checked_mul(unit));
    parsed.map(|micros| Some(Duration::from_micros(if negative { 0 } else { micros }))).ok_or_else(|| {
        Error::option(
            name,
            format!("option '{name}': '{text}' is no duration; write for example 15m, 30s or 500ms"),
        )
    })
}

#[cfg(test)]
#[path = "options_tests.rs"]
mod tests;
