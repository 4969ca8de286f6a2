//! The parser's state: a cursor over tokens, what it expects, how deep it is, and its errors.
//!
//! Grammar rules are in the sibling files as further methods of [`Parser`]. Every rule that may contain itself goes
//! through [`Parser::nested`], and every rule that builds a chain says how it grows, so neither the parser nor those
//! who walk the tree later can run out of stack.
use super::ParseOptions;
use super::lexer::{Kind, Token, tokens};
use crate::error::{Error, Result, SparkError};

/// Texts longer than this are refused.
const MAX_TEXT: usize = 16 << 20;

/// Trees higher than this are refused: expressions inside each other, or operators in a row.
pub(super) const MAX_HEIGHT: usize = 128;

/// Where a text breaks the grammar. Offsets become lines once the text is at hand.
#[derive(Debug)]
pub(super) enum SyntaxError {
    /// An unexpected token.
    Token { at: usize, found: Option<String>, extra: bool },
    /// A comment without its end.
    UnclosedComment { at: usize },
    /// The grammar is kept, something else is wrong.
    Other(Box<Error>),
}

impl SyntaxError {
    pub fn at(at: usize, found: &str) -> Self {
        Self::Token { at, found: Some(found.to_owned()), extra: false }
    }

    pub fn unclosed_comment(at: usize) -> Self {
        Self::UnclosedComment { at }
    }

    fn into_error(self, text: &str) -> Error {
        let (at, mut error) = match self {
            Self::Other(error) => return *error,
            Self::UnclosedComment { at } => {
                (at, SparkError::new::<&str, &str>("UNCLOSED_BRACKETED_COMMENT", []))
            }
            Self::Token { at, found, extra } => {
                let found = found.map_or("end of input".to_owned(), |f| {
                    let shown = f.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
                    format!("'{shown}'")
                });
                let hint = if extra { format!(": extra input {found}") } else { String::new() };
                (at, SparkError::new("PARSE_SYNTAX_ERROR", [("error", found), ("hint", hint)]))
            }
        };
        error.message = format!("\n{}{}", error.message, pointer(text, at));
        error.into()
    }
}

impl From<SparkError> for SyntaxError {
    fn from(error: SparkError) -> Self {
        Self::Other(Box::new(error.into()))
    }
}

impl From<Error> for SyntaxError {
    fn from(error: Error) -> Self {
        Self::Other(Box::new(error))
    }
}

/// ` (line 1, pos 9)`, and the text with a mark under that position.
fn pointer(text: &str, at: usize) -> String {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let position = before.rsplit('\n').next().unwrap_or("").chars().count();
    let mut shown = format!(" (line {line}, pos {position})\n\n== SQL ==\n");
    let lines: Vec<&str> = text.split('\n').collect();
    let (above, below) = lines.split_at(line);
    for content in above {
        shown.extend([content, "\n"]);
    }
    shown.extend(std::iter::repeat_n('-', position));
    shown.push_str("^^^\n");
    for content in below {
        shown.extend([content, "\n"]);
    }
    shown
}

/// Result of a grammar rule.
pub(super) type Parsed<T> = std::result::Result<T, SyntaxError>;

/// A cursor over the tokens of a text.
pub(super) struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    text: &'a str,
    depth: usize,
    /// Height of the highest tree that the rules inside the current [`Parser::nested`] have returned so far.
    height: usize,
    pub options: &'a ParseOptions,
    /// Parameters of the lambdas around the cursor.
    pub lambda_parameters: Vec<String>,
}

impl<'a> Parser<'a> {
    /// Parses the whole text by one rule.
    pub fn parse<T>(
        text: &'a str,
        options: &'a ParseOptions,
        rule: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Result<T> {
        if text.len() > MAX_TEXT {
            return Err(Error::unsupported(format!("SQL text of more than {} MiB", MAX_TEXT >> 20)));
        }
        let run = || {
            let tokens = tokens(text)?;
            let lambda_parameters = Vec::new();
            let mut parser = Self { tokens, next: 0, text, depth: 0, height: 0, options, lambda_parameters };
            let tree = rule(&mut parser)?;
            parser.expect_end()?;
            Ok(tree)
        };
        run().map_err(|error: SyntaxError| error.into_error(text))
    }

    /// The token at the cursor.
    pub fn peek(&self) -> &Token<'a> {
        self.peek_at(0)
    }

    /// The token `ahead` of the cursor; the end again behind the end.
    pub fn peek_at(&self, ahead: usize) -> &Token<'a> {
        &self.tokens[(self.next + ahead).min(self.tokens.len() - 1)]
    }

    /// Takes the token at the cursor.
    pub fn advance(&mut self) -> Token<'a> {
        let token = self.peek().clone();
        if token.kind != Kind::End {
            self.next += 1;
        }
        token
    }

    /// The source text from an offset to the end of the last token taken.
    pub fn text_since(&self, start: usize) -> &'a str {
        let end = self.next.checked_sub(1).map_or(start, |last| self.tokens[last].end());
        &self.text[start..end.max(start)]
    }

    /// Whether the token at the cursor is this symbol.
    pub fn at_symbol(&self, symbol: &str) -> bool {
        self.peek().is_symbol(symbol)
    }

    /// Takes this symbol if it is next.
    pub fn eat_symbol(&mut self, symbol: &str) -> bool {
        let found = self.at_symbol(symbol);
        self.next += usize::from(found);
        found
    }

    /// Takes this symbol or fails.
    pub fn expect_symbol(&mut self, symbol: &str) -> Parsed<()> {
        if self.eat_symbol(symbol) {
            return Ok(());
        }
        let extra = self.peek_at(1).is_symbol(symbol);
        Err(self.unexpected(extra))
    }

    /// Whether the next tokens are these words.
    pub fn at_words(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(i, word)| self.peek_at(i).is_word(word))
    }

    /// Whether the token at the cursor is this word.
    pub fn at_word(&self, word: &str) -> bool {
        self.peek().is_word(word)
    }

    /// Whether the token at the cursor is one of these words.
    pub fn at_any_word(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.at_word(word))
    }

    /// Takes this word if it is next.
    pub fn eat_word(&mut self, word: &str) -> bool {
        self.eat_words(&[word])
    }

    /// Takes these words if they are next.
    pub fn eat_words(&mut self, words: &[&str]) -> bool {
        let found = self.at_words(words);
        if found {
            self.next += words.len();
        }
        found
    }

    /// Takes this word or fails.
    pub fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.eat_word(word) { Ok(()) } else { Err(self.unexpected(false)) }
    }

    /// Takes a name, quoted or not.
    pub fn identifier(&mut self) -> Parsed<String> {
        match &self.peek().kind {
            Kind::Word => Ok(self.advance().text.to_owned()),
            Kind::Quoted(name) => {
                let name = name.clone();
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.unexpected(false)),
        }
    }

    /// Takes names with dots between them.
    pub fn qualified_name(&mut self) -> Parsed<Vec<String>> {
        let mut parts = vec![self.identifier()?];
        while self.eat_symbol(".") {
            parts.push(self.identifier()?);
        }
        Ok(parts)
    }

    /// Names in parentheses.
    pub fn identifier_list(&mut self) -> Parsed<Vec<String>> {
        self.expect_symbol("(")?;
        let names = self.list(Self::identifier)?;
        self.close_list(names.len(), ")")?;
        Ok(names)
    }

    /// Takes a string literal; literals in a row are one.
    pub fn string(&mut self) -> Parsed<String> {
        let Kind::String(mut value) = self.peek().kind.clone() else {
            return Err(self.unexpected(false));
        };
        self.next += 1;
        while let Kind::String(more) = &self.peek().kind {
            value.push_str(more);
            self.next += 1;
        }
        Ok(value)
    }

    /// Takes a whole number without a sign or suffix.
    pub fn whole_number<T: std::str::FromStr>(&mut self) -> Parsed<T> {
        let number = match self.peek().kind {
            Kind::Number => self.peek().text.parse().ok(),
            _ => None,
        };
        let number = number.ok_or_else(|| self.unexpected(false))?;
        self.next += 1;
        Ok(number)
    }

    /// One or more of a rule, with commas between them.
    pub fn list<T>(&mut self, mut rule: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = vec![rule(self)?];
        while self.eat_symbol(",") {
            items.push(rule(self)?);
        }
        Ok(items)
    }

    /// The bracket behind a list of `items`. Spark tells a token too many from other errors here.
    pub fn close_list(&mut self, items: usize, symbol: &str) -> Parsed<()> {
        if self.eat_symbol(symbol) {
            return Ok(());
        }
        let follows = self.peek_at(1);
        let extra = items > 1 || follows.is_symbol(symbol) || follows.is_symbol(",");
        Err(self.unexpected(extra && self.peek().kind != Kind::End))
    }

    fn expect_end(&mut self) -> Parsed<()> {
        while self.eat_symbol(";") {}
        if self.peek().kind == Kind::End {
            return Ok(());
        }
        let extra = self.peek_at(1).kind == Kind::End;
        Err(self.unexpected(extra))
    }

    /// Tries a rule; on a syntax error the cursor is where it was.
    pub fn attempt<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Option<T> {
        let (next, height) = (self.next, self.height);
        let result = rule(self).ok();
        if result.is_none() {
            self.next = next;
            self.height = height;
        }
        result
    }

    /// Runs a rule that may contain itself.
    pub fn nested<T>(&mut self, rule: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_HEIGHT {
            return Err(too_complex());
        }
        self.depth += 1;
        let beside = std::mem::take(&mut self.height);
        let result = rule(self);
        self.depth -= 1;
        self.grow(1)?;
        self.height = self.height.max(beside);
        result
    }

    /// Says that a rule put `levels` nodes on top of what the rules inside it returned.
    pub fn grow(&mut self, levels: usize) -> Parsed<()> {
        self.height += levels;
        if self.height > MAX_HEIGHT { Err(too_complex()) } else { Ok(()) }
    }

    /// The token at the cursor should not be there; `extra` if the text would go on well without it.
    pub fn unexpected(&self, extra: bool) -> SyntaxError {
        let token = self.peek();
        let found = (token.kind != Kind::End).then(|| token.text.to_owned());
        SyntaxError::Token { at: token.start, found, extra }
    }
}

fn too_complex() -> SyntaxError {
    SparkError::new("FAILED_TO_PARSE_TOO_COMPLEX", [] as [(&str, &str); 0]).into()
}
