//! What stood between two values of an object: `,"name": ` to the byte. Documents of a topic mostly agree, and
//! then one comparison passes over comma, blanks, name and colon, and tells the field.

use super::known::Known;
use super::scalar::behind_scalar;
use crate::json::JsonLimits;

/// Members of an object beyond this are looked up name by name.
const MOST: usize = 128;
/// How many hints are tried before a name is looked up: some fields are not always there.
const TRIED: usize = 4;

/// The texts before the values of an object, in their order.
#[derive(Debug, Default)]
pub(super) struct Hints(Vec<Hint>);

#[derive(Debug)]
struct Hint {
    text: Known,
    /// The field that the name stands for.
    field: Option<u32>,
}

/// Where the members end that need nothing but passing over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passed {
    /// The position in the document.
    pub at: usize,
    /// The number of members, or hints, before the position.
    pub place: usize,
    pub next: Next,
}

/// What is at a position in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The value of a field.
    Field(u32),
    /// Another value, which is no usual scalar.
    Unwanted,
    /// The closing brace.
    End,
    /// Behind a value: something that no hint knows.
    Other,
}

impl Hints {
    /// Passes over members that no field wants, from behind a value (or the opening brace) on.
    #[inline(never)]
    pub fn pass(&self, text: &[u8], at: usize, place: usize, limits: &JsonLimits) -> Passed {
        let mut rest = text.get(at..).unwrap_or_default();
        let mut place = place;
        let next = loop {
            let Some((hint, behind)) = self.find(rest, &mut place) else {
                break if rest.first() == Some(&b'}') { Next::End } else { Next::Other };
            };
            if let Some(b'\0'..=b' ' | b'/') | None = behind.first() {
                break Next::Other;
            }
            place = place.wrapping_add(1);
            if let Some(field) = hint.field {
                rest = behind;
                break Next::Field(field);
            }
            match behind_scalar(behind, limits) {
                Some(behind) => rest = behind,
                None => {
                    rest = behind;
                    break Next::Unwanted;
                }
            }
        };
        Passed { at: text.len().wrapping_sub(rest.len()), place, next }
    }

    /// The hint whose text stands here, and what follows: the one for this place of the object or one of the next.
    #[inline(always)]
    fn find<'a>(&self, rest: &'a [u8], place: &mut usize) -> Option<(&Hint, &'a [u8])> {
        let hint = self.0.get(*place)?;
        match hint.text.behind(rest) {
            Some(behind) => Some((hint, behind)),
            // Before the first member stands no comma.
            None if *place == 0 => None,
            None => self.find_later(rest, place),
        }
    }

    #[inline(never)]
    fn find_later<'a>(&self, rest: &'a [u8], place: &mut usize) -> Option<(&Hint, &'a [u8])> {
        let mut later = self.0.iter().enumerate().skip(*place).take(TRIED).skip(1);
        later.find_map(|(at, hint)| {
            let behind = hint.text.behind(rest)?;
            *place = at;
            Some((hint, behind))
        })
    }

    /// Remembers the text before the value at this place.
    pub fn learn(&mut self, text: &[u8], field: Option<u32>, place: usize) {
        let Some(text) = Known::new(text).filter(|_| place < MOST) else { return };
        let hint = Hint { text, field };
        if let Some(known) = self.0.get_mut(place) {
            *known = hint;
        } else if place == self.0.len() {
            self.0.push(hint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(hints: &Hints, text: &str, place: usize) -> (usize, usize, Next) {
        // Not at the end of a document, where a scalar is not passed over.
        let text = format!("{text}                ");
        let passed = hints.pass(text.as_bytes(), 0, place, &JsonLimits::default());
        (passed.at, passed.place, passed.next)
    }

    #[test]
    fn unwanted_members_are_passed_up_to_one_that_is_wanted_or_unknown() {
        let mut hints = Hints::default();
        for (place, (text, field)) in
            [("\"a\":", None), (",\"b\":", Some(7)), (",\"c\":", None)].into_iter().enumerate()
        {
            hints.learn(text.as_bytes(), field, place);
        }
        assert_eq!(pass(&hints, "\"a\":-1.5,\"b\":2}", 0), (13, 2, Next::Field(7)));
        assert_eq!(pass(&hints, "\"a\":[1],\"b\":2}", 0), (4, 1, Next::Unwanted));
        assert_eq!(pass(&hints, "\"a\":1e5,\"b\":2}", 0), (4, 1, Next::Unwanted));
        assert_eq!(pass(&hints, "\"x\":1,\"b\":2}", 0), (0, 0, Next::Other));
        // Blanks that were not there before.
        assert_eq!(pass(&hints, "\"a\": 1,\"b\":2}", 0), (0, 0, Next::Other));
        assert_eq!(pass(&hints, ",\"c\":\"\\n\"}", 2), (9, 3, Next::End));
        assert_eq!(pass(&hints, ",\"c\":true]", 2), (9, 3, Next::Other));
        assert_eq!(pass(&hints, ",\"c\":tru", 2), (5, 3, Next::Unwanted));
        assert_eq!(pass(&hints, ",\"c\":", 2), (0, 2, Next::Other));
    }

    #[test]
    fn fields_that_are_left_out_are_passed_over_but_not_before_the_first() {
        let mut hints = Hints::default();
        for (place, text) in ["\"a\":", ",\"b\":", ",\"c\":"].iter().enumerate() {
            hints.learn(text.as_bytes(), Some(place as u32), place);
        }
        assert_eq!(pass(&hints, ",\"c\":1}", 1), (5, 3, Next::Field(2)));
        assert_eq!(pass(&hints, ",\"b\":1}", 0), (0, 0, Next::Other));
    }
}
