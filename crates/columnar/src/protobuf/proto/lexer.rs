//! The words of a `.proto` text.
//!
//! | token | text |
//! |---|---|
//! | word | a letter or `_`, then letters, digits and `_` |
//! | integer | decimal, `0x` and hexadecimal, `0` and octal |
//! | float | digits with a point or an exponent |
//! | string | between `'` or `"`, on one line, with C's escapes |
//! | symbol | any other ASCII character that is not blank |
//!
//! Comments are `// ...` and `/* ... */`.

use crate::{Error, Result};

/// A word of the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    Word(&'a str),
    Integer(u64),
    /// As written.
    Float(&'a str),
    /// Its bytes, which need not be UTF-8.
    String(Vec<u8>),
    Symbol(u8),
    End,
}

/// Where in the text.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { text: text.strip_prefix('\u{FEFF}').unwrap_or(text), at: 0 }
    }

    /// What is wrong with the last word.
    #[cold]
    pub fn error(&self, why: impl Into<String>) -> Error {
        let before = &self.text.as_bytes()[..self.at.min(self.text.len())];
        Error::BadProto { line: 1 + before.iter().filter(|b| **b == b'\n').count(), why: why.into() }
    }

    pub fn next(&mut self) -> Result<Token<'a>> {
        self.pass_blanks()?;
        let bytes = self.text.as_bytes();
        let start = self.at;
        let Some(first) = bytes.get(start).copied() else { return Ok(Token::End) };
        match first {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                self.pass(|b| b.is_ascii_alphanumeric() || b == b'_');
                Ok(Token::Word(&self.text[start..self.at]))
            }
            b'0'..=b'9' => self.number(),
            b'.' if bytes.get(start + 1).is_some_and(u8::is_ascii_digit) => self.number(),
            b'"' | b'\'' => self.string(first),
            0x21..=0x7E => {
                self.at += 1;
                Ok(Token::Symbol(first))
            }
            _ => Err(self.error("a character that has no meaning here")),
        }
    }

    fn pass(&mut self, is_part: impl Fn(u8) -> bool) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().position(|b| !is_part(*b)).unwrap_or(rest.len());
    }

    fn pass_blanks(&mut self) -> Result<()> {
        loop {
            self.pass(|b| b.is_ascii_whitespace() || b == 0x0B);
            let rest = &self.text[self.at..];
            if rest.starts_with("//") {
                self.pass(|b| b != b'\n');
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let end = comment.find("*/").ok_or_else(|| self.error("a comment that does not end"))?;
                self.at += end + 4;
            } else {
                return Ok(());
            }
        }
    }

    fn number(&mut self) -> Result<Token<'a>> {
        let start = self.at;
        // A sign belongs to it behind an exponent's letter.
        let bytes = self.text.as_bytes();
        let is_hex = bytes[start] == b'0' && matches!(bytes.get(start + 1), Some(b'x' | b'X'));
        while let Some(byte) = bytes.get(self.at) {
            let signed = matches!(byte, b'+' | b'-') && !is_hex && matches!(bytes[self.at - 1], b'e' | b'E');
            let first = self.at == start;
            if !(byte.is_ascii_alphanumeric() || *byte == b'.' || (signed && !first)) {
                break;
            }
            self.at += 1;
        }
        let text = &self.text[start..self.at];
        let integer = if is_hex {
            u64::from_str_radix(&text[2..], 16).ok()
        } else if text.len() > 1 && text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()) {
            u64::from_str_radix(&text[1..], 8).ok()
        } else {
            text.parse().ok()
        };
        match integer {
            Some(integer) => Ok(Token::Integer(integer)),
            // An integer beyond 64 bits is a float, as for protoc.
            None if !is_hex && text.parse::<f64>().is_ok() => Ok(Token::Float(text)),
            None => Err(self.error(format!("{text} is no number"))),
        }
    }

    fn string(&mut self, quote: u8) -> Result<Token<'a>> {
        let bytes = self.text.as_bytes();
        let mut out = Vec::new();
        self.at += 1;
        loop {
            let rest = &bytes[self.at..];
            match rest {
                [] | [b'\n', ..] => return Err(self.error("a string that does not end")),
                [b'\\', ..] => {
                    let (used, escaped) = escape(rest).ok_or_else(|| self.error("an escape that is none"))?;
                    out.extend_from_slice(&escaped);
                    self.at += used;
                }
                [byte, ..] => {
                    self.at += 1;
                    if *byte == quote {
                        return Ok(Token::String(out));
                    }
                    out.push(*byte);
                }
            }
        }
    }
}

/// The bytes that an escape takes and gives.
fn escape(rest: &[u8]) -> Option<(usize, Vec<u8>)> {
    let digits = |from: usize, most: usize, is_digit: fn(&u8) -> bool| {
        let text: String =
            rest.iter().skip(from).take(most).take_while(|b| is_digit(b)).map(|b| char::from(*b)).collect();
        (!text.is_empty()).then_some(text)
    };
    let one = |byte: u8| Some((2, vec![byte]));
    match rest.get(1)? {
        b'a' => one(7),
        b'b' => one(8),
        b'f' => one(12),
        b'n' => one(b'\n'),
        b'r' => one(b'\r'),
        b't' => one(b'\t'),
        b'v' => one(11),
        other @ (b'\\' | b'\'' | b'"' | b'?') => one(*other),
        b'0'..=b'7' => {
            let text = digits(1, 3, |b| matches!(b, b'0'..=b'7'))?;
            Some((1 + text.len(), vec![u8::from_str_radix(&text, 8).ok()?]))
        }
        b'x' | b'X' => {
            let text = digits(2, 2, u8::is_ascii_hexdigit)?;
            Some((2 + text.len(), vec![u8::from_str_radix(&text, 16).ok()?]))
        }
        letter @ (b'u' | b'U') => {
            let length = if *letter == b'u' { 4 } else { 8 };
            let text = digits(2, length, u8::is_ascii_hexdigit).filter(|text| text.len() == length)?;
            let found = char::from_u32(u32::from_str_radix(&text, 16).ok()?)?;
            Some((2 + length, found.to_string().into_bytes()))
        }
        _ => None,
    }
}
