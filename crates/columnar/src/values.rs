//! Columns of scalar values while a reader of payloads fills them.
//!
//! A column can be cut back to an earlier length, which is how a bad value or a bad document leaves no trace.
//! Strings and binaries are views into the payloads' own buffers wherever the value stands there as it is.

use std::sync::Arc;

use arrow_array::{ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, NullBufferBuilder, ScalarBuffer};
use arrow_schema::DataType;

use crate::raw;
use crate::records::{INLINE, inline_view, long_view};

/// Validity, kept only from the first null on.
#[derive(Debug)]
pub(crate) struct Nulls(NullBufferBuilder);

impl Default for Nulls {
    fn default() -> Self {
        Self(NullBufferBuilder::new(0))
    }
}

impl Nulls {
    /// Notes a null at `at`, which is the length so far.
    #[inline(never)]
    pub fn push_null(&mut self, at: usize) {
        self.0.append_n_non_nulls(at - self.0.len());
        self.0.append_null();
    }

    pub fn truncate(&mut self, length: usize) {
        if self.0.len() > length {
            self.0.truncate(length);
        }
    }

    /// Takes the places from `from` to `to` out; what stands behind them moves up.
    pub fn drain(&mut self, from: usize, to: usize) {
        let behind: Vec<bool> = (to..self.0.len()).map(|at| self.0.is_valid(at)).collect();
        self.truncate(from);
        for (at, valid) in (from..).zip(behind) {
            if !valid {
                self.push_null(at);
            }
        }
    }

    pub fn finish(mut self, length: usize) -> Option<NullBuffer> {
        self.0.append_n_non_nulls(length - self.0.len());
        self.0.finish()
    }
}

/// Values of one fixed size.
#[derive(Debug)]
pub(crate) struct Values<T> {
    values: Vec<T>,
    nulls: Nulls,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { values: Vec::new(), nulls: Nulls::default() }
    }
}

impl<T: Copy + Default> Values<T> {
    pub fn reserve(&mut self, rows: usize) {
        self.values.reserve(rows);
    }

    #[inline(always)]
    pub fn push(&mut self, value: T) {
        self.values.push(value);
    }

    #[inline(always)]
    pub fn push_null(&mut self) {
        self.nulls.push_null(self.values.len());
        self.values.push(T::default());
    }

    /// Appends the value, or null; false for null.
    #[inline(always)]
    pub fn push_option(&mut self, value: Option<T>) -> bool {
        match value {
            Some(value) => self.push(value),
            None => self.push_null(),
        }
        value.is_some()
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }

    pub fn truncate(&mut self, length: usize) {
        self.values.truncate(length);
        self.nulls.truncate(length);
    }

    pub fn drain(&mut self, from: usize, to: usize) {
        self.values.drain(from..to);
        self.nulls.drain(from, to);
    }
}

impl<T: ArrowNativeType> Values<T> {
    pub fn finish<P: ArrowPrimitiveType<Native = T>>(self, data_type: DataType) -> ArrayRef {
        let nulls = self.nulls.finish(self.values.len());
        let values = ScalarBuffer::from(self.values);
        Arc::new(PrimitiveArray::<P>::new(values, nulls).with_data_type(data_type))
    }
}

impl Values<bool> {
    pub fn finish_booleans(self) -> ArrayRef {
        let bits = BooleanBuffer::collect_bool(self.values.len(), |at| self.values[at]);
        Arc::new(BooleanArray::new(bits, self.nulls.finish(self.values.len())))
    }
}

/// Strings or binaries: views into the documents' own buffers where the value stands there as it is, else
/// into `own`.
#[derive(Debug, Default)]
pub(crate) struct Views {
    views: Vec<u128>,
    nulls: Nulls,
    /// Values that had to be written anew. Buffer 0; the documents' buffers follow.
    own: Vec<u8>,
    borrows: bool,
}

/// Where the bytes of a document are shared with its array.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Home {
    /// Buffer and offset of the document; None for one that its view holds inline.
    pub place: Option<(u32, u32)>,
}

impl Views {
    pub fn reserve(&mut self, rows: usize) {
        self.views.reserve(rows);
    }

    /// Appends the bytes from `start` to `end` of the document.
    #[inline(always)]
    pub fn push_slice(&mut self, text: &[u8], start: usize, end: usize, home: Home) {
        let length = end - start;
        if length <= INLINE {
            let view = match text.get(start..).and_then(<[u8]>::first_chunk::<16>) {
                Some(chunk) => {
                    let mask = (1u128 << (8 * length)) - 1;
                    (u128::from_le_bytes(*chunk) & mask) << 32 | length as u128
                }
                None => inline_view(&text[start..end]),
            };
            self.views.push(view);
        } else {
            self.push_long(&text[start..end], start, home);
        }
    }

    #[inline(always)]
    fn push_long(&mut self, value: &[u8], start: usize, home: Home) {
        match home.place {
            Some((buffer, offset)) => {
                self.borrows = true;
                self.views.push(long_view(value, buffer + 1, offset + start as u32));
            }
            None => self.push_copy(value),
        }
    }

    /// Bytes of all copies; those of one column must stay below 4 GiB.
    pub fn copied(&self) -> usize {
        self.own.len()
    }

    /// Appends a copy of `value`.
    pub fn push_copy(&mut self, value: &[u8]) {
        if value.len() <= INLINE {
            self.views.push(inline_view(value));
        } else {
            let at = u32::try_from(self.own.len())
                .expect("columns of more than 4 GiB are refused when they begin");
            self.views.push(long_view(value, 0, at));
            self.own.extend_from_slice(value);
        }
    }

    pub fn len(&self) -> usize {
        self.views.len()
    }

    pub fn push_null(&mut self) {
        self.nulls.push_null(self.views.len());
        self.views.push(0);
    }

    pub fn truncate(&mut self, length: usize) {
        self.views.truncate(length);
        self.nulls.truncate(length);
    }

    pub fn drain(&mut self, from: usize, to: usize) {
        self.views.drain(from..to);
        self.nulls.drain(from, to);
    }

    fn parts(self, source: &[Buffer]) -> (Vec<u128>, Arc<[Buffer]>, Option<NullBuffer>) {
        let nulls = self.nulls.finish(self.views.len());
        let borrowed = if self.borrows { source } else { &[] };
        let own = Buffer::from(self.own);
        (self.views, std::iter::once(own).chain(borrowed.iter().cloned()).collect(), nulls)
    }

    /// As strings: every value pushed was a whole part of a UTF-8 document or was made from a string.
    pub fn finish_strings(self, source: &[Buffer]) -> ArrayRef {
        let (views, buffers, nulls) = self.parts(source);
        Arc::new(raw::string_views(views.into(), buffers, nulls))
    }

    pub fn finish_binaries(self, source: &[Buffer]) -> ArrayRef {
        let (views, buffers, nulls) = self.parts(source);
        Arc::new(raw::binary_views(views.into(), buffers, nulls))
    }
}
