//! Under which subject a topic's schema is registered.

use crate::error::{Error, Result};

/// The strategies of Confluent's serializers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SubjectNameStrategy {
    /// `<topic>-key` and `<topic>-value`.
    #[default]
    TopicName,
    /// The record's full name.
    RecordName,
    /// `<topic>-<full name>`.
    TopicRecordName,
}

impl SubjectNameStrategy {
    /// By its class name, with or without its package.
    ///
    /// # Errors
    /// [`Error::Config`] for any other name.
    pub fn by_name(name: &str) -> Result<Self> {
        match name.trim().rsplit('.').next() {
            Some("TopicNameStrategy") => Ok(Self::TopicName),
            Some("RecordNameStrategy") => Ok(Self::RecordName),
            Some("TopicRecordNameStrategy") => Ok(Self::TopicRecordName),
            _ => Err(config(format!(
                "{name} is none of TopicNameStrategy, RecordNameStrategy and TopicRecordNameStrategy"
            ))),
        }
    }

    /// The subject of a topic's keys or values; `record` is the full name of their schema.
    ///
    /// # Errors
    /// [`Error::Config`] where the strategy wants a record's name and there is none.
    pub fn subject(self, topic: &str, is_key: bool, record: Option<&str>) -> Result<String> {
        let named = || {
            record.ok_or_else(|| {
                let why = format!(
                    "{self:?}Strategy builds the subject from a record's name, and none is known; give the schema in \
                     the option avroSchema, protobufSchema or jsonSchema, or name the subject instead of the topic \
                     and leave the strategy out"
                );
                config(why)
            })
        };
        match self {
            Self::TopicName => Ok(format!("{topic}-{}", if is_key { "key" } else { "value" })),
            Self::RecordName => named().map(str::to_owned),
            Self::TopicRecordName => Ok(format!("{topic}-{}", named()?)),
        }
    }
}

fn config(why: String) -> Error {
    Error::Config { option: "subject.name.strategy".into(), why }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_named_as_confluents_serializers_name_them() {
        let name = |strategy: &str, is_key| {
            SubjectNameStrategy::by_name(strategy)?.subject("gps", is_key, Some("demo.Gps"))
        };
        let package = "io.confluent.kafka.serializers.subject.";
        assert_eq!(name(&format!("{package}TopicNameStrategy"), false).unwrap(), "gps-value");
        assert_eq!(name("TopicNameStrategy", true).unwrap(), "gps-key");
        assert_eq!(name("RecordNameStrategy", false).unwrap(), "demo.Gps");
        assert_eq!(name("TopicRecordNameStrategy", true).unwrap(), "gps-demo.Gps");
        assert!(matches!(name("OtherStrategy", true), Err(Error::Config { .. })));
        let unnamed = SubjectNameStrategy::RecordName.subject("gps", false, None).unwrap_err().to_string();
        assert!(unnamed.contains("RecordNameStrategy") && unnamed.contains("avroSchema"), "{unnamed}");
    }
}
