//! A topic: its id, settings and partitions, and which names are legal.

use std::sync::Arc;

use uuid::Uuid;

use crate::config::TopicConfig;
use crate::partition::Partition;

#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) name: Arc<str>,
    pub(crate) id: Uuid,
    pub(crate) config: TopicConfig,
    pub(crate) partitions: Vec<Partition>,
}

impl Topic {
    pub(crate) fn partition(&self, index: i32) -> Option<&Partition> {
        usize::try_from(index).ok().and_then(|index| self.partitions.get(index))
    }

    pub(crate) fn partition_mut(&mut self, index: i32) -> Option<&mut Partition> {
        usize::try_from(index).ok().and_then(|index| self.partitions.get_mut(index))
    }
}

/// Kafka's rule for topic names; the error is its text.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    const MAX_LENGTH: usize = 249;
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() {
        return Err("Topic name is invalid: the empty string is not allowed".to_owned());
    }
    if name == "." || name == ".." {
        return Err(format!("Topic name is invalid: '{name}' is not allowed"));
    }
    if name.len() > MAX_LENGTH {
        return Err(format!("Topic name is invalid: it is longer than {MAX_LENGTH} characters: {name}"));
    }
    if !name.chars().all(legal) {
        return Err(format!(
            "Topic name is invalid: '{name}' holds characters other than ASCII letters, digits, '.', '_', '-'"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_name;

    #[test]
    fn names_follow_kafkas_rule() {
        for good in ["a", "orders.v1", "x_-9", &"n".repeat(249)] {
            assert_eq!(check_name(good), Ok(()));
        }
        for bad in ["", ".", "..", "a b", "é", "a/b", &"n".repeat(250)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
