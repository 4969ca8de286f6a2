//! The `headers` column: `array<struct<key: string, value: binary>>`, null for a record without headers.
//!
//! Header keys are text by custom only: one that is not UTF-8 is decoded as Java does. Repeated keys are
//! kept, in order.

use std::sync::Arc;

use arrow_array::{ArrayRef, ListArray, StructArray};
use arrow_buffer::{Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Fields};
use millstream_protocol::records::Headers;

use super::schema::headers_type;
use super::views::{INLINE, ViewColumn, Window, inline_view, long_view};
use crate::text::decode_lossy_java;
use crate::{Error, Result, raw};

/// Headers of the rows of one part.
#[derive(Debug)]
pub(super) struct HeadersColumn {
    /// End of each row's headers, after a leading 0.
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
    keys: Vec<u128>,
    pub values: ViewColumn,
    /// Decoded keys that were not UTF-8. It is buffer 0 of the keys; segments follow it.
    replaced: String,
    scratch: String,
}

impl Default for HeadersColumn {
    fn default() -> Self {
        Self {
            ends: vec![0],
            nulls: NullBufferBuilder::new(0),
            keys: Vec::new(),
            values: ViewColumn::default(),
            replaced: String::new(),
            scratch: String::new(),
        }
    }
}

impl HeadersColumn {
    /// Appends a record's headers.
    pub fn push(&mut self, headers: Headers<'_>, window: &mut Window<'_>) -> Result<()> {
        let end = i32::try_from(self.keys.len().saturating_add(headers.len()))
            .map_err(|_| Error::Misuse("more than 2^31 headers in one batch; lower target_rows".into()))?;
        if headers.is_empty() {
            self.nulls.append_null();
        } else {
            for (key, value) in headers.iter() {
                let key = self.key(key, window)?;
                self.keys.push(key);
                self.values.push(value, window);
            }
            self.nulls.append_non_null();
        }
        self.ends.push(end);
        Ok(())
    }

    /// Bytes of keys that were written anew. They lie in no segment, so they are counted apart.
    pub fn rewritten_bytes(&self) -> usize {
        self.replaced.len()
    }

    fn key(&mut self, key: &[u8], window: &mut Window<'_>) -> Result<u128> {
        if std::str::from_utf8(key).is_ok() {
            let view = window.view(key);
            // Buffer 0 of the keys is `replaced`.
            return Ok(if key.len() > INLINE { view + (1 << 64) } else { view });
        }
        self.scratch.clear();
        decode_lossy_java(key, &mut self.scratch);
        if self.scratch.len() <= INLINE {
            return Ok(inline_view(self.scratch.as_bytes()));
        }
        let at = u32::try_from(self.replaced.len() + self.scratch.len())
            .map(|end| end - self.scratch.len() as u32);
        let at = at.map_err(|_| Error::LimitExceeded {
            what: "the header keys of one record that are not UTF-8".into(),
            unit: "bytes",
            found: self.replaced.len() + self.scratch.len(),
            limit: u32::MAX as usize,
            setting: "nothing: drop the record",
        })?;
        self.replaced.push_str(&self.scratch);
        Ok(long_view(self.scratch.as_bytes(), 0, at))
    }

    /// Views that point into segments: the keys, whose index is one more than the segment's, and the values.
    pub fn views_mut(&mut self) -> (&mut [u128], &mut [u128]) {
        (&mut self.keys, &mut self.values.views)
    }

    /// The column, over the part's segments.
    pub fn finish(mut self, segments: &Arc<[Buffer]>) -> Result<ArrayRef> {
        let DataType::List(element) = headers_type() else {
            return Err(Error::Misuse("headers are a list".into()));
        };
        let DataType::Struct(fields) = element.data_type() else {
            return Err(Error::Misuse("a header is a struct".into()));
        };
        let fields: Fields = fields.clone();
        let replaced = Buffer::from(self.replaced.into_bytes());
        let key_buffers: Arc<[Buffer]> = std::iter::once(replaced).chain(segments.iter().cloned()).collect();
        let keys = raw::string_views(self.keys.into(), key_buffers, None);
        let (values, value_nulls) = self.values.finish();
        let values = raw::binary_views(values.into(), Arc::clone(segments), value_nulls);
        let entries = StructArray::try_new(fields, vec![Arc::new(keys), Arc::new(values)], None)?;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        let nulls: Option<NullBuffer> = self.nulls.finish();
        Ok(Arc::new(ListArray::try_new(element, offsets, Arc::new(entries), nulls)?))
    }
}
