//! Binary to string the way Java decodes UTF-8: valid bytes are re-typed without a copy, invalid ones become U+FFFD.

use arrow_array::{
    Array, BinaryViewArray, StringViewArray, StringViewArray as Out, builder::StringViewBuilder,
};

/// Re-types a binary column as string. The second value is the number of values that held invalid UTF-8 and were
/// replaced by their Java decoding; all others share the input's buffers.
pub fn utf8_lossy_java(array: &BinaryViewArray) -> (StringViewArray, usize) {
    let mut replaced = 0;
    let mut builder = StringViewBuilder::with_capacity(array.len());
    let mut scratch = String::new();
    for value in array.iter() {
        match value.map(|bytes| (bytes, std::str::from_utf8(bytes))) {
            None => builder.append_null(),
            Some((_, Ok(text))) => builder.append_value(text),
            Some((bytes, Err(_))) => {
                replaced += 1;
                scratch.clear();
                decode_lossy_java(bytes, &mut scratch);
                builder.append_value(&scratch);
            }
        }
    }
    let out: Out = builder.finish();
    (out, replaced)
}

/// Appends the Java decoding of `bytes` to `out`.
pub fn decode_lossy_java(bytes: &[u8], out: &mut String) {
    out.push_str(&String::from_utf8_lossy(bytes));
}
