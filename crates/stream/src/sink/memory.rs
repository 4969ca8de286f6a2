//! Rows into a table of the session that has the query's name.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session as PlanSession, TableProvider};
use datafusion::datasource::memory::MemorySourceConfig;
use datafusion::error::Result as PlanResult;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use millstream_plan::types::StructType;
use parking_lot::RwLock;
use uuid::Uuid;

use super::gathered::Gathered;
use super::{Committable, Committed, Guarantee, Sink, SinkBatch};
use crate::error::{Result, spark_error};
use crate::frame::DataFrame;
use crate::session::Session;

/// Keeps the rows of all batches (or of the last one) in memory, for programs that look at them while the query runs.
#[derive(Debug)]
pub struct MemorySink {
    session: Session,
    name: String,
    /// Complete mode: each batch replaces what was there.
    replaces: bool,
    table: RwLock<Option<Arc<MemoryRows>>>,
    gathered: Gathered,
}

impl MemorySink {
    /// A table of this name; `replaces` in complete mode.
    ///
    /// # Errors
    /// The query has no name.
    pub fn new(session: Session, name: Option<&str>, replaces: bool) -> Result<Self> {
        let Some(name) = name else {
            let none: [(&'static str, &str); 0] = [];
            let text = "queryName must be specified for memory sink.";
            return Err(spark_error("_LEGACY_ERROR_TEMP_1194", None, none, text));
        };
        let (table, gathered) = (RwLock::default(), Gathered::default());
        Ok(Self { session, name: name.to_owned(), replaces, table, gathered })
    }

    fn table(&self, schema: &SchemaRef) -> Result<Arc<MemoryRows>> {
        if let Some(table) = &*self.table.read() {
            return Ok(table.clone());
        }
        let table = Arc::new(MemoryRows { schema: schema.clone(), rows: RwLock::default() });
        let provider: Arc<dyn TableProvider> = table.clone();
        let frame = DataFrame::from_provider(&self.session, provider, StructType::from_arrow(schema)?)?;
        frame.create_or_replace_temp_view(&self.name);
        *self.table.write() = Some(table.clone());
        Ok(table)
    }
}

#[async_trait]
impl Sink for MemorySink {
    fn description(&self) -> String {
        "MemorySink".into()
    }

    fn guarantee(&self) -> Guarantee {
        Guarantee::IdempotentByBatchId
    }

    async fn prepare(&self, _query_id: Uuid, schema: &SchemaRef) -> Result<()> {
        self.table(schema).map(|_| ())
    }

    async fn open(&self, _batch: &SinkBatch) -> Result<()> {
        Ok(())
    }

    async fn write(
        &self,
        batch: &SinkBatch,
        partition: usize,
        rows: SendableRecordBatchStream,
    ) -> Result<Committable> {
        let rows = self.gathered.take_in(batch, partition, rows, usize::MAX).await?;
        Ok(Committable { rows, ..Committable::default() })
    }

    async fn commit(&self, batch: &SinkBatch, written: Vec<Committable>) -> Result<Committed> {
        let new = self.gathered.take_out(batch.batch_id);
        let table = self.table(&batch.schema)?;
        let mut kept = table.rows.write();
        if kept.last_batch.is_none_or(|last| batch.batch_id > last) {
            if self.replaces {
                kept.batches.clear();
            }
            kept.batches.extend(new);
            kept.last_batch = Some(batch.batch_id);
        }
        Ok(Committed { output_rows: Some(written.iter().map(|part| part.rows).sum()) })
    }

    async fn abort(&self, batch: &SinkBatch, _written: Vec<Committable>) -> Result<()> {
        self.gathered.take_out(batch.batch_id);
        Ok(())
    }
}

#[derive(Debug, Default)]
struct Kept {
    batches: Vec<RecordBatch>,
    last_batch: Option<i64>,
}

/// The table: each scan sees the rows that were there when it was planned.
#[derive(Debug)]
struct MemoryRows {
    schema: SchemaRef,
    rows: RwLock<Kept>,
}

#[async_trait]
impl TableProvider for MemoryRows {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn PlanSession,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> PlanResult<Arc<dyn ExecutionPlan>> {
        let batches = self.rows.read().batches.clone();
        Ok(MemorySourceConfig::try_new_exec(&[batches], self.schema.clone(), projection.cloned())?)
    }
}
