//! Names that Java's clients know and that change nothing here: groups are not used for reading, socket buffers are
//! left to the kernel, there is no JMX. Their values are checked as Java checks them, so that a wrong one is told
//! instead of passed over; plug-in classes that would change records or where they go are refused.

use super::{Refused, flag};

/// What Java takes as a value.
enum Values {
    /// Any text.
    Any,
    /// Text that is not empty.
    Text,
    /// `true` or `false`.
    Flag,
    /// A 32-bit number of at least this much.
    Int(i32),
    /// A 64-bit number of at least this much.
    Long(i64),
    /// One of these words, as they are written.
    Word(&'static [&'static str]),
    /// One of these words in any case.
    WordInAnyCase(&'static [&'static str]),
    /// No text but the empty one: a Java class that would change what is written or read cannot be loaded.
    NoClass,
}

use Values::{Any, Flag, Int, Long, NoClass, Text, Word, WordInAnyCase};

const NAMES: &[(&str, Values)] = &[
    ("allow.auto.create.topics", Flag),
    ("auto.commit.interval.ms", Int(0)),
    ("auto.include.jmx.reporter", Flag),
    ("auto.offset.reset", Any),
    ("client.dns.lookup", Word(&["use_all_dns_ips", "resolve_canonical_bootstrap_servers_only"])),
    ("client.rack", Any),
    ("config.providers", Any),
    ("enable.auto.commit", Flag),
    ("enable.metrics.push", Flag),
    ("exclude.internal.topics", Flag),
    ("group.id", Any),
    ("group.instance.id", Text),
    ("group.protocol", WordInAnyCase(&["CONSUMER", "CLASSIC"])),
    ("group.remote.assignor", Any),
    ("heartbeat.interval.ms", Int(i32::MIN)),
    ("interceptor.classes", NoClass),
    ("key.deserializer", Any),
    ("key.serializer", Any),
    ("max.poll.interval.ms", Int(1)),
    ("max.poll.records", Int(1)),
    ("metadata.max.idle.ms", Long(5000)),
    ("metadata.recovery.rebootstrap.trigger.ms", Long(0)),
    ("metadata.recovery.strategy", WordInAnyCase(&["REBOOTSTRAP", "NONE"])),
    ("metric.reporters", Any),
    ("metrics.num.samples", Int(1)),
    ("metrics.recording.level", Word(&["INFO", "DEBUG", "TRACE"])),
    ("metrics.sample.window.ms", Long(0)),
    ("partition.assignment.strategy", Any),
    ("partitioner.adaptive.partitioning.enable", Flag),
    ("partitioner.availability.timeout.ms", Long(0)),
    ("partitioner.class", NoClass),
    ("partitioner.ignore.keys", Flag),
    ("receive.buffer.bytes", Int(-1)),
    ("security.providers", Any),
    ("send.buffer.bytes", Int(-1)),
    ("session.timeout.ms", Int(i32::MIN)),
    ("share.acknowledgement.mode", Any),
    ("socket.connection.setup.timeout.max.ms", Long(i64::MIN)),
    ("transaction.timeout.ms", Int(i32::MIN)),
    ("transaction.two.phase.commit.enable", Flag),
    ("value.deserializer", Any),
    ("value.serializer", Any),
];

/// TLS and SASL settings: without effect under PLAINTEXT.
const SECURITY_PREFIXES: &[&str] = &["ssl.", "sasl."];

/// All names but those of TLS and SASL.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

/// Whether the name is one of these, with the check of its value.
pub(super) fn check(name: &str, value: &str) -> Option<Result<(), Refused>> {
    match NAMES.iter().find(|(known, _)| *known == name) {
        Some((_, values)) => Some(values.check(value)),
        None => SECURITY_PREFIXES.iter().any(|prefix| name.starts_with(prefix)).then_some(Ok(())),
    }
}

impl Values {
    fn check(&self, value: &str) -> Result<(), Refused> {
        let one_of = |words: &[&str]| Err(Refused::Value(format!("must be one of {}", words.join(", "))));
        match self {
            Any => Ok(()),
            Text if value.is_empty() => Err(Refused::Value("must not be empty".into())),
            Text => Ok(()),
            NoClass if value.is_empty() => Ok(()),
            NoClass => Err(Refused::Feature(format!("the Java class {value}: there is no JVM to load it"))),
            Flag => flag(value).map(drop),
            Int(least) => at_least(value.parse().ok(), *least, "not a number of type INT"),
            Long(least) => at_least(value.parse().ok(), *least, "not a number of type LONG"),
            Word(words) if words.contains(&value) => Ok(()),
            WordInAnyCase(words) if words.iter().any(|word| word.eq_ignore_ascii_case(value)) => Ok(()),
            Word(words) | WordInAnyCase(words) => one_of(words),
        }
    }
}

fn at_least<T: PartialOrd + std::fmt::Display>(
    number: Option<T>,
    least: T,
    no_number: &str,
) -> Result<(), Refused> {
    match number {
        None => Err(Refused::Value(no_number.into())),
        Some(number) if number < least => Err(Refused::Value(format!("must be at least {least}"))),
        Some(_) => Ok(()),
    }
}

/// Java refuses a consumer whose heartbeats come no more often than its session ends.
pub(super) fn heartbeat_within_session(given: &[(&str, &str)]) -> Result<(), Refused> {
    let number = |wanted: &str, default: i64| {
        let value = given.iter().find(|(name, _)| *name == wanted).and_then(|(_, value)| value.parse().ok());
        value.unwrap_or(default)
    };
    let (heartbeat, session) = (number("heartbeat.interval.ms", 3_000), number("session.timeout.ms", 45_000));
    if heartbeat < session {
        return Ok(());
    }
    let why = format!("must be greater than heartbeat.interval.ms, which is {heartbeat}");
    Err(Refused::Value(format!("{why}: Heartbeat must be set lower than the session timeout")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_unique_so_that_they_can_be_read() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn values_are_checked_as_java_checks_them() {
        let refused = |name: &str, value: &str| match check(name, value) {
            Some(Err(Refused::Value(why))) => why,
            _ => panic!("{name}={value} is not refused"),
        };
        assert_eq!(refused("max.poll.records", "zwei"), "not a number of type INT");
        assert_eq!(refused("max.poll.records", "0"), "must be at least 1");
        assert_eq!(refused("metadata.max.idle.ms", "1"), "must be at least 5000");
        assert!(refused("client.dns.lookup", "nonsense").contains("use_all_dns_ips"));
        assert_eq!(refused("group.instance.id", ""), "must not be empty");
        assert!(refused("enable.auto.commit", "maybe").contains("true or false"));
        for (name, value) in [("group.protocol", "classic"), ("receive.buffer.bytes", "-1"), ("ssl.x", "")] {
            assert!(matches!(check(name, value), Some(Ok(()))), "{name}={value}");
        }
        assert!(check("nothing.like.it", "1").is_none());
        assert!(
            matches!(check("partitioner.class", "a.B"), Some(Err(Refused::Feature(why))) if why.contains("a.B"))
        );
    }

    #[test]
    fn a_session_is_longer_than_the_time_between_heartbeats() {
        assert!(heartbeat_within_session(&[]).is_ok());
        assert!(heartbeat_within_session(&[("session.timeout.ms", "-1")]).is_err());
        assert!(heartbeat_within_session(&[("heartbeat.interval.ms", "50000")]).is_err());
    }
}
