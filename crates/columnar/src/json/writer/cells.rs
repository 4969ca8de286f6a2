//! Values of one column written ahead, a block of rows at a time: a loop over one kind of values is several times
//! faster than going from kind to kind, and the row that they stand in is then put together by copying.

use std::ops::Range;

use arrow_array::StringViewArray;

use super::window::{Cell, HALF, WINDOW, Window, escaped_string};
use crate::records::INLINE;

/// Rows that are written ahead: their cells fit into the first caches of a processor.
pub(super) const BLOCK: usize = 16;
/// Cells that are written ahead at most: lists can be long.
const MOST: usize = 4096;

/// Texts of the values of some rows in some columns.
#[derive(Debug)]
pub(super) struct Cells {
    columns: usize,
    /// The row of the first cell.
    start: usize,
    /// Row by row.
    cells: Vec<Cell>,
}

impl Cells {
    /// Of so many columns, at least one.
    pub fn new(columns: usize) -> Self {
        Self { columns: columns.max(1), start: 0, cells: Vec::new() }
    }

    /// The cells of a row; none if it is not here.
    #[inline(always)]
    pub fn row(&self, row: usize) -> &[Cell] {
        let start = row.wrapping_sub(self.start).wrapping_mul(self.columns);
        self.cells.get(start..start.wrapping_add(self.columns)).unwrap_or_default()
    }

    /// Makes room for the rows. A column that was never filled stays without texts.
    pub fn begin(&mut self, rows: &Range<usize>) {
        self.start = rows.start;
        let cells = rows.len().saturating_mul(self.columns);
        let cells = if cells > MOST { 0 } else { cells };
        self.cells.resize(cells, Cell { text: [0; WINDOW], length: 0 });
    }

    /// One column of the rows; none if there is no room for them.
    pub fn lane(&mut self, column: usize) -> Option<Lane<'_>> {
        let columns = self.columns;
        (!self.cells.is_empty()).then_some(Lane { cells: &mut self.cells, columns, column })
    }
}

/// The cells of one column, which are filled from its first row on.
pub(super) struct Lane<'a> {
    cells: &'a mut [Cell],
    columns: usize,
    column: usize,
}

impl Lane<'_> {
    /// The strings of the rows, quoted.
    pub fn strings(&mut self, array: &StringViewArray, rows: Range<usize>) {
        let mut row = rows.start;
        self.each(&array.views()[rows], |view, room| {
            let mut window = Window::new(room);
            let is_plain = if *view as u32 as usize <= INLINE {
                window.inline_string(*view)
            } else {
                window.short_string(array.value(row).as_bytes())
            };
            let length = if is_plain { window.length() } else { escaped_string(array.value(row), room) };
            row = row.wrapping_add(1);
            length
        });
    }

    /// What `write` writes for each value; it gives the length of the text, or 0.
    #[inline(always)]
    pub fn each<T>(&mut self, values: &[T], mut write: impl FnMut(&T, &mut [u8; WINDOW]) -> usize) {
        let column = self.column;
        for (row, value) in self.cells.chunks_exact_mut(self.columns).zip(values) {
            let cell = &mut row[column];
            let length = write(value, &mut cell.text);
            cell.length = if length <= HALF { length as u8 } else { 0 };
        }
    }

    /// Takes the texts of nulls away.
    pub fn clear(&mut self, are_null: impl Iterator<Item = bool>) {
        let column = self.column;
        for (row, is_null) in self.cells.chunks_exact_mut(self.columns).zip(are_null) {
            if is_null {
                row[column].length = 0;
            }
        }
    }
}
