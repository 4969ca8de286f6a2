//! A resolved expression: DataFusion's, with what only Spark's side knows about it.

use datafusion::logical_expr::Expr;
use datafusion::scalar::ScalarValue;

use crate::types::SparkType;

/// An expression whose names and types are known.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    /// For the plan.
    pub expr: Expr,
    /// Spark's type; the plan's type is its Arrow form.
    pub data_type: SparkType,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// How Spark prints it in column names and error messages: `(a + 1)`, `CAST(v AS INT)`.
    pub sql: String,
    /// What its column is called without an alias.
    pub label: Label,
    /// Whether it is made of constants only.
    pub foldable: bool,
}

/// What an unaliased expression's column is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Label {
    /// As its SQL.
    Sql,
    /// A column's name, which also names a cast of it.
    Attribute(String),
    /// The last part of a dotted field access.
    Field(String),
    /// A cast of a column, whose name the cast takes, but not as a struct's field.
    Cast(String),
    /// An alias, which fields of a struct take as their name, and casts do not.
    Alias(String),
}

impl Typed {
    /// An expression that prints as `sql`, nullable, and not made of constants.
    pub fn new(expr: Expr, data_type: SparkType, sql: impl Into<String>) -> Self {
        Self { expr, data_type, nullable: true, sql: sql.into(), label: Label::Sql, foldable: false }
    }

    /// The same with the given nullability.
    pub fn nullable(mut self, nullable: bool) -> Self {
        self.nullable = nullable;
        self
    }

    /// The same, foldable when all of `children` are.
    pub fn folds_with(mut self, children: &[Typed]) -> Self {
        self.foldable = children.iter().all(|c| c.foldable);
        self
    }

    /// The name of its output column.
    pub fn name(&self) -> &str {
        match &self.label {
            Label::Sql => &self.sql,
            Label::Attribute(name) | Label::Cast(name) | Label::Field(name) | Label::Alias(name) => name,
        }
    }

    /// The value when it is a plain literal.
    pub fn literal(&self) -> Option<&ScalarValue> {
        match &self.expr {
            Expr::Literal(value, _) => Some(value),
            _ => None,
        }
    }

    /// Text of a string literal that is not NULL.
    pub fn text(&self) -> Option<&str> {
        match self.literal()? {
            ScalarValue::Utf8View(text) => text.as_deref(),
            _ => None,
        }
    }

    /// Its SQL in double quotes, as error parameters have it.
    pub fn quoted_sql(&self) -> String {
        format!("\"{}\"", self.sql)
    }
}
