//! Datetime patterns such as `yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]`, compiled once.
//!
//! The letters are those Spark allows (its "Datetime Patterns" page): `G y u D M L d Q q E F a h K k H m s S
//! V z O X x Z`, quotes for literals, `[ ]` for optional sections. Week-based letters and `A B c e n N p W w
//! Y` are refused, as are text forms of five letters. `y` without an era is the proleptic year, so years
//! before 1 are negative.

use crate::{Error, Result};

/// A compiled pattern. The same value formats and parses; letters that can only be formatted (`E F q Q`) fail
/// on parsing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    pub(super) items: Vec<Item>,
}

/// A field of a date or time that a letter stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Year,
    YearOfEra,
    Month,
    Day,
    DayOfYear,
    Quarter,
    /// `F`: the day in weeks that are counted from the month's first day, so that the 1st, 8th and 15th are 1.
    DayInAlignedWeek,
    /// 0-23.
    Hour,
    /// 1-24.
    ClockHour,
    /// 0-11.
    HourOfHalf,
    /// 1-12.
    ClockHourOfHalf,
    Minute,
    Second,
}

/// Names rather than numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Month,
    Weekday,
    Quarter,
    Era,
    Half,
}

/// How an offset is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OffsetStyle {
    /// `Z` for a zero offset.
    pub zulu: bool,
    pub colon: bool,
    pub minutes: Minutes,
    /// Seconds where they are not zero.
    pub seconds: bool,
}

/// When an offset's minutes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Minutes {
    Always,
    NotZero,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Item {
    Literal(String),
    /// A number of `width` digits at least; `max` digits at most. `signed`: a plus where it is wider than
    /// `width`. `reserve`: digits that the fixed-width numbers right after it need.
    Number {
        field: Field,
        width: u8,
        max: u8,
        signed: bool,
        reserve: u8,
    },
    /// The last two digits of a year from 2000 to 2099.
    TwoDigitYear {
        reserve: u8,
    },
    /// Digits of the second's fraction: exactly `digits` when formatting, 1 to `digits` when parsing.
    Fraction {
        digits: u8,
    },
    Name {
        name: Name,
        full: bool,
    },
    Offset(OffsetStyle),
    /// `GMT`, `GMT+2`, `GMT+02:00`.
    LocalizedOffset {
        full: bool,
    },
    /// `Europe/Paris`.
    ZoneId,
    /// `CEST`.
    ZoneName,
    Optional(Vec<Item>),
}

impl Pattern {
    /// Compiles a pattern.
    pub fn compile(text: &str) -> Result<Self> {
        let letters: Vec<char> = text.chars().collect();
        let mut compiler = Compiler { text, letters: &letters, at: 0, era: has_era(&letters) };
        let mut items = compiler.section(0)?;
        reserve_adjacent(&mut items);
        Ok(Self { text: text.into(), items })
    }

    /// The pattern as given.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Sections may nest this deep.
const MAX_DEPTH: usize = 16;
/// Longest run of one letter that any field allows.
const MAX_RUN: usize = 9;

struct Compiler<'a> {
    text: &'a str,
    letters: &'a [char],
    at: usize,
    era: bool,
}

fn has_era(letters: &[char]) -> bool {
    let mut quoted = false;
    letters.iter().any(|&letter| {
        quoted ^= letter == '\'';
        letter == 'G' && !quoted
    })
}

impl Compiler<'_> {
    fn section(&mut self, depth: usize) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        while let Some(&letter) = self.letters.get(self.at) {
            match letter {
                'a'..='z' | 'A'..='Z' => {
                    let start = self.at;
                    while self.letters.get(self.at) == Some(&letter) {
                        self.at += 1;
                    }
                    items.push(self.field(letter, self.at - start)?);
                    continue;
                }
                '\'' => push_literal(&mut items, &self.quoted()?),
                '[' if depth == MAX_DEPTH => return Err(self.refuse("optional sections nest too deeply")),
                '[' => {
                    self.at += 1;
                    let section = self.section(depth + 1)?;
                    if self.letters.get(self.at) == Some(&']') {
                        self.at += 1;
                    }
                    items.push(Item::Optional(section));
                    continue;
                }
                ']' if depth > 0 => return Ok(items),
                ']' => return Err(self.refuse("']' closes no '['")),
                '{' | '}' | '#' => return Err(self.refuse(&format!("the character {letter} is reserved"))),
                other => push_literal(&mut items, other.encode_utf8(&mut [0; 4])),
            }
            self.at += 1;
        }
        Ok(items)
    }

    /// A quoted literal; the position ends at its closing quote. Two quotes are one quote, inside and
    /// outside.
    fn quoted(&mut self) -> Result<String> {
        let mut literal = String::new();
        self.at += 1;
        if self.letters.get(self.at) == Some(&'\'') {
            return Ok("'".into());
        }
        loop {
            match (self.letters.get(self.at), self.letters.get(self.at + 1)) {
                (Some('\''), Some('\'')) => {
                    literal.push('\'');
                    self.at += 2;
                }
                (Some('\''), _) => return Ok(literal),
                (Some(&letter), _) => {
                    literal.push(letter);
                    self.at += 1;
                }
                (None, _) => return Err(self.refuse("a quote is not closed")),
            }
        }
    }

    fn field(&self, letter: char, count: usize) -> Result<Item> {
        let year = if self.era && letter == 'y' { Field::YearOfEra } else { Field::Year };
        let item = match (letter, count) {
            ('y' | 'u', 2) => Item::TwoDigitYear { reserve: 0 },
            ('y' | 'u', 1..=3) => number(year, count, 10),
            ('y' | 'u', 4..=6) => {
                Item::Number { field: year, width: count as u8, max: 10, signed: true, reserve: 0 }
            }
            ('M' | 'L', 1 | 2) => fixed(Field::Month, count),
            ('M' | 'L', 3 | 4) => Item::Name { name: Name::Month, full: count == 4 },
            ('Q' | 'q', 1 | 2) => fixed(Field::Quarter, count),
            ('Q' | 'q', 3 | 4) => Item::Name { name: Name::Quarter, full: count == 4 },
            ('E', 1..=4) => Item::Name { name: Name::Weekday, full: count == 4 },
            ('G', 1..=4) => Item::Name { name: Name::Era, full: count == 4 },
            ('a', 1) => Item::Name { name: Name::Half, full: false },
            ('d', 1 | 2) => fixed(Field::Day, count),
            ('D', 1) => number(Field::DayOfYear, 1, 3),
            ('D', 2) => number(Field::DayOfYear, 2, 3),
            ('D', 3) => fixed(Field::DayOfYear, 3),
            ('F', 1) => number(Field::DayInAlignedWeek, 1, 1),
            ('H', 1 | 2) => fixed(Field::Hour, count),
            ('k', 1 | 2) => fixed(Field::ClockHour, count),
            ('K', 1 | 2) => fixed(Field::HourOfHalf, count),
            ('h', 1 | 2) => fixed(Field::ClockHourOfHalf, count),
            ('m', 1 | 2) => fixed(Field::Minute, count),
            ('s', 1 | 2) => fixed(Field::Second, count),
            ('S', 1..=MAX_RUN) => Item::Fraction { digits: count as u8 },
            ('X', 1..=5) => Item::Offset(offset_style(count, true)),
            ('x', 1..=5) => Item::Offset(offset_style(count, false)),
            ('Z', 1..=3) => Item::Offset(offset_style(2, false)),
            ('Z', 4) => Item::LocalizedOffset { full: true },
            ('Z', 5) => Item::Offset(offset_style(5, true)),
            ('O', 1 | 4) => Item::LocalizedOffset { full: count == 4 },
            ('V', 2) => Item::ZoneId,
            ('z', 1..=3) => Item::ZoneName,
            ('z', 4) => {
                return Err(self.refuse("full time-zone names (zzzz) are not supported; use z, VV or XXX"));
            }
            ('V', _) => return Err(self.refuse("the pattern letter count must be 2: V")),
            ('O', _) => return Err(self.refuse("the pattern letter count must be 1 or 4: O")),
            ('A' | 'B' | 'c' | 'e' | 'n' | 'N' | 'p' | 'W' | 'w' | 'Y', _) => {
                return Err(self.refuse(&format!("the letter {letter} is not supported")));
            }
            (known, _) if "yuMLQqEGadDFHkKhmsSXxZ".contains(known) => {
                return Err(self.refuse(&format!("too many pattern letters: {letter}")));
            }
            _ => return Err(self.refuse(&format!("unknown pattern letter: {letter}"))),
        };
        Ok(item)
    }

    fn refuse(&self, why: &str) -> Error {
        Error::BadPattern { pattern: self.text.into(), why: why.into() }
    }
}

/// A number of `width` digits or more.
fn number(field: Field, width: usize, max: u8) -> Item {
    Item::Number { field, width: width as u8, max, signed: false, reserve: 0 }
}

/// A number of exactly `width` digits, or of any length for width 1.
fn fixed(field: Field, width: usize) -> Item {
    let max = if width == 1 { 10 } else { width as u8 };
    number(field, width, max)
}

fn offset_style(count: usize, zulu: bool) -> OffsetStyle {
    OffsetStyle {
        zulu,
        colon: matches!(count, 3 | 5),
        minutes: if count == 1 { Minutes::NotZero } else { Minutes::Always },
        seconds: count >= 4,
    }
}

fn push_literal(items: &mut Vec<Item>, text: &str) {
    match items.last_mut() {
        Some(Item::Literal(literal)) => literal.push_str(text),
        _ => items.push(Item::Literal(text.into())),
    }
}

/// Tells each number of open width how many digits the fixed-width numbers right behind it need (`yyyyMMdd`).
fn reserve_adjacent(items: &mut [Item]) {
    let mut needed = 0u8;
    for item in items.iter_mut().rev() {
        match item {
            Item::Number { width, max, reserve, .. } if width == max => {
                *reserve = 0;
                needed = needed.saturating_add(*width);
            }
            Item::Number { reserve, .. } | Item::TwoDigitYear { reserve } => {
                *reserve = needed;
                needed = 0;
            }
            Item::Optional(section) => {
                reserve_adjacent(section);
                needed = 0;
            }
            _ => needed = 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_patterns_name_the_letter() {
        for (pattern, why) in [
            ("YYYY", "the letter Y is not supported"),
            ("yyyy-ww", "the letter w is not supported"),
            ("MMMMM", "too many pattern letters: M"),
            ("HHH", "too many pattern letters: H"),
            ("yyyy'T", "a quote is not closed"),
            ("yyyy]", "']' closes no '['"),
            ("J", "unknown pattern letter: J"),
            ("V", "the pattern letter count must be 2: V"),
            ("{y}", "the character { is reserved"),
        ] {
            match Pattern::compile(pattern) {
                Err(Error::BadPattern { why: found, .. }) => assert_eq!(found, why),
                other => panic!("{pattern}: {other:?}"),
            }
        }
    }

    #[test]
    fn quotes_make_literals() {
        let pattern = Pattern::compile("'at' ''H''''").unwrap();
        let literals: Vec<_> = pattern.items.iter().filter(|item| matches!(item, Item::Literal(_))).collect();
        assert_eq!(literals, [&Item::Literal("at '".into()), &Item::Literal("''".into())]);
    }
}
