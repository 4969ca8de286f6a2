//! The columns that a record-at-a-time client has to build: one append per value, a batch every 8,192 rows.

use crate::contender::Tally;
use arrow_array::RecordBatch;
use arrow_array::builder::{
    BinaryViewBuilder, Int32Builder, Int64Builder, StringViewBuilder, TimestampMicrosecondBuilder,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use std::sync::Arc;

const BATCH_ROWS: usize = 8192;

/// Builders of one batch and the tally of those that were finished.
pub struct Columns<'a> {
    schema: SchemaRef,
    key: BinaryViewBuilder,
    value: BinaryViewBuilder,
    topic: StringViewBuilder,
    partition: Int32Builder,
    offset: Int64Builder,
    timestamp: TimestampMicrosecondBuilder,
    tally: &'a mut Tally,
    verify: bool,
}

impl<'a> Columns<'a> {
    /// Empty builders.
    pub fn new(tally: &'a mut Tally, verify: bool) -> Self {
        let fields = [
            ("key", DataType::BinaryView),
            ("value", DataType::BinaryView),
            ("topic", DataType::Utf8View),
            ("partition", DataType::Int32),
            ("offset", DataType::Int64),
            ("timestamp", DataType::Timestamp(TimeUnit::Microsecond, None)),
        ];
        let fields: Vec<Field> =
            fields.into_iter().map(|(name, kind)| Field::new(name, kind, true)).collect();
        Self {
            schema: Arc::new(Schema::new(fields)),
            key: BinaryViewBuilder::with_capacity(BATCH_ROWS).with_fixed_block_size(1 << 20),
            value: BinaryViewBuilder::with_capacity(BATCH_ROWS).with_fixed_block_size(1 << 20),
            topic: StringViewBuilder::with_capacity(BATCH_ROWS),
            partition: Int32Builder::with_capacity(BATCH_ROWS),
            offset: Int64Builder::with_capacity(BATCH_ROWS),
            timestamp: TimestampMicrosecondBuilder::with_capacity(BATCH_ROWS),
            tally,
            verify,
        }
    }

    /// Appends one record; `numbers` are partition, offset and timestamp in milliseconds.
    #[inline]
    pub fn append(
        &mut self,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        topic: &str,
        numbers: (i32, i64, i64),
    ) {
        self.key.append_option(key);
        self.value.append_option(value);
        self.topic.append_value(topic);
        self.partition.append_value(numbers.0);
        self.offset.append_value(numbers.1);
        self.timestamp.append_value(numbers.2 * 1000);
        if self.offset.values_slice().len() == BATCH_ROWS {
            self.flush();
        }
    }

    /// Rows appended so far, whether flushed or not.
    pub fn rows(&self) -> u64 {
        self.tally.rows + self.offset.values_slice().len() as u64
    }

    /// Finishes the batch.
    pub fn flush(&mut self) {
        let batch = RecordBatch::try_new(
            self.schema.clone(),
            vec![
                Arc::new(self.key.finish()),
                Arc::new(self.value.finish()),
                Arc::new(self.topic.finish()),
                Arc::new(self.partition.finish()),
                Arc::new(self.offset.finish()),
                Arc::new(self.timestamp.finish()),
            ],
        )
        .expect("columns of one length");
        self.tally.rows += batch.num_rows() as u64;
        if self.verify {
            self.tally.add_batch(&batch);
        }
        std::hint::black_box(&batch);
    }
}
