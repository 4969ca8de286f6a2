//! The only unsafe code of the workspace: arrays whose validity we have already established, built without
//! Arrow checking it again; rows appended to several columns with one check of room for all of them; and
//! comparisons of sixteen bytes at once. Each function states what its caller has proved; the checked twin of each
//! is in the tests and runs on the same inputs, and in debug builds the check is made as well.

#![allow(unsafe_code)]

use std::sync::Arc;

use arrow_array::{BinaryViewArray, StringViewArray};
use arrow_buffer::{Buffer, NullBuffer, ScalarBuffer};

/// A binary view array.
///
/// The caller has made every view itself: length in the low 32 bits; up to 12 bytes inline with zeros behind
/// them; longer values with their first four bytes, an index into `buffers`, and an offset such that offset +
/// length lies inside that buffer. `nulls`, if any, is as long as `views`.
pub(crate) fn binary_views(
    views: ScalarBuffer<u128>,
    buffers: Arc<[Buffer]>,
    nulls: Option<NullBuffer>,
) -> BinaryViewArray {
    debug_assert!(checked_binary(&views, &buffers, &nulls));
    assert!(nulls.as_ref().is_none_or(|nulls| nulls.len() == views.len()), "one validity bit a view");
    // SAFETY: `new_unchecked` requires views that are inline or point into `buffers`, with right prefixes;
    // that is the caller's promise above. Callers keep it by construction: a view is made from a slice of the
    // very buffer it names (records::views asserts that it lies inside), or is taken over from an array that
    // holds the same buffers.
    unsafe { BinaryViewArray::new_unchecked(views, buffers, nulls) }
}

/// A string view array. As [`binary_views`]; besides, every value is valid UTF-8.
pub(crate) fn string_views(
    views: ScalarBuffer<u128>,
    buffers: Arc<[Buffer]>,
    nulls: Option<NullBuffer>,
) -> StringViewArray {
    string_views_of(binary_views(views, buffers, nulls))
}

/// The same array typed as strings. The caller has validated every value as UTF-8, inline ones among them;
/// values behind nulls may be anything that is never read, and are validated too or zero.
pub(crate) fn string_views_of(array: BinaryViewArray) -> StringViewArray {
    debug_assert!(array.iter().flatten().all(|value| std::str::from_utf8(value).is_ok()));
    // SAFETY: the bytes of every value are UTF-8 by the caller's promise, which is what the conversion
    // requires; the views themselves are valid because `array` is an array.
    unsafe { array.to_string_view_unchecked() }
}

/// Appends rows to the columns that every record has. A column that is not wanted is left alone.
///
/// The rows are part of the vectors once the writer is dropped.
pub(crate) struct RowWriter<'a> {
    keys: Option<Tail<'a, u128>>,
    values: Option<Tail<'a, u128>>,
    timestamps: Option<Tail<'a, i64>>,
    offsets: Option<Tail<'a, i64>>,
    rows: usize,
    room: usize,
}

/// The unused memory behind a vector's elements.
struct Tail<'a, T> {
    vector: &'a mut Vec<T>,
    start: *mut T,
}

impl<'a, T> Tail<'a, T> {
    fn new(vector: &'a mut Vec<T>, room: usize) -> Self {
        vector.reserve(room);
        let start = vector.spare_capacity_mut().as_mut_ptr().cast();
        Self { vector, start }
    }

    /// Writes an element. `row` is below the room that the tail was made with.
    #[inline(always)]
    fn write(&self, row: usize, value: T) {
        debug_assert!(row < self.vector.capacity() - self.vector.len());
        // SAFETY: `start` points to the spare capacity of its vector, which `new` made `room` elements long at
        // least and which nobody else can touch or move while the tail borrows the vector; `row` is below `room`,
        // which `RowWriter::push`, the only caller, has asserted.
        unsafe { self.start.add(row).write(value) }
    }
}

impl<'a> RowWriter<'a> {
    /// A writer of at most `room` rows; memory that is missing for them is reserved.
    pub fn new(
        room: usize,
        keys: Option<&'a mut Vec<u128>>,
        values: Option<&'a mut Vec<u128>>,
        timestamps: Option<&'a mut Vec<i64>>,
        offsets: Option<&'a mut Vec<i64>>,
    ) -> Self {
        Self {
            keys: keys.map(|vector| Tail::new(vector, room)),
            values: values.map(|vector| Tail::new(vector, room)),
            timestamps: timestamps.map(|vector| Tail::new(vector, room)),
            offsets: offsets.map(|vector| Tail::new(vector, room)),
            rows: 0,
            room,
        }
    }

    /// Rows appended so far.
    #[inline(always)]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether another row has room.
    #[inline(always)]
    pub fn has_room(&self) -> bool {
        self.rows < self.room
    }

    /// Appends a row. The views of key and value are made, with `window`, only if they are wanted. Panics without
    /// room.
    #[inline(always)]
    pub fn push<W>(
        &mut self,
        window: &mut W,
        key: impl FnOnce(&mut W) -> u128,
        value: impl FnOnce(&mut W) -> u128,
        timestamp: i64,
        offset: i64,
    ) {
        assert!(self.rows < self.room, "has_room was asked");
        if let Some(tail) = &self.keys {
            tail.write(self.rows, key(window));
        }
        if let Some(tail) = &self.values {
            tail.write(self.rows, value(window));
        }
        if let Some(tail) = &self.timestamps {
            tail.write(self.rows, timestamp);
        }
        if let Some(tail) = &self.offsets {
            tail.write(self.rows, offset);
        }
        self.rows = self.rows.wrapping_add(1);
    }
}

impl Drop for RowWriter<'_> {
    fn drop(&mut self) {
        fn grow<T>(tail: &mut Option<Tail<'_, T>>, rows: usize) {
            if let Some(tail) = tail {
                // SAFETY: `push` has written every element up to `rows` of each column that is there, and the
                // capacity was reserved for all of them.
                unsafe { tail.vector.set_len(tail.vector.len() + rows) };
            }
        }
        grow(&mut self.keys, self.rows);
        grow(&mut self.values, self.rows);
        grow(&mut self.timestamps, self.rows);
        grow(&mut self.offsets, self.rows);
    }
}

/// A bit for each of sixteen bytes, the lowest first, that is `quote`, a backslash or below 0x20.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn ends_of_text(bytes: u128, quote: u8) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
    };
    // SAFETY: these need SSE2, which every x86-64 has, and nothing else: they take and give values only.
    unsafe {
        let bytes = _mm_set_epi64x((bytes >> 64) as i64, bytes as i64);
        let quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(quote as i8));
        let escapes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
        let controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, escapes), controls)) as u32
    }
}

/// A bit for each of sixteen bytes, the lowest first, that is no ASCII digit.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn other_than_digits(bytes: u128) -> u32 {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_set_epi64x, _mm_set1_epi8, _mm_xor_si128,
    };
    // SAFETY: these need SSE2, which every x86-64 has, and nothing else: they take and give values only.
    unsafe {
        let bytes = _mm_set_epi64x((bytes >> 64) as i64, bytes as i64);
        let values = _mm_xor_si128(bytes, _mm_set1_epi8(b'0' as i8));
        let digits = _mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values);
        _mm_movemask_epi8(digits) as u32 ^ 0xffff
    }
}

fn checked_binary(views: &ScalarBuffer<u128>, buffers: &Arc<[Buffer]>, nulls: &Option<NullBuffer>) -> bool {
    BinaryViewArray::try_new(views.clone(), Arc::clone(buffers), nulls.clone()).is_ok()
}

/// Counts the allocations of a thread, for tests that bound them.
#[cfg(test)]
pub(crate) mod allocations {
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::cell::Cell;

    thread_local! {
        static COUNT: Cell<usize> = const { Cell::new(0) };
    }

    struct Counting;

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

    // SAFETY: every call is handed to the system's allocator as it came; the counter is a thread-local number
    // that needs no memory of its own.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            let _ = COUNT.try_with(|count| count.set(count.get() + 1));
            // SAFETY: the caller keeps `alloc`'s rules.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
            // SAFETY: the pointer came from `System`.
            unsafe { System.dealloc(pointer, layout) }
        }

        unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            let _ = COUNT.try_with(|count| count.set(count.get() + 1));
            // SAFETY: the pointer came from `System`.
            unsafe { System.realloc(pointer, layout, size) }
        }
    }

    /// Allocations and reallocations that `work` makes on this thread.
    pub fn of(work: impl FnOnce()) -> usize {
        let before = COUNT.get();
        work();
        COUNT.get() - before
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::builder::make_view;

    use super::*;

    #[test]
    fn unchecked_arrays_equal_their_checked_twins() {
        let data = "inline|a value beyond twelve bytes|\u{e9}\u{4e2d}\u{1f600} beyond as well";
        let values = ["inline", "a value beyond twelve bytes", "", "\u{e9}\u{4e2d}\u{1f600} beyond as well"];
        let views: Vec<u128> = values
            .iter()
            .map(|value| make_view(value.as_bytes(), 0, data.find(value).unwrap() as u32))
            .collect();
        let buffers: Arc<[Buffer]> = Arc::from([Buffer::from(data.as_bytes())]);
        let nulls = Some(NullBuffer::from(vec![true, true, false, true]));
        let twin =
            StringViewArray::try_new(ScalarBuffer::from(views.clone()), Arc::clone(&buffers), nulls.clone());
        assert_eq!(string_views(views.clone().into(), Arc::clone(&buffers), nulls.clone()), twin.unwrap());
        let twin =
            BinaryViewArray::try_new(ScalarBuffer::from(views.clone()), Arc::clone(&buffers), nulls.clone());
        assert_eq!(binary_views(views.into(), buffers, nulls), twin.unwrap());
    }

    #[test]
    fn rows_are_appended_to_the_wanted_columns_as_pushes_would() {
        for flags in 0..16 {
            let wanted = |bit: usize| flags >> bit & 1 == 1;
            let (mut keys, mut values) = (vec![9u128], vec![9u128, 8]);
            let (mut timestamps, mut offsets) = (vec![7i64], Vec::new());
            let mut twin = (keys.clone(), values.clone(), timestamps.clone(), offsets.clone());
            let room = 100;
            let mut writer = RowWriter::new(
                room,
                wanted(0).then_some(&mut keys),
                wanted(1).then_some(&mut values),
                wanted(2).then_some(&mut timestamps),
                wanted(3).then_some(&mut offsets),
            );
            while writer.has_room() {
                let row = writer.rows();
                writer.push(&mut (), |()| row as u128, |()| row as u128 + 1000, row as i64 - 50, row as i64);
                wanted(0).then(|| twin.0.push(row as u128));
                wanted(1).then(|| twin.1.push(row as u128 + 1000));
                wanted(2).then(|| twin.2.push(row as i64 - 50));
                wanted(3).then(|| twin.3.push(row as i64));
            }
            assert_eq!(writer.rows(), room);
            drop(writer);
            assert_eq!((keys, values, timestamps, offsets), twin);
        }
    }

    #[test]
    #[should_panic(expected = "has_room was asked")]
    fn a_row_without_room_is_refused() {
        let mut offsets = Vec::with_capacity(10);
        let mut writer = RowWriter::new(1, None, None, None, Some(&mut offsets));
        writer.push(&mut (), |()| 0, |()| 0, 0, 0);
        writer.push(&mut (), |()| 0, |()| 0, 0, 0);
    }
}
