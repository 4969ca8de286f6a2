//! Finding the end of a string's plain part, and how many digits follow, many bytes at a time.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The first index from `at` on that holds the quote, a backslash or a byte below 0x20; the length if there
/// is none.
#[inline(always)]
pub(super) fn string_end(bytes: &[u8], at: usize, quote: u8) -> usize {
    run_end(bytes, at, |chunk| wide::ends_of_text(chunk, quote))
}

/// Whether sixteen bytes hold no double quote, backslash or byte below 0x20.
#[inline(always)]
pub(super) fn is_plain(bytes: u128) -> bool {
    wide::ends_of_text(bytes, b'"') == 0
}

/// How many of sixteen bytes stand before the first double quote, backslash or byte below 0x20.
#[inline(always)]
pub(super) fn plain_length(bytes: u128) -> usize {
    match wide::ends_of_text(bytes, b'"') {
        0 => 16,
        hits => wide::lowest(hits),
    }
}

/// Whether the string of up to 12 bytes that a view holds inline, behind four bytes of its length, has no double
/// quote, backslash or byte below 0x20.
#[inline(always)]
pub(super) fn is_plain_inline(view: u128, length: usize) -> bool {
    // The length becomes letters; zeros behind the string do not count.
    let hits = wide::ends_of_text(view | 0x4040_4040, b'"');
    hits == 0 || wide::lowest(hits) >= length.wrapping_add(4)
}

/// The first index from `at` on for which `hits` has a bit; zero bytes must have one. The length if there is none.
#[inline(always)]
fn run_end(bytes: &[u8], mut at: usize, hits: impl Fn(u128) -> wide::Hits) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let hits = hits(u128::from_le_bytes(*chunk));
        if hits != 0 {
            return at.wrapping_add(wide::lowest(hits));
        }
        at = at.wrapping_add(16);
    }
    if at >= bytes.len() {
        return bytes.len();
    }
    at.wrapping_add(wide::lowest(hits(last_chunk(bytes, at))))
}

/// The last bytes, fewer than sixteen, and zeros behind them.
#[inline(never)]
fn last_chunk(bytes: &[u8], at: usize) -> u128 {
    let rest = bytes.get(at..).unwrap_or_default();
    match bytes.last_chunk::<16>() {
        Some(chunk) if !rest.is_empty() => {
            let passed = 16usize.wrapping_sub(rest.len()) as u32;
            u128::from_le_bytes(*chunk) >> (8 * (passed & 15))
        }
        _ => rest.iter().rev().fold(0, |chunk, byte| chunk << 8 | u128::from(*byte)),
    }
}

#[cfg(target_arch = "x86_64")]
pub(super) use by_sse2 as wide;
#[cfg(not(target_arch = "x86_64"))]
pub(super) use by_words as wide;

/// Sixteen bytes at once: of the bits that are set, the lowest tells the first byte that was looked for.
#[cfg(target_arch = "x86_64")]
pub(super) mod by_sse2 {
    pub(in crate::json) use crate::raw::{ends_of_text, other_than_digits};

    pub type Hits = u32;

    #[inline(always)]
    pub fn lowest(hits: Hits) -> usize {
        hits.trailing_zeros() as usize
    }
}

/// The same for any processor.
#[cfg(any(test, not(target_arch = "x86_64")))]
pub(super) mod by_words {
    use super::{HIGH, ONES};

    pub type Hits = u128;

    #[inline(always)]
    pub fn ends_of_text(bytes: u128, quote: u8) -> Hits {
        let quotes = ONES * u64::from(quote);
        both(bytes, |word| {
            (zero_bytes(word ^ quotes) | zero_bytes(word ^ (ONES * 0x5c)) | below_0x20(word)) & HIGH
        })
    }

    #[inline(always)]
    pub fn other_than_digits(bytes: u128) -> Hits {
        both(bytes, super::others)
    }

    #[inline(always)]
    fn both(bytes: u128, hits: impl Fn(u64) -> u64) -> Hits {
        u128::from(hits(bytes as u64)) | u128::from(hits((bytes >> 64) as u64)) << 64
    }

    /// High bits of the bytes that are zero. Bits above the lowest may be wrong.
    #[inline(always)]
    fn zero_bytes(word: u64) -> u64 {
        word.wrapping_sub(ONES) & !word
    }

    /// High bits of the bytes that are below 0x20, with the same reservation.
    #[inline(always)]
    fn below_0x20(word: u64) -> u64 {
        word.wrapping_sub(ONES * 0x20) & !word
    }

    #[inline(always)]
    pub fn lowest(hits: Hits) -> usize {
        hits.trailing_zeros() as usize / 8
    }
}

/// How many of the eight bytes, from the lowest on, are ASCII digits.
#[inline(always)]
pub(super) fn leading_digits(word: u64) -> usize {
    others(word).trailing_zeros() as usize / 8
}

/// High bits of the bytes that are no ASCII digits.
#[inline(always)]
fn others(word: u64) -> u64 {
    // A digit becomes 0 to 9; anything else sets its high bit here or has it set already.
    let digits = word ^ (ONES * u64::from(b'0'));
    ((digits & !HIGH).wrapping_add(ONES * 0x76) | digits) & HIGH
}

/// The number that the lowest `count` (1 to 8) bytes write in ASCII digits, the first digit lowest.
#[inline(always)]
pub(super) fn digits_value(word: u64, count: usize) -> u64 {
    // Digits to the high end, zeros before them; then neighbours are added up: pairs, fours, eights.
    let digits = (word ^ (ONES * u64::from(b'0'))) << (64 - 8 * count);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_ffff_0000_ffff;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xffff_ffff
}

/// The number that the lowest `count` (1 to 16) bytes write in ASCII digits, the first digit lowest.
#[inline(always)]
pub(super) fn long_digits_value(word: u128, count: usize) -> u64 {
    if count <= 8 {
        return digits_value(word as u64, count);
    }
    let behind = count.wrapping_sub(8);
    let last = digits_value((word >> 64) as u64, behind);
    digits_value(word as u64, 8).wrapping_mul(TENS[behind & 15]).wrapping_add(last)
}

/// `10^count` for the digits of one word.
pub(super) const TENS: [u64; 16] = {
    let mut tens = [1; 16];
    let mut at = 1;
    while at < tens.len() {
        tens[at] = tens[at - 1] * 10;
        at += 1;
    }
    tens
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_is_found_as_by_a_plain_loop() {
        for quote in [b'"', b'\''] {
            for length in 0..40 {
                for at in 0..length {
                    for byte in 0..=255u8 {
                        let mut bytes = vec![0xc3; length];
                        bytes[at] = byte;
                        if at > 1 {
                            bytes[at - 2] = 0x20;
                        }
                        let stops = |byte: &u8| *byte == quote || *byte == b'\\' || *byte < 0x20;
                        let expected = bytes.iter().position(stops).unwrap_or(length);
                        assert_eq!(string_end(&bytes, 0, quote), expected, "{byte} at {at} of {length}");
                    }
                }
            }
        }
    }

    #[test]
    fn sixteen_bytes_give_the_same_by_words() {
        for at in 0..16 {
            for byte in 0..=255u8 {
                for around in [b'7', b'x', 0xff] {
                    let mut bytes = [around; 16];
                    bytes[at] = byte;
                    let chunk = u128::from_le_bytes(bytes);
                    let ends = (wide::ends_of_text(chunk, b'"'), by_words::ends_of_text(chunk, b'"'));
                    let place = |found: bool, lowest: usize| found.then_some(lowest);
                    assert_eq!(
                        place(ends.0 != 0, wide::lowest(ends.0)),
                        place(ends.1 != 0, by_words::lowest(ends.1)),
                        "{bytes:?}"
                    );
                    let (mut others, mut twin) =
                        (wide::other_than_digits(chunk), by_words::other_than_digits(chunk));
                    for byte in bytes.iter().enumerate().filter(|(_, byte)| !byte.is_ascii_digit()) {
                        assert_eq!((wide::lowest(others), by_words::lowest(twin)), (byte.0, byte.0));
                        (others, twin) = (others & (others - 1), twin & (twin - 1));
                    }
                    assert_eq!((others, twin), (0, 0));
                }
            }
        }
    }

    #[test]
    fn digits_are_counted_and_added_up_as_by_a_plain_loop() {
        for count in 0..=8usize {
            for byte in (0..=255u8).filter(|byte| !byte.is_ascii_digit()) {
                let mut text = *b"90817263";
                if count < 8 {
                    text[count] = byte;
                }
                let word = u64::from_le_bytes(text);
                assert_eq!(leading_digits(word), count, "{text:?}");
                if count > 0 {
                    let expected: u64 = std::str::from_utf8(&text[..count]).unwrap().parse().unwrap();
                    assert_eq!(digits_value(word, count), expected, "{text:?}");
                }
            }
        }
    }
}
