//! Frames: handles on a tree of what the user said, analysed as soon as they are made.
//!
//! A frame holds no rows. Each action (collect, show, write) plans and runs the tree again, so a batch read of Kafka
//! sees what is there at that moment where its offsets are open.

mod actions;
mod columns;
mod group;
mod reader;
mod stream_writer;
mod transform;
mod writer;

use std::fmt;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;
use millstream_plan::SparkError;
use millstream_plan::analyzer::{self, Analyzed};
use millstream_plan::functions::BatchTime;
use millstream_plan::tree::Relation;
use millstream_plan::types::{SparkType, StructField, StructType};

pub use columns::{Column, IntoColumns, IntoCondition, IntoJoin};
pub use group::GroupedData;
pub use reader::DataFrameReader;
pub use stream_writer::DataStreamWriter;
pub use writer::{DataFrameWriter, SaveMode};

use crate::error::{Error, Result};
use crate::session::Session;

/// A table that is still to be computed: of a batch, or of a stream.
#[derive(Clone)]
pub struct DataFrame {
    session: Session,
    relation: Arc<Relation>,
    analyzed: Arc<Analyzed>,
}

impl DataFrame {
    /// Analyses a tree.
    ///
    /// # Errors
    /// Unknown names, wrong types, features that are missing.
    pub fn new(session: Session, relation: Relation) -> Result<Self> {
        let conf = session.conf().plan_conf();
        let analyzed = Arc::new(analyzer::analyze(&relation, &session.catalog(), &conf)?);
        Ok(Self { session, relation: Arc::new(relation), analyzed })
    }

    /// A frame over a table that exists only as a value, such as rows that a program or a sink holds. The
    /// table lives as long as a frame or view over it.
    ///
    /// # Errors
    /// A schema whose types the provider does not have.
    pub fn from_provider(
        session: &Session,
        provider: Arc<dyn TableProvider>,
        schema: StructType,
    ) -> Result<Self> {
        let relation = session.hand_in(&provider, schema);
        Self::new(session.clone(), relation)
    }

    /// The session that the frame belongs to.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What the user said.
    pub fn relation(&self) -> &Relation {
        &self.relation
    }

    /// What it means.
    pub fn analyzed(&self) -> &Arc<Analyzed> {
        &self.analyzed
    }

    /// The columns.
    pub fn schema(&self) -> &StructType {
        &self.analyzed.schema
    }

    /// The names of the columns.
    pub fn columns(&self) -> Vec<String> {
        self.schema().fields.iter().map(|field| field.name.to_string()).collect()
    }

    /// Whether any of its sources is a stream; such a frame runs only by [`DataFrame::write_stream`].
    pub fn is_streaming(&self) -> bool {
        self.analyzed.streaming
    }

    /// Makes the frame known to SQL under a name, in place of what had the name.
    pub fn create_or_replace_temp_view(&self, name: &str) {
        self.session.register_view(name, self);
    }

    /// Begins to write the rows of a batch.
    pub fn write(&self) -> DataFrameWriter {
        DataFrameWriter::new(self.clone())
    }

    /// Begins a streaming query over the frame.
    pub fn write_stream(&self) -> DataStreamWriter {
        DataStreamWriter::new(self.clone())
    }

    pub(crate) fn shared(&self) -> (Arc<Relation>, Arc<Analyzed>) {
        (self.relation.clone(), self.analyzed.clone())
    }

    fn derive(&self, relation: impl FnOnce(Box<Relation>) -> Relation) -> Result<Self> {
        Self::new(self.session.clone(), relation(Box::new((*self.relation).clone())))
    }

    /// The frame for a sink that takes these columns as bytes: a cast of bytes to text that does nothing but
    /// feed one of them is left out, so that the bytes arrive as they are.
    pub(crate) fn with_bytes(&self, columns: &[&str]) -> Result<Self> {
        let mut schema = self.schema().clone();
        let named = |field: &StructField| columns.contains(&&*field.name);
        let indices: Vec<usize> = (0..schema.fields.len()).filter(|&i| named(&schema.fields[i])).collect();
        let plan = millstream_plan::session::sink_bytes(self.analyzed.plan.clone(), &indices)?;
        for index in indices {
            if *plan.schema().field(index).data_type() == DataType::BinaryView {
                schema.fields[index].data_type = SparkType::Binary;
            }
        }
        let analyzed = Arc::new(Analyzed { plan, schema, ..(*self.analyzed).clone() });
        Ok(Self { analyzed, ..self.clone() })
    }

    /// Plans the frame as a batch, with one time for all its functions.
    pub(crate) async fn plan(&self) -> Result<BatchPlan> {
        if self.is_streaming() {
            return Err(stream_in_batch().into());
        }
        let state = self.session.state()?;
        if let Some(time) = state.config_options().extensions.get::<BatchTime>() {
            time.set_micros(chrono::Utc::now().timestamp_micros());
        }
        let plan = state.create_physical_plan(&self.analyzed.plan).await?;
        Ok(BatchPlan { plan, task: state.task_ctx(), analyzed: self.analyzed.clone() })
    }
}

impl fmt::Debug for DataFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns: Vec<String> = self
            .schema()
            .fields
            .iter()
            .map(|field| format!("{}: {}", field.name, field.data_type.simple_string()))
            .collect();
        write!(f, "DataFrame[{}]", columns.join(", "))
    }
}

/// A frame ready to be run once.
pub(crate) struct BatchPlan {
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) task: Arc<TaskContext>,
    analyzed: Arc<Analyzed>,
}

impl BatchPlan {
    pub(crate) async fn collect(self) -> Result<Vec<RecordBatch>> {
        let batches = datafusion::physical_plan::collect(self.plan, self.task).await?;
        Ok(batches.iter().map(|batch| self.analyzed.rename(batch)).collect::<Result<_, _>>()?)
    }

    /// The user's columns.
    pub(crate) fn schema(&self) -> SchemaRef {
        self.analyzed.schema.to_arrow()
    }

    /// The rows of each partition under the user's column names.
    pub(crate) fn streams(&self) -> Result<Vec<SendableRecordBatchStream>> {
        let schema = self.schema();
        let stream = |partition| -> Result<SendableRecordBatchStream> {
            let rows = self.plan.execute(partition, self.task.clone())?;
            let analyzed = self.analyzed.clone();
            let renamed = rows.map(move |batch| {
                analyzed.rename(&batch?).map_err(|error| DataFusionError::from(Error::from(error)))
            });
            Ok(Box::pin(RecordBatchStreamAdapter::new(schema.clone(), renamed)))
        };
        (0..self.plan.output_partitioning().partition_count()).map(stream).collect()
    }
}

fn stream_in_batch() -> SparkError {
    const TEXT: &str = "Queries with streaming sources must be executed with writeStream.start(), or from a \
         streaming table or flow definition within a Spark Declarative Pipeline.";
    let mut error = SparkError::new("_LEGACY_ERROR_TEMP_3102", [("msg", TEXT)]);
    error.message = format!("{TEXT} In Rust: write_stream().start().");
    error
}
