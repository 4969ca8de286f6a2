//! Quoted cells in all their forms, and delimiters of several characters.
//!
//! What is written here is univocity's reading of text that RFC 4180 does not define; Spark's users see its
//! results, so each step is kept, also where it surprises: a character that escapes the escape is dropped
//! when it escapes nothing; after `"a"\` a delimiter is swallowed; with a delimiter of several characters a
//! quote that ends the text is doubled. Where univocity calls itself again, this loops, so that a record of a
//! million quotes takes no stack and no more than linear time. Two differences: with SKIP_VALUE and a
//! delimiter of several characters univocity fails with an index out of bounds; here the value is null. With
//! such a delimiter it trims the last value or not by what the record before held; here it is always trimmed.

use super::options::UnescapedQuotes;
use super::syntax::RECORD_END;
use super::tokenizer::{Cell, Fault, Stop, Tokenizer, blank};

/// How a step of a quoted value goes on.
enum Flow {
    Next,
    /// The value ended.
    Ended,
    /// A new part of the value begins, as behind an opening quote.
    Again,
}

impl<const WIDE: bool> Tokenizer<'_, WIDE> {
    /// Reads a quoted value into `own`, from its quote to the delimiter behind it.
    pub fn quoted(&mut self, delimiter: u32) -> Result<(), Stop> {
        let syntax = self.syntax;
        'part: loop {
            if self.prev != 0 && syntax.until_delimiter() {
                return self.rest_of_unquoted(delimiter);
            }
            self.step()?;
            loop {
                if self.prev == syntax.quote {
                    if blank(self.ch) || self.ch == RECORD_END {
                        break;
                    }
                    if self.is_delimiter(delimiter)? {
                        return Ok(());
                    }
                }
                match self.quoted_step(delimiter)? {
                    Flow::Next => {}
                    Flow::Ended => return Ok(()),
                    Flow::Again => continue 'part,
                }
            }
            match self.behind_quote(delimiter)? {
                Flow::Again => {}
                _ => return Ok(()),
            }
        }
    }

    fn quoted_step(&mut self, delimiter: u32) -> Result<Flow, Stop> {
        let syntax = self.syntax;
        if self.ch != syntax.quote && self.ch != syntax.escape {
            if self.prev == syntax.quote {
                return self.unescaped_quote(delimiter);
            }
            if self.prev == syntax.escape && syntax.escape != 0 {
                self.push_unit(syntax.escape);
            }
            self.copy_until_special()?;
            self.prev = self.ch;
            self.step()?;
            return Ok(Flow::Next);
        }
        if self.quote_or_escape() {
            self.value_with_escapes(delimiter)?;
        }
        self.prev = self.ch;
        self.step()?;
        if self.unescaped && (self.ch == RECORD_END || self.is_delimiter(delimiter)?) {
            return Ok(Flow::Ended);
        }
        Ok(Flow::Next)
    }

    /// The closing quote is followed by something that is neither blank nor delimiter.
    fn unescaped_quote(&mut self, delimiter: u32) -> Result<Flow, Stop> {
        self.unescaped = true;
        match self.syntax.unescaped {
            UnescapedQuotes::BackToDelimiter => {
                self.cut_at_delimiters(delimiter)?;
                self.push_unit(self.ch);
                self.prev = 0;
                Ok(Flow::Again)
            }
            UnescapedQuotes::StopAtClosingQuote | UnescapedQuotes::StopAtDelimiter => {
                self.push_unit(self.syntax.quote);
                self.push_unit(self.ch);
                self.prev = self.ch;
                Ok(Flow::Again)
            }
            UnescapedQuotes::SkipValue => self.skip_value(delimiter).map(|()| Flow::Ended),
            UnescapedQuotes::RaiseError => Err(Stop::Fault(Fault::UnescapedQuote)),
        }
    }

    /// White space behind the closing quote: ignored before a delimiter, else part of the value.
    fn behind_quote(&mut self, delimiter: u32) -> Result<Flow, Stop> {
        if self.ch == RECORD_END || self.is_delimiter_behind_quote(delimiter)? {
            return Ok(Flow::Ended);
        }
        let (start, mut end) = (self.at, self.at);
        while blank(self.ch) {
            end = self.next;
            self.step()?;
            if self.ch == RECORD_END || self.is_delimiter_behind_quote(delimiter)? {
                return Ok(Flow::Ended);
            }
        }
        if self.syntax.unescaped == UnescapedQuotes::RaiseError {
            return Err(Stop::Fault(Fault::UnescapedQuote));
        }
        if self.syntax.unescaped == UnescapedQuotes::SkipValue {
            return self.skip_value(delimiter).map(|()| Flow::Ended);
        }
        self.push_unit(self.syntax.quote);
        self.push_text(start, end);
        if self.syntax.until_delimiter() || (self.ch != self.syntax.quote && self.ch != self.syntax.escape) {
            self.push_unit(self.ch);
        }
        self.prev = self.ch;
        // From here on a long delimiter is looked for no more.
        self.long = false;
        Ok(Flow::Again)
    }

    /// A quote or an escape inside of the value. True where a quote before it was not escaped.
    fn quote_or_escape(&mut self) -> bool {
        let syntax = self.syntax;
        if self.ch == syntax.escape && self.prev == syntax.escape_escape && syntax.escape_escape != 0 {
            self.push_unit(syntax.escape);
            self.ch = 0;
        } else if self.prev == syntax.escape {
            if self.ch == syntax.quote {
                self.push_unit(syntax.quote);
                self.ch = 0;
            } else {
                self.push_unit(self.prev);
            }
        } else if self.ch == syntax.quote && self.prev == syntax.quote {
            self.push_unit(syntax.quote);
        } else if self.prev == syntax.quote {
            return true;
        }
        false
    }

    /// An escape right behind a closing quote: the value goes on to a delimiter, with escapes. Each further
    /// such escape swallows a delimiter.
    fn value_with_escapes(&mut self, delimiter: u32) -> Result<(), Stop> {
        let mut swallowed = 0usize;
        if self.begin_part_with_escapes(delimiter)? {
            return Ok(());
        }
        loop {
            while self.ch != RECORD_END && self.ch != delimiter {
                if self.ch != self.syntax.quote && self.ch != self.syntax.escape {
                    if self.prev == self.syntax.quote {
                        if self.begin_part_with_escapes(delimiter)? {
                            return Ok(());
                        }
                        continue;
                    }
                    self.push_unit(self.ch);
                } else if self.quote_or_escape() {
                    swallowed += 1;
                    if self.begin_part_with_escapes(delimiter)? {
                        return Ok(());
                    }
                    continue;
                }
                self.prev = self.ch;
                self.step()?;
            }
            if swallowed == 0 {
                return Ok(());
            }
            swallowed -= 1;
            self.prev = self.ch;
            self.step()?;
        }
    }

    /// True where the value is skipped instead.
    fn begin_part_with_escapes(&mut self, delimiter: u32) -> Result<bool, Stop> {
        match self.syntax.unescaped {
            UnescapedQuotes::SkipValue => self.skip_value(delimiter).map(|()| true),
            UnescapedQuotes::RaiseError => Err(Stop::Fault(Fault::UnescapedQuote)),
            _ => {
                self.push_unit(self.syntax.quote);
                self.prev = self.ch;
                Ok(false)
            }
        }
    }

    /// A value that was not quoted after all: its quote comes back, and it ends at the delimiter.
    fn rest_of_unquoted(&mut self, delimiter: u32) -> Result<(), Stop> {
        if self.syntax.unescaped == UnescapedQuotes::SkipValue {
            return self.skip_value(delimiter);
        }
        let mut quote = [0; 4];
        let quote = Self::encode(self.syntax.quote, &mut quote);
        self.out.own.splice(self.value..self.value, quote.iter().copied());
        self.step()?;
        self.trim = self.syntax.trim_trailing;
        self.copy_until_delimiter(delimiter)
    }

    fn skip_value(&mut self, delimiter: u32) -> Result<(), Stop> {
        self.skipped = true;
        self.copy_until_delimiter(delimiter)
    }

    /// What was read so far is cut at its delimiters; the last part stays the current value.
    fn cut_at_delimiters(&mut self, delimiter: u32) -> Result<(), Stop> {
        let mut pattern = Vec::new();
        let mut buffer = [0; 4];
        if self.syntax.delimiter.len() == 1 {
            pattern.extend_from_slice(Self::encode(delimiter, &mut buffer));
        } else {
            for unit in &self.syntax.delimiter {
                pattern.extend_from_slice(Self::encode(*unit, &mut buffer));
            }
        }
        // What was looked at when a quote before was not escaped is not looked at again.
        let mut from = self.cut.max(self.value);
        let end = self.out.own.len();
        while let Some(found) = memchr::memmem::find(&self.out.own[from..end], &pattern) {
            self.push(Cell::Own { start: self.value, end: from + found })?;
            from += found + pattern.len();
            self.value = from;
        }
        self.cut = from.max((end + 1).saturating_sub(pattern.len()));
        Ok(())
    }

    /// Copies to the next quote or escape, which becomes the current unit.
    fn copy_until_special(&mut self) -> Result<(), Stop> {
        let syntax = self.syntax;
        let start = self.at;
        let (mut ch, mut at, mut next) = (self.ch, self.at, self.next);
        while ch != syntax.quote && ch != syntax.escape && ch != syntax.escape_escape {
            at = next;
            match self.unit(at) {
                Ok(found) => (ch, next) = found,
                Err(stop) => {
                    // The current unit stays what it was: the end looks at it.
                    self.push_text(start, at);
                    return Err(stop);
                }
            }
        }
        self.push_text(start, at);
        (self.ch, self.at, self.next) = (ch, at, next);
        Ok(())
    }

    /// Copies to the next delimiter, of whatever length.
    fn copy_until_delimiter(&mut self, delimiter: u32) -> Result<(), Stop> {
        if self.long {
            return self.copy_until_long_delimiter();
        }
        let start = self.at;
        let (mut ch, mut at, mut next) = (self.ch, self.at, self.next);
        while ch != delimiter && ch != RECORD_END {
            at = next;
            match self.unit(at) {
                Ok(found) => (ch, next) = found,
                Err(stop) => {
                    self.push_text(start, at);
                    return Err(stop);
                }
            }
        }
        self.push_text(start, at);
        (self.ch, self.at, self.next) = (ch, at, next);
        Ok(())
    }

    fn push_text(&mut self, start: usize, end: usize) {
        let text = self.text;
        self.out.own.extend_from_slice(&text.as_bytes()[start..end]);
    }

    pub fn push_unit(&mut self, unit: u32) {
        let mut buffer = [0; 4];
        let bytes = Self::encode(unit, &mut buffer);
        self.out.own.extend_from_slice(bytes);
    }

    fn encode(unit: u32, buffer: &mut [u8; 4]) -> &[u8] {
        if WIDE {
            char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER).encode_utf8(buffer).as_bytes()
        } else {
            buffer[0] = unit as u8;
            &buffer[..1]
        }
    }

    /// Ends a quoted value, unless all of it was cut off already.
    pub fn quoted_value(&mut self) -> Result<(), Stop> {
        let cut_off = self.unescaped && self.syntax.unescaped == UnescapedQuotes::BackToDelimiter;
        if cut_off && self.out.own.len() == self.value { Ok(()) } else { self.end_value() }
    }

    /// The value gathered in `own` is a cell.
    pub fn end_value(&mut self) -> Result<(), Stop> {
        let start = self.value;
        let mut end = self.out.own.len();
        if self.trim {
            let kept = self.out.own[start..].iter().rposition(|byte| !blank((*byte).into()));
            end = kept.map_or(start, |last| start + last + 1);
        }
        self.value = self.out.own.len();
        self.push(match (self.skipped, start == end) {
            (true, _) => Cell::Null,
            (false, true) => Cell::Empty,
            (false, false) => Cell::Own { start, end },
        })
    }
}

/// Delimiters of several characters.
impl<const WIDE: bool> Tokenizer<'_, WIDE> {
    pub fn long_delimiter(&mut self) -> Result<(), Stop> {
        while self.ch != RECORD_END {
            if self.syntax.trim_leading && blank(self.ch) {
                self.skip_blanks_before_long_delimiter()?;
            }
            if self.ch == RECORD_END || self.match_delimiter()? {
                self.push(Cell::Null)?;
            } else {
                self.prev = 0;
                self.unescaped = false;
                self.skipped = false;
                self.long = true;
                if self.ch == self.syntax.quote && self.out.own.len() == self.value {
                    self.trim = false;
                    // The delimiter of one character that parts of the quoted forms look for does not exist.
                    self.quoted(0)?;
                    self.quoted_value()?;
                } else {
                    self.trim = self.syntax.trim_trailing;
                    self.copy_until_long_delimiter()?;
                    self.end_value()?;
                }
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

    /// Whether a delimiter stands here; a long one is taken.
    fn is_delimiter(&mut self, short: u32) -> Result<bool, Stop> {
        if self.long { self.match_delimiter() } else { Ok(self.ch == short) }
    }

    /// The same; what matched of a long one, but not all, is kept in mind.
    fn is_delimiter_behind_quote(&mut self, short: u32) -> Result<bool, Stop> {
        if self.long { self.match_after_quote() } else { Ok(self.ch == short) }
    }

    /// Takes the delimiter that begins at the current unit; what matched of it else belongs to the value.
    fn match_delimiter(&mut self) -> Result<bool, Stop> {
        let taken = self.match_after_quote()?;
        if !taken {
            self.give_back_matched();
        }
        Ok(taken)
    }

    fn match_after_quote(&mut self) -> Result<bool, Stop> {
        while self.matched < self.syntax.delimiter.len() && self.ch == self.syntax.delimiter[self.matched] {
            self.matched += 1;
            if self.matched == self.syntax.delimiter.len() {
                self.matched = 0;
                return Ok(true);
            }
            self.step()?;
        }
        Ok(false)
    }

    pub fn give_back_matched(&mut self) {
        for index in 0..std::mem::take(&mut self.matched) {
            self.push_unit(self.syntax.delimiter[index]);
        }
    }

    fn copy_until_long_delimiter(&mut self) -> Result<(), Stop> {
        while self.ch != RECORD_END {
            if self.ch == self.syntax.delimiter[self.matched] {
                self.matched += 1;
                if self.matched == self.syntax.delimiter.len() {
                    self.matched = 0;
                    return Ok(());
                }
            } else if self.matched > 0 {
                self.give_back_matched();
                continue;
            } else {
                self.push_unit(self.ch);
            }
            self.step()?;
        }
        self.give_back_matched();
        Ok(())
    }

    fn skip_blanks_before_long_delimiter(&mut self) -> Result<(), Stop> {
        while blank(self.ch) && self.ch != self.syntax.quote {
            self.step()?;
            if self.ch == RECORD_END {
                break;
            }
            if self.ch == self.syntax.delimiter[self.matched] && self.match_delimiter()? {
                self.push(Cell::Null)?;
                self.step()?;
            }
        }
        self.give_back_matched();
        Ok(())
    }
}
