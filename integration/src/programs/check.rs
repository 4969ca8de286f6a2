//! What a program printed and wrote against its recording.

use super::process::Ended;
use crate::golden::{Cluster, compare, same_checkpoint_files, same_shape};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Topics and directories as they stand after a run.
#[derive(Debug, Default, Clone)]
pub struct Outputs {
    topics: BTreeMap<String, Vec<Value>>,
    lines: BTreeMap<String, Vec<String>>,
}

impl Outputs {
    /// Reads the topics and directories that the recording names.
    pub async fn collect(input: &Value, cluster: &Cluster, work: &Path) -> Result<Self, String> {
        let mut outputs = Self::default();
        for topic in input["read_topics"].as_array().into_iter().flatten() {
            let name = topic["topic"].as_str().unwrap_or_default();
            let keep_partition = topic["keyless_partition"] != json!(false);
            let records = cluster.read_topic(name).await?;
            let records = records.iter().map(|record| recorded_form(record, keep_partition)).collect();
            outputs.topics.insert(name.to_owned(), records);
        }
        for folder in input["read_dirs"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let mut lines = Vec::new();
            read_lines(&work.join(folder), &mut lines)?;
            outputs.lines.insert(folder.to_owned(), lines);
        }
        Ok(outputs)
    }
}

/// `[partition, key, value, headers]`, text bare and other bytes as `{"b64": ..}`.
fn recorded_form(record: &Value, keep_partition: bool) -> Value {
    let bare = |value: &Value| value.get("utf8").cloned().unwrap_or_else(|| value.clone());
    let headers = match record["headers"].as_array() {
        Some(headers) => headers.iter().map(|header| json!([header[0], bare(&header[1])])).collect(),
        None => Value::Null,
    };
    let any = record["key"].is_null() && !keep_partition;
    let partition = if any { json!("any") } else { record["partition"].clone() };
    json!([partition, bare(&record["key"]), bare(&record["value"]), headers])
}

/// Lines of the files that readers see: names that begin with `_` or `.` are not data.
fn read_lines(folder: &Path, lines: &mut Vec<String>) -> Result<(), String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if name.starts_with(['_', '.']) {
            continue;
        }
        if path.is_dir() {
            read_lines(&path, lines)?;
        } else {
            let text =
                std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            lines.extend(text.lines().map(str::to_owned));
        }
    }
    Ok(())
}

fn expected(folder: &Path, name: &str) -> Option<Value> {
    let text = std::fs::read_to_string(folder.join("expected").join(name)).ok()?;
    serde_json::from_str(&text).ok()
}

/// What run `number` added to topics and directories.
pub fn same_outputs(folder: &Path, number: usize, before: &Outputs, after: &Outputs) -> Result<(), String> {
    let key = format!("after_run_{number}");
    for (topic, records) in &after.topics {
        let Some(recorded) = expected(folder, &format!("topic_{topic}.json")) else { continue };
        let mut added = records.clone();
        for old in before.topics.get(topic).into_iter().flatten() {
            if let Some(at) = added.iter().position(|record| record == old) {
                added.swap_remove(at);
            }
        }
        compare::same_rows(&recorded[&key], &added).map_err(|why| format!("topic {topic}: {why}"))?;
    }
    for (directory, lines) in &after.lines {
        let Some(recorded) = expected(folder, &format!("files_{directory}.json")) else { continue };
        let mut added = lines.clone();
        for old in before.lines.get(directory).into_iter().flatten() {
            let at = added.iter().position(|line| line == old);
            added.swap_remove(at.ok_or_else(|| format!("directory {directory}: a line is gone: {old}"))?);
        }
        let wanted = recorded[&key]["lines"].as_object().into_iter().flatten();
        let wanted: Vec<Value> =
            wanted.flat_map(|(_, lines)| lines.as_array().cloned().unwrap_or_default()).collect();
        let added: Vec<Value> = added.into_iter().map(Value::String).collect();
        compare::same_rows(&Value::Array(wanted), &added)
            .map_err(|why| format!("directory {directory}: {why}"))?;
    }
    Ok(())
}

/// Checkpoint files after the runs that the recording names.
pub fn same_checkpoints(folder: &Path, number: usize, work: &Path) -> Result<(), String> {
    let Some(recorded) = expected(folder, "checkpoint.json") else { return Ok(()) };
    for (location, files) in recorded[format!("after_run_{number}")].as_object().into_iter().flatten() {
        same_checkpoint_files(&work.join(location), files).map_err(|why| format!("{location}: {why}"))?;
    }
    Ok(())
}

/// Standard output, byte for byte; P1 alone may order the rows of different partitions otherwise.
pub fn same_console(folder: &Path, number: usize, ended: &Ended, program: &str) -> Result<(), String> {
    let path = folder.join("expected").join(format!("console_{number}.txt"));
    let Ok(recorded) = std::fs::read_to_string(path) else { return Ok(()) };
    let same = match program {
        "p01_json_topic" => tables_sorted(&recorded) == tables_sorted(&ended.stdout),
        _ => recorded == ended.stdout,
    };
    if same {
        return Ok(());
    }
    let line = recorded.lines().zip(ended.stdout.lines()).position(|(one, other)| one != other);
    let at = line.unwrap_or_else(|| recorded.lines().count().min(ended.stdout.lines().count()));
    let (wanted, found) = (recorded.lines().nth(at), ended.stdout.lines().nth(at));
    Err(format!(
        "console differs in line {}: expected {wanted:?}, found {found:?}\nwhole output:\n{}\n{}",
        at + 1,
        ended.stdout,
        ended.stderr
    ))
}

/// Runs of table rows in a fixed order.
fn tables_sorted(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    let mut rows: Vec<&str> = Vec::new();
    for line in text.split_inclusive('\n') {
        if line.starts_with('|') {
            rows.push(line);
            continue;
        }
        rows.sort_unstable();
        lines.append(&mut rows);
        lines.push(line);
    }
    rows.sort_unstable();
    lines.append(&mut rows);
    lines.concat()
}

/// The error that ended a run, by its condition where that is public, else by its quoted names.
pub fn same_error(folder: &Path, number: usize, ended: &Ended) -> Result<(), String> {
    let recorded = expected(folder, "error.json");
    let Some(error) = recorded.as_ref().and_then(|recorded| recorded.get(format!("run_{number}"))) else {
        if ended.status.success() || ended.status.code().is_none() {
            return Ok(());
        }
        return Err(format!("the program ended with {}: {}", ended.status, ended.stderr));
    };
    if ended.status.success() {
        return Err(format!("no error; Spark's is {}", error["message"]));
    }
    let condition = error["condition"].as_str().filter(|condition| !condition.starts_with("_LEGACY"));
    match condition {
        Some(condition) if ended.stderr.contains(condition) => Ok(()),
        Some(condition) => Err(format!("condition {condition} expected, found {}", ended.stderr)),
        None => {
            let failure =
                compare::Failure { phase: "program", message: ended.stderr.clone(), ..Default::default() };
            compare::same_error(error.as_object().unwrap_or(&serde_json::Map::new()), &failure)
        }
    }
}

/// The last progress reports of each query, masked as recorded; a sink's description holds Spark's class names.
pub fn same_progress(folder: &Path, number: usize, ended: &Ended) -> Result<(), String> {
    let Some(recorded) = expected(folder, "progress.json") else { return Ok(()) };
    for (name, reports) in recorded[format!("run_{number}")].as_object().into_iter().flatten() {
        let reports = reports.as_array().map_or(&[][..], Vec::as_slice);
        let own = |report: &&Value| match report["name"].as_str() {
            Some(own) => own == name,
            None => reports.first().is_none_or(|first| first["name"].is_null()),
        };
        let found: Vec<&Value> = ended.progress.iter().filter(own).collect();
        let last = &found[found.len().saturating_sub(reports.len())..];
        if last.len() != reports.len() {
            return Err(format!("query {name}: {} reports where Spark gave {}", last.len(), reports.len()));
        }
        for (recorded, found) in reports.iter().zip(last) {
            let (mut recorded, mut found) = (recorded.clone(), (*found).clone());
            for report in [&mut recorded, &mut found] {
                report["sink"]["description"] = json!("");
            }
            same_shape("progress", &recorded, &found)?;
        }
    }
    Ok(())
}

/// Whether a report's sources have reached the ends of their topics.
pub async fn reached_the_end(report: &Value, cluster: &Cluster) -> Result<bool, String> {
    for source in report["sources"].as_array().into_iter().flatten() {
        for (topic, partitions) in source["endOffset"].as_object().into_iter().flatten() {
            let ends = cluster.ends(topic).await?;
            for (partition, end) in ends {
                if partitions[partition.to_string()].as_i64() != Some(end) {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}
