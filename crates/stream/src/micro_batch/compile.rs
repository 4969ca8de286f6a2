//! From an analysed frame to the one physical plan that every batch of a query runs.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::execution::TaskContext;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, displayable};
use datafusion::prelude::SessionConfig;
use millstream_plan::analyzer::Analyzed;
use millstream_plan::functions::BatchTime;

use super::scan::StreamTable;
use crate::batch_context::BatchContext;
use crate::error::Result;
use crate::session::Session;
use crate::source::SourceFactory;

/// A streaming read of a plan.
#[derive(Debug, Clone)]
pub(crate) struct StreamingRead {
    pub(crate) read_id: u64,
    pub(crate) factory: Arc<dyn SourceFactory>,
    pub(crate) partitions: usize,
}

/// The streaming reads of a plan in the order in which they stand in it; a frame used twice is one read.
pub(crate) fn streaming_reads(plan: &LogicalPlan) -> Result<Vec<StreamingRead>> {
    let mut reads: Vec<StreamingRead> = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && let Ok(provider) = source_as_provider(&scan.source)
            && let Some(table) = (provider.as_ref() as &dyn std::any::Any).downcast_ref::<StreamTable>()
            && !reads.iter().any(|read| read.read_id == table.read_id())
        {
            reads.push(StreamingRead {
                read_id: table.read_id(),
                factory: Arc::clone(table.factory()),
                partitions: table.partitions(),
            });
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(reads)
}

/// A query's plan and what is needed to run it for a batch.
pub(crate) struct Compiled {
    plan: Arc<dyn ExecutionPlan>,
    /// The columns as the user named them, by position.
    pub(crate) schema: SchemaRef,
    config: SessionConfig,
    runtime: Arc<RuntimeEnv>,
    session_id: String,
    used: bool,
}

impl Compiled {
    /// Optimises and plans, once for the life of the query.
    pub(crate) async fn new(session: &Session, analyzed: &Analyzed) -> Result<Self> {
        let state = session.state()?;
        let plan = state.create_physical_plan(&analyzed.plan).await?;
        Ok(Self {
            plan,
            schema: analyzed.schema.to_arrow(),
            config: state.config().clone(),
            runtime: Arc::clone(state.runtime_env()),
            session_id: state.session_id().to_owned(),
            used: false,
        })
    }

    /// The plan, ready to be run for the next batch: what its operators learnt in the last one is forgotten.
    pub(crate) fn fresh_plan(&mut self) -> Result<Arc<dyn ExecutionPlan>> {
        if std::mem::replace(&mut self.used, true) {
            self.plan = reset_plan_states(Arc::clone(&self.plan))?;
        }
        Ok(Arc::clone(&self.plan))
    }

    /// What a batch runs in. Functions of the time see the batch's from here on.
    pub(crate) fn task(&self, batch: Arc<BatchContext>) -> Arc<TaskContext> {
        if let Some(time) = self.config.options().extensions.get::<BatchTime>() {
            time.set_stream_batch(batch.batch_time_ms.saturating_mul(1000));
        }
        let config = self.config.clone().with_extension(batch);
        // Functions are in the plan already; the registries of the session are not copied for each batch.
        let task = TaskContext::new(
            None,
            self.session_id.clone(),
            config,
            HashMap::new(),
            HashMap::new(),
            HashMap::new(),
            HashMap::new(),
            Arc::clone(&self.runtime),
        );
        Arc::new(task)
    }

    /// The plan as text.
    pub(crate) fn explain(&self) -> String {
        displayable(self.plan.as_ref()).indent(false).to_string()
    }
}
