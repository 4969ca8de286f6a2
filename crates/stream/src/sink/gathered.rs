//! Rows of a batch that a sink keeps in memory between writing and committing.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use parking_lot::Mutex;

use super::SinkBatch;
use crate::error::Result;

/// The rows of each batch under way, by partition.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    batches: Mutex<BTreeMap<(i64, usize), Vec<RecordBatch>>>,
}

impl Gathered {
    /// Takes the rows of a partition, keeping at most `limit` of them; returns how many there were.
    pub(super) async fn take_in(
        &self,
        batch: &SinkBatch,
        partition: usize,
        mut rows: SendableRecordBatchStream,
        limit: usize,
    ) -> Result<u64> {
        let mut kept = Vec::new();
        let (mut count, mut left) = (0, limit);
        while let Some(rows) = rows.next().await.transpose()? {
            count += rows.num_rows() as u64;
            let keep = rows.num_rows().min(left);
            if keep > 0 {
                kept.push(rows.slice(0, keep));
                left -= keep;
            }
        }
        self.batches.lock().insert((batch.batch_id, partition), kept);
        Ok(count)
    }

    /// Gives out the rows of a batch in the order of its partitions, and forgets it and all before it.
    pub(super) fn take_out(&self, batch_id: i64) -> Vec<RecordBatch> {
        let mut batches = self.batches.lock();
        let later = batches.split_off(&(batch_id + 1, 0));
        let done = std::mem::replace(&mut *batches, later);
        done.into_iter().filter(|((id, _), _)| *id == batch_id).flat_map(|(_, rows)| rows).collect()
    }
}
