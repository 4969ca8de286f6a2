//! The tokenizer: one document's bytes, a position, and Jackson's rules of what is JSON.
//!
//! Documents are valid UTF-8 when they arrive here. Nesting, numbers, names and strings are limited by
//! [`JsonLimits`]; what is over a limit is a document that is not JSON. Positions lie inside of the document, so
//! that the sums of the hottest lines need no check for overflow.

use super::gap::Gaps;
use crate::json::escape::unicode_unit;
use crate::json::scan;
use crate::json::{JsonLimits, JsonReadOptions};

/// A document that is not JSON. Small enough for two registers, because every step can return it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::json) struct Bad {
    pub what: &'static &'static str,
    pub at: u32,
}

/// Which syntax beyond the standard is accepted.
#[derive(Debug, Clone, Copy)]
pub(in crate::json) struct Syntax {
    pub comments: bool,
    pub unquoted_names: bool,
    pub single_quotes: bool,
    pub leading_zeros: bool,
    pub any_escape: bool,
    pub control_chars: bool,
    pub non_numeric: bool,
    pub limits: JsonLimits,
}

impl From<&JsonReadOptions> for Syntax {
    fn from(options: &JsonReadOptions) -> Self {
        Self {
            comments: options.allow_comments,
            unquoted_names: options.allow_unquoted_field_names,
            single_quotes: options.allow_single_quotes,
            leading_zeros: options.allow_numeric_leading_zeros,
            any_escape: options.allow_backslash_escaping_any_character,
            control_chars: options.allow_unquoted_control_chars,
            non_numeric: options.allow_non_numeric_numbers,
            limits: options.limits,
        }
    }
}

/// A string's place: between its quotes.
#[derive(Debug, Clone, Copy)]
pub(in crate::json) struct Quoted {
    pub start: usize,
    pub end: usize,
    /// It has escapes; the value differs from the text.
    pub escaped: bool,
}

/// The tokenizer. Reused from document to document.
#[derive(Debug)]
pub(in crate::json) struct Parser<'a> {
    pub text: &'a [u8],
    pub at: usize,
    pub syntax: Syntax,
    pub depth: usize,
    /// Arrays that a failed conversion left open around the position; see `object`.
    pub open_arrays: usize,
    /// For `skip_value`.
    pub(super) gaps: Gaps,
    /// Value of the last string that had escapes.
    pub unescaped: String,
    /// Whether `copy` writes all characters as they are.
    pub copies_characters: bool,
}

impl<'a> Parser<'a> {
    pub fn new(syntax: Syntax) -> Self {
        Self {
            text: &[],
            at: 0,
            syntax,
            depth: 0,
            open_arrays: 0,
            gaps: Gaps::default(),
            unescaped: String::new(),
            copies_characters: false,
        }
    }

    /// Starts on a document.
    pub fn restart(&mut self, text: &'a [u8]) {
        self.text = text;
        self.at = 0;
        self.depth = 0;
        self.open_arrays = 0;
    }

    /// Goes to a document's first token, if the document is not too long.
    #[inline(always)]
    pub fn first(&mut self) -> Result<u8, Bad> {
        if self.text.len() > self.syntax.limits.document {
            return self.bad(&"a document is too long");
        }
        self.next()
    }

    /// A fault at the position.
    #[cold]
    #[inline(never)]
    pub fn bad<T>(&self, what: &'static &'static str) -> Result<T, Bad> {
        Err(Bad { what, at: u32::try_from(self.at).unwrap_or(u32::MAX) })
    }

    /// The byte at the position; 0 at the end, which no token begins with.
    #[inline(always)]
    pub fn byte(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// Passes over white space (and comments, where they are allowed) and returns the byte there.
    #[inline(always)]
    pub fn next(&mut self) -> Result<u8, Bad> {
        let mut byte = self.byte();
        if byte == b' ' {
            self.at = self.at.wrapping_add(1);
            byte = self.byte();
        }
        if byte > b' ' && byte != b'/' { Ok(byte) } else { self.next_after_blanks() }
    }

    #[inline(never)]
    fn next_after_blanks(&mut self) -> Result<u8, Bad> {
        loop {
            match self.text.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/') if self.syntax.comments => self.comment()?,
                Some(&byte) if byte > b' ' => return Ok(byte),
                Some(_) => return self.bad(&"a control character between tokens"),
                None => return Ok(0),
            }
        }
    }

    fn comment(&mut self) -> Result<(), Bad> {
        let rest = &self.text[self.at..];
        let length = match rest.get(1) {
            Some(b'/') => memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len()),
            Some(b'*') => match memchr::memmem::find(&rest[2..], b"*/") {
                Some(end) => end + 4,
                None => return self.bad(&"a comment is not closed"),
            },
            _ => return self.bad(&"a slash outside of a string"),
        };
        self.at += length;
        Ok(())
    }

    /// Counts a container that was just entered.
    #[inline(always)]
    pub fn enter(&mut self) -> Result<(), Bad> {
        self.depth += 1;
        if self.depth > self.syntax.limits.depth { self.bad(&"nested too deep") } else { Ok(()) }
    }

    /// Goes to the next member of an object: true with the position at its name, false behind the closing
    /// brace.
    #[inline(always)]
    pub fn next_name(&mut self, first: bool) -> Result<bool, Bad> {
        match self.next()? {
            b'}' => {
                self.at += 1;
                self.depth = self.depth.saturating_sub(1);
                return Ok(false);
            }
            b',' if !first => {
                self.at = self.at.wrapping_add(1);
                self.next()?;
            }
            _ if first => {}
            _ => return self.bad(&"a comma or the end of an object is missing"),
        }
        Ok(true)
    }

    /// Goes to the next element of an array: true with the position at it, false behind the closing bracket.
    #[inline(always)]
    pub fn next_element(&mut self, first: bool) -> Result<bool, Bad> {
        match self.next()? {
            b']' => {
                self.at += 1;
                self.depth = self.depth.saturating_sub(1);
                return Ok(false);
            }
            b',' if !first => {
                self.at = self.at.wrapping_add(1);
                self.next()?;
            }
            _ if first => {}
            _ => return self.bad(&"a comma or the end of an array is missing"),
        }
        Ok(true)
    }

    /// Reads a name, quoted or not.
    #[inline(always)]
    pub fn name(&mut self) -> Result<Quoted, Bad> {
        let name = match self.byte() {
            quote @ b'"' => self.string(quote)?,
            quote @ b'\'' if self.syntax.single_quotes => self.string(quote)?,
            _ if self.syntax.unquoted_names => self.unquoted_name()?,
            _ => return self.bad(&"a name in double quotes is missing"),
        };
        if name.end - name.start > self.syntax.limits.name {
            self.bad(&"a name is too long")
        } else {
            Ok(name)
        }
    }

    /// Letters and digits of any alphabet, and `_ $ - # @ * +`.
    fn unquoted_name(&mut self) -> Result<Quoted, Bad> {
        let start = self.at;
        let ascii = |byte: u8| byte.is_ascii_alphanumeric() || b"_$-#@*+".contains(&byte);
        let length = self.text[start..].iter().take_while(|byte| **byte >= 0x80 || ascii(**byte)).count();
        let name = checked(&self.text[start..start + length]);
        self.at += name.find(|c: char| !c.is_ascii() && !c.is_alphanumeric()).unwrap_or(length);
        if self.at == start {
            return self.bad(&"a name is missing");
        }
        Ok(Quoted { start, end: self.at, escaped: false })
    }

    /// Passes over the colon and goes to the value.
    #[inline(always)]
    pub fn colon(&mut self) -> Result<(), Bad> {
        if self.next()? != b':' {
            return self.bad(&"a colon is missing");
        }
        self.at = self.at.wrapping_add(1);
        self.next()?;
        Ok(())
    }

    /// Reads a string whose opening quote is at the position.
    #[inline(always)]
    pub fn string(&mut self, quote: u8) -> Result<Quoted, Bad> {
        let start = self.at.wrapping_add(1);
        let end = scan::string_end(self.text, start, quote);
        if self.text.get(end) == Some(&quote) {
            self.at = end.wrapping_add(1);
            if end.wrapping_sub(start) > self.syntax.limits.string {
                return self.bad(&"a string is too long");
            }
            return Ok(Quoted { start, end, escaped: false });
        }
        self.string_with_escapes(start, end, quote)
    }

    #[inline(never)]
    fn string_with_escapes(&mut self, start: usize, mut end: usize, quote: u8) -> Result<Quoted, Bad> {
        let mut escaped = false;
        loop {
            self.at = end;
            match self.text.get(end) {
                Some(b'\\') => {
                    escaped = true;
                    self.at += 1;
                    self.check_escape()?;
                }
                Some(&byte) if byte == quote => {
                    self.at += 1;
                    if end - start > self.syntax.limits.string {
                        return self.bad(&"a string is too long");
                    }
                    return Ok(Quoted { start, end, escaped });
                }
                Some(_) if self.syntax.control_chars => self.at += 1,
                Some(_) => return self.bad(&"a control character in a string"),
                None => return self.bad(&"a string is not closed"),
            }
            end = scan::string_end(self.text, self.at, quote);
        }
    }

    /// The position is behind a backslash; moves behind the escape.
    fn check_escape(&mut self) -> Result<(), Bad> {
        match self.byte() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                let digits = self.text.get(self.at + 1..self.at + 5).unwrap_or_default();
                if digits.len() < 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
                    return self.bad(&"a unicode escape without four hexadecimal digits");
                }
                self.at += 5;
            }
            b'\'' if self.syntax.single_quotes => self.at += 1,
            byte if self.syntax.any_escape && self.at < self.text.len() => {
                // A whole character, so that text stays cut at character boundaries.
                self.at += match byte {
                    0xf0.. => 4,
                    0xe0.. => 3,
                    0xc0.. => 2,
                    _ => 1,
                };
            }
            _ => return self.bad(&"an unknown escape in a string"),
        }
        Ok(())
    }

    /// Reads `true`, `false` or `null`.
    #[inline(always)]
    pub fn literal(&mut self, word: &'static str) -> Result<(), Bad> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.starts_with(word.as_bytes()) {
            self.at = self.at.wrapping_add(word.len());
            return Ok(());
        }
        self.bad(&"an unknown word")
    }

    /// The value of a string: a slice of the text, or of `unescaped`.
    #[inline(always)]
    pub fn value_of(&mut self, quoted: Quoted) -> &[u8] {
        if quoted.escaped {
            self.unescape(quoted);
            self.unescaped.as_bytes()
        } else {
            &self.text[quoted.start..quoted.end]
        }
    }

    /// Writes the value of a string that has escapes to `unescaped`. A surrogate without its other half
    /// becomes `?`, as it does when Java encodes it.
    pub fn unescape(&mut self, quoted: Quoted) {
        let mut rest = &self.text[quoted.start..quoted.end];
        self.unescaped.clear();
        while let Some(at) = memchr::memchr(b'\\', rest) {
            self.unescaped.push_str(checked(&rest[..at]));
            rest = &rest[at + 1..];
            let plain = match rest.first() {
                Some(b'b') => '\u{8}',
                Some(b'f') => '\u{c}',
                Some(b'n') => '\n',
                Some(b'r') => '\r',
                Some(b't') => '\t',
                Some(b'u') => {
                    let (character, used) = unicode_escape(rest);
                    self.unescaped.push(character);
                    rest = &rest[used..];
                    continue;
                }
                // Any other character stands for itself; the rest of a longer one follows as plain text.
                Some(byte) if byte.is_ascii() => char::from(*byte),
                Some(_) => {
                    let next = memchr::memchr(b'\\', rest).unwrap_or(rest.len());
                    self.unescaped.push_str(checked(&rest[..next]));
                    rest = &rest[next..];
                    continue;
                }
                None => return,
            };
            self.unescaped.push(plain);
            rest = &rest[1..];
        }
        self.unescaped.push_str(checked(rest));
    }
}

/// The document is UTF-8 and is cut at ASCII bytes only; should it not be, nothing is taken.
fn checked(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// The character of `uXXXX`, or of two of them that are a pair, and the bytes used.
fn unicode_escape(escape: &[u8]) -> (char, usize) {
    let first = unicode_unit(escape, 1).unwrap_or(0);
    if (0xd800..0xdc00).contains(&first)
        && escape.get(5..7) == Some(b"\\u")
        && let Some(second @ 0xdc00..0xe000) = unicode_unit(escape, 7)
    {
        let code = 0x10000 + ((u32::from(first) - 0xd800) << 10) + (u32::from(second) - 0xdc00);
        return (char::from_u32(code).unwrap_or('?'), 11);
    }
    (char::from_u32(u32::from(first)).unwrap_or('?'), 5)
}
