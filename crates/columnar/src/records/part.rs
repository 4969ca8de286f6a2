//! One output batch in the making: its columns, and the segments of bytes that its views point into.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{
    ArrayRef, Int32Array, Int64Array, RecordBatch, RecordBatchOptions, TimestampMicrosecondArray,
};
use arrow_buffer::{ArrowNativeType, Buffer, ScalarBuffer};
use arrow_schema::SchemaRef;
use bytes::Bytes;

use super::Projection;
use super::headers::HeadersColumn;
use super::pool::{DecoderMemory, Pool};
use super::views::{ViewColumn, long_parts};
use crate::{Result, raw, types};

/// Rows gathered so far.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub rows: usize,
    /// Bytes of keys, values and headers that are not inline.
    pub bytes: usize,
    pub keys: ViewColumn,
    pub values: ViewColumn,
    pub topics: Vec<u128>,
    pub partitions: Vec<i32>,
    pub offsets: Vec<i64>,
    pub timestamps: Vec<i64>,
    pub timestamp_types: Vec<i32>,
    pub headers: HeadersColumn,
    pub segments: Vec<Segment>,
    /// Topic names that do not fit into a view, with the views that point to them.
    pub topic_names: Vec<u8>,
}

/// Makes room for rows; a column that is still empty gets memory that was used before.
fn make_room<T: ArrowNativeType>(column: &mut Vec<T>, rows: usize, pool: &Pool<T>) {
    if column.capacity() == 0 {
        *column = pool.take(rows);
    } else {
        column.reserve(rows);
    }
}

/// Bytes that views of a part point into.
#[derive(Debug)]
pub(super) struct Segment {
    pub source: Source,
    /// Bytes of it that the part's values use.
    pub used: usize,
}

/// Where a segment's bytes are.
#[derive(Debug)]
pub(super) enum Source {
    /// A slice of a fetched frame.
    Frame(Bytes),
    /// A range of the decoder's arena, which is not frozen yet.
    Arena(Range<usize>),
    /// A range of a frozen arena.
    Frozen(Buffer),
}

/// Where fewer than one in this many bytes of a segment is used, the used ones are copied out, so that a few
/// small values do not keep a large frame alive.
const COPY_BELOW: usize = 4;

impl Part {
    /// Makes room for rows in the projected columns.
    pub fn reserve(&mut self, projection: &Projection, rows: usize, memory: &DecoderMemory) {
        let reserve = |wanted: bool, column: &mut Vec<u128>| {
            if wanted {
                make_room(column, rows, &memory.views);
            }
        };
        reserve(projection.key, &mut self.keys.views);
        reserve(projection.value, &mut self.values.views);
        reserve(projection.topic, &mut self.topics);
        if projection.offset {
            make_room(&mut self.offsets, rows, &memory.longs);
        }
        if projection.timestamp {
            make_room(&mut self.timestamps, rows, &memory.longs);
        }
    }

    /// Replaces ranges of the arena by slices of its frozen buffer.
    pub fn freeze_arena(&mut self, arena: &Buffer) {
        for segment in &mut self.segments {
            if let Source::Arena(range) = &segment.source {
                let slice = arena.slice_with_length(range.start, range.len());
                segment.source = Source::Frozen(slice);
            }
        }
    }

    /// Whether a segment lies in the arena.
    pub fn needs_arena(&self) -> bool {
        self.segments.iter().any(|segment| matches!(segment.source, Source::Arena(_)))
    }

    /// The batch. All segments are closed and frozen.
    pub fn build(
        mut self,
        projection: &Projection,
        schema: &SchemaRef,
        memory: &DecoderMemory,
    ) -> Result<RecordBatch> {
        let buffers: Vec<Buffer> = (0..self.segments.len()).map(|index| self.segment_buffer(index)).collect();
        let buffers: Arc<[Buffer]> = buffers.into();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
        let binary = |column: ViewColumn| -> ArrayRef {
            let (views, nulls) = column.finish();
            let views = ScalarBuffer::from(memory.views.freeze(views));
            Arc::new(raw::binary_views(views, Arc::clone(&buffers), nulls))
        };
        if projection.key {
            columns.push(binary(self.keys));
        }
        if projection.value {
            columns.push(binary(self.values));
        }
        if projection.topic {
            let names: Arc<[Buffer]> = Arc::from([Buffer::from(self.topic_names)]);
            let topics = ScalarBuffer::from(memory.views.freeze(self.topics));
            columns.push(Arc::new(raw::string_views(topics, names, None)));
        }
        if projection.partition {
            columns.push(Arc::new(Int32Array::from(self.partitions)));
        }
        if projection.offset {
            let offsets = ScalarBuffer::from(memory.longs.freeze(self.offsets));
            columns.push(Arc::new(Int64Array::new(offsets, None)));
        }
        if projection.timestamp {
            let timestamps = ScalarBuffer::from(memory.longs.freeze(self.timestamps));
            let timestamps = TimestampMicrosecondArray::new(timestamps, None);
            columns.push(Arc::new(timestamps.with_timezone(types::UTC)));
        }
        if projection.timestamp_type {
            columns.push(Arc::new(Int32Array::from(self.timestamp_types)));
        }
        if projection.headers {
            columns.push(self.headers.finish(&buffers)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
    }

    /// The buffer of a segment: the bytes in place, or a copy of what is used.
    fn segment_buffer(&mut self, index: usize) -> Buffer {
        let segment = &self.segments[index];
        let used = segment.used;
        let buffer = match &segment.source {
            Source::Frame(bytes) => Buffer::from(bytes.clone()),
            Source::Frozen(buffer) => buffer.clone(),
            Source::Arena(_) => unreachable!("the arena is frozen before a part is built"),
        };
        if used.saturating_mul(COPY_BELOW) >= buffer.len() {
            return buffer;
        }
        let mut copy = Vec::with_capacity(used);
        let (header_keys, header_values) = self.headers.views_mut();
        compact(&mut self.keys.views, index, &buffer, &mut copy);
        compact(&mut self.values.views, index, &buffer, &mut copy);
        compact(header_keys, index + 1, &buffer, &mut copy);
        compact(header_values, index, &buffer, &mut copy);
        Buffer::from(copy)
    }
}

/// Copies the values of buffer `index` to `copy` and points their views there.
fn compact(views: &mut [u128], index: usize, buffer: &[u8], copy: &mut Vec<u8>) {
    const OFFSET: u128 = (u32::MAX as u128) << 96;
    for view in views {
        if let Some((length, of, offset)) = long_parts(*view)
            && of == index
        {
            let at = copy.len() as u128;
            copy.extend_from_slice(&buffer[offset..offset + length]);
            *view = (*view & !OFFSET) | at << 96;
        }
    }
}
