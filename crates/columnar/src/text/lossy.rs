//! Binary to string the way Java decodes UTF-8: valid bytes are re-typed without a copy, invalid ones become
//! U+FFFD.
//!
//! Java replaces each maximal part of a character that cannot be completed by one U+FFFD, as Unicode
//! recommends, with one exception: an encoded surrogate (`ED A0 80` to `ED BF BF`) is one U+FFFD and not
//! three.

use std::sync::Arc;

use arrow_array::{Array, BinaryViewArray, StringViewArray};
use arrow_buffer::Buffer;

use crate::raw;
use crate::records::{INLINE, inline_view, long_view};

/// Re-types a binary column as string. The second value is the number of values that held invalid UTF-8 and
/// were replaced by their Java decoding; all others share the input's buffers.
pub fn utf8_lossy_java(array: &BinaryViewArray) -> (StringViewArray, usize) {
    let nulls = array.nulls();
    let invalid: Vec<usize> = (0..array.len())
        .filter(|&row| !is_utf8(array, row) && nulls.is_none_or(|nulls| nulls.is_valid(row)))
        .collect();
    let hidden =
        (0..array.len()).any(|row| nulls.is_some_and(|nulls| nulls.is_null(row)) && array.views()[row] != 0);
    if invalid.is_empty() && !hidden {
        return (raw::string_views_of(array.clone()), 0);
    }
    let mut views = array.views().to_vec();
    if let Some(nulls) = nulls {
        // What stands behind a null has not been validated.
        views.iter_mut().zip(nulls.iter()).filter(|(_, valid)| !valid).for_each(|(view, _)| *view = 0);
    }
    let own = array.data_buffers().len() as u32;
    let mut decoded = String::new();
    for &row in &invalid {
        let start = decoded.len();
        decode_lossy_java(array.value(row), &mut decoded);
        let text = &decoded.as_bytes()[start..];
        views[row] =
            if text.len() <= INLINE { inline_view(text) } else { long_view(text, own, start as u32) };
    }
    let buffers: Arc<[Buffer]> =
        array.data_buffers().iter().cloned().chain([Buffer::from(decoded.into_bytes())]).collect();
    (raw::string_views(views.into(), buffers, nulls.cloned()), invalid.len())
}

fn is_utf8(array: &BinaryViewArray, row: usize) -> bool {
    /// High bits of the twelve bytes of an inline view.
    const HIGH_BITS: u128 = 0x8080_8080_8080_8080_8080_8080 << 32;
    let view = array.views()[row];
    if view as u32 as usize <= INLINE && view & HIGH_BITS == 0 {
        return true;
    }
    std::str::from_utf8(array.value(row)).is_ok()
}

/// Appends the Java decoding of `bytes` to `out`.
pub fn decode_lossy_java(bytes: &[u8], out: &mut String) {
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(valid) => {
                out.push_str(valid);
                return;
            }
            Err(error) => {
                let (valid, bad) = rest.split_at(error.valid_up_to());
                out.push_str(std::str::from_utf8(valid).expect("validated up to here"));
                out.push(char::REPLACEMENT_CHARACTER);
                rest = &bad[unreadable(bad, error.error_len())..];
            }
        }
    }
}

/// Bytes that one replacement character stands for.
fn unreadable(bad: &[u8], error_len: Option<usize>) -> usize {
    match bad {
        [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => 3,
        [0xed, 0xa0..=0xbf, ..] => 2,
        _ => error_len.unwrap_or(bad.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_bytes_become_what_java_makes_of_them() {
        let cases: [(&[u8], &str); 10] = [
            (b"abc", "abc"),
            (b"\xff", "\u{fffd}"),
            (b"\xc3\xa9\xc3(", "\u{e9}\u{fffd}("),
            (b"\xf0\x9f\x98\x80", "\u{1f600}"),
            (b"\xf0\x9f\x98", "\u{fffd}"),
            (b"\xed\xa0\x80", "\u{fffd}"),
            (b"\xed\xa0", "\u{fffd}"),
            (b"\xed\xa0A", "\u{fffd}A"),
            (b"\x00\x01\xffa", "\u{0}\u{1}\u{fffd}a"),
            (b"\xc0\x80", "\u{fffd}\u{fffd}"),
        ];
        for (bytes, expected) in cases {
            let mut out = String::new();
            decode_lossy_java(bytes, &mut out);
            assert_eq!(out, expected, "{bytes:02x?}");
        }
    }

    #[test]
    fn valid_columns_share_their_buffers_and_invalid_values_are_counted() {
        let long = b"a valid value that is not inline".as_slice();
        let valid = BinaryViewArray::from_iter([Some(long), None, Some(b"\xc3\xa9".as_slice())]);
        let (strings, replaced) = utf8_lossy_java(&valid);
        assert_eq!(replaced, 0);
        assert_eq!(strings.data_buffers()[0].as_ptr(), valid.data_buffers()[0].as_ptr());
        assert_eq!(
            strings.iter().collect::<Vec<_>>(),
            [std::str::from_utf8(long).ok(), None, Some("\u{e9}")]
        );

        let bad = b"bytes \xff that are not all valid".as_slice();
        let mixed = BinaryViewArray::from_iter([Some(long), Some(bad), None, Some(b"\xff".as_slice())]);
        let (strings, replaced) = utf8_lossy_java(&mixed);
        assert_eq!(replaced, 2);
        assert_eq!(strings.data_buffers()[0].as_ptr(), mixed.data_buffers()[0].as_ptr());
        assert_eq!(strings.value(1), "bytes \u{fffd} that are not all valid");
        assert_eq!(strings.value(3), "\u{fffd}");
        assert_eq!(utf8_lossy_java(&mixed.slice(0, 1)).1, 0);
    }
}
