//! The DataFusion session that plans of this crate run in.
//!
//! What differs from DataFusion's defaults, and why:
//! - no analyzer rules: expressions arrive fully typed, and type coercion would rewrite them by other rules;
//! - no `PropagateEmptyRelation`: a batch without rows is an empty scan, and the plan must keep its scans,
//!   since it is executed again for later batches;
//! - no dynamic filters: a bound learnt in one batch must not filter the next;
//! - no statistics collection and no information schema: nothing here uses them.

use std::sync::Arc;

use datafusion::execution::SessionStateBuilder;
use datafusion::execution::session_state::SessionState;
use datafusion::optimizer::{Optimizer, OptimizerRule};
use datafusion::prelude::SessionConfig;

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
    rules
}
