//! A case file: topics, frames, sink and steps, as `integration/golden/README.md` describes them.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::path::Path;

/// One recorded case.
#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    /// The id, which is also the file's name.
    pub name: String,
    /// The group's letter.
    pub group: String,
    /// Topics to make before the first step.
    #[serde(default)]
    pub topics: Vec<Topic>,
    /// Names that are made in the steps or must not exist at the start.
    #[serde(default)]
    pub other_topics: Vec<String>,
    /// The frames and the sink; cases of expressions (group D) have none.
    #[serde(default)]
    pub query: Query,
    /// What is done, in order, with its results.
    pub steps: Vec<Map<String, Value>>,
}

/// A topic to make.
#[derive(Debug, Clone, Deserialize)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// How many partitions it has, 1 if the recording does not say.
    #[serde(default = "one")]
    pub partitions: i32,
    /// Topic settings.
    #[serde(default)]
    pub config: Map<String, Value>,
}

fn one() -> i32 {
    1
}

/// The query of a case.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Query {
    /// Frame name to its steps, in the order in which they are built.
    #[serde(default)]
    pub frames: Map<String, Value>,
    /// The frame that is written or collected.
    #[serde(default)]
    pub result: String,
    /// The sink, where the case writes.
    #[serde(default)]
    pub write: Option<Map<String, Value>>,
    /// Session settings of this case.
    #[serde(default)]
    pub conf: Map<String, Value>,
}

impl Case {
    /// Reads a case file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_json::from_str(&text).map_err(|error| format!("{}: not a case: {error}", path.display()))
    }

    /// The topics to make and the other topics' names of a program's `input.json`.
    pub fn topics_of(input: &Value) -> Result<(Vec<Topic>, Vec<String>), String> {
        let list = |key: &str| input.get(key).cloned().unwrap_or_else(|| Value::Array(Vec::new()));
        let topics = serde_json::from_value(list("topics")).map_err(|error| error.to_string())?;
        let others = serde_json::from_value(list("other_topics")).map_err(|error| error.to_string())?;
        Ok((topics, others))
    }

    /// Every case file directly under `folder`, by name.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>, String> {
        let listing = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut paths = Vec::new();
        for entry in listing {
            let path = entry.map_err(|error| format!("{}: {error}", folder.display()))?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }
}

/// A setting's value as the text that Spark takes: `true`, `5`, `text`.
pub fn setting(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
