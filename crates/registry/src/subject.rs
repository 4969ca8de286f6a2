//! Under which subject a topic's schema is registered.

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
    pub fn by_name(name: &str) -> Option<Self> {
        match name.rsplit('.').next()? {
            "TopicNameStrategy" => Some(Self::TopicName),
            "RecordNameStrategy" => Some(Self::RecordName),
            "TopicRecordNameStrategy" => Some(Self::TopicRecordName),
            _ => None,
        }
    }

    /// The subject; none where the strategy wants a record's name and there is none.
    pub fn subject(self, topic: &str, is_key: bool, record: Option<&str>) -> Option<String> {
        match self {
            Self::TopicName => Some(format!("{topic}-{}", if is_key { "key" } else { "value" })),
            Self::RecordName => record.map(str::to_owned),
            Self::TopicRecordName => record.map(|record| format!("{topic}-{record}")),
        }
    }
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
        assert_eq!(name(&format!("{package}TopicNameStrategy"), false).as_deref(), Some("gps-value"));
        assert_eq!(name("TopicNameStrategy", true).as_deref(), Some("gps-key"));
        assert_eq!(name("RecordNameStrategy", false).as_deref(), Some("demo.Gps"));
        assert_eq!(name("TopicRecordNameStrategy", true).as_deref(), Some("gps-demo.Gps"));
        assert_eq!(name("OtherStrategy", true), None);
        assert_eq!(SubjectNameStrategy::RecordName.subject("gps", false, None), None);
    }
}
