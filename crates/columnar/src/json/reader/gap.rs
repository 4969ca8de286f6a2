//! What stands between two scalars inside of a value that is passed over: `}, {"name": ` to the byte. Documents of
//! a topic mostly agree, and then one comparison passes over braces, commas, blanks, name and colon.
//!
//! A gap is a text together with what it does to the containers around it, both found once by the tokenizer: it
//! closes some of the innermost, needs one around them for its comma, and opens others. It is valid wherever
//! those that it closes and needs are of the same kinds. Which gap comes next is guessed from those that came
//! before; a wrong guess costs time and nothing else.

use super::known::Known;

/// The kinds of the containers that are open in a value, the innermost in the lowest bit (1 for an object), below
/// a bit that is always set.
pub(super) type Open = u64;

/// Nothing is open: before the value, or behind it.
pub(super) const NONE_OPEN: Open = 1;
/// What the gaps know stays below this: 13 containers, and a gap of 48 bytes opens at most 48 at a time.
const MOST_OPEN: Open = 1 << 14;
/// Gaps that are remembered, and gaps that are known to follow each of them.
const MOST: usize = 250;
const FOLLOWERS: usize = 4;
/// How often a gap is looked up or learned without that a value was passed over in between.
const PATIENCE: u32 = 1000;

/// The gaps that were met.
#[derive(Debug)]
pub(super) struct Gaps {
    /// The first is none: what follows it follows nothing that is known.
    gaps: Vec<Gap>,
    /// The gap that was passed last.
    pub last: u8,
    patience: u32,
}

#[derive(Debug)]
struct Gap {
    text: Known,
    /// Of [`Open`]: the bits that count, and what they must be.
    mask: u64,
    kinds: u64,
    /// The least that is open before, as a number.
    least: Open,
    closes: u32,
    opens: u32,
    opened: u64,
    /// Gaps that came next, the first one first.
    next: [u8; FOLLOWERS],
}

impl Default for Gaps {
    fn default() -> Self {
        Self { gaps: Vec::new(), last: 0, patience: PATIENCE }
    }
}

impl Gaps {
    /// Passes over the gap that `rest` begins with, if it is one that may follow gap `last`: that gap, what is open
    /// then, and what follows it.
    #[inline(always)]
    pub fn pass<'a>(&self, last: u8, open: Open, rest: &'a [u8]) -> Option<(u8, Open, &'a [u8])> {
        let last = self.gaps.get(usize::from(last))?;
        for next in last.next {
            if next == 0 {
                break;
            }
            let gap = self.gaps.get(usize::from(next))?;
            if let Some(behind) = gap.text.behind(rest)
                && gap.is_valid(open)
            {
                let open = (open >> gap.closes) << gap.opens | gap.opened;
                if open == NONE_OPEN || is_scalar(behind) {
                    return Some((next, open, behind));
                }
            }
        }
        None
    }

    /// Remembers a gap that was passed where `before` was open, that left `fewest` of them open, and then `after`.
    pub fn learn(&mut self, text: &[u8], before: Open, fewest: Open, after: Open) {
        let last = usize::from(std::mem::take(&mut self.last));
        let Some(gap) = Gap::new(text, before, fewest, after).filter(|_| self.patience > 0) else { return };
        self.patience -= 1;
        if self.gaps.is_empty() {
            self.gaps.push(Gap::none());
        }
        let at = match self.gaps.iter().position(|other| other.is_same(&gap)) {
            Some(at) => at,
            None if self.gaps.len() < MOST => {
                self.gaps.push(gap);
                self.gaps.len() - 1
            }
            None => return,
        };
        self.last = at as u8;
        let next = &mut self.gaps[last].next;
        // The one that was there first stays.
        next[1..].rotate_right(1);
        next[usize::from(next[0] != 0)] = at as u8;
    }

    /// A value was passed over.
    pub fn rest(&mut self) {
        self.patience = self.patience.saturating_add(2).min(PATIENCE);
    }
}

impl Gap {
    fn new(text: &[u8], before: Open, fewest: Open, after: Open) -> Option<Self> {
        if before.max(after) >= MOST_OPEN {
            return None;
        }
        let (closes, opens) = (before.ilog2() - fewest.ilog2(), after.ilog2() - fewest.ilog2());
        // Where it begins or ends a value, all that is open counts; else what it closes and the one around.
        let is_edge = before == NONE_OPEN || after == NONE_OPEN;
        let mask = if is_edge { u64::MAX } else { (2 << closes) - 1 };
        Some(Self {
            text: Known::new(text)?,
            mask,
            kinds: before & mask,
            least: if is_edge { before } else { 2 << closes },
            closes,
            opens,
            opened: after & ((1 << opens) - 1),
            next: [0; FOLLOWERS],
        })
    }

    /// Before all others: only what follows it is asked for.
    fn none() -> Self {
        let (mask, kinds, least) = (0, 0, Open::MAX);
        Self {
            text: Known::NOTHING,
            mask,
            kinds,
            least,
            closes: 0,
            opens: 0,
            opened: 0,
            next: [0; FOLLOWERS],
        }
    }

    #[inline(always)]
    fn is_valid(&self, open: Open) -> bool {
        (open ^ self.kinds) & self.mask == 0 && open >= self.least && open < MOST_OPEN
    }

    fn is_same(&self, other: &Self) -> bool {
        let parts =
            |gap: &Self| (gap.text, gap.mask, gap.kinds, gap.least, gap.closes, gap.opens, gap.opened);
        parts(self) == parts(other)
    }
}

/// Whether no container begins or ends here, and no blank or comment.
#[inline(always)]
fn is_scalar(rest: &[u8]) -> bool {
    !matches!(rest.first(), None | Some(b'\0'..=b' ' | b'/' | b'{' | b'[' | b'}' | b']'))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of kinds: `{` and `[` from the outside in.
    fn open(kinds: &str) -> Open {
        kinds.bytes().fold(NONE_OPEN, |open, kind| open << 1 | u64::from(kind == b'{'))
    }

    #[test]
    fn a_gap_is_passed_where_the_containers_are_of_its_kinds_and_nowhere_else() {
        let mut gaps = Gaps::default();
        // `[{"a": 1}, {"a": 2}]`
        gaps.learn(b"[{\"a\": ", NONE_OPEN, NONE_OPEN, open("[{"));
        gaps.learn(b"}, {\"a\": ", open("[{"), open("["), open("[{"));
        let (first, again) =
            (gaps.pass(0, NONE_OPEN, b"[{\"a\": 7").map(|passed| passed.0).unwrap(), gaps.last);
        gaps.learn(b"}]", open("[{"), NONE_OPEN, NONE_OPEN);
        let pass = |last, kinds: &str, text: &str| {
            let passed = gaps.pass(last, open(kinds), text.as_bytes());
            passed.map(|(_, open, behind)| (open, behind.len()))
        };
        assert_eq!(pass(0, "", "[{\"a\": 7"), Some((open("[{"), 1)));
        assert_eq!(pass(0, "[", "[{\"a\": 7"), None);
        assert_eq!(pass(first, "[{", "}, {\"a\": 7"), Some((open("[{"), 1)));
        assert_eq!(pass(first, "{[{", "}, {\"a\": 7"), Some((open("{[{"), 1)));
        for kinds in ["", "{", "[", "{{", "[[", "{["] {
            assert_eq!(pass(first, kinds, "}, {\"a\": 7"), None, "{kinds}");
        }
        // Not a scalar behind it.
        for behind in ["", " 7", "{", "[", "]", "}", "/"] {
            assert_eq!(pass(first, "[{", &format!("}}, {{\"a\": {behind}")), None, "{behind}");
        }
        // The end of the whole value is one at its own depth only.
        assert_eq!(pass(again, "[{", "}], 1"), Some((NONE_OPEN, 3)));
        for kinds in ["[[{", "{[{", "{", "[", "{{"] {
            assert_eq!(pass(again, kinds, "}], 1"), None, "{kinds}");
        }
    }

    #[test]
    fn what_is_remembered_and_the_work_for_it_have_limits() {
        let mut gaps = Gaps::default();
        for at in 0..5000 {
            gaps.learn(format!(",\"{at}\":").as_bytes(), open("{"), open("{"), open("{"));
        }
        assert!(gaps.gaps.len() <= MOST && gaps.patience == 0);
        gaps.learn(&[b'['; 20], open(&"[".repeat(13)), open(&"[".repeat(13)), open(&"[".repeat(33)));
        assert_eq!(gaps.last, 0);
    }
}
