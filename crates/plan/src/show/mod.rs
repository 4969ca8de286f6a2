//! Result batches as text, byte for byte as Spark's `show()` prints them.
//!
//! Rules: a cell is NULL, or its value as a cast to string gives it, except that nested nulls are `NULL` and binary is
//! `[00 FF 41]`; control characters are escaped; characters are counted in UTF-16 units and wide ones take two columns;
//! cut tables align right, others left.
mod cell;
mod layout;

use arrow_array::{Array, RecordBatch};
use millstream_columnar::datetime::TimeZone;
use millstream_columnar::text::{Renderer, Style};

use crate::error::{Error, Result};
use crate::sql::session_time_zone;
use crate::types::{SparkType, StructType};

/// How wide a cell may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truncate {
    /// Cells in full, aligned left: `truncate=False`.
    No,
    /// At most this many characters, aligned right; cut cells end in `...` from 4 characters on. 0 cuts nothing, as
    /// [`Truncate::No`].
    At(usize),
}

impl Default for Truncate {
    /// 20 characters.
    fn default() -> Self {
        Self::At(20)
    }
}

/// What `show()` takes.
#[derive(Debug, Clone, Copy)]
pub struct ShowOptions<'a> {
    /// How many rows are shown.
    pub rows: usize,
    /// How wide a cell may be.
    pub truncate: Truncate,
    /// One value below the other, instead of a table.
    pub vertical: bool,
    /// Name of the session's time zone, in which timestamps are shown.
    pub time_zone: &'a str,
}

impl Default for ShowOptions<'_> {
    /// 20 rows of a table, cells cut at 20 characters, UTC.
    fn default() -> Self {
        Self { rows: 20, truncate: Truncate::default(), vertical: false, time_zone: "UTC" }
    }
}

/// The first rows as text. Spark prints a line feed behind it.
///
/// Hand in one row more than is shown where there are more, so that "only showing top N rows" can be told.
///
/// # Errors
/// An unknown time zone, or a column whose physical type is none of Spark's.
pub fn table(batches: &[RecordBatch], schema: &StructType, options: &ShowOptions<'_>) -> Result<String> {
    let available: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let shown = available.min(options.rows);
    let width = match options.truncate {
        Truncate::No | Truncate::At(0) => None,
        Truncate::At(width) => Some(width),
    };
    let names: Vec<String> = schema.fields.iter().map(|f| cell::escape(&f.name)).collect();
    let mut rows: Vec<Vec<String>> = (0..shown).map(|_| Vec::with_capacity(names.len())).collect();
    let zone = session_time_zone(options.time_zone)?;
    let mut first = 0;
    for batch in batches {
        let count = batch.num_rows().min(shown - first);
        for (column, field) in batch.columns().iter().zip(&schema.fields) {
            let cells = Cells::new(column.as_ref(), &field.data_type, &zone)?;
            for row in 0..count {
                rows[first + row].push(cell::cut(cell::escape(&cells.text(row)), width));
            }
        }
        first += count;
    }
    let mut text = if options.vertical {
        layout::vertical(&names, &rows)
    } else {
        layout::table(&names, &rows, width.is_some())
    };
    if options.vertical && rows.is_empty() {
        text.push_str("(0 rows)");
    } else if available > shown {
        let noun = if options.rows == 1 { "row" } else { "rows" };
        text.push_str(&format!("only showing top {} {noun}", options.rows));
    }
    Ok(text)
}

/// The values of a column as text.
enum Cells<'a> {
    Rendered(Renderer<'a>),
    /// Intervals that do not span all fields of their kind say so: `INTERVAL '05' SECOND`.
    Interval(&'a dyn Array, &'a SparkType),
}

impl<'a> Cells<'a> {
    fn new(column: &'a dyn Array, data_type: &'a SparkType, zone: &TimeZone) -> Result<Self> {
        match data_type {
            SparkType::DayTimeInterval(..) | SparkType::YearMonthInterval(..) => {
                Ok(Self::Interval(column, data_type))
            }
            _ => Renderer::new(column, zone, Style::Show)
                .map(Self::Rendered)
                .map_err(|error| Error::unsupported(format!("show of this column ({error})"))),
        }
    }

    fn text(&self, row: usize) -> String {
        let mut text = String::new();
        match self {
            Self::Rendered(renderer) => renderer.append(row, &mut text),
            Self::Interval(column, data_type) => text = cell::interval(*column, data_type, row),
        }
        text
    }
}

#[cfg(test)]
mod program_tests;
#[cfg(test)]
mod tests;
