//! The session's settings that change what a text means or how it is run.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::{Error, Result, SparkError};
use crate::schemas::SchemaRegistries;

/// Settings by their Spark names; what is not set has Spark's default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conf {
    settings: BTreeMap<String, String>,
    registries: Registries,
}

/// Not a setting: two sessions with the same settings are alike, whatever they are connected to.
#[derive(Debug, Clone, Default)]
struct Registries(Option<Arc<dyn SchemaRegistries>>);

impl PartialEq for Registries {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for Registries {}

impl Conf {
    /// All defaults: ANSI on, session time zone UTC, names without regard to case.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets one setting.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.settings.insert(name.into(), value.into());
    }

    /// The same, with connections to schema registries.
    #[must_use]
    pub fn with_registries(mut self, registries: Arc<dyn SchemaRegistries>) -> Self {
        self.registries = Registries(Some(registries));
        self
    }

    /// The session's schema registries.
    ///
    /// # Errors
    /// [`Error::Unsupported`] where there is no session with a network.
    pub fn registries(&self) -> Result<&Arc<dyn SchemaRegistries>> {
        self.registries.0.as_ref().ok_or_else(|| Error::unsupported("a schema registry outside of a session"))
    }

    /// A setting as it was set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.settings.get(name).map(String::as_str)
    }

    /// All settings that were set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.settings.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// `spark.sql.ansi.enabled`, default true: bad values and overflow are errors, not NULL.
    pub fn ansi(&self) -> bool {
        self.flag("spark.sql.ansi.enabled", true)
    }

    /// `spark.sql.session.timeZone`, default UTC: an IANA name or an offset such as `+05:30`.
    pub fn time_zone(&self) -> &str {
        self.get("spark.sql.session.timeZone").unwrap_or("UTC")
    }

    /// `spark.sql.caseSensitive`, default false.
    pub fn case_sensitive(&self) -> bool {
        self.flag("spark.sql.caseSensitive", false)
    }

    /// `spark.sql.columnNameOfCorruptRecord`, default `_corrupt_record`.
    pub fn corrupt_record_column(&self) -> &str {
        self.get("spark.sql.columnNameOfCorruptRecord").unwrap_or("_corrupt_record")
    }

    /// `spark.sql.jsonGenerator.ignoreNullFields`, default true.
    pub fn json_ignores_null_fields(&self) -> bool {
        self.flag("spark.sql.jsonGenerator.ignoreNullFields", true)
    }

    /// Partitions that operators run on: `millstream.parallelism`, default the number of cores.
    ///
    /// # Errors
    /// A value that is not a positive number.
    pub fn parallelism(&self) -> Result<usize> {
        const NAME: &str = "millstream.parallelism";
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        let Some(text) = self.get(NAME) else { return Ok(cores()) };
        match text.trim().parse() {
            Ok(n) if n > 0 => Ok(n),
            _ => Err(SparkError::new(
                "INVALID_CONF_VALUE.REQUIREMENT",
                [
                    ("confName", NAME.to_owned()),
                    ("confValue", text.to_owned()),
                    ("confRequirement", "It must be a positive integer.".to_owned()),
                ],
            )
            .into()),
        }
    }

    fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, |v| v.trim().eq_ignore_ascii_case("true"))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Conf {
    fn from_iter<T: IntoIterator<Item = (K, V)>>(settings: T) -> Self {
        Self {
            settings: settings.into_iter().map(|(k, v)| (k.into(), v.into())).collect(),
            ..Self::default()
        }
    }
}
