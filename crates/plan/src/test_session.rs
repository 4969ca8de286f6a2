//! Runs relations and SQL text, for tests.
use arrow_array::RecordBatch;
use datafusion::physical_plan::collect;

use crate::analyzer::{Catalog, Conf, Source, analyze};
use crate::error::{Error, Result};
use crate::session::session_state;
use crate::show::{ShowOptions, Truncate, table};
use crate::tree::{Read, Relation};
use crate::types::StructType;

struct NoTables;

impl Catalog for NoTables {
    fn table(&self, _name: &str) -> Option<Relation> {
        None
    }

    fn source(&self, _read: &Read) -> Result<Source> {
        Err(Error::unsupported("a source in this test"))
    }
}

/// The columns and rows of a relation.
pub(crate) fn run(relation: &Relation) -> Result<(StructType, Vec<RecordBatch>)> {
    let conf = Conf::from_iter([("millstream.parallelism", "1")]);
    let analyzed = analyze(relation, &NoTables, &conf)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let state = session_state(&conf)?;
    let batches = runtime.block_on(async {
        let plan = state.create_physical_plan(&analyzed.plan).await?;
        collect(plan, state.task_ctx()).await
    })?;
    let batches = batches.iter().map(|batch| analyzed.rename(batch)).collect::<Result<_>>()?;
    Ok((analyzed.schema, batches))
}

/// The value of an expression as `show` has it, or what its error says first.
pub(crate) fn value(expression: &str) -> String {
    let query = Relation::Sql(format!("SELECT {expression} AS v"));
    match run(&query).and_then(|(schema, batches)| {
        table(&batches, &schema, &ShowOptions { truncate: Truncate::No, ..ShowOptions::default() })
    }) {
        Ok(shown) => {
            let cell = shown.lines().nth(3).unwrap_or_default();
            cell.strip_prefix('|').and_then(|c| c.strip_suffix('|')).unwrap_or(cell).trim_end().to_owned()
        }
        Err(error) => match error.spark() {
            Some(spark) => spark.condition.clone().unwrap_or_default(),
            None => error.to_string(),
        },
    }
}
