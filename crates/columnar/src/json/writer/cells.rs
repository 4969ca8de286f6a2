//! Values of one column written ahead, a block of rows at a time: a loop over one kind of values is several times
//! faster than going from kind to kind, and the row that they stand in is then put together by copying.

use std::ops::Range;

use arrow_array::StringViewArray;

use super::JsonWriter;
use super::node::{Column, Node};
use super::window::{HALF, WINDOW, Window, escaped_string};
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

/// The text of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// Half of it at most is filled; the rest is room for blocks.
    pub text: [u8; WINDOW],
    /// 0 for a value that is not here, because it is null, long or unusual.
    pub length: u8,
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

    /// Writes the values of one column, if they are of a kind that is written here.
    pub fn fill(&mut self, column: usize, values: &Column<'_>, rows: Range<usize>, writer: &JsonWriter) {
        if self.cells.is_empty() {
            return;
        }
        let mut cells = Lane { cells: &mut self.cells, columns: self.columns, column };
        match &values.node {
            Node::String(array) => cells.strings(array, rows.clone()),
            Node::Int64(values) => cells.each(&values[rows.clone()], |value, room| {
                let mut window = Window::new(room);
                window.integer(*value);
                window.length()
            }),
            Node::Int32(values) => cells.each(&values[rows.clone()], |value, room| {
                let mut window = Window::new(room);
                window.integer((*value).into());
                window.length()
            }),
            Node::Float64(values) => cells.each(&values[rows.clone()], |value, room| {
                let mut window = Window::new(room);
                if window.double(*value) { window.length() } else { 0 }
            }),
            Node::Timestamp(array) if writer.formats.has_usual_timestamps() => {
                cells.each(&array.values()[rows.clone()], |value, room| {
                    let mut window = Window::new(room);
                    if writer.formats.write_instant(*value, &mut window) { window.length() } else { 0 }
                });
            }
            _ => return,
        }
        if let Some(nulls) = values.nulls {
            cells.clear(rows.map(|row| nulls.is_null(row)));
        }
    }
}

/// The cells of one column.
struct Lane<'a> {
    cells: &'a mut [Cell],
    columns: usize,
    column: usize,
}

impl Lane<'_> {
    fn strings(&mut self, array: &StringViewArray, rows: Range<usize>) {
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

    /// `write` gives the length of the text, or 0.
    #[inline(always)]
    fn each<T>(&mut self, values: &[T], mut write: impl FnMut(&T, &mut [u8; WINDOW]) -> usize) {
        let column = self.column;
        for (row, value) in self.cells.chunks_exact_mut(self.columns).zip(values) {
            let cell = &mut row[column];
            let length = write(value, &mut cell.text);
            cell.length = if length <= HALF { length as u8 } else { 0 };
        }
    }

    /// Takes the texts of nulls away.
    fn clear(&mut self, are_null: impl Iterator<Item = bool>) {
        let column = self.column;
        for (row, is_null) in self.cells.chunks_exact_mut(self.columns).zip(are_null) {
            if is_null {
                row[column].length = 0;
            }
        }
    }
}
