//! What stood between two values of an object: `,"name": ` to the byte. Documents of a topic mostly agree, and
//! then one comparison passes over comma, blanks, name and colon, and tells the field.

/// Longest text that is remembered.
const LONGEST: usize = 48;
/// Members of an object beyond this are looked up name by name.
const MOST: usize = 128;
/// How many hints are tried before a name is looked up: some fields are not always there.
const TRIED: usize = 4;

/// The texts before the values of an object, in their order.
#[derive(Debug, Default)]
pub(super) struct Hints(Vec<Hint>);

#[derive(Debug)]
struct Hint {
    /// The first 16 bytes, zeros where there are fewer.
    first: u128,
    mask: u128,
    /// Bytes 16 to 31 and the last 16, where there are so many.
    second: u128,
    last: u128,
    length: usize,
    field: Option<u32>,
}

/// A hint that was right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// Length of the text.
    pub length: usize,
    /// The field that the name stands for.
    pub field: Option<u32>,
    /// The place among the hints.
    pub place: usize,
}

impl Hints {
    /// The text at `at` if it is known for this place of the object or one of the next.
    #[inline(always)]
    pub fn find(&self, text: &[u8], at: usize, place: usize) -> Option<Found> {
        let hint = self.0.get(place)?;
        if hint.stands_at(text, at) {
            return Some(Found { length: hint.length, field: hint.field, place });
        }
        // Before the first member stands no comma.
        if place == 0 { None } else { self.find_later(text, at, place) }
    }

    #[inline(never)]
    fn find_later(&self, text: &[u8], at: usize, place: usize) -> Option<Found> {
        let later = self.0.iter().enumerate().skip(place + 1).take(TRIED - 1);
        let mut right = later.filter(|(_, hint)| hint.stands_at(text, at));
        right.next().map(|(place, hint)| Found { length: hint.length, field: hint.field, place })
    }

    /// Remembers the text before the value at this place.
    pub fn learn(&mut self, text: &[u8], field: Option<u32>, place: usize) {
        if text.len() > LONGEST || place >= MOST {
            return;
        }
        let hint = Hint {
            first: word(text, 0),
            mask: if text.len() < 16 { (1 << (8 * text.len())) - 1 } else { u128::MAX },
            second: word(text, 16),
            last: word(text, text.len().saturating_sub(16)),
            length: text.len(),
            field,
        };
        if let Some(known) = self.0.get_mut(place) {
            *known = hint;
        } else if place == self.0.len() {
            self.0.push(hint);
        }
    }
}

impl Hint {
    #[inline(always)]
    fn stands_at(&self, text: &[u8], at: usize) -> bool {
        let Some(chunk) = text.get(at..).and_then(<[u8]>::first_chunk::<16>) else {
            return self.stands_at_the_end(text, at);
        };
        if (u128::from_le_bytes(*chunk) ^ self.first) & self.mask != 0 {
            return false;
        }
        self.length <= 16 || self.rest_stands_at(text, at)
    }

    #[inline(always)]
    fn rest_stands_at(&self, text: &[u8], at: usize) -> bool {
        let same = |from: usize, expected: u128| match text.get(from..).and_then(<[u8]>::first_chunk::<16>) {
            Some(chunk) => u128::from_le_bytes(*chunk) == expected,
            None => false,
        };
        same(at + self.length - 16, self.last) && (self.length <= 32 || same(at + 16, self.second))
    }

    /// Fewer than 16 bytes are left.
    #[inline(never)]
    fn stands_at_the_end(&self, text: &[u8], at: usize) -> bool {
        self.length <= text.len() - at && (word(text, at) ^ self.first) & self.mask == 0
    }
}

/// Up to 16 bytes from `at` on.
fn word(text: &[u8], at: usize) -> u128 {
    let mut bytes = [0; 16];
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.len().min(16);
    bytes[..length].copy_from_slice(&rest[..length]);
    u128::from_le_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_any_length_is_known_again_and_no_other() {
        for length in 1..=LONGEST {
            let known: Vec<u8> = (0..length as u8).map(|byte| byte + 1).collect();
            let mut hints = Hints::default();
            hints.learn(&known, Some(7), 0);
            for behind in 0..20 {
                let mut text = [b"xx".as_slice(), &known, &vec![b'y'; behind]].concat();
                let found = hints.find(&text, 2, 0);
                assert_eq!(found.map(|found| (found.length, found.field)), Some((length, Some(7))));
                for at in 0..length {
                    text[2 + at] ^= 0x80;
                    assert!(hints.find(&text, 2, 0).is_none(), "{at} of {length}");
                    text[2 + at] ^= 0x80;
                }
                assert!(hints.find(&text[..length + 1], 2, 0).is_none());
            }
        }
    }

    #[test]
    fn fields_that_are_left_out_are_passed_over_but_not_before_the_first() {
        let mut hints = Hints::default();
        for (place, text) in ["\"a\":", ",\"b\":", ",\"c\":"].iter().enumerate() {
            hints.learn(text.as_bytes(), Some(place as u32), place);
        }
        assert_eq!(hints.find(b",\"c\":1}", 0, 1).map(|found| found.place), Some(2));
        assert!(hints.find(b",\"b\":1}", 0, 0).is_none());
    }
}
