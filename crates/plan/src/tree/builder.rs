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
    /// Another branch of [`when`].
    ///
    /// On anything else than [`when`] the new branch comes first and the expression is what it falls back to.
    pub fn when(self, condition: Expr, value: impl Into<Expr>) -> Self {
        match self {
            Self::Case { mut branches, otherwise: None } => {
                branches.push((condition, value.into()));
                Self::Case { branches, otherwise: None }
            }
            other => when(condition, value).otherwise(other),
        }
    }

    /// What [`when`] gives if no condition holds; NULL without it.
    pub fn otherwise(self, value: impl Into<Expr>) -> Self {
        match self {
            Self::Case { branches, .. } => Self::Case { branches, otherwise: Some(Box::new(value.into())) },
            other => other,
        }
    }

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

    /// `self = other`.
    pub fn eq(self, other: impl Into<Expr>) -> Self {
        self.binary("=", other)
    }

    /// `self != other`.
    pub fn ne(self, other: impl Into<Expr>) -> Self {
        !self.binary("=", other)
    }

    /// `self <=> other`: NULL equals NULL.
    pub fn eq_null_safe(self, other: impl Into<Expr>) -> Self {
        self.binary("<=>", other)
    }

    /// `self < other`.
    pub fn lt(self, other: impl Into<Expr>) -> Self {
        self.binary("<", other)
    }

    /// `self <= other`.
    pub fn le(self, other: impl Into<Expr>) -> Self {
        self.binary("<=", other)
    }

    /// `self > other`.
    pub fn gt(self, other: impl Into<Expr>) -> Self {
        self.binary(">", other)
    }

    /// `self >= other`.
    pub fn ge(self, other: impl Into<Expr>) -> Self {
        self.binary(">=", other)
    }

    /// `self AND other`.
    pub fn and(self, other: impl Into<Expr>) -> Self {
        self.binary("and", other)
    }

    /// `self OR other`.
    pub fn or(self, other: impl Into<Expr>) -> Self {
        self.binary("or", other)
    }

    /// `self IS NULL`.
    pub fn is_null(self) -> Self {
        call("isnull", vec![self])
    }

    /// `self IS NOT NULL`.
    pub fn is_not_null(self) -> Self {
        call("isnotnull", vec![self])
    }

    /// `self IN (values)`.
    pub fn is_in<T: Into<Expr>>(self, values: impl IntoIterator<Item = T>) -> Self {
        call("in", std::iter::once(self).chain(values.into_iter().map(Into::into)).collect())
    }

    /// `self BETWEEN lower AND upper`, both included.
    pub fn between(self, lower: impl Into<Expr>, upper: impl Into<Expr>) -> Self {
        call("between", vec![self, lower.into(), upper.into()])
    }

    /// `self LIKE pattern`.
    pub fn like(self, pattern: impl Into<Expr>) -> Self {
        self.binary("like", pattern)
    }

    /// `self RLIKE pattern`: a Java regular expression is found in the text.
    pub fn rlike(self, pattern: impl Into<Expr>) -> Self {
        self.binary("rlike", pattern)
    }

    /// Whether the text holds another.
    pub fn contains(self, part: impl Into<Expr>) -> Self {
        self.binary("contains", part)
    }

    /// Whether the text begins with another.
    pub fn starts_with(self, part: impl Into<Expr>) -> Self {
        self.binary("startswith", part)
    }

    /// Whether the text ends with another.
    pub fn ends_with(self, part: impl Into<Expr>) -> Self {
        self.binary("endswith", part)
    }

    /// `self[key]`: an element by its 0-based index, a map's value by its key.
    pub fn get_item(self, key: impl Into<Expr>) -> Self {
        Self::Extract { child: Box::new(self), key: Box::new(key.into()) }
    }

    /// `self.name`: a struct's field.
    pub fn get_field(self, name: &str) -> Self {
        self.get_item(name)
    }

    fn binary(self, name: &str, other: impl Into<Expr>) -> Self {
        call(name, vec![self, other.into()])
    }
}

macro_rules! operator {
    ($($operation:ident $method:ident $sign:literal),*) => {$(
        impl<T: Into<Expr>> std::ops::$operation<T> for Expr {
            type Output = Expr;

            fn $method(self, other: T) -> Expr {
                self.binary($sign, other)
            }
        }
    )*};
}

operator!(Add add "+", Sub sub "-", Mul mul "*", Div div "/", Rem rem "%");

impl std::ops::Neg for Expr {
    type Output = Self;

    fn neg(self) -> Self {
        call("negative", vec![self])
    }
}

impl std::ops::Not for Expr {
    type Output = Self;

    fn not(self) -> Self {
        call("not", vec![self])
    }
}

impl<T: Into<Value>> From<T> for Expr {
    /// A constant.
    fn from(value: T) -> Self {
        Self::Literal(value.into())
    }
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),* $(,)?) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )*};
}

value_from!(
    bool => Boolean, i8 => Byte, i16 => Short, i32 => Integer, i64 => Long, f32 => Float, f64 => Double,
    &str => String, String => String, Vec<u8> => Binary, &[u8] => Binary,
);

impl<T: Into<Value>> From<Option<T>> for Value {
    /// None is NULL.
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
