//! Short texts written to a place of fixed size: blocks of a fixed size are copied and cut to their length, which
//! costs a store or two instead of a call, and needs no check of room.

use crate::json::escape::escaped;
use crate::json::scan;
use crate::records::INLINE;
use crate::text::PAIRS;

/// Room of a window: a block of half of it, behind up to 31 bytes.
pub(super) const WINDOW: usize = 63;
pub(super) const HALF: usize = 32;

/// Where texts are written. Each may begin in the first half only.
pub(super) struct Window<'a> {
    room: &'a mut [u8; WINDOW],
    length: usize,
}

/// The text of a value, written ahead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    /// Half of it at most is filled; the rest is room for blocks.
    pub text: [u8; WINDOW],
    /// 0 for a value that is not here, because it is null, long or unusual.
    pub length: u8,
}

/// A piece of up to 32 bytes, ready to be copied.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub block: [u8; HALF],
    pub length: usize,
    /// The piece itself, if it is longer.
    pub long: Box<[u8]>,
}

impl Piece {
    pub fn new(text: &str) -> Self {
        let mut block = [0; HALF];
        let is_long = text.len() > block.len();
        if !is_long {
            block[..text.len()].copy_from_slice(text.as_bytes());
        }
        let long = if is_long { text.as_bytes().into() } else { Box::default() };
        Self { block, length: if is_long { 0 } else { text.len() }, long }
    }
}

impl<'a> Window<'a> {
    pub fn new(room: &'a mut [u8; WINDOW]) -> Self {
        Self { room, length: 0 }
    }

    /// Bytes that were written.
    #[inline(always)]
    pub fn length(&self) -> usize {
        self.length
    }

    /// The first `length` bytes of a block, which has half of the window's at most.
    #[inline(always)]
    pub fn block<const N: usize>(&mut self, block: &[u8; N], length: usize) {
        const { assert!(N <= HALF) };
        debug_assert!(self.length < HALF && length <= N);
        let at = self.length & (HALF - 1);
        self.room[at..at + N].copy_from_slice(block);
        self.length = self.length.wrapping_add(length);
    }

    #[inline(always)]
    pub fn byte(&mut self, byte: u8) {
        self.block(&[byte], 1);
    }

    /// What was written to another window; only to an empty one.
    #[inline(always)]
    pub fn cell(&mut self, cell: &Cell) {
        debug_assert!(self.length == 0);
        *self.room = cell.text;
        self.length = cell.length.into();
    }

    /// Writes nothing for a piece that is long.
    #[inline(always)]
    pub fn piece(&mut self, piece: &Piece) {
        self.block(&piece.block, piece.length);
    }

    /// The string that a view holds inline, quoted; false if it needs escapes.
    #[inline(always)]
    pub fn inline_string(&mut self, view: u128) -> bool {
        let length = view as u32 as usize;
        debug_assert!(length <= INLINE);
        if !scan::is_plain_inline(view, length) {
            return false;
        }
        // The four bytes of the length are passed over but for the last, which is zero and becomes the quote.
        let at = self.length & (HALF - 1);
        self.room[at..at + 16].copy_from_slice(&(view >> 24 | u128::from(b'"')).to_le_bytes());
        self.room[at + (length & 15) + 1] = b'"';
        self.length = self.length.wrapping_add(length).wrapping_add(2);
        true
    }

    /// A text of 8 to 30 bytes, quoted; false if it needs escapes or is of another length.
    #[inline(always)]
    pub fn short_string(&mut self, text: &[u8]) -> bool {
        let length = text.len();
        if !(8..=30).contains(&length) {
            return false;
        }
        let Some(place) = self.place() else { return false };
        place[0] = b'"';
        place[length + 1] = b'"';
        // Two parts that may overlap.
        if let (Some(first), Some(last)) = (text.first_chunk::<16>(), text.last_chunk::<16>()) {
            place[1..17].copy_from_slice(first);
            place[length - 15..=length].copy_from_slice(last);
            if !scan::is_plain(u128::from_le_bytes(*first)) || !scan::is_plain(u128::from_le_bytes(*last)) {
                return false;
            }
        } else if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            place[1..9].copy_from_slice(first);
            place[length - 7..=length].copy_from_slice(last);
            let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
            if !scan::is_plain(u128::from(first) | u128::from(last) << 64) {
                return false;
            }
        }
        self.length = self.length.wrapping_add(length).wrapping_add(2);
        true
    }

    /// Half a window behind what was written.
    #[inline(always)]
    fn place(&mut self) -> Option<&mut [u8; HALF]> {
        debug_assert!(self.length < HALF);
        self.room[self.length & (HALF - 1)..].first_chunk_mut()
    }

    #[inline(always)]
    pub fn integer(&mut self, value: i64) {
        self.sign(value < 0);
        let magnitude = value.unsigned_abs();
        if magnitude < 100_000_000 {
            self.digits(magnitude as u32);
        } else {
            self.long_integer(magnitude);
        }
    }

    /// Of nine digits and more.
    #[inline(never)]
    fn long_integer(&mut self, magnitude: u64) {
        let (above, last) = (magnitude / 100_000_000, (magnitude % 100_000_000) as u32);
        if above < 100_000_000 {
            self.digits(above as u32);
        } else {
            self.digits((above / 100_000_000) as u32);
            self.block(&eight_digits((above % 100_000_000) as u32).to_le_bytes(), 8);
        }
        self.block(&eight_digits(last).to_le_bytes(), 8);
    }

    /// A number below `10^8` without zeros in front.
    #[inline(always)]
    fn digits(&mut self, number: u32) {
        if let Some([tens, ones]) = PAIRS.get(number as usize) {
            let is_long = number >= 10;
            let block = if is_long { [*tens, *ones] } else { [*ones, 0] };
            return self.block(&block, 1 + usize::from(is_long));
        }
        let digits = eight_digits(number);
        let zeros = ((digits ^ ZEROS) | 1 << 56).trailing_zeros() / 8;
        self.block(&(digits >> (8 * zeros)).to_le_bytes(), 8usize.wrapping_sub(zeros as usize));
    }

    #[inline(always)]
    fn sign(&mut self, is_negative: bool) {
        self.block(b"-", usize::from(is_negative));
    }

    /// A double as Java writes it; false where that is not the plain form.
    #[inline(always)]
    pub fn double(&mut self, value: f64) -> bool {
        // In this range the shortest text is Java's: plain, with a digit behind the point.
        // Doubles above zero are ordered as their bits are.
        const USUAL: std::ops::Range<u64> = 1e-3f64.to_bits()..1e7f64.to_bits();
        let magnitude = value.abs();
        if !USUAL.contains(&magnitude.to_bits()) {
            return false;
        }
        // Adding 2^52 rounds to a whole number, which the lowest bits are then.
        const WHOLE: f64 = (1u64 << 52) as f64;
        let rounded = magnitude * 1e4 + WHOLE;
        // Decimals of up to 15 digits are doubles of their own. So if one of four places is this double, it is its
        // shortest text.
        if (rounded - WHOLE) / 1e4 != magnitude {
            let length = self.place().map_or(0, |place| shortest(value, place));
            self.length = self.length.wrapping_add(length);
            return true;
        }
        let unscaled = rounded.to_bits() & ((1 << 52) - 1);
        let (whole, places) = ((unscaled / 10_000) as u32, (unscaled % 10_000) as u32);
        self.sign(value < 0.0);
        let fraction = if whole < 10_000 {
            let digits = split_fours(whole, places);
            let zeros = ((digits as u32 ^ ZEROS as u32) | 1 << 24).trailing_zeros() / 8;
            self.block(&(digits as u32 >> (8 * zeros)).to_le_bytes(), 4usize.wrapping_sub(zeros as usize));
            (digits >> 32) as u32
        } else {
            self.digits(whole);
            split_fours(0, places).wrapping_shr(32) as u32
        };
        let zeros = ((fraction ^ ZEROS as u32) | 1).leading_zeros() / 8;
        let fraction = u64::from(fraction) << 8 | u64::from(b'.');
        self.block(&fraction.to_le_bytes(), 5usize.wrapping_sub(zeros as usize));
        true
    }
}

/// Writes a text of up to 30 bytes, quoted, with escapes; its length, or 0 where that is too long.
#[cold]
#[inline(never)]
pub(super) fn escaped_string(text: &str, room: &mut [u8; WINDOW]) -> usize {
    let length = text.len();
    if length > HALF - 2 {
        return 0;
    }
    let mut padded = [0; HALF + 16];
    padded[..length].copy_from_slice(text.as_bytes());
    room[0] = b'"';
    let (mut at, mut next) = (1, 0);
    while next < length {
        let chunk = padded.get(next..).and_then(<[u8]>::first_chunk::<16>);
        let (Some(chunk), Some(place)) = (chunk, chunk_mut(room, at)) else { return 0 };
        *place = *chunk;
        let plain = scan::plain_length(u128::from_le_bytes(*chunk)).min(length - next);
        (at, next) = (at + plain, next + plain);
        if plain == 16 || next == length {
            continue;
        }
        let (escape, escape_length) = escaped(padded[next]);
        let Some(place) = chunk_mut(room, at) else { return 0 };
        *place = escape;
        (at, next) = (at + escape_length, next + 1);
    }
    let Some(place) = room.get_mut(at) else { return 0 };
    *place = b'"';
    at + 1
}

#[inline(always)]
fn chunk_mut<const N: usize>(bytes: &mut [u8], at: usize) -> Option<&mut [u8; N]> {
    bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut)
}

/// Writes the shortest text, which is plain; its length.
#[inline(never)]
fn shortest(value: f64, place: &mut [u8; HALF]) -> usize {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value).as_bytes();
    let length = text.len();
    match (text.first_chunk::<16>(), text.last_chunk::<16>()) {
        (Some(first), Some(last)) if length <= HALF => {
            place[..16].copy_from_slice(first);
            place[length - 16..length].copy_from_slice(last);
        }
        _ => place[..length].copy_from_slice(text),
    }
    length
}

/// Eight times the digit zero.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The eight ASCII digits of a number below `10^8`, the first one lowest.
#[inline(always)]
fn eight_digits(number: u32) -> u64 {
    split_fours(number / 10_000, number % 10_000)
}

/// The four ASCII digits of each of two numbers below `10^4`, the first one lowest.
#[inline(always)]
fn split_fours(first: u32, second: u32) -> u64 {
    // Neighbours are split: fours, pairs, digits. No part overflows into the next.
    let fours = u64::from(first) | u64::from(second) << 32;
    let hundreds = (fours.wrapping_mul(10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | fours.wrapping_sub(hundreds.wrapping_mul(100)) << 16;
    let tens = (pairs.wrapping_mul(103) >> 10) & 0x000f_000f_000f_000f;
    (tens | pairs.wrapping_sub(tens.wrapping_mul(10)) << 8) | ZEROS
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::text::append_f64;

    fn written(write: impl FnOnce(&mut Window<'_>) -> bool) -> Option<String> {
        let mut room = [b'#'; WINDOW];
        let mut window = Window::new(&mut room);
        let is_written = write(&mut window);
        let length = window.length();
        is_written.then(|| String::from_utf8(room[..length].to_vec()).unwrap())
    }

    #[test]
    fn integers_are_those_of_the_standard_library() {
        let mut rng = StdRng::seed_from_u64(9);
        let mut integers = vec![0, 9, 10, 99, 100, 101, -1, -10, i64::MAX, i64::MIN];
        integers.extend((0..19).map(|power| 10i64.pow(power)).flat_map(|power| [power - 1, power, -power]));
        integers.extend((0..2000).map(|_| rng.random::<i64>() >> rng.random_range(0..64)));
        for value in integers {
            let found = written(|window| {
                window.integer(value);
                true
            });
            assert_eq!(found, Some(value.to_string()));
        }
        for number in 0..10_000 {
            let expected = format!("{:04}{number:04}", 9999 - number);
            assert_eq!(split_fours(9999 - number, number).to_le_bytes(), *expected.as_bytes());
        }
    }

    #[test]
    fn doubles_are_those_of_the_slower_writer() {
        let mut rng = StdRng::seed_from_u64(10);
        let edges = [0.001, 1e7, 9_999_999.999_999_998, 9_999_999.0, 0.1, 1.0, -5.5, 0.000_999_999];
        let random: Vec<f64> = (0..5000).map(|_| f64::from_bits(rng.random())).collect();
        let scaled = random.iter().map(|value| value % 1e8 / 7.0);
        let decimals: Vec<f64> = (0..20_000)
            .map(|_| {
                let most = 10u64.pow(rng.random_range(1..13));
                rng.random_range(0..most) as f64 / 10f64.powi(rng.random_range(0..7))
            })
            .collect();
        let beside = decimals.iter().flat_map(|value| [*value, value.next_up(), -value.next_down()]);
        let mut plain = 0;
        for value in edges.into_iter().chain(scaled).chain(beside) {
            let mut expected = String::new();
            append_f64(value, &mut expected);
            match written(|window| window.double(value)) {
                Some(found) => {
                    assert_eq!(found, expected);
                    plain += 1;
                }
                None => assert!(!(1e-3..1e7).contains(&value.abs()), "{value}"),
            }
        }
        assert!(plain > 30_000, "{plain}");
        assert_eq!(
            [0.0, -0.0, f64::NAN, f64::INFINITY].map(|value| written(|window| window.double(value))),
            [None, None, None, None]
        );
    }
}
