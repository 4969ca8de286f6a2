//! The batches of a `process` step against the recorded ones.

use super::compare;
use serde_json::{Map, Value, json};

/// Rows that a call of foreachBatch got.
#[derive(Debug, Clone)]
pub struct Captured {
    /// The batch's id.
    pub id: i64,
    /// Its rows.
    pub rows: Vec<Value>,
}

/// What has happened in a step.
pub struct Found {
    /// Calls of foreachBatch, in order.
    pub captured: Vec<Captured>,
    /// Progress reports, in order.
    pub reports: Vec<Value>,
    /// Whether the sink is foreachBatch.
    pub captures_rows: bool,
}

/// Compares every key that the recording has.
pub fn compare(step: &Map<String, Value>, found: &Found) -> Result<(), String> {
    let Some(expected) = step.get("batches").and_then(Value::as_array) else { return Ok(()) };
    let executed: Vec<&Value> =
        found.reports.iter().filter(|report| report["durationMs"].get("addBatch").is_some()).collect();
    let count = if found.captures_rows { found.captured.len() } else { executed.len() };
    if count != expected.len() {
        let ids: Vec<_> = if found.captures_rows {
            found.captured.iter().map(|batch| json!(batch.id)).collect()
        } else {
            executed.iter().map(|report| report["batchId"].clone()).collect()
        };
        let wanted: Vec<_> = expected.iter().map(|batch| &batch["id"]).collect();
        return Err(format!("batches {ids:?} where Spark's are {wanted:?}"));
    }
    for (position, batch) in expected.iter().enumerate() {
        let captured = found.captures_rows.then(|| &found.captured[position]);
        same_batch(batch, captured, executed.get(position).copied())
            .map_err(|why| format!("batch {}: {why}", batch["id"]))?;
    }
    if let Some(expected) = step.get("num_input_rows") {
        let sum: i64 = executed.iter().filter_map(|report| report["numInputRows"].as_i64()).sum();
        compare::same_value("num_input_rows of the step", expected, &json!(sum))?;
    }
    if let Some(expected) = step.get("status").and_then(|status| status.get("progress_without_batch")) {
        let idle = found.reports.iter().filter(|report| report["durationMs"].get("addBatch").is_none());
        let ids: Vec<_> = idle.map(|report| report["batchId"].clone()).collect();
        compare::same_value("progress without a batch", expected, &json!(ids))?;
    }
    if let Some(watermark) = step.get("watermark") {
        let found = found.reports.last().map(|report| &report["eventTime"]["watermark"]);
        compare::same_value("watermark", watermark, found.unwrap_or(&Value::Null))?;
    }
    Ok(())
}

fn same_batch(expected: &Value, captured: Option<&Captured>, report: Option<&Value>) -> Result<(), String> {
    let report = report.ok_or("no progress was reported for it")?;
    compare::same_value("id", &expected["id"], &report["batchId"])?;
    for (key, value) in expected.as_object().into_iter().flatten() {
        match key.as_str() {
            "id" => {}
            "rows" => match captured {
                Some(captured) => {
                    compare::same_value("id", &expected["id"], &json!(captured.id))?;
                    compare::same_rows(value, &captured.rows)?;
                }
                None => return Err("rows of a sink that does not capture them".into()),
            },
            "tasks" => same_tasks(value, captured.map_or(&[][..], |captured| &captured.rows))?,
            "num_input_rows" => compare::same_value(key, value, &report["numInputRows"])?,
            "num_output_rows" => compare::same_value(key, value, &report["sink"]["numOutputRows"])?,
            "sources" => same_sources(value, &report["sources"])?,
            "state_operators" => compare::same_value(key, value, &report["stateOperators"])?,
            "event_time" => compare::same_value(key, value, &report["eventTime"])?,
            other => return Err(format!("the runner does not know the key {other}")),
        }
    }
    Ok(())
}

fn same_sources(expected: &Value, found: &Value) -> Result<(), String> {
    let expected = expected.as_array().map_or(&[][..], Vec::as_slice);
    let found = found.as_array().map_or(&[][..], Vec::as_slice);
    if expected.len() != found.len() {
        return Err(format!("{} sources, Spark has {}", found.len(), expected.len()));
    }
    for (expected, found) in expected.iter().zip(found) {
        let names = [
            ("description", "description"),
            ("start", "startOffset"),
            ("end", "endOffset"),
            ("latest", "latestOffset"),
            ("num_input_rows", "numInputRows"),
        ];
        for (name, ours) in names {
            if let Some(value) = expected.get(name) {
                compare::same_value(name, value, &found[ours])?;
            }
        }
        let metrics = found.get("metrics").cloned().unwrap_or_else(|| json!({}));
        compare::same_value("metrics", expected.get("metrics").unwrap_or(&json!({})), &metrics)?;
    }
    Ok(())
}

/// `[topic, partition, first, last + 1, rows]` per task, from rows of (task, topic, partition, offset).
pub fn same_tasks(expected: &Value, rows: &[Value]) -> Result<(), String> {
    let mut tasks: Vec<(Value, Value, Value, Vec<i64>)> = Vec::new();
    for row in rows {
        let (task, topic, partition) = (&row[0], &row[1], &row[2]);
        let offset = row[3].as_i64().ok_or("a row without an offset")?;
        match tasks.iter_mut().find(|known| (&known.0, &known.1, &known.2) == (task, topic, partition)) {
            Some(known) => known.3.push(offset),
            None => tasks.push((task.clone(), topic.clone(), partition.clone(), vec![offset])),
        }
    }
    let line = |(_, topic, partition, offsets): (Value, Value, Value, Vec<i64>)| {
        let first = offsets.iter().min().copied().unwrap_or_default();
        let last = offsets.iter().max().copied().unwrap_or_default();
        json!([topic, partition, first, last + 1, offsets.len()])
    };
    compare::same_rows(expected, &tasks.into_iter().map(line).collect::<Vec<_>>())
}

/// The recorded shape: the same keys in every object, and masks such as `<int>` for values that differ by run.
pub fn same_shape(what: &str, expected: &Value, found: &Value) -> Result<(), String> {
    match (expected, found) {
        (Value::String(mask), found) if mask.starts_with('<') && mask.ends_with('>') => {
            let fits = match mask.as_str() {
                "<int>" => found.is_i64() || found.is_u64(),
                "<float>" => found.is_number(),
                _ => found.is_string(),
            };
            if fits { Ok(()) } else { Err(format!("{what}: {mask} expected, found {found}")) }
        }
        (Value::Object(expected), Value::Object(found)) => {
            let (wanted, ours): (Vec<_>, Vec<_>) = (expected.keys().collect(), found.keys().collect());
            if wanted != ours {
                return Err(format!("{what}: fields {wanted:?} expected, found {ours:?}"));
            }
            let mut pairs = expected.iter().zip(found.values());
            pairs.try_for_each(|((key, expected), found)| {
                same_shape(&format!("{what}.{key}"), expected, found)
            })
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs
                .try_for_each(|(at, (expected, found))| same_shape(&format!("{what}[{at}]"), expected, found))
        }
        _ => compare::same_value(what, expected, found),
    }
}
