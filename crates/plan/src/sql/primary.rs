//! What operators stand between: names, literals, parentheses, CASE, CAST, subqueries; and what is hung on behind them:
//! `.field`, `[key]`, `::type`.
use super::expression::ROW;
use super::lexer::Kind;
use super::parser::{Parsed, Parser};
use crate::error::Error;
use crate::tree::{CastMode, Expr, Value, call};

/// Words that go on with the query behind an expression; any other word there is an alias.
const AFTER_EXPRESSION: [&str; 20] = [
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "SORT",
    "CLUSTER",
    "DISTRIBUTE",
    "LIMIT",
    "OFFSET",
    "UNION",
    "EXCEPT",
    "MINUS",
    "INTERSECT",
    "LATERAL",
    "WINDOW",
    "AND",
    "OR",
    "NOT",
    "AS",
];

/// Functions that may be called without parentheses.
const NILADIC: [&str; 6] =
    ["CURRENT_DATE", "CURRENT_TIMESTAMP", "CURRENT_TIME", "CURRENT_USER", "SESSION_USER", "LOCALTIMESTAMP"];

impl Parser<'_> {
    /// A name behind an expression without AS.
    pub fn implicit_alias(&mut self) -> Parsed<Option<String>> {
        let token = self.peek();
        let is_alias = match token.kind {
            Kind::Quoted(_) => true,
            Kind::Word => !AFTER_EXPRESSION.iter().any(|word| token.is_word(word)),
            _ => false,
        };
        if is_alias { self.identifier().map(Some) } else { Ok(None) }
    }

    /// An expression without operators around it.
    pub fn primary(&mut self) -> Parsed<Expr> {
        let mut expr = self.base()?;
        loop {
            if self.eat_symbol(".") {
                let field = self.identifier()?;
                expr = self.dereference(expr, field)?;
            } else if self.eat_symbol("[") {
                let key = Box::new(self.nested(|p| p.value(0))?);
                self.expect_symbol("]")?;
                self.grow(1)?;
                expr = Expr::Extract { child: Box::new(expr), key };
            } else if self.eat_symbol("::") {
                self.grow(1)?;
                expr = Expr::Cast { child: Box::new(expr), to: self.data_type()?, mode: CastMode::Session };
            } else {
                return Ok(expr);
            }
        }
    }

    fn dereference(&mut self, base: Expr, field: String) -> Parsed<Expr> {
        Ok(match base {
            Expr::Attribute(mut parts) => {
                parts.push(field);
                Expr::Attribute(parts)
            }
            Expr::LambdaVariable(mut parts) => {
                parts.push(field);
                Expr::LambdaVariable(parts)
            }
            base => {
                self.grow(1)?;
                let key = Box::new(Expr::Literal(Value::String(field)));
                Expr::Extract { child: Box::new(base), key }
            }
        })
    }

    fn base(&mut self) -> Parsed<Expr> {
        match self.peek().kind {
            Kind::Number => self.number(false),
            Kind::String(_) => Ok(Expr::Literal(Value::String(self.string()?))),
            Kind::Symbol("-") => {
                self.advance();
                self.number(true)
            }
            Kind::Symbol("*") => {
                self.advance();
                self.refuse_star_except()?;
                Ok(Expr::Star { target: Vec::new() })
            }
            Kind::Symbol("(") => self.parentheses(),
            Kind::Symbol("?" | ":") => Err(Error::unsupported("a parameter marker in SQL text").into()),
            Kind::Word => match self.keyword_form()? {
                Some(expr) => Ok(expr),
                None => self.name_or_call(),
            },
            Kind::Quoted(_) => self.name_or_call(),
            Kind::Symbol(_) | Kind::End => Err(self.unexpected(false)),
        }
    }

    fn refuse_star_except(&self) -> Parsed<()> {
        if self.at_word("EXCEPT") && self.peek_at(1).is_symbol("(") && !self.peek_at(2).is_word("SELECT") {
            return Err(Error::unsupported("* EXCEPT (columns)").into());
        }
        Ok(())
    }

    fn parentheses(&mut self) -> Parsed<Expr> {
        if let Some(parameters) = self.attempt(Self::lambda_head) {
            return self.lambda(parameters);
        }
        self.expect_symbol("(")?;
        if self.at_query() {
            let query = self.query()?;
            self.expect_symbol(")")?;
            return Ok(Expr::ScalarSubquery(Box::new(query)));
        }
        let mut items = self.list(Self::named_expression)?;
        self.close_list(items.len(), ")")?;
        self.grow(1)?;
        match items.len() {
            1 => Ok(items.remove(0)),
            _ => Ok(call(ROW, items)),
        }
    }

    /// `(x, y) ->`.
    fn lambda_head(&mut self) -> Parsed<Vec<String>> {
        let parameters = self.identifier_list()?;
        self.expect_symbol("->")?;
        Ok(parameters)
    }

    /// The body of a lambda.
    pub fn lambda(&mut self, parameters: Vec<String>) -> Parsed<Expr> {
        let outer = self.lambda_parameters.len();
        self.lambda_parameters.extend(parameters.iter().cloned());
        let body = self.expression();
        self.lambda_parameters.truncate(outer);
        self.grow(1)?;
        Ok(Expr::Lambda { body: Box::new(body?), parameters })
    }

    /// Forms that begin with a word that is not a plain name here.
    fn keyword_form(&mut self) -> Parsed<Option<Expr>> {
        let token = self.peek().clone();
        let follows = self.peek_at(1);
        let calls = follows.is_symbol("(");
        let is = |word: &str| token.is_word(word);
        let literal = |value| Ok(Some(Expr::Literal(value)));
        if let Kind::String(_) = follows.kind
            && !is("INTERVAL")
            && !is("CASE")
        {
            return self.typed_literal().map(Some);
        }
        if follows.is_symbol("->") {
            let parameter = self.identifier()?;
            self.advance();
            return self.lambda(vec![parameter]).map(Some);
        }
        if calls {
            return self.keyword_call(&token.text.to_ascii_uppercase());
        }
        if is("NULL") {
            self.advance();
            return literal(Value::Null);
        }
        if is("TRUE") || is("FALSE") {
            self.advance();
            return literal(Value::Boolean(is("TRUE")));
        }
        if is("CASE") && !self.word_is_a_name() {
            self.advance();
            return self.case().map(Some);
        }
        if is("INTERVAL") && !self.word_is_a_name() {
            return self.interval_literal();
        }
        if NILADIC.iter().any(|word| is(word)) && !follows.is_symbol(".") {
            self.advance();
            return Ok(Some(call(token.text.to_ascii_lowercase(), Vec::new())));
        }
        Ok(None)
    }

    fn case(&mut self) -> Parsed<Expr> {
        let operand = if self.at_word("WHEN") { None } else { Some(self.expression()?) };
        let mut branches = Vec::new();
        while branches.is_empty() || self.at_word("WHEN") {
            self.expect_word("WHEN")?;
            let when = self.expression()?;
            self.expect_word("THEN")?;
            let then = self.expression()?;
            let condition = match &operand {
                Some(operand) => call("=", vec![operand.clone(), when]),
                None => when,
            };
            branches.push((condition, then));
        }
        let otherwise = if self.eat_word("ELSE") { Some(Box::new(self.expression()?)) } else { None };
        self.expect_word("END")?;
        self.grow(2)?;
        Ok(Expr::Case { branches, otherwise })
    }

    /// A column, `relation.*`, or a function.
    fn name_or_call(&mut self) -> Parsed<Expr> {
        let mut parts = vec![self.identifier()?];
        while self.at_symbol(".") {
            if self.peek_at(1).is_symbol("*") {
                self.advance();
                self.advance();
                self.refuse_star_except()?;
                return Ok(Expr::Star { target: parts });
            }
            self.advance();
            parts.push(self.identifier()?);
        }
        if self.at_symbol("(") {
            return self.function_call(parts.join("."));
        }
        let is_parameter = self.lambda_parameters.iter().any(|p| p.eq_ignore_ascii_case(&parts[0]));
        Ok(if is_parameter { Expr::LambdaVariable(parts) } else { Expr::Attribute(parts) })
    }
}
