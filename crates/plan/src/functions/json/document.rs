//! The outermost level of a JSON document: how many items an array has, which names an object has.
//!
//! The whole document is checked. Single quotes are accepted, as Spark's functions on JSON text accept them.

/// Documents nested deeper are refused.
const MAX_DEPTH: usize = 500;

/// What a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outline {
    /// With so many items.
    Array(usize),
    /// With these names, repeated ones included.
    Object(Vec<String>),
    /// A text, number or word.
    Scalar,
}

impl Outline {
    /// Reads one document with nothing but white space behind it.
    pub fn of(text: &str) -> Option<Self> {
        let mut parser = Parser { bytes: text.as_bytes(), text, at: 0 };
        let outline = parser.value(0)?;
        parser.blanks();
        (parser.at == parser.bytes.len()).then_some(outline)
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn blanks(&mut self) {
        while matches!(self.bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Option<Outline> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.blanks();
        match *self.bytes.get(self.at)? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            b'"' | b'\'' => self.string().map(|_| Outline::Scalar),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str) -> Option<Outline> {
        let found = self.text[self.at..].starts_with(word);
        self.at += word.len();
        found.then_some(Outline::Scalar)
    }

    fn object(&mut self, depth: usize) -> Option<Outline> {
        self.at += 1;
        let mut names = Vec::new();
        self.blanks();
        if self.eat(b'}') {
            return Some(Outline::Object(names));
        }
        loop {
            self.blanks();
            names.push(self.string()?);
            self.blanks();
            if !self.eat(b':') {
                return None;
            }
            self.value(depth + 1)?;
            self.blanks();
            if self.eat(b'}') {
                return Some(Outline::Object(names));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Outline> {
        self.at += 1;
        self.blanks();
        if self.eat(b']') {
            return Some(Outline::Array(0));
        }
        let mut count = 0;
        loop {
            self.value(depth + 1)?;
            count += 1;
            self.blanks();
            if self.eat(b']') {
                return Some(Outline::Array(count));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn string(&mut self) -> Option<String> {
        let quote = *self.bytes.get(self.at).filter(|b| matches!(b, b'"' | b'\''))?;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.bytes[self.at..];
            let plain = rest.iter().position(|b| *b == quote || *b == b'\\' || *b < b' ')?;
            out.push_str(&self.text[self.at..self.at + plain]);
            self.at += plain + 1;
            match rest[plain] {
                b'\\' => out.push(self.escape()?),
                end if end == quote => return Some(out),
                _ => return None,
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let letter = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(match letter {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'"' | b'\\' | b'/' | b'\'' => char::from(letter),
            b'u' => {
                let high = self.unit()?;
                if !(0xD800..0xDC00).contains(&high) || !self.text[self.at..].starts_with("\\u") {
                    return Some(char::from_u32(u32::from(high)).unwrap_or('?'));
                }
                self.at += 2;
                let low = self.unit()?;
                char::decode_utf16([high, low]).next()?.unwrap_or('?')
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        u16::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self) -> Option<Outline> {
        self.eat(b'-');
        let whole = self.digits();
        if whole == 0 || (whole > 1 && self.bytes[self.at - whole] == b'0') {
            return None;
        }
        if self.eat(b'.') && self.digits() == 0 {
            return None;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _ = self.eat(b'+') || self.eat(b'-');
            if self.digits() == 0 {
                return None;
            }
        }
        Some(Outline::Scalar)
    }

    fn digits(&mut self) -> usize {
        let count = self.bytes[self.at..].iter().take_while(|b| b.is_ascii_digit()).count();
        self.at += count;
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_outermost_level_is_told_but_all_of_it_is_checked() {
        assert_eq!(Outline::of(" [1, [2, 3], {\"a\": 1e3}] "), Some(Outline::Array(3)));
        let names = vec!["a\u{1F600}".to_owned(), "b".to_owned(), "b".to_owned()];
        assert_eq!(Outline::of("{\"a\\ud83d\\ude00\":[],'b':1,\"b\":null}"), Some(Outline::Object(names)));
        assert_eq!(Outline::of("-1.5"), Some(Outline::Scalar));
        for bad in ["", "{", "[1,]", "01", "1.", "{\"a\"}", "tru", "1 2", "\"\n\"", "\"\\x\"", "\"\\u12"] {
            assert_eq!(Outline::of(bad), None, "{bad}");
        }
        assert_eq!(Outline::of(&"[".repeat(100_000)), None);
    }
}
