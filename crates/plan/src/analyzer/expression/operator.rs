//! Operators and predicates: `and or not`, IS NULL, IN, BETWEEN, LIKE; arithmetic and comparisons are passed
//! on.

use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{BinaryExpr, Expr as Plan, Like, Operator};
use datafusion::scalar::ScalarValue;

use super::Resolver;
use super::arithmetic::{arithmetic, negative};
use crate::analyzer::coercion::{Expected, implicit_cast};
use crate::analyzer::errors;
use crate::analyzer::typed::{Label, Typed};
use crate::error::{Error, Result};
use crate::functions::{Operation, ansi_overflow};
use crate::functions::{bit_not, bit_operator, shift};
use crate::tree::Expr;
use crate::types::SparkType;

impl Resolver<'_> {
    /// The expression when `name` is an operator or predicate.
    pub(super) fn operator(&self, name: &str, args: &[Expr]) -> Result<Option<Typed>> {
        let operation = match name {
            "+" => Operation::Add,
            "-" => Operation::Subtract,
            "*" => Operation::Multiply,
            "/" => Operation::Divide,
            "div" => Operation::IntegralDivide,
            "%" => Operation::Remainder,
            _ => return self.predicate(name, args),
        };
        let (left, right) = self.pair(name, args)?;
        let sql = format!("({} {name} {})", left.sql, right.sql);
        if let Some(moved) = self.time_arithmetic(operation, &left, &right, &sql)? {
            return Ok(Some(moved));
        }
        let overflow = ansi_overflow(self.conf().ansi());
        arithmetic(operation, &left, &right, overflow, sql, self.conf()).map(Some)
    }

    fn predicate(&self, name: &str, args: &[Expr]) -> Result<Option<Typed>> {
        let typed = match name {
            "and" => self.logic(Operator::And, args)?,
            "or" => self.logic(Operator::Or, args)?,
            "not" | "!" => self.negation(args)?,
            "=" | "==" => self.comparison(Operator::Eq, args)?,
            "<" => self.comparison(Operator::Lt, args)?,
            "<=" => self.comparison(Operator::LtEq, args)?,
            ">" => self.comparison(Operator::Gt, args)?,
            ">=" => self.comparison(Operator::GtEq, args)?,
            "<=>" => self.comparison(Operator::IsNotDistinctFrom, args)?,
            "isnull" => self.null_test(name, args)?,
            "isnotnull" => self.null_test(name, args)?,
            "in" => self.membership(args)?,
            "between" => self.between(args)?,
            "like" | "ilike" => self.like(name, args)?,
            "negative" => negative(&self.single(name, args)?, self.conf())?,
            "positive" => {
                let child = self.single(name, args)?;
                Typed { sql: format!("(+ {})", child.sql), label: Label::Sql, ..child }
            }
            "&" | "|" | "^" => {
                let (left, right) = self.pair(name, args)?;
                bit_operator(name, &left, &right, self.conf())?
            }
            "~" => bit_not(&self.single(name, args)?, self.conf())?,
            "<<" | ">>" | ">>>" => {
                let (left, right) = self.pair(name, args)?;
                shift(name, &left, &right, self.conf())?
            }
            _ => return Ok(None),
        };
        Ok(Some(typed))
    }

    pub(super) fn single(&self, name: &str, args: &[Expr]) -> Result<Typed> {
        match args {
            [one] => self.resolve(one),
            other => Err(errors::wrong_num_args(name, "1", other.len())),
        }
    }

    pub(super) fn pair(&self, name: &str, args: &[Expr]) -> Result<(Typed, Typed)> {
        match args {
            [left, right] => Ok((self.resolve(left)?, self.resolve(right)?)),
            other => Err(errors::wrong_num_args(name, "2", other.len())),
        }
    }

    fn logic(&self, operator: Operator, args: &[Expr]) -> Result<Typed> {
        let word = if operator == Operator::And { "AND" } else { "OR" };
        let (left, right) = self.pair(word, args)?;
        let sql = format!("({} {word} {})", left.sql, right.sql);
        let boolean = |side: &Typed| {
            implicit_cast(side, &Expected::Exactly(SparkType::Boolean), self.conf())?
                .filter(|_| matches!(side.data_type, SparkType::Boolean | SparkType::Null))
                .ok_or_else(|| {
                    if left.data_type == right.data_type {
                        errors::wrong_operand(&sql, "\"BOOLEAN\"", &side.data_type)
                    } else {
                        errors::different_operands(&sql, &left.data_type, &right.data_type)
                    }
                })
        };
        Ok(binary(operator, boolean(&left)?, boolean(&right)?, sql))
    }

    fn negation(&self, args: &[Expr]) -> Result<Typed> {
        let child = self.single("not", args)?;
        let sql = format!("(NOT {})", child.sql);
        let typed = implicit_cast(&child, &Expected::Exactly(SparkType::Boolean), self.conf())?
            .filter(|_| matches!(child.data_type, SparkType::Boolean | SparkType::Null))
            .ok_or_else(|| errors::unexpected_input(&sql, 0, "\"BOOLEAN\"", &child))?;
        Ok(Typed { expr: Plan::Not(Box::new(typed.expr)), sql, label: Label::Sql, ..typed })
    }

    fn null_test(&self, name: &str, args: &[Expr]) -> Result<Typed> {
        let child = self.single(name, args)?;
        let inner = Box::new(child.expr);
        let (expr, words) = match name {
            "isnull" => (Plan::IsNull(inner), "IS NULL"),
            _ => (Plan::IsNotNull(inner), "IS NOT NULL"),
        };
        let typed = Typed::new(expr, SparkType::Boolean, format!("({} {words})", child.sql));
        Ok(Typed { foldable: child.foldable, ..typed.nullable(false) })
    }

    fn membership(&self, args: &[Expr]) -> Result<Typed> {
        let values = args.iter().map(|a| self.resolve(a)).collect::<Result<Vec<_>>>()?;
        let Some((value, list)) = values.split_first() else {
            return Err(errors::wrong_num_args("in", "> 1", 0));
        };
        let names: Vec<&str> = list.iter().map(|v| v.sql.as_str()).collect();
        let sql = format!("({} IN ({}))", value.sql, names.join(", "));
        let nullable = values.iter().any(|v| v.nullable);
        let foldable = values.iter().all(|v| v.foldable);
        let mut values = self.unify(values, &sql, "in")?.into_iter().map(|v| v.expr);
        let Some(first) = values.next() else { return Err(errors::wrong_num_args("in", "> 1", 0)) };
        let expr = Plan::InList(InList::new(Box::new(first), values.collect(), false));
        Ok(Typed { foldable, ..Typed::new(expr, SparkType::Boolean, sql).nullable(nullable) })
    }

    fn between(&self, args: &[Expr]) -> Result<Typed> {
        let [value, low, high] = args else { return Err(errors::wrong_num_args("between", "3", args.len())) };
        let above = self.comparison(Operator::GtEq, &[value.clone(), low.clone()])?;
        let below = self.comparison(Operator::LtEq, &[value.clone(), high.clone()])?;
        let names = [self.resolve(value)?.sql, self.resolve(low)?.sql, self.resolve(high)?.sql];
        Ok(binary(Operator::And, above, below, format!("between({})", names.join(", "))))
    }

    fn like(&self, name: &str, args: &[Expr]) -> Result<Typed> {
        let (args, escape) = match args {
            [value, pattern] => ([value, pattern], None),
            [value, pattern, escape] => ([value, pattern], Some(self.resolve(escape)?)),
            other => return Err(errors::wrong_num_args(name, "[2, 3]", other.len())),
        };
        let (value, mut pattern) = (self.resolve(args[0])?, self.resolve(args[1])?);
        if let Some(escape) = escape.filter(|e| e.text() != Some("\\")) {
            let (Some(text), Some(escape)) = (pattern.text(), escape.text().and_then(|e| e.chars().next()))
            else {
                return Err(Error::unsupported(
                    "LIKE with an escape character and a pattern that is no constant",
                ));
            };
            let rewritten = with_backslash(text, escape);
            pattern.expr = Plan::Literal(ScalarValue::Utf8View(Some(rewritten)), None);
        }
        let sql = match name {
            "ilike" => format!("ilike({}, {})", value.sql, pattern.sql),
            _ => format!("{} LIKE {}", value.sql, pattern.sql),
        };
        let text = |side: &Typed, index| {
            implicit_cast(side, &Expected::Exactly(SparkType::String), self.conf())?
                .ok_or_else(|| errors::unexpected_input(&sql, index, "\"STRING\"", side))
        };
        let (left, right) = (text(&value, 0)?, text(&pattern, 1)?);
        let nullable = left.nullable || right.nullable;
        let insensitive = name == "ilike";
        let expr = Plan::Like(Like::new(false, Box::new(left.expr), Box::new(right.expr), None, insensitive));
        let typed = Typed::new(expr, SparkType::Boolean, sql).nullable(nullable);
        Ok(Typed { foldable: value.foldable && pattern.foldable, ..typed })
    }
}

/// A pattern with another escape character as one with a backslash.
fn with_backslash(pattern: &str, escape: char) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            c if c == escape => {
                out.push('\\');
                out.extend(chars.next());
            }
            '\\' => out.push_str("\\\\"),
            c => out.push(c),
        }
    }
    out
}

/// A BOOLEAN operator on two operands of fitting types.
pub(super) fn binary(operator: Operator, left: Typed, right: Typed, sql: String) -> Typed {
    let nullable = operator != Operator::IsNotDistinctFrom && (left.nullable || right.nullable);
    let foldable = left.foldable && right.foldable;
    let expr = Plan::BinaryExpr(BinaryExpr::new(Box::new(left.expr), operator, Box::new(right.expr)));
    Typed { foldable, ..Typed::new(expr, SparkType::Boolean, sql).nullable(nullable) }
}
