//! Expressions: names bound, types known, implicit casts written out.

mod arithmetic;
mod comparison;
mod lambda;
mod literal;
mod operator;
mod star;
mod temporal;

use std::cell::RefCell;

use datafusion::logical_expr::{Case, Expr as Plan};

pub(crate) use arithmetic::arithmetic;
pub(crate) use literal::{array_of, columns_of, integer_literal, literal};
pub(crate) use star::Item;

use super::aggregate::Aggregates;
use super::coercion::{Expected, cast_to, cast_with, common_type, implicit_cast};
use super::over::Windows;
use super::relation::{Analyzer, PARTITION_ID_COLUMN};
use super::scope::Scope;
use super::typed::{Label, Typed};
use super::{Conf, errors};
use crate::error::{Error, Result};
use crate::functions::cast::{Overflow, Verdict, verdict};
use crate::functions::{self, Call};
use crate::sql;
use crate::tree::{CastMode, Expr, Value};
use crate::types::SparkType;

/// Expressions nested deeper than this are refused.
const MAX_DEPTH: usize = 500;

/// Resolves expressions over one relation's columns.
pub(crate) struct Resolver<'a> {
    /// For subqueries and settings.
    pub analyzer: &'a Analyzer<'a>,
    /// What names mean.
    pub scope: &'a Scope,
    /// Where aggregate functions are collected; none where they may not stand.
    pub aggregates: Option<&'a RefCell<Aggregates>>,
    /// Where window functions are collected; none where they may not stand.
    pub windows: Option<&'a RefCell<Windows>>,
    depth: std::cell::Cell<usize>,
    /// Parameters of the lambdas around, the innermost last.
    lambdas: RefCell<Vec<lambda::Parameters>>,
}

impl<'a> Resolver<'a> {
    /// Over the columns of `scope`.
    pub fn new(analyzer: &'a Analyzer<'a>, scope: &'a Scope) -> Self {
        Self {
            analyzer,
            scope,
            aggregates: None,
            windows: None,
            depth: std::cell::Cell::new(0),
            lambdas: RefCell::default(),
        }
    }

    /// The same, with aggregate functions collected into `aggregates`.
    pub fn collecting(mut self, aggregates: &'a RefCell<Aggregates>) -> Self {
        self.aggregates = Some(aggregates);
        self
    }

    /// The same, with window functions collected into `windows`.
    pub fn over(mut self, windows: &'a RefCell<Windows>) -> Self {
        self.windows = Some(windows);
        self
    }

    /// The session's settings.
    pub fn conf(&self) -> &'a Conf {
        self.analyzer.conf
    }

    /// Resolves one expression.
    pub fn resolve(&self, expr: &Expr) -> Result<Typed> {
        self.depth.set(self.depth.get() + 1);
        let resolved = if self.depth.get() > MAX_DEPTH {
            Err(Error::unsupported(format!("an expression nested deeper than {MAX_DEPTH} levels")))
        } else {
            self.resolve_inner(expr)
        };
        self.depth.set(self.depth.get() - 1);
        resolved
    }

    /// Resolves a condition; NULL counts as false.
    pub fn condition(&self, expr: &Expr) -> Result<Typed> {
        let condition = self.resolve(expr)?;
        implicit_cast(&condition, &Expected::Exactly(SparkType::Boolean), self.conf())?
            .filter(|_| matches!(condition.data_type, SparkType::Boolean | SparkType::Null))
            .ok_or_else(|| errors::filter_not_boolean(&condition.sql, &condition.data_type))
    }

    fn resolve_inner(&self, expr: &Expr) -> Result<Typed> {
        match expr {
            Expr::Literal(value) => literal(value, self.conf()),
            Expr::Attribute(parts) => self.attribute(parts),
            Expr::Alias { child, names } => self.alias(child, names),
            Expr::Cast { child, to, mode } => self.cast(child, to, *mode),
            Expr::Call(call) => self.call(call),
            Expr::Case { branches, otherwise } => self.case(branches, otherwise.as_deref()),
            Expr::Extract { child, key } => {
                let (child, key) = (self.resolve(child)?, self.resolve(key)?);
                let mut part = functions::extract(&child, &key, self.conf())?;
                part.label = Label::Sql;
                Ok(part)
            }
            Expr::Sql(text) => {
                let parsed = sql::parse_expression_with(text, &self.analyzer.parse_options())?;
                self.resolve(&parsed)
            }
            Expr::Sort(order) => self.resolve(&order.child),
            Expr::Star { .. } | Expr::RegexColumn(_) => Err(errors::spark(
                "INVALID_USAGE_OF_STAR_OR_REGEX",
                [("elem", "'*'"), ("prettyName", "expression")],
            )),
            Expr::ScalarSubquery(query) => self.analyzer.scalar_subquery(query),
            Expr::Exists(query) => self.analyzer.exists(query),
            Expr::InSubquery { values, query } => {
                let values = values.iter().map(|v| self.resolve(v)).collect::<Result<Vec<_>>>()?;
                self.analyzer.in_subquery(&values, query)
            }
            Expr::UpdateField { .. } => Err(Error::unsupported("withField and dropFields")),
            Expr::LambdaVariable(parts) => self.lambda_variable(parts),
            Expr::Lambda { .. } => Err(Error::unsupported("a lambda that is no argument of a function")),
            Expr::Window(window) => match self.windows {
                Some(windows) => self.window(window, windows),
                None => Err(Error::unsupported("OVER anywhere but in a select list without GROUP BY")),
            },
        }
    }

    fn attribute(&self, parts: &[String]) -> Result<Typed> {
        let Some((attribute, fields)) = self.scope.lookup(parts)? else {
            return Err(self.scope.unresolved(parts));
        };
        let mut typed = attribute.typed();
        for field in fields {
            let key = literal(&Value::String(field.clone()), self.conf())?;
            typed = functions::extract(&typed, &key, self.conf())?;
            typed.label = Label::Field(field.clone());
        }
        Ok(typed)
    }

    fn alias(&self, child: &Expr, names: &[String]) -> Result<Typed> {
        let mut typed = self.resolve(child)?;
        let [name] = names else {
            return Err(Error::unsupported("several names for what is no generator"));
        };
        typed.sql = format!("{} AS {name}", typed.sql);
        typed.label = Label::Alias(name.clone());
        Ok(typed)
    }

    fn cast(&self, child: &Expr, to: &SparkType, mode: CastMode) -> Result<Typed> {
        let child = self.resolve(child)?;
        let (word, overflow) = match mode {
            CastMode::Try => ("TRY_CAST", Overflow::Null),
            CastMode::Session => ("CAST", functions::ansi_overflow(self.conf().ansi())),
        };
        let sql = format!("{word}({} AS {})", child.sql, to.sql());
        let strict = mode == CastMode::Try || self.conf().ansi();
        match verdict(&child.data_type, to, strict) {
            Verdict::Allowed => {}
            refused => {
                let switch = refused == Verdict::OnlyWithoutAnsi && mode == CastMode::Session;
                return Err(errors::refused_cast(&sql, &child.data_type, to, (strict, switch)));
            }
        }
        let label = match &child.label {
            Label::Attribute(name) | Label::Alias(name) => Label::Cast(name.clone()),
            _ => Label::Sql,
        };
        let nullable = child.nullable || overflow == Overflow::Null;
        let typed = cast_with(child, to, overflow, self.conf())?;
        Ok(Typed { sql, label, nullable: nullable || typed.nullable, ..typed })
    }

    fn call(&self, call: &crate::tree::Call) -> Result<Typed> {
        let name = call.name.to_lowercase();
        if let Some(resolved) = self.operator(&name, &call.arguments)? {
            return Ok(resolved);
        }
        if functions::aggregate::is_aggregate(&name) {
            let Some(aggregates) = self.aggregates else {
                return Err(errors::spark(
                    "INVALID_WHERE_CONDITION",
                    [("condition", format!("\"{name}\"")), ("expressionList", name.clone())],
                ));
            };
            return self.aggregate(&name, call, aggregates);
        }
        if call.distinct || call.filter.is_some() {
            return Err(errors::spark(
                "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
                [
                    ("prettyName", errors::identifier(&[&name])),
                    ("syntax", if call.distinct { "DISTINCT" } else { "FILTER CLAUSE" }.to_owned()),
                ],
            ));
        }
        if name == "spark_partition_id" && call.arguments.is_empty() {
            return self.partition_id();
        }
        if let Some(resolved) = self.higher_order(&name, call)? {
            return Ok(resolved);
        }
        let args = self.arguments(&call.arguments)?;
        if let Some(cast) = self.cast_function(&name, &args)? {
            return Ok(cast);
        }
        let Some(entry) = functions::lookup(&name) else {
            return Err(errors::unresolved_routine(&call.name));
        };
        entry.build(&Call { name, args, conf: self.conf() })
    }

    /// The task that read the row, where the source tells it.
    fn partition_id(&self) -> Result<Typed> {
        let found = self.scope.hidden.iter().find(|a| &*a.name == PARTITION_ID_COLUMN);
        let attribute = found.ok_or_else(|| {
            Error::unsupported("spark_partition_id() anywhere but directly over a source that tells it")
        })?;
        Ok(Typed::new(attribute.expr(), SparkType::Integer, "SPARK_PARTITION_ID()").nullable(false))
    }

    /// `int(x)`, `string(x)` and the like.
    fn cast_function(&self, name: &str, args: &[Typed]) -> Result<Option<Typed>> {
        let to = match name {
            "boolean" => SparkType::Boolean,
            "tinyint" => SparkType::Byte,
            "smallint" => SparkType::Short,
            "int" => SparkType::Integer,
            "bigint" => SparkType::Long,
            "float" => SparkType::Float,
            "double" => SparkType::Double,
            "decimal" => SparkType::Decimal(10, 0),
            "string" => SparkType::String,
            "binary" => SparkType::Binary,
            "date" => SparkType::Date,
            "timestamp" => SparkType::Timestamp,
            _ => return Ok(None),
        };
        let [child] = args else { return Err(errors::wrong_num_args(name, "1", args.len())) };
        let sql = format!("CAST({} AS {})", child.sql, to.sql());
        let allowed = verdict(&child.data_type, &to, self.conf().ansi());
        if allowed != Verdict::Allowed {
            let switch = allowed == Verdict::OnlyWithoutAnsi;
            let strict = self.conf().ansi();
            return Err(errors::refused_cast(&sql, &child.data_type, &to, (strict, switch)));
        }
        let label = match &child.label {
            Label::Attribute(name) => Label::Cast(name.clone()),
            _ => Label::Sql,
        };
        let overflow = functions::ansi_overflow(self.conf().ansi());
        let typed = cast_with(child.clone(), &to, overflow, self.conf())?;
        Ok(Some(Typed { sql, label, ..typed }))
    }

    fn case(&self, branches: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result<Typed> {
        let conditions = branches.iter().map(|(c, _)| self.resolve(c)).collect::<Result<Vec<_>>>()?;
        let mut values = branches.iter().map(|(_, v)| self.resolve(v)).collect::<Result<Vec<_>>>()?;
        let last = otherwise.map(|e| self.resolve(e)).transpose()?;
        let mut sql = String::from("CASE");
        for (condition, value) in conditions.iter().zip(&values) {
            sql.push_str(&format!(" WHEN {} THEN {}", condition.sql, value.sql));
        }
        if let Some(last) = &last {
            sql.push_str(&format!(" ELSE {}", last.sql));
        }
        sql.push_str(" END");
        let has_else = last.is_some();
        values.extend(last);
        let values = self.unify(values, &sql, "casewhen")?;
        let data_type = values[0].data_type.clone();
        let nullable = !has_else || values.iter().any(|v| v.nullable);
        let foldable = values.iter().chain(&conditions).all(|v| v.foldable);
        let mut when = Vec::with_capacity(branches.len());
        for (condition, value) in conditions.into_iter().zip(&values) {
            let condition = implicit_cast(&condition, &Expected::Exactly(SparkType::Boolean), self.conf())?
                .filter(|_| matches!(condition.data_type, SparkType::Boolean | SparkType::Null))
                .ok_or_else(|| errors::unexpected_input(&sql, 0, "\"BOOLEAN\"", &condition))?;
            when.push((Box::new(condition.expr), Box::new(value.expr.clone())));
        }
        let otherwise = has_else.then(|| Box::new(values[values.len() - 1].expr.clone()));
        let expr = Plan::Case(Case::new(None, when, otherwise));
        Ok(Typed { expr, data_type, nullable, sql, label: Label::Sql, foldable })
    }

    /// All of one type, cast where they differ.
    pub fn unify(&self, values: Vec<Typed>, sql: &str, function: &str) -> Result<Vec<Typed>> {
        let Some(first) = values.first() else { return Ok(values) };
        let mut found = first.data_type.clone();
        for value in &values[1..] {
            found = common_type(&found, &value.data_type, self.conf()).ok_or_else(|| {
                let types: Vec<SparkType> = values.iter().map(|v| v.data_type.clone()).collect();
                errors::different_types(sql, function, &types)
            })?;
        }
        values.into_iter().map(|v| cast_to(v, &found, self.conf())).collect()
    }
}
