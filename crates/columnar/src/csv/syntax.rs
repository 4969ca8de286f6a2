//! The special characters of the options, compiled for the tokenizer.

use super::options::{CsvOptions, UnescapedQuotes};
use crate::{Error, Result};

/// Ends a record. It is not a character that text holds; a record is all of its document.
pub(super) const RECORD_END: u32 = 0xffff;

/// The UTF-8 of [`RECORD_END`].
pub(super) const RECORD_END_BYTES: [u8; 3] = [0xef, 0xbf, 0xbf];

/// No special character at all, where the options have none but the comparison is made.
const NONE: u32 = u32::MAX;

/// What the tokenizer compares with. Units are bytes where all special characters are ASCII, else
/// characters.
#[derive(Debug, Clone)]
pub(super) struct Syntax {
    /// At least one unit.
    pub delimiter: Box<[u32]>,
    /// NUL where the options have none, as in Spark: then NUL is the quote.
    pub quote: u32,
    /// NUL where the options have none.
    pub escape: u32,
    /// NUL where an escape needs none.
    pub escape_escape: u32,
    /// Begins a comment, if comments are on.
    pub comment: u32,
    /// What a comment would begin with if comments were on; a last value of it alone is kept.
    pub comment_mark: u32,
    pub unescaped: UnescapedQuotes,
    pub trim_leading: bool,
    pub trim_trailing: bool,
    pub max_columns: usize,
    pub max_chars: Option<usize>,
    /// Whether units have to be characters.
    pub wide: bool,
}

impl Syntax {
    pub fn new(options: &CsvOptions) -> Result<Self> {
        let unit = |character: Option<char>| character.map_or(0, u32::from);
        let (quote, escape) = (unit(options.quote), unit(options.escape));
        let escape_escape = match options.char_to_escape_quote_escaping {
            Some(character) => u32::from(character),
            None if quote == escape => 0,
            None => escape,
        };
        let comment = options.comment.map_or(NONE, u32::from);
        let delimiter: Box<[u32]> = options.delimiter.chars().map(u32::from).collect();
        if delimiter.is_empty() {
            return Err(Error::BadOption {
                option: "sep".into(),
                value: options.delimiter.clone(),
                why: "it must not be empty".into(),
            });
        }
        let special = delimiter.iter().chain([&quote, &escape, &escape_escape]).copied();
        let wide = special.chain(options.comment.map(u32::from)).any(|unit| unit >= 0x80);
        Ok(Self {
            delimiter,
            quote,
            escape,
            escape_escape,
            comment,
            comment_mark: options.comment.map_or(u32::from('#'), u32::from),
            unescaped: options.unescaped_quotes,
            trim_leading: options.ignore_leading_white_space.unwrap_or(false),
            trim_trailing: options.ignore_trailing_white_space.unwrap_or(false),
            max_columns: options.max_columns,
            max_chars: options.max_chars_per_column,
            wide,
        })
    }

    /// Whether a value that was not quoted after all runs to the next delimiter.
    pub fn until_delimiter(&self) -> bool {
        use UnescapedQuotes::*;
        matches!(self.unescaped, StopAtDelimiter | SkipValue | BackToDelimiter)
    }
}
