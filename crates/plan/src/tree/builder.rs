//! How programs write expressions: `col("a").cast(SparkType::Long).alias("b")`.
use super::{Call, CastMode, Expr, SortOrder, Value};
use crate::types::SparkType;

/// A column by its name; dots reach into structs, backticks quote a part that holds a dot. `*` is a star.
pub fn col(name: &str) -> Expr {
    if name == "*" {
        return star();
    }
    if let Some(target) = name.strip_suffix(".*") {
        return Expr::Star { target: name_parts(target) };
    }
    Expr::Attribute(name_parts(name))
}

/// A name that is not well quoted is one part, so that the analyzer refuses it with the text that the user wrote.
fn name_parts(name: &str) -> Vec<String> {
    crate::sql::parse_name(name).unwrap_or_else(|_| vec![name.to_owned()])
}

/// All columns.
pub fn star() -> Expr {
    Expr::Star { target: Vec::new() }
}

/// A constant.
pub fn lit(value: impl Into<Value>) -> Expr {
    Expr::Literal(value.into())
}

/// SQL text, parsed when the frame is analyzed.
pub fn expr(text: impl Into<String>) -> Expr {
    Expr::Sql(text.into())
}

/// A function by name.
pub fn call(name: impl Into<String>, arguments: Vec<Expr>) -> Expr {
    Expr::Call(Call::new(name, arguments))
}

/// `CASE WHEN condition THEN value`; go on with [`Expr::when`] and [`Expr::otherwise`].
pub fn when(condition: Expr, value: impl Into<Expr>) -> Expr {
    Expr::Case { branches: vec![(condition, value.into())], otherwise: None }
}

impl Call {
    /// A plain call.
    pub fn new(name: impl Into<String>, arguments: Vec<Expr>) -> Self {
        Self { name: name.into(), arguments, ..Self::default() }
    }
}

impl Expr {
    /// Names the expression.
    pub fn alias(self, name: impl Into<String>) -> Self {
        Self::Alias { child: Box::new(self), names: vec![name.into()] }
    }

    /// Converts to a type, by the session's ANSI setting.
    pub fn cast(self, to: SparkType) -> Self {
        Self::Cast { child: Box::new(self), to, mode: CastMode::Session }
    }

    /// Converts to a type; values that do not fit become NULL.
    pub fn try_cast(self, to: SparkType) -> Self {
        Self::Cast { child: Box::new(self), to, mode: CastMode::Try }
    }

    /// Ascending, NULLs first.
    pub fn asc(self) -> Self {
        Self::Sort(SortOrder { child: Box::new(self), ascending: true, nulls_first: true })
    }

    /// Descending, NULLs last.
    pub fn desc(self) -> Self {
        Self::Sort(SortOrder { child: Box::new(self), ascending: false, nulls_first: false })
    }
}

impl From<Value> for Expr {
    fn from(value: Value) -> Self {
        Self::Literal(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}
