//! Reading one split: fetched record batches into Arrow batches.
//!
//! A split ends by the fetch position, never by the last record seen: control batches, aborted transactions and
//! compaction leave gaps. What the client hands out is decoded where it is polled; its bytes become the columns.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int32Array, RecordBatch};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::Stream;
use millstream_client::{FetchedRecords, Isolation, Loss as ClientLoss, RangeRead, Reader, Watermarks};
use millstream_columnar::records::{
    self, Chunk, DecoderMemory, DecoderOptions, Projection, RecordBatchDecoder,
};
use millstream_protocol::ids::TopicPartition;

use super::loss::{self, Loss, LossPolicy, Rest};
use super::pushdown::Bounds;
use crate::error::{Error, Result, spark_error};
use crate::source::{ScanProjection, Split};

/// How the splits of a read are read.
#[derive(Debug, Clone)]
pub struct SplitReader {
    /// Fetches.
    pub reader: Reader,
    /// What to do when records are gone.
    pub policy: LossPolicy,
    /// The group's name in messages.
    pub group: Arc<str>,
    /// Whether the source has the column of headers; the task's number is the column behind the last.
    pub include_headers: bool,
    /// What is left out of the splits.
    pub bounds: Bounds,
    /// The decoders' memory, used again by later batches.
    pub memory: DecoderMemory,
}

/// Times that a range is tried again without getting further.
const ATTEMPTS_WITHOUT_PROGRESS: u32 = 3;

impl SplitReader {
    /// The rows of a split, in batches of about `target_rows`.
    pub fn open(
        &self,
        split: &Split,
        projection: &ScanProjection,
        target_rows: usize,
    ) -> SendableRecordBatchStream {
        let fetch = self.reader.options();
        let options = DecoderOptions {
            check_crcs: fetch.check_crcs,
            read_committed: fetch.isolation == Isolation::ReadCommitted,
            target_rows,
            filter: self.bounds.batch_filter(),
            memory: self.memory.clone(),
            ..DecoderOptions::default()
        };
        let task_column = records::source_schema(self.include_headers).fields().len();
        let decoded = projection.columns.iter().copied().filter(|column| *column != task_column);
        let wanted = Projection::from_indices(decoded);
        let (from, until) = self.bounds.range(split.from, split.until);
        let state = Reading {
            partition: TopicPartition { topic: split.topic.clone(), partition: split.partition },
            from,
            until,
            decoder: RecordBatchDecoder::new(wanted, options),
            order: column_order(&wanted, projection, task_column),
            task: split.task,
            projection: projection.clone(),
            range: None,
            stuck: (from, 0),
            finished: from >= until,
            reader: self.clone(),
        };
        let rows = futures::stream::try_unfold(state, |mut state| async move {
            let batch = state.next().await.map_err(DataFusionError::from)?;
            Ok(batch.map(|batch| (batch, state)))
        });
        Box::pin(RecordBatchStreamAdapter::new(projection.schema.clone(), rows))
    }

    /// Several splits, one after the other.
    pub fn open_all(
        &self,
        splits: Vec<Split>,
        projection: &ScanProjection,
        target_rows: usize,
    ) -> impl Stream<Item = Result<RecordBatch, DataFusionError>> + Send + use<> {
        use futures::StreamExt;
        let (this, projection) = (self.clone(), projection.clone());
        futures::stream::iter(splits).flat_map(move |split| this.open(&split, &projection, target_rows))
    }
}

struct Reading {
    reader: SplitReader,
    partition: TopicPartition,
    from: i64,
    until: i64,
    decoder: RecordBatchDecoder,
    /// Where each column comes from; none when they are the decoder's as they are.
    order: Option<Vec<Column>>,
    task: i32,
    projection: ScanProjection,
    range: Option<RangeRead>,
    /// A position and how often reading has failed there.
    stuck: (i64, u32),
    finished: bool,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.decoder.next_batch().map_err(malformed)? {
                return self.ordered(batch).map(Some);
            }
            if self.finished {
                let last = self.decoder.finish().map_err(malformed)?;
                return last.map(|batch| self.ordered(batch)).transpose();
            }
            self.fetch().await?;
        }
    }

    async fn fetch(&mut self) -> Result<()> {
        let range =
            self.range.get_or_insert_with(|| self.reader.reader.read(&self.partition, self.from, self.until));
        match range.next().await {
            Ok(Some(records)) => self.decode(&records),
            Ok(None) => {
                self.finished = true;
                Ok(())
            }
            Err(error) => {
                let (position, told) = (range.position(), range.watermarks());
                self.range = None;
                self.lost(position, told, error)
            }
        }
    }

    fn decode(&mut self, records: &FetchedRecords) -> Result<()> {
        let aborted: Vec<_> = records
            .aborted
            .iter()
            .map(|aborted| records::AbortedTransaction {
                producer_id: aborted.producer_id,
                first_offset: aborted.first_offset,
            })
            .collect();
        let chunk = Chunk {
            topic: &self.partition.topic,
            partition: self.partition.partition,
            records: &records.records,
            from: records.from,
            until: records.until,
            aborted: &aborted,
        };
        self.decoder.push(chunk).map_err(malformed)
    }

    /// Some of the range is gone, or never came: what remains of it is read, where that is allowed.
    fn lost(
        &mut self,
        position: i64,
        told: Option<Watermarks>,
        error: millstream_client::Error,
    ) -> Result<()> {
        let never_came = matches!(error, millstream_client::Error::Timeout { .. })
            && told.is_some_and(|told| position >= self.readable_end(told));
        let lost = error.data_loss();
        if lost.is_none() && !never_came {
            return Err(error.into());
        }
        self.reader.policy.report(&Loss::CouldNotRead {
            partition: self.partition.clone(),
            from: position,
            until: self.until,
            group: self.reader.group.to_string(),
        })?;
        let rest = match lost.map(|lost| &lost.loss) {
            Some(&ClientLoss::OutOfRange { log_start, log_end }) => {
                loss::rest(position, self.until, log_start, log_end)
            }
            _ => Rest::Nothing,
        };
        self.stuck = if self.stuck.0 == position { (position, self.stuck.1 + 1) } else { (position, 1) };
        match rest {
            Rest::From(from) if self.stuck.1 <= ATTEMPTS_WITHOUT_PROGRESS => self.from = from,
            Rest::From(_) => return Err(error.into()),
            Rest::Nothing => self.finished = true,
        }
        Ok(())
    }

    fn readable_end(&self, told: Watermarks) -> i64 {
        match self.reader.reader.options().isolation {
            Isolation::ReadCommitted => told.last_stable_offset,
            Isolation::ReadUncommitted => told.high_watermark,
        }
    }

    fn ordered(&self, batch: RecordBatch) -> Result<RecordBatch> {
        let Some(order) = &self.order else { return Ok(batch) };
        let column = |column: &Column| -> ArrayRef {
            match column {
                Column::Decoded(index) => batch.column(*index).clone(),
                Column::Task => Arc::new(Int32Array::from_value(self.task, batch.num_rows())),
            }
        };
        let columns = order.iter().map(column).collect();
        let rows = arrow_array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(self.projection.schema.clone(), columns, &rows)
            .map_err(|error| DataFusionError::from(error).into())
    }
}

fn malformed(error: millstream_columnar::Error) -> Error {
    let millstream_columnar::Error::TimestampOverflow { topic, partition, offset, timestamp_ms } = &error
    else {
        return error.into();
    };
    let parameters = [
        ("topic", topic.clone()),
        ("partition", partition.to_string()),
        ("offset", offset.to_string()),
        ("timestamp", timestamp_ms.to_string()),
    ];
    spark_error("KAFKA_MALFORMED_RECORD_TIMESTAMP", Some("22008"), parameters, &error)
}

/// Where a column comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    /// The decoder's column at this place.
    Decoded(usize),
    /// The number of the task.
    Task,
}

/// Where each wanted column comes from; none when they are what the decoder makes.
fn column_order(decoded: &Projection, wanted: &ScanProjection, task_column: usize) -> Option<Vec<Column>> {
    let decoded = decoded.indices();
    if decoded == wanted.columns {
        return None;
    }
    let place = |column: &usize| match *column == task_column {
        true => Some(Column::Task),
        false => decoded.iter().position(|index| index == column).map(Column::Decoded),
    };
    Some(wanted.columns.iter().filter_map(place).collect())
}
