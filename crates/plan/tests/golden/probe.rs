//! One probe: its expressions over the case's rows.

use datafusion::error::DataFusionError;
use datafusion::physical_plan::collect;
use millstream_plan::analyzer::{Analyzed, Catalog, Conf, Source, analyze};
use millstream_plan::session::session_state;
use millstream_plan::tree::{Expr, Read, Relation};
use millstream_plan::types::StructType;
use millstream_plan::{Error, SparkError};
use serde_json::{Value as Json, json};

use crate::value::{from_json, rows_to_json};

struct NoTables;

impl Catalog for NoTables {
    fn table(&self, _name: &str) -> Option<Relation> {
        None
    }

    fn source(&self, _read: &Read) -> Result<Source, Error> {
        Err(Error::unsupported("sources in this test"))
    }
}

/// A failure of a probe as the golden files describe it.
#[derive(Debug)]
struct Failure {
    phase: &'static str,
    error: Error,
}

/// Compares a probe with its recorded result.
pub async fn run(input: &Json, probe: &Json, expected: &Json) -> Result<(), String> {
    let schema = StructType::parse_ddl(input["schema"].as_str().unwrap()).map_err(|e| e.to_string())?;
    let conf = Conf::from_iter(
        probe["conf"].as_object().into_iter().flatten().map(|(k, v)| (k.clone(), v.as_str().unwrap())),
    );
    let expressions: Vec<Expr> = std::iter::once("id")
        .chain(probe["select"].as_array().unwrap().iter().map(|e| e.as_str().unwrap()))
        .map(|text| Expr::Sql(text.to_owned()))
        .collect();
    let rows = input["rows"].as_array().unwrap();
    let outcome = evaluate(&schema, rows, &expressions, &conf).await;
    if let Some(error) = expected.get("error") {
        return match outcome {
            Err(failure) => same_error(&failure, error),
            Ok((_, rows)) => Err(format!("gave {rows:?} for {error}")),
        };
    }
    let names: Vec<Json> = expected["schema"].as_array().unwrap().clone();
    match outcome {
        Ok((analyzed, rows)) => {
            same_schema(&analyzed, &names)?;
            same_rows(&rows, expected["rows"].as_array().unwrap())?;
            no_errors(expected)
        }
        Err(failure) if failure.phase == "build" => Err(format!("refused: {}", failure.error)),
        Err(_) => row_by_row(&schema, rows, &expressions, &conf, expected).await,
    }
}

async fn row_by_row(
    schema: &StructType,
    rows: &[Json],
    expressions: &[Expr],
    conf: &Conf,
    expected: &Json,
) -> Result<(), String> {
    let mut good = Vec::new();
    for row in rows {
        let id = &row[0];
        let recorded = expected["errors"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|e| e["ids"].as_array().is_some_and(|ids| ids.contains(id)));
        match (evaluate(schema, std::slice::from_ref(row), expressions, conf).await, recorded) {
            (Ok((_, rows)), None) => good.extend(rows),
            (Ok((_, rows)), Some(recorded)) => return Err(format!("row {id} gave {rows:?} for {recorded}")),
            (Err(failure), Some(recorded)) => same_error(&failure, &recorded["error"])?,
            (Err(failure), None) => return Err(format!("row {id} failed: {}", failure.error)),
        }
    }
    same_rows(&good, expected["rows"].as_array().unwrap())
}

async fn evaluate(
    schema: &StructType,
    rows: &[Json],
    expressions: &[Expr],
    conf: &Conf,
) -> Result<(Analyzed, Vec<Json>), Failure> {
    let build = |error| Failure { phase: "build", error };
    let rows = rows
        .iter()
        .map(|row| {
            let cells = row.as_array().unwrap().iter().zip(&schema.fields);
            cells.map(|(cell, field)| from_json(cell, &field.data_type)).collect()
        })
        .collect();
    let rows = Relation::Rows { schema: schema.clone(), rows };
    let project = Relation::Project { input: Box::new(rows), expressions: expressions.to_vec() };
    let analyzed = analyze(&project, &NoTables, conf).map_err(build)?;
    let state = session_state(conf).map_err(build)?;
    let run = |error: DataFusionError| Failure { phase: "run", error: error.into() };
    let plan = state.create_physical_plan(&analyzed.plan).await.map_err(run)?;
    let batches = collect(plan, state.task_ctx()).await.map_err(run)?;
    let zone = conf.time_zone().parse().unwrap();
    let rows = batches.iter().flat_map(|b| rows_to_json(b, &analyzed.schema, &zone)).collect();
    Ok((analyzed, rows))
}

fn same_schema(analyzed: &Analyzed, expected: &[Json]) -> Result<(), String> {
    let found: Vec<Json> = analyzed
        .schema
        .fields
        .iter()
        .skip(1)
        .map(|f| json!([f.name.as_ref(), f.data_type.simple_string()]))
        .collect();
    if found == expected { Ok(()) } else { Err(format!("schema {found:?}, expected {expected:?}")) }
}

fn same_rows(found: &[Json], expected: &[Json]) -> Result<(), String> {
    for (found, expected) in found.iter().zip(expected) {
        if !crate::value::same(found, expected) {
            return Err(format!("row {found}, expected {expected}"));
        }
    }
    if found.len() == expected.len() {
        return Ok(());
    }
    Err(format!("{} rows, expected {}", found.len(), expected.len()))
}

fn no_errors(expected: &Json) -> Result<(), String> {
    match expected["errors"].as_array() {
        Some(errors) if !errors.is_empty() => Err(format!("no row failed, expected {errors:?}")),
        _ => Ok(()),
    }
}

fn same_error(found: &Failure, expected: &Json) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{what}: {} for {expected}", found.error));
    if expected["phase"] != found.phase {
        return wrong("phase");
    }
    let Some(condition) = expected["condition"].as_str() else { return Ok(()) };
    let spark: &SparkError = match found.error.spark() {
        Some(spark) => spark,
        None => return wrong("no Spark error"),
    };
    if condition.starts_with("_LEGACY_ERROR_TEMP") {
        return Ok(());
    }
    if spark.condition.as_deref() != Some(condition)
        || spark.sqlstate.as_deref() != expected["sqlstate"].as_str()
    {
        return wrong("condition");
    }
    let parameters = expected["parameters"].as_object().cloned().unwrap_or_default();
    let own: serde_json::Map<String, Json> =
        spark.parameters.iter().map(|(k, v)| (k.clone(), json!(without_ids(v)))).collect();
    if own != parameters {
        return Err(format!("parameters {own:?}, expected {parameters:?}"));
    }
    Ok(())
}

/// The recordings have `#<n>` for what looks like the id of an expression, also where it is data.
fn without_ids(text: &str) -> String {
    let mut parts = text.split('#');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let behind = part.trim_start_matches(|c: char| c.is_ascii_digit());
        out.push_str(if behind.len() < part.len() { "#<n>" } else { "#" });
        out.push_str(if behind.len() < part.len() {
            behind.strip_prefix('L').unwrap_or(behind)
        } else {
            part
        });
    }
    out
}
