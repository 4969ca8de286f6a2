//! SQL text to the unresolved tree, by Spark's grammar.
//!
//! The parser is written by hand: Spark has few reserved words (a column may be called `timestamp`, `offset` or `end`),
//! types its literals by their spelling, and names the offending token in its errors, on which programs rely. In order
//! of reading: `lexer` (text to tokens), `parser` (cursor, limits, errors), `expression` (operators), `primary`,
//! `function_call`, `literal`, `interval`, `data_type`, `query`, `from`.
//!
//! Limits: 16 MiB of text, trees of height 128; both are errors, never a stack overflow.
mod data_type;
mod expression;
mod from;
mod function_call;
#[cfg(test)]
mod golden_tests;
mod interval;
mod lexer;
mod literal;
mod parser;
mod primary;
mod query;
mod span;
#[cfg(test)]
mod tests;

pub use interval::CalendarInterval;
pub(crate) use interval::day_to_second as interval_between;
pub(crate) use literal::session_time_zone;
pub use span::parse_interval;

use parser::Parser;

use crate::error::Result;
use crate::tree::{Expr, Relation};
use crate::types::{SparkType, StructType};

/// What of the session the meaning of a text depends on.
#[derive(Debug, Clone)]
pub struct ParseOptions {
    /// Zone of `TIMESTAMP'...'` literals that name none; default UTC.
    pub time_zone: String,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self { time_zone: "UTC".to_owned() }
    }
}

/// Parses an expression as `selectExpr` takes it: with an optional alias. Time zone UTC.
///
/// # Errors
/// `PARSE_SYNTAX_ERROR` names the token that cannot stand where it does.
pub fn parse_expression(text: &str) -> Result<Expr> {
    parse_expression_with(text, &ParseOptions::default())
}

/// [`parse_expression`] in a session's setting.
///
/// # Errors
/// As [`parse_expression`].
pub fn parse_expression_with(text: &str, options: &ParseOptions) -> Result<Expr> {
    Parser::parse(text, options, Parser::named_expression)
}

/// Parses one query: `SELECT`, `VALUES`, `WITH`, `TABLE`, `FROM .. SELECT` and set operations of them. Time zone UTC.
///
/// # Errors
/// `PARSE_SYNTAX_ERROR` names the token that cannot stand where it does.
pub fn parse_query(text: &str) -> Result<Relation> {
    parse_query_with(text, &ParseOptions::default())
}

/// [`parse_query`] in a session's setting.
///
/// # Errors
/// As [`parse_query`].
pub fn parse_query_with(text: &str, options: &ParseOptions) -> Result<Relation> {
    Parser::parse(text, options, Parser::query)
}

/// Parses a type, such as `array<struct<a: int>>`.
///
/// # Errors
/// `PARSE_SYNTAX_ERROR`, or `UNSUPPORTED_DATATYPE` for an unknown name.
pub fn parse_data_type(text: &str) -> Result<SparkType> {
    Parser::parse(text, &ParseOptions::default(), Parser::data_type)
}

/// Parses a list of columns, such as `name STRING, age INT NOT NULL`.
///
/// # Errors
/// As [`parse_data_type`].
pub fn parse_columns(text: &str) -> Result<StructType> {
    Parser::parse(text, &ParseOptions::default(), Parser::columns)
}

/// Parses a column name as `col("...")` takes it: parts separated by dots, backticks around a part that holds one.
///
/// # Errors
/// `INVALID_ATTRIBUTE_NAME_SYNTAX` if backticks do not match or a part is empty.
pub fn parse_name(text: &str) -> Result<Vec<String>> {
    let refused = || crate::SparkError::new("INVALID_ATTRIBUTE_NAME_SYNTAX", [("name", text)]).into();
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let part;
        if let Some(quoted) = rest.strip_prefix('`') {
            let mut end = 0;
            loop {
                end += quoted[end..].find('`').ok_or_else(refused)?;
                if !quoted[end + 1..].starts_with('`') {
                    break;
                }
                end += 2;
            }
            part = quoted[..end].replace("``", "`");
            rest = &quoted[end + 1..];
        } else {
            let end = rest.find(['.', '`']).unwrap_or(rest.len());
            part = rest[..end].to_owned();
            rest = &rest[end..];
        }
        if part.is_empty() {
            return Err(refused());
        }
        parts.push(part);
        match rest.strip_prefix('.') {
            Some(more) => rest = more,
            None if rest.is_empty() => return Ok(parts),
            None => return Err(refused()),
        }
    }
}
