//! A stream in a plan: a table while the query is planned, a leaf that reads the batch's splits while it
//! runs.
//!
//! Neither holds anything of a batch. The leaf knows the id of its read; source and splits come from the
//! [`BatchContext`] of the execution. So the plan is made once per query. The leaf has a fixed number of
//! partitions, to which a batch's splits are dealt out, and it is bounded: operators above flush at the end
//! of the batch.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};

use crate::batch_context::{BatchContext, SourceBatch};
use crate::source::{ScanProjection, SourceFactory, Split};

/// A streaming read, as the planner sees it.
#[derive(Debug)]
pub struct StreamTable {
    read_id: u64,
    factory: Arc<dyn SourceFactory>,
    partitions: usize,
    /// How often plans have scanned it.
    scans: AtomicU32,
}

impl StreamTable {
    /// The read with this id; its rows come in so many partitions (at least one).
    pub fn new(read_id: u64, factory: Arc<dyn SourceFactory>, partitions: usize) -> Self {
        Self { read_id, factory, partitions: partitions.max(1), scans: AtomicU32::new(0) }
    }

    /// The id of the read in the user's tree.
    pub fn read_id(&self) -> u64 {
        self.read_id
    }

    /// Makes the source when a query starts.
    pub fn factory(&self) -> &Arc<dyn SourceFactory> {
        &self.factory
    }

    /// The partitions of its scan.
    pub fn partitions(&self) -> usize {
        self.partitions
    }
}

#[async_trait]
impl TableProvider for StreamTable {
    fn schema(&self) -> SchemaRef {
        self.factory.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = self.factory.schema();
        let columns = match projection {
            Some(columns) => columns.clone(),
            None => (0..schema.fields().len()).collect(),
        };
        let scan = self.scans.fetch_add(1, Ordering::Relaxed);
        let node = ScanNode { read_id: self.read_id, scan, columns, partitions: self.partitions };
        Ok(Arc::new(StreamScanExec::new(node, &schema)?))
    }
}

/// The leaf of a streaming plan.
#[derive(Debug, Clone)]
pub struct StreamScanExec {
    node: ScanNode,
    projection: ScanProjection,
    properties: Arc<PlanProperties>,
}

/// What the leaf is, and all that travels when a plan does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct ScanNode {
    read_id: u64,
    /// Tells the scans of one read apart.
    scan: u32,
    columns: Vec<usize>,
    partitions: usize,
}

impl StreamScanExec {
    /// The scan of some columns of a source with this schema.
    fn new(node: ScanNode, source: &SchemaRef) -> Result<Self> {
        let schema = Arc::new(source.project(&node.columns)?);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(node.partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let projection = ScanProjection { columns: node.columns.clone(), schema };
        Ok(Self { node, projection, properties: Arc::new(properties) })
    }

    /// The id of the read that it scans.
    pub fn read_id(&self) -> u64 {
        self.node.read_id
    }

    /// The node as bytes, for a plan that is sent elsewhere.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(&self.node).expect("numbers always have a JSON form")
    }

    /// The node from bytes, over a source of the same schema.
    pub fn decode(bytes: &[u8], source: &SchemaRef) -> Result<Self> {
        let node: ScanNode =
            serde_json::from_slice(bytes).map_err(|error| DataFusionError::External(Box::new(error)))?;
        Self::new(node, source)
    }
}

impl DisplayAs for StreamScanExec {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> =
            self.projection.schema.fields().iter().map(|field| field.name().as_str()).collect();
        write!(out, "StreamScanExec: read={}, columns=[{}]", self.node.read_id, names.join(", "))
    }
}

impl ExecutionPlan for StreamScanExec {
    fn name(&self) -> &str {
        "StreamScanExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

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

    fn execute(&self, partition: usize, task: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let read_id = self.node.read_id;
        let batch = BatchContext::of(&task).and_then(|batch| batch.source(read_id).cloned());
        let Some(batch) = batch else {
            return Err(DataFusionError::Execution(format!(
                "read {read_id} is a stream and this is not one of its batches: use write_stream().start()"
            )));
        };
        let splits = batch.splits.get(partition).cloned().unwrap_or_default();
        let projection = self.projection.clone();
        let (scan, rows) = (self.node.scan, 0);
        Ok(Box::pin(SplitStream {
            batch,
            scan,
            partition,
            projection,
            task,
            splits: splits.into(),
            open: None,
            rows,
        }))
    }
}

/// The splits of one partition, one after the other.
struct SplitStream {
    batch: Arc<SourceBatch>,
    scan: u32,
    partition: usize,
    projection: ScanProjection,
    task: Arc<TaskContext>,
    splits: VecDeque<Split>,
    open: Option<SendableRecordBatchStream>,
    rows: u64,
}

impl Stream for SplitStream {
    type Item = Result<RecordBatch>;

    fn poll_next(self: Pin<&mut Self>, waker: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(open) = &mut this.open {
                match ready!(open.poll_next_unpin(waker)) {
                    Some(Ok(batch)) => {
                        this.rows += batch.num_rows() as u64;
                        this.batch.note_rows(this.scan, this.partition, this.rows);
                        return Poll::Ready(Some(Ok(batch)));
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => this.open = None,
                }
            }
            let Some(split) = this.splits.pop_front() else { return Poll::Ready(None) };
            match this.batch.source.open(&split, &this.projection, Arc::clone(&this.task)) {
                Ok(open) => this.open = Some(open),
                Err(error) => return Poll::Ready(Some(Err(DataFusionError::External(Box::new(error))))),
            }
        }
    }
}

impl RecordBatchStream for SplitStream {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.projection.schema)
    }
}

#[cfg(test)]
mod tests {
    use arrow_schema::{DataType, Field, Schema};

    use super::*;

    fn schema() -> SchemaRef {
        let field = |name, data_type| Field::new(name, data_type, true);
        Arc::new(Schema::new(vec![field("key", DataType::BinaryView), field("offset", DataType::Int64)]))
    }

    #[test]
    fn the_leaf_survives_the_journey_as_bytes() {
        let node = ScanNode { read_id: 7, scan: 2, columns: vec![1], partitions: 3 };
        let scan = StreamScanExec::new(node, &schema()).unwrap();
        let back = StreamScanExec::decode(&scan.encode(), &schema()).unwrap();
        assert_eq!(back.node, scan.node);
        assert_eq!(back.schema(), scan.schema());
        assert_eq!(back.properties().output_partitioning().partition_count(), 3);
        assert!(StreamScanExec::decode(b"{}", &schema()).is_err());
    }

    #[test]
    fn a_stream_outside_a_batch_is_refused() {
        let node = ScanNode { read_id: 7, scan: 0, columns: vec![0], partitions: 1 };
        let scan = StreamScanExec::new(node, &schema()).unwrap();
        let error = scan.execute(0, Arc::new(TaskContext::default())).err().unwrap().to_string();
        assert!(error.contains("write_stream().start()"), "{error}");
    }
}
