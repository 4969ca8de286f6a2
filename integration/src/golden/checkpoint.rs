//! Checkpoint files of a case: read, listed, dropped and written while the query is stopped.

use super::compare;
use regex::Regex;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::LazyLock;

/// Files that are ours alone and no part of Spark's layout.
const OURS: &str = "millstream";

/// The recorded contents, ids and times masked.
pub fn same_files(folder: &Path, expected: &Value) -> Result<(), String> {
    for (name, text) in expected.as_object().into_iter().flatten() {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).map_err(|error| format!("{name}: {error}"))?;
        let found = masked(&String::from_utf8_lossy(&bytes));
        // Recordings of several batches write the settings out once.
        let expected =
            text.as_str().unwrap_or_default().replace("<as in offsets/0>", &first_settings(folder));
        same_text(name, &expected, &found)?;
    }
    Ok(())
}

/// The settings in offsets/0, as JSON; they are compared with the recording there.
fn first_settings(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("offsets/0")).unwrap_or_default();
    let line: Value =
        text.lines().nth(1).and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    line["conf"].to_string()
}

/// Lines are compared as JSON where both are, so that the order of settings does not matter.
fn same_text(name: &str, expected: &str, found: &str) -> Result<(), String> {
    let (wanted, ours): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), found.lines().collect());
    if wanted.len() != ours.len() {
        return Err(format!("{name}: expected {expected:?}, found {found:?}"));
    }
    for (wanted, ours) in wanted.iter().zip(&ours) {
        let json = |line: &str| serde_json::from_str::<Value>(&line.replace("<ms>", "0")).ok();
        let same = match (json(wanted), json(ours)) {
            (Some(wanted), Some(ours)) => wanted == ours,
            _ => wanted == ours,
        };
        if !same {
            return Err(format!("{name}: expected {wanted:?}, found {ours:?}"));
        }
    }
    Ok(())
}

fn masked(text: &str) -> String {
    static TIME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r#"("batchTimestampMs":)\d+"#).expect("a valid pattern"));
    TIME.replace_all(&compare::masked(text), "$1<ms>").into_owned()
}

/// The recorded list of files, checksum siblings and our own folder left out.
pub fn same_list(folder: &Path, expected: &Value) -> Result<(), String> {
    let mut names = Vec::new();
    collect(folder, folder, &mut names).map_err(|error| error.to_string())?;
    names.sort();
    compare::same_value("checkpoint files", expected, &json!(names))
}

fn collect(root: &Path, folder: &Path, names: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        if path.is_dir() {
            if name != OURS {
                collect(root, &path, names)?;
            }
        } else if !name.ends_with(".crc") {
            names.push(name);
        }
    }
    Ok(())
}

/// Removes files.
pub fn drop_files(folder: &Path, names: &Value) -> Result<(), String> {
    for name in names.as_array().into_iter().flatten().filter_map(Value::as_str) {
        std::fs::remove_file(folder.join(name)).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// Writes a file: `{path, text}`.
pub fn write_file(folder: &Path, step: &Value) -> Result<(), String> {
    let name = step["path"].as_str().ok_or("a file without a path")?;
    let text = step["text"].as_str().ok_or("a file without a text")?;
    std::fs::write(folder.join(name), text).map_err(|error| format!("{name}: {error}"))
}
