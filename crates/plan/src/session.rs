//! The DataFusion session that plans of this crate run in.
//!
//! What differs from DataFusion's defaults, and why:
//! - no analyzer rules: expressions arrive fully typed, and type coercion would rewrite them by other rules;
//! - no `PropagateEmptyRelation`: a batch without rows is an empty scan, and the plan must keep its scans,
//!   since it is executed again for later batches;
//! - no dynamic filters: a bound learnt in one batch must not filter the next;
//! - no statistics collection and no information schema: nothing here uses them.

mod name_records;
mod prune_json;
mod sink_bytes;

use std::sync::Arc;

use datafusion::execution::SessionStateBuilder;
use datafusion::execution::session_state::SessionState;
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::prelude::SessionConfig;

pub use sink_bytes::sink_bytes;

use crate::analyzer::Conf;
use crate::error::Result;
use crate::functions::BatchTime;

/// Rows that operators aim at in one batch.
pub const BATCH_ROWS: usize = 8192;

/// A session state for one query or session. Its [`BatchTime`] is not fixed yet.
///
/// # Errors
/// A setting in `conf` that has no meaning.
pub fn session_state(conf: &Conf) -> Result<SessionState> {
    Ok(SessionStateBuilder::new()
        .with_default_features()
        .with_config(session_config(conf)?)
        .with_analyzer_rules(Vec::new())
        .with_optimizer_rules(optimizer_rules())
        .build())
}

/// The settings of [`session_state`].
///
/// # Errors
/// A setting in `conf` that has no meaning.
pub fn session_config(conf: &Conf) -> Result<SessionConfig> {
    let mut config = SessionConfig::new()
        .with_batch_size(BATCH_ROWS)
        .with_target_partitions(conf.parallelism()?)
        .with_information_schema(false)
        .with_collect_statistics(false);
    let options = config.options_mut();
    options.optimizer.enable_dynamic_filter_pushdown = false;
    options.optimizer.enable_topk_dynamic_filter_pushdown = false;
    options.optimizer.enable_join_dynamic_filter_pushdown = false;
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    options.extensions.insert(BatchTime::default());
    Ok(config)
}

fn optimizer_rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    rules.retain(|rule| rule.name() != "propagate_empty_relation");
    rules.insert(0, Arc::new(name_records::NameRecords));
    rules.push(Arc::new(prune_json::PruneJson));
    rules
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::LogicalPlan;

    use super::*;
    use crate::analyzer::{Catalog, Source, analyze};
    use crate::error::Error;
    use crate::tree::{Read, Relation, Value};
    use crate::types::StructType;

    struct Records;

    impl Catalog for Records {
        fn table(&self, _name: &str) -> Option<Relation> {
            let schema = StructType::parse_ddl("key BINARY, value BINARY").ok()?;
            let value = b"{\"a\":1,\"b\":\"x\",\"c\":2.5}\xff".to_vec();
            Some(Relation::Rows { schema, rows: vec![vec![Value::Binary(vec![0xff]), Value::Binary(value)]] })
        }

        fn source(&self, _read: &Read) -> Result<Source> {
            Err(Error::unsupported("sources in this test"))
        }
    }

    fn plan(query: &str) -> LogicalPlan {
        analyze(&Relation::Sql(query.to_owned()), &Records, &Conf::new()).unwrap().plan
    }

    #[test]
    fn from_json_is_computed_once_and_for_the_fields_in_use() {
        let state = session_state(&Conf::new()).unwrap();
        let query = "SELECT v.c, v.a FROM (SELECT from_json(CAST(value AS STRING), 'a INT, b STRING, c DOUBLE') AS v \
                     FROM t) WHERE v.a > 0";
        let text = format!("{:?}", state.optimize(&plan(query)).unwrap());
        assert_eq!(text.matches("FromJson").count(), 1, "{text}");
        assert!(!text.contains("\"b\""), "{text}");
        let whole =
            "SELECT v, v.a FROM (SELECT from_json(CAST(value AS STRING), 'a INT, b STRING') AS v FROM t)";
        let text = format!("{:?}", state.optimize(&plan(whole)).unwrap());
        assert!(text.contains("\"b\""), "{text}");
    }

    #[test]
    fn a_cast_that_only_feeds_a_byte_sink_is_taken_out() {
        use arrow_schema::DataType;
        let types = |plan: &LogicalPlan| -> Vec<DataType> {
            plan.schema().fields().iter().map(|f| f.data_type().clone()).collect()
        };
        let through = plan("SELECT CAST(key AS STRING) AS k, CAST(value AS STRING) FROM t LIMIT 1");
        assert_eq!(
            types(&sink_bytes(through, &[0, 1]).unwrap()),
            [DataType::BinaryView, DataType::BinaryView]
        );
        let read = plan("SELECT k, upper(k) u FROM (SELECT CAST(key AS STRING) AS k FROM t)");
        assert_eq!(types(&sink_bytes(read, &[0, 1]).unwrap()), [DataType::Utf8View, DataType::Utf8View]);
    }
}
