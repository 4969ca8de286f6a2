//! Result batches and schemas as text, byte for byte as Spark's `show()` and `printSchema()` print them.
use arrow_array::RecordBatch;

use crate::error::Result;
use crate::types::StructType;

/// How wide a cell of [`table`] may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncate {
    /// Cells in full, aligned left: `truncate=False`.
    No,
    /// At most this many characters, aligned right; cut cells end in `...` from 4 characters on.
    At(usize),
}

impl Default for Truncate {
    /// 20 characters.
    fn default() -> Self {
        Self::At(20)
    }
}

/// The first `rows` rows of `batches` as a table (or one record below the other if `vertical`).
/// Hand in at least `rows + 1` rows where there are more, so that "only showing top N rows" can be told.
pub fn table(
    batches: &[RecordBatch],
    schema: &StructType,
    rows: usize,
    truncate: Truncate,
    vertical: bool,
) -> Result<String> {
    let _ = (batches, schema, rows, truncate, vertical);
    Err(crate::Error::unsupported("show"))
}
