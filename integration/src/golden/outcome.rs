//! How cases ended, and the one JSON line that says so.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Everything recorded was equal.
    Passed,
    /// Something differs: which step, and what.
    Failed(String),
    /// A named feature is missing.
    Unsupported(String),
    /// The case differs on purpose, for the reason listed in the repository.
    Deviates(String),
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "failed",
            Self::Unsupported(_) => "unsupported",
            Self::Deviates(_) => "deviates",
        }
    }

    /// The line that is printed for a case.
    pub fn line(&self, case: &str) -> String {
        match self {
            Self::Passed => format!("passed       {case}"),
            Self::Failed(why) => format!("FAILED       {case}: {why}"),
            Self::Unsupported(feature) => format!("unsupported  {case}: {feature}"),
            Self::Deviates(reason) => format!("deviates     {case}: {reason}"),
        }
    }
}

/// What the repository knows of the cases: deliberate differences, and which passed once.
pub struct Record {
    deviations: BTreeMap<String, String>,
    passed: BTreeSet<String>,
}

impl Record {
    /// Reads `golden-deviations.json` (case to reason) and `golden-passed.txt` (a name a line) in `folder`.
    pub fn read(folder: &Path) -> Result<Self, String> {
        let read = |name: &str| {
            let path = folder.join(name);
            std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let deviations = serde_json::from_str(&read("golden-deviations.json")?)
            .map_err(|error| format!("golden-deviations.json: {error}"))?;
        let passed =
            read("golden-passed.txt")?.lines().map(str::to_owned).filter(|line| !line.is_empty()).collect();
        Ok(Self { deviations, passed })
    }

    /// A failure that is listed as a deliberate difference is one; a listed case that passes is a stale listing.
    pub fn judge(&self, case: &str, outcome: Outcome) -> Outcome {
        match (self.deviations.get(case), outcome) {
            (Some(reason), Outcome::Failed(_)) => Outcome::Deviates(reason.clone()),
            (Some(_), Outcome::Passed) => {
                Outcome::Failed("listed as a deviation, but it passes: take it off".into())
            }
            (_, outcome) => outcome,
        }
    }

    /// Cases that passed once and did not now.
    pub fn regressions(&self, outcomes: &BTreeMap<String, Outcome>) -> Vec<String> {
        let slipped = |case: &&String| outcomes.get(*case).is_some_and(|outcome| *outcome != Outcome::Passed);
        self.passed.iter().filter(slipped).cloned().collect()
    }

    /// Adds cases to the list of those that may not fail again.
    pub fn keep(&self, folder: &Path, new: &[String]) -> Result<(), String> {
        let path = folder.join("golden-passed.txt");
        let all: BTreeSet<&String> = self.passed.iter().chain(new).collect();
        let text: String = all.into_iter().map(|name| format!("{name}\n")).collect();
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Cases that pass now and are not yet held to it.
    pub fn newly_passed(&self, outcomes: &BTreeMap<String, Outcome>) -> Vec<String> {
        let new = |(case, outcome): &(&String, &Outcome)| {
            **outcome == Outcome::Passed && !self.passed.contains(*case)
        };
        outcomes.iter().filter(new).map(|(case, _)| case.clone()).collect()
    }
}

/// Counts per group and in all, with the missing features named.
pub fn summary(groups: &BTreeMap<String, String>, outcomes: &BTreeMap<String, Outcome>) -> Value {
    let mut counts: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
    let mut missing: BTreeMap<&str, u64> = BTreeMap::new();
    for (case, outcome) in outcomes {
        let group = groups.get(case).map_or("?", String::as_str);
        for key in [group, "all"] {
            let group = counts.entry(key).or_insert_with(|| {
                ["passed", "failed", "unsupported", "deviates"].into_iter().map(|word| (word, 0)).collect()
            });
            *group.entry(outcome.word()).or_default() += 1;
        }
        if let Outcome::Unsupported(feature) = outcome {
            *missing.entry(feature).or_default() += 1;
        }
    }
    json!({ "golden": counts, "unsupported_features": missing })
}
