//! The text that is written, as bytes. Short pieces are copied as blocks of a fixed size and cut to their
//! length, which costs a store or two instead of a call.

use arrow_array::StringViewArray;

use crate::json::escape::append_escaped;
use crate::json::scan;
use crate::records::INLINE;
use crate::text::append_f64;

/// JSON text while it grows. Every piece is UTF-8.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub bytes: Vec<u8>,
    /// For pieces that are made as text first.
    scratch: String,
}

/// A piece of up to 32 bytes, ready to be copied.
#[derive(Debug)]
pub(super) struct Piece {
    block: [u8; 32],
    length: usize,
    /// The piece itself, if it is longer.
    long: Box<[u8]>,
}

impl Piece {
    pub fn new(text: &str) -> Self {
        let mut block = [0; 32];
        let is_long = text.len() > block.len();
        if !is_long {
            block[..text.len()].copy_from_slice(text.as_bytes());
        }
        let long = if is_long { text.as_bytes().into() } else { Box::default() };
        Self { block, length: text.len(), long }
    }
}

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
        Self { bytes, scratch: String::new() }
    }

    #[inline(always)]
    pub fn byte(&mut self, byte: u8) {
        self.bytes.push(byte);
    }

    /// A short text that is known when the program is built.
    #[inline(always)]
    pub fn text(&mut self, text: &'static str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    #[inline(always)]
    pub fn piece(&mut self, piece: &Piece) {
        if piece.long.is_empty() {
            self.block(&piece.block, piece.length);
        } else {
            self.bytes.extend_from_slice(&piece.long);
        }
    }

    /// The first `length` bytes of a block.
    #[inline(always)]
    pub fn block<const N: usize>(&mut self, block: &[u8; N], length: usize) {
        let end = self.bytes.len().wrapping_add(length);
        self.bytes.extend_from_slice(block);
        self.bytes.truncate(end);
    }

    /// What `write` appends to a text.
    pub fn made<E>(&mut self, write: impl FnOnce(&mut String) -> Result<(), E>) -> Result<(), E> {
        self.scratch.clear();
        write(&mut self.scratch)?;
        self.bytes.extend_from_slice(self.scratch.as_bytes());
        Ok(())
    }

    /// As [`Self::made`], in quotes.
    pub fn quoted<E>(&mut self, write: impl FnOnce(&mut String) -> Result<(), E>) -> Result<(), E> {
        self.byte(b'"');
        self.made(write)?;
        self.byte(b'"');
        Ok(())
    }

    /// The string of a row, quoted and escaped.
    #[inline(always)]
    pub fn string(&mut self, array: &StringViewArray, row: usize) {
        let view = array.views()[row];
        let length = view as u32 as usize;
        if length <= INLINE {
            // Behind the text stand blanks, which end no plain part.
            let blanks = u128::from_le_bytes([b' '; 16]) << (8 * length);
            let text = (view >> 32) | blanks;
            if scan::is_plain(text) {
                let kept = (1u128 << (8 * length)) - 1;
                let quoted = (text & kept) << 8 | 0x22 | 0x22 << (8 * (length + 1));
                return self.block(&quoted.to_le_bytes(), length + 2);
            }
        }
        self.text_quoted(array.value(row));
    }

    /// A text, quoted and escaped.
    pub fn text_quoted(&mut self, text: &str) {
        self.byte(b'"');
        if scan::string_end(text.as_bytes(), 0, b'"') == text.len() {
            self.bytes.extend_from_slice(text.as_bytes());
        } else {
            self.scratch.clear();
            append_escaped(text, &mut self.scratch);
            self.bytes.extend_from_slice(self.scratch.as_bytes());
        }
        self.byte(b'"');
    }

    #[inline(always)]
    pub fn integer(&mut self, value: i64) {
        // The digits end at 20; the block that is copied starts at the first.
        let mut digits = [0u8; 40];
        let mut at = 20usize;
        let mut rest = value.unsigned_abs();
        while rest >= 100 {
            at = at.wrapping_sub(2);
            digits[at..at.wrapping_add(2)].copy_from_slice(&PAIRS[(rest % 100) as usize]);
            rest /= 100;
        }
        if rest >= 10 {
            at = at.wrapping_sub(2);
            digits[at..at.wrapping_add(2)].copy_from_slice(&PAIRS[rest as usize]);
        } else {
            at = at.wrapping_sub(1);
            digits[at] = b'0' + rest as u8;
        }
        if value < 0 {
            at = at.wrapping_sub(1);
            digits[at] = b'-';
        }
        match digits[at..].first_chunk::<20>() {
            Some(block) => self.block(block, 20usize.wrapping_sub(at)),
            None => self.bytes.extend_from_slice(&digits[at..20]),
        }
    }

    /// A double as Java writes it, in quotes if it is not finite.
    #[inline(always)]
    pub fn double(&mut self, value: f64) {
        // In this range the shortest text is Java's: plain, with a digit behind the point.
        if (1e-3..1e7).contains(&value.abs()) {
            let mut buffer = zmij::Buffer::new();
            self.bytes.extend_from_slice(buffer.format_finite(value).as_bytes());
        } else {
            self.rarer_double(value);
        }
    }

    #[inline(never)]
    fn rarer_double(&mut self, value: f64) {
        let write = |out: &mut String| -> Result<(), std::convert::Infallible> {
            append_f64(value, out);
            Ok(())
        };
        let Ok(()) = if value.is_finite() { self.made(write) } else { self.quoted(write) };
    }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;

    #[test]
    fn numbers_are_those_of_the_slower_writers() {
        let mut rng = StdRng::seed_from_u64(9);
        let mut integers = vec![0, 9, 10, 99, 100, 101, -1, -10, i64::MAX, i64::MIN];
        integers.extend((0..2000).map(|_| rng.random::<i64>() >> rng.random_range(0..64)));
        for value in integers {
            let mut out = Out::default();
            out.integer(value);
            assert_eq!(out.bytes, value.to_string().into_bytes());
        }
        let edges =
            [0.0, -0.0, 0.001, 0.000_999_999, 1e7, 9_999_999.999_999_998, 9_999_999.0, 0.1, 1.0, -5.5];
        let random = (0..5000).map(|_| f64::from_bits(rng.random()));
        let usual: Vec<f64> = edges.into_iter().chain(random).collect();
        let scaled = usual.iter().map(|value| value % 1e8 / 7.0);
        let rounded = usual.iter().map(|value| (value % 1e6 * 100.0).round() / 100.0);
        for value in usual.iter().copied().chain(scaled).chain(rounded).filter(|value| value.is_finite()) {
            let (mut out, mut expected) = (Out::default(), String::new());
            out.double(value);
            append_f64(value, &mut expected);
            assert_eq!(String::from_utf8(out.bytes).unwrap(), expected);
        }
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
                let mut out = Out::default();
                out.string(&array, 0);
                let mut expected = String::from("\"");
                append_escaped(&text, &mut expected);
                expected.push('"');
                assert_eq!(String::from_utf8(out.bytes).unwrap(), expected);
            }
        }
    }
}
