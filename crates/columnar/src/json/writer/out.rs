//! The text that is written, as bytes.

use super::window::{Cell, HALF, Piece, WINDOW, Window};
use crate::json::escape::escaped;
use crate::json::scan;
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
/// Room for a piece and a cell.
const PAIR: usize = 3 * HALF;

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

    /// Makes room for so many bytes more.
    pub fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
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

    /// Pieces, none of them long, each with the text of its cell: up to the first cell without one. Gives their number.
    #[inline(always)]
    pub fn pairs(&mut self, pieces: &[Piece], cells: &[Cell]) -> usize {
        // Not in memory: each place depends on the one before.
        let (mut end, mut pairs) = (self.end, 0usize);
        for (piece, cell) in pieces.iter().zip(cells) {
            if cell.length == 0 {
                break;
            }
            if end > AREA - PAIR {
                self.end = end;
                self.so_far();
                end = 0;
            }
            let room = self.area.get_mut(end..).and_then(<[u8]>::first_chunk_mut::<PAIR>);
            let room = room.expect("there is room for a pair");
            room[..HALF].copy_from_slice(&piece.block);
            let (at, length) = (piece.length & (2 * HALF - 1), usize::from(cell.length));
            room[at..at + HALF].copy_from_slice(&cell.text[..HALF]);
            end = end.wrapping_add(at).wrapping_add(length);
            pairs = pairs.wrapping_add(1);
        }
        self.end = end;
        pairs
    }

    #[inline(always)]
    pub fn byte(&mut self, byte: u8) {
        self.write(|window| window.byte(byte));
    }

    /// Puts a byte in the place of the last one, which was just written.
    #[inline(always)]
    pub fn replace_last(&mut self, byte: u8) {
        let last = self.area.get_mut(self.end.wrapping_sub(1));
        *last.expect("what was just written is in the area") = byte;
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

    /// A text, quoted and escaped.
    #[inline(never)]
    pub fn string(&mut self, text: &str) {
        self.byte(b'"');
        let mut rest = text.as_bytes();
        loop {
            let (plain, special) = rest.split_at(scan::string_end(rest, 0, b'"'));
            self.extend(plain);
            let Some((byte, behind)) = special.split_first() else { break };
            let (escape, length) = escaped(*byte);
            self.write(|window| window.block(&escape, length));
            rest = behind;
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
    use arrow_array::StringViewArray;

    use super::super::window::escaped_string;
    use super::*;
    use crate::json::escape::append_quoted;
    use crate::records::INLINE;

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
            for special in ["", "\"", "\\", "\n", "\u{1f}", "\u{7f}", "\u{e9}", "\u{1f600}"] {
                for at in 0..=length {
                    let mut text = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEF"[..length].to_string();
                    text.insert_str(at, special);
                    let mut out = Out::behind(Vec::new());
                    out.string(&text);
                    let mut expected = String::new();
                    append_quoted(&text, &mut expected);
                    assert_eq!(String::from_utf8(out.finish()).unwrap(), expected);
                    // The shorter ways.
                    let array = StringViewArray::from_iter_values([&text]);
                    let mut out = Out::behind(Vec::new());
                    let is_inline = text.len() <= INLINE;
                    let is_written = out.write(|window| match is_inline {
                        true => window.inline_string(array.views()[0]),
                        false => window.short_string(text.as_bytes()),
                    });
                    let is_plain = expected.len() == text.len() + 2;
                    assert_eq!(is_written, is_plain && text.len() <= 30, "{text}");
                    if is_written {
                        assert_eq!(String::from_utf8(out.finish()).unwrap(), expected);
                    }
                    for text in [text, special.repeat(length)] {
                        let mut room = [b'#'; WINDOW];
                        let written = escaped_string(&text, &mut room);
                        let mut expected = String::new();
                        append_quoted(&text, &mut expected);
                        if written > 0 {
                            assert_eq!(&room[..written], expected.as_bytes());
                        } else {
                            assert!(text.len() > 30 || expected.len() > WINDOW - 16, "{text}");
                        }
                    }
                }
            }
        }
    }
}
