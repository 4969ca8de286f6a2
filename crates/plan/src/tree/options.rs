//! Option maps: names are compared without regard to case and kept as the user wrote them.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Options of a reader or writer. Setting a name again, in whatever case, replaces the value.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, String>", into = "BTreeMap<String, String>")]
pub struct Options {
    /// Lower-case name -> (name as given, value).
    entries: BTreeMap<String, (String, String)>,
}

impl Options {
    /// No options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets one option.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        self.entries.insert(name.to_lowercase(), (name, value.into()));
    }

    /// Takes one option away.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.entries.remove(&name.to_lowercase()).map(|(_, value)| value)
    }

    /// The value of an option.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.entries.get(&name.to_lowercase()).map(|(_, value)| value.as_str())
    }

    /// Whether the option is set.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Names as given, and values, in the order of the lower-case names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.values().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many options are set.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Options {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(pairs: T) -> Self {
        let mut options = Self::new();
        for (name, value) in pairs {
            options.set(name, value);
        }
        options
    }
}

impl From<BTreeMap<String, String>> for Options {
    fn from(map: BTreeMap<String, String>) -> Self {
        map.into_iter().collect()
    }
}

impl From<Options> for BTreeMap<String, String> {
    fn from(options: Options) -> Self {
        options.entries.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_kept_as_given() {
        let mut options =
            Options::from_iter([("startingOffsets", "latest"), ("kafka.bootstrap.servers", "a:1")]);
        options.set("STARTINGOFFSETS", "earliest");
        assert_eq!(options.get("startingoffsets"), Some("earliest"));
        assert_eq!(
            options.iter().collect::<Vec<_>>(),
            [("kafka.bootstrap.servers", "a:1"), ("STARTINGOFFSETS", "earliest")]
        );
        assert_eq!(options.remove("StartingOffsets").as_deref(), Some("earliest"));
        assert_eq!(options.len(), 1);
    }
}
