//! Scalars as programs write them, passed over or read no slower than their syntax can be checked: strings in
//! double quotes, with escapes of one letter; numbers without exponent, of up to 32 bytes; nothing over a limit,
//! and not the last bytes of a document. Anything else is None, and the tokenizer, which knows all rules, finds
//! out what it is.

use crate::json::{JsonLimits, scan};

/// What follows the scalar that `rest` begins with.
#[inline(always)]
pub(super) fn behind_scalar<'a>(rest: &'a [u8], limits: &JsonLimits) -> Option<&'a [u8]> {
    match *rest.first()? {
        b'"' => {
            let text = rest.get(1..)?;
            let behind = behind_string(text)?;
            (text.len().wrapping_sub(behind.len()) <= limits.string).then_some(behind)
        }
        b'0'..=b'9' => behind_number(rest, limits),
        b'-' => behind_number(rest.get(1..)?, limits),
        b't' => behind_word(rest, b"true"),
        b'n' => behind_word(rest, b"null"),
        b'f' => behind_word(rest, b"false"),
        _ => None,
    }
}

/// What follows the closing quote of the string whose inside begins here.
#[inline(always)]
fn behind_string(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        let Some((chunk, behind)) = rest.split_first_chunk::<16>() else {
            return behind_last_string(rest);
        };
        let hits = scan::wide::ends_of_text(u128::from_le_bytes(*chunk), b'"');
        if hits == 0 {
            rest = behind;
            continue;
        }
        let at = scan::wide::lowest(hits) & 15;
        if rest[at] == b'"' {
            return rest.get(at.wrapping_add(1)..);
        }
        rest = behind_escape(rest.get(at..)?)?;
    }
}

/// In fewer than 16 bytes.
#[inline(never)]
fn behind_last_string(mut rest: &[u8]) -> Option<&[u8]> {
    loop {
        match rest.first()? {
            b'"' => return rest.get(1..),
            b'\\' => rest = behind_escape(rest)?,
            b' '.. => rest = rest.get(1..)?,
            _ => return None,
        }
    }
}

#[inline(always)]
fn behind_escape(rest: &[u8]) -> Option<&[u8]> {
    match rest {
        [b'\\', b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', behind @ ..] => Some(behind),
        _ => None,
    }
}

/// What follows the number whose first digit is here.
#[inline(always)]
fn behind_number<'a>(rest: &'a [u8], limits: &JsonLimits) -> Option<&'a [u8]> {
    let (chunk, second) = rest.split_first_chunk::<16>()?;
    let others = scan::wide::other_than_digits(u128::from_le_bytes(*chunk));
    let whole = scan::wide::lowest(others) & 15;
    if others == 0 || whole == 0 || (rest[0] == b'0' && whole > 1) {
        return None;
    }
    let mut behind = rest.get(whole..)?;
    if rest[whole] == b'.' {
        let others = others & others.wrapping_sub(1);
        if others != 0 {
            let end = scan::wide::lowest(others) & 15;
            behind = rest.get(end..)?;
            if end == whole.wrapping_add(1) {
                return None;
            }
        } else {
            let chunk = second.first_chunk::<16>()?;
            let others = scan::wide::other_than_digits(u128::from_le_bytes(*chunk));
            let end = scan::wide::lowest(others) & 15;
            behind = second.get(end..)?;
            if others == 0 || (end == 0 && whole == 15) {
                return None;
            }
        }
    }
    let length = rest.len().wrapping_sub(behind.len());
    (length < limits.number && !matches!(behind.first(), Some(b'e' | b'E'))).then_some(behind)
}

/// The length of the string without escapes whose inside begins here.
#[inline(always)]
pub(super) fn string_length(text: &[u8], limits: &JsonLimits) -> Option<usize> {
    let mut rest = text;
    while let Some((chunk, behind)) = rest.split_first_chunk::<16>() {
        let hits = scan::wide::ends_of_text(u128::from_le_bytes(*chunk), b'"');
        if hits == 0 {
            rest = behind;
            continue;
        }
        let at = scan::wide::lowest(hits) & 15;
        let length = text.len().wrapping_sub(rest.len()).wrapping_add(at);
        return (rest[at] == b'"' && length <= limits.string).then_some(length);
    }
    None
}

/// A number: `mantissa * 10^-places`, and its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Plain {
    pub mantissa: u64,
    pub places: u32,
    pub negative: bool,
    /// Bytes of its text.
    pub length: usize,
}

/// Digits that a u64 holds whatever they are.
const MOST_DIGITS: usize = 19;

/// The number that `rest` begins with.
#[inline(always)]
pub(super) fn plain_number(rest: &[u8], limits: &JsonLimits) -> Option<Plain> {
    let negative = *rest.first()? == b'-';
    let digits = rest.get(usize::from(negative)..)?;
    let (chunk, second) = digits.split_first_chunk::<16>()?;
    let word = u128::from_le_bytes(*chunk);
    let others = scan::wide::other_than_digits(word);
    let whole = scan::wide::lowest(others) & 15;
    if others == 0 || whole == 0 || (digits[0] == b'0' && whole > 1) {
        return None;
    }
    let (mantissa, end) = if digits[whole] != b'.' {
        (scan::long_digits_value(word, whole), whole)
    } else {
        // The point goes, and what is behind it moves up.
        let before = (1u128 << (8 * whole)) - 1;
        let joined = (word & before) | ((word >> 8) & !before);
        let others = others & others.wrapping_sub(1);
        if others != 0 {
            let end = scan::wide::lowest(others) & 15;
            (scan::long_digits_value(joined, end.wrapping_sub(1) & 15), end)
        } else {
            let word = u64::from_le_bytes(*second.first_chunk::<8>()?);
            let count = scan::leading_digits(word);
            if count > MOST_DIGITS - 15 {
                return None;
            }
            let last = if count > 0 { scan::digits_value(word, count) } else { 0 };
            let mantissa = scan::long_digits_value(joined, 15);
            (mantissa.wrapping_mul(scan::TENS[count]).wrapping_add(last), count.wrapping_add(16))
        }
    };
    let places = if end == whole { 0 } else { end.wrapping_sub(whole).wrapping_sub(1) };
    let length = end.wrapping_add(usize::from(negative));
    let is_cut = end != whole && places == 0;
    if is_cut || length > limits.number || matches!(digits.get(end), Some(b'e' | b'E')) {
        return None;
    }
    Some(Plain { mantissa, places: places as u32, negative, length })
}

#[inline(always)]
fn behind_word<'a, const N: usize>(rest: &'a [u8], word: &[u8; N]) -> Option<&'a [u8]> {
    let (found, behind) = rest.split_first_chunk::<N>()?;
    (found == word).then_some(behind)
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::super::parser::{Parser, Syntax};
    use super::*;
    use crate::json::JsonReadOptions;

    /// What the tokenizer finds behind the value, None where it finds a fault.
    fn slow(text: &[u8]) -> Option<usize> {
        let mut parser = Parser::new(Syntax::from(&JsonReadOptions::default()));
        parser.restart(text);
        match text.first()? {
            b'"' => parser.string(b'"').map(drop).ok()?,
            b't' => parser.literal("true").ok()?,
            b'f' => parser.literal("false").ok()?,
            b'n' => parser.literal("null").ok()?,
            _ => parser.number().map(drop).ok()?,
        }
        Some(parser.at)
    }

    #[test]
    fn what_is_passed_over_is_what_the_tokenizer_passes_over() {
        let mut rng = StdRng::seed_from_u64(21);
        let limits = JsonLimits::default();
        let mut passed = 0;
        for alphabet in ["0123456789.-eE,", "0000001.", "ab\\\"\\nu/ \t\u{e9}", "truefalsn"] {
            let alphabet: Vec<char> = alphabet.chars().collect();
            for _ in 0..40_000 {
                let mut text = String::from(["\"", "", "", "-", "t", "null"][rng.random_range(0..6)]);
                let length = rng.random_range(0..40);
                text.extend((0..length).map(|_| alphabet[rng.random_range(0..alphabet.len())]));
                text.push_str(["", ",", "\"", "\", \"b\": 1}                    "][rng.random_range(0..4)]);
                let bytes = text.as_bytes();
                if let Some(behind) = behind_scalar(bytes, &limits) {
                    assert_eq!(slow(bytes), Some(bytes.len() - behind.len()), "{text}");
                    passed += 1;
                }
                let inside = bytes.get(1..).unwrap_or_default();
                if let Some(length) = string_length(inside, &limits) {
                    let quoted = [b"\"", inside].concat();
                    assert_eq!(slow(&quoted), Some(length + 2), "{text}");
                    assert!(!inside[..length].contains(&b'\\'));
                }
            }
        }
        assert!(passed > 10_000, "{passed}");
    }

    #[test]
    fn numbers_have_the_values_that_the_standard_parser_reads() {
        let mut rng = StdRng::seed_from_u64(22);
        let limits = JsonLimits::default();
        let mut usual = 0;
        for _ in 0..100_000 {
            let whole = rng.random::<u64>() >> rng.random_range(1..64);
            let mut text = format!("{}{whole}", ["", "-"][rng.random_range(0..2)]);
            if rng.random_ratio(2, 3) {
                text.push('.');
                let places = rng.random_range(0..20);
                text.extend((0..places).map(|_| char::from(b'0' + rng.random_range(0..10u8))));
            }
            let rest =
                format!("{text}{}                        ", [",", "}", " ", "e5"][rng.random_range(0..4)]);
            let Some(found) = plain_number(rest.as_bytes(), &limits) else { continue };
            usual += 1;
            assert_eq!(slow(rest.as_bytes()), Some(found.length), "{rest}");
            assert_eq!(found.length, text.len());
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            assert_eq!(found.mantissa, digits.parse::<u64>().unwrap());
            assert_eq!(found.places as usize, text.split_once('.').map_or(0, |(_, places)| places.len()));
            assert_eq!(found.negative, text.starts_with('-'));
        }
        assert!(usual > 30_000, "{usual}");
    }
}
