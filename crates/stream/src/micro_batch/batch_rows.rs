//! The rows of one batch as a table, for the frame that foreach_batch hands out.
//!
//! Each scan resets the query's plan and runs it again over the batch's splits. So a batch of any size costs
//! no memory beyond what flows, every evaluation of the frame gives the same rows, and nothing is analysed
//! anew.

use std::fmt;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    ChildrenPropertiesMode, ReplaceChildrenOptions, reset_plan_states,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::StreamExt;

/// A batch that can be scanned any number of times.
pub(crate) struct BatchRows {
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
}

impl BatchRows {
    /// The rows that `plan` gives under `task`, which carries the batch.
    pub(crate) fn new(plan: Arc<dyn ExecutionPlan>, task: Arc<TaskContext>) -> Self {
        Self { plan, task }
    }
}

impl fmt::Debug for BatchRows {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("BatchRows")
    }
}

#[async_trait]
impl TableProvider for BatchRows {
    fn schema(&self) -> SchemaRef {
        self.plan.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = reset_plan_states(Arc::clone(&self.plan))?;
        let scan = BatchRowsExec::new(plan, Arc::clone(&self.task), projection.cloned())?;
        Ok(Arc::new(scan))
    }
}

/// Runs the query's plan in its own task context, whatever the plan around it runs in.
#[derive(Debug)]
struct BatchRowsExec {
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    columns: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl BatchRowsExec {
    fn new(
        plan: Arc<dyn ExecutionPlan>,
        task: Arc<TaskContext>,
        columns: Option<Vec<usize>>,
    ) -> Result<Self> {
        let schema = match &columns {
            Some(columns) => Arc::new(plan.schema().project(columns)?),
            None => plan.schema(),
        };
        let partitions = plan.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            datafusion::physical_plan::Partitioning::UnknownPartitioning(partitions),
            plan.pipeline_behavior(),
            plan.boundedness(),
        );
        Ok(Self { plan, task, columns, properties: Arc::new(properties) })
    }
}

impl DisplayAs for BatchRowsExec {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("BatchRowsExec: the rows of this batch")
    }
}

impl ExecutionPlan for BatchRowsExec {
    fn name(&self) -> &str {
        "BatchRowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// The query's plan is not a child: rules of the plan around it must not rewrite it.
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn reset_state(self: Arc<Self>) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = reset_plan_states(Arc::clone(&self.plan))?;
        Ok(Arc::new(Self::new(plan, Arc::clone(&self.task), self.columns.clone())?))
    }

    fn execute(&self, partition: usize, _task: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let rows = self.plan.execute(partition, Arc::clone(&self.task))?;
        let Some(columns) = self.columns.clone() else { return Ok(rows) };
        let projected = rows.map(move |batch| Ok(batch?.project(&columns)?));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), projected)))
    }
}
