//! The batch read of Kafka as a table: offsets are resolved each time it runs.
//!
//! What travels with the node is the read's id; its options (secrets among them) and the connections come from the
//! session that executes it. Limits are pushed into each partition, conditions on offset and timestamp into ranges and
//! record batches; columns that are not wanted are skipped, not decoded.

use std::fmt;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as PlanResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::{StreamExt, TryStreamExt};
use millstream_columnar::records::DecoderMemory;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::clients::KafkaClients;
use super::lookup::Lookup;
use super::loss::LossPolicy;
use super::options::KafkaRead;
use super::pushdown::Bounds;
use super::split_reader::SplitReader;
use super::{names, ranges};
use crate::error::{Error, Result};
use crate::source::{ScanProjection, Split};

/// A batch read of Kafka.
#[derive(Debug)]
pub struct KafkaTable {
    read: Arc<KafkaRead>,
    schema: SchemaRef,
}

impl KafkaTable {
    /// The table of a checked read.
    pub fn new(read: Arc<KafkaRead>) -> Self {
        let schema = super::table_schema(read.include_headers);
        Self { read, schema }
    }
}

#[async_trait]
impl TableProvider for KafkaTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> PlanResult<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match Bounds::of([*filter]).is_unbounded() {
            true => TableProviderFilterPushDown::Unsupported,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let columns = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let partitions = state.config().target_partitions().max(1);
        let clients = state.config().get_extension::<KafkaClients>().ok_or_else(outside_a_session)?;
        let read = clients.reads().register(&self.read)?;
        let node = ScanNode { read_id: read.id, columns, partitions, limit, bounds: Bounds::of(filters) };
        Ok(Arc::new(KafkaScanExec { keeps: Some(read), ..KafkaScanExec::new(node, &self.schema)? }))
    }
}

/// Reads the ranges of a batch read, which are resolved once for each execution.
pub struct KafkaScanExec {
    node: ScanNode,
    /// What the id names lives as long as the node that was planned here.
    keeps: Option<Arc<KafkaRead>>,
    projection: ScanProjection,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    resolved: Arc<OnceCell<Resolved>>,
}

/// What the scan is, and all that travels when a plan does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ScanNode {
    read_id: u64,
    columns: Vec<usize>,
    partitions: usize,
    /// Most rows of each partition.
    limit: Option<usize>,
    /// What conditions above leave of the records.
    bounds: Bounds,
}

#[derive(Debug)]
struct Resolved {
    reader: SplitReader,
    splits: Vec<Vec<Split>>,
}

impl KafkaScanExec {
    fn new(node: ScanNode, source: &SchemaRef) -> PlanResult<Self> {
        let schema = Arc::new(source.project(&node.columns)?);
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(node.partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        let projection = ScanProjection { columns: node.columns.clone(), schema };
        let (metrics, resolved) = (ExecutionPlanMetricsSet::new(), Arc::default());
        Ok(Self { node, keeps: None, projection, properties, metrics, resolved })
    }

    /// The node as bytes, for a plan that is sent elsewhere.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(&self.node).expect("numbers always have a JSON form")
    }

    /// The node from bytes, over a table of the same schema. The session that executes it must know the read.
    ///
    /// # Errors
    /// Bytes that are no node, or columns that the table does not have.
    pub fn decode(bytes: &[u8], source: &SchemaRef) -> PlanResult<Self> {
        let node: ScanNode =
            serde_json::from_slice(bytes).map_err(|error| DataFusionError::External(Box::new(error)))?;
        Self::new(node, source)
    }
}

fn outside_a_session() -> DataFusionError {
    Error::Misuse("a Kafka scan runs only in a session of this engine".into()).into()
}

async fn resolve(read: &KafkaRead, clients: &KafkaClients, node: &ScanNode) -> Result<Resolved> {
    let settings = read.settings()?;
    let (retries, properties) = (read.retries()?, read.properties(&settings)?);
    let fetch = properties.client.fetch.clone();
    let kafka = clients.connect(names::client_properties(&read.options), properties.client).await?;
    let policy = LossPolicy { fail: settings.fail_on_data_loss };
    let group = match read.options.get("kafka.group.id") {
        Some(group) => group.into(),
        None => format!("{}-{}-executor", settings.group, Uuid::new_v4()).into(),
    };
    let lookup = Lookup { kafka: kafka.clone(), settings, retries, isolation: fetch.isolation };
    let splits = ranges::assign(ranges::cut(read.cut, lookup.ranges().await?), node.partitions);
    let (reader, include_headers) = (clients.reader(&kafka, fetch), read.include_headers);
    let (memory, bounds) = (DecoderMemory::default(), node.bounds);
    Ok(Resolved { reader: SplitReader { reader, policy, group, include_headers, bounds, memory }, splits })
}

impl ExecutionPlan for KafkaScanExec {
    fn name(&self) -> &'static str {
        "KafkaScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> PlanResult<TreeNodeRecursion>,
    ) -> PlanResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn reset_state(self: Arc<Self>) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let (metrics, resolved) = (ExecutionPlanMetricsSet::new(), Arc::default());
        let (node, keeps) = (self.node.clone(), self.keeps.clone());
        let (projection, properties) = (self.projection.clone(), self.properties.clone());
        Ok(Arc::new(Self { node, keeps, projection, properties, metrics, resolved }))
    }

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> PlanResult<SendableRecordBatchStream> {
        let clients = task.session_config().get_extension::<KafkaClients>().ok_or_else(outside_a_session)?;
        let read = clients.reads().get(self.node.read_id)?;
        let (resolved, node) = (self.resolved.clone(), self.node.clone());
        let (projection, schema) = (self.projection.clone(), self.projection.schema.clone());
        let target_rows = task.session_config().batch_size();
        let counted = MetricBuilder::new(&self.metrics).output_rows(partition);
        let rows = futures::stream::once(async move {
            let scan = resolved.get_or_try_init(|| resolve(&read, &clients, &node)).await?;
            let splits = scan.splits.get(partition).cloned().unwrap_or_default();
            Ok::<_, DataFusionError>(scan.reader.open_all(splits, &projection, target_rows))
        })
        .try_flatten();
        let mut left = self.node.limit.unwrap_or(usize::MAX);
        let rows = rows
            .map_ok(move |batch| {
                let batch = batch.slice(0, batch.num_rows().min(left));
                left -= batch.num_rows();
                counted.add(batch.num_rows());
                (batch, left == 0)
            })
            .scan(false, |done, next| {
                // The batch that reaches the limit is the last one.
                let before = std::mem::replace(done, matches!(next, Ok((_, true)) | Err(_)));
                futures::future::ready((!before).then(|| next.map(|(batch, _)| batch)))
            })
            .boxed();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

impl DisplayAs for KafkaScanExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<&str> =
            self.projection.schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(f, "KafkaScanExec: read={}, columns=[{}]", self.node.read_id, columns.join(", "))?;
        if !self.node.bounds.is_unbounded() {
            write!(f, ", bounds=[{}]", self.node.bounds)?;
        }
        self.node.limit.map_or(Ok(()), |limit| write!(f, ", limit={limit}"))
    }
}

impl fmt::Debug for KafkaScanExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaScanExec").field("node", &self.node).finish_non_exhaustive()
    }
}
