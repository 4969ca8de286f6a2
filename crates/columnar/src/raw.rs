//! The only unsafe code of the workspace: arrays whose validity we have already established, built without
//! Arrow checking it again. Each function states what its caller has proved; the checked twin of each is in
//! the tests and runs on the same inputs, and in debug builds the check is made as well.

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

fn checked_binary(views: &ScalarBuffer<u128>, buffers: &Arc<[Buffer]>, nulls: &Option<NullBuffer>) -> bool {
    BinaryViewArray::try_new(views.clone(), Arc::clone(buffers), nulls.clone()).is_ok()
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
}
