//! View columns over fetched bytes: a value is 16 bytes that hold it inline or point into a segment.
//!
//! | bits | inline (length <= 12) | longer |
//! |---|---|---|
//! | 0-31 | length | length |
//! | 32-63 | bytes, zeros behind them | first four bytes |
//! | 64-95 | | index of the buffer |
//! | 96-127 | | offset in it |

use arrow_buffer::{NullBuffer, NullBufferBuilder};

/// Longest value that a view holds inline.
pub(crate) const INLINE: usize = 12;

/// Views and validity of one column.
#[derive(Debug, Default)]
pub(super) struct ViewColumn {
    pub views: Vec<u128>,
    pub nulls: Nulls,
}

/// Validity of a column, kept only up to its last null.
#[derive(Debug)]
pub(super) struct Nulls(NullBufferBuilder);

impl Default for Nulls {
    fn default() -> Self {
        Self(NullBufferBuilder::new(0))
    }
}

/// A run of bytes that views of one part point into: from the first record that gave it a row on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Index that the run's segment will have in its part.
    index: u32,
    /// Where the run starts.
    pub start: usize,
    /// End of the last record that gave a row.
    pub end: usize,
    /// Bytes of all values that are not inline. While it is 0, no view points into the run.
    pub used: usize,
}

/// A span together with the bytes that it counts in.
#[derive(Debug)]
pub(super) struct Window<'a> {
    /// The span's bytes from its start on.
    base: &'a [u8],
    pub span: Span,
}

impl Span {
    pub fn new(index: usize, start: usize) -> Self {
        Self { index: index as u32, start, end: start, used: 0 }
    }
}

impl<'a> Window<'a> {
    /// `span` of `bytes`.
    pub fn new(bytes: &'a [u8], span: Span) -> Self {
        Self { base: &bytes[span.start..], span }
    }

    /// The view of `value`, which is a slice of the base: the records of a batch give nothing else.
    #[inline(always)]
    pub fn view(&mut self, value: &[u8]) -> u128 {
        let at = (value.as_ptr() as usize).wrapping_sub(self.base.as_ptr() as usize);
        let length = value.len();
        // What the unchecked arrays rely on.
        debug_assert!(
            at <= self.base.len() && length <= self.base.len() - at,
            "values are slices of the base"
        );
        if length <= INLINE {
            return match self.base.get(at..at.wrapping_add(16)).and_then(<[u8]>::first_chunk::<16>) {
                Some(chunk) => masked_view(chunk, length),
                None => inline_view(value),
            };
        }
        self.span.used = self.span.used.wrapping_add(length);
        long_view(value, self.span.index, at as u32)
    }
}

/// For each length of an inline value the bits that it takes in the two halves of a view.
const MASKS: [[u64; 2]; 16] = {
    let mut masks = [[0; 2]; 16];
    let mut length = 0;
    while length <= INLINE {
        let bits = ((1u128 << (8 * length)) - 1) << 32;
        masks[length] = [bits as u64, (bits >> 64) as u64];
        length += 1;
    }
    masks
};

/// View of the first `length` bytes, at most [`INLINE`]: loads of fixed size and a mask instead of a copy of
/// variable length.
#[inline(always)]
fn masked_view(chunk: &[u8; 16], length: usize) -> u128 {
    let [a, b, c, d, e, f, g, h, i, j, k, l, ..] = *chunk;
    let low = u64::from_le_bytes([0, 0, 0, 0, a, b, c, d]);
    let high = u64::from_le_bytes([e, f, g, h, i, j, k, l]);
    let masks = MASKS[length & 15];
    u128::from((low & masks[0]) | length as u64) | u128::from(high & masks[1]) << 64
}

/// View of a value of at most [`INLINE`] bytes.
pub(crate) fn inline_view(value: &[u8]) -> u128 {
    let mut bytes = [0u8; 16];
    bytes[0] = value.len() as u8;
    bytes[4..4 + value.len()].copy_from_slice(value);
    u128::from_le_bytes(bytes)
}

/// View of a longer value that stands at `offset` of buffer `index`.
#[inline(always)]
pub(crate) fn long_view(value: &[u8], index: u32, offset: u32) -> u128 {
    let prefix = value.first_chunk::<4>().map_or(0, |prefix| u32::from_le_bytes(*prefix));
    (value.len() as u32 as u128)
        | u128::from(prefix) << 32
        | u128::from(index) << 64
        | u128::from(offset) << 96
}

/// Length, buffer index and offset of a view that is not inline.
#[inline(always)]
pub(crate) fn long_parts(view: u128) -> Option<(usize, usize, usize)> {
    let length = view as u32 as usize;
    (length > INLINE).then_some((length, (view >> 64) as u32 as usize, (view >> 96) as u32 as usize))
}

impl ViewColumn {
    /// Appends a value or null.
    #[inline(always)]
    pub fn push(&mut self, value: Option<&[u8]>, window: &mut Window<'_>) {
        let view = match value {
            Some(value) => window.view(value),
            None => self.nulls.push(self.views.len()),
        };
        self.views.push(view);
    }

    /// Views and validity.
    pub fn finish(mut self) -> (Vec<u128>, Option<NullBuffer>) {
        self.nulls.catch_up(self.views.len());
        (self.views, self.nulls.0.finish())
    }
}

impl Nulls {
    /// Notes that the value of `row` is null and returns its view. Rows come in ascending order.
    #[inline(never)]
    pub fn push(&mut self, row: usize) -> u128 {
        self.catch_up(row);
        self.0.append_null();
        0
    }

    fn catch_up(&mut self, rows: usize) {
        self.0.append_n_non_nulls(rows - self.0.len());
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::builder::make_view;

    use super::*;

    #[test]
    fn views_equal_arrows_for_every_length_and_place() {
        let base: Vec<u8> = (0..64).collect();
        for start in 0..base.len() {
            for end in start..base.len() {
                let value = &base[start..end];
                let mut window = Window::new(&base, Span::new(3, 0));
                assert_eq!(window.view(value), make_view(value, 3, start as u32), "{start}..{end}");
                let long = value.len() > INLINE;
                assert_eq!(window.span.used, if long { value.len() } else { 0 });
                let parts = long.then_some((value.len(), 3, 7));
                assert_eq!(long_parts(make_view(value, 3, 7)), parts);
                let mut window = Window::new(&base, Span::new(3, start));
                assert_eq!(window.view(value), make_view(value, 3, 0), "{start}..{end}");
            }
        }
    }

    /// The number in a range of bits that the table names, as `32-63`.
    fn bits(view: u128, range: &str) -> u128 {
        let (from, to) = range.split_once('-').unwrap();
        let (from, to): (u32, u32) = (from.parse().unwrap(), to.parse().unwrap());
        view << (127 - to) >> (127 - to + from)
    }

    #[test]
    fn the_table_at_the_head_is_what_is_made() {
        let (short, long) = (&b"abcdefghijkl"[..], &b"abcdefghijklm"[..]);
        let table = include_str!("views.rs").lines().skip_while(|line| !line.starts_with("//! |")).skip(2);
        let mut seen = 0;
        for line in table.take_while(|line| line.starts_with("//! |")) {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let (range, inline, longer) = (cells[1], cells[2], cells[3]);
            match inline {
                "length" => assert_eq!(bits(inline_view(short), range), 12),
                "bytes, zeros behind them" => assert_eq!(bits(inline_view(b"ab"), range), 0x6261),
                _ => assert_eq!(inline, ""),
            }
            let expected = match longer {
                "length" => 13,
                "first four bytes" => 0x6463_6261,
                "index of the buffer" => 5,
                "offset in it" => 7,
                other => panic!("{other} is a part that the test does not know"),
            };
            assert_eq!(bits(long_view(long, 5, 7), range), expected, "{longer}");
            seen += 1;
        }
        assert_eq!(seen, 4);
    }
}
