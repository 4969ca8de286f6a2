//! Equality as the golden README defines it: rows as multisets, masked texts, errors by condition or by quoted names.

use regex::Regex;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

/// An error of ours in the golden form.
#[derive(Debug, Clone, Default)]
pub struct Failure {
    /// build, start, run or save.
    pub phase: &'static str,
    /// Spark's condition, where ours has one.
    pub condition: Option<String>,
    /// The SQLSTATE of the condition.
    pub sqlstate: Option<String>,
    /// The condition's parameters.
    pub parameters: Vec<(String, String)>,
    /// What the user reads.
    pub message: String,
}

/// `Ok` when both hold the same rows, in any order.
pub fn same_rows(expected: &Value, found: &[Value]) -> Result<(), String> {
    let wanted = expected.as_array().map_or(&[][..], Vec::as_slice);
    let (mut wanted, mut found) = (texts(wanted), texts(found));
    wanted.sort();
    found.sort();
    same_lines(&wanted, &found)
}

/// `Ok` when both hold the same rows in the same order.
pub fn same_ordered_rows(expected: &Value, found: &[Value]) -> Result<(), String> {
    let wanted = expected.as_array().map_or(&[][..], Vec::as_slice);
    let found: Vec<Value> = if wanted.len() == found.len() {
        wanted.iter().zip(found).map(|(wanted, found)| as_recorded(wanted, found)).collect()
    } else {
        found.to_vec()
    };
    same_lines(&texts(wanted), &texts(&found))
}

/// Where the recording holds a column cast to text (`{"as_string": ..}`), ours is turned into that form.
fn as_recorded(wanted: &Value, found: &Value) -> Value {
    match (wanted, found) {
        (Value::Object(mark), found) if mark.len() == 1 && mark.contains_key("as_string") => {
            if found.get("as_string").is_some() {
                found.clone()
            } else {
                json!({ "as_string": cast_text(found) })
            }
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            wanted.iter().zip(found).map(|(wanted, found)| as_recorded(wanted, found)).collect()
        }
        (Value::Object(wanted), Value::Object(found)) if wanted.len() == found.len() => {
            let fields = wanted.values().zip(found);
            fields.map(|(wanted, (name, found))| (name.clone(), as_recorded(wanted, found))).collect()
        }
        // Years below 1000 stand in the recordings as Python's strftime prints them: without leading zeros.
        (Value::String(wanted), Value::String(found))
            if found.get(4..5) == Some("-") && found.trim_start_matches('0') == wanted =>
        {
            json!(wanted)
        }
        _ => found.clone(),
    }
}

/// A cell as Spark casts it to text.
fn cast_text(cell: &Value) -> String {
    match cell {
        Value::Null => "null".into(),
        Value::String(text) => text.clone(),
        Value::Object(fields) => match fields.get("as_string").and_then(Value::as_str) {
            Some(text) => text.into(),
            None => format!("{{{}}}", fields.values().map(cast_text).collect::<Vec<_>>().join(", ")),
        },
        other => other.to_string(),
    }
}

fn texts(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| normal(row).to_string()).collect()
}

/// Integral floats become the same JSON whichever way they were written.
fn normal(value: &Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(normal).collect()),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), normal(value))).collect())
        }
        Value::Number(number) if number.is_f64() => number.as_f64().map_or(value.clone(), Value::from),
        other => other.clone(),
    }
}

fn same_lines(wanted: &[String], found: &[String]) -> Result<(), String> {
    if wanted == found {
        return Ok(());
    }
    let missing: Vec<_> = wanted.iter().filter(|line| !found.contains(line)).take(3).collect();
    let surplus: Vec<_> = found.iter().filter(|line| !wanted.contains(line)).take(3).collect();
    let (wanted, found) = (wanted.len(), found.len());
    Err(format!(
        "rows differ: {wanted} expected, {found} found; missing {missing:?}, not expected {surplus:?}"
    ))
}

/// `Ok` when every key of `expected` has the same value in `found`, as text that shows the first difference otherwise.
pub fn same_value(what: &str, expected: &Value, found: &Value) -> Result<(), String> {
    if normal(expected) == normal(found) {
        Ok(())
    } else {
        Err(format!("{what}: expected {expected}, found {found}"))
    }
}

/// Compares an error by condition, SQLSTATE and parameters, or by phase and every quoted name where Spark has no
/// condition.
pub fn same_error(expected: &Map<String, Value>, found: &Failure) -> Result<(), String> {
    let text = |key: &str| expected.get(key).and_then(Value::as_str);
    let shown = || format!("{:?} {}", found.condition, found.message.trim());
    if text("phase") != Some(found.phase) {
        return Err(format!(
            "error in phase {} where Spark's is {:?}: {}",
            found.phase,
            text("phase"),
            shown()
        ));
    }
    match text("condition") {
        Some(condition) if !condition.starts_with("_LEGACY_ERROR_TEMP_") => {
            if found.condition.as_deref() != Some(condition) {
                return Err(format!("condition {condition} expected, found {}", shown()));
            }
            if text("sqlstate").is_some() && text("sqlstate") != found.sqlstate.as_deref() {
                return Err(format!("sqlstate {:?} expected, found {:?}", text("sqlstate"), found.sqlstate));
            }
            same_parameters(expected.get("parameters"), found)
        }
        _ => {
            let message = text("message").unwrap_or_default();
            // A switch of the library that Spark reads JSON with is no name of the user's.
            let names = quoted(message).into_iter().filter(|name| !name.starts_with("StreamReadFeature."));
            match names.into_iter().find(|name| !contains(&found.message, name)) {
                Some(missing) => Err(format!("the message does not name {missing:?}: {}", shown())),
                None => Ok(()),
            }
        }
    }
}

fn contains(message: &str, name: &str) -> bool {
    masked(message).to_lowercase().contains(&masked(name).to_lowercase())
}

fn same_parameters(expected: Option<&Value>, found: &Failure) -> Result<(), String> {
    let Some(Value::Object(expected)) = expected else { return Ok(()) };
    for (name, value) in expected {
        let ours = found.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| masked(value));
        // The recordings say `<path>` for any path.
        let is_path = ours.as_deref().is_some_and(|ours| ours.starts_with('/') || ours.starts_with("file:"));
        if is_path && value == "<path>" {
            continue;
        }
        if ours.as_deref().map(squeeze) != value.as_str().map(|text| squeeze(&masked(text))) {
            return Err(format!("parameter {name}: expected {value}, found {ours:?}"));
        }
    }
    Ok(())
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Names between quotes or backticks, and numbers and JSON texts that stand for a value.
fn quoted(message: &str) -> Vec<String> {
    static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r#"'([^'\n]{1,200})'|`([^`\n]{1,200})`|(\{\S+\})|"([^"\n]{1,200})"|\b(\d+)\b"#)
            .expect("a valid pattern")
    });
    let message = message.split("\n== SQL").next().unwrap_or(message);
    QUOTED
        .captures_iter(message)
        .filter_map(|found| found.iter().skip(1).flatten().next().map(|name| name.as_str().to_owned()))
        .collect()
}

/// Ids, expression ids and times replaced by the README's masks.
pub fn masked(text: &str) -> String {
    static UUID: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").expect("a valid pattern")
    });
    static HASH: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"<uuid>-{1,2}?-?\d+(-driver|-executor)?").expect("a valid pattern"));
    static EXPRESSION: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"#\d+L?").expect("a valid pattern"));
    let text = UUID.replace_all(text, "<uuid>");
    let text = HASH.replace_all(&text, "<uuid><hash>");
    EXPRESSION.replace_all(&text, "#<n>").into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_multisets_and_numbers_compare_by_value() {
        assert!(same_rows(&json!([[1, 2.0], [3, 4]]), &[json!([3, 4]), json!([1, 2.0])]).is_ok());
        assert!(same_rows(&json!([[1], [1]]), &[json!([1])]).is_err());
        assert!(same_ordered_rows(&json!([[1], [2]]), &[json!([2]), json!([1])]).is_err());
    }

    #[test]
    fn a_message_without_condition_is_judged_by_its_quoted_names() {
        let expected =
            json!({"phase": "build", "message": "Kafka option 'key.deserializer' is not supported"});
        let mut found =
            Failure { phase: "build", message: "key.deserializer: not here".into(), ..Failure::default() };
        assert!(same_error(expected.as_object().unwrap(), &found).is_ok());
        found.message = "not here".into();
        assert!(same_error(expected.as_object().unwrap(), &found).is_err());
        found.phase = "run";
        assert!(same_error(expected.as_object().unwrap(), &found).is_err());
    }
}
