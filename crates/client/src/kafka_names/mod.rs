//! The one table from the Java clients' property names to typed options.
//!
//! Names and value rules are those of Apache Kafka 4.3's producer, consumer and admin configs. A name that
//! Java knows and that has no effect here is accepted and reported; TLS and SASL settings have no effect as
//! long as `security.protocol` is PLAINTEXT, as in Java. Values that ask for a missing feature are refused.

mod without_effect;

use std::time::Duration;

use crate::error::{Error, Result};
use crate::options::{Acks, ClientOptions, Isolation, ParsedProperties, ProducerOptions, split_list};

/// Sets one option from its text, or says what is wrong with it.
type Setter = fn(&mut ParsedProperties, &str) -> Result<(), Refused>;

enum Refused {
    /// The value is no value of this option.
    Value(String),
    /// The value is right, but the feature is missing.
    Feature(String),
}

/// Every name with an effect.
const NAMES: &[(&str, Setter)] = &[
    ("acks", |p, v| acks(v).map(|acks| p.producer.acks = acks)),
    ("batch.size", |p, v| size(v, 0).map(|n| p.producer.batch_bytes = n)),
    ("bootstrap.servers", |p, v| bootstrap(v).map(|list| p.client.bootstrap = list)),
    ("buffer.memory", |p, v| size(v, 0).map(|n| p.producer.buffer_bytes = n)),
    ("check.crcs", |p, v| flag(v).map(|on| p.client.fetch.check_crcs = on)),
    ("client.id", |p, v| {
        p.client.client_id = v.to_owned();
        Ok(())
    }),
    ("compression.gzip.level", |p, v| level(p, "gzip", v)),
    ("compression.lz4.level", |p, v| level(p, "lz4", v)),
    ("compression.type", |p, v| compression(v).map(|codec| p.producer.compression = codec)),
    ("compression.zstd.level", |p, v| level(p, "zstd", v)),
    ("connections.max.idle.ms", |p, v| idle(v).map(|d| p.client.connections_max_idle = d)),
    ("default.api.timeout.ms", |p, v| millis(v).map(|d| p.client.metadata_timeout = d)),
    ("delivery.timeout.ms", |p, v| millis(v).map(|d| p.producer.delivery_timeout = d)),
    ("enable.idempotence", |p, v| flag(v).map(|on| p.producer.idempotence = on)),
    ("fetch.max.bytes", |p, v| int(v, 1).map(|n| p.client.fetch.max_bytes = n)),
    ("fetch.max.wait.ms", |p, v| millis(v).map(|d| p.client.fetch.max_wait = d)),
    ("fetch.min.bytes", |p, v| int(v, 0).map(|n| p.client.fetch.min_bytes = n)),
    ("isolation.level", |p, v| isolation(v).map(|level| p.client.fetch.isolation = level)),
    ("linger.ms", |p, v| millis(v).map(|d| p.producer.linger = d)),
    ("max.block.ms", |p, v| millis(v).map(|d| p.producer.max_block = d)),
    ("max.in.flight.requests.per.connection", |p, v| size(v, 1).map(|n| p.producer.max_in_flight = n)),
    ("max.partition.fetch.bytes", |p, v| int(v, 1).map(|n| p.client.fetch.max_partition_bytes = n)),
    ("max.request.size", |p, v| size(v, 0).map(|n| p.producer.max_request_bytes = n)),
    ("metadata.max.age.ms", |p, v| millis(v).map(|d| p.client.metadata_max_age = d)),
    ("reconnect.backoff.max.ms", |p, v| millis(v).map(|d| p.client.reconnect_backoff_max = d)),
    ("reconnect.backoff.ms", |p, v| millis(v).map(|d| p.client.reconnect_backoff = d)),
    ("request.timeout.ms", |p, v| {
        millis(v).map(|d| {
            p.client.request_timeout = d;
            p.producer.request_timeout = d;
        })
    }),
    ("retries", |p, v| int(v, 0).map(|n| p.producer.retries = n)),
    ("retry.backoff.max.ms", |p, v| {
        millis(v).map(|d| {
            p.client.retry_backoff_max = d;
            p.producer.retry_backoff_max = d;
        })
    }),
    ("retry.backoff.ms", |p, v| {
        millis(v).map(|d| {
            p.client.retry_backoff = d;
            p.producer.retry_backoff = d;
        })
    }),
    ("security.protocol", |_, v| security(v)),
    ("socket.connection.setup.timeout.ms", |p, v| millis(v).map(|d| p.client.connect_timeout = d)),
    ("transactional.id", |_, _| Err(Refused::Feature("a transactional producer (transactional.id)".into()))),
];

/// Two edits away is a typing error; more is another word.
const TYPING_ERROR: usize = 2;

pub(crate) fn parse<I, K, V>(properties: I) -> Result<ParsedProperties>
where
    I: IntoIterator<Item = (K, V)>,
    K: AsRef<str>,
    V: AsRef<str>,
{
    let mut parsed = ParsedProperties {
        client: ClientOptions::new(""),
        producer: ProducerOptions::default(),
        unknown: Vec::new(),
        without_effect: Vec::new(),
    };
    let (mut given, mut unused) = (Vec::new(), Vec::new());
    let mut properties: Vec<_> = properties.into_iter().collect();
    // A level concerns the codec in use, so that must be known first.
    properties.sort_by_key(|(name, _)| name.as_ref().ends_with(".level"));
    for (name, value) in &properties {
        let (name, value) = (name.as_ref(), value.as_ref().trim());
        if let Some((known, set)) = NAMES.iter().find(|(known, _)| *known == name) {
            set(&mut parsed, value).map_err(|refused| explain(name, value, refused))?;
            given.push(*known);
        } else if let Some(checked) = without_effect::check(name, value) {
            checked.map_err(|refused| explain(name, value, refused))?;
            parsed.without_effect.push(name.to_owned());
            unused.push((name, value));
        } else {
            parsed.unknown.push((name.to_owned(), nearest(name).map(str::to_owned)));
        }
    }
    agree(&mut parsed, &given)?;
    if let Err(refused) = without_effect::heartbeat_within_session(&unused) {
        let session = unused.iter().find(|(name, _)| *name == "session.timeout.ms");
        return Err(explain("session.timeout.ms", session.map_or("45000", |(_, value)| *value), refused));
    }
    Ok(parsed)
}

/// The known name within two edits of `name`, if there is one.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let known = NAMES.iter().map(|(known, _)| *known).chain(without_effect::names());
    known
        .map(|known| (strsim::osa_distance(known, name), known))
        .filter(|(edits, _)| *edits <= TYPING_ERROR)
        .min()
        .map(|(_, known)| known)
}

/// Rules between options, with Java's outcome: idempotence that was only a default gives way, one that was
/// asked for is a conflict.
fn agree(parsed: &mut ParsedProperties, given: &[&str]) -> Result<()> {
    let producer = &mut parsed.producer;
    let conflict = match (producer.acks, producer.max_in_flight, producer.retries) {
        (Acks::None | Acks::Leader, _, _) => Some(("acks", "must be all")),
        (_, 6.., _) => Some(("max.in.flight.requests.per.connection", "must be at most 5")),
        (_, _, 0) => Some(("retries", "must be above 0")),
        _ => None,
    };
    if let Some((option, rule)) = conflict.filter(|_| producer.idempotence) {
        if given.contains(&"enable.idempotence") {
            let why = format!("{option} {rule} for the idempotent producer");
            return Err(bad("enable.idempotence", "true", why));
        }
        producer.idempotence = false;
    }
    let least = producer.linger + producer.request_timeout;
    if producer.delivery_timeout < least {
        if given.contains(&"delivery.timeout.ms") {
            let why = "must be at least linger.ms + request.timeout.ms".into();
            return Err(bad("delivery.timeout.ms", &producer.delivery_timeout.as_millis().to_string(), why));
        }
        producer.delivery_timeout = least;
    }
    Ok(())
}

fn explain(name: &str, value: &str, refused: Refused) -> Error {
    match refused {
        Refused::Value(why) => bad(name, value, why),
        Refused::Feature(feature) if feature.contains(name) => Error::unsupported(feature),
        Refused::Feature(feature) => Error::unsupported(format!("{name}: {feature}")),
    }
}

fn bad(option: &str, value: &str, why: String) -> Error {
    Error::Config { option: option.into(), value: value.into(), why, nearest: None }
}

fn int(text: &str, least: i32) -> Result<i32, Refused> {
    let number: i32 = text.parse().map_err(|_| Refused::Value("not a 32-bit whole number".into()))?;
    if number < least {
        return Err(Refused::Value(format!("must be at least {least}")));
    }
    Ok(number)
}

fn size(text: &str, least: usize) -> Result<usize, Refused> {
    let number: i64 = text.parse().map_err(|_| Refused::Value("not a whole number of bytes".into()))?;
    match usize::try_from(number) {
        Ok(number) if number >= least => Ok(number),
        _ => Err(Refused::Value(format!("must be at least {least}"))),
    }
}

fn millis(text: &str) -> Result<Duration, Refused> {
    let number: i64 =
        text.parse().map_err(|_| Refused::Value("not a whole number of milliseconds".into()))?;
    let number = u64::try_from(number).map_err(|_| Refused::Value("must be at least 0".into()))?;
    Ok(Duration::from_millis(number.min(FAR_FUTURE_MS)))
}

/// Java accepts -1 here: connections are never closed for being idle.
fn idle(text: &str) -> Result<Duration, Refused> {
    if text == "-1" { Ok(Duration::from_millis(FAR_FUTURE_MS)) } else { millis(text) }
}

/// A century: long enough for "never", short enough to be added to any clock.
const FAR_FUTURE_MS: u64 = 100 * 365 * 24 * 3600 * 1000;

fn flag(text: &str) -> Result<bool, Refused> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Refused::Value("must be true or false".into())),
    }
}

fn acks(text: &str) -> Result<Acks, Refused> {
    match text {
        "all" | "-1" => Ok(Acks::All),
        "1" => Ok(Acks::Leader),
        "0" => Ok(Acks::None),
        _ => Err(Refused::Value("must be all, -1, 0 or 1".into())),
    }
}

fn isolation(text: &str) -> Result<Isolation, Refused> {
    match text {
        "read_uncommitted" => Ok(Isolation::ReadUncommitted),
        "read_committed" => Ok(Isolation::ReadCommitted),
        _ => Err(Refused::Value("must be read_uncommitted or read_committed".into())),
    }
}

fn compression(text: &str) -> Result<millstream_protocol::Compression, Refused> {
    text.parse().map_err(|_| Refused::Value("must be none, gzip, snappy, lz4 or zstd".into()))
}

/// A level counts only for the codec in use.
fn level(parsed: &mut ParsedProperties, codec: &str, text: &str) -> Result<(), Refused> {
    let number = text.parse().map_err(|_| Refused::Value("not a whole number".into()))?;
    if parsed.producer.compression.name() == codec {
        parsed.producer.compression_level = Some(number);
    }
    Ok(())
}

fn security(text: &str) -> Result<(), Refused> {
    match text.to_ascii_uppercase().as_str() {
        "PLAINTEXT" => Ok(()),
        "SSL" | "SASL_PLAINTEXT" | "SASL_SSL" => {
            Err(Refused::Feature(format!("security.protocol {text}; only PLAINTEXT listeners can be used")))
        }
        _ => Err(Refused::Value("must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL".into())),
    }
}

fn bootstrap(text: &str) -> Result<Vec<String>, Refused> {
    let list = split_list(text);
    if list.is_empty() {
        return Err(Refused::Value("needs at least one host:port".into()));
    }
    for address in &list {
        let port = address.rsplit_once(':').map(|(_, port)| port);
        if port.is_none_or(|port| port.parse::<u16>().is_err()) {
            return Err(Refused::Value(format!("'{address}' is not host:port")));
        }
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::FetchOptions;

    fn one(name: &str, value: &str) -> Result<ParsedProperties> {
        parse([(name, value)])
    }

    #[test]
    fn names_are_sorted_and_unique_so_that_they_can_be_read() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn every_setter_refuses_or_takes_a_text_without_panicking() {
        for (name, set) in NAMES {
            for text in ["", "-1", "x", "99999999999999999999", "1.5", "é"] {
                let mut parsed = one("client.id", "c").expect("valid");
                if let Err(Refused::Value(why)) = set(&mut parsed, text) {
                    assert!(!why.is_empty(), "{name}");
                }
            }
        }
    }

    #[test]
    fn values_become_typed_options() {
        let parsed = parse([
            ("bootstrap.servers", "a:1, b:2"),
            ("linger.ms", "7"),
            ("fetch.max.bytes", "1000"),
            ("isolation.level", "read_committed"),
            ("compression.type", "lz4"),
            ("max.poll.records", "5"),
        ])
        .expect("valid");
        assert_eq!(parsed.client.bootstrap, ["a:1", "b:2"]);
        assert_eq!(parsed.producer.linger, Duration::from_millis(7));
        assert_eq!(parsed.client.fetch.max_bytes, 1000);
        assert_eq!(parsed.client.fetch.isolation, Isolation::ReadCommitted);
        assert_eq!(parsed.without_effect, ["max.poll.records"]);
        let unchanged = FetchOptions::default();
        assert_eq!(parsed.client.fetch.max_partition_bytes, unchanged.max_partition_bytes);
    }

    #[test]
    fn misspelt_names_come_back_with_the_nearest() {
        let parsed = parse([("linger.mss", "1"), ("nothing.like.it", "1")]).expect("not an error");
        assert_eq!(parsed.unknown[0], ("linger.mss".into(), Some("linger.ms".into())));
        assert_eq!(parsed.unknown[1], ("nothing.like.it".into(), None));
    }

    #[test]
    fn bad_values_name_option_and_value() {
        let error = one("linger.ms", "soon").expect_err("no number").to_string();
        assert!(error.contains("linger.ms") && error.contains("soon"), "{error}");
        assert!(one("bootstrap.servers", "host").is_err());
        let error = one("security.protocol", "SASL_SSL").expect_err("missing").to_string();
        assert!(error.contains("SASL_SSL") && error.contains("not supported"), "{error}");
    }

    #[test]
    fn idempotence_gives_way_unless_it_was_asked_for() {
        assert!(!one("acks", "1").expect("valid").producer.idempotence);
        assert!(parse([("acks", "1"), ("enable.idempotence", "true")]).is_err());
        assert!(
            parse([("max.in.flight.requests.per.connection", "6"), ("enable.idempotence", "true")]).is_err()
        );
    }
}
