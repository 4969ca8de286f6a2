//! Row by row over columns: the result is NULL wherever an argument is NULL, else what a closure makes of the row.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, Float64Array, Int32Array, Int64Array, StringViewArray,
};
use arrow_buffer::NullBuffer;
use datafusion::common::Result;

/// A column of the rows' results, which a closure may also make NULL.
pub(crate) fn each<T, A>(args: &[ArrayRef], mut f: impl FnMut(usize) -> Result<Option<T>>) -> Result<ArrayRef>
where
    A: Array + FromIterator<Option<T>> + 'static,
{
    let nulls =
        args.iter().fold(None, |all, arg| NullBuffer::union(all.as_ref(), arg.logical_nulls().as_ref()));
    let rows = args.first().map_or(0, |arg| arg.len());
    let row = |row: usize| if nulls.as_ref().is_some_and(|n| n.is_null(row)) { Ok(None) } else { f(row) };
    let column: A = (0..rows).map(row).collect::<Result<A>>()?;
    Ok(Arc::new(column))
}

/// A STRING for each row.
pub(crate) fn texts(args: &[ArrayRef], f: impl FnMut(usize) -> Result<Option<String>>) -> Result<ArrayRef> {
    each::<_, StringViewArray>(args, f)
}

/// A BINARY for each row.
pub(crate) fn binaries(
    args: &[ArrayRef],
    f: impl FnMut(usize) -> Result<Option<Vec<u8>>>,
) -> Result<ArrayRef> {
    each::<_, BinaryViewArray>(args, f)
}

/// An INT for each row.
pub(crate) fn ints(args: &[ArrayRef], f: impl FnMut(usize) -> Result<Option<i32>>) -> Result<ArrayRef> {
    each::<_, Int32Array>(args, f)
}

/// A BIGINT for each row.
pub(crate) fn longs(args: &[ArrayRef], f: impl FnMut(usize) -> Result<Option<i64>>) -> Result<ArrayRef> {
    each::<_, Int64Array>(args, f)
}

/// A DOUBLE for each row.
pub(crate) fn doubles(args: &[ArrayRef], f: impl FnMut(usize) -> Result<Option<f64>>) -> Result<ArrayRef> {
    each::<_, Float64Array>(args, f)
}

/// A BOOLEAN for each row.
pub(crate) fn booleans(args: &[ArrayRef], f: impl FnMut(usize) -> Result<Option<bool>>) -> Result<ArrayRef> {
    each::<_, BooleanArray>(args, f)
}

/// A STRING argument.
pub(crate) fn text(args: &[ArrayRef], index: usize) -> &StringViewArray {
    args[index].as_string_view()
}

/// A BINARY argument.
pub(crate) fn binary(args: &[ArrayRef], index: usize) -> &BinaryViewArray {
    args[index].as_binary_view()
}

/// An INT argument.
pub(crate) fn int(args: &[ArrayRef], index: usize) -> &Int32Array {
    args[index].as_primitive::<Int32Type>()
}

/// A BIGINT argument.
pub(crate) fn long(args: &[ArrayRef], index: usize) -> &Int64Array {
    args[index].as_primitive::<Int64Type>()
}

/// A DOUBLE argument.
pub(crate) fn double(args: &[ArrayRef], index: usize) -> &Float64Array {
    args[index].as_primitive::<Float64Type>()
}

/// As INT; a count beyond its range is the largest INT.
pub(crate) fn to_int(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
