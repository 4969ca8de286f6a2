//! Expressions: operators and predicates by precedence.
//!
//! From the loosest to the tightest: OR, AND, NOT, predicates (`IN`, `LIKE`, `IS NULL`, ...), comparisons, `|`, `^`,
//! `&`, shifts, `+ - ||`, `* / % DIV`, signs and `~`, then what [`super::primary`] reads.
use super::lexer::Kind;
use super::parser::{Parsed, Parser};
use crate::error::SparkError;
use crate::tree::{Call, Expr, Value, call};

/// An operator between two values.
struct Operator {
    /// Name of the call.
    name: &'static str,
    /// Binds tighter the higher it is.
    precedence: u8,
    /// How many tokens it takes.
    tokens: usize,
}

const COMPARISON: u8 = 1;
const SHIFT: u8 = 5;

impl Parser<'_> {
    /// An expression with an optional alias, or with several in parentheses.
    pub fn named_expression(&mut self) -> Parsed<Expr> {
        let expr = self.expression()?;
        if self.eat_word("AS") {
            let names = if self.at_symbol("(") { self.identifier_list()? } else { vec![self.identifier()?] };
            return Ok(Expr::Alias { child: Box::new(expr), names });
        }
        if self.at_symbol("(") {
            let names = self.attempt(Self::identifier_list);
            return match names {
                Some(names) => Ok(Expr::Alias { child: Box::new(expr), names }),
                None => Err(self.unexpected(false)),
            };
        }
        match self.implicit_alias()? {
            Some(name) => Ok(expr.alias(name)),
            None => Ok(expr),
        }
    }

    /// Any expression.
    pub fn expression(&mut self) -> Parsed<Expr> {
        self.nested(|p| p.logical("OR", "or", |p| p.nested(|p| p.logical("AND", "and", Self::negation))))
    }

    /// Operands with AND or OR between them, as a balanced tree: such chains grow long in generated text.
    fn logical(
        &mut self,
        word: &str,
        name: &'static str,
        mut operand: impl FnMut(&mut Self) -> Parsed<Expr>,
    ) -> Parsed<Expr> {
        let mut operands = vec![operand(self)?];
        while self.eat_word(word) {
            operands.push(operand(self)?);
        }
        self.grow(operands.len().next_power_of_two().ilog2() as usize)?;
        Ok(balanced(name, operands))
    }

    fn negation(&mut self) -> Parsed<Expr> {
        let negated =
            self.eat_symbol("!") || (self.at_word("NOT") && !self.word_is_a_name() && self.eat_word("NOT"));
        if negated {
            let child = self.nested(Self::negation)?;
            return Ok(call("not", vec![child]));
        }
        let value = self.value(0)?;
        self.predicate(value)
    }

    /// Whether the word at the cursor ends its expression or is followed by what only follows names.
    pub fn word_is_a_name(&self) -> bool {
        let follows = self.peek_at(1);
        match follows.kind {
            Kind::End => true,
            Kind::Symbol(s) => {
                [",", ")", "]", ".", "=", "<", ">", "<=", ">=", "<>", "!=", "<=>", "/", "%", "::"]
                    .contains(&s)
            }
            Kind::Word => ["AS", "FROM", "IS", "IN", "LIKE", "BETWEEN"].iter().any(|w| follows.is_word(w)),
            _ => false,
        }
    }

    /// What may follow a value: `IS NULL`, `IN (..)`, `LIKE ..`, `BETWEEN ..`.
    fn predicate(&mut self, value: Expr) -> Parsed<Expr> {
        if self.eat_word("IS") {
            return self.is_predicate(value);
        }
        let negated = self.at_word("NOT")
            && ["IN", "BETWEEN", "LIKE", "ILIKE", "RLIKE", "REGEXP"]
                .iter()
                .any(|w| self.peek_at(1).is_word(w))
            && self.eat_word("NOT");
        let found = if self.eat_word("BETWEEN") {
            let lower = self.nested(|p| p.value(0))?;
            self.expect_word("AND")?;
            let upper = self.nested(|p| p.value(0))?;
            call("between", vec![value, lower, upper])
        } else if self.at_word("IN") && self.peek_at(1).is_symbol("(") {
            self.advance();
            self.in_predicate(value)?
        } else if self.eat_word("RLIKE") || self.eat_word("REGEXP") {
            let pattern = self.nested(|p| p.value(0))?;
            call("rlike", vec![value, pattern])
        } else if self.at_any_word(&["LIKE", "ILIKE"]) {
            let name = if self.eat_word("LIKE") {
                "like"
            } else {
                self.advance();
                "ilike"
            };
            return self.like(value, name, negated);
        } else {
            return Ok(value);
        };
        self.grow(2)?;
        Ok(not_if(negated, found))
    }

    fn is_predicate(&mut self, value: Expr) -> Parsed<Expr> {
        let negated = self.eat_word("NOT");
        self.grow(2)?;
        let truth = |truth: bool| Expr::Literal(Value::Boolean(truth));
        if self.eat_word("NULL") || self.eat_word("UNKNOWN") {
            Ok(call(if negated { "isnotnull" } else { "isnull" }, vec![value]))
        } else if self.eat_word("TRUE") {
            Ok(not_if(negated, call("<=>", vec![value, truth(true)])))
        } else if self.eat_word("FALSE") {
            Ok(not_if(negated, call("<=>", vec![value, truth(false)])))
        } else if self.eat_words(&["DISTINCT", "FROM"]) {
            let other = self.nested(|p| p.value(0))?;
            Ok(not_if(!negated, call("<=>", vec![value, other])))
        } else {
            Err(self.unexpected(false))
        }
    }

    fn in_predicate(&mut self, value: Expr) -> Parsed<Expr> {
        self.expect_symbol("(")?;
        if self.at_query() {
            let query = Box::new(self.query()?);
            self.expect_symbol(")")?;
            let values = match value {
                Expr::Call(Call { name, arguments, .. }) if name == ROW => arguments,
                value => vec![value],
            };
            return Ok(Expr::InSubquery { values, query });
        }
        let mut arguments = vec![value];
        arguments.extend(self.list(Self::expression)?);
        self.close_list(arguments.len() - 1, ")")?;
        Ok(call("in", arguments))
    }

    fn like(&mut self, value: Expr, name: &str, negated: bool) -> Parsed<Expr> {
        if self.at_any_word(&["ANY", "SOME", "ALL"]) && self.peek_at(1).is_symbol("(") {
            let all = self.at_word("ALL");
            self.advance();
            self.expect_symbol("(")?;
            let patterns = self.list(Self::expression)?;
            self.close_list(patterns.len(), ")")?;
            self.grow(3 + patterns.len().ilog2() as usize)?;
            let tests = patterns.into_iter().map(|p| not_if(negated, call(name, vec![value.clone(), p])));
            return Ok(balanced(if all { "and" } else { "or" }, tests.collect()));
        }
        let mut arguments = vec![value, self.nested(|p| p.value(0))?];
        if self.eat_word("ESCAPE") {
            let escape = self.string()?;
            if escape.chars().count() != 1 {
                return Err(SparkError::new("INVALID_ESCAPE_CHAR", [("sqlExpr", quoted(&escape))]).into());
            }
            arguments.push(Expr::Literal(Value::String(escape)));
        }
        self.grow(2)?;
        Ok(not_if(negated, call(name, arguments)))
    }

    /// Values with operators of at least this precedence between them.
    pub fn value(&mut self, least: u8) -> Parsed<Expr> {
        let mut left = self.signed()?;
        while let Some(operator) = self.operator().filter(|o| o.precedence >= least) {
            for _ in 0..operator.tokens {
                self.advance();
            }
            let right = self.nested(|p| p.value(operator.precedence + 1))?;
            self.grow(1)?;
            left = match operator.name {
                "!=" => {
                    self.grow(1)?;
                    call("not", vec![call("=", vec![left, right])])
                }
                name => call(name, vec![left, right]),
            };
        }
        Ok(left)
    }

    fn signed(&mut self) -> Parsed<Expr> {
        let name = match self.peek().kind {
            Kind::Symbol("-") if self.peek_at(1).kind == Kind::Number => return self.primary(),
            Kind::Symbol("-") => "negative",
            Kind::Symbol("+") => "positive",
            Kind::Symbol("~") => "~",
            _ => return self.primary(),
        };
        self.advance();
        let child = self.nested(Self::signed)?;
        Ok(call(name, vec![child]))
    }

    fn operator(&self) -> Option<Operator> {
        let found = |name, precedence, tokens| Some(Operator { name, precedence, tokens });
        let token = self.peek();
        if token.is_word("DIV") {
            return found("div", 7, 1);
        }
        let Kind::Symbol(symbol) = token.kind else {
            return None;
        };
        match symbol {
            "=" | "==" => found("=", COMPARISON, 1),
            "<=>" => found("<=>", COMPARISON, 1),
            "<>" | "!=" => found("!=", COMPARISON, 1),
            "<" => found("<", COMPARISON, 1),
            "<=" | "!>" => found("<=", COMPARISON, 1),
            ">=" | "!<" => found(">=", COMPARISON, 1),
            ">" => match self.shift_right_length() {
                1 => found(">", COMPARISON, 1),
                2 => found(">>", SHIFT, 2),
                _ => found(">>>", SHIFT, 3),
            },
            "|" => found("|", 2, 1),
            "^" => found("^", 3, 1),
            "&" => found("&", 4, 1),
            "<<" => found("<<", SHIFT, 1),
            "+" => found("+", 6, 1),
            "-" => found("-", 6, 1),
            "||" => found("concat", 6, 1),
            "*" => found("*", 7, 1),
            "/" => found("/", 7, 1),
            "%" => found("%", 7, 1),
            _ => None,
        }
    }

    /// How many `>` stand in a row.
    fn shift_right_length(&self) -> usize {
        let touches =
            |i: usize| self.peek_at(i).is_symbol(">") && self.peek_at(i).start == self.peek_at(i - 1).end();
        1 + (1..3).take_while(|&i| touches(i)).count()
    }
}

/// The name under which `(a, b)` is a struct with unnamed fields.
pub(super) const ROW: &str = "struct";

fn not_if(negated: bool, expr: Expr) -> Expr {
    if negated { call("not", vec![expr]) } else { expr }
}

/// Joins operands the way Spark does, which shows in the names of columns.
fn balanced(name: &str, mut operands: Vec<Expr>) -> Expr {
    match operands.len() {
        0 => Expr::Literal(Value::Null),
        1 => operands.remove(0),
        n => {
            let right = operands.split_off((n - 1) / 2 + 1);
            call(name, vec![balanced(name, operands), balanced(name, right)])
        }
    }
}

/// Text in single quotes, for error parameters.
pub(super) fn quoted(text: &str) -> String {
    format!("'{text}'")
}
