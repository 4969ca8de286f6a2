//! SQL text to the unresolved tree.
use crate::error::{Error, Result};
use crate::tree::{Expr, Relation};

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

/// Parses an expression as `selectExpr` takes it: with an optional alias.
pub fn parse_expression(text: &str) -> Result<Expr> {
    parse_expression_with(text, &ParseOptions::default())
}

/// [`parse_expression`] in a session's setting.
pub fn parse_expression_with(text: &str, options: &ParseOptions) -> Result<Expr> {
    let _ = (text, options);
    Err(Error::unsupported("SQL text"))
}

/// Parses one query: `SELECT`, `VALUES`, `WITH`, `TABLE` and set operations of them.
pub fn parse_query(text: &str) -> Result<Relation> {
    parse_query_with(text, &ParseOptions::default())
}

/// [`parse_query`] in a session's setting.
pub fn parse_query_with(text: &str, options: &ParseOptions) -> Result<Relation> {
    let _ = (text, options);
    Err(Error::unsupported("SQL text"))
}

/// Parses a column name as `col("...")` takes it: parts separated by dots, backticks around a part that holds one.
pub fn parse_name(text: &str) -> Result<Vec<String>> {
    Ok(text.split('.').map(str::to_owned).collect())
}
