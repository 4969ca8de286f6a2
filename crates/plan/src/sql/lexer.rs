//! SQL text as tokens, by Spark's lexical rules.
//!
//! sqlparser's tokenizer is not used: under every dialect of it, text that Spark accepts is refused or read otherwise
//! (`f(x)._a` is an error, `r'..'` is raw for BigQuery only, `N'..'` and `$$` start strings, suffixes such as `1BD`
//! become part of a word, `5.a` becomes a number). Offsets are bytes of the text, so that errors can point into it.
use super::parser::SyntaxError;

/// What a token is. Its text is the slice of the source.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A name or a keyword: letters, digits, underscores.
    Word,
    /// A name in backticks, unquoted.
    Quoted(String),
    /// A string literal, unescaped.
    String(String),
    /// A number with its suffix, if it has one.
    Number,
    /// An operator or a bracket.
    Symbol(&'static str),
    /// Behind the last token.
    End,
}

/// A token and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Token<'a> {
    pub kind: Kind,
    pub text: &'a str,
    pub start: usize,
}

impl Token<'_> {
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.kind, Kind::Symbol(s) if s == symbol)
    }

    pub fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text.eq_ignore_ascii_case(word)
    }
}

/// Longest first where one begins with another. `>` is always alone: `>>` ends two types as well as it shifts.
const SYMBOLS: [&str; 37] = [
    "<=>", "<>", "<=", "<<", ">=", "!=", "!>", "!<", "==", "=>", "->", "||", "::", "(", ")", "[", "]", "{",
    "}", ",", ".", ";", ":", "?", "=", "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "!", "~",
];

/// Splits the whole text; the last token is [`Kind::End`].
pub(super) fn tokens(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new() };
    while lexer.skip_blanks()? {
        lexer.token()?;
    }
    lexer.push(Kind::End, text.len());
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token<'a>>,
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn push(&mut self, kind: Kind, end: usize) {
        self.tokens.push(Token { kind, text: &self.text[self.at..end], start: self.at });
        self.at = end;
    }

    /// Passes over blanks and comments; false at the end of the text.
    fn skip_blanks(&mut self) -> Result<bool, SyntaxError> {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("--") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if trimmed.starts_with("/*") {
                self.at += comment_length(trimmed).ok_or_else(|| SyntaxError::unclosed_comment(self.at))?;
            } else {
                return Ok(!trimmed.is_empty());
            }
        }
    }

    fn token(&mut self) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let first = rest.chars().next().unwrap_or(' ');
        let second = rest[first.len_utf8()..].chars().next().unwrap_or(' ');
        match first {
            '\'' | '"' => self.string(0),
            'r' | 'R' if second == '\'' || second == '"' => self.string(1),
            '`' => self.quoted_name(),
            '0'..='9' => self.number_or_word(),
            '.' if second.is_ascii_digit() && !self.follows_a_value() => self.number_or_word(),
            c if is_word_part(c) => {
                let end = self.at + word_length(rest);
                self.push(Kind::Word, end);
                Ok(())
            }
            _ => self.symbol(),
        }
    }

    /// Whether a dot here selects a field: `a.1` and `f(x).1`, against the number `.1`.
    fn follows_a_value(&self) -> bool {
        self.tokens.last().is_some_and(|last| {
            last.end() == self.at
                && (matches!(last.kind, Kind::Word | Kind::Quoted(_))
                    || last.is_symbol(")")
                    || last.is_symbol("]"))
        })
    }

    fn symbol(&mut self) -> Result<(), SyntaxError> {
        let rest = self.rest();
        match SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            Some(symbol) => {
                self.push(Kind::Symbol(symbol), self.at + symbol.len());
                Ok(())
            }
            None => {
                let length = rest.chars().next().map_or(0, char::len_utf8);
                Err(SyntaxError::at(self.at, &rest[..length]))
            }
        }
    }

    /// A string literal that starts `prefix` bytes from here; with a prefix (`r`) it is raw.
    fn string(&mut self, prefix: usize) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let quote = rest.as_bytes()[prefix];
        let raw = prefix > 0;
        let mut end = prefix + 1;
        loop {
            match rest.as_bytes().get(end) {
                None => return Err(SyntaxError::at(self.at, &rest[..=prefix])),
                Some(b'\\') if !raw => end += 2,
                Some(&b) if b == quote && !raw && rest.as_bytes().get(end + 1) == Some(&quote) => end += 2,
                Some(&b) if b == quote => break,
                Some(_) => end += 1,
            }
        }
        let inside = rest.get(prefix + 1..end).ok_or_else(|| SyntaxError::at(self.at, &rest[..=prefix]))?;
        let value = if raw { inside.to_owned() } else { unescape(inside, char::from(quote)) };
        self.push(Kind::String(value), self.at + end + 1);
        Ok(())
    }

    fn quoted_name(&mut self) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let mut name = String::new();
        let mut from = 1;
        loop {
            let Some(length) = rest[from..].find('`') else {
                return Err(SyntaxError::at(self.at, "`"));
            };
            name.push_str(&rest[from..from + length]);
            from += length + 1;
            if !rest[from..].starts_with('`') {
                break;
            }
            name.push('`');
            from += 1;
        }
        self.push(Kind::Quoted(name), self.at + from);
        Ok(())
    }

    /// Starts at a digit, or at a dot before one. What is not a number in whole is a word: `1st`.
    fn number_or_word(&mut self) -> Result<(), SyntaxError> {
        let rest = self.rest();
        let word = word_length(rest);
        let (kind, length) = match number_length(rest) {
            Some(number) if number >= word => (Kind::Number, number),
            _ => (Kind::Word, word),
        };
        if length == 0 {
            return Err(SyntaxError::at(self.at, &rest[..1]));
        }
        self.push(kind, self.at + length);
        Ok(())
    }
}

fn is_word_part(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn word_length(text: &str) -> usize {
    text.find(|c| !is_word_part(c)).unwrap_or(text.len())
}

/// Bytes of the number at the start of the text, its exponent and suffix included. None if letters follow.
fn number_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = |from: usize| from + bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(0);
    let mut end = whole;
    if bytes.get(end) == Some(&b'.') {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    let is_whole = end == whole;
    let letters = word_length(&text[end..]);
    let suffix = text[end..end + letters].to_ascii_uppercase();
    match suffix.as_str() {
        "" | "D" | "F" | "BD" => Some(end + letters),
        "L" | "S" | "Y" if is_whole => Some(end + letters),
        // `5.a`: the dot is not part of the number.
        _ if bytes.get(whole) == Some(&b'.') && whole > 0 => Some(whole),
        _ => None,
    }
}

/// Bytes of the comment at the start of the text, nested ones included.
fn comment_length(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0usize, 0usize);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => at += 1,
        }
    }
    None
}

/// Spark's escapes: `\n \t \r \b \0 \Z`, `\ooo` octal, `\uXXXX`, `\UXXXXXXXX`; `\%` and `\_` stay as they are for LIKE;
/// any other escaped character stands for itself, and a doubled quote for one.
fn unescape(inside: &str, quote: char) -> String {
    let mut value = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        if c == quote {
            rest = rest.strip_prefix(quote).unwrap_or(rest);
            value.push(c);
        } else if c != '\\' {
            value.push(c);
        } else if let Some((c, length)) = numeric_escape(rest) {
            value.push(c);
            rest = &rest[length..];
        } else if let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                'b' => value.push('\u{8}'),
                '0' => value.push('\0'),
                'Z' => value.push('\u{1a}'),
                '%' | '_' => value.extend(['\\', c]),
                other => value.push(other),
            }
        }
    }
    value
}

/// The character of an escape given by its number, and the bytes behind the backslash that it takes.
fn numeric_escape(rest: &str) -> Option<(char, usize)> {
    let code = |from: usize, length: usize, radix: u32| {
        let digits = rest.get(from..from + length)?;
        let is_number = digits.chars().all(|c| c.is_digit(radix));
        if !is_number {
            return None;
        }
        char::from_u32(u32::from_str_radix(digits, radix).ok()?).map(|c| (c, from + length))
    };
    match rest.as_bytes().first()? {
        b'u' => code(1, 4, 16),
        b'U' => code(1, 8, 16),
        b'0'..=b'1' => code(0, 3, 8),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind> {
        let mut kinds: Vec<_> = tokens(text).unwrap().into_iter().map(|t| t.kind).collect();
        assert_eq!(kinds.pop(), Some(Kind::End));
        kinds
    }

    fn texts(text: &str) -> Vec<&str> {
        let mut texts: Vec<_> = tokens(text).unwrap().into_iter().map(|t| t.text).collect();
        texts.pop();
        texts
    }

    fn string(text: &str) -> String {
        match kinds(text).as_slice() {
            [Kind::String(value)] => value.clone(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn numbers_take_their_suffix_and_words_may_begin_with_digits() {
        for number in
            ["1", "1L", "2s", "3Y", "1.0D", "1.5F", "12.5BD", ".5", "1.", "1e3", "1.5E-10", "1e3d", "7d"]
        {
            assert_eq!(kinds(number), [Kind::Number], "{number}");
        }
        assert_eq!(kinds("1st"), [Kind::Word]);
        assert_eq!(kinds("1ea"), [Kind::Word]);
        assert_eq!(texts("5.a"), ["5", ".", "a"]);
        assert!(tokens("1.5L").is_err());
        assert_eq!(texts("f(x)._a.1"), ["f", "(", "x", ")", ".", "_a", ".", "1"]);
        assert_eq!(texts("a[0].5"), ["a", "[", "0", "]", ".", "5"]);
    }

    #[test]
    fn strings_are_unescaped_by_sparks_rules() {
        assert_eq!(string(r"'it\'s'"), "it's");
        assert_eq!(string("'it''s'"), "it's");
        assert_eq!(string(r#""say \"hi\"""#), "say \"hi\"");
        assert_eq!(string(r"'a\tb\n\\ \% \_ \q'"), "a\tb\n\\ \\% \\_ q");
        assert_eq!(string(r"'\u0041\U0001F600\101\0'"), "A\u{1F600}A\0");
        assert_eq!(string(r"r'\d+\'"), r"\d+\");
        assert_eq!(string("'日本'"), "日本");
        assert!(tokens("'open").is_err());
        assert!(tokens(r"'open\'").is_err());
        assert!(tokens("'open\\").is_err());
    }

    #[test]
    fn comments_and_blanks_separate_tokens() {
        assert_eq!(texts("a -- b\n/* c /* d */ */ e--"), ["a", "e"]);
        assert!(tokens("a /* b").is_err());
        assert_eq!(texts("`a``b`.c<=>d>>e!f"), ["`a``b`", ".", "c", "<=>", "d", ">", ">", "e", "!", "f"]);
        assert_eq!(kinds("`a``b`"), [Kind::Quoted("a`b".to_owned())]);
        assert_eq!(texts("größe + x"), ["größe", "+", "x"]);
    }
}
