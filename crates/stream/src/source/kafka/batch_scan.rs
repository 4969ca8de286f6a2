//! The batch read of Kafka as a table: offsets are resolved each time it runs.
//!
//! The node holds only the read's options, so it can be sent elsewhere; the connections come from the session that
//! executes it. Limits are pushed into each partition; columns that are not wanted are skipped, not decoded.

use std::fmt;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as PlanResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::{StreamExt, TryStreamExt};
use millstream_columnar::records::DecoderMemory;
use tokio::sync::OnceCell;

use super::clients::KafkaClients;
use super::lookup::Lookup;
use super::loss::LossPolicy;
use super::options::KafkaRead;
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

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let columns = projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let schema = Arc::new(self.schema.project(&columns)?);
        let projection = ScanProjection { columns, schema };
        let partitions = state.config().target_partitions();
        Ok(Arc::new(KafkaScanExec::new(self.read.clone(), projection, partitions, limit)))
    }
}

/// Reads the ranges of a batch read, which are resolved once for each execution.
pub struct KafkaScanExec {
    read: Arc<KafkaRead>,
    projection: ScanProjection,
    limit: Option<usize>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    resolved: Arc<OnceCell<Resolved>>,
}

#[derive(Debug)]
struct Resolved {
    reader: SplitReader,
    splits: Vec<Vec<Split>>,
}

impl KafkaScanExec {
    /// A scan with this many partitions, each giving at most `limit` rows.
    pub fn new(
        read: Arc<KafkaRead>,
        projection: ScanProjection,
        partitions: usize,
        limit: Option<usize>,
    ) -> Self {
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(projection.schema.clone()),
            Partitioning::UnknownPartitioning(partitions.max(1)),
            EmissionType::Incremental,
            Boundedness::Bounded,
        ));
        let (metrics, resolved) = (ExecutionPlanMetricsSet::new(), Arc::default());
        Self { read, projection, limit, properties, metrics, resolved }
    }

    /// The read.
    pub fn read(&self) -> &KafkaRead {
        &self.read
    }

    fn partitions(&self) -> usize {
        self.properties.partitioning.partition_count()
    }
}

async fn resolve(read: &KafkaRead, clients: &KafkaClients, partitions: usize) -> Result<Resolved> {
    let settings = read.settings()?;
    let properties = read.properties()?;
    let fetch = properties.client.fetch.clone();
    let kafka = clients.connect(names::client_properties(&read.options), properties.client).await?;
    let policy = LossPolicy { fail: settings.fail_on_data_loss };
    let group = settings.group.as_str().into();
    let lookup = Lookup { kafka: kafka.clone(), settings, isolation: fetch.isolation };
    let splits = ranges::assign(ranges::cut(read.cut, lookup.ranges().await?), partitions);
    let (reader, include_headers) = (clients.reader(&kafka, fetch), read.include_headers);
    let memory = DecoderMemory::default();
    Ok(Resolved { reader: SplitReader { reader, policy, group, include_headers, memory }, splits })
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
        let (read, projection) = (self.read.clone(), self.projection.clone());
        Ok(Arc::new(Self::new(read, projection, self.partitions(), self.limit)))
    }

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> PlanResult<SendableRecordBatchStream> {
        let clients = task.session_config().get_extension::<KafkaClients>().ok_or_else(|| {
            DataFusionError::from(Error::Misuse("a Kafka scan runs only in a session of this engine".into()))
        })?;
        let (read, resolved, partitions) = (self.read.clone(), self.resolved.clone(), self.partitions());
        let (projection, schema) = (self.projection.clone(), self.projection.schema.clone());
        let target_rows = task.session_config().batch_size();
        let counted = MetricBuilder::new(&self.metrics).output_rows(partition);
        let rows = futures::stream::once(async move {
            let scan = resolved.get_or_try_init(|| resolve(&read, &clients, partitions)).await?;
            let splits = scan.splits.get(partition).cloned().unwrap_or_default();
            Ok::<_, DataFusionError>(scan.reader.open_all(splits, &projection, target_rows))
        })
        .try_flatten();
        let mut left = self.limit.unwrap_or(usize::MAX);
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
        write!(f, "KafkaScanExec: read={}, columns=[{}]", self.read.id, columns.join(", "))?;
        self.limit.map_or(Ok(()), |limit| write!(f, ", limit={limit}"))
    }
}

impl fmt::Debug for KafkaScanExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaScanExec").field("read", &self.read).field("limit", &self.limit).finish()
    }
}
