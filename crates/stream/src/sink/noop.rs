//! Rows into nothing: what a query costs without its sink.

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;

use super::{Committable, Committed, Guarantee, Sink, SinkBatch};
use crate::error::Result;

/// Computes and counts the rows, and drops them.
#[derive(Debug, Default, Clone, Copy)]
pub struct NoopSink;

#[async_trait]
impl Sink for NoopSink {
    fn description(&self) -> String {
        "NoopSink".into()
    }

    fn guarantee(&self) -> Guarantee {
        Guarantee::IdempotentByBatchId
    }

    async fn open(&self, _batch: &SinkBatch) -> Result<()> {
        Ok(())
    }

    async fn write(
        &self,
        _batch: &SinkBatch,
        _partition: usize,
        mut rows: SendableRecordBatchStream,
    ) -> Result<Committable> {
        let mut count = 0;
        while let Some(batch) = rows.next().await.transpose()? {
            count += batch.num_rows() as u64;
        }
        Ok(Committable { rows: count, ..Committable::default() })
    }

    async fn commit(&self, _batch: &SinkBatch, written: Vec<Committable>) -> Result<Committed> {
        Ok(Committed { output_rows: Some(written.iter().map(|part| part.rows).sum()) })
    }

    async fn abort(&self, _batch: &SinkBatch, _written: Vec<Committable>) -> Result<()> {
        Ok(())
    }
}
