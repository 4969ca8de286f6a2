//! A record to its cells, by the rules of univocity's parser as Spark sets it up.
//!
//! | input (delimiter `,`) | cells |
//! |---|---|
//! | `a,b` | a value each; blanks belong to it unless the options trim |
//! | `a,,b` | the middle one is null |
//! | `a,` | the last one is null |
//! | `"a,b",c` | quotes keep the delimiter; line feeds need none |
//! | `"",x` | the first one is empty, which is not null where `nullValue` is set |
//! | `"a\"b"` | the escape keeps the quote |
//! | `"a"b,c` | not quoted after all (`unescapedQuoteHandling`): `"a"b` and `c` |
//! | `"a` | a missing closing quote is there at the end |
//! | (nothing), a comment | no record |
//!
//! Cells are places in the record, or in [`Cells::own`] where they had to be written anew; a record costs no
//! allocation once the buffers have grown. Delimiters of several characters take the slower path of `quoted`
//! throughout.

use super::syntax::{RECORD_END, RECORD_END_BYTES, Syntax};

/// A cell of the last record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// Nothing stood there.
    Null,
    /// Nothing was left of what stood there, such as `""`.
    Empty,
    /// From `start` to `end` of the record.
    Slice { start: usize, end: usize },
    /// From `start` to `end` of [`Cells::own`].
    Own { start: usize, end: usize },
}

/// Why a record has no cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is empty or a comment.
    NoRecord,
    /// More than `maxColumns` cells.
    TooManyColumns,
    /// More than `maxCharsPerColumn` characters in a cell.
    TooManyChars,
    /// A quoted value goes on behind its quote, under RAISE_ERROR.
    UnescapedQuote,
}

/// What ends the reading of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The text is at its end.
    End,
    Fault(Fault),
}

/// The cells of the last record. Buffers are reused from record to record.
#[derive(Debug, Default)]
pub(super) struct Cells {
    pub cells: Vec<Cell>,
    /// What could not stay where it stood.
    pub own: Vec<u8>,
}

/// The state of reading one record. `ch` is the current unit, `at` the place where it begins and `next` the
/// place behind it. `WIDE`: units are characters, else bytes.
pub(super) struct Tokenizer<'a, const WIDE: bool> {
    pub syntax: &'a Syntax,
    pub text: &'a str,
    pub out: &'a mut Cells,
    pub ch: u32,
    pub at: usize,
    pub next: usize,
    /// The unit before, as far as quotes and escapes care; 0 where there is none.
    pub prev: u32,
    /// Whether the current quoted value went on behind a closing quote.
    pub unescaped: bool,
    /// Where the current value begins in `own`.
    pub value: usize,
    /// Whether the current value loses its trailing blanks.
    pub trim: bool,
    /// Whether the current value is to be null.
    pub skipped: bool,
    /// How many units of a longer delimiter have matched.
    pub matched: usize,
    /// Whether such a delimiter is looked for.
    pub long: bool,
    /// Up to where `own` was searched for delimiters.
    pub cut: usize,
}

impl Cells {
    /// Reads a record.
    pub fn read(&mut self, text: &str, syntax: &Syntax) -> Result<(), Fault> {
        self.cells.clear();
        self.own.clear();
        let ends_early = memchr::memchr(RECORD_END_BYTES[0], text.as_bytes())
            .is_some_and(|at| text[at..].contains('\u{ffff}'));
        if syntax.wide || ends_early {
            Tokenizer::<true>::new(text, syntax, self).record()
        } else {
            Tokenizer::<false>::new(text, syntax, self).record()
        }
    }
}

/// White space is every unit up to the blank.
#[inline(always)]
pub(super) fn blank(unit: u32) -> bool {
    unit <= u32::from(b' ')
}

impl<'a, const WIDE: bool> Tokenizer<'a, WIDE> {
    fn new(text: &'a str, syntax: &'a Syntax, out: &'a mut Cells) -> Self {
        Self {
            syntax,
            text,
            out,
            ch: 0,
            at: 0,
            next: 0,
            prev: 0,
            unescaped: false,
            value: 0,
            trim: false,
            skipped: false,
            matched: 0,
            long: false,
            cut: 0,
        }
    }

    fn record(mut self) -> Result<(), Fault> {
        let read = self.cells();
        match read {
            Ok(()) if self.out.cells.is_empty() => Err(Fault::NoRecord),
            Ok(()) => Ok(()),
            Err(Stop::End) => match self.last_cell() {
                Ok(()) => Ok(()),
                Err(Stop::Fault(fault)) => Err(fault),
                Err(Stop::End) => Err(Fault::NoRecord),
            },
            Err(Stop::Fault(fault)) => Err(fault),
        }
    }

    fn cells(&mut self) -> Result<(), Stop> {
        if self.text.is_empty() {
            return Err(Stop::Fault(Fault::NoRecord));
        }
        self.step()?;
        // Records without anything in them are passed over.
        while self.ch == RECORD_END {
            if self.next == self.text.len() {
                return Err(Stop::Fault(Fault::NoRecord));
            }
            self.step()?;
        }
        if self.ch == self.syntax.comment {
            return Err(Stop::Fault(Fault::NoRecord));
        }
        if self.syntax.delimiter.len() == 1 { self.short_delimiter() } else { self.long_delimiter() }
    }

    fn short_delimiter(&mut self) -> Result<(), Stop> {
        let delimiter = self.syntax.delimiter[0];
        while self.ch != RECORD_END {
            if self.syntax.trim_leading && blank(self.ch) {
                self.skip_blanks()?;
            }
            if self.ch == delimiter || self.ch == RECORD_END {
                self.push(Cell::Null)?;
            } else if self.ch == self.syntax.quote {
                self.begin_value();
                if !self.plain_quoted()? {
                    self.trim = false;
                    self.quoted(delimiter)?;
                    self.quoted_value()?;
                }
            } else {
                self.begin_value();
                self.unquoted(delimiter)?;
            }
            if self.ch != RECORD_END {
                self.step()?;
                if self.ch == RECORD_END {
                    self.push(Cell::Null)?;
                }
            }
        }
        Ok(())
    }

    /// From the current unit to a delimiter or the end.
    #[inline(always)]
    fn unquoted(&mut self, delimiter: u32) -> Result<(), Stop> {
        let start = self.at;
        match self.find(start, delimiter) {
            Some(end) => {
                self.push_slice(start, end, Cell::Null)?;
                self.next = end;
                self.step()
            }
            None => {
                let end = self.text.len();
                self.push_slice(start, end, Cell::Empty)?;
                self.done()
            }
        }
    }

    /// A value between quotes without anything special in it, followed by a delimiter or the end; false, and
    /// nothing done, where it is none.
    #[inline(always)]
    fn plain_quoted(&mut self) -> Result<bool, Stop> {
        if WIDE {
            return Ok(false);
        }
        let (syntax, bytes) = (self.syntax, self.text.as_bytes());
        let start = self.next;
        let special = [syntax.quote as u8, syntax.escape as u8, syntax.escape_escape as u8];
        // NUL takes the place of an escape that is not set: it is rare, and seen to where it matters.
        let found = match (syntax.escape, syntax.escape_escape) {
            (0, _) => memchr::memchr(special[0], &bytes[start..]),
            (_, 0) => memchr::memchr2(special[0], special[1], &bytes[start..]),
            _ => memchr::memchr3(special[0], special[1], special[2], &bytes[start..]),
        };
        let Some(end) = found.map(|found| start + found).filter(|end| bytes[*end] == special[0]) else {
            return Ok(false);
        };
        let without_nul = || memchr::memchr(0, &bytes[start..end]).is_none();
        match bytes.get(end + 1) {
            Some(byte) if u32::from(*byte) == syntax.delimiter[0] => {
                if syntax.escape == 0 && !without_nul() && escaped_by_nul(&bytes[start..=end]) {
                    return Ok(false);
                }
                self.push_quoted_slice(start, end)?;
                self.next = end + 1;
                self.step()?;
                Ok(true)
            }
            None if syntax.escape != 0 && (syntax.escape_escape != 0 || without_nul()) => {
                self.push_quoted_slice(start, end)?;
                self.done()?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn push_quoted_slice(&mut self, start: usize, end: usize) -> Result<(), Stop> {
        let cell = if start == end { Cell::Empty } else { Cell::Slice { start, end } };
        self.push(cell)
    }

    /// Appends a part of the text, trimmed; `nothing` where nothing is left.
    #[inline(always)]
    fn push_slice(&mut self, start: usize, mut end: usize, nothing: Cell) -> Result<(), Stop> {
        if self.syntax.trim_trailing {
            let kept = self.text.as_bytes()[start..end].iter().rposition(|byte| !blank((*byte).into()));
            end = kept.map_or(start, |last| start + last + 1);
        }
        self.push(if start == end { nothing } else { Cell::Slice { start, end } })
    }

    #[inline(always)]
    pub fn push(&mut self, cell: Cell) -> Result<(), Stop> {
        if self.out.cells.len() >= self.syntax.max_columns {
            return Err(Stop::Fault(Fault::TooManyColumns));
        }
        if let Some(max) = self.syntax.max_chars {
            self.check_chars(cell, max)?;
        }
        self.out.cells.push(cell);
        Ok(())
    }

    #[cold]
    fn check_chars(&self, cell: Cell, max: usize) -> Result<(), Stop> {
        let bytes = match cell {
            Cell::Null | Cell::Empty => return Ok(()),
            Cell::Slice { start, end } => &self.text.as_bytes()[start..end],
            Cell::Own { start, end } => &self.out.own[start..end],
        };
        // UTF-16 units: one for each character, two for those of four bytes.
        let units = bytes.iter().map(|byte| usize::from(*byte & 0xc0 != 0x80) + usize::from(*byte >= 0xf0));
        if units.sum::<usize>() > max { Err(Stop::Fault(Fault::TooManyChars)) } else { Ok(()) }
    }

    fn begin_value(&mut self) {
        self.prev = 0;
        self.unescaped = false;
        self.skipped = false;
        self.value = self.out.own.len();
    }

    /// Ends the record here.
    fn done(&mut self) -> Result<(), Stop> {
        self.ch = RECORD_END;
        Ok(())
    }

    /// Goes on to the next unit.
    #[inline(always)]
    pub fn step(&mut self) -> Result<(), Stop> {
        let (ch, next) = self.unit(self.next)?;
        (self.at, self.ch, self.next) = (self.next, ch, next);
        Ok(())
    }

    /// The unit at a place and the place behind it.
    #[inline(always)]
    pub fn unit(&self, at: usize) -> Result<(u32, usize), Stop> {
        if WIDE {
            let character = self.text[at..].chars().next().ok_or(Stop::End)?;
            Ok((character.into(), at + character.len_utf8()))
        } else {
            self.text.as_bytes().get(at).map(|byte| (u32::from(*byte), at + 1)).ok_or(Stop::End)
        }
    }

    /// The first place from `start` on that holds `unit` or ends the record.
    #[inline(always)]
    fn find(&self, start: usize, unit: u32) -> Option<usize> {
        if WIDE {
            let is_end = |c: char| u32::from(c) == unit || u32::from(c) == RECORD_END;
            return self.text[start..].find(is_end).map(|found| start + found);
        }
        let byte = unit as u8;
        // Cells are mostly shorter than what a call of memchr pays for.
        let bytes = &self.text.as_bytes()[start..];
        let near = bytes.len().min(16);
        match bytes[..near].iter().position(|candidate| *candidate == byte) {
            Some(found) => Some(start + found),
            None => memchr::memchr(byte, &bytes[near..]).map(|found| start + near + found),
        }
    }

    fn skip_blanks(&mut self) -> Result<(), Stop> {
        let (mut ch, mut at, mut next) = (self.ch, self.at, self.next);
        while blank(ch) && ch != self.syntax.delimiter[0] && ch != self.syntax.quote {
            at = next;
            (ch, next) = self.unit(at)?;
        }
        (self.ch, self.at, self.next) = (ch, at, next);
        Ok(())
    }

    /// The text ended: the value that was being read is the last cell.
    fn last_cell(&mut self) -> Result<(), Stop> {
        let delimiter = if self.syntax.delimiter.len() == 1 { self.syntax.delimiter[0] } else { 0 };
        let mut closed = self.ch == self.syntax.quote && self.prev == self.syntax.quote;
        if !closed {
            if self.ch == self.syntax.quote && !self.unescaped {
                self.push_unit(self.ch);
            }
            closed = self.prev != 0 && ![delimiter, RECORD_END, self.syntax.comment_mark].contains(&self.ch);
            if self.matched > 0 {
                self.give_back_matched();
                closed = true;
            }
        }
        if closed || self.out.own.len() > self.value { self.end_value() } else { self.push(Cell::Null) }
    }
}

/// Whether a NUL stands before another one or before the quote at the end.
fn escaped_by_nul(bytes: &[u8]) -> bool {
    bytes.windows(2).enumerate().any(|(at, pair)| pair[0] == 0 && (pair[1] == 0 || at + 2 == bytes.len()))
}
