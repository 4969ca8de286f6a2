//! A JSON document as written: names may repeat and keep their order, numbers keep their digits.
//!
//! Single quotes are accepted, as Spark's path functions accept them. Nesting is limited.

use millstream_columnar::text::append_f64;

/// Deeper documents are refused.
const MAX_DEPTH: usize = 500;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// As Spark prints it: integers as written, others as Java prints the double.
    Number(String),
    /// Unescaped.
    Text(String),
    /// In order.
    Array(Vec<Node>),
    /// In order, repeated names included.
    Object(Vec<(String, Node)>),
}

impl Node {
    /// Parses one document with nothing but white space behind it.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { bytes: text.as_bytes(), text, at: 0 };
        let node = parser.value(0)?;
        parser.blanks();
        (parser.at == parser.bytes.len()).then_some(node)
    }

    /// Appends it as compact JSON.
    pub fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Boolean(true) => out.push_str("true"),
            Self::Boolean(false) => out.push_str("false"),
            Self::Number(digits) => out.push_str(digits),
            Self::Text(text) => write_quoted(text, out),
            Self::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Self::Object(fields) => {
                out.push('{');
                for (i, (name, value)) in fields.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_quoted(name, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }

    /// Text without quotes, anything else as JSON; none for null.
    pub fn into_result(self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Text(text) => Some(text),
            other => {
                let mut out = String::new();
                other.write(&mut out);
                Some(out)
            }
        }
    }
}

fn write_quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
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

    fn value(&mut self, depth: usize) -> Option<Node> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.blanks();
        match *self.bytes.get(self.at)? {
            b'{' => self.object(depth),
            b'[' => self.array(depth),
            quote @ (b'"' | b'\'') => self.string(quote).map(Node::Text),
            b't' => self.word("true", Node::Boolean(true)),
            b'f' => self.word("false", Node::Boolean(false)),
            b'n' => self.word("null", Node::Null),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str, node: Node) -> Option<Node> {
        self.text[self.at..].starts_with(word).then(|| {
            self.at += word.len();
            node
        })
    }

    fn object(&mut self, depth: usize) -> Option<Node> {
        self.at += 1;
        let mut fields = Vec::new();
        self.blanks();
        if self.eat(b'}') {
            return Some(Node::Object(fields));
        }
        loop {
            self.blanks();
            let quote = *self.bytes.get(self.at).filter(|b| matches!(b, b'"' | b'\''))?;
            let name = self.string(quote)?;
            self.blanks();
            if !self.eat(b':') {
                return None;
            }
            fields.push((name, self.value(depth + 1)?));
            self.blanks();
            if self.eat(b'}') {
                return Some(Node::Object(fields));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn array(&mut self, depth: usize) -> Option<Node> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.eat(b']') {
            return Some(Node::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.blanks();
            if self.eat(b']') {
                return Some(Node::Array(items));
            }
            if !self.eat(b',') {
                return None;
            }
        }
    }

    fn string(&mut self, quote: u8) -> Option<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.bytes[self.at..];
            let plain = rest.iter().position(|b| *b == quote || *b == b'\\' || *b < b' ')?;
            out.push_str(&self.text[self.at..self.at + plain]);
            self.at += plain + 1;
            match rest[plain] {
                b'\\' => self.escape(&mut out)?,
                end if end == quote => return Some(out),
                _ => return None,
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Option<()> {
        let letter = *self.bytes.get(self.at)?;
        self.at += 1;
        out.push(match letter {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'"' | b'\\' | b'/' | b'\'' => char::from(letter),
            b'u' => {
                let high = self.unit()?;
                let low = (0xD800..0xDC00).contains(&high) && self.text[self.at..].starts_with("\\u");
                if low {
                    self.at += 2;
                    let low = self.unit()?;
                    let pair = char::decode_utf16([high, low]).next()?;
                    pair.unwrap_or('?')
                } else {
                    char::from_u32(u32::from(high)).unwrap_or('?')
                }
            }
            _ => return None,
        });
        Some(())
    }

    fn unit(&mut self) -> Option<u16> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        u16::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self) -> Option<Node> {
        let start = self.at;
        self.eat(b'-');
        let whole = self.digits();
        if whole == 0 || (whole > 1 && self.bytes[self.at - whole] == b'0') {
            return None;
        }
        let mut integer = true;
        if self.eat(b'.') {
            integer = false;
            if self.digits() == 0 {
                return None;
            }
        }
        if self.eat(b'e') || self.eat(b'E') {
            integer = false;
            let _ = self.eat(b'+') || self.eat(b'-');
            if self.digits() == 0 {
                return None;
            }
        }
        let text = &self.text[start..self.at];
        if integer {
            return Some(Node::Number(text.to_owned()));
        }
        let mut shown = String::new();
        append_f64(text.parse().ok()?, &mut shown);
        Some(Node::Number(shown))
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

    fn rewritten(text: &str) -> Option<String> {
        let mut out = String::new();
        Node::parse(text)?.write(&mut out);
        Some(out)
    }

    #[test]
    fn documents_come_out_compact_with_their_numbers_and_names_kept() {
        let text = " {\"a\" : [1, 12345678901234567890, 1e3], \"a\":'x'} ";
        let compact = "{\"a\":[1,12345678901234567890,1000.0],\"a\":\"x\"}";
        assert_eq!(rewritten(text).as_deref(), Some(compact));
        assert_eq!(rewritten("\"\\ud83d\\ude00\\u0001\"").as_deref(), Some("\"\u{1F600}\\u0001\""));
        for bad in ["", "{", "[1,]", "01", "1.", "{\"a\"}", "tru", "1 2", "\"\n\"", "\"\\x\""] {
            assert_eq!(rewritten(bad), None, "{bad}");
        }
        assert_eq!(rewritten(&"[".repeat(100_000)), None);
    }
}
