//! Unresolved expressions.
use serde::{Deserialize, Serialize};

use super::{Relation, Value};
use crate::types::SparkType;

/// An expression before names and types are looked up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    /// A constant.
    Literal(Value),
    /// A column, or a field of one: `a.b.c` is `["a", "b", "c"]`.
    Attribute(Vec<String>),
    /// `*`, or `target.*` where the target is a relation or a struct column. Also an argument, as in `struct(*)`.
    Star {
        /// Empty for a plain `*`.
        target: Vec<String>,
    },
    /// Columns whose names match a regular expression.
    RegexColumn(String),
    /// A named expression. Generators may have several names.
    Alias {
        /// What is named.
        child: Box<Expr>,
        /// One name, or one for each column of a generator.
        names: Vec<String>,
    },
    /// A conversion.
    Cast {
        /// What is converted.
        child: Box<Expr>,
        /// The type to convert to.
        to: SparkType,
        /// What happens to values that do not fit.
        mode: CastMode,
    },
    /// A function or an operator.
    Call(Call),
    /// `CASE WHEN c1 THEN v1 ... ELSE e END`. `CASE x WHEN v` is kept as the condition `x = v`, as Spark does.
    Case {
        /// Condition and result of each branch.
        branches: Vec<(Expr, Expr)>,
        /// NULL if missing.
        otherwise: Option<Box<Expr>>,
    },
    /// `child[key]`, or `child.field` on what is not a plain name: the key is then a string literal.
    Extract {
        /// Array, map, struct, or array of structs.
        child: Box<Expr>,
        /// 0-based index, map key, or field name.
        key: Box<Expr>,
    },
    /// A struct with one field set or (no value) taken away.
    UpdateField {
        /// The struct.
        child: Box<Expr>,
        /// Name, perhaps of a nested field: `a.b`.
        field: String,
        /// The new value.
        value: Option<Box<Expr>>,
    },
    /// `(x, y) -> body`, only as an argument.
    Lambda {
        /// Uses its parameters as [`Expr::LambdaVariable`].
        body: Box<Expr>,
        /// Names of the parameters.
        parameters: Vec<String>,
    },
    /// A parameter of an enclosing lambda, perhaps with fields of it: `x.a` is `["x", "a"]`.
    LambdaVariable(Vec<String>),
    /// An expression with a direction.
    Sort(SortOrder),
    /// `function OVER (...)`.
    Window(Window),
    /// `(SELECT ...)` as a value.
    ScalarSubquery(Box<Relation>),
    /// `EXISTS (SELECT ...)`.
    Exists(Box<Relation>),
    /// `(a, b) IN (SELECT ...)`.
    InSubquery {
        /// One expression for each column of the query.
        values: Vec<Expr>,
        /// The query.
        query: Box<Relation>,
    },
    /// SQL text that the analyzer parses in the session's setting.
    Sql(String),
}

/// A function or an operator with its arguments.
///
/// Operators are calls named by their sign: `+ - * / % div & | ^ << >> >>> = <=> < <= > >= and or not ~`,
/// `negative` and `positive` for signs; `!=` is `not(=)`. Predicates are `isnull`, `isnotnull`, `in` (value first),
/// `between`, `like` (an escape character as third argument), `ilike`, `rlike`; `||` is `concat`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Call {
    /// As written; looked up without regard to case.
    pub name: String,
    /// In order.
    pub arguments: Vec<Expr>,
    /// `count(DISTINCT a)`.
    pub distinct: bool,
    /// `FILTER (WHERE ...)`.
    pub filter: Option<Box<Expr>>,
    /// `IGNORE NULLS`.
    pub ignore_nulls: bool,
    /// `WITHIN GROUP (ORDER BY ...)`.
    pub order_by: Vec<SortOrder>,
}

/// What a cast does with values that do not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CastMode {
    /// By the session's `spark.sql.ansi.enabled`.
    #[default]
    Session,
    /// `TRY_CAST`: NULL.
    Try,
}

/// A sort key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SortOrder {
    /// What is sorted by.
    pub child: Box<Expr>,
    /// ASC.
    pub ascending: bool,
    /// Spark's default: first if ascending, last if descending.
    pub nulls_first: bool,
}

/// `function OVER (PARTITION BY ... ORDER BY ... frame)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// A call.
    pub function: Box<Expr>,
    /// Keys.
    pub partition_by: Vec<Expr>,
    /// Order inside a partition.
    pub order_by: Vec<SortOrder>,
    /// The function's default if missing.
    pub frame: Option<WindowFrame>,
}

/// The rows around the current one that a window function sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowFrame {
    /// ROWS or RANGE.
    pub unit: FrameUnit,
    /// First row.
    pub lower: FrameBound,
    /// Last row.
    pub upper: FrameBound,
}

/// What a frame counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FrameUnit {
    /// Rows.
    Rows,
    /// Values of the order key.
    Range,
}

/// An end of a window frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FrameBound {
    /// To the partition's end on this side.
    Unbounded,
    /// The current row.
    CurrentRow,
    /// So many rows or values before.
    Preceding(Box<Expr>),
    /// So many rows or values after.
    Following(Box<Expr>),
}
