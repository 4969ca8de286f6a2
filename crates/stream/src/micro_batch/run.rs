//! One batch through the plan and into the sink.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::batch_rows::BatchRows;
use crate::checkpoint::{Checkpoint, Durable};
use crate::error::{Error, Result};
use crate::frame::DataFrame;
use crate::session::Session;
use crate::sink::{Committable, ForeachBatchFn, Sink, SinkBatch};
use millstream_plan::types::StructType;

/// What must be on the disk before anything of a batch can be seen.
#[derive(Debug, Default)]
pub(crate) struct OnDisk {
    /// `commits/N-1`, when this run wrote it.
    pub(crate) before: Option<Durable>,
    /// `offsets/N`, when this run wrote it.
    pub(crate) planned: Option<Durable>,
}

impl OnDisk {
    /// Waits for both.
    pub(crate) async fn reached(self, checkpoint: &Checkpoint) -> Result<()> {
        for durable in [self.before, self.planned].into_iter().flatten() {
            checkpoint.reached(durable).await?;
        }
        Ok(())
    }
}

/// A batch, ready to run.
pub(crate) struct BatchRun<'a> {
    pub(crate) checkpoint: &'a Checkpoint,
    pub(crate) on_disk: OnDisk,
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) task: Arc<TaskContext>,
    pub(crate) batch: SinkBatch,
}

impl BatchRun<'_> {
    /// Runs the batch into a sink and publishes it. Returns the rows written, where the sink tells.
    ///
    /// A sink that shows rows only with its commit writes while the offsets are on their way to the disk. One
    /// that may show them twice anyway does so too: should the machine stop, those rows come again.
    pub(crate) async fn into_sink(mut self, sink: &Arc<dyn Sink>, cpu: &Handle) -> Result<Option<u64>> {
        let on_disk = std::mem::take(&mut self.on_disk);
        sink.open(&self.batch).await?;
        let mut written = Vec::with_capacity(self.batch.partitions);
        let outcome = match self.write(sink, cpu, &mut written).await {
            Ok(()) => on_disk.reached(self.checkpoint).await,
            Err(error) => Err(error),
        };
        let outcome = outcome.and_then(|()| self.batch.crash.reach("before-sink-commit"));
        if let Err(error) = outcome {
            if let Err(second) = sink.abort(&self.batch, written).await {
                tracing::warn!(error = %second, "cleaning up after the failed batch failed too");
            }
            return Err(error);
        }
        let committed = sink.commit(&self.batch, written).await?;
        self.batch.crash.reach("after-sink-commit")?;
        Ok(committed.output_rows)
    }

    /// The first partition runs here, the others beside it; the first failure ends them all.
    async fn write(&self, sink: &Arc<dyn Sink>, cpu: &Handle, written: &mut Vec<Committable>) -> Result<()> {
        let mut others = JoinSet::new();
        for partition in 1..self.batch.partitions {
            let (sink, batch) = (Arc::clone(sink), self.batch.clone());
            let rows = self.rows(partition)?;
            others.spawn_on(async move { sink.write(&batch, partition, rows).await }, cpu);
        }
        if self.batch.partitions > 0 {
            written.push(sink.write(&self.batch, 0, self.rows(0)?).await?);
        }
        while let Some(finished) = others.join_next().await {
            written.push(
                finished.unwrap_or_else(|error| Err(Error::Misuse(format!("a task failed: {error}"))))?,
            );
        }
        Ok(())
    }

    /// The rows of a partition under the user's column names.
    fn rows(&self, partition: usize) -> Result<SendableRecordBatchStream> {
        let rows = self.plan.execute(partition, Arc::clone(&self.task))?;
        let schema = Arc::clone(&self.batch.schema);
        let renamed = rows.map(move |batch| rename(&schema, batch?));
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.batch.schema), renamed)))
    }

    /// Hands a frame over the batch to the user's function.
    pub(crate) async fn into_function(
        self,
        function: &ForeachBatchFn,
        session: &Session,
        schema: StructType,
    ) -> Result<()> {
        self.on_disk.reached(self.checkpoint).await?;
        let batch_id = self.batch.batch_id;
        let rows = Arc::new(BatchRows::new(self.plan, self.task));
        let frame = DataFrame::from_provider(session, rows, schema)?;
        self.batch.crash.reach("before-sink-commit")?;
        function(frame, batch_id).await.map_err(Error::User)?;
        self.batch.crash.reach("after-sink-commit")
    }
}

/// How many partitions a plan writes.
pub(crate) fn partitions(plan: &Arc<dyn ExecutionPlan>) -> usize {
    plan.output_partitioning().partition_count()
}

fn rename(schema: &SchemaRef, batch: RecordBatch) -> Result<RecordBatch, DataFusionError> {
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let (_, columns, _) = batch.into_parts();
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}
