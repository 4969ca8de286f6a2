//! A session's settings, by their Spark names.
//!
//! Any name is taken, as Spark takes them; those that mean something here are documented where they are read
//! ([`millstream_plan::analyzer::Conf`], the checkpoint, the triggers). Below what a program sets lie the
//! settings of the
//! environment variable `MILLSTREAM_CONF` (`name=value;name=value`), which play the part of Spark's defaults file.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use millstream_plan::analyzer::Conf;
use millstream_plan::schemas::SchemaRegistries;
use parking_lot::RwLock;

use crate::error::{Error, Result};

/// Name of the environment variable with settings for every session of the process.
pub const ENVIRONMENT: &str = "MILLSTREAM_CONF";

/// Refuses option names that mean nothing, where the default is to warn of them once: `true` or `false`.
pub const STRICT_OPTIONS: &str = "millstream.options.strict";

/// The settings of one session. What is set applies to frames and queries made afterwards.
#[derive(Debug, Default)]
pub struct SessionConf {
    settings: RwLock<BTreeMap<String, String>>,
    version: AtomicU64,
    registries: OnceLock<Arc<dyn SchemaRegistries>>,
}

impl SessionConf {
    pub(super) fn new(settings: BTreeMap<String, String>) -> Self {
        Self { settings: RwLock::new(settings), ..Self::default() }
    }

    /// Sets a setting.
    pub fn set(&self, name: impl Into<String>, value: impl ToString) {
        self.settings.write().insert(name.into(), value.to_string());
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Takes a setting back to its default.
    pub fn unset(&self, name: &str) {
        self.settings.write().remove(name);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// A setting, if it was set.
    pub fn get(&self, name: &str) -> Option<String> {
        self.settings.read().get(name).cloned()
    }

    /// Whether a setting was set to `true`, in any case; `default` when it was not set.
    pub fn is_true(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, |value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// All settings that were set.
    pub fn all(&self) -> BTreeMap<String, String> {
        self.settings.read().clone()
    }

    /// The settings as the analyzer takes them.
    pub fn plan_conf(&self) -> Conf {
        let conf: Conf =
            self.settings.read().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        match self.registries.get() {
            Some(registries) => conf.with_registries(Arc::clone(registries)),
            None => conf,
        }
    }

    /// What the analyzer finds schema registries by; set once, when the session begins.
    pub(super) fn set_registries(&self, registries: Arc<dyn SchemaRegistries>) {
        let _ = self.registries.set(registries);
    }

    /// Grows with every change.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }
}

/// The settings of the environment.
pub(super) fn from_environment() -> Result<BTreeMap<String, String>> {
    match std::env::var(ENVIRONMENT) {
        Ok(text) => parse(&text),
        Err(_) => Ok(BTreeMap::new()),
    }
}

fn parse(text: &str) -> Result<BTreeMap<String, String>> {
    let mut settings = BTreeMap::new();
    for item in text.split(';').map(str::trim).filter(|item| !item.is_empty()) {
        let (name, value) = item.split_once('=').ok_or_else(|| {
            Error::option(ENVIRONMENT, format!("{ENVIRONMENT} holds {item:?}; write name=value;name=value"))
        })?;
        settings.insert(name.trim().to_owned(), value.trim().to_owned());
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_holds_names_and_values_between_semicolons() {
        let settings = parse(" a.b = 1 ;; c=x=y ;").unwrap();
        assert_eq!(settings["a.b"], "1");
        assert_eq!(settings["c"], "x=y");
        assert!(parse("a.b").unwrap_err().to_string().contains("a.b"));
    }

    #[test]
    fn what_was_set_is_seen_and_can_be_unset() {
        let conf = SessionConf::default();
        conf.set("spark.sql.ansi.enabled", false);
        assert!(!conf.is_true("spark.sql.ansi.enabled", true));
        conf.unset("spark.sql.ansi.enabled");
        assert!(conf.is_true("spark.sql.ansi.enabled", true));
        assert_eq!(conf.version(), 2);
    }
}
