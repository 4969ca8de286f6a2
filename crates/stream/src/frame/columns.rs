//! What can stand where a frame asks for columns, conditions and join keys.

use millstream_plan::SparkError;
use millstream_plan::tree::{Expr, JoinCondition, JoinKind, SortOrder, col};

use crate::error::Result;

/// One item of a list of columns: a name, or an expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// A name as `col` takes it; the text of an expression where a call says so.
    Text(String),
    /// An expression.
    Expr(Expr),
}

impl Column {
    /// A text is a column's name.
    pub(super) fn named(self) -> Expr {
        match self {
            Column::Text(name) => col(&name),
            Column::Expr(expr) => expr,
        }
    }

    /// A text is SQL.
    pub(super) fn parsed(self) -> Expr {
        match self {
            Column::Text(text) => Expr::Sql(text),
            Column::Expr(expr) => expr,
        }
    }

    pub(super) fn sorted(self) -> SortOrder {
        match self.named() {
            Expr::Sort(order) => order,
            other => SortOrder { child: Box::new(other), ascending: true, nulls_first: true },
        }
    }
}

impl From<&str> for Column {
    fn from(text: &str) -> Self {
        Column::Text(text.to_owned())
    }
}

impl From<&&str> for Column {
    fn from(text: &&str) -> Self {
        Column::Text((*text).to_owned())
    }
}

impl From<String> for Column {
    fn from(text: String) -> Self {
        Column::Text(text)
    }
}

impl From<&String> for Column {
    fn from(text: &String) -> Self {
        Column::Text(text.clone())
    }
}

impl From<Expr> for Column {
    fn from(expr: Expr) -> Self {
        Column::Expr(expr)
    }
}

impl From<&Expr> for Column {
    fn from(expr: &Expr) -> Self {
        Column::Expr(expr.clone())
    }
}

/// One column, an array, slice or vector of them, or a tuple that mixes names and expressions.
pub trait IntoColumns {
    /// The columns in order.
    fn into_columns(self) -> Vec<Column>;
}

macro_rules! one_column {
    ($($one:ty),*) => {$(
        impl IntoColumns for $one {
            fn into_columns(self) -> Vec<Column> {
                vec![self.into()]
            }
        }
    )*};
}

one_column!(&str, String, &String, Expr, &Expr);

impl IntoColumns for Column {
    fn into_columns(self) -> Vec<Column> {
        vec![self]
    }
}

impl<T: Into<Column>, const N: usize> IntoColumns for [T; N] {
    fn into_columns(self) -> Vec<Column> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<T: Into<Column>> IntoColumns for Vec<T> {
    fn into_columns(self) -> Vec<Column> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<'a, T> IntoColumns for &'a [T]
where
    &'a T: Into<Column>,
{
    fn into_columns(self) -> Vec<Column> {
        self.iter().map(Into::into).collect()
    }
}

impl<'a, T> IntoColumns for &'a Vec<T>
where
    &'a T: Into<Column>,
{
    fn into_columns(self) -> Vec<Column> {
        self.as_slice().into_columns()
    }
}

/// No column.
impl IntoColumns for () {
    fn into_columns(self) -> Vec<Column> {
        Vec::new()
    }
}

macro_rules! tuple_columns {
    ($(($($name:ident),+))*) => {$(
        impl<$($name: Into<Column>),+> IntoColumns for ($($name,)+) {
            #[expect(non_snake_case, reason = "a tuple's members have the names of their types")]
            fn into_columns(self) -> Vec<Column> {
                let ($($name,)+) = self;
                vec![$($name.into()),+]
            }
        }
    )*};
}

tuple_columns! {
    (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) (A, B, C, D, E, F, G)
    (A, B, C, D, E, F, G, H) (A, B, C, D, E, F, G, H, I) (A, B, C, D, E, F, G, H, I, J)
    (A, B, C, D, E, F, G, H, I, J, K) (A, B, C, D, E, F, G, H, I, J, K, L)
}

/// A condition: an expression, or its SQL text.
pub trait IntoCondition {
    /// The condition.
    fn into_condition(self) -> Expr;
}

impl IntoCondition for Expr {
    fn into_condition(self) -> Expr {
        self
    }
}

impl IntoCondition for &str {
    fn into_condition(self) -> Expr {
        Expr::Sql(self.to_owned())
    }
}

impl IntoCondition for String {
    fn into_condition(self) -> Expr {
        Expr::Sql(self)
    }
}

/// What two frames are joined on: names of columns that both have, or a condition.
pub trait IntoJoin {
    /// The condition.
    fn into_join(self) -> JoinCondition;
}

impl IntoJoin for JoinCondition {
    fn into_join(self) -> JoinCondition {
        self
    }
}

impl IntoJoin for Expr {
    fn into_join(self) -> JoinCondition {
        JoinCondition::On(self)
    }
}

impl IntoJoin for &str {
    fn into_join(self) -> JoinCondition {
        JoinCondition::Using(vec![self.to_owned()])
    }
}

impl<const N: usize> IntoJoin for [&str; N] {
    fn into_join(self) -> JoinCondition {
        JoinCondition::Using(self.iter().map(ToString::to_string).collect())
    }
}

/// Spark's names of the kinds of join, without regard to case and underscores.
pub(super) fn join_kind(name: &str) -> Result<JoinKind> {
    Ok(match name.to_lowercase().replace('_', "").as_str() {
        "inner" => JoinKind::Inner,
        "cross" => JoinKind::Cross,
        "left" | "leftouter" => JoinKind::LeftOuter,
        "right" | "rightouter" => JoinKind::RightOuter,
        "outer" | "full" | "fullouter" => JoinKind::FullOuter,
        "semi" | "leftsemi" => JoinKind::LeftSemi,
        "anti" | "leftanti" => JoinKind::LeftAnti,
        _ => {
            const SUPPORTED: &str = "'inner', 'outer', 'full', 'fullouter', 'full_outer', 'leftouter', 'left', \
                 'left_outer', 'rightouter', 'right', 'right_outer', 'leftsemi', 'left_semi', 'semi', \
                 'leftanti', 'left_anti', 'anti', 'cross'";
            let parameters = [("typ", format!("'{name}'")), ("supported", SUPPORTED.to_owned())];
            return Err(SparkError::new("UNSUPPORTED_JOIN_TYPE", parameters).into());
        }
    })
}
