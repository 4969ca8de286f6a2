//! Probes: each expression over a small table, whole and, where rows fail, row by row.

use super::case::setting;
use super::compare;
use super::runner::{Stop, refused, schema_of};
use super::{cell, literal};
use millstream_plan::sql;
use millstream_plan::tree::{Relation, Value as Literal};
use millstream_plan::types::StructType;
use millstream_stream::Session;
use serde_json::{Map, Value, json};

/// Runs every probe of a step; the first that differs is the step's failure.
pub async fn run(session: &Session, step: &Map<String, Value>) -> Result<(), Stop> {
    let input = &step["input"];
    let schema = input["schema"].as_str().unwrap_or_default();
    let schema = StructType::parse_ddl(schema).map_err(|error| refused("build", &error.into()))?;
    let rows = input["rows"].as_array().map_or(&[][..], Vec::as_slice);
    let rows: Vec<Vec<Literal>> = rows
        .iter()
        .map(|row| literal::row(row, &schema))
        .collect::<Result<_, _>>()
        .map_err(Stop::Unsupported)?;
    let pairs =
        step["probes"].as_array().into_iter().flatten().zip(step["results"].as_array().into_iter().flatten());
    let mut failures = Vec::new();
    for (probe, expected) in pairs {
        let defaults = change(session, probe);
        let ended = one(session, &schema, &rows, probe, expected).await;
        for (name, value) in defaults {
            session.conf().set(&name, value);
        }
        match ended {
            Ok(()) => {}
            Err(Stop::Unsupported(feature)) => return Err(Stop::Unsupported(feature)),
            Err(Stop::Failed(why)) => failures.push(format!("{}: {why}", probe["select"])),
            Err(Stop::Refused(failure)) => {
                failures.push(format!("{}: {}", probe["select"], failure.message.trim()))
            }
        }
    }
    match failures.first() {
        None => Ok(()),
        Some(first) => Err(Stop::Failed(format!("{} probes differ, the first: {first}", failures.len()))),
    }
}

/// Settings of one probe; returns what they were.
fn change(session: &Session, probe: &Value) -> Vec<(String, String)> {
    let mut before = Vec::new();
    for (name, value) in probe["conf"].as_object().into_iter().flatten() {
        before.push((name.clone(), session.conf().get(name).unwrap_or_else(|| "true".into())));
        session.conf().set(name, setting(value));
    }
    before
}

async fn one(
    session: &Session,
    schema: &StructType,
    rows: &[Vec<Literal>],
    probe: &Value,
    expected: &Value,
) -> Result<(), Stop> {
    let attempt = evaluate(session, schema, rows.to_vec(), probe).await;
    if let Some(error) = expected["error"].as_object() {
        return match attempt {
            Err(Stop::Refused(failure)) => Ok(compare::same_error(error, &failure)?),
            Err(stop) => Err(stop),
            Ok(_) => Err(Stop::Failed(format!("no error; Spark's is {}", expected["error"]["message"]))),
        };
    }
    let Some(errors) = expected["errors"].as_array() else {
        let (found_schema, found) = attempt?;
        compare::same_value("schema", &expected["schema"], &found_schema)?;
        return Ok(compare::same_ordered_rows(&expected["rows"], &found)?);
    };
    let mut good = Vec::new();
    for row in rows {
        let id = match row.first() {
            Some(Literal::Integer(id)) => json!(id),
            _ => json!(null),
        };
        let wanted = errors.iter().find(|error| error["ids"].as_array().is_some_and(|ids| ids.contains(&id)));
        match (evaluate(session, schema, vec![row.clone()], probe).await, wanted) {
            (Ok((_, rows)), None) => good.extend(rows),
            (Err(Stop::Refused(failure)), Some(wanted)) => {
                let error = wanted["error"].as_object().cloned().unwrap_or_default();
                compare::same_error(&error, &failure).map_err(|why| format!("row {id}: {why}"))?;
            }
            (Ok((_, rows)), Some(_)) => return Err(Stop::Failed(format!("row {id}: no error but {rows:?}"))),
            (Err(stop), _) => return Err(stop),
        }
    }
    Ok(compare::same_ordered_rows(&expected["rows"], &good)?)
}

async fn evaluate(
    session: &Session,
    schema: &StructType,
    rows: Vec<Vec<Literal>>,
    probe: &Value,
) -> Result<(Value, Vec<Value>), Stop> {
    let mut expressions = vec![sql::parse_expression("id").map_err(|error| refused("build", &error.into()))?];
    for text in probe["select"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        expressions.push(sql::parse_expression(text).map_err(|error| refused("build", &error.into()))?);
    }
    let input = Box::new(Relation::Rows { schema: schema.clone(), rows });
    let frame =
        session.frame(Relation::Project { input, expressions }).map_err(|error| refused("build", &error))?;
    let batches = frame.collect().await.map_err(|error| refused("run", &error))?;
    // The recorded schema leaves the id out.
    let schema =
        schema_of(&frame).as_array().map_or(&[][..], |fields| fields.get(1..).unwrap_or_default()).to_vec();
    Ok((Value::Array(schema), cell::rows(session, &batches)))
}
