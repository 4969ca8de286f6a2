//! The text that is written, as bytes.

use arrow_array::StringViewArray;

use super::window::{Piece, WINDOW, Window};
use crate::json::escape::append_escaped;
use crate::json::scan;
use crate::records::INLINE;
use crate::text::append_f64;

/// JSON text while it grows. Every piece is UTF-8.
#[derive(Debug)]
pub(super) struct Out {
    /// The text without what is in the area.
    bytes: Vec<u8>,
    /// The end of the text: small enough to stay in the processor's cache, and never made anew.
    area: Box<[u8; AREA]>,
    end: usize,
    /// For pieces that are made as text first.
    scratch: String,
}

const AREA: usize = 4096;

/// Two digits of each number below 100.
pub(super) const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut at = 0;
    while at < 100 {
        pairs[at] = [b'0' + (at / 10) as u8, b'0' + (at % 10) as u8];
        at += 1;
    }
    pairs
};

impl Out {
    /// Continues `bytes`.
    pub fn behind(bytes: Vec<u8>) -> Self {
        Self { bytes, area: Box::new([0; AREA]), end: 0, scratch: String::new() }
    }

    /// The text so far, with what it continues.
    #[inline(always)]
    pub fn so_far(&mut self) -> &mut Vec<u8> {
        self.bytes.extend_from_slice(&self.area[..self.end]);
        self.end = 0;
        &mut self.bytes
    }

    /// The whole text.
    pub fn finish(mut self) -> Vec<u8> {
        std::mem::take(self.so_far())
    }

    /// What `write` puts into a window.
    #[inline(always)]
    pub fn write<T>(&mut self, write: impl FnOnce(&mut Window<'_>) -> T) -> T {
        if self.end > AREA - WINDOW {
            self.so_far();
        }
        let room = self.area.get_mut(self.end..).and_then(<[u8]>::first_chunk_mut::<WINDOW>);
        let mut window = Window::new(room.expect("there is room for a window"));
        let written = write(&mut window);
        self.end = self.end.wrapping_add(window.length());
        written
    }

    #[inline(always)]
    pub fn byte(&mut self, byte: u8) {
        self.write(|window| window.byte(byte));
    }

    /// Any text.
    #[inline(always)]
    pub fn text(&mut self, text: &str) {
        self.extend(text.as_bytes());
    }

    pub fn piece(&mut self, piece: &Piece) {
        if piece.long.is_empty() {
            self.write(|window| window.piece(piece));
        } else {
            self.extend(&piece.long);
        }
    }

    #[inline(always)]
    fn extend(&mut self, text: &[u8]) {
        match self.area.get_mut(self.end..).and_then(|room| room.get_mut(..text.len())) {
            Some(room) => {
                room.copy_from_slice(text);
                self.end = self.end.wrapping_add(text.len());
            }
            None => self.so_far().extend_from_slice(text),
        }
    }

    /// What `write` appends to a text.
    pub fn made<E>(&mut self, write: impl FnOnce(&mut String) -> Result<(), E>) -> Result<(), E> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let outcome = write(&mut scratch);
        if outcome.is_ok() {
            self.text(&scratch);
        }
        self.scratch = scratch;
        outcome
    }

    /// As [`Self::made`], in quotes.
    pub fn quoted<E>(&mut self, write: impl FnOnce(&mut String) -> Result<(), E>) -> Result<(), E> {
        self.byte(b'"');
        self.made(write)?;
        self.byte(b'"');
        Ok(())
    }

    /// The string of a row, quoted and escaped.
    #[inline(never)]
    pub fn string(&mut self, array: &StringViewArray, row: usize) {
        let view = array.views()[row];
        let is_written = if view as u32 as usize <= INLINE {
            self.write(|window| window.inline_string(view))
        } else {
            self.write(|window| window.short_string(array.value(row).as_bytes()))
        };
        if !is_written {
            self.any_string(array.value(row));
        }
    }

    fn any_string(&mut self, text: &str) {
        self.byte(b'"');
        if scan::string_end(text.as_bytes(), 0, b'"') == text.len() {
            self.text(text);
        } else {
            let Ok(()) = self.made(|out| -> Result<(), std::convert::Infallible> {
                append_escaped(text, out);
                Ok(())
            });
        }
        self.byte(b'"');
    }

    /// A double as Java writes it, in quotes if it is not finite.
    #[inline(never)]
    pub fn double(&mut self, value: f64) {
        if self.write(|window| window.double(value)) {
            return;
        }
        let write = |out: &mut String| -> Result<(), std::convert::Infallible> {
            append_f64(value, out);
            Ok(())
        };
        let Ok(()) = if value.is_finite() { self.made(write) } else { self.quoted(write) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_longer_than_the_area_and_across_its_end_are_whole() {
        let mut out = Out::behind(b"before".to_vec());
        let mut expected = String::from("before");
        for length in [1, 100, AREA - 200, 150, 3 * AREA, 0, AREA - 1, 1, 1, AREA, 7] {
            let text = "x".repeat(length);
            out.text(&text);
            out.byte(b'|');
            out.double(0.5);
            expected.push_str(&text);
            expected.push_str("|0.5");
        }
        assert_eq!(out.finish(), expected.as_bytes());
    }

    #[test]
    fn strings_of_every_length_are_escaped_where_they_must() {
        for length in 0..40 {
            for (at, special) in
                (0..=length).flat_map(|at| [(at, "\""), (at, "\\"), (at, "\u{1}"), (at, " ")])
            {
                let mut text = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF"[..length].to_string();
                text.insert_str(at, special);
                let array = StringViewArray::from_iter_values([&text]);
                let mut out = Out::behind(Vec::new());
                out.string(&array, 0);
                let mut expected = String::from("\"");
                append_escaped(&text, &mut expected);
                expected.push('"');
                assert_eq!(String::from_utf8(out.finish()).unwrap(), expected);
            }
        }
    }
}
