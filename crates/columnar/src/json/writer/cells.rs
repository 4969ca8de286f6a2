//! Values of one column written ahead, a block of rows at a time: a loop over one kind of values is several times
//! faster than going from kind to kind, and the row that they stand in is then put together by copying.

use std::ops::Range;

use arrow_array::StringViewArray;

use super::JsonWriter;
use super::node::Node;
use super::window::{HALF, WINDOW, Window};
use crate::records::INLINE;

/// Rows that are written ahead: their cells fit into the first caches of a processor.
pub(super) const BLOCK: usize = 16;
/// Elements of their lists in one column that are written ahead at most.
const MOST: usize = 4096;

/// Texts of the values of some rows.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// The row of the first cell.
    start: usize,
    cells: Vec<Cell>,
}

/// The text of a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// Half of it at most is filled; the rest is room for blocks.
    pub text: [u8; WINDOW],
    /// 0 for a value that is not here, because it is long or unusual.
    pub length: u8,
}

impl Cells {
    /// The text of a row's value; None if it is not here.
    #[inline(always)]
    pub fn get(&self, row: usize) -> Option<&Cell> {
        self.cells.get(row.wrapping_sub(self.start)).filter(|cell| cell.length > 0)
    }

    /// Writes the values of the rows, if they are of a kind that is written here.
    pub fn fill(&mut self, node: &Node<'_>, rows: Range<usize>, writer: &JsonWriter) {
        self.start = rows.start;
        if rows.len() > MOST {
            return self.cells.clear();
        }
        match node {
            Node::String(array) => self.strings(array, rows),
            Node::Int64(values) => self.each(&values[rows], |value, room| {
                let mut window = Window::new(room);
                window.integer(*value);
                window.length()
            }),
            Node::Int32(values) => self.each(&values[rows], |value, room| {
                let mut window = Window::new(room);
                window.integer((*value).into());
                window.length()
            }),
            Node::Float64(values) => self.each(&values[rows], |value, room| {
                let mut window = Window::new(room);
                if window.double(*value) { window.length() } else { 0 }
            }),
            Node::Timestamp(array) if writer.formats.has_usual_timestamps() => {
                self.each(&array.values()[rows], |value, room| {
                    let mut window = Window::new(room);
                    if writer.formats.write_instant(*value, &mut window) { window.length() } else { 0 }
                });
            }
            _ => self.cells.clear(),
        }
    }

    fn strings(&mut self, array: &StringViewArray, rows: Range<usize>) {
        let start = rows.start;
        let mut row = start;
        self.each(&array.views()[rows], |view, room| {
            let is_inline = *view as u32 as usize <= INLINE;
            let mut window = Window::new(room);
            let is_plain = if is_inline {
                window.inline_string(*view)
            } else {
                window.short_string(array.value(row).as_bytes())
            };
            let length = if is_plain { window.length() } else { escaped(array.value(row), room) };
            row = row.wrapping_add(1);
            length
        });
    }

    /// `write` gives the length of what it wrote, or 0.
    #[inline(always)]
    fn each<T>(&mut self, values: &[T], mut write: impl FnMut(&T, &mut [u8; WINDOW]) -> usize) {
        self.cells.resize(values.len(), Cell { text: [0; WINDOW], length: 0 });
        for (cell, value) in self.cells.iter_mut().zip(values) {
            let length = write(value, &mut cell.text);
            cell.length = if length <= HALF { length as u8 } else { 0 };
        }
    }
}

#[cold]
#[inline(never)]
fn escaped(text: &str, room: &mut [u8; WINDOW]) -> usize {
    let mut window = Window::new(room);
    if window.escaped_string(text.as_bytes()) { window.length() } else { 0 }
}
